#include "harness/claims/known.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace sockproof {
namespace {

constexpr std::string_view kOfTcp[] = {"tcp_abort_on_overflow",
                                       "tcp_adv_win_scale",
                                       "tcp_allowed_congestion_control",
                                       "tcp_app_win",
                                       "tcp_autocorking",
                                       "tcp_available_congestion_control",
                                       "tcp_available_ulp",
                                       "tcp_backlog_ack_defer",
                                       "tcp_base_mss",
                                       "tcp_challenge_ack_limit",
                                       "tcp_child_ehash_entries",
                                       "tcp_comp_sack_delay_ns",
                                       "tcp_comp_sack_nr",
                                       "tcp_comp_sack_slack_ns",
                                       "tcp_congestion_control",
                                       "tcp_dsack",
                                       "tcp_early_demux",
                                       "tcp_early_retrans",
                                       "tcp_ecn",
                                       "tcp_ecn_fallback",
                                       "tcp_ecn_option",
                                       "tcp_ecn_option_beacon",
                                       "tcp_ehash_entries",
                                       "tcp_fack",
                                       "tcp_fastopen",
                                       "tcp_fastopen_blackhole_timeout_sec",
                                       "tcp_fastopen_key",
                                       "tcp_fin_timeout",
                                       "tcp_frto",
                                       "tcp_fwmark_accept",
                                       "tcp_invalid_ratelimit",
                                       "tcp_keepalive_intvl",
                                       "tcp_keepalive_probes",
                                       "tcp_keepalive_time",
                                       "tcp_l3mdev_accept",
                                       "tcp_limit_output_bytes",
                                       "tcp_low_latency",
                                       "tcp_max_orphans",
                                       "tcp_max_reordering",
                                       "tcp_max_syn_backlog",
                                       "tcp_max_tw_buckets",
                                       "tcp_mem",
                                       "tcp_migrate_req",
                                       "tcp_min_rtt_wlen",
                                       "tcp_min_snd_mss",
                                       "tcp_min_tso_segs",
                                       "tcp_moderate_rcvbuf",
                                       "tcp_mtu_probe_floor",
                                       "tcp_mtu_probing",
                                       "tcp_no_metrics_save",
                                       "tcp_no_ssthresh_metrics_save",
                                       "tcp_notsent_lowat",
                                       "tcp_orphan_retries",
                                       "tcp_pacing_ca_ratio",
                                       "tcp_pacing_ss_ratio",
                                       "tcp_pingpong_thresh",
                                       "tcp_plb_cong_thresh",
                                       "tcp_plb_enabled",
                                       "tcp_plb_idle_rehash_rounds",
                                       "tcp_plb_rehash_rounds",
                                       "tcp_plb_suspend_rto_sec",
                                       "tcp_probe_interval",
                                       "tcp_probe_threshold",
                                       "tcp_recovery",
                                       "tcp_reflect_tos",
                                       "tcp_reordering",
                                       "tcp_retrans_collapse",
                                       "tcp_retries1",
                                       "tcp_retries2",
                                       "tcp_rfc1337",
                                       "tcp_rmem",
                                       "tcp_rto_max_ms",
                                       "tcp_rto_min_us",
                                       "tcp_sack",
                                       "tcp_shrink_window",
                                       "tcp_slow_start_after_idle",
                                       "tcp_stdurg",
                                       "tcp_syn_linear_timeouts",
                                       "tcp_syn_retries",
                                       "tcp_synack_retries",
                                       "tcp_syncookies",
                                       "tcp_thin_linear_timeouts",
                                       "tcp_timestamps",
                                       "tcp_tso_rtt_log",
                                       "tcp_tso_win_divisor",
                                       "tcp_tw_reuse",
                                       "tcp_tw_reuse_delay",
                                       "tcp_window_scaling",
                                       "tcp_wmem",
                                       "tcp_workaround_signed_windows"};

constexpr std::string_view kOfIp[] = {
    "ip_default_ttl",  "ip_forward",       "ip_local_port_range", "ip_local_reserved_ports",
    "ip_no_pmtu_disc", "ip_nonlocal_bind", "ping_group_range",    "ip_unprivileged_port_start",
    "icmp_ratelimit",  "icmp_ratemask",    "ipfrag_time"};

constexpr std::string_view kOfIpv6[] = {"ip6frag_time", "icmp.ratelimit", "icmp.ratemask",
                                        "auto_flowlabels", "bindv6only"};

// Of each interface, and of "all" and "default": net.ipv4.conf.*, net.ipv6.conf.*.
constexpr std::string_view kOfInterfaces[] = {
    "accept_local", "accept_redirects", "accept_source_route", "arp_ignore",   "arp_announce",
    "forwarding",   "rp_filter",        "route_localnet",      "disable_ipv6", "accept_dad",
    "accept_ra",    "dad_transmits",    "hop_limit",           "mtu",          "log_martians"};

constexpr std::string_view kOfSockets[] = {
    "somaxconn",  "netdev_max_backlog", "rmem_default",
    "rmem_max",   "wmem_default",       "wmem_max",
    "optmem_max", "default_qdisc",      "rps_sock_flow_entries",
    "busy_poll",  "busy_read"};

constexpr std::string_view kTcpCounters[] = {
    "RtoAlgorithm", "RtoMin",       "RtoMax",      "MaxConn",   "ActiveOpens",
    "PassiveOpens", "AttemptFails", "EstabResets", "CurrEstab", "InSegs",
    "OutSegs",      "RetransSegs",  "InErrs",      "OutRsts",   "InCsumErrors"};

constexpr std::string_view kTcpExtCounters[] = {"SyncookiesSent",
                                                "SyncookiesRecv",
                                                "SyncookiesFailed",
                                                "EmbryonicRsts",
                                                "PruneCalled",
                                                "RcvPruned",
                                                "OfoPruned",
                                                "OutOfWindowIcmps",
                                                "LockDroppedIcmps",
                                                "ArpFilter",
                                                "TW",
                                                "TWRecycled",
                                                "TWKilled",
                                                "PAWSActive",
                                                "PAWSEstab",
                                                "BeyondWindow",
                                                "TSEcrRejected",
                                                "PAWSOldAck",
                                                "PAWSTimewait",
                                                "DelayedACKs",
                                                "DelayedACKLocked",
                                                "DelayedACKLost",
                                                "ListenOverflows",
                                                "ListenDrops",
                                                "TCPHPHits",
                                                "TCPPureAcks",
                                                "TCPHPAcks",
                                                "TCPRenoRecovery",
                                                "TCPSackRecovery",
                                                "TCPSACKReneging",
                                                "TCPSACKReorder",
                                                "TCPRenoReorder",
                                                "TCPTSReorder",
                                                "TCPFullUndo",
                                                "TCPPartialUndo",
                                                "TCPDSACKUndo",
                                                "TCPLossUndo",
                                                "TCPLostRetransmit",
                                                "TCPRenoFailures",
                                                "TCPSackFailures",
                                                "TCPLossFailures",
                                                "TCPFastRetrans",
                                                "TCPSlowStartRetrans",
                                                "TCPTimeouts",
                                                "TCPLossProbes",
                                                "TCPLossProbeRecovery",
                                                "TCPRenoRecoveryFail",
                                                "TCPSackRecoveryFail",
                                                "TCPRcvCollapsed",
                                                "TCPBacklogCoalesce",
                                                "TCPDSACKOldSent",
                                                "TCPDSACKOfoSent",
                                                "TCPDSACKRecv",
                                                "TCPDSACKOfoRecv",
                                                "TCPAbortOnData",
                                                "TCPAbortOnClose",
                                                "TCPAbortOnMemory",
                                                "TCPAbortOnTimeout",
                                                "TCPAbortOnLinger",
                                                "TCPAbortFailed",
                                                "TCPMemoryPressures",
                                                "TCPMemoryPressuresChrono",
                                                "TCPSACKDiscard",
                                                "TCPDSACKIgnoredOld",
                                                "TCPDSACKIgnoredNoUndo",
                                                "TCPSpuriousRTOs",
                                                "TCPMD5NotFound",
                                                "TCPMD5Unexpected",
                                                "TCPMD5Failure",
                                                "TCPSackShifted",
                                                "TCPSackMerged",
                                                "TCPSackShiftFallback",
                                                "TCPBacklogDrop",
                                                "PFMemallocDrop",
                                                "TCPMinTTLDrop",
                                                "TCPDeferAcceptDrop",
                                                "IPReversePathFilter",
                                                "TCPTimeWaitOverflow",
                                                "TCPReqQFullDoCookies",
                                                "TCPReqQFullDrop",
                                                "TCPRetransFail",
                                                "TCPRcvCoalesce",
                                                "TCPOFOQueue",
                                                "TCPOFODrop",
                                                "TCPOFOMerge",
                                                "TCPChallengeACK",
                                                "TCPSYNChallenge",
                                                "TCPFastOpenActive",
                                                "TCPFastOpenActiveFail",
                                                "TCPFastOpenPassive",
                                                "TCPFastOpenPassiveFail",
                                                "TCPFastOpenListenOverflow",
                                                "TCPFastOpenCookieReqd",
                                                "TCPFastOpenBlackhole",
                                                "TCPSpuriousRtxHostQueues",
                                                "BusyPollRxPackets",
                                                "TCPAutoCorking",
                                                "TCPFromZeroWindowAdv",
                                                "TCPToZeroWindowAdv",
                                                "TCPWantZeroWindowAdv",
                                                "TCPSynRetrans",
                                                "TCPOrigDataSent",
                                                "TCPHystartTrainDetect",
                                                "TCPHystartTrainCwnd",
                                                "TCPHystartDelayDetect",
                                                "TCPHystartDelayCwnd",
                                                "TCPACKSkippedSynRecv",
                                                "TCPACKSkippedPAWS",
                                                "TCPACKSkippedSeq",
                                                "TCPACKSkippedFinWait2",
                                                "TCPACKSkippedTimeWait",
                                                "TCPACKSkippedChallenge",
                                                "TCPWinProbe",
                                                "TCPKeepAlive",
                                                "TCPMTUPFail",
                                                "TCPMTUPSuccess",
                                                "TCPDelivered",
                                                "TCPDeliveredCE",
                                                "TCPAckCompressed",
                                                "TCPZeroWindowDrop",
                                                "TCPRcvQDrop",
                                                "TCPWqueueTooBig",
                                                "TCPFastOpenPassiveAltKey",
                                                "TcpTimeoutRehash",
                                                "TcpDuplicateDataRehash",
                                                "TCPDSACKRecvSegs",
                                                "TCPDSACKIgnoredDubious",
                                                "TCPMigrateReqSuccess",
                                                "TCPMigrateReqFailure",
                                                "TCPPLBRehash",
                                                "TCPAORequired",
                                                "TCPAOBad",
                                                "TCPAOKeyNotFound",
                                                "TCPAOGood",
                                                "TCPAODroppedIcmps"};

template <typename Names>
bool Has(const Names& names, std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

// Whether it was there.
bool TakePrefix(std::string_view& name, std::string_view prefix) {
  if (!name.starts_with(prefix)) return false;
  name.remove_prefix(prefix.size());
  return true;
}

}  // namespace

bool IsKnownSysctl(std::string_view name) {
  if (TakePrefix(name, "net.core.")) return Has(kOfSockets, name);
  if (TakePrefix(name, "net.ipv4.conf.") || TakePrefix(name, "net.ipv6.conf.")) {
    return Has(kOfInterfaces, name.substr(name.rfind('.') + 1));
  }
  if (TakePrefix(name, "net.ipv4.")) return Has(kOfTcp, name) || Has(kOfIp, name);
  if (TakePrefix(name, "net.ipv6.")) return Has(kOfIpv6, name);
  return name == "net.mptcp.enabled" || name == "net.mptcp.checksum_enabled";
}

bool IsKnownCounter(std::string_view name) {
  if (TakePrefix(name, "Tcp.")) return Has(kTcpCounters, name);
  return TakePrefix(name, "TcpExt.") && Has(kTcpExtCounters, name);
}

}  // namespace sockproof

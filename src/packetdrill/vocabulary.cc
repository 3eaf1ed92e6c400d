#include "src/packetdrill/vocabulary.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <set>
#include <sstream>
#include <string>

#include "harness/base/text.h"
#include "src/packetdrill/calls.h"
#include "src/packetdrill/flow.h"
#include "src/packetdrill/symbols.h"

namespace sockproof::packetdrill {
namespace {

using Kind = Expression::Kind;
using Words = std::set<std::string, std::less<>>;

Words Split(const std::string& text) {
  std::istringstream words(text);
  return {std::istream_iterator<std::string>(words), {}};
}

// Of structures, and what stands before parentheses.
constexpr const char* kMembers =
    "sa_family sin_port sin_addr msg_name msg_iov msg_flags msg_control cmsg_level cmsg_type cmsg_data ee_errno "
    "ee_origin ee_type ee_code ee_info ee_data scm_sec scm_nsec fd events revents ptr u32 u64 onoff linger mpls "
    "htons inet_addr inet6_addr";

// --- What this program lacks ---------------------------------------------------------------------

constexpr const char* kCallsElsewhere = "cap_set psp_rx_assoc psp_tx_assoc";
constexpr const char* kOptionsElsewhere =
    "gateway_linklocal_ip is_anyip local_linklocal_ip no_cleanup persistent_tun_dev psp_udp_port so_filename so_flags "
    "speed tcp_md5_secret tun_dev udp_encapsulation wire_client wire_client_dev wire_server wire_server_at "
    "wire_server_dev wire_server_ip wire_server_port";
constexpr const char* kMembersElsewhere =
    "htonl cmsg_len iov_base iov_len headers trailers af_name af_arg function_set_name pcbcnt enable psk trr_flags "
    "trr_code trr_pen";
// Whole families: what is misspelt among them is nothing that could be run.
constexpr std::string_view kFamiliesElsewhere[] = {"SCTP_", "TCP_RACK_", "TCP_BBR_", "CAP_", "sctp_"};
// Of other systems, most of them.
constexpr const char* kNamesElsewhere =
    "AT_EACCESS AT_FDCWD AT_REMOVEDIR AT_SYMLINK_FOLLOW AT_SYMLINK_NOFOLLOW CPF_IGNORE_MODE CPF_OVERWRITE "
    "DIRECTIO_OFF DIRECTIO_ON FAPPEND FASYNC FCNTL_FS_SPECIFIC_BASE FDATASYNC FDISKSYNC FD_CLOFORK FFDSYNC "
    "FFILESYNC FFSYNC FIBMAP FIOASYNC FIOCLEX FIODGNAME FIODTYPE FIOGETBMAP FIOGETLBA FIOGETOWN FIONCLEX "
    "FIONSPACE FIONWRITE FIOSEEKDATA FIOSEEKHOLE FIOSETOWN FNDELAY FNONBLOCK FRDAHEAD FREAD FWRITE F_ADDFILESIGS "
    "F_ADDFILESIGS_FOR_DYLD_SIM F_ADDFILESIGS_RETURN F_ADDSIGS F_ALLOCATEALL F_ALLOCATECONTIG F_ALLOCSP "
    "F_ALLOCSP64 F_BADFD F_BARRIERFSYNC F_BLKSIZE F_BLOCKS F_CANCEL F_CHECK_LV F_CHKCLEAN F_CHKFL F_CLOSEFROM "
    "F_CLOSEM F_COMPAT F_DUP2FD F_DUP2FD_CLOEXEC F_DUP2FD_CLOFORK F_DUP3FD F_DUPFD_CLOEXEC F_DUPFD_CLOFORK "
    "F_EXLCK F_FINDSIGS F_FLUSH_DATA F_FREESP F_FREESP64 F_FREEZE_FS F_FSCTL F_FSDIRMASK F_FSIN F_FSINOUT F_FSOUT "
    "F_FSPRIV F_FSVOID F_FULLFSYNC F_GETCODEDIR F_GETLEASE F_GETLK F_GETLK64 F_GETLKPID F_GETNOSIGPIPE F_GETPATH "
    "F_GETPATH_MTMINFO F_GETPROTECTIONCLASS F_GETPROTECTIONLEVEL F_GETSIG F_GETTPD F_GETXFL F_GLOBAL_NOCACHE "
    "F_HASREMOTELOCKS F_ISSTREAM F_LOG2PHYS F_LOG2PHYS_EXT F_MANDDNY F_MAXFD F_MDACC F_NOCACHE F_NODIRECT F_NODNY "
    "F_NOTIFY F_NPRIV F_OGETLK F_OK F_OSETLK F_OSETLKW F_PARAM_MASK F_PARAM_MAX F_PATHPKG_CHECK F_PEOFPOSMODE "
    "F_PREALLOCATE F_PRIV F_PUNCHHOLE F_QUOTACTL F_RDACC F_RDADVISE F_RDAHEAD F_RDDNY F_RDLCK F_READAHEAD "
    "F_REVOKE F_RMACC F_RMDNY F_RWACC F_RWDNY F_SETBACKINGSTORE F_SETLEASE F_SETLK F_SETLK64 F_SETLK64_NBMAND "
    "F_SETLKW F_SETLKW64 F_SETLKWTIMEOUT F_SETLK_NBMAND F_SETLK_REMOTE F_SETNOSIGPIPE F_SETPROTECTIONCLASS "
    "F_SETSIG F_SETSIZE F_SETTPD F_SHARE F_SHARE_NBMAND F_SHLCK F_SINGLE_WRITER F_THAW_FS F_TRANSCODEKEY "
    "F_TRIM_ACTIVE_FILE F_UFCNTL_FS_SPECIFIC_BASENLCK F_UNLCK F_UNLCKSYS F_UNSHARE F_VOLPOSMODE F_WRACC F_WRDNY F_WRLCK ICMP6_FILTER "
    "ICMP6_PACKET_TOO_BIG ICMP_UNREACH ICMP_UNREACH_NEEDFRAG IPTOS_DSCP_AF11 IPTOS_DSCP_AF12 IPTOS_DSCP_AF13 "
    "IPTOS_DSCP_AF21 IPTOS_DSCP_AF22 IPTOS_DSCP_AF23 IPTOS_DSCP_AF31 IPTOS_DSCP_AF32 IPTOS_DSCP_AF33 "
    "IPTOS_DSCP_AF41 IPTOS_DSCP_AF42 IPTOS_DSCP_AF43 IPTOS_DSCP_CS0 IPTOS_DSCP_CS1 IPTOS_DSCP_CS2 IPTOS_DSCP_CS3 "
    "IPTOS_DSCP_CS4 IPTOS_DSCP_CS5 IPTOS_DSCP_CS6 IPTOS_DSCP_CS7 IPTOS_DSCP_EF IPTOS_DSCP_VA IPV6_2292DSTOPTS "
    "IPV6_2292HOPLIMIT IPV6_2292HOPOPTS IPV6_2292NEXTHOP IPV6_2292PKTINFO IPV6_2292PKTOPTIONS IPV6_2292RTHDR "
    "IPV6_3542DSTOPTS IPV6_3542HOPLIMIT IPV6_3542HOPOPTS IPV6_3542NEXTHOP IPV6_3542PKTINFO IPV6_3542RTHDR "
    "IPV6_BINDV6ONLY IPV6_BOUND_IF IPV6_CHECKSUM IPV6_DSTOPTS IPV6_FLOWID IPV6_FLOWTYPE IPV6_HOPOPTS IPV6_NEXTHOP "
    "IPV6_PATHMTU IPV6_PORTRANGE IPV6_PREFER_TEMPADDR IPV6_RECVDSTOPTS IPV6_RECVFLOWID IPV6_RECVHOPOPTS "
    "IPV6_RECVPATHMTU IPV6_RECVRSSBUCKETID IPV6_RECVRTHDR IPV6_RSSBUCKETID IPV6_RSS_LISTEN_BUCKET IPV6_RTHDR "
    "IPV6_RTHDRDSTOPTS IPV6_SEC_OPT IPV6_SRC_PREFERENCES IPV6_UNSPEC_SRC IPV6_USE_MIN_MTU IP_BOUND_IF "
    "IP_BROADCAST IP_DONTFRAG IP_DONTROUTE IP_FLOWID IP_FLOWTYPE IP_PORTRANGE IP_RECVDSTADDR IP_RECVFLOWID "
    "IP_RECVIF IP_RECVPKTINFO IP_RECVRETOPTS IP_RECVRSSBUCKETID IP_REUSEADDR IP_RSSBUCKETID IP_RSS_LISTEN_BUCKET "
    "IP_SENDSRCADDR IP_UNSPEC_SRC LOCK_EX LOCK_NB LOCK_SH LOCK_UN L_INCR L_SET L_XTND MSG_BCAST MSG_COMPAT "
    "MSG_DUPCTRL MSG_EOF MSG_FLUSH MSG_HAVEMORE MSG_HOLD MSG_MCAST MSG_NBIO MSG_NEEDSA MSG_NOTIFICATION "
    "MSG_RCVMORE MSG_SEND MSG_XPG4_2 O_ALT_IO O_CLOFORK O_DP_GETRAWENCRYPTED O_DP_GETRAWUNENCRYPTED O_DSYNC "
    "O_EVTONLY O_EXEC O_EXLOCK O_FSYNC O_LARGEFILE O_NOCTTY O_NOLINKS O_NOSIGPIPE O_RSYNC O_SEARCH O_SHLOCK "
    "O_SYMLINK O_TPDSAFE O_TTY_INIT O_XATTR O_XPG4OPEN PERSIST_TIMEOUT POLLINIGNEOF POLLNORM POSIX_FADV_DONTNEED "
    "POSIX_FADV_NOREUSE POSIX_FADV_NORMAL POSIX_FADV_RANDOM POSIX_FADV_SEQUENTIAL POSIX_FADV_WILLNEED R_OK "
    "SEEK_CUR SEEK_END SEEK_SET SF_MNOWAIT SF_NOCACHE SF_NODISKIO SF_SYNC SIOCGHIWAT SIOCGLOWAT SIOCGPGRP "
    "SIOCSHIWAT SIOCSLOWAT SIOCSPGRP SOF_TIMESTAMPING_OPT_ID_TCP SOF_TIMESTAMPING_SYS_HARDWARE SOL_SCTP "
    "SOL_UDPLITE SO_ACCEPTFILTER SO_ALLZONES SO_ANON_MLP SO_BINDANY SO_BINTIME SO_BSDCOMPAT SO_DGRAM_ERRIND "
    "SO_DONTTRUNC SO_EXCLBIND SO_FLOW_NAME SO_FLOW_SLA SO_LABEL SO_LINGER_SEC SO_LISTENINCQLEN SO_LISTENQLEN "
    "SO_LISTENQLIMIT SO_MAC_EXEMPT SO_MAC_IMPLICIT SO_NETPROC SO_NET_KERNEL_BYPASS SO_NET_KERNEL_BYPASS_STATS "
    "SO_NKE SO_NOADDRERR SO_NOHEADER SO_NOSIGPIPE SO_NO_DDP SO_NO_OFFLOAD SO_NP_EXTENSIONS SO_NREAD SO_NUMRCVPKT "
    "SO_NWRITE SO_OVERFLOWED SO_PASSIVE_CONNECT SO_PEERLABEL SO_PEERNAME SO_PEERSEC SO_PROTOTYPE SO_RANDOMPORT "
    "SO_RCVPSH SO_RECVUCRED SO_REUSEPORT_LB SO_REUSESHAREUID SO_RTABLE SO_SECATTR SO_SECURITY_AUTHENTICATION "
    "SO_SECURITY_ENCRYPTION_NETWORK SO_SECURITY_ENCRYPTION_TRANSPORT SO_SETFIB SO_SPLICE SO_TIMESTAMP_MONOTONIC "
    "SO_TS_CLOCK SO_USELOOPBACK SO_USER_COOKIE SO_VRRP SO_WANTMORE SO_WANTOOBFLAG SPP_DSCP SPP_HB_DEMAND "
    "SPP_HB_DISABLE SPP_HB_ENABLE SPP_HB_TIME_IS_ZERO SPP_IPV4_TOS SPP_IPV6_FLOWLABEL SPP_PMTUD_DISABLE "
    "SPP_PMTUD_ENABLE SPP_SACKDELAY_DISABLE SPP_SACKDELAY_ENABLE TCP_ABORT_THRESHOLD TCP_CCALGOOPT TCP_CONGCTL "
    "TCP_CONNECTIONTIMEOUT TCP_CONNECTION_INFO TCP_CONN_ABORT_THRESHOLD TCP_CONN_NOTIFY_THRESHOLD "
    "TCP_COOKIE_TRANSACTIONS TCP_DATA_AFTER_CLOSE TCP_DEFER_OPTIONS TCP_DELACK TCP_ENABLE_ECN TCP_FAST_RSM_HACK "
    "TCP_FIN_IS_RST TCP_FUNCTION_ALIAS TCP_FUNCTION_BLK TCP_HDWR_RATE_CAP TCP_HDWR_UP_ONLY TCP_HYBRID_PACING "
    "TCP_IDLE_REDUCE TCP_INIT_CWND TCP_IWND_NB TCP_IWND_NSEG TCP_KEEPALIVE TCP_KEEPALIVE_ABORT_THRESHOLD "
    "TCP_KEEPALIVE_THRESHOLD TCP_KEEPINIT TCP_LOG TCP_LOGBUF TCP_LOGDUMP TCP_LOGDUMPID TCP_LOGID TCP_LOGID_CNT "
    "TCP_LOG_LIMIT TCP_LOG_STATE_CLEAR TCP_LOG_STATE_CONTINUAL TCP_LOG_STATE_HEAD TCP_LOG_STATE_HEAD_AUTO "
    "TCP_LOG_STATE_OFF TCP_LOG_STATE_TAIL TCP_LOG_STATE_TAIL_AUTO TCP_LOG_TAG TCP_LOG_VIA_BBPOINTS TCP_LRD "
    "TCP_MAXPEAKRATE TCP_MAXUNACKTIME TCP_NOOPT TCP_NOPUSH TCP_NOTIFY_THRESHOLD TCP_NO_PRR TCP_PACING_DND "
    "TCP_PACING_RATE_CAP TCP_PCAP_IN TCP_PCAP_OUT TCP_PERF_INFO TCP_PROC_ACCOUNTING TCP_RECVDSTADDR "
    "TCP_REC_ABC_VAL TCP_REMOTE_UDP_ENCAPS_PORT TCP_REUSPORT_LB_NUMA TCP_RR_RST_ON_CLOSE TCP_RST_REASON_CODE "
    "TCP_RST_REASON_ENABLE TCP_RTO_INITIAL TCP_RTO_MAX TCP_RTO_MIN TCP_RXTLS_ENABLE TCP_RXTLS_MODE TCP_RXT_CLAMP "
    "TCP_RXT_CONNDROPTIME TCP_RXT_FINDROP TCP_SACK_ENABLE TCP_SENDMOREACKS TCP_SHARED_CWND_ALLOWED "
    "TCP_SHARED_CWND_ENABLE TCP_SHARED_CWND_TIME_LIMIT TCP_STATS TCP_TIMELY_DYN_ADJ TCP_TXTLS_ENABLE "
    "TCP_TXTLS_MODE TCP_USER_LOG TCP_USE_CMP_ACKS UDPLITE_RECV_CSCOV UDPLITE_SEND_CSCOV W_OK X_OK _AT_TRIGGER";
constexpr const char* kErrorsElsewhere =
    "EADI EAUTH EBADARCH EBADEXEC EBADMACHO EBADRPC ECAPMODE EDEVERR EDOOFUS EFTYPE EIPSEC ELAST ELOCKUNMAPPED "
    "ENEEDAUTH ENOATTR ENOPOLICY ENOTACTIVE ENOTCAPABLE EPROCLIM EPROCUNAVAIL EPROGMISMATCH EPROGUNAVAIL EPWROFF EQFULL "
    "ERPCMISMATCH ESHLIBVERS";

bool IsElsewhere(std::string_view word) {
  static const Words words =
      Split(std::string(kCallsElsewhere) + " " + kMembersElsewhere + " " + kNamesElsewhere + " " + kErrorsElsewhere);
  return words.contains(word) ||
         std::any_of(std::begin(kFamiliesElsewhere), std::end(kFamiliesElsewhere),
                     [&](std::string_view family) { return word.starts_with(family); });
}

// --- What is in a script -------------------------------------------------------------------------

struct WrittenWord {
  std::string_view text;
  Position where;
  const char* is_no = "";  // "call"
  bool known = false;
  std::vector<std::string> (*all)() = nullptr;  // those that it may have been meant to be
};

std::vector<std::string> Members() {
  const Words members = Split(kMembers);
  return {members.begin(), members.end()};
}

void AddWords(const Expression& expression, std::vector<WrittenWord>& words) {
  static const Words members = Split(kMembers);
  const bool names_member = expression.kind == Kind::kMember || expression.kind == Kind::kCall;
  if (expression.kind == Kind::kWord) {
    const bool known = SymbolValue(expression.text).has_value() || members.contains(expression.text);
    words.push_back({expression.text, expression.where, "name of a number", known, SymbolNames});
  } else if (names_member) {
    words.push_back({expression.text, expression.where, "member of a structure", members.contains(expression.text), Members});
  }
  for (const Expression& element : expression.elements) AddWords(element, words);
}

std::vector<WrittenWord> WordsIn(const CallEvent& call) {
  std::vector<WrittenWord> words{{call.name, call.name_where, "call", IsCall(call.name), CallNames}};
  for (const Expression& argument : call.arguments) AddWords(argument, words);
  AddWords(call.result, words);
  if (!call.error.empty()) {
    const bool known = call.error.starts_with("E") && SymbolValue(call.error).has_value();
    words.push_back({call.error, call.error_where, "error", known});
  }
  return words;
}

std::vector<WrittenWord> WordsIn(const IcmpPart& icmp) {
  std::vector<WrittenWord> words{{icmp.type, icmp.type_where, "type of ICMP", IsIcmpType(icmp.type)}};
  if (!icmp.code.empty()) words.push_back({icmp.code, icmp.code_where, "code of ICMP", IsIcmpCode(icmp.code)});
  return words;
}

// One word that is known elsewhere tells that the others may be, too.
void RefuseUnknown(const std::vector<WrittenWord>& words) {
  if (std::any_of(words.begin(), words.end(), [](const WrittenWord& word) { return !word.known && IsElsewhere(word.text); })) {
    return;
  }
  for (const WrittenWord& word : words) {
    if (word.known) continue;
    const std::string shown = Shortened(CleanLine(word.text), 40);
    std::string instead = word.all == nullptr ? "" : DidYouMean(shown, word.all());
    if (instead.empty() && word.all == SymbolNames) {
      instead = fmt::format(", and not defined (--script-define {}=...)", shown);
    }
    throw SyntaxError(word.where, fmt::format("'{}' is no {}{}", shown, word.is_no, instead));
  }
}

}  // namespace

void RefuseMisspelt(const Script& script) {
  for (const Event& event : script.events) {
    if (const auto* call = std::get_if<CallEvent>(&event.what)) RefuseUnknown(WordsIn(*call));
    const auto* packet = std::get_if<PacketEvent>(&event.what);
    const auto* icmp = packet == nullptr ? nullptr : std::get_if<IcmpPart>(&packet->what);
    if (icmp != nullptr) RefuseUnknown(WordsIn(*icmp));
  }
}

bool IsOptionElsewhere(std::string_view name) {
  static const Words options = Split(kOptionsElsewhere);
  return options.contains(name);
}

}  // namespace sockproof::packetdrill

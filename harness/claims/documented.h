// Documented values: what the documents say that a system with these facts does. Nothing here was
// observed; each function names the document that it computes from, by its claim. The numbers that
// systems document of themselves are data: systems.tsv.
#pragma once

#include <vector>

#include "harness/base/time.h"
#include "harness/claims/facts.h"

namespace sockproof {

// When an unanswered segment that opens a connection is sent again, and when the attempt is over.
struct OpeningSchedule {
  std::vector<Duration> retransmissions;  // each gap to the transmission before
  Duration give_up{0};  // from the first one to the end of the attempt; 0: no document says
};
using SynSchedule = OpeningSchedule;     // of an active open, which ends with ETIMEDOUT
using SynAckSchedule = OpeningSchedule;  // of a passive open

// Probes of an idle connection whose peer does not answer.
struct KeepaliveSchedule {
  Duration idle{0};      // from the last segment received to the first probe
  Duration interval{0};  // from probe to probe, and from the last one to the end
  int probes = 0;
  // From the last segment received to the end of the connection.
  Duration give_up() const { return idle + probes * interval; }
};

// The gaps of a SYN on Linux: tcp_syn_linear_timeouts gaps of 1 s (none on kernels without that
// sysctl), then tcp_syn_retries gaps that start at 1 s and double up to tcp_rto_max_ms, or up to
// 120 s on kernels without it. linux:tcp_syn_retries, linux:tcp_syn_linear_timeouts,
// linux:tcp_rto_max_ms, linux:TCP_TIMEOUT_INIT. Throws Skip without tcp_syn_retries.
SynSchedule LinuxSynSchedule(const Facts& facts);

// The gaps of a SYN,ACK on Linux: tcp_synack_retries of them, from 1 s and doubling.
// linux:tcp_synack_retries. Throws Skip without that sysctl.
SynAckSchedule LinuxSynAckSchedule(const Facts& facts);

// How long Linux asks for the link-layer address of a neighbour before it gives up: mcast_solicit
// requests, retrans_time_ms apart, 3 s by default. man:arp(7)-mcast_solicit.
Duration LinuxUnresolved(const Facts& facts);

// How long TIME-WAIT lasts on Linux: 60 s, a constant of the kernel and no fact of a system.
// linux:TCP_TIMEWAIT_LEN.
Duration LinuxTimeWait(const Facts& facts);

// How long a connection must have been in TIME-WAIT before tcp_tw_reuse lets a new one take its
// port: tcp_tw_reuse_delay, 1 s on kernels without that sysctl. linux:tcp_tw_reuse_delay.
Duration LinuxTimeWaitReuseDelay(const Facts& facts);

// How long Linux keeps a connection in FIN-WAIT-2 that no application holds any more.
// linux:tcp_fin_timeout. Throws Skip without that sysctl.
Duration LinuxFinTimeout(const Facts& facts);

// How many connections wait for accept() on Linux after listen(fd, backlog), with backlog at
// least 0: one more than the backlog (linux:backlog-plus-one), which is silently capped to
// net.core.somaxconn (man:listen(2)-somaxconn). Throws Skip without that sysctl.
int LinuxAcceptQueueHolds(int backlog, const Facts& facts);

// How many half-open connections Linux remembers for a listener after listen(fd, backlog), with
// backlog at least 0, as long as tcp_max_syn_backlog is not in the way: one more than the backlog,
// capped as above. linux:syn-queue-backlog. Throws Skip without net.core.somaxconn.
int LinuxSynQueueHolds(int backlog, const Facts& facts);

// Keepalive on Linux, of sockets that set nothing of their own. linux:tcp_keepalive_time,
// linux:tcp_keepalive_intvl, linux:tcp_keepalive_probes. Throws Skip without those sysctls.
KeepaliveSchedule LinuxKeepalive(const Facts& facts);

// What those sysctls are by default: 2 h, 75 s, 9 probes. The same claims.
KeepaliveSchedule LinuxKeepaliveDefaults();

// The least time for which Linux goes on with data that is not acknowledged: what tcp_retries2
// retransmissions from the least timeout of 200 ms on take, and the wait after the last.
// linux:tcp_retries2. Throws Skip without that sysctl.
Duration LinuxDataGiveUpMinimum(const Facts& facts);

// The least time for which RFC 9293 wants an unanswered SYN retransmitted: 3 min.
// rfc9293:MUST-23.
Duration RfcSynR2Minimum();

// The least time for which RFC 9293 wants other segments retransmitted: 100 s. rfc9293:SHLD-11.
Duration RfcR2Minimum();

// Longer than this no ACK may be delayed: 0.5 s. rfc9293:MUST-40, rfc5681:4.2-within-500-ms.
Duration RfcAckDelayMaximum();

// The longest tick of the clock that initial sequence numbers come from: 4 us. rfc9293:MUST-8.
Duration RfcIsnTick();

// How long TIME-WAIT lasts by RFC 9293: twice an MSL of 2 min. rfc9293:MUST-13,
// rfc9293:3.4.2-msl.
Duration RfcTimeWait();

// The SYNs of the notes: at 0, 5.8 and 29.8 s, the end at 75 s. notes:L1 gives the tries as 5.8, 24
// and 48 s: only as gaps do they agree with its 75 s, which end the attempt within the third gap.
SynSchedule NotesSynSchedule();

// The waits of the notes before each retransmission of a SYN,ACK; when the attempt ends they do not
// say. notes:L3.
std::vector<Duration> NotesSynAckRetransmissions();

// Keepalive in the notes: 2 h, then a probe every 75 s, ten of them. notes:K1 to notes:K3.
KeepaliveSchedule NotesKeepalive();

// The least idle time after which RFC 9293 wants keepalive to probe by default: 2 h.
// rfc9293:MUST-28.
Duration RfcKeepaliveIdleMinimum();

// What the system under test documents of itself, whichever it is (its fact "os", and systems.tsv).
// All throw Skip when no document is known here that says so, or when a fact that it needs is
// missing. system:time-wait, system:fin-wait-2, system:syn, system:syn-ack, system:keepalive and
// system:accept-queue.
Duration OwnTimeWait(const Facts& facts);
Duration OwnFinWait2(const Facts& facts);
SynSchedule OwnSynSchedule(const Facts& facts);
SynAckSchedule OwnSynAckSchedule(const Facts& facts);
KeepaliveSchedule OwnKeepalive(const Facts& facts);        // of sockets that set nothing
int OwnAcceptQueueHolds(int backlog, const Facts& facts);  // with backlog at least 0

// How much earlier or later than it says a timer of that system may fire, because its clock is so
// coarse: 0 unless documented.
Duration OwnGranularity(const Facts& facts);

// How long a system that hands segments on from thread to thread may take for an answer that others
// give at once, after it has answered a later segment to another socket: 0 unless documented.
Duration OwnSettlingTime(const Facts& facts);

}  // namespace sockproof

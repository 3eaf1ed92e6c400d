// Documented values against the worked numbers of the documents themselves.
#include "harness/claims/documented.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "harness/base/errors.h"

namespace sockproof {
namespace {

using testing::ElementsAre;

Duration LastRetransmission(const std::vector<Duration>& gaps) {
  return std::accumulate(gaps.begin(), gaps.end(), Duration{0});
}

Facts WithSysctls(const std::map<std::string, int>& sysctls) {
  Facts facts;
  for (const auto& [name, value] : sysctls) facts.Set("sysctl." + name, std::to_string(value));
  return facts;
}

// ip-sysctl.rst: 6 retries and 4 linear timeouts are 67 s till the last retransmission, 131 s to
// the final timeout; the timeouts are 1, 1, 1, 1, 1, 2, 4 and so on.
TEST(LinuxSynSchedule, WithLinearTimeouts) {
  const SynSchedule schedule = LinuxSynSchedule(
      WithSysctls({{"net.ipv4.tcp_syn_retries", 6}, {"net.ipv4.tcp_syn_linear_timeouts", 4}}));
  EXPECT_THAT(schedule.retransmissions, ElementsAre(1s, 1s, 1s, 1s, 1s, 2s, 4s, 8s, 16s, 32s));
  EXPECT_EQ(LastRetransmission(schedule.retransmissions), 67s);
  EXPECT_EQ(schedule.give_up, 131s);
}

// The same document before Linux 6.5, and tcp(7): 63 s, and 127 s to the final timeout.
TEST(LinuxSynSchedule, OnKernelsWithoutLinearTimeouts) {
  const SynSchedule schedule = LinuxSynSchedule(WithSysctls({{"net.ipv4.tcp_syn_retries", 6}}));
  EXPECT_THAT(schedule.retransmissions, ElementsAre(1s, 2s, 4s, 8s, 16s, 32s));
  EXPECT_EQ(LastRetransmission(schedule.retransmissions), 63s);
  EXPECT_EQ(schedule.give_up, 127s);
}

TEST(LinuxSynSchedule, TimeoutIsCapped) {
  EXPECT_THAT(LinuxSynSchedule(WithSysctls({{"net.ipv4.tcp_syn_retries", 9}})).retransmissions,
              ElementsAre(1s, 2s, 4s, 8s, 16s, 32s, 64s, 120s, 120s));
  const SynSchedule schedule = LinuxSynSchedule(
      WithSysctls({{"net.ipv4.tcp_syn_retries", 4}, {"net.ipv4.tcp_rto_max_ms", 3000}}));
  EXPECT_THAT(schedule.retransmissions, ElementsAre(1s, 2s, 3s, 3s));
  EXPECT_EQ(schedule.give_up, 12s);
}

TEST(LinuxSynSchedule, NeedsTheSysctl) { EXPECT_THROW(LinuxSynSchedule(Facts()), Skip); }

// ip-sysctl.rst: 5 retries are 31 s till the last retransmission, 63 s to the final timeout. Linear
// timeouts have no effect here.
TEST(LinuxSynAckSchedule, AsDocumented) {
  const SynAckSchedule schedule = LinuxSynAckSchedule(
      WithSysctls({{"net.ipv4.tcp_synack_retries", 5}, {"net.ipv4.tcp_syn_linear_timeouts", 4}}));
  EXPECT_THAT(schedule.retransmissions, ElementsAre(1s, 2s, 4s, 8s, 16s));
  EXPECT_EQ(LastRetransmission(schedule.retransmissions), 31s);
  EXPECT_EQ(schedule.give_up, 63s);
  EXPECT_THROW(LinuxSynAckSchedule(Facts()), Skip);
}

TEST(LinuxTimeouts, AsDocumented) {
  EXPECT_EQ(LinuxTimeWait(Facts()), 60s);
  EXPECT_EQ(LinuxFinTimeout(WithSysctls({{"net.ipv4.tcp_fin_timeout", 60}})), 60s);
  EXPECT_THROW(LinuxFinTimeout(Facts()), Skip);
  EXPECT_EQ(LinuxTimeWaitReuseDelay(WithSysctls({{"net.ipv4.tcp_tw_reuse_delay", 250}})), 250ms);
  EXPECT_EQ(LinuxTimeWaitReuseDelay(Facts()), 1s);
}

TEST(LinuxAcceptQueue, HoldsOneMoreThanTheCappedBacklog) {
  const Facts facts = WithSysctls({{"net.core.somaxconn", 4096}});
  EXPECT_EQ(LinuxAcceptQueueHolds(0, facts), 1);
  EXPECT_EQ(LinuxAcceptQueueHolds(5, facts), 6);
  EXPECT_EQ(LinuxAcceptQueueHolds(4096, facts), 4097);
  EXPECT_EQ(LinuxAcceptQueueHolds(5000, facts), 4097);
  EXPECT_THROW(LinuxAcceptQueueHolds(5, Facts()), Skip);
  EXPECT_EQ(LinuxSynQueueHolds(0, facts), 1);
  EXPECT_EQ(LinuxSynQueueHolds(5000, facts), 4097);
}

TEST(RfcValues, AsDocumented) {
  EXPECT_EQ(RfcSynR2Minimum(), 180s);
  EXPECT_EQ(RfcTimeWait(), 240s);
  EXPECT_EQ(RfcR2Minimum(), 100s);
  EXPECT_EQ(RfcAckDelayMaximum(), 500ms);
  EXPECT_EQ(RfcIsnTick(), 4us);
}

TEST(NotesSynSchedule, ThreeSynsIn75Seconds) {
  const SynSchedule schedule = NotesSynSchedule();
  EXPECT_THAT(schedule.retransmissions, ElementsAre(5800ms, 24s));
  EXPECT_EQ(LastRetransmission(schedule.retransmissions), 29800ms);
  EXPECT_EQ(schedule.give_up, 75s);
}

TEST(NotesSynAckRetransmissions, AreThree) {
  EXPECT_THAT(NotesSynAckRetransmissions(), ElementsAre(3s, 6s, 12s));
}

// tcp(7) and ip-sysctl.rst: 2 h, then about 11 min; the notes count one probe more.
TEST(Keepalive, AsDocumented) {
  EXPECT_EQ(LinuxKeepaliveDefaults().give_up(), 2h + 11min + 15s);
  EXPECT_EQ(NotesKeepalive().give_up(), 2h + 12min + 30s);
  EXPECT_EQ(RfcKeepaliveIdleMinimum(), 2h);
  const KeepaliveSchedule schedule =
      LinuxKeepalive(WithSysctls({{"net.ipv4.tcp_keepalive_time", 10},
                                  {"net.ipv4.tcp_keepalive_intvl", 3},
                                  {"net.ipv4.tcp_keepalive_probes", 2}}));
  EXPECT_EQ(schedule.idle, 10s);
  EXPECT_EQ(schedule.interval, 3s);
  EXPECT_EQ(schedule.probes, 2);
  EXPECT_EQ(schedule.give_up(), 16s);
  EXPECT_THROW(LinuxKeepalive(Facts()), Skip);
}

// ip-sysctl.rst: 15 retransmissions are 924.6 s.
TEST(LinuxDataGiveUpMinimum, AsDocumented) {
  EXPECT_EQ(LinuxDataGiveUpMinimum(WithSysctls({{"net.ipv4.tcp_retries2", 15}})), 924600ms);
  EXPECT_EQ(LinuxDataGiveUpMinimum(WithSysctls({{"net.ipv4.tcp_retries2", 3}})), 3s);
  EXPECT_THROW(LinuxDataGiveUpMinimum(Facts()), Skip);
}

}  // namespace
}  // namespace sockproof

// Every segment in every state: SEGMENT ARRIVES, RFC 9293 section 3.10.7. What is allowed says
// harness/oracle/segment_arrives.cc, in the order of the RFC and with each choice that it leaves
// open.
#include "suites/tcp/states/in_each_state.h"

using namespace sockproof;
using namespace sockproof::states;

namespace {

class SegmentArrivesTest : public InEachState {
 protected:
  static void Require(const Judgement& judgement) {
    if (judgement.departure) throw Departure(*judgement.departure);
  }
};

constexpr auto kInClosed = CellsOf({kActive});
constexpr auto kInListen = CellsOf({kPassive});
constexpr auto kInSynSent = CellsOf({kActive});
constexpr auto kInSynReceived = CellsOf({kActive, kPassive});
constexpr auto kInEstablished = CellsOf({kActive, kPassive});
constexpr auto kInFinWait1 = CellsOf({kActive, kPassive, kOrphaned});
constexpr auto kInFinWait2 = CellsOf({kActive, kPassive, kOrphaned});
constexpr auto kInCloseWait = CellsOf({kActive, kPassive});
constexpr auto kInClosing = CellsOf({kActive, kPassive, kOrphaned});
constexpr auto kInLastAck = CellsOf({kActive, kPassive, kOrphaned});
constexpr auto kInTimeWait = CellsOf({kActive, kPassive, kOrphaned});

}  // namespace

TEST_WITH(SegmentArrivesTest, SegmentArrives, InClosed,
          .claims = {"rfc9293:3.10.7.1-rst", "rfc9293:3.10.7.1-reset-with-ack",
                     "rfc9293:3.10.7.1-reset-without-ack", "rfc9293:MUST-3"},
          .rows = kInClosed) {
  const Judgement judgement = Judge(TcpState::kClosed, RowOf(kInClosed));
  if (!judgement.claim.empty()) Deciding(judgement.claim);
  Require(judgement);
}

TEST_WITH(SegmentArrivesTest, SegmentArrives, InListen,
          .claims = {"rfc9293:3.10.7.2-rst", "rfc9293:3.10.7.2-ack", "rfc9293:3.5-second-segment",
                     "rfc9293:3.10.7.2-other", "rfc9293:MUST-3"},
          .rows = kInListen) {
  const Judgement judgement = Judge(TcpState::kListen, RowOf(kInListen));
  if (!judgement.claim.empty()) Deciding(judgement.claim);
  Require(judgement);
}

TEST_WITH(SegmentArrivesTest, SegmentArrives, InSynSent,
          .claims = {"rfc9293:3.10.7.3-unacceptable-ack",
                     "rfc9293:3.10.7.3-reset-with-unacceptable-ack", "rfc9293:3.10.7.3-rst",
                     "rfc9293:3.5-third-segment", "rfc9293:MUST-10", "rfc9293:3.10.7.3-other",
                     "rfc9293:MUST-3"},
          .rows = kInSynSent) {
  const Judgement judgement = Judge(TcpState::kSynSent, RowOf(kInSynSent));
  if (!judgement.claim.empty()) Deciding(judgement.claim);
  Require(judgement);
}

TEST_WITH(SegmentArrivesTest, SegmentArrives, InSynReceived,
          .claims = {"rfc9293:3.10.7.4-unacceptable-segment",
                     "rfc9293:3.10.7.4-reset-outside-window", "rfc9293:3.10.7.4-reset-in-window",
                     "rfc9293:3.10.7.4-challenge-ack", "rfc9293:3.10.7.4-without-ack",
                     "rfc9293:MUST-3", "rfc9293:MAY-12", "rfc9293:3.10.7.4-syn-received-rst",
                     "rfc9293:3.10.7.4-syn-received-syn",
                     "rfc9293:3.10.7.4-syn-received-unacceptable-ack",
                     "rfc9293:3.10.7.4-syn-received-ack", "rfc9293:3.10.7.4-syn-received-fin",
                     "rfc9293:3.10.7.4-segment-text", "rfc9293:SHLD-31"},
          .rows = kInSynReceived) {
  const Judgement judgement = Judge(TcpState::kSynReceived, RowOf(kInSynReceived));
  if (!judgement.claim.empty()) Deciding(judgement.claim);
  Require(judgement);
}

TEST_WITH(SegmentArrivesTest, SegmentArrives, InEstablished,
          .claims = {"rfc9293:3.10.7.4-unacceptable-segment",
                     "rfc9293:3.10.7.4-reset-outside-window", "rfc9293:3.10.7.4-reset-in-window",
                     "rfc9293:3.10.7.4-challenge-ack", "rfc9293:3.10.7.4-without-ack",
                     "rfc9293:MUST-3", "rfc9293:3.10.7.4-future-ack", "rfc9293:MAY-12",
                     "rfc9293:3.10.7.4-reset", "rfc9293:3.10.7.4-duplicate-ack",
                     "rfc9293:3.10.7.4-segment-text", "rfc9293:SHLD-31",
                     "rfc9293:3.6-fin-is-acknowledged"},
          .rows = kInEstablished) {
  const Judgement judgement = Judge(TcpState::kEstablished, RowOf(kInEstablished));
  if (!judgement.claim.empty()) Deciding(judgement.claim);
  Require(judgement);
}

TEST_WITH(SegmentArrivesTest, SegmentArrives, InFinWait1,
          .claims = {"rfc9293:3.10.7.4-unacceptable-segment",
                     "rfc9293:3.10.7.4-reset-outside-window", "rfc9293:3.10.7.4-reset-in-window",
                     "rfc9293:3.10.7.4-challenge-ack", "rfc9293:3.10.7.4-without-ack",
                     "rfc9293:MUST-3", "rfc9293:3.10.7.4-future-ack", "rfc9293:MAY-12",
                     "rfc9293:3.10.7.4-reset-closing", "rfc9293:3.10.7.4-duplicate-ack",
                     "rfc9293:3.10.7.4-fin-wait-1-ack", "rfc9293:3.10.7.4-segment-text",
                     "rfc9293:SHLD-3", "rfc9293:SHLD-31", "rfc9293:3.10.7.4-fin-wait-1-fin"},
          .rows = kInFinWait1) {
  const Judgement judgement = Judge(TcpState::kFinWait1, RowOf(kInFinWait1));
  if (!judgement.claim.empty()) Deciding(judgement.claim);
  Require(judgement);
}

TEST_WITH(SegmentArrivesTest, SegmentArrives, InFinWait2,
          .claims = {"rfc9293:3.10.7.4-unacceptable-segment",
                     "rfc9293:3.10.7.4-reset-outside-window", "rfc9293:3.10.7.4-reset-in-window",
                     "rfc9293:3.10.7.4-challenge-ack", "rfc9293:3.10.7.4-without-ack",
                     "rfc9293:MUST-3", "rfc9293:3.10.7.4-future-ack", "rfc9293:MAY-12",
                     "rfc9293:3.10.7.4-reset-closing", "rfc9293:3.10.7.4-duplicate-ack",
                     "rfc9293:3.10.7.4-segment-text", "rfc9293:SHLD-3", "rfc9293:SHLD-31",
                     "rfc9293:3.10.7.4-fin-wait-2-fin"},
          .rows = kInFinWait2) {
  const Judgement judgement = Judge(TcpState::kFinWait2, RowOf(kInFinWait2));
  if (!judgement.claim.empty()) Deciding(judgement.claim);
  Require(judgement);
}

TEST_WITH(SegmentArrivesTest, SegmentArrives, InCloseWait,
          .claims = {"rfc9293:3.10.7.4-unacceptable-segment",
                     "rfc9293:3.10.7.4-reset-outside-window", "rfc9293:3.10.7.4-reset-in-window",
                     "rfc9293:3.10.7.4-challenge-ack", "rfc9293:3.10.7.4-without-ack",
                     "rfc9293:MUST-3", "rfc9293:3.10.7.4-future-ack", "rfc9293:MAY-12",
                     "rfc9293:3.10.7.4-reset-closing", "rfc9293:3.10.7.4-duplicate-ack",
                     "rfc9293:3.10.7.4-segment-text-after-fin", "rfc9293:3.10.7.4-repeated-fin"},
          .rows = kInCloseWait) {
  const Judgement judgement = Judge(TcpState::kCloseWait, RowOf(kInCloseWait));
  if (!judgement.claim.empty()) Deciding(judgement.claim);
  Require(judgement);
}

TEST_WITH(SegmentArrivesTest, SegmentArrives, InClosing,
          .claims = {"rfc9293:3.10.7.4-unacceptable-segment",
                     "rfc9293:3.10.7.4-reset-outside-window", "rfc9293:3.10.7.4-reset-in-window",
                     "rfc9293:3.10.7.4-challenge-ack", "rfc9293:3.10.7.4-without-ack",
                     "rfc9293:MUST-3", "rfc9293:3.10.7.4-future-ack", "rfc9293:MAY-12",
                     "rfc9293:3.10.7.4-reset-closing", "rfc9293:3.10.7.4-closing-ack",
                     "rfc9293:3.10.7.4-closing-other-ack",
                     "rfc9293:3.10.7.4-segment-text-after-fin", "rfc9293:3.10.7.4-repeated-fin"},
          .rows = kInClosing) {
  const Judgement judgement = Judge(TcpState::kClosing, RowOf(kInClosing));
  if (!judgement.claim.empty()) Deciding(judgement.claim);
  Require(judgement);
}

TEST_WITH(SegmentArrivesTest, SegmentArrives, InLastAck,
          .claims = {"rfc9293:3.10.7.4-unacceptable-segment",
                     "rfc9293:3.10.7.4-reset-outside-window", "rfc9293:3.10.7.4-reset-in-window",
                     "rfc9293:3.10.7.4-challenge-ack", "rfc9293:3.10.7.4-without-ack",
                     "rfc9293:MUST-3", "rfc9293:3.10.7.4-future-ack", "rfc9293:MAY-12",
                     "rfc9293:3.10.7.4-reset-closing", "rfc9293:3.10.7.4-duplicate-ack",
                     "rfc9293:3.10.7.4-last-ack-ack", "rfc9293:3.10.7.4-segment-text-after-fin",
                     "rfc9293:3.10.7.4-repeated-fin"},
          .rows = kInLastAck) {
  const Judgement judgement = Judge(TcpState::kLastAck, RowOf(kInLastAck));
  if (!judgement.claim.empty()) Deciding(judgement.claim);
  Require(judgement);
}

TEST_WITH(SegmentArrivesTest, SegmentArrives, InTimeWait,
          .claims = {"rfc9293:3.10.7.4-unacceptable-segment",
                     "rfc9293:3.10.7.4-reset-outside-window", "rfc9293:3.10.7.4-reset-in-window",
                     "rfc9293:3.10.7.4-challenge-ack", "rfc9293:3.10.7.4-without-ack",
                     "rfc9293:MUST-3", "rfc9293:3.10.7.4-future-ack", "rfc9293:MAY-12",
                     "rfc9293:3.5-second-segment", "rfc9293:3.10.7.4-time-wait-rst",
                     "rfc9293:3.10.7.4-time-wait-fin"},
          .rows = kInTimeWait) {
  // Which SYNs a listener takes for those of a new connection is asked by TimeWaitReopen.
  const Cell& cell = RowOf(kInTimeWait);
  const std::string_view segment = cell.segment->name;
  if (cell.way.is_passive &&
      (segment == "syn-inside-the-window" || segment == "syn-beyond-the-window")) {
    NotReached("a listener may take this SYN for that of a new connection (MAY-2)");
  }
  const Judgement judgement = Judge(TcpState::kTimeWait, RowOf(kInTimeWait));
  if (!judgement.claim.empty()) Deciding(judgement.claim);
  Require(judgement);
}

// Packets of one kind that have come to a host and were not expected yet.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "harness/base/errors.h"
#include "harness/base/event_loop.h"
#include "harness/trace/event_log.h"
#include "harness/wire/partial_packet.h"
#include "harness/wire/within.h"

namespace sockproof {

// Not thread-safe; loop and log must outlive it.
class PacketQueue {
 public:
  // `sut`: from whom they come, in the log.
  PacketQueue(EventLoop& loop, EventLog& log, std::string sut)
      : loop_(loop), log_(log), sut_(std::move(sut)) {}

  void Put(IpPacket packet);

  // The next one must match; see ScriptedUdp::Expect(). Throws Departure.
  IpPacket Expect(const PartialPacket& partial, Within within, SourceLocation where);
  // The next one that matches; those before it are dropped.
  IpPacket ExpectEventually(const PartialPacket& partial, Within within, SourceLocation where);
  // A report of what was reported before. What is no such report is left alone.
  IpPacket ExpectAgain(const PartialPacket& partial, Within within, SourceLocation where);
  // None has come, and none comes for so long. Throws Departure.
  void ExpectSilence(Duration duration, SourceLocation where);

  std::size_t waiting() const { return waiting_.size(); }
  // Takes those that wait.
  std::vector<IpPacket> Take();

 private:
  IpPacket ExpectNext(const PartialPacket& partial, Duration within, bool pass_over_others,
                      SourceLocation where);
  bool IsRepeated(const IpPacket& packet) const;
  void Remember(const IpPacket& report);

  EventLoop& loop_;
  EventLog& log_;
  std::string sut_;
  std::deque<IpPacket> waiting_;
  std::deque<IpPacket> repeated_;          // reports that told the same again
  std::vector<packet::GroupRecord> told_;  // in reports that were expected, the last of each group
};

}  // namespace sockproof

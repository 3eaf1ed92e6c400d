#include "harness/wire/packet_queue.h"

#include <fmt/format.h>

#include <algorithm>

namespace sockproof {

void PacketQueue::Put(IpPacket packet) {
  // Reports of group membership are sent several times, since they may be lost (RFC 3376 section
  // 5.1, RFC 3810 section 6.1).
  (IsRepeated(packet) ? repeated_ : waiting_).push_back(std::move(packet));
}

bool PacketQueue::IsRepeated(const IpPacket& packet) const {
  const auto records = packet::ReadGroupReport(packet.packet);
  if (!records || records->empty()) return false;
  // A report may repeat what several told, and beside them groups of the link, which a node of IPv6
  // joins by itself.
  return std::all_of(records->begin(), records->end(), [&](const packet::GroupRecord& record) {
    const std::uint8_t* octets = record.group.bytes();
    constexpr std::uint8_t kLinkLocal = 2;  // RFC 4291 section 2.7
    const bool is_of_link = octets[0] == 0xff && (octets[1] & 0xf) <= kLinkLocal;
    return (record.group.version() == IpVersion::kIpv6 && is_of_link) ||
           std::find(told_.begin(), told_.end(), record) != told_.end();
  });
}

void PacketQueue::Remember(const IpPacket& report) {
  const auto records = packet::ReadGroupReport(report.packet);
  if (!records) return;
  for (const packet::GroupRecord& record : *records) {
    std::erase_if(told_, [&](const auto& before) { return before.group == record.group; });
    told_.push_back(record);
  }
  std::erase_if(waiting_, [this](const IpPacket& packet) {
    if (!IsRepeated(packet)) return false;
    repeated_.push_back(packet);
    return true;
  });
}

IpPacket PacketQueue::Expect(const PartialPacket& partial, Within within, SourceLocation where) {
  return ExpectNext(partial, within.value, false, where);
}

IpPacket PacketQueue::ExpectEventually(const PartialPacket& partial, Within within,
                                       SourceLocation where) {
  return ExpectNext(partial, within.value, true, where);
}

IpPacket PacketQueue::ExpectNext(const PartialPacket& partial, Duration within,
                                 bool pass_over_others, SourceLocation where) {
  const std::string wanted = partial.Describe();
  const auto report = [&](bool met) { log_.Now(ExpectationEvent{sut_, wanted, met}); };
  std::string passed_over;
  const Time start = Clock::now();
  while (loop_.RunUntil([&] { return !waiting_.empty(); }, start + within)) {
    IpPacket packet = std::move(waiting_.front());
    waiting_.pop_front();
    if (IsRepeated(packet)) continue;
    if (partial.Matches(packet)) {
      Remember(packet);
      report(true);
      return packet;
    }
    passed_over += "\n            " + Describe(packet);
    if (pass_over_others) continue;
    report(false);
    throw Departure(fmt::format("  Expected: {} as the next packet from {}\n  Observed:{}", wanted,
                                sut_, passed_over),
                    where);
  }
  report(false);
  throw Departure(
      fmt::format("  Expected: {} from {} within {}\n  Observed: {}", wanted, sut_,
                  FormatDuration(within), passed_over.empty() ? "nothing" : "only" + passed_over),
      where, ThatExplainsAbsence(within));
}

IpPacket PacketQueue::ExpectAgain(const PartialPacket& partial, Within within,
                                  SourceLocation where) {
  const auto found = [&] {
    return std::find_if(repeated_.begin(), repeated_.end(),
                        [&](const IpPacket& packet) { return partial.Matches(packet); });
  };
  const bool met =
      loop_.RunUntil([&] { return found() != repeated_.end(); }, Clock::now() + within.value);
  log_.Now(ExpectationEvent{sut_, partial.Describe() + " again", met});
  if (met) {
    IpPacket packet = std::move(*found());
    repeated_.clear();
    return packet;
  }
  throw Departure(
      fmt::format("  Expected: {} from {} again within {}\n  Observed: nothing of that kind",
                  partial.Describe(), sut_, FormatDuration(within.value)),
      where, ThatExplainsAbsence(within.value));
}

void PacketQueue::ExpectSilence(Duration duration, SourceLocation where) {
  const Time end = Clock::now() + duration;
  loop_.RunUntil([&] { return !waiting_.empty(); }, end);
  if (waiting_.empty() || waiting_.front().time > end) return;
  throw Departure(fmt::format("  Expected: no packet from {} for {}\n  Observed: {}", sut_,
                              FormatDuration(duration), Describe(waiting_.front())),
                  where);
}

std::vector<IpPacket> PacketQueue::Take() {
  std::vector<IpPacket> taken(waiting_.begin(), waiting_.end());
  waiting_.clear();
  return taken;
}

}  // namespace sockproof

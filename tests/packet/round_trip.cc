#include "tests/packet/round_trip.h"

#include <algorithm>

#include "harness/packet/describe.h"
#include "harness/packet/fragments.h"
#include "harness/packet/groups.h"
#include "harness/packet/header_sizes.h"
#include "harness/packet/neighbour_discovery.h"
#include "harness/packet/packet.h"

namespace sockproof::packet {
namespace {

constexpr std::size_t kLongestText = 2000;

bool IsPrintable(const std::string& text) {
  return std::all_of(text.begin(), text.end(),
                     [](char character) { return character >= ' ' && character <= '~'; });
}

std::string FlawOf(const Packet& packet, View octets) {
  const Bytes written = Write(packet);
  if (!std::equal(written.begin(), written.end(), octets.begin(), octets.end())) {
    return "written otherwise than read";
  }
  const Description description = Describe(packet);
  if (description.text().empty() || description.kind().empty()) return "nothing said";
  if (description.text().size() > kLongestText) return "too much said";
  if (!IsPrintable(description.text())) return "unprintable text";
  for (const std::string& defect : Defects(packet)) {
    if (!IsPrintable(defect)) return "unprintable defect";
  }
  return "";
}

// With all computed, nothing is wrong with what says itself how long it is.
std::string FlawOfComputed(const Packet& packet) {
  const Packet computed = Recomputed(packet);
  const Bytes once = Write(computed);
  const Packet again = ReadFrame(once);
  if (Write(again) != once) return "computed, written otherwise than read";
  // What a length that was wrong has hidden may come to light as another header.
  if (again.layers.size() != packet.layers.size() || IsFragment(packet)) return "";
  const auto* tcp = again.Find<Tcp>();
  const auto* udp = again.Find<Udp>();
  if ((tcp != nullptr || udp != nullptr) && !IsCutShort(again) && once.size() <= 0xffff &&
      !IsChecksumRight(again)) {
    return "computed checksum is not right when read";
  }
  return "";
}

// What was taken apart is the same again when it is put together.
std::string FlawOfFragments(const Packet& packet) {
  std::vector<Packet> fragments =
      Fragments(packet, 1, {{0, 8, {}, {}}, {8, 0xffff, {}, {}}, {0, 16, true, {}}});
  Reassembly reassembly;
  reassembly.Take(packet);
  reassembly.Take(fragments[1]);
  const auto whole = reassembly.Take(fragments[0]);
  if (whole && whole->fragments.size() != 2) return "put together of other fragments";
  if (whole && IsFragment(whole->packet) && !IsFragment(packet)) return "not put together";
  reassembly.Take(fragments[2]);
  return "";
}

}  // namespace

std::string FlawOfRoundTrip(View frame) {
  const Packet packet = ReadFrame(frame);
  std::string flaw = FlawOf(packet, frame);
  if (flaw.empty()) flaw = FlawOf(ReadIp(frame), frame);
  if (flaw.empty()) flaw = FlawOfComputed(packet);
  if (!frame.empty() && flaw.empty()) {
    const View body = frame.subspan(1);
    flaw = FlawOf(ReadTransport(frame[0], body), body);
  }
  ReadGroupReport(packet);
  ReadGroupQuery(packet);
  ReadSingleGroup(packet);
  ReadNeighbourMessage(packet);
  FinalDestination(packet);
  const bool has_ip = packet.Find<Ipv4>() != nullptr || packet.Find<Ipv6>() != nullptr;
  if (has_ip && flaw.empty()) flaw = FlawOfFragments(packet);
  return flaw;
}

}  // namespace sockproof::packet

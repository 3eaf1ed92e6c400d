#include "harness/packet/fragments.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/base/errors.h"
#include "harness/packet/header_sizes.h"

namespace sockproof::packet {
namespace {

constexpr std::size_t kFragmentHeader = 8;

// A packet taken apart: the layers that each fragment repeats and what is cut into pieces.
class Divided {
 public:
  explicit Divided(const Packet& whole) {
    const auto is_ip = [](const Layer& layer) {
      return std::holds_alternative<Ipv4>(layer) || std::holds_alternative<Ipv6>(layer);
    };
    auto end = std::find_if(whole.layers.begin(), whole.layers.end(), is_ip);
    if (end == whole.layers.end()) throw HarnessError("no IP packet to make fragments of");
    is_ipv6 = std::holds_alternative<Ipv6>(*end);
    ++end;
    if (is_ipv6) end = EndOfRepeated(whole, end);
    const Packet without_trailer{
        .layers = whole.layers, .payload = whole.payload, .trailer = Bytes()};
    repeated = Recomputed({.layers = {whole.layers.begin(), end}}).layers;
    const std::size_t head =
        Write({.layers = {whole.layers.begin(), end}, .trailer = Bytes()}).size();
    const Bytes octets = Write(without_trailer);
    body.assign(octets.begin() + static_cast<std::ptrdiff_t>(head), octets.end());
    protocol = end == whole.layers.end() ? std::nullopt : ProtocolOf(*end);
  }

  // The first octet of the IP header, counted from that of the frame.
  std::size_t SizeInFront() const {
    return std::holds_alternative<Ethernet>(repeated.front()) ? kEthernetHeader : 0;
  }
  std::size_t RepeatedSize() const {
    return Write({.layers = repeated, .trailer = Bytes()}).size() - SizeInFront();
  }

  bool is_ipv6 = false;
  std::vector<Layer> repeated;
  Bytes body;
  std::optional<std::uint8_t> protocol;  // of what is cut into pieces

 private:
  using Position = std::vector<Layer>::const_iterator;

  // RFC 8200 section 4.5: up to a routing header, else up to hop-by-hop options.
  static Position EndOfRepeated(const Packet& whole, Position begin) {
    Position end = begin;
    for (Position at = begin; at != whole.layers.end(); ++at) {
      const auto* options = std::get_if<Ipv6Options>(&*at);
      const bool is_repeated = std::holds_alternative<Ipv6Routing>(*at) ||
                               (options != nullptr && options->header == ip_protocol::kHopByHop);
      if (is_repeated) end = at + 1;
      if (!is_repeated && options == nullptr) break;
    }
    return end;
  }
};

Ipv4& Ipv4Of(Packet& packet) { return *packet.Find<Ipv4>(); }

}  // namespace

std::vector<Packet> Fragments(const Packet& whole, std::uint32_t identification,
                              const std::vector<FragmentPiece>& pieces) {
  const Divided divided(whole);
  std::vector<Packet> fragments;
  for (const FragmentPiece& piece : pieces) {
    constexpr std::size_t kOffsets = 1 << 13;
    if (piece.offset % 8 != 0 || piece.offset / 8 >= kOffsets) {
      throw HarnessError(fmt::format("{} is no offset of a fragment", piece.offset));
    }
    const auto offset = static_cast<std::uint16_t>(piece.offset / 8);
    const std::size_t begin = std::min(piece.offset, divided.body.size());
    const std::size_t end = begin + std::min(piece.size, divided.body.size() - begin);
    const bool more = piece.more_fragments.value_or(end < divided.body.size());
    Packet fragment{.layers = divided.repeated};
    const auto at = [&](std::size_t octet) {
      return divided.body.begin() + static_cast<std::ptrdiff_t>(octet);
    };
    fragment.payload = piece.octets.value_or(Bytes(at(begin), at(end)));
    if (divided.is_ipv6) {
      fragment.layers.push_back(Ipv6Fragment{.next_header = divided.protocol,
                                             .offset = offset,
                                             .more_fragments = more,
                                             .identification = identification});
    } else {
      Ipv4& ip = Ipv4Of(fragment);
      ip.protocol = divided.protocol;
      ip.identification = static_cast<std::uint16_t>(identification);
      ip.dont_fragment = false;
      ip.more_fragments = more;
      ip.fragment_offset = offset;
      if (offset != 0) {
        std::erase_if(ip.options, [](const HeaderOption& option) {
          return (option.kind & ipv4_option::kCopiedIntoFragments) == 0;
        });
        ip.option_rest.reset();
      }
    }
    fragments.push_back(std::move(fragment));
  }
  return fragments;
}

std::vector<Packet> FragmentsOfMtu(const Packet& whole, std::uint32_t identification,
                                   std::size_t mtu) {
  const Divided divided(whole);
  const std::size_t header = divided.RepeatedSize() + (divided.is_ipv6 ? kFragmentHeader : 0);
  if (mtu < header + 8) throw HarnessError(fmt::format("no fragment fits an MTU of {}", mtu));
  const std::size_t step = (mtu - header) / 8 * 8;
  std::vector<FragmentPiece> pieces;
  for (std::size_t at = 0; at == 0 || at < divided.body.size(); at += step) {
    pieces.push_back({.offset = at, .size = step});
  }
  return Fragments(whole, identification, pieces);
}

}  // namespace sockproof::packet

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

// --- Reassembly ----------------------------------------------------------------------------------

namespace {

// Where a fragment has its place, whatever the version of IP.
struct Place {
  IpAddress source, destination;
  std::uint32_t identification = 0;
  std::uint8_t protocol = 0;  // of IPv4, where it tells packets apart (RFC 791 section 3.2)
  std::size_t offset = 0;
  bool more_fragments = false;
};

std::optional<Place> PlaceOf(const Packet& packet) {
  if (!IsFragment(packet)) return std::nullopt;
  if (const auto* ip = packet.Find<Ipv4>()) {
    return Place{ip->source,
                 ip->destination,
                 ip->identification,
                 ip->protocol.value_or(ip_protocol::kNone),
                 std::size_t{8} * ip->fragment_offset,
                 ip->more_fragments};
  }
  const auto* ip = packet.Find<Ipv6>();
  const auto* header = packet.Find<Ipv6Fragment>();
  return Place{ip->source,
               ip->destination,
               header->identification,
               0,
               std::size_t{8} * header->offset,
               header->more_fragments};
}

// Every octet once, from the first to the last; nothing while one is missing.
std::optional<Bytes> OctetsOf(const std::vector<Packet>& fragments) {
  std::vector<std::pair<Place, const Bytes*>> sorted;
  for (const Packet& fragment : fragments) {
    sorted.emplace_back(*PlaceOf(fragment), &fragment.payload);
  }
  std::sort(sorted.begin(), sorted.end(), [](const auto& one, const auto& other) {
    return one.first.offset < other.first.offset;
  });
  Bytes octets;
  for (const auto& [place, part] : sorted) {
    if (place.offset != octets.size()) return std::nullopt;
    Append(octets, *part);
  }
  if (sorted.back().first.more_fragments) return std::nullopt;
  return octets;
}

// The packet with the header of its first fragment.
Packet WithHeaderOf(const Packet& first, const Bytes& octets) {
  Packet whole{.layers = Recomputed(first).layers, .payload = octets, .trailer = Bytes()};
  if (auto* ip = whole.Find<Ipv4>()) {
    ip->more_fragments = false;
    ip->protocol = first.Find<Ipv4>()->protocol;
  } else {
    const auto header = std::find_if(
        whole.layers.begin(), whole.layers.end(),
        [](const Layer& layer) { return std::holds_alternative<Ipv6Fragment>(layer); });
    const auto before = whole.layers.erase(header) - 1;
    const auto next = first.Find<Ipv6Fragment>()->next_header;
    if (auto* ipv6 = std::get_if<Ipv6>(&*before)) ipv6->next_header = next;
    if (auto* options = std::get_if<Ipv6Options>(&*before)) options->next_header = next;
    if (auto* routing = std::get_if<Ipv6Routing>(&*before)) routing->next_header = next;
  }
  const bool is_frame = std::holds_alternative<Ethernet>(whole.layers.front());
  return is_frame ? ReadFrame(Write(whole)) : ReadIp(Write(whole));
}

}  // namespace

std::optional<Reassembly::Whole> Reassembly::Take(const Packet& fragment) {
  constexpr std::size_t kMostParts = 16;
  constexpr std::size_t kMostFragments = 1024;
  const std::optional<Place> place = PlaceOf(fragment);
  if (!place) return std::nullopt;
  auto part = std::find_if(parts_.begin(), parts_.end(), [&](const Part& candidate) {
    return candidate.source == place->source && candidate.destination == place->destination &&
           candidate.identification == place->identification &&
           candidate.protocol == place->protocol;
  });
  if (part == parts_.end()) {
    if (parts_.size() == kMostParts) parts_.pop_front();
    part = parts_.insert(
        parts_.end(),
        {place->source, place->destination, place->identification, place->protocol, {}});
  }
  const bool is_repeated =
      std::any_of(part->fragments.begin(), part->fragments.end(), [&](const Packet& before) {
        return PlaceOf(before)->offset == place->offset && before.payload == fragment.payload;
      });
  if (is_repeated || part->fragments.size() == kMostFragments) return std::nullopt;
  part->fragments.push_back(fragment);
  const std::optional<Bytes> octets = OctetsOf(part->fragments);
  if (!octets) return std::nullopt;
  const auto first = std::find_if(part->fragments.begin(), part->fragments.end(),
                                  [](const Packet& one) { return PlaceOf(one)->offset == 0; });
  Whole whole{WithHeaderOf(*first, *octets), std::move(part->fragments)};
  parts_.erase(part);
  return whole;
}

}  // namespace sockproof::packet

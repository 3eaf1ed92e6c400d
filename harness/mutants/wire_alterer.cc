#include "harness/mutants/wire_alterer.h"

#include <algorithm>
#include <sstream>

#include "harness/packet/header_sizes.h"
#include "harness/wire/addresses.h"
#include "harness/wire/digest.h"

namespace sockproof {
namespace {

constexpr std::uint8_t kIcmp = 1;
constexpr std::uint8_t kIcmpV6 = 58;
constexpr std::size_t kIcmpHeader = 8;
constexpr std::size_t kMostOptions = 40;
constexpr std::uint8_t kExperimentalOption = 253;    // RFC 4727 section 2.2
constexpr TcpFlags kMayChange = kPsh | kEce | kCwr;  // when the same octets are sent again

std::int32_t Distance(std::uint32_t from, std::uint32_t to) {
  return static_cast<std::int32_t>(to - from);
}

bool IsBareAck(const Segment& segment) {
  return (segment.flags & (kSyn | kFin | kRst)) == 0 && segment.Has(kAck) &&
         segment.payload.empty();
}

MacAddress MacAt(const Bytes& frame, size_t offset) {
  MacAddress mac{};
  std::copy_n(frame.begin() + static_cast<long>(offset), mac.size(), mac.begin());
  return mac;
}

std::uint32_t Read32(const Bytes& bytes, std::size_t at) {
  return static_cast<std::uint32_t>(bytes[at]) << 24 |
         static_cast<std::uint32_t>(bytes[at + 1]) << 16 |
         static_cast<std::uint32_t>(bytes[at + 2]) << 8 | bytes[at + 3];
}

void Write16(Bytes& bytes, std::size_t at, std::uint16_t value) {
  bytes[at] = static_cast<std::uint8_t>(value >> 8);
  bytes[at + 1] = static_cast<std::uint8_t>(value);
}
void Write32(Bytes& bytes, std::size_t at, std::uint32_t value) {
  Write16(bytes, at, static_cast<std::uint16_t>(value >> 16));
  Write16(bytes, at + 2, static_cast<std::uint16_t>(value));
}

// Replaces 16 bits at an even distance from the beginning of what the checksum covers. RFC 1624.
void Change16(Bytes& bytes, std::size_t at, std::uint16_t value, std::size_t checksum) {
  const auto read = [&](std::size_t place) {
    return static_cast<std::uint16_t>(bytes[place] << 8 | bytes[place + 1]);
  };
  std::uint32_t sum = static_cast<std::uint16_t>(~read(checksum));
  sum += static_cast<std::uint16_t>(~read(at));
  sum += value;
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  Write16(bytes, at, value);
  Write16(bytes, checksum, static_cast<std::uint16_t>(~sum));
}

// Adds to 32 bits anywhere, as above.
void Add32(Bytes& bytes, std::size_t at, std::uint32_t more, std::size_t checksum) {
  Bytes changed = bytes;
  Write32(changed, at, Read32(bytes, at) + more);
  const std::size_t odd = (at - checksum) % 2;
  for (std::size_t word = at - odd; word < at + 4; word += 2) {
    const bool whole = word + 1 < bytes.size();
    if (!whole) return;
    Change16(bytes, word, static_cast<std::uint16_t>(changed[word] << 8 | changed[word + 1]),
             checksum);
  }
}

bool IsIpv4(const Bytes& frame) {
  return frame.size() >= kEthernetHeader + kIpv4Header && frame[12] == 0x08 && frame[13] == 0x00;
}

void SetIpId(Bytes& frame, std::uint16_t id) {
  if (IsIpv4(frame)) Change16(frame, kEthernetHeader + 4, id, kEthernetHeader + 10);
}

// Where a sequence number is that an ICMP error quotes, and the checksum over it.
struct Quoted {
  std::size_t sequence_number;
  std::size_t checksum;
};

std::optional<Quoted> QuotedIn(const Bytes& frame) {
  std::size_t icmp = 0;
  std::size_t quoted_header = kIpv6Header;
  if (IsIpv4(frame) && frame[kEthernetHeader + 9] == kIcmp) {
    icmp = kEthernetHeader + static_cast<std::size_t>(frame[kEthernetHeader] & 0xf) * 4;
    if (frame.size() <= icmp + kIcmpHeader) return std::nullopt;
    quoted_header = static_cast<std::size_t>(frame[icmp + kIcmpHeader] & 0xf) * 4;
  } else if (frame.size() > kEthernetHeader + kIpv6Header && frame[12] == 0x86 &&
             frame[13] == 0xdd && frame[kEthernetHeader + 6] == kIcmpV6) {
    icmp = kEthernetHeader + kIpv6Header;
    if (frame.size() <= icmp || (frame[icmp] & 0x80) != 0) return std::nullopt;  // no error
  } else {
    return std::nullopt;
  }
  const std::size_t sequence_number = icmp + kIcmpHeader + quoted_header + 4;
  if (frame.size() < sequence_number + 4) return std::nullopt;
  return Quoted{sequence_number, icmp + 2};
}

// Type and code of an ICMP error, which QuotedIn() has found.
struct IcmpKind {
  std::uint8_t type, code;
};
std::size_t IcmpAt(const Quoted& quoted) { return quoted.checksum - 2; }
IcmpKind KindOf(const Bytes& frame, const Quoted& quoted) {
  return {frame[IcmpAt(quoted)], frame[IcmpAt(quoted) + 1]};
}

std::uint16_t Read16(const Bytes& bytes, std::size_t at) {
  return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}

// Addresses of many hosts, and of none that can send a segment.
bool IsOfManyHosts(const IpAddress& address) {
  const std::string text = address.ToString();
  if (address.version() == IpVersion::kIpv6) return text.starts_with("ff");
  const int first = std::stoi(text);
  return first >= 224 || text.ends_with(".255");
}
bool IsOfNoHost(const IpAddress& address) {
  const std::string text = address.ToString();
  return IsOfManyHosts(address) || text == "::1" || text.starts_with("127.");
}

std::size_t TcpHeaderAt(const Bytes& frame) {
  return kEthernetHeader +
         (IsIpv4(frame) ? static_cast<std::size_t>(frame[kEthernetHeader] & 0xf) * 4 : kIpv6Header);
}

// Where the sequence numbers of SACK options are. RFC 2018 section 3.
std::vector<std::size_t> SackEdges(const Bytes& options) {
  std::vector<std::size_t> edges;
  for (std::size_t at = 0; at < options.size() && options[at] != tcp_option::kEnd;) {
    if (options[at] == tcp_option::kNop) {
      ++at;
      continue;
    }
    const std::size_t size = at + 1 < options.size() ? options[at + 1] : 0;
    if (size < 2 || at + size > options.size()) break;
    if (options[at] == tcp_option::kSack) {
      for (std::size_t edge = at + 2; edge + 4 <= at + size; edge += 4) edges.push_back(edge);
    }
    at += size;
  }
  return edges;
}

void SetMss(Segment& segment, std::uint16_t mss) {
  std::erase_if(segment.options,
                [](const TcpOption& option) { return option.kind == tcp_option::kMss; });
  segment.options.push_back(tcp_option::Mss(mss));
}

std::size_t SizeOf(const std::vector<TcpOption>& options) {
  std::size_t size = 0;
  for (const TcpOption& option : options) {
    size += option.kind == tcp_option::kNop ? 1 : option.data.size() + 2;
  }
  return size;
}

void ChangeTimestamps(TcpOption& option, std::int64_t add_ts_val, std::int64_t add_ts_ecr) {
  const auto timestamps = tcp_option::TimestampsOf(option);
  if (!timestamps) return;
  option = tcp_option::Timestamps(timestamps->first + static_cast<std::uint32_t>(add_ts_val),
                                  timestamps->second + static_cast<std::uint32_t>(add_ts_ecr));
}

void ChangeSack(TcpOption& option, WireAlteration::Sack sack) {
  using Sack = WireAlteration::Sack;
  std::vector<tcp_option::SackBlock> blocks = tcp_option::SackBlocksOf(option);
  if (blocks.empty() || sack == Sack::kAsItIs) return;
  if (sack == Sack::kReversed) std::reverse(blocks.begin(), blocks.end());
  if (sack == Sack::kFirstOnly) blocks.resize(1);
  if (sack == Sack::kShifted) {
    for (auto& [left, right] : blocks) ++left, ++right;
  }
  option = tcp_option::Sack(blocks);
}

// By octets, so that they may be of any kind.
void AddOptions(Segment& segment, const Bytes& octets) {
  if (octets.empty() || SizeOf(segment.options) + octets.size() > kMostOptions) return;
  const packet::OptionList extra = packet::ReadOptions(octets);
  segment.options.insert(segment.options.end(), extra.options.begin(), extra.options.end());
}

void ChangeOptions(Segment& segment, const WireAlteration& alteration) {
  for (TcpOption& option : segment.options) {
    if (option.kind == tcp_option::kWindowScale && alteration.window_scale) {
      option = tcp_option::WindowScale(*alteration.window_scale);
    }
    if (option.kind == tcp_option::kTimestamps) {
      ChangeTimestamps(option, alteration.add_ts_val, alteration.add_ts_ecr);
    }
    if (option.kind == tcp_option::kSack) ChangeSack(option, alteration.sack);
  }
  if (alteration.remove_option) {
    std::erase_if(segment.options, [&](const TcpOption& option) {
      return option.kind == *alteration.remove_option;
    });
  }
  AddOptions(segment, alteration.extra_options);
  for (TcpOption& option : segment.options) {
    if (!alteration.option_octet || option.kind != alteration.option) continue;
    if (*alteration.option_octet >= option.data.size()) continue;
    std::uint8_t& octet = option.data[*alteration.option_octet];
    octet = alteration.option_value.value_or(static_cast<std::uint8_t>(~octet));
  }
}

bool HasSignature(const Segment& segment) {
  return segment.FindOption(tcp_option::kMd5) != nullptr ||
         segment.FindOption(tcp_option::kAo) != nullptr;
}

void LayOut(Segment& segment, WireAlteration::Layout layout) {
  using Layout = WireAlteration::Layout;
  std::vector<TcpOption>& options = segment.options;
  if (options.empty() && layout != Layout::kExperimental) return;
  const auto is_mss = [](const TcpOption& option) { return option.kind == tcp_option::kMss; };
  std::erase_if(options, [](const TcpOption& option) { return option.kind == tcp_option::kNop; });
  const std::size_t nops = (4 - SizeOf(options) % 4) % 4;
  switch (layout) {
    case Layout::kReversed:
      std::reverse(options.begin(), options.end());
      options.insert(options.begin(), nops, tcp_option::Nop());
      break;
    case Layout::kNopsFirst:
      options.insert(options.begin(), nops, tcp_option::Nop());
      // More where the frame surely has room for it.
      if (segment.payload.empty() && SizeOf(options) + 4 <= kMostOptions) {
        options.insert(options.begin(), 4, tcp_option::Nop());
      }
      break;
    case Layout::kNopsLast:
      options.insert(options.end(), nops, tcp_option::Nop());
      break;
    case Layout::kMssOnly:
      std::erase_if(options, [&](const TcpOption& option) { return !is_mss(option); });
      break;
    case Layout::kWithoutMss:
      std::erase_if(options, is_mss);
      break;
    case Layout::kWindowScaled:
      if (std::none_of(options.begin(), options.end(), [](const TcpOption& option) {
            return option.kind == tcp_option::kWindowScale;
          })) {
        options.push_back(tcp_option::WindowScale(1));
      }
      break;
    case Layout::kExperimental:
      if (SizeOf(options) + 4 <= kMostOptions)
        options.push_back({kExperimentalOption, {0x12, 0x34}});
      break;
    case Layout::kGarbageAfterEnd:
      if (SizeOf(options) + 4 <= kMostOptions) options.push_back({tcp_option::kEnd, {}});
      break;
    case Layout::kWithoutLength:
    case Layout::kEndPadded:
    case Layout::kAsTheyAre:
      break;
  }
  if (layout != Layout::kGarbageAfterEnd && layout != Layout::kWithoutLength) return;
  // What no list of options can say.
  Bytes raw;
  for (const TcpOption& option : options) {
    raw.push_back(option.kind);
    if (option.kind == tcp_option::kEnd) continue;
    raw.push_back(static_cast<std::uint8_t>(option.data.size() + 2));
    raw.insert(raw.end(), option.data.begin(), option.data.end());
  }
  const std::uint8_t filler =
      layout == Layout::kGarbageAfterEnd ? std::uint8_t{0xff} : kExperimentalOption;
  do {
    raw.push_back(filler);
  } while (raw.size() % 4 != 0);
  if (raw.size() <= kMostOptions) segment.raw_options = raw;
}

}  // namespace

bool IsIcmp(const Bytes& frame, WireAlteration::Icmp kind) {
  using Icmp = WireAlteration::Icmp;
  const std::optional<Quoted> quoted = QuotedIn(frame);
  if (!quoted) return false;
  const auto [type, code] = KindOf(frame, *quoted);
  const bool v4 = IsIpv4(frame);
  switch (kind) {
    case Icmp::kNone:
      return false;
    case Icmp::kAny:
      return true;
    case Icmp::kSourceQuench:
      return v4 && type == 4;
    case Icmp::kTooBig:
      return v4 ? type == 3 && code == 4 : type == 2;
    case Icmp::kSoft:  // RFC 9293 section 3.9.2.2
      return v4 ? (type == 3 && (code <= 1 || code == 5)) || type == 11 || type == 12
                : (type == 1 && (code == 0 || code == 3)) || type == 3 || type == 4;
  }
  return false;
}

// --- SegmentPicker -------------------------------------------------------------------------------

bool SegmentPicker::Picks(const Segment& segment, bool by_system) {
  Flow& flow = flows_[by_system ? std::pair(segment.source, segment.destination)
                                : std::pair(segment.destination, segment.source)];
  bool picks = false;
  if (by_system == selection_.sent_by_system) {
    bool repeated = false;
    if (segment.length() > 0) {
      repeated =
          !seen_
               .insert({segment.source, segment.destination, segment.seq,
                        static_cast<TcpFlags>(segment.flags & ~kMayChange), segment.length()})
               .second;
    }
    picks = Fits(segment, flow, repeated);
  }
  Follow(segment, by_system, flow);
  if (!by_system && !segment.Has(kRst)) last_window_ = segment.window;
  if (!picks || matching_++ < selection_.skip) return false;
  return selection_.times < 0 || matching_ <= selection_.skip + selection_.times;
}

bool SegmentPicker::Fits(const Segment& segment, const Flow& flow, bool repeated) const {
  return (segment.flags & selection_.with) == selection_.with &&
         (segment.flags & selection_.without) == 0 &&
         (!selection_.payload || *selection_.payload != segment.payload.empty()) &&
         (!selection_.options || *selection_.options != segment.option_area.empty()) &&
         (!selection_.repeated || *selection_.repeated == repeated) &&
         (!selection_.option || segment.FindOption(*selection_.option) != nullptr) &&
         (!selection_.ip_options || *selection_.ip_options != segment.ip_options.empty()) &&
         Holds(selection_.when, segment, flow);
}

bool SegmentPicker::Holds(SegmentSelection::When when, const Segment& segment,
                          const Flow& flow) const {
  using When = SegmentSelection::When;
  switch (when) {
    case When::kAlways:
      return true;
    case When::kConnected:
      return flow.sent_syn;
    case When::kOwnFinUnconfirmed:
      return flow.fin && segment.seq == *flow.fin + 1;
    case When::kKeepaliveProbe:
      return flow.sent_syn && IsBareAck(segment) && segment.seq == flow.snd_nxt - 1;
    case When::kAnswersOutOfOrder:
      return IsBareAck(segment) && flow.got_ahead && flow.confirmed == segment.ack;
    case When::kAhead:
      return !segment.payload.empty() && flow.confirmed &&
             Distance(*flow.confirmed, segment.seq) > 0;
    case When::kConfirmsData:
      return IsBareAck(segment) && flow.got_data && flow.confirmed &&
             Distance(*flow.confirmed, segment.ack) > 0;
    case When::kWrapped:
      return flow.began && segment.seq < *flow.began;
    case When::kBeyondLastWindow:
      return !segment.payload.empty() && last_window_ &&
             segment.seq + segment.payload.size() - flow.una > *last_window_;
    case When::kConfirmsNothing:
      return IsBareAck(segment) && flow.got_ack && segment.ack == flow.una;
    case When::kOddResetOfSyn:
      return segment.Has(kRst) && flow.sent_syn && !flow.confirmed && segment.seq != 0;
    case When::kWindowShrank:
      return flow.window_shrank;
    case When::kWindowClosed:
      return flow.window_closed;
  }
  return false;
}

void SegmentPicker::Follow(const Segment& segment, bool by_system, Flow& flow) {
  if (!by_system) {
    if (segment.Has(kSyn)) flow.began = segment.seq;
    if (segment.Has(kAck)) {
      // Of windows that are not scaled.
      const std::uint32_t edge = segment.ack + segment.window;
      flow.window_shrank = flow.window_shrank || (flow.got_ack && Distance(flow.edge, edge) < 0);
      flow.edge = edge;
      flow.una = segment.ack;
      flow.got_ack = true;
    }
    if (segment.Has(kAck) && flow.fin && Distance(*flow.fin, segment.ack) > 0) flow.fin.reset();
    flow.got_data = !segment.payload.empty();
    flow.got_ahead = flow.got_data && flow.confirmed && Distance(*flow.confirmed, segment.seq) > 0;
    return;
  }
  if (segment.Has(kRst)) return;
  const std::uint32_t end = segment.seq + segment.length();
  if (segment.Has(kSyn)) {
    const bool again = flow.sent_syn && flow.snd_nxt == end;
    if (!again) {
      const std::optional<std::uint32_t> began = flow.began;
      flow = Flow();
      if (segment.Has(kAck)) flow.began = began;
    }
    flow.sent_syn = true;
    flow.snd_nxt = end;
  }
  if (!flow.sent_syn) return;
  if (Distance(flow.snd_nxt, end) > 0) flow.snd_nxt = end;
  flow.window_closed = segment.window == 0;
  if (segment.Has(kFin)) flow.fin = end - 1;
  if (segment.Has(kAck)) flow.confirmed = segment.ack;
}

// --- WireAlterer ---------------------------------------------------------------------------------

std::vector<WirePort::Tampered> WireAlterer::Alter(Bytes frame, bool by_system) {
  using Action = WireAlteration::Action;
  const std::optional<Segment> segment = ParseSegment(frame, Time());
  if (segment && segment->Has(kSyn)) {
    initial_numbers_[{segment->source, segment->destination}] = segment->seq;
  }
  if (alteration_.spares_signed && segment && HasSignature(*segment)) {
    return {{Duration(0), std::move(frame)}};
  }
  if (alteration_.action == Action::kRenumber || alteration_.action == Action::kRenumberEach) {
    return Renumbered(std::move(frame), by_system);
  }
  if (alteration_.takes != WireAlteration::Takes::kNothingElse) {
    return Translated(std::move(frame), by_system);
  }
  if (alteration_.icmp != WireAlteration::Icmp::kNone) {
    return WithoutIcmp(std::move(frame), by_system);
  }
  if (by_system && segment && segment->Has(kFin)) last_fin_ = frame;
  if (!segment || !picker_.Picks(*segment, by_system)) return {{Duration(0), std::move(frame)}};
  if (alteration_.action == Action::kRecallFin) {
    if (last_fin_.empty()) return {{Duration(0), std::move(frame)}};
    applied_();
    const Segment fin = ParseSegment(last_fin_, Time()).value();
    return {{Duration(0), std::move(frame)}, {Duration(0), Rebuilt(Edit(fin), last_fin_)}};
  }
  const auto edited = [&] { return Rebuilt(Edit(*segment), frame); };
  if (alteration_.action != Action::kSplit && alteration_.action != Action::kFinApart) applied_();
  switch (alteration_.action) {
    case Action::kDrop:
      return {};
    case Action::kDuplicate:
      return {{Duration(0), frame}, {Duration(0), frame}};
    case Action::kDelay:
      return {{alteration_.delay, std::move(frame)}};
    case Action::kEdit:
      return {{Duration(0), edited()}};
    case Action::kEditedCopy:
      return {{Duration(0), frame}, {Duration(0), edited()}};
    case Action::kEditedBefore:
      return {{Duration(0), edited()}, {Duration(0), frame}};
    case Action::kSplit:
    case Action::kFinApart:
      return Parts(*segment, frame);
    case Action::kRecallFin:
    case Action::kRenumber:
    case Action::kRenumberEach:
      break;
  }
  return {};
}

Bytes WireAlterer::Rebuilt(const Segment& segment, const Bytes& frame) const {
  Bytes rebuilt = BuildFrame(segment, MacAt(frame, 6), MacAt(frame, 0));
  if (alteration_.ip_id) SetIpId(rebuilt, *alteration_.ip_id);
  return rebuilt;
}

Segment WireAlterer::Edit(Segment segment) const {
  segment.seq += static_cast<std::uint32_t>(alteration_.add_seq);
  segment.ack += static_cast<std::uint32_t>(alteration_.add_ack);
  segment.flags =
      static_cast<TcpFlags>((segment.flags | alteration_.set_flags) & ~alteration_.clear_flags);
  segment.window = alteration_.window.value_or(segment.window);
  segment.window = std::min(segment.window, alteration_.window_at_most.value_or(65535));
  segment.window = std::max(segment.window, alteration_.window_at_least.value_or(0));
  if (alteration_.window_shift > 0) {
    const std::uint32_t window = std::uint32_t{segment.window} << alteration_.window_shift;
    segment.window = static_cast<std::uint16_t>(std::min<std::uint32_t>(window, 65535));
  } else {
    segment.window = static_cast<std::uint16_t>(segment.window >> -alteration_.window_shift);
  }
  if (alteration_.window_is_signed && segment.window > 0x7fff) segment.window = 0;
  segment.hop_limit = alteration_.hop_limit.value_or(segment.hop_limit);
  segment.traffic_class = alteration_.traffic_class.value_or(segment.traffic_class);
  segment.reserved = alteration_.reserved.value_or(segment.reserved);
  segment.urgent_pointer =
      static_cast<std::uint16_t>(segment.urgent_pointer + alteration_.add_urgent);
  if (alteration_.mss) SetMss(segment, *alteration_.mss);
  if (alteration_.flip_payload && !segment.payload.empty()) segment.payload[0] ^= 0xff;
  if (alteration_.cut_payload && !segment.payload.empty()) segment.payload.pop_back();
  if (alteration_.no_payload) segment.payload.clear();
  if (alteration_.garbage_octet && segment.payload.empty()) segment.payload.push_back('?');
  if (!segment.payload.empty()) {
    segment.payload.insert(segment.payload.end(),
                           static_cast<std::size_t>(alteration_.more_payload), std::uint8_t{'+'});
  }
  const IpVersion version = segment.source.address.version();
  if (alteration_.source == WireAlteration::Source::kAnother) {
    constexpr int kNobody = 77;
    segment.source.address = WireAddress(version, kNobody);
  } else if (alteration_.source == WireAlteration::Source::kUnspecified) {
    segment.source.address = IpAddress(version == IpVersion::kIpv4 ? "0.0.0.0" : "::");
  }
  ChangeOptions(segment, alteration_);
  if (alteration_.remove_options) segment.options.clear();
  if (alteration_.signed_by) Sign(segment, *alteration_.signed_by);
  if (alteration_.authenticated_by) AuthenticateAnew(segment);
  if (alteration_.layout != WireAlteration::Layout::kAsTheyAre) LayOut(segment, alteration_.layout);
  if (alteration_.remove_ip_options) segment.ip_options.clear();
  if (version == IpVersion::kIpv4 && !alteration_.new_ip_options.empty()) {
    segment.ip_options = alteration_.new_ip_options;
  }
  if (alteration_.good_checksum) segment.checksum_valid = true;
  if (alteration_.bad_checksum) segment.checksum_valid = false;
  return segment;
}

void WireAlterer::AuthenticateAnew(Segment& segment) const {
  std::istringstream words(*alteration_.authenticated_by);
  int key_id = 0, rnext_key_id = 0;
  words >> key_id >> rnext_key_id >> std::ws;
  MasterKey key{static_cast<std::uint8_t>(key_id), static_cast<std::uint8_t>(rnext_key_id), "", {}};
  std::getline(words, key.key);
  const auto initial = [&](const Endpoint& from, const Endpoint& to) {
    const auto found = initial_numbers_.find({from, to});
    return found == initial_numbers_.end() ? 0 : found->second;
  };
  std::erase_if(segment.options, [](const TcpOption& one) { return one.kind == tcp_option::kAo; });
  Authenticate(segment, key, initial(segment.source, segment.destination),
               initial(segment.destination, segment.source));
}

// The segment in two, where there is something to part.
std::vector<WirePort::Tampered> WireAlterer::Parts(const Segment& segment, const Bytes& frame) {
  const bool split = alteration_.action == WireAlteration::Action::kSplit;
  const std::size_t first_size = split ? segment.payload.size() / 2 : segment.payload.size();
  if (first_size == 0 || segment.Has(kUrg) || segment.Has(kSyn) || (!split && !segment.Has(kFin))) {
    return {{Duration(0), frame}};
  }
  applied_();
  Segment first = segment;
  Segment second = segment;
  const auto middle = segment.payload.begin() + static_cast<long>(first_size);
  first.payload.assign(segment.payload.begin(), middle);
  second.payload.assign(middle, segment.payload.end());
  first.flags = static_cast<TcpFlags>(first.flags & ~(split ? kPsh | kFin : kFin));
  second.seq += static_cast<std::uint32_t>(first_size);
  return {{Duration(0), Rebuilt(first, frame)}, {Duration(0), Rebuilt(second, frame)}};
}

// Packets to many hosts, or from none, as if the system took them for proper ones; its answers go
// where they would go then.
std::vector<WirePort::Tampered> WireAlterer::Translated(Bytes frame, bool by_system) {
  constexpr int kAnyHost = 2;
  const std::optional<Segment> segment = ParseSegment(frame, Time());
  if (!segment) return {{Duration(0), std::move(frame)}};
  const bool to_many = alteration_.takes == WireAlteration::Takes::kToManyHosts;
  Segment changed = *segment;
  if (by_system) {
    const auto known = translated_.find({segment->destination.port, segment->source.port});
    if (known == translated_.end()) return {{Duration(0), std::move(frame)}};
    (to_many ? changed.source : changed.destination).address = known->second;
    return {{Duration(0), BuildFrame(changed, MacAt(frame, 6), MacAt(frame, 0))}};
  }
  IpAddress& address = (to_many ? changed.destination : changed.source).address;
  if (to_many ? !IsOfManyHosts(address) : !IsOfNoHost(address)) {
    return {{Duration(0), std::move(frame)}};
  }
  translated_.insert_or_assign({segment->source.port, segment->destination.port}, address);
  address = WireAddress(address.version(), to_many ? host_ : kAnyHost);
  applied_();
  return {{Duration(0), BuildFrame(changed, MacAt(frame, 6), mac_)}};
}

// What becomes of ICMP errors; segments pass.
std::vector<WirePort::Tampered> WireAlterer::WithoutIcmp(Bytes frame, bool by_system) {
  if (const std::optional<Segment> segment = ParseSegment(frame, Time())) {
    if (by_system && segment->length() > 0) {
      sent_[{segment->source.port, segment->destination.port}] = segment->seq;
    }
    return {{Duration(0), std::move(frame)}};
  }
  if (by_system || !IsIcmp(frame, alteration_.icmp)) return {{Duration(0), std::move(frame)}};
  applied_();
  if (alteration_.action == WireAlteration::Action::kDrop) return {};
  const Quoted quoted = *QuotedIn(frame);
  if (alteration_.icmp_as_port_unreachable) {
    const std::uint16_t kind = IsIpv4(frame) ? 0x0303 : 0x0104;
    Change16(frame, IcmpAt(quoted), kind, quoted.checksum);
  }
  if (alteration_.icmp_in_flight) {
    const std::size_t ports = quoted.sequence_number - 4;
    const auto sent = sent_.find({Read16(frame, ports), Read16(frame, ports + 2)});
    if (sent != sent_.end()) {
      Add32(frame, quoted.sequence_number, sent->second - Read32(frame, quoted.sequence_number),
            quoted.checksum);
    }
  }
  return {{Duration(0), std::move(frame)}};
}

std::uint32_t WireAlterer::InitialNumber() {
  constexpr Duration kTick = std::chrono::microseconds(4);
  std::uint32_t number = alteration_.isn + alteration_.isn_step * connections_++;
  if (alteration_.isn_clock) {
    number += static_cast<std::uint32_t>(Clock::now().time_since_epoch() / kTick);
  }
  return number;
}

// In place, so that a malformed segment stays as malformed as it is.
std::vector<WirePort::Tampered> WireAlterer::Renumbered(Bytes frame, bool by_system) {
  const std::optional<Segment> segment = ParseSegment(frame, Time());
  const bool each = alteration_.action == WireAlteration::Action::kRenumberEach;
  std::pair<Endpoint, Endpoint> connection;  // the same for all, unless each has its own
  if (segment && each) {
    connection = by_system ? std::pair(segment->source, segment->destination)
                           : std::pair(segment->destination, segment->source);
  }
  if (segment && by_system && segment->Has(kSyn)) {
    const auto known = shifts_.find(connection);
    // Another SYN with the same number is a repetition, with another one an incarnation.
    if (known == shifts_.end() || (each && known->second.from != segment->seq)) {
      shifts_[connection] = {segment->seq, InitialNumber() - segment->seq};
      applied_();
    }
  }
  const auto known = shifts_.find(connection);
  if (known == shifts_.end()) return {{Duration(0), std::move(frame)}};
  const std::uint32_t shift = known->second.by;
  if (!segment) {
    const std::optional<Quoted> quoted = by_system ? std::nullopt : QuotedIn(frame);
    if (quoted) Add32(frame, quoted->sequence_number, 0 - shift, quoted->checksum);
    return {{Duration(0), std::move(frame)}};
  }
  const std::size_t tcp = TcpHeaderAt(frame);
  const std::size_t checksum = tcp + 16;
  if (by_system) {
    // A reset of what belongs to no connection has a number of its own: 0.
    const bool of_no_connection = segment->Has(kRst) && segment->Has(kAck) && segment->seq == 0;
    if (!of_no_connection) Add32(frame, tcp + 4, shift, checksum);
    return {{Duration(0), std::move(frame)}};
  }
  if (segment->Has(kAck)) Add32(frame, tcp + 8, 0 - shift, checksum);
  for (const std::size_t at : SackEdges(segment->option_area)) {
    Add32(frame, tcp + kTcpHeader + at, 0 - shift, checksum);
  }
  return {{Duration(0), std::move(frame)}};
}

}  // namespace sockproof

#include "harness/wire/partial_segment.h"

#include <fmt/format.h>

#include <algorithm>

namespace sockproof {
namespace {
constexpr TcpFlags kUsuallyOpen = kPsh | kEce | kCwr;
constexpr TcpFlags kEveryFlag = 0xff;

// RFC 3168 section 5.
constexpr std::uint8_t kEcnField = 3;
constexpr std::uint8_t kNotEct = 0, kEct1 = 1, kEct0 = 2, kCe = 3;
constexpr const char* kEcnNames[] = {"not-ECT", "ECT(1)", "ECT(0)", "CE"};

// Every block of every SACK option, in their order.
std::vector<tcp_option::SackBlock> SackBlocksIn(const Segment& segment) {
  std::vector<tcp_option::SackBlock> blocks;
  for (const TcpOption& option : segment.options) {
    const std::vector<tcp_option::SackBlock> of_one = tcp_option::SackBlocksOf(option);
    blocks.insert(blocks.end(), of_one.begin(), of_one.end());
  }
  return blocks;
}
}  // namespace

PartialSegment::PartialSegment(std::string name, TcpFlags flags, TcpFlags open)
    : name_(std::move(name)), flags_(flags), open_(open) {}

PartialSegment& PartialSegment::Seq(std::uint32_t seq) { return seq_ = seq, *this; }
PartialSegment& PartialSegment::Ack(std::uint32_t ack) { return ack_ = ack, *this; }
PartialSegment& PartialSegment::Window(std::uint16_t window) { return window_ = window, *this; }
PartialSegment& PartialSegment::Payload(const std::string& text) {
  return Payload(Bytes(text.begin(), text.end()));
}
PartialSegment& PartialSegment::Payload(Bytes payload) {
  return payload_ = std::move(payload), *this;
}
PartialSegment& PartialSegment::With(TcpFlags flags) {
  flags_ |= flags;
  open_ = static_cast<TcpFlags>(open_ & ~flags);
  return *this;
}
PartialSegment& PartialSegment::Without(TcpFlags flags) {
  flags_ = static_cast<TcpFlags>(flags_ & ~flags);
  open_ = static_cast<TcpFlags>(open_ & ~flags);
  return *this;
}
PartialSegment& PartialSegment::UrgentPointer(std::uint16_t pointer) {
  return urgent_pointer_ = pointer, *this;
}
PartialSegment& PartialSegment::Option(TcpOption option) {
  return options_.push_back(std::move(option)), *this;
}
PartialSegment& PartialSegment::OnlyOptions(std::vector<TcpOption> options) {
  return only_options_ = std::move(options), *this;
}
PartialSegment& PartialSegment::TsVal(std::uint32_t ts_val) { return ts_val_ = ts_val, *this; }
PartialSegment& PartialSegment::TsEcr(std::uint32_t ts_ecr) { return ts_ecr_ = ts_ecr, *this; }
PartialSegment& PartialSegment::NoTimestamps() { return no_timestamps_ = true, *this; }
PartialSegment& PartialSegment::Sack(std::vector<tcp_option::SackBlock> blocks) {
  return sack_ = std::move(blocks), *this;
}
PartialSegment& PartialSegment::NotEct() { return ecn_ = kNotEct, *this; }
PartialSegment& PartialSegment::Ect0() { return ecn_ = kEct0, *this; }
PartialSegment& PartialSegment::Ect1() { return ecn_ = kEct1, *this; }
PartialSegment& PartialSegment::Ce() { return ecn_ = kCe, *this; }
PartialSegment& PartialSegment::Source(Endpoint source) { return source_ = source, *this; }
PartialSegment& PartialSegment::HopLimit(std::uint8_t hops) { return hop_limit_ = hops, *this; }
PartialSegment& PartialSegment::TrafficClass(std::uint8_t traffic_class) {
  return traffic_class_ = traffic_class, *this;
}
PartialSegment& PartialSegment::BadChecksum() { return bad_checksum_ = true, *this; }
PartialSegment& PartialSegment::DataOffset(std::uint8_t words) {
  return data_offset_ = words, *this;
}
PartialSegment& PartialSegment::ReservedBits(std::uint8_t bits) { return reserved_ = bits, *this; }
PartialSegment& PartialSegment::RawOptions(Bytes options) {
  return raw_options_ = std::move(options), *this;
}
PartialSegment& PartialSegment::IpOptions(Bytes options) {
  return ip_options_ = std::move(options), *this;
}
PartialSegment& PartialSegment::From(const std::string& actor) { return from_ = actor, *this; }

bool PartialSegment::Matches(const Segment& segment) const {
  const auto agrees = [](const auto& wanted, const auto& seen) {
    return !wanted || *wanted == seen;
  };
  const auto compared = static_cast<TcpFlags>(~open_);
  const auto timestamps = segment.timestamps();
  if (no_timestamps_ && timestamps) return false;
  if (ts_val_ && (!timestamps || timestamps->first != *ts_val_)) return false;
  if (ts_ecr_ && (!timestamps || timestamps->second != *ts_ecr_)) return false;
  if (sack_ && SackBlocksIn(segment) != *sack_) return false;
  if (ecn_ && (segment.traffic_class & kEcnField) != *ecn_) return false;
  return (segment.flags & compared) == (flags_ & compared) && agrees(seq_, segment.seq) &&
         agrees(ack_, segment.ack) && agrees(window_, segment.window) &&
         agrees(urgent_pointer_, segment.urgent_pointer) && agrees(payload_, segment.payload) &&
         (name_ != "data" || !segment.payload.empty()) && agrees(source_, segment.source) &&
         agrees(hop_limit_, segment.hop_limit) && agrees(traffic_class_, segment.traffic_class) &&
         std::all_of(options_.begin(), options_.end(), [&](const TcpOption& option) {
           return std::find(segment.options.begin(), segment.options.end(), option) !=
                  segment.options.end();
         });
}

bool PartialSegment::PayloadBeginsWith(const Bytes& payload) const {
  if (!payload_) return false;
  // All of it is a part only of what goes on with a FIN.
  const bool ends_with_fin = (flags_ & ~open_ & kFin) != 0;
  return payload.size() + (ends_with_fin ? 0 : 1) <= payload_->size() &&
         std::equal(payload.begin(), payload.end(), payload_->begin());
}

std::optional<TcpOption> PartialSegment::TimestampsOver(std::optional<TcpOption> natural) const {
  if (no_timestamps_) return std::nullopt;
  if (!ts_val_ && !ts_ecr_) return natural;
  const auto [ts_val, ts_ecr] =
      natural ? tcp_option::TimestampsOf(*natural).value() : std::pair(0U, 0U);
  return tcp_option::Timestamps(ts_val_.value_or(ts_val), ts_ecr_.value_or(ts_ecr));
}

Segment PartialSegment::Over(Segment natural) const {
  natural.flags = flags_;
  natural.seq = seq_.value_or(natural.seq);
  natural.ack = (flags_ & kAck) != 0 || ack_ ? ack_.value_or(natural.ack) : 0;
  natural.window = window_.value_or(natural.window);
  natural.urgent_pointer = urgent_pointer_.value_or(natural.urgent_pointer);
  natural.payload = payload_.value_or(natural.payload);
  natural.source = source_.value_or(natural.source);
  natural.hop_limit = hop_limit_.value_or(natural.hop_limit);
  natural.traffic_class = traffic_class_.value_or(natural.traffic_class);
  if (ecn_) {
    natural.traffic_class =
        static_cast<std::uint8_t>((natural.traffic_class & ~kEcnField) | *ecn_);
  }
  natural.ip_options = ip_options_.value_or(natural.ip_options);
  if (only_options_) natural.options = *only_options_;
  natural.options.insert(natural.options.end(), options_.begin(), options_.end());
  if (sack_ && !sack_->empty()) {
    natural.options.insert(natural.options.end(), 2, tcp_option::Nop());
    natural.options.push_back(tcp_option::Sack(*sack_));
  }
  natural.raw_options = raw_options_;
  natural.data_offset = data_offset_;
  natural.reserved = reserved_.value_or(natural.reserved);
  natural.checksum_valid = !bad_checksum_;
  return natural;
}

std::string PartialSegment::Describe(std::uint32_t initial_seq, std::uint32_t initial_ack) const {
  std::string text = Describe();
  if (seq_) text += fmt::format(" seq={}", *seq_ - initial_seq);
  if (ack_) text += fmt::format(" ack={}", *ack_ - initial_ack);
  if (!sack_) return text;
  text += sack_->empty() ? " without SACK" : " sack";
  for (const auto& [left, right] : *sack_) {
    text += fmt::format(" {}-{}", left - initial_ack, right - initial_ack);
  }
  return text;
}

std::string PartialSegment::Describe() const {
  std::string text = name_;
  if (payload_ && !payload_->empty()) {
    constexpr size_t kShown = 32;
    const std::string shown(payload_->begin(), payload_->begin() + static_cast<long>(std::min(
                                                                       payload_->size(), kShown)));
    text += fmt::format(" \"{}\"{}", shown, payload_->size() > kShown ? "..." : "");
  }
  if (window_) text += fmt::format(" win={}", *window_);
  if (urgent_pointer_) text += fmt::format(" urg={}", *urgent_pointer_);
  if (hop_limit_) text += fmt::format(" hops={}", *hop_limit_);
  if (traffic_class_) text += fmt::format(" class={:#04x}", *traffic_class_);
  if (ecn_) text += fmt::format(" {}", kEcnNames[*ecn_]);
  if (no_timestamps_) text += " without timestamps";
  if (ts_val_) text += fmt::format(" TSval={}", *ts_val_);
  if (ts_ecr_) text += fmt::format(" TSecr={}", *ts_ecr_);
  for (const TcpOption& option : options_) text += fmt::format(" option {}", option.kind);
  if (!from_.empty()) text += " from " + from_;
  return text;
}

PartialSegment Syn() { return {"SYN", kSyn, kUsuallyOpen}; }
PartialSegment SynAck() { return {"SYN,ACK", kSyn | kAck, kUsuallyOpen}; }
PartialSegment Ack() { return PartialSegment("ACK", kAck, kUsuallyOpen).Payload(Bytes()); }
PartialSegment Data(const std::string& text) { return Data(Bytes(text.begin(), text.end())); }
PartialSegment Data(Bytes payload) {
  return PartialSegment("data", kAck | kPsh, kUsuallyOpen).Payload(std::move(payload));
}
PartialSegment AnyData() { return {"data", kAck, kUsuallyOpen}; }
PartialSegment Fin() { return {"FIN", kFin | kAck, kUsuallyOpen}; }
PartialSegment Rst() { return {"RST", kRst, kUsuallyOpen | kAck}; }
PartialSegment AnySegment() { return {"any segment", kAck, kEveryFlag}; }
PartialSegment Flags(TcpFlags flags) {
  return {"flags " + TcpFlagsName(flags), flags, static_cast<TcpFlags>(kUsuallyOpen & ~flags)};
}

}  // namespace sockproof

#include "src/packetdrill/export.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "harness/base/text.h"
#include "harness/packet/packet.h"
#include "harness/trace/call_text.h"
#include "harness/trace/frame_view.h"
#include "harness/trace/relative_numbers.h"
#include "harness/trace/timeline.h"
#include "src/packetdrill/call_writer.h"
#include "src/packetdrill/flow.h"
#include "src/packetdrill/script.h"

namespace sockproof::packetdrill {
namespace {

// What comes so soon comes at once; what comes so late may be that of a machine that is busy.
constexpr Duration kAtOnce = 2ms, kSoon = 20ms;
// A call that takes longer waits for something.
constexpr Duration kWaits = 10ms;
constexpr std::uint8_t kHopLimitOfTests = 64;
constexpr std::uint8_t kEcnOfTrafficClass = 3;
constexpr std::uint16_t kReservedFlags = 0xe00;  // those that have no letter
constexpr std::uint32_t kFirstTimestamp = 100;

// A packet of the test that scripts have words for, or may have.
struct Segment {
  Time time;
  bool inbound = false;
  packet::Packet packet;  // from IP on
  Endpoint local, remote;
  Time last = time;  // when the last of those came that are joined in it

  const packet::Tcp* tcp() const { return packet.Find<packet::Tcp>(); }
};

std::pair<IpAddress, IpAddress> AddressesOf(const packet::Packet& packet) {
  if (const auto* ip = packet.Find<packet::Ipv4>()) return {ip->source, ip->destination};
  const auto& ipv6 = *packet.Find<packet::Ipv6>();
  return {ipv6.source, ipv6.destination};
}

std::pair<std::uint8_t, std::uint8_t> TrafficClassAndHopLimit(const packet::Packet& packet) {
  if (const auto* ip = packet.Find<packet::Ipv4>()) return {ip->traffic_class, ip->hop_limit};
  const auto& ipv6 = *packet.Find<packet::Ipv6>();
  return {ipv6.traffic_class, ipv6.hop_limit};
}

// "0.204", "2".
std::string SecondsText(Duration time) {
  std::string text = fmt::format("{:.3f}", ToSeconds(time));
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

std::string HeadOf(IpVersion version, bool is_mapped) {
  if (version == IpVersion::kIpv6) return "--ip_version=ipv6\n--mtu=1500\n";
  return is_mapped ? "--ip_version=\"ipv4-mapped-ipv6\"\n" : "--ip_version=ipv4\n";
}

// --- The script ----------------------------------------------------------------------------------

class Exporter {
 public:
  explicit Exporter(const std::vector<sockproof::Event>& events)
      : events_(events), spans_(CallSpans(events)) {
    for (const sockproof::Event& event : events_) {
      if (const auto* frame = std::get_if<FrameEvent>(&event.what)) Take(event.time, *frame);
    }
    FindConnection();
    FindNumbers();
  }

  std::string Script(const std::vector<std::string>& remarks) {
    Collect();
    CallWriter calls(version_ == IpVersion::kIpv6 || is_mapped_);
    for (const Item& item : items_) Write(item, calls);
    FinishWaiting();
    std::string head;
    for (const std::string& remark : remarks) head += fmt::format("// {}\n", CleanLine(remark));
    head += HeadOf(version_, is_mapped_);
    if (has_scaled_echo_) head += "--tcp_ts_ecr_scaled\n";
    if (is_bound_) head += fmt::format("--bind_port={}\n", local_.port);
    if (has_connected_) head += fmt::format("--connect_port={}\n", remote_.port);
    head += fmt::format("`{}`\n\n", init_);
    std::string script = head;
    for (const ScriptLine& line : lines_) script += line.ToText();
    CheckThatItSaysThis(script);
    return script;
  }

 private:
  [[noreturn]] void Refuse(Time time, const std::string& why) const {
    throw NotExpressible(fmt::format("at {:.6f} s: {}", ToSeconds(time - ZeroOf(events_)), why));
  }

  void Take(Time time, const FrameEvent& frame) {
    const FrameView view = DecodeFrame(frame.bytes);
    if (view.is_resolution && frame.fate == Fate::kReceived && !asked_.insert(view.kind).second) {
      Refuse(time, "the system asks for the address of its neighbour again, and scripts have no neighbour");
    }
    if (view.is_noise || view.is_resolution) return;
    if (frame.fate != Fate::kSent && frame.fate != Fate::kReceived) {
      throw NotExpressible("two systems talk with each other; a script plays one end itself");
    }
    Segment segment{time, frame.fate == Fate::kSent, packet::ReadFrame(frame.bytes), {}, {}, time};
    const auto describe = [&] {
      return view.tcp ? std::string("a segment") : Shortened(CleanLine(view.other), 80);
    };
    if (segment.packet.layers.empty() ||
        !std::holds_alternative<packet::Ethernet>(segment.packet.layers[0])) {
      Refuse(time, describe() + " has no place in a script");
    }
    segment.packet.layers.erase(segment.packet.layers.begin());
    CheckLayers(segment, describe());
    const auto [source, destination] = AddressesOf(segment.packet);
    Endpoint from{source, 0}, to{destination, 0};
    if (const packet::Tcp* tcp = segment.tcp()) {
      from.port = tcp->source_port;
      to.port = tcp->destination_port;
    }
    segment.local = segment.inbound ? to : from;
    segment.remote = segment.inbound ? from : to;
    segments_.push_back(std::move(segment));
  }

  // Scripts have no words for what is wrong with a packet, nor for most of what IP can say.
  void CheckLayers(const Segment& segment, const std::string& name) const {
    const packet::Packet& packet = segment.packet;
    const bool has_two = packet.layers.size() == 2;
    const auto* ip = packet.Find<packet::Ipv4>();
    const bool is_ip = ip != nullptr || packet.Find<packet::Ipv6>() != nullptr;
    if (!has_two || !is_ip || packet::IsFragment(packet) || (ip != nullptr && !ip->options.empty())) {
      Refuse(segment.time, name + " has headers of IP that scripts cannot write");
    }
    if (const std::vector<std::string> defects = packet::Defects(packet); !defects.empty()) {
      Refuse(segment.time, fmt::format("{} is malformed ({}), which scripts cannot write", name, defects[0]));
    }
    if (packet.Find<packet::Icmp>() != nullptr && segment.inbound) return;
    const packet::Tcp* tcp = segment.tcp();
    if (tcp == nullptr) Refuse(segment.time, name + ": only TCP is written, and ICMP that the peer sends");
    if ((tcp->all_flags() & kReservedFlags) != 0) {
      Refuse(segment.time, "a segment has reserved bits, which scripts cannot write");
    }
    const bool is_padded = std::all_of(tcp->option_rest->begin(), tcp->option_rest->end(),
                                       [](std::uint8_t octet) { return octet == 0; });
    if (!is_padded) Refuse(segment.time, "a segment has malformed options, which scripts cannot write");
  }

  // --- The connection ------------------------------------------------------------------------

  // Whether the peer asks a port that nobody listens on: so tests learn that all before it was handled.
  static bool IsQuestion(const std::vector<const Segment*>& segments) {
    return std::all_of(segments.begin(), segments.end(), [](const Segment* segment) {
      const TcpFlags flags = segment->tcp()->flags;
      return segment->inbound ? flags == kSyn : (flags & kRst) != 0;
    });
  }

  void FindConnection() {
    std::map<std::pair<Endpoint, Endpoint>, std::vector<const Segment*>> connections;
    for (const Segment& segment : segments_) {
      if (segment.tcp() != nullptr) connections[{segment.local, segment.remote}].push_back(&segment);
    }
    if (connections.empty()) throw NotExpressible("no segment of TCP is sent in it");
    if (connections.size() > 1) {
      std::erase_if(connections, [](const auto& entry) { return IsQuestion(entry.second); });
    }
    if (connections.size() > 1) {
      throw NotExpressible(fmt::format("it has {} connections, a script one", connections.size()));
    }
    if (connections.empty()) throw NotExpressible("nobody listens in it, and no script is without a socket");
    std::tie(local_, remote_) = connections.begin()->first;
    version_ = local_.address.version();
    std::erase_if(segments_, [this](const Segment& segment) {
      return segment.tcp() != nullptr && (segment.local != local_ || segment.remote != remote_);
    });
    is_mapped_ = version_ == IpVersion::kIpv4 &&
                 std::any_of(spans_.begin(), spans_.end(), [](const CallSpan& span) {
                   return span.call().text.starts_with("socket(AF_INET6, SOCK_STREAM");
                 });
  }

  void FindNumbers() {
    std::optional<std::uint32_t> local, remote, stamp;
    for (const Segment& segment : segments_) {
      const packet::Tcp* tcp = segment.tcp();
      if (tcp == nullptr) continue;
      if ((tcp->flags & kSyn) != 0) {
        auto& initial = segment.inbound ? remote : local;
        if (!initial) initial = tcp->seq;
      }
      for (const TcpOption& option : tcp->options) {
        const auto stamps = tcp_option::TimestampsOf(option);
        if (stamps && !segment.inbound && !stamp) stamp = stamps->first;
      }
    }
    local_isn_ = local.value_or(0);
    remote_isn_ = remote.value_or(0);
    first_timestamp_ = stamp;
  }

  // --- In order of time ----------------------------------------------------------------------

  struct Item {
    Time time;
    const CallSpan* call = nullptr;
    Segment* segment = nullptr;
    std::string comment = "";
    std::string command = "";
  };

  void Collect() {
    for (const CallSpan& span : spans_) items_.push_back({.time = span.begin, .call = &span});
    for (Segment& segment : segments_) items_.push_back({.time = segment.time, .segment = &segment});
    for (const sockproof::Event& event : events_) {
      if (const auto* note = std::get_if<NoteEvent>(&event.what)) {
        TakeNote(event.time, note->text);
      } else if (const auto* state = std::get_if<StateEvent>(&event.what)) {
        items_.push_back({.time = event.time, .comment = state->state});
      } else if (const auto* failure = std::get_if<FailureEvent>(&event.what)) {
        items_.push_back({.time = event.time, .comment = "FAIL: " + failure->text});
      } else if (const auto* observed = std::get_if<ObservationEvent>(&event.what)) {
        items_.push_back({.time = event.time, .comment = observed->name + ": " + observed->value});
      }
    }
    std::stable_sort(items_.begin(), items_.end(),
                     [](const Item& one, const Item& other) { return one.time < other.time; });
    JoinSegments();
  }

  // What TCP hands down as one piece, or as several at once, is one line, as of a device that cuts it.
  void JoinSegments() {
    std::vector<Item> joined;
    Segment* before = nullptr;  // the last item that is no comment, if it is a segment
    for (Item& item : items_) {
      if (before != nullptr && item.segment != nullptr && GoesOn(*before, *item.segment)) {
        packet::Tcp& tcp = *before->packet.Find<packet::Tcp>();
        const TcpFlags first = tcp.flags;
        tcp.flags = static_cast<TcpFlags>((item.segment->tcp()->flags & ~kCwr) | (first & kCwr));
        packet::Append(before->packet.payload, item.segment->packet.payload);
        before->last = item.segment->time;
      } else {
        if (item.comment.empty()) before = item.segment;
        joined.push_back(std::move(item));
      }
    }
    items_ = std::move(joined);
    // The test ended with it, maybe before all of it was there.
    const bool is_part = before != nullptr && !before->inbound && before->tcp() != nullptr &&
                         !before->packet.payload.empty() && (before->tcp()->flags & kPsh) == 0;
    if (!is_part) return;
    const auto last = std::find_if(items_.begin(), items_.end(),
                                   [&](const Item& item) { return item.segment == before; });
    *last = {.time = before->time, .comment = "Data of which the test saw only the beginning are left out."};
  }

  static bool GoesOn(const Segment& before, const Segment& next) {
    const packet::Tcp *one = before.tcp(), *other = next.tcp();
    constexpr std::size_t kMost = 60'000;
    constexpr int kMayDiffer = kFin | kPsh | kCwr;
    const std::size_t size = before.packet.payload.size();
    return one != nullptr && other != nullptr && !before.inbound && !next.inbound &&
           (one->flags & kFin) == 0 && size != 0 && !next.packet.payload.empty() &&
           size + next.packet.payload.size() <= kMost && next.time - before.last < kAtOnce &&
           other->seq == one->seq + size && other->ack == one->ack && other->window == one->window &&
           (one->flags & ~kMayDiffer) == (other->flags & ~kMayDiffer);
  }

  // "sut: sysctl net.ipv4.tcp_timestamps = 0"
  void TakeNote(Time time, const std::string& text) {
    constexpr std::string_view kSysctl = "sut: sysctl ";
    const std::size_t sign = text.find(" = ");
    if (!text.starts_with(kSysctl) || sign == std::string::npos) {
      items_.push_back({.time = time, .comment = text});
      return;
    }
    const std::string name = text.substr(kSysctl.size(), sign - kSysctl.size());
    const std::string value = OnOneLine(text.substr(sign + 3));
    items_.push_back({.time = time, .command = fmt::format("sysctl -q -w {}=\"{}\"", name, value)});
  }

  // --- Lines ---------------------------------------------------------------------------------

  // From the line before, in whole milliseconds, so that nothing adds up. What is expected at once has no
  // time of its own.
  std::string When(Time time, bool is_expected) {
    if (!began_) began_ = last_ = time;
    const Duration gap = time - *last_;
    last_ = time;
    if (is_expected && gap < kAtOnce) return "+0";
    const auto since = std::chrono::round<std::chrono::milliseconds>(time - *began_ - at_);
    const Duration wait = std::max<Duration>(since, Duration(0));
    at_ += wait;
    if (is_expected && gap < kSoon) return fmt::format("+0~+{}", SecondsText(wait + 1ms));
    return fmt::format("+{}", SecondsText(wait));
  }

  void Write(const Item& item, CallWriter& calls) {
    if (item.call != nullptr) {
      Write(*item.call, calls);
    } else if (item.segment != nullptr) {
      Write(*item.segment);
    } else if (!item.comment.empty()) {
      Line("", fmt::format("// {}", Shortened(CleanLine(item.comment), 200)));
    } else if (!began_) {
      init_ += fmt::format("\n{}", item.command);
    } else {
      Line(When(item.time, false), fmt::format("`{}`", item.command));
    }
  }

  struct ScriptLine {
    std::string when;  // empty: a comment
    std::string text;

    std::string ToText() const {
      return when.empty() ? text + "\n" : fmt::format("{:<7}{}\n", when + " ", text);
    }
  };
  void Line(const std::string& when, const std::string& text) { lines_.push_back({when, text}); }

  // The last call that waits: its line, whose end is known when all before it is written.
  struct Waiting {
    std::size_t line = 0;
    Duration before{0};  // the line before it, in the time of the script
    Time end;
    Time last_segment;         // before that end, and when it is in the script
    Duration last_segment_at{0};
  };

  // What is returned soon after a segment is returned at once: that is the busy machine again.
  void FinishWaiting() {
    if (!waiting_) return;
    const bool is_answer = waiting_->end - waiting_->last_segment < kSoon;
    const Duration end = is_answer ? waiting_->last_segment_at
                                   : std::chrono::round<std::chrono::milliseconds>(waiting_->end - *began_);
    lines_[waiting_->line].when +=
        fmt::format("...{}", SecondsText(std::max(end - waiting_->before, Duration(0))));
    waiting_.reset();
  }

  void NoteSegmentWhileWaiting(Time time) {
    if (!waiting_ || time >= waiting_->end) return;
    waiting_->last_segment = time;
    waiting_->last_segment_at = at_;
  }

  bool IsWaitedFor(const CallSpan& span) const {
    return span.end - span.begin >= kWaits ||
           std::any_of(segments_.begin(), segments_.end(), [&](const Segment& segment) {
             return segment.inbound && segment.time > span.begin && segment.time < span.end;
           });
  }

  void Write(const CallSpan& span, CallWriter& calls) {
    const CallText call = ParseCall(span.call().text);
    if (span.call().actor != "sut") throw NotExpressible("two systems talk with each other; a script plays one end itself");
    if (waiting_ && span.begin < waiting_->end) {
      Refuse(span.begin, fmt::format("{} is made while another call waits, and a script waits for one call at a time",
                                     Shortened(CleanLine(span.call().text), 80)));
    }
    FinishWaiting();
    Note(span, call);
    if (!nonblocking_.empty()) Line("+0", CallWriter::MakeBlocking(nonblocking_));
    nonblocking_.clear();
    if (span.return_event == nullptr) return WriteWithoutReturn(span, call);
    const Duration before = at_;
    const std::string text = calls.Write(span);
    if (text.empty()) {
      const std::string returned = span.ResultText();
      return Line("", fmt::format("// {} = {}", Shortened(CleanLine(span.call().text), 80),
                                  Shortened(CleanLine(returned), 80)));
    }
    Line(When(span.begin, false), text);
    if (IsWaitedFor(span)) waiting_ = {lines_.size() - 1, before, span.end, span.begin, at_};
  }

  // What the lines of segments depend on.
  void Note(const CallSpan& span, const CallText& call) {
    if (call.name == "socket" && has_segment_) Refuse(span.begin, "it opens another socket while packets flow");
    // Scripts take segments for those of the socket that was made last.
    if (call.name == "socket" && span.return_event != nullptr) {
      newest_ = std::get<ReturnEvent>(span.return_event->what).text;
      listens_ = connects_ = false;
    }
    const bool succeeds = span.return_event != nullptr && span.ResultText() == "0";
    if (call.name == "listen" && call.arguments[0] == newest_ && succeeds) listens_ = true;
    if (call.name == "bind") NoteBind(span, call);
    const bool names_peer = call.name == "connect" || (call.name == "sendto" && call.arguments.size() > 4);
    if (!names_peer) return;
    const std::string& address = call.arguments.back();
    const std::string wanted = remote_.ToString();
    const std::string mapped = fmt::format("[::ffff:{}]:{}", remote_.address.ToString(), remote_.port);
    if (address != wanted && address != mapped) {
      Refuse(span.begin, fmt::format("{}() is to {}, and not to {}", call.name,
                                     Shortened(CleanLine(address), 60), wanted));
    }
    connects_ = has_connected_ = true;
  }

  void NoteBind(const CallSpan& span, const CallText& call) {
    const std::string address = call.arguments.size() > 1 ? call.arguments[1] : "";
    const std::string port = address.substr(std::min(address.rfind(':') + 1, address.size()));
    if (port != "0" && port != std::to_string(local_.port)) {
      Refuse(span.begin, fmt::format("a socket is bound to {}, and another than that of the connection",
                                     Shortened(CleanLine(address), 60)));
    }
    is_bound_ = true;
  }

  void WriteWithoutReturn(const CallSpan& span, const CallText& call) {
    const std::string shown = Shortened(CleanLine(span.call().text), 80);
    if (call.name == "connect" && !call.arguments.empty()) {
      Line("", fmt::format("// {} had not returned when the test ended: here it does not wait.", shown));
      Line(When(span.begin, false), CallWriter::MakeNonblocking(call.arguments[0]));
      nonblocking_ = call.arguments[0];
      return Line("+0", CallWriter::ConnectWithoutWaiting(nonblocking_));
    }
    constexpr std::array<std::string_view, 5> kOnlyWait = {"accept", "accept4", "recv", "read", "poll"};
    if (std::find(kOnlyWait.begin(), kOnlyWait.end(), call.name) == kOnlyWait.end()) {
      Refuse(span.begin, fmt::format("{} has not returned, which no script can expect", shown));
    }
    Line("", fmt::format("// {} had not returned when the test ended: left out.", shown));
  }

  // --- Segments ------------------------------------------------------------------------------

  static TcpOption Shifted(const TcpOption& option, std::uint32_t base) {
    std::vector<tcp_option::SackBlock> blocks = tcp_option::SackBlocksOf(option);
    for (auto& [left, right] : blocks) {
      left -= base;
      right -= base;
    }
    return tcp_option::Sack(blocks);
  }

  // All numbers count from the initial ones, the timestamps of the system from kFirstTimestamp.
  void Rebase(Segment& segment) {
    packet::Tcp* tcp = segment.packet.Find<packet::Tcp>();
    const std::uint32_t own = segment.inbound ? remote_isn_ : local_isn_;
    const std::uint32_t other = segment.inbound ? local_isn_ : remote_isn_;
    tcp->seq -= own;
    if ((tcp->flags & kAck) != 0) tcp->ack -= other;
    for (TcpOption& option : tcp->options) {
      if (option.kind == tcp_option::kSack) option = Shifted(option, other);
      const auto stamps = tcp_option::TimestampsOf(option);
      if (!stamps) continue;
      auto [value, echo] = *stamps;
      const std::uint32_t offset = kFirstTimestamp - first_timestamp_.value_or(0);
      if (!segment.inbound) {
        value += offset;
        expected_stamps_.insert(value);
      } else if ((tcp->flags & kAck) != 0) {
        if (expected_stamps_.empty()) Refuse(segment.time, "a segment echoes a timestamp that was not sent");
        echo += offset;
        if (!expected_stamps_.contains(echo)) has_scaled_echo_ = true;
      }
      option = tcp_option::Timestamps(value, echo);
    }
  }

  static std::string IpText(const Segment& segment) {
    const auto [traffic_class, hop_limit] = TrafficClassAndHopLimit(segment.packet);
    std::vector<std::string> words;
    if (traffic_class > kEcnOfTrafficClass) {
      words.push_back(fmt::format("tos {:#x}", traffic_class));
    } else if (traffic_class != 0) {
      constexpr const char* kNames[] = {"", "ect1", "ect0", "ce"};
      words.emplace_back(kNames[traffic_class]);
    }
    if (hop_limit != kHopLimitOfTests) words.push_back(fmt::format("ttl {}", hop_limit));
    return words.empty() ? "" : fmt::format("[{}] ", fmt::join(words, ","));
  }

  void CheckThatASocketHasIt(const Segment& segment) {
    if (has_segment_) return;
    has_segment_ = true;
    const bool is_syn = segment.tcp() != nullptr && (segment.tcp()->flags & (kSyn | kAck | kRst)) == kSyn;
    if (segment.inbound && !connects_) {
      if (!is_syn || !listens_) Refuse(segment.time, "it begins with a segment of no connection");
      if (!is_bound_) Refuse(segment.time, "it listens on a port that the system has chosen");
    }
    if (!segment.inbound && !connects_) Refuse(segment.time, "the system begins, and nothing connects");
  }

  void CheckThatNumbersAreThoseOfAnyRun(const Segment& segment) const {
    const packet::Tcp& tcp = *segment.tcp();
    if (segment.inbound) return;
    if ((tcp.flags & kRst) != 0 && tcp.seq == 0 && local_isn_ != 0) {
      Refuse(segment.time, "a reset has the sequence number 0, and those of scripts count from the initial one");
    }
    if ((tcp.flags & kSyn) != 0 && tcp.seq != local_isn_) {
      Refuse(segment.time, "a second connection begins, with another initial number");
    }
    const bool has_cookie = std::any_of(tcp.options.begin(), tcp.options.end(), [](const TcpOption& option) {
      return option.kind == tcp_option::kFastOpen && !option.data.empty();
    });
    if (has_cookie && listens_) Refuse(segment.time, "the system gives a cookie of its own for TCP Fast Open");
  }

  void Write(const Segment& original) {
    CheckThatASocketHasIt(original);
    const std::string way = original.inbound ? "<" : ">";
    if (original.tcp() == nullptr) {
      return Line(When(original.time, !original.inbound), fmt::format("{} {}", way, IcmpText(original)));
    }
    Segment segment = original;
    const packet::Tcp& tcp = *segment.tcp();
    CheckThatNumbersAreThoseOfAnyRun(segment);
    Rebase(segment);
    // What is offered depends on the memory that data take, which is another on another device.
    const bool has_window = segment.inbound || (tcp.flags & kSyn) != 0 ||
                            (tcp.window == 0 && (tcp.flags & kRst) == 0);
    const std::string text = Written(segment.packet, nullptr, !segment.inbound, has_window);
    intended_.push_back({tcp.all_flags(), tcp.options});
    Line(When(segment.time, !segment.inbound), fmt::format("{} {}{}", way, IpText(segment), text));
    NoteSegmentWhileWaiting(segment.time);
  }

  // A message of ICMP about a segment of the connection.
  std::string IcmpText(const Segment& segment) const {
    const packet::Packet about = packet::ReadIp(segment.packet.payload);
    const std::optional<std::string> text = Written(*segment.packet.Find<packet::Icmp>());
    const auto* ip = about.Find<packet::Ipv4>();
    const auto* ipv6 = about.Find<packet::Ipv6>();
    if (!text || (ip == nullptr && ipv6 == nullptr)) {
      Refuse(segment.time, "scripts have no words for a message of ICMP");
    }
    const std::size_t header = ip != nullptr ? packet::HeaderSize(*ip) : 40;
    const std::size_t protocol = ip != nullptr ? ip->protocol.value_or(0) : ipv6->next_header.value_or(0);
    const std::size_t size = ip != nullptr ? ip->total_length.value_or(0)
                                           : header + ipv6->payload_length.value_or(0);
    const Bytes& octets = segment.packet.payload;
    constexpr std::size_t kPortsAndNumber = 8, kTcpHeader = 20;
    const bool is_of_it = protocol == packet::ip_protocol::kTcp &&
                          octets.size() >= header + kPortsAndNumber &&
                          packet::Read16(octets, header) == local_.port &&
                          packet::Read16(octets, header + 2) == remote_.port;
    if (!is_of_it) Refuse(segment.time, "a message of ICMP is about something else than a segment of the connection");
    const std::uint32_t seq = packet::Read32(octets, header + 4) - local_isn_;
    const std::size_t length = size > header + kTcpHeader ? size - header - kTcpHeader : 0;
    return fmt::format("{}{} [{}:{}({})]", IpText(segment), *text, seq,
                       seq + static_cast<std::uint32_t>(length), length);
  }

  // --- Whether it says what was meant --------------------------------------------------------

  // Of a line for a segment what the language could get wrong.
  struct Meant {
    std::uint16_t flags = 0;
    std::vector<TcpOption> options;
  };

  void CheckThatItSaysThis(const std::string& text) const {
    packetdrill::Script script;
    try {
      script = Parse(text);
    } catch (const SyntaxError& error) {
      throw NotExpressible(fmt::format("scripts have no words for a part of it: {}", error.why()));
    }
    if (const Unsupported* unknown = script.FirstUnsupported()) {
      throw NotExpressible(fmt::format("scripts have no words for {}", unknown->what));
    }
    std::size_t at = 0;
    for (const Event& event : script.events) {
      const auto* packet = std::get_if<PacketEvent>(&event.what);
      const auto* tcp = packet == nullptr ? nullptr : std::get_if<TcpPart>(&packet->what);
      if (tcp == nullptr) continue;
      const Meant& meant = intended_.at(at++);
      if (tcp->flags != meant.flags || tcp->options != meant.options) {
        throw NotExpressible(fmt::format("no script can say all of a segment: {}", event.source));
      }
    }
  }

  const std::vector<sockproof::Event>& events_;
  const std::vector<CallSpan> spans_;
  std::vector<Segment> segments_;
  std::set<std::string> asked_;
  Endpoint local_, remote_;
  IpVersion version_ = IpVersion::kIpv4;
  bool is_mapped_ = false;
  std::uint32_t local_isn_ = 0, remote_isn_ = 0;
  std::optional<std::uint32_t> first_timestamp_;  // of the system, in the test

  std::vector<Item> items_;
  std::optional<Time> began_, last_;  // the first line with a time, and the one before
  Duration at_{0};                    // the time of the script
  std::optional<Waiting> waiting_;
  bool listens_ = false, connects_ = false;  // the newest socket
  bool has_connected_ = false, is_bound_ = false, has_segment_ = false;
  std::string newest_;
  std::string nonblocking_;  // of the script's own accord, until the next call
  bool has_scaled_echo_ = false;
  std::set<std::uint32_t> expected_stamps_;
  std::vector<Meant> intended_;
  // As it is for tests (harness/sut/wired_namespace.cc).
  std::string init_ = "sysctl -q -w net.ipv4.tcp_congestion_control=reno";
  std::vector<ScriptLine> lines_;
};

}  // namespace

std::string ExportedScript(const std::vector<sockproof::Event>& events,
                           const std::vector<std::string>& remarks) {
  if (events.empty()) throw NotExpressible("nothing is known of what happened in it");
  return Exporter(events).Script(remarks);
}

}  // namespace sockproof::packetdrill

// Draws the ladder: one line an event; the left actor's calls at the left, the wire in the middle,
// the right actor's calls at the right edge.
#include "harness/trace/ladder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <set>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "harness/trace/decode.h"
#include "harness/trace/timeline.h"

namespace sockproof {
namespace {

constexpr std::size_t kWidth = 110;
constexpr std::size_t kTextColumn = 13;  // after the time
constexpr std::size_t kWireColumn = 28;
constexpr std::size_t kWireWidth = 66;
constexpr std::size_t kPayloadShown = 16;
constexpr std::size_t kLinesKept = 200;  // of a long ladder, at each end
constexpr Duration kSilence = 1500ms;

constexpr std::uint16_t kFin = 1, kSyn = 2, kRst = 4, kUrg = 32, kAck = 16;

// One line to be; of two at the same time the one whose event was logged first goes first.
struct Line {
  Time time;
  const Event* event = nullptr;
  std::string text;  // from kTextColumn on; may have line ends
};

std::string Repeat(char character, std::size_t count) { return std::string(count, character); }

std::string Shorten(std::string text, std::size_t width) {
  if (text.size() > width) text = text.substr(0, width - 3) + "...";
  return text;
}

std::string Quote(const Bytes& bytes) {
  std::string text = "\"";
  for (std::size_t index = 0; index < std::min(bytes.size(), kPayloadShown); ++index) {
    const std::uint8_t byte = bytes[index];
    if (byte == '\n') {
      text += "\\n";
    } else if (byte == '\r') {
      text += "\\r";
    } else if (byte == '"' || byte == '\\') {
      text += {'\\', static_cast<char>(byte)};
    } else if (byte < 0x20 || byte > 0x7e) {
      text += fmt::format("\\x{:02x}", byte);
    } else {
      text += static_cast<char>(byte);
    }
  }
  return text + (bytes.size() > kPayloadShown ? "\"..." : "\"");
}

std::string FlagsText(std::uint16_t flags) {
  constexpr std::pair<std::uint16_t, std::string_view> kNames[] = {
      {kSyn, "SYN"}, {kFin, "FIN"}, {kRst, "RST"}, {8, "PSH"},  {kUrg, "URG"},
      {kAck, "ACK"}, {64, "ECE"},   {128, "CWR"},  {256, "AE"},
  };
  std::string text;
  for (const auto& [bit, name] : kNames) {
    if ((flags & bit) != 0) text.append(text.empty() ? "" : ",").append(name);
  }
  if (const int reserved = flags >> 9; reserved != 0) {
    text += fmt::format("{}reserved={:#x}", text.empty() ? "" : ",", reserved << 1);
  }
  return text.empty() ? "no flags" : text;
}

std::string EndpointText(const std::string& address, std::uint16_t port) {
  return address.find(':') == std::string::npos ? fmt::format("{}:{}", address, port)
                                                : fmt::format("[{}]:{}", address, port);
}

std::uint32_t SequenceLength(const TcpView& tcp) {
  return static_cast<std::uint32_t>(tcp.payload.size()) + ((tcp.flags & kSyn) != 0 ? 1U : 0U) +
         ((tcp.flags & kFin) != 0 ? 1U : 0U);
}

// Turns numbers of segments into relative ones. Fed with all segments in order of time.
class Numbers {
 public:
  using Direction = std::pair<std::string, std::string>;  // endpoints: from, to

  static Direction From(const TcpView& tcp) {
    return {EndpointText(tcp.source, tcp.source_port),
            EndpointText(tcp.destination, tcp.destination_port)};
  }

  // Takes note of a segment before it is shown. True when its sequence numbers were sent before.
  bool Take(const TcpView& tcp) {
    const Direction direction = From(tcp);
    State& state = directions_[direction];
    if ((tcp.flags & kSyn) != 0 && IsNewConnection(state, tcp.seq)) {
      state = State{};
      state.initial.push_back(tcp.seq);
    }
    if ((tcp.flags & (kFin | kRst)) != 0) {
      state.has_ended = true;
      directions_[{direction.second, direction.first}].has_ended = true;
    }
    const std::uint32_t length = SequenceLength(tcp);
    return length > 0 && !state.sent.emplace(tcp.seq, length).second;
  }

  // `number` in the sequence space of `direction`.
  std::string Relative(const Direction& direction, std::uint32_t number) const {
    const auto found = directions_.find(direction);
    if (found == directions_.end() || found->second.initial.empty()) {
      return fmt::format("{}(abs)", number);
    }
    // A stray SYN may have brought a second initial number: the nearer one counts.
    std::int32_t nearest = Distance(found->second.initial.front(), number);
    for (const std::uint32_t initial : found->second.initial) {
      const std::int32_t distance = Distance(initial, number);
      if (std::llabs(distance) < std::llabs(nearest)) nearest = distance;
    }
    return std::to_string(nearest);
  }

  // The window when it is another than that of the segment before.
  std::string WindowText(const TcpView& tcp) {
    std::optional<std::uint16_t>& last = directions_[From(tcp)].window;
    if (std::exchange(last, tcp.window) == tcp.window) return "";
    return fmt::format(" win={}", tcp.window);
  }

 private:
  struct State {
    std::vector<std::uint32_t> initial;
    bool has_ended = false;
    std::set<std::pair<std::uint32_t, std::uint32_t>> sent;
    std::optional<std::uint16_t> window;
  };

  static std::int32_t Distance(std::uint32_t from, std::uint32_t to) {
    return static_cast<std::int32_t>(to - from);
  }

  // A SYN starts the numbers of its direction anew when the connection before has ended. While
  // that lives, a SYN near its numbers is a part of it, and one far away is another's.
  static bool IsNewConnection(State& state, std::uint32_t seq) {
    constexpr std::int32_t kNear = 1 << 24;
    if (state.initial.empty()) return true;
    const bool is_known =
        std::any_of(state.initial.begin(), state.initial.end(), [&](std::uint32_t initial) {
          return state.has_ended ? initial == seq : std::llabs(Distance(initial, seq)) < kNear;
        });
    if (is_known) return false;
    if (state.has_ended) return true;
    state.initial.push_back(seq);
    return false;
  }

  std::map<Direction, State> directions_;
};

// Options as a list; empty when there is nothing that a reader would miss.
std::string OptionsText(const TcpView& tcp, const Numbers& numbers) {
  const Bytes& options = tcp.options;
  const Numbers::Direction direction = Numbers::From(tcp);
  const auto number32 = [&](std::size_t at) {
    return static_cast<std::uint32_t>(options[at]) << 24 |
           static_cast<std::uint32_t>(options[at + 1]) << 16 |
           static_cast<std::uint32_t>(options[at + 2]) << 8 | options[at + 3];
  };
  std::string text;
  bool is_routine = (tcp.flags & kSyn) == 0;  // only NOPs and timestamps
  const auto append = [&](const std::string& option, bool routine) {
    text += (text.empty() ? "" : ",") + option;
    is_routine = is_routine && routine;
  };
  for (std::size_t at = 0; at < options.size();) {
    const std::uint8_t kind = options[at];
    if (kind == 0) {
      append("eol", true);
      break;
    }
    if (kind == 1) {
      append("nop", true);
      ++at;
      continue;
    }
    const std::size_t size = at + 1 < options.size() ? options[at + 1] : 0;
    if (size < 2 || at + size > options.size()) {
      append(fmt::format(
                 "malformed {:02x}",
                 fmt::join(options.begin() + static_cast<std::ptrdiff_t>(at), options.end(), " ")),
             false);
      break;
    }
    if (kind == 2 && size == 4) {
      append(fmt::format("mss {}", options[at + 2] << 8 | options[at + 3]), false);
    } else if (kind == 3 && size == 3) {
      append(fmt::format("wscale {}", options[at + 2]), false);
    } else if (kind == 4 && size == 2) {
      append("sackOK", false);
    } else if (kind == 5 && size % 8 == 2) {
      for (std::size_t block = at + 2; block < at + size; block += 8) {
        const Numbers::Direction other{direction.second, direction.first};
        append(fmt::format("sack {}:{}", numbers.Relative(other, number32(block)),
                           numbers.Relative(other, number32(block + 4))),
               false);
      }
    } else if (kind == 8 && size == 10) {
      append("TS", true);
    } else {
      append(fmt::format("kind {} len {}", kind, size), false);
    }
    at += size;
  }
  return text.empty() || is_routine ? "" : " <" + text + ">";
}

// "SYN,ACK seq=0 ack=1 win=65160 <mss 1460>".
std::string SegmentText(const TcpView& tcp, Numbers& numbers) {
  const Numbers::Direction direction = Numbers::From(tcp);
  std::string text = FlagsText(tcp.flags) + " seq=" + numbers.Relative(direction, tcp.seq);
  if ((tcp.flags & kAck) != 0) {
    text += " ack=" + numbers.Relative({direction.second, direction.first}, tcp.ack);
  }
  if ((tcp.flags & kRst) == 0) text += numbers.WindowText(tcp);
  if ((tcp.flags & kUrg) != 0) text += fmt::format(" urg={}", tcp.urgent_pointer);
  text += OptionsText(tcp, numbers);
  if (!tcp.payload.empty()) {
    text += fmt::format(" len={} {}", tcp.payload.size(), Quote(tcp.payload));
  }
  return text;
}

// "---label----->", as wide as the wire, or wider when the label is.
std::string ArrowText(std::string label, bool to_the_right, Fate fate) {
  constexpr std::size_t kEnds = 6;  // both ends of the arrow
  label = Shorten(std::move(label), kWidth - kWireColumn - kEnds);
  const std::string line =
      Repeat('-', std::max(kWireWidth, label.size() + kEnds) - label.size() - kEnds);
  const bool is_lost = fate == Fate::kDropped;
  const bool is_delayed = fate == Fate::kDelayed;
  if (to_the_right) return "---" + label + line + (is_lost ? "--X" : is_delayed ? "..." : "-->");
  return (is_lost ? "X--" : is_delayed ? "..." : "<--") + label + line + "---";
}

class Ladder {
 public:
  explicit Ladder(const std::vector<Event>& events) : calls_(CallSpans(events)) {
    if (events.empty()) return;
    zero_ = ZeroOf(events);
    for (const Event& event : events) events_.push_back(&event);
    std::stable_sort(events_.begin(), events_.end(),
                     [](const Event* one, const Event* other) { return one->time < other->time; });
    DecodeFrames();
    ChooseSides();
    for (const Event* event : events_) {
      now_ = event;
      std::visit([this](const auto& what) { Show(what); }, event->what);
    }
    ShowCalls();
    std::sort(lines_.begin(), lines_.end(), [](const Line& one, const Line& other) {
      return std::tie(one.time, one.event) < std::tie(other.time, other.event);
    });
  }

  std::string Text() const;

 private:
  void Add(std::string text) { lines_.push_back({now_->time, now_, std::move(text)}); }

  void DecodeFrames();
  void ChooseSides();
  std::string ConnectionTag(const TcpView& tcp) const;
  std::string AtSideOf(const std::string& actor, std::string text) const;
  std::string HeaderOf(const std::string& actor) const;

  void Show(const CallEvent&) {}    // In ShowCalls().
  void Show(const ReturnEvent&) {}  // There too.
  void Show(const FrameEvent& frame);
  void Show(const StateEvent& state);
  void Show(const ExpectationEvent& expectation);
  void Show(const FailureEvent& failure);
  void Show(const NoteEvent& note) { Add("note: " + note.text); }
  void Show(const ObservationEvent& seen) { Add("observed " + seen.name + ": " + seen.value); }
  void Show(const ReadyEvent&) {}
  void Show(const VerdictEvent& verdict);
  void ShowCalls();

  std::vector<CallSpan> calls_;
  Time zero_;
  std::vector<const Event*> events_;  // in order of time
  const Event* now_ = nullptr;        // what is being shown
  std::map<const FrameEvent*, FrameView> frames_;
  std::set<std::set<std::string>> connections_;                         // pairs of endpoints
  std::set<std::set<std::string>> address_pairs_;                       // of the connections
  std::map<std::string, std::set<std::string>> addresses_, endpoints_;  // of each actor
  std::string left_, right_;
  Numbers numbers_;
  std::map<std::pair<std::string, std::string>, std::string> states_;  // last shown
  std::vector<Line> lines_;
};

void Ladder::DecodeFrames() {
  for (const Event* event : events_) {
    const auto* frame = std::get_if<FrameEvent>(&event->what);
    if (frame == nullptr) continue;
    const FrameView& view = frames_[frame] = DecodeFrame(frame->bytes);
    if (!view.tcp) continue;
    const auto& [source, destination] = Numbers::From(*view.tcp);
    connections_.insert({source, destination});
    address_pairs_.insert({view.tcp->source, view.tcp->destination});
    addresses_[frame->from].insert(view.tcp->source);
    addresses_[frame->to].insert(view.tcp->destination);
    endpoints_[frame->from].insert(source);
    endpoints_[frame->to].insert(destination);
  }
}

// The system under test or the client is at the left, the other end of the wire at the right.
void Ladder::ChooseSides() {
  std::vector<std::string> actors;
  const auto add = [&](const std::string& actor) {
    if (std::find(actors.begin(), actors.end(), actor) == actors.end()) actors.push_back(actor);
  };
  for (const Event* event : events_) {
    if (const auto* frame = std::get_if<FrameEvent>(&event->what)) {
      add(frame->from);
      add(frame->to);
    } else if (const auto* call = std::get_if<CallEvent>(&event->what)) {
      add(call->actor);
    }
  }
  const auto rank = [](const std::string& actor) {
    return actor == "sut" ? 0 : actor == "client" ? 1 : 2;
  };
  std::stable_sort(
      actors.begin(), actors.end(),
      [&](const std::string& one, const std::string& other) { return rank(one) < rank(other); });
  if (!actors.empty()) left_ = actors[0];
  if (actors.size() > 1) right_ = actors[1];
}

// Which of several connections a segment belongs to: "40000>80 ".
std::string Ladder::ConnectionTag(const TcpView& tcp) const {
  if (connections_.size() <= 1) return "";
  if (address_pairs_.size() <= 1) {
    return fmt::format("{}>{} ", tcp.source_port, tcp.destination_port);
  }
  const auto& [source, destination] = Numbers::From(tcp);
  return source + ">" + destination + " ";
}

std::string Ladder::AtSideOf(const std::string& actor, std::string text) const {
  if (actor == left_) return Shorten(std::move(text), kWidth - kTextColumn);
  if (actor != right_) text = actor + ": " + text;
  text = Shorten(std::move(text), kWidth - kTextColumn);
  constexpr std::size_t kRightColumn = kWireColumn + kWireWidth + 2;
  const std::size_t column = std::min(kRightColumn, kWidth - text.size());
  return Repeat(' ', column - kTextColumn) + text;
}

void Ladder::Show(const FrameEvent& frame) {
  const FrameView& view = frames_.at(&frame);
  if (view.is_noise) return;
  const bool to_the_right = frame.to != left_;
  std::string label;
  std::vector<std::string> remarks;
  if (frame.fate == Fate::kDropped) remarks.push_back("lost");
  if (frame.fate == Fate::kDuplicated) remarks.push_back("duplicate");
  if (frame.fate == Fate::kDelayed) {
    remarks.push_back(frame.delay > Duration(0) ? "delayed " + FormatDuration(frame.delay)
                                                : "delayed until after the next");
  }
  if (view.tcp) {
    const bool is_repeated = numbers_.Take(*view.tcp);
    label = ConnectionTag(*view.tcp) + SegmentText(*view.tcp, numbers_);
    if (is_repeated && frame.fate != Fate::kDuplicated) remarks.push_back("retransmitted");
    if (!view.tcp->defect.empty()) remarks.push_back(view.tcp->defect);
  } else {
    label = view.other;
  }
  if ((frame.from != left_ && frame.from != right_) || (frame.to != left_ && frame.to != right_)) {
    label = frame.from + " to " + frame.to + ": " + label;
  }
  std::string text = Repeat(' ', kWireColumn - kTextColumn);
  if (view.is_resolution) {
    text += (to_the_right ? "--> " : "<-- ") + label;
  } else {
    text += ArrowText(label, to_the_right, frame.fate);
  }
  if (!remarks.empty()) text += fmt::format(" {}", fmt::join(remarks, ", "));
  Add(std::move(text));
}

void Ladder::Show(const StateEvent& state) {
  std::string& last = states_[{state.actor, state.socket}];
  if (last == state.state) return;
  last = state.state;
  const std::string socket =
      connections_.size() > 1 && !state.socket.empty() ? " " + state.socket : "";
  const std::string text = fmt::format("[{} {}{}]", state.actor, state.state, socket);
  // The name is in the text, so that of a third actor need not be put before it.
  Add(AtSideOf(state.actor == left_ ? left_ : right_, text));
}

void Ladder::Show(const ExpectationEvent& expectation) {
  if (expectation.met) return;
  const std::string from = expectation.actor.empty() ? "" : " from " + expectation.actor;
  Add("expected" + from + ", never seen: " + expectation.text);
}

void Ladder::Show(const FailureEvent& failure) {
  const std::string file = failure.file.substr(failure.file.rfind('/') + 1);
  Add(fmt::format("FAILED {}:{}\n{}", file, failure.line, failure.text));
}

void Ladder::Show(const VerdictEvent& verdict) {
  std::string text = "verdict " + std::string(VerdictName(verdict.verdict));
  if (!verdict.reason.empty()) text += ": " + verdict.reason;
  Add(text);
}

// A call is one line, or two when something else is to be seen, or time passes, before it returns.
void Ladder::ShowCalls() {
  std::vector<Time> marks;  // everything that may stand between a call and its return
  for (const Line& line : lines_) marks.push_back(line.time);
  for (const CallSpan& span : calls_) {
    marks.push_back(span.begin);
    marks.push_back(span.end);
  }
  std::sort(marks.begin(), marks.end());

  for (const CallSpan& span : calls_) {
    const auto& [id, actor, text] = span.call();
    if (span.return_event == nullptr) {
      lines_.push_back(
          {span.begin, span.call_event, AtSideOf(actor, text + " ... did not return")});
      continue;
    }
    const auto between = std::upper_bound(marks.begin(), marks.end(), span.begin);
    const bool is_alone = between == marks.end() || *between >= span.end;
    if (is_alone && span.end - span.begin <= kSilence) {
      lines_.push_back(
          {span.begin, span.call_event, AtSideOf(actor, text + " = " + span.ResultText())});
      continue;
    }
    // "connect(3)" of "connect(3, 192.0.2.2:80)".
    const std::string name =
        text.substr(0, text.find_first_of(",)")) + (text.find('(') == std::string::npos ? "" : ")");
    lines_.push_back({span.begin, span.call_event, AtSideOf(actor, text)});
    lines_.push_back({span.end, span.return_event,
                      AtSideOf(actor, fmt::format("{} returns {} after {}", name, span.ResultText(),
                                                  FormatDuration(span.end - span.begin)))});
  }
}

// "sut 192.0.2.1:40000", as much of it as all of its segments share.
std::string Ladder::HeaderOf(const std::string& actor) const {
  for (const auto* names : {&endpoints_, &addresses_}) {
    const auto found = names->find(actor);
    if (found != names->end() && found->second.size() == 1) {
      return actor + " " + *found->second.begin();
    }
  }
  return actor;
}

std::string Ladder::Text() const {
  if (lines_.empty()) return "";
  const std::string left = HeaderOf(left_), right = HeaderOf(right_);
  const std::size_t left_width = kWidth - kTextColumn - std::min(kWidth / 2, right.size());
  std::string header = fmt::format("{:>11}  {:<{}}{}", "seconds", left, left_width, right);
  header.erase(header.find_last_not_of(' ') + 1);

  std::vector<std::string> text;
  Time last = lines_.front().time;
  for (const Line& line : lines_) {
    if (line.time - last > kSilence) {
      text.push_back(fmt::format("        ...  {:.1f} s of silence", ToSeconds(line.time - last)));
    }
    last = line.time;
    const std::string start = fmt::format("{:>11.6f}  ", ToSeconds(line.time - zero_));
    std::string_view rest = line.text;
    for (bool is_first = true; is_first || !rest.empty(); is_first = false) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      text.push_back((is_first ? start : Repeat(' ', kTextColumn + 4)) +
                     std::string(rest.substr(0, end)));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }

  std::string ladder = header + "\n";
  for (std::size_t index = 0; index < text.size(); ++index) {
    if (text.size() > 2 * kLinesKept && index == kLinesKept) {
      ladder += fmt::format("        ...  {} lines left out\n", text.size() - 2 * kLinesKept);
      index = text.size() - kLinesKept;
    }
    ladder += text[index] + "\n";
  }
  return ladder;
}

}  // namespace

std::string RenderLadder(const std::vector<Event>& events) { return Ladder(events).Text(); }

}  // namespace sockproof

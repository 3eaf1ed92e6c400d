// Draws the ladder as text: one line an item; the left actor's calls at the left, the wire in the
// middle, the right actor's calls at the right edge.
#include "harness/trace/ladder.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "harness/trace/ladder_model.h"

namespace sockproof {
namespace {

constexpr std::size_t kWidth = 110;
constexpr std::size_t kTextColumn = 13;  // after the time
constexpr std::size_t kWireColumn = 28;
constexpr std::size_t kWireWidth = 66;
constexpr std::size_t kLinesKept = 200;  // of a long ladder, at each end

std::string Repeat(char character, std::size_t count) { return std::string(count, character); }

std::string Shorten(std::string text, std::size_t width) {
  if (text.size() > width) text = text.substr(0, width - 3) + "...";
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

std::string HeaderOf(const LadderActor& actor) {
  return actor.endpoint.empty() ? actor.name : actor.name + " " + actor.endpoint;
}

// The text of an item, from kTextColumn on; may have line ends.
class ItemText {
 public:
  explicit ItemText(const Ladder& ladder) : ladder_(ladder) {}

  std::string operator()(const LadderBegin& begin) const {
    const LadderCall& call = ladder_.calls[begin.call];
    const std::string& text = call.span.call().text;
    if (!call.has_returned())
      return AtSideOf(call, fmt::format("{} ... {}", text, call.span.NoReturnText()));
    return AtSideOf(call, call.is_whole ? text + " = " + call.span.ResultText() : text);
  }
  std::string operator()(const LadderReturn& end) const {
    const LadderCall& call = ladder_.calls[end.call];
    return AtSideOf(call,
                    fmt::format("{} returns {} after {}", call.ShortName(), call.span.ResultText(),
                                FormatDuration(call.span.end - call.span.begin)));
  }
  std::string operator()(const LadderFrame& frame) const {
    std::string text = Repeat(' ', kWireColumn - kTextColumn);
    if (frame.is_resolution) {
      text += (frame.to_the_right ? "--> " : "<-- ") + frame.Label();
    } else {
      text += ArrowText(frame.Label(), frame.to_the_right, frame.fate());
    }
    const std::vector<std::string> remarks = frame.Remarks();
    if (!remarks.empty()) text += fmt::format(" {}", fmt::join(remarks, ", "));
    return text;
  }
  std::string operator()(const LadderState& state) const {
    const StateEvent& event = *state.event;
    const std::string socket =
        ladder_.has_several_connections && !event.socket.empty() ? " " + event.socket : "";
    // The name is in the text, so that of a third actor need not be put before it.
    return At(state.side == LadderSide::kLeft,
              fmt::format("[{} {}{}]", event.actor, event.state, socket));
  }
  std::string operator()(const ExpectationEvent& expectation) const {
    const std::string from = expectation.actor.empty() ? "" : " from " + expectation.actor;
    return "expected" + from + ", never seen: " + expectation.text;
  }
  std::string operator()(const FailureEvent& failure) const {
    const std::string file = failure.file.substr(failure.file.rfind('/') + 1);
    return fmt::format("FAILED {}:{}\n{}", file, failure.line, failure.text);
  }
  std::string operator()(const NoteEvent& note) const { return "note: " + note.text; }
  std::string operator()(const ObservationEvent& seen) const {
    return "observed " + seen.name + ": " + seen.value;
  }
  std::string operator()(const VerdictEvent& verdict) const {
    const std::string text = "verdict " + std::string(VerdictName(verdict.verdict));
    return verdict.reason.empty() ? text : text + ": " + verdict.reason;
  }

 private:
  static std::string At(bool left, std::string text) {
    text = Shorten(std::move(text), kWidth - kTextColumn);
    if (left) return text;
    constexpr std::size_t kRightColumn = kWireColumn + kWireWidth + 2;
    const std::size_t column = std::min(kRightColumn, kWidth - text.size());
    return Repeat(' ', column - kTextColumn) + text;
  }
  static std::string AtSideOf(const LadderCall& call, const std::string& text) {
    const bool is_other = call.side == LadderSide::kOther;
    return At(call.side == LadderSide::kLeft,
              is_other ? call.span.call().actor + ": " + text : text);
  }

  const Ladder& ladder_;
};

std::vector<std::string> LinesOf(const Ladder& ladder) {
  std::vector<std::string> lines;
  Time last = ladder.items.front().time;
  for (const LadderItem& item : ladder.items) {
    if (IsSilence(item.time - last)) {
      lines.push_back(fmt::format("        ...  {:.1f} s of silence", ToSeconds(item.time - last)));
    }
    last = item.time;
    const std::string start = fmt::format("{:>11.6f}  ", ToSeconds(item.time - ladder.zero));
    const std::string text = std::visit(ItemText(ladder), item.what);
    std::string_view rest = text;
    for (bool is_first = true; is_first || !rest.empty(); is_first = false) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      lines.push_back((is_first ? start : Repeat(' ', kTextColumn + 4)) +
                      std::string(rest.substr(0, end)));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  return lines;
}

}  // namespace

std::string RenderLadder(const std::vector<Event>& events) {
  const Ladder ladder = MakeLadder(events);
  if (ladder.items.empty()) return "";
  const std::string left = HeaderOf(ladder.left), right = HeaderOf(ladder.right);
  const std::size_t left_width = kWidth - kTextColumn - std::min(kWidth / 2, right.size());
  std::string text = fmt::format("{:>11}  {:<{}}{}", "seconds", left, left_width, right);
  text.erase(text.find_last_not_of(' ') + 1);
  text += "\n";

  const std::vector<std::string> lines = LinesOf(ladder);
  for (std::size_t index = 0; index < lines.size(); ++index) {
    if (lines.size() > 2 * kLinesKept && index == kLinesKept) {
      text += fmt::format("        ...  {} lines left out\n", lines.size() - 2 * kLinesKept);
      index = lines.size() - kLinesKept;
    }
    text += lines[index] + "\n";
  }
  return CleanText(text);
}

}  // namespace sockproof

// Each step is placed below what is above it in the columns that it uses: the left actor's calls,
// the wire, the right actor's calls or states.
#include "src/picture/ladder_strip.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "src/picture/peer_states.h"
#include "src/report/text.h"

namespace sockproof {
namespace {

constexpr double kSlant = 8;  // how much lower an arrow ends than it begins
constexpr double kLine = 13;  // of text
constexpr double kGap = 3;    // between texts of different steps
constexpr double kLane = 7;   // of calls that overlap
constexpr double kBreakHeight = 34;
constexpr double kTimeSpacing = 11;
constexpr double kInset = 18;  // of texts from the lifelines: room for segments that wait
constexpr std::size_t kFailureLines = 8;
constexpr Duration kBreak = 500ms;

std::string NoReturn(const LadderCall& call) {
  return fmt::format(" … {}", call.span.NoReturnText());
}

std::string FileName(const std::string& path) { return path.substr(path.rfind('/') + 1); }

Layer LayerOfState(std::string_view state) {
  if (state == "SYN-SENT" || state == "SYN-RECEIVED") return Layer::kOpening;
  if (state == "ESTABLISHED") return Layer::kEstablished;
  if (state == "FIN-WAIT-1" || state == "FIN-WAIT-2" || state == "CLOSING") return Layer::kClosing;
  if (state == "CLOSE-WAIT" || state == "LAST-ACK") return Layer::kPassive;
  if (state == "TIME-WAIT") return Layer::kTimeWait;
  return Layer::kClosed;
}

// "59.9 s", "2 h 3 min": what was cut out.
std::string LongDuration(Duration duration) {
  const double seconds = ToSeconds(duration);
  if (seconds < 1) return fmt::format("{:.0f} ms", 1e3 * seconds);
  if (seconds < 600) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<long>(std::lround(seconds));
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min {} s", whole / 3600, whole / 60 % 60, whole % 60);
}

// Address resolution before anything else belongs to no test.
std::size_t FirstOfInterest(const Ladder& ladder) {
  for (std::size_t index = 0; index < ladder.items.size(); ++index) {
    const auto* frame = std::get_if<LadderFrame>(&ladder.items[index].what);
    if (frame == nullptr || !frame->is_resolution) return index;
  }
  return 0;
}

}  // namespace

LadderStrip::LadderStrip(const Ladder& ladder, Canvas& canvas, const StripOptions& options)
    : ladder_(ladder), canvas_(canvas), wire_characters_(options.wire_characters) {
  peer_states_ = PeerStates(ladder);
  MakeSteps(options);
  AddArrivals();
  FindRepeatedOptions();
  ChooseLanes();
  ChooseColumns(options);
  top_ = options.y;
  DrawHeading();
}

double LadderStrip::width() const { return right_edge_ - left_edge_; }

std::optional<std::size_t> LadderStrip::StepOf(std::size_t item) const {
  const auto found = step_of_item_.find(item);
  if (found == step_of_item_.end()) return std::nullopt;
  return found->second;
}

// Keeps the beginning, the end, and what is near the item that matters most.
void LadderStrip::MakeSteps(const StripOptions& options) {
  const std::size_t count = ladder_.items.size();
  const std::size_t head = options.most_items * 5 / 8, tail = options.most_items / 4;
  const std::size_t near = options.most_items / 16;
  std::size_t left_out = 0;
  for (std::size_t index = FirstOfInterest(ladder_); index < count; ++index) {
    const bool is_kept =
        count <= options.most_items || index < head || index + tail >= count ||
        (options.keep && index + near >= *options.keep && index <= *options.keep + near);
    if (is_kept) {
      steps_.push_back({Step::Kind::kItem, ladder_.items[index].time, index});
      left_out = 0;
    } else if (left_out++ == 0) {
      steps_.push_back({Step::Kind::kLeftOut, ladder_.items[index].time, index, 1});
    } else {
      ++steps_.back().left_out;
    }
  }
}

void LadderStrip::AddArrivals() {
  std::vector<Step> arrivals;
  for (std::size_t at = 0; at < steps_.size(); ++at) {
    if (steps_[at].kind != Step::Kind::kItem) continue;
    const auto* held = std::get_if<LadderFrame>(&ItemOf(steps_[at]).what);
    if (held == nullptr || held->fate() != Fate::kDelayed) continue;
    Step arrival{Step::Kind::kArrival, steps_[at].time + held->event->delay, steps_[at].item};
    if (held->event->delay == Duration(0)) {  // until after the next of its direction
      for (std::size_t later = at + 1; later < steps_.size(); ++later) {
        if (steps_[later].kind != Step::Kind::kItem) continue;
        const auto* next = std::get_if<LadderFrame>(&ItemOf(steps_[later]).what);
        if (next == nullptr || next->event->from != held->event->from) continue;
        if (next->fate() != Fate::kForwarded) continue;
        arrival.time = steps_[later].time;
        arrivals.push_back(arrival);
        break;
      }
    } else if (arrival.time <= steps_.back().time) {
      arrivals.push_back(arrival);
    }
  }
  steps_.insert(steps_.end(), arrivals.begin(), arrivals.end());
  std::stable_sort(steps_.begin(), steps_.end(),
                   [](const Step& one, const Step& other) { return one.time < other.time; });
  for (std::size_t at = 0; at < steps_.size(); ++at) {
    if (steps_[at].kind == Step::Kind::kItem) step_of_item_[steps_[at].item] = at;
  }
}

// A retransmission that has the options of the first copy need not show them again.
void LadderStrip::FindRepeatedOptions() {
  std::map<RelativeNumbers::Direction, std::string> last;
  for (const LadderItem& item : ladder_.items) {
    const auto* frame = std::get_if<LadderFrame>(&item.what);
    if (frame == nullptr || !frame->segment || frame->segment->options.empty()) continue;
    std::string& before = last[RelativeNumbers::DirectionOf(frame->segment->tcp)];
    if (frame->segment->is_retransmission && before == frame->segment->options) {
      has_known_options_.insert(frame);
    }
    before = frame->segment->options;
  }
}

// Calls that overlap in time stand side by side.
void LadderStrip::ChooseLanes() {
  constexpr std::size_t kMostLanes = 4;
  lane_of_call_.assign(ladder_.calls.size(), 0);
  std::array<std::vector<const LadderCall*>, 2> lanes;  // who is in them: right, left
  for (std::size_t index = 0; index < ladder_.calls.size(); ++index) {
    const LadderCall& call = ladder_.calls[index];
    auto& side = lanes[IsAtLeft(call) ? 1 : 0];
    std::size_t lane = 0;
    while (lane < side.size() && lane + 1 < kMostLanes) {
      const LadderCall& before = *side[lane];
      if (before.has_returned() && before.span.end <= call.span.begin) break;
      ++lane;
    }
    if (lane == side.size()) side.push_back(nullptr);
    side[lane] = &call;
    lane_of_call_[index] = static_cast<int>(lane);
  }
  left_lanes_ = std::max(1, static_cast<int>(lanes[1].size()));
  right_lanes_ = static_cast<int>(lanes[0].size());
  has_right_calls_ = right_lanes_ > 0;
}

void LadderStrip::ChooseColumns(const StripOptions& options) {
  std::size_t longest[2] = {0, 0};  // right, left
  for (const LadderCall& call : ladder_.calls) {
    std::size_t& side = longest[IsAtLeft(call) ? 1 : 0];
    const std::string name = call.side == LadderSide::kOther ? call.span.call().actor + ": " : "";
    const std::string end = !call.has_returned() ? NoReturn(call)
                            : call.is_whole      ? " " + ReturnText(call)
                                                 : "";
    side = std::max(side, CharactersOf(CleanLine(name + call.span.call().text + end)));
    if (call.has_returned()) side = std::max(side, CharactersOf(CleanLine(ReturnText(call))));
  }
  const double character = CharacterWidth(Layer::kCallAtLeft);
  left_characters_ = std::clamp<std::size_t>(longest[1], 10, options.most_call_characters);
  right_characters_ =
      has_right_calls_ ? std::clamp<std::size_t>(longest[0], 10, options.most_call_characters) : 0;

  left_edge_ = options.x;
  time_edge_ = left_edge_ + 12 * CharacterWidth(Layer::kTime);
  left_text_ = time_edge_ + 10 + character * static_cast<double>(left_characters_);
  left_line_ = left_text_ + 10 + kLane * left_lanes_;
  right_line_ = left_line_ + 2 * kInset + character * static_cast<double>(options.wire_characters);
  right_text_ = right_line_ + 10 + kLane * right_lanes_;
  const double least = peer_states_.empty() ? 62 : 12 * CharacterWidth(Layer::kInferred) + 4;
  right_edge_ =
      right_line_ + std::max(least, right_text_ - right_line_ +
                                        character * static_cast<double>(right_characters_));
}

void LadderStrip::DrawHeading() {
  const auto draw = [&](const LadderActor& actor, double x, double room) {
    if (actor.name.empty()) return;
    const auto most = static_cast<std::size_t>(2 * room / CharacterWidth(Layer::kHeading));
    canvas_.Text(Layer::kHeading, x, top_ + 11,
                 Line{{ShortenedTo(CleanLine(actor.name), most), Run::Tone::kStrong}});
    canvas_.Text(Layer::kHeading, x, top_ + 24,
                 Line{{ShortenedTo(CleanLine(actor.endpoint), most), Run::Tone::kDim}});
  };
  draw(ladder_.left, left_line_,
       std::min(left_line_ - left_edge_, 0.25 * (right_line_ - left_line_) + 60));
  draw(ladder_.right, right_line_,
       std::min(right_edge_ - right_line_, 0.25 * (right_line_ - left_line_) + 60));
  canvas_.Text(Layer::kTime, time_edge_, top_ + 24, "seconds");
  line_top_ = top_ + 30;
  bottoms_.fill(line_top_ + 4);
  last_anchor_ = floor_ = line_top_;
}

// ---------------------------------------------------------------------------------------------
// What is said

std::vector<std::string> LadderStrip::CallLines(const LadderCall& call) const {
  std::string text = CleanLine(call.span.call().text);
  if (call.side == LadderSide::kOther) text = CleanLine(call.span.call().actor) + ": " + text;
  if (!call.has_returned()) text += NoReturn(call);
  const std::size_t width = IsAtLeft(call) ? left_characters_ : right_characters_;
  std::vector<std::string> lines = Wrapped(text, width, 2);
  if (!call.is_whole) return lines;
  const std::string result = ReturnText(call);
  if (!lines.empty() && CharactersOf(lines.back()) + 1 + CharactersOf(result) <= width) {
    lines.back() += " " + result;
  } else {
    for (std::string& line : Wrapped(result, width, 2)) lines.push_back(std::move(line));
  }
  return lines;
}

std::string LadderStrip::ReturnText(const LadderCall& call) const {
  const std::string result = "= " + CleanLine(call.span.ResultText());
  const Duration lasted = call.span.end - call.span.begin;
  return call.is_whole ? result : result + ", after " + FormatDuration(lasted);
}

std::vector<std::string> LadderStrip::ReturnLines(const LadderCall& call) const {
  return Wrapped(ReturnText(call), IsAtLeft(call) ? left_characters_ : right_characters_, 2);
}

std::vector<LadderStrip::Line> LadderStrip::FrameLines(const LadderFrame& frame) const {
  std::vector<Run> pieces;
  if (!frame.is_between_sides) {
    pieces.push_back(
        {CleanLine(frame.event->from + " to " + frame.event->to) + ":", Run::Tone::kDim});
  }
  if (frame.segment) {
    const LadderSegment& segment = *frame.segment;
    if (!segment.connection.empty()) pieces.push_back({segment.connection, Run::Tone::kDim});
    pieces.push_back({segment.FlagsText(), Run::Tone::kStrong});
    pieces.push_back({segment.NumbersText()});
    if (!segment.tcp.payload.empty()) pieces.push_back({segment.PayloadText()});
    if (!segment.options.empty() && has_known_options_.count(&frame) == 0) {
      pieces.push_back({segment.options, Run::Tone::kDim});
    }
  } else {
    pieces.push_back(
        {CleanLine(frame.other), frame.is_resolution ? Run::Tone::kDim : Run::Tone::kPlain});
  }
  const std::vector<std::string> remarks = frame.Remarks();
  if (!remarks.empty()) pieces.push_back({CleanLine(Joined(remarks)), Run::Tone::kWarning});

  std::vector<Line> lines(1);
  std::size_t used = 0;
  for (const Run& piece : pieces) {
    const std::size_t length = CharactersOf(piece.text);
    if (used > 0 && used + 1 + length > wire_characters_) {
      lines.emplace_back();
      used = 0;
    }
    const std::vector<std::string> parts = Wrapped(piece.text, wire_characters_, 3);
    for (std::size_t part = 0; part < parts.size(); ++part) {
      if (part > 0) lines.emplace_back();
      if (part > 0) used = 0;
      lines.back().push_back({used > 0 ? " " + parts[part] : parts[part], piece.tone});
      used += CharactersOf(lines.back().back().text);
    }
  }
  return lines;
}

std::size_t LadderStrip::FullWidthCharacters(Layer layer) const {
  return static_cast<std::size_t>((right_edge_ - time_edge_ - 20) / CharacterWidth(layer));
}

// Of the items that are nothing but text.
std::vector<std::string> LadderStrip::TextLines(const LadderItem& item) const {
  const double room = right_line_ - left_line_ - 2 * kInset;
  const auto wire = static_cast<std::size_t>(room / CharacterWidth(Layer::kRemark));
  if (const auto* note = std::get_if<NoteEvent>(&item.what)) {
    return Wrapped(CleanLine(note->text), wire, 3);
  }
  if (const auto* seen = std::get_if<ObservationEvent>(&item.what)) {
    return Wrapped(CleanLine("observed " + seen->name + ": " + seen->value), wire, 3);
  }
  if (const auto* missing = std::get_if<ExpectationEvent>(&item.what)) {
    return Wrapped("expected, never seen: " + CleanLine(missing->text), wire_characters_, 3);
  }
  if (const auto* failure = std::get_if<FailureEvent>(&item.what)) {
    const std::size_t width = FullWidthCharacters(Layer::kFailure);
    std::vector<std::string> lines = {ShortenedTo(
        CleanLine(fmt::format("FAILED {}:{}", FileName(failure->file), failure->line)), width)};
    const std::string text = CleanText(failure->text);
    std::string_view rest = text;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      for (std::string& line : Wrapped(CleanText(rest.substr(0, end)), width, 3)) {
        lines.push_back(std::move(line));
      }
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    if (lines.size() > kFailureLines) {
      lines.resize(kFailureLines);
      lines.back() = "…";
    }
    return lines;
  }
  if (const auto* verdict = std::get_if<VerdictEvent>(&item.what)) {
    const std::string name(VerdictName(verdict->verdict));
    const std::string text =
        verdict->reason.empty() ? name : name + ": " + CleanLine(verdict->reason);
    return Wrapped(text, FullWidthCharacters(Layer::kPassed), 4);
  }
  return {};
}

std::string LadderStrip::InferredState(const Step& step) const {
  const auto found = peer_states_.find(step.item);
  return step.kind == Step::Kind::kItem && found != peer_states_.end() ? found->second : "";
}

// ---------------------------------------------------------------------------------------------
// Where it is

LadderStrip::Reaches LadderStrip::ReachesOf(const Step& step) const {
  Reaches reaches;
  auto& [left, wire, right] = reaches.columns;
  const auto use_all = [&, &left = left, &wire = wire, &right = right](double above, double below) {
    left = wire = right = {true, above, below};
    reaches.floor = below;
  };
  if (step.kind == Step::Kind::kLeftOut) {
    use_all(10, 10);
    return reaches;
  }
  const LadderItem& item = ItemOf(step);
  if (step.kind == Step::Kind::kArrival) {
    wire = {true, 2, kSlant};
    reaches.floor = 4;
    return reaches;
  }
  const auto call_column = [this, &left = left, &right = right](std::size_t index) -> Reach& {
    return IsAtLeft(ladder_.calls[index]) ? left : right;
  };
  const auto lines = static_cast<double>(TextLines(item).size());
  if (const auto* begin = std::get_if<LadderBegin>(&item.what)) {
    const auto count = static_cast<double>(CallLines(ladder_.calls[begin->call]).size());
    call_column(begin->call) = {true, 8, kLine * (count - 1) + 4};
    if (ladder_.calls[begin->call].is_whole) reaches.floor = 5;
  } else if (const auto* end = std::get_if<LadderReturn>(&item.what)) {
    const auto count = static_cast<double>(ReturnLines(ladder_.calls[end->call]).size());
    call_column(end->call) = {true, 8, kLine * (count - 1) + 4};
  } else if (const auto* frame = std::get_if<LadderFrame>(&item.what)) {
    const auto count = static_cast<double>(FrameLines(*frame).size());
    wire = {true, kLine * count + 3, kSlant + 2};
    if (!InferredState(step).empty()) right = {true, 7, kSlant + 5};
    reaches.floor = kSlant;
  } else if (const auto* state = std::get_if<LadderState>(&item.what)) {
    (state->side == LadderSide::kLeft ? left : right) = wire = {true, 8, 8};
  } else if (std::holds_alternative<ExpectationEvent>(item.what)) {
    wire = {true, kLine * lines + 3, kSlant + 5};
    reaches.floor = kSlant;
  } else if (std::holds_alternative<FailureEvent>(item.what)) {
    use_all(13, kLine * (lines - 1) + 9);
  } else if (std::holds_alternative<VerdictEvent>(item.what)) {
    use_all(12, LineHeight(Layer::kPassed) * (lines - 1) + 5);
  } else {
    wire = {true, 8, 12 * (lines - 1) + 4};
  }
  return reaches;
}

bool LadderStrip::HasBreakBefore(const Step& step) const {
  return last_time_ && step.time - *last_time_ >= kBreak;
}

double LadderStrip::LeastAnchor() const {
  const Step& step = steps_[next_];
  const Reaches reaches = ReachesOf(step);
  if (HasBreakBefore(step)) {
    double above = 0;
    for (const Reach& reach : reaches.columns) above = std::max(above, reach.above);
    return bottom() + kBreakHeight + above + kGap;
  }
  double anchor = floor_;
  if (last_time_ && step.time > *last_time_) {
    // Ten times as long is four more: 1 ms is eight, 100 ms sixteen.
    const double microseconds = 1e6 * ToSeconds(step.time - *last_time_);
    const double wait = 4 * std::max(0.0, std::log10(microseconds) - 1);
    anchor = std::max(anchor, last_anchor_ + std::max(kTimeSpacing, wait));
  }
  for (std::size_t column = 0; column < kColumns; ++column) {
    const Reach& reach = reaches.columns[column];
    if (reach.used) anchor = std::max(anchor, bottoms_[column] + kGap + reach.above);
  }
  return anchor;
}

double LadderStrip::bottom() const {
  return std::max(floor_, *std::max_element(bottoms_.begin(), bottoms_.end()));
}

void LadderStrip::KeepFree(double y) {
  bottoms_.fill(std::max(bottom(), y));
  floor_ = std::max(floor_, y);
}

LadderStrip::Extent LadderStrip::Draw(double anchor) {
  const Step step = steps_[next_];
  const Reaches reaches = ReachesOf(step);
  if (HasBreakBefore(step)) {
    const double y = bottom();
    DrawBreak(step, y);
    KeepFree(y + kBreakHeight);
  }
  Extent extent{anchor, anchor};
  for (std::size_t column = 0; column < kColumns; ++column) {
    const Reach& reach = reaches.columns[column];
    if (!reach.used) continue;
    bottoms_[column] = anchor + reach.below;
    extent.top = std::min(extent.top, anchor - reach.above);
    extent.bottom = std::max(extent.bottom, anchor + reach.below);
  }
  if (step.kind == Step::Kind::kLeftOut) {
    DrawLeftOut(step, anchor);
    last_time_.reset();
  } else {
    const std::string time = fmt::format("{:.6f}", ToSeconds(step.time - ladder_.zero));
    if (time != last_time_text_) canvas_.Text(Layer::kTime, time_edge_, anchor + 3, time);
    last_time_text_ = time;
    last_time_ = step.time;
    drawn_item_ = step.item;
    const LadderItem& item = ItemOf(step);
    if (step.kind == Step::Kind::kArrival) {
      DrawArrival(std::get<LadderFrame>(item.what), anchor);
    } else {
      NoteWhatMayChangeStates(item, anchor);
      std::visit([&](const auto& what) { DrawItem(what, anchor); }, item.what);
    }
  }
  last_anchor_ = anchor;
  floor_ = anchor + reaches.floor;
  ++next_;
  return extent;
}

// ---------------------------------------------------------------------------------------------
// How it is drawn

void LadderStrip::DrawBreak(const Step& step, double y) {
  const double middle = y + 0.5 * kBreakHeight;
  breaks_.push_back(middle);
  for (const bool left : {true, false}) {
    const std::optional<Span> span = spans_[left ? 1 : 0];
    EndSpan(left, middle - 9);
    if (span) spans_[left ? 1 : 0] = Span{span->layer, middle + 9};
  }
  const std::string text = LongDuration(step.time - *last_time_) + " later";
  const double center = 0.5 * (left_line_ + right_line_);
  canvas_.Text(Layer::kMiddle, center, middle + 3, text);
  const double half = 0.5 * WidthOf(Layer::kMiddle, text) + 8;
  for (const double direction : {-1.0, 1.0}) {
    canvas_.Line(Layer::kQuiet, center + direction * half, middle,
                 direction < 0 ? left_line_ + 10 : right_line_ - 10, middle);
  }
}

void LadderStrip::DrawLeftOut(const Step& step, double y) {
  gaps_.push_back(y);
  for (const bool left : {true, false}) EndSpan(left, y - 8);
  canvas_.Text(Layer::kMiddle, 0.5 * (left_line_ + right_line_), y + 3,
               fmt::format("{} more, left out here", step.left_out));
  last_time_text_.clear();
}

void LadderStrip::DrawCallText(const LadderCall& call, double y,
                               const std::vector<std::string>& lines) {
  const bool left = IsAtLeft(call);
  const Layer layer = left ? Layer::kCallAtLeft : Layer::kCallAtRight;
  for (std::size_t index = 0; index < lines.size(); ++index) {
    canvas_.Text(layer, left ? left_text_ : right_text_, y + 4 + kLine * static_cast<double>(index),
                 lines[index]);
  }
}

void LadderStrip::DrawBar(const LadderCall& call, double from, double to, bool is_open) {
  const int lane = lane_of_call_[static_cast<std::size_t>(&call - ladder_.calls.data())];
  const double out = 6 + kLane * lane;
  const bool left = IsAtLeft(call);
  const double x = left ? left_line_ - out - 5 : right_line_ + out;
  canvas_.Rectangle(Layer::kCall, x, from, 5, std::max(4.0, to - from), is_open ? 0 : 1);
}

void LadderStrip::DrawItem(const LadderBegin& begin, double y) {
  const LadderCall& call = ladder_.calls[begin.call];
  if (call.is_whole) {
    DrawBar(call, y - 2, y + 2, false);
  } else {
    bars_[begin.call] = {y};
  }
  DrawCallText(call, y, CallLines(call));
}

void LadderStrip::DrawItem(const LadderReturn& end, double y) {
  const LadderCall& call = ladder_.calls[end.call];
  const auto bar = bars_.find(end.call);
  // Its beginning may be left out.
  const double from = bar != bars_.end() ? bar->second.y : gaps_.empty() ? y - 4 : gaps_.back();
  DrawBar(call, from, y, bar == bars_.end());
  if (bar != bars_.end()) bars_.erase(bar);
  DrawCallText(call, y, ReturnLines(call));
}

void LadderStrip::DrawItem(const LadderFrame& frame, double y) {
  const bool right = frame.to_the_right;
  const double direction = right ? 1 : -1;
  const double tail = (right ? left_line_ : right_line_) + direction;
  const double head = (right ? right_line_ : left_line_) - direction * 2;
  const bool is_again = frame.segment && frame.segment->is_retransmission;

  const std::vector<Line> lines = FrameLines(frame);
  for (std::size_t index = 0; index < lines.size(); ++index) {
    canvas_.Text(right ? Layer::kFromLeft : Layer::kFromRight, tail + direction * (kInset - 1),
                 y - 4 - kLine * static_cast<double>(lines.size() - 1 - index), lines[index]);
  }
  if (frame.is_resolution) {
    canvas_.Line(Layer::kQuiet, tail, y, head, y + kSlant);
    return;
  }
  switch (frame.fate()) {
    case Fate::kDropped: {
      const double x = 0.5 * (tail + head), at = y + 0.5 * kSlant;
      canvas_.Line(is_again ? Layer::kAgain : Layer::kArrow, tail, y, x, at);
      canvas_.Path(Layer::kLost,
                   fmt::format("M{} {}l10 10m0-10l-10 10", Coordinate(x - 5), Coordinate(at - 5)));
      return;
    }
    case Fate::kDelayed: {
      const double x = head - direction * (6 + 4 * (held_lane_++ % 3));
      canvas_.Line(is_again ? Layer::kAgain : Layer::kArrow, tail, y, x, y + kSlant);
      held_[drawn_item_] = {x, y + kSlant};
      return;
    }
    default:
      canvas_.Line(is_again ? Layer::kAgain : Layer::kArrow, tail, y, head - 4 * direction,
                   y + kSlant);
      if (frame.fate() == Fate::kDuplicated) {
        canvas_.Line(Layer::kArrow, tail, y + 3, head - 12 * direction, y + kSlant + 3);
      }
      canvas_.Path(is_again ? Layer::kAgainHead : Layer::kArrowHead,
                   fmt::format("M{} {}l{} -3.5v7z", Coordinate(head), Coordinate(y + kSlant),
                               right ? -8 : 8));
  }
}

// A delayed segment goes on: it has waited near its destination.
void LadderStrip::DrawArrival(const LadderFrame& frame, double y) {
  const auto held = held_.find(drawn_item_);
  if (held == held_.end()) return;
  const auto [x, from] = held->second;
  held_.erase(held);
  const double direction = frame.to_the_right ? 1 : -1;
  const double head = (frame.to_the_right ? right_line_ : left_line_) - direction * 2;
  canvas_.Line(Layer::kHeld, x, from, x, y);
  canvas_.Line(Layer::kAgain, x, y, head, y + 2);
  canvas_.Path(Layer::kAgainHead, fmt::format("M{} {}l{} -3.5v7z", Coordinate(head),
                                              Coordinate(y + 2), frame.to_the_right ? -6 : 6));
}

void LadderStrip::DrawItem(const LadderState& state, double y) {
  const StateEvent& event = *state.event;
  const bool left = state.side == LadderSide::kLeft;
  std::string text = CleanLine(event.state);
  if (ladder_.has_several_connections && !event.socket.empty()) {
    text += " " + CleanLine(event.socket.substr(event.socket.rfind(':')));
  }
  if (state.side == LadderSide::kOther) text = CleanLine(event.actor) + ": " + text;
  text = ShortenedTo(text, 18);
  const double width = WidthOf(Layer::kState, text) + 10;
  // Within the strip, also where the column beside the lifeline is narrow.
  const double x = std::min(LifelineOf(left), right_edge_ - 0.5 * width);
  canvas_.Rectangle(LayerOfState(event.state), x - 0.5 * width, y - 7, width, 14, 7);
  canvas_.Text(Layer::kState, x, y + 3, text);
  if (!ladder_.has_several_connections && state.side != LadderSide::kOther) {
    BeginSpan(left, event.state, y);
  }
}

void LadderStrip::DrawItem(const ExpectationEvent& expectation, double y) {
  const bool right = expectation.actor.empty() || expectation.actor == ladder_.left.name;
  const double direction = right ? 1 : -1;
  const double tail = (right ? left_line_ : right_line_) + direction;
  const double head = (right ? right_line_ : left_line_) - direction * 2;
  canvas_.Line(Layer::kMissing, tail, y, head - direction * 6, y + kSlant);
  canvas_.Path(Layer::kLost, fmt::format("M{} {}l{} 5l{} 5", Coordinate(head - direction * 7),
                                         Coordinate(y + kSlant - 5), Coordinate(7 * direction),
                                         Coordinate(-7 * direction)));
  const std::vector<std::string> lines = TextLines(ladder_.items[drawn_item_]);
  for (std::size_t index = 0; index < lines.size(); ++index) {
    canvas_.Text(Layer::kMissingText, 0.5 * (left_line_ + right_line_),
                 y - 4 - kLine * static_cast<double>(lines.size() - 1 - index), lines[index]);
  }
}

void LadderStrip::DrawItem(const FailureEvent&, double y) {
  const std::vector<std::string> lines = TextLines(ladder_.items[drawn_item_]);
  const double x = time_edge_ + 8, height = kLine * static_cast<double>(lines.size()) + 8;
  canvas_.Rectangle(Layer::kFailureBox, x, y - 12, right_edge_ - x, height, 3);
  for (std::size_t index = 0; index < lines.size(); ++index) {
    const Run::Tone tone = index == 0 ? Run::Tone::kStrong : Run::Tone::kPlain;
    canvas_.Text(Layer::kFailure, x + 8, y + 2 + kLine * static_cast<double>(index),
                 Line{{lines[index], tone}});
  }
}

void LadderStrip::DrawItem(const NoteEvent&, double y) {
  DrawRemark(ladder_.items[drawn_item_], y);
}
void LadderStrip::DrawItem(const ObservationEvent&, double y) {
  DrawRemark(ladder_.items[drawn_item_], y);
}
void LadderStrip::DrawRemark(const LadderItem& item, double y) {
  const std::vector<std::string> lines = TextLines(item);
  for (std::size_t index = 0; index < lines.size(); ++index) {
    canvas_.Text(Layer::kRemark, left_line_ + kInset, y + 3 + 12 * static_cast<double>(index),
                 lines[index]);
  }
}

void LadderStrip::DrawItem(const VerdictEvent& verdict, double y) {
  const Layer layer = verdict.verdict == Verdict::kPass   ? Layer::kPassed
                      : verdict.verdict == Verdict::kFail ? Layer::kFailed
                                                          : Layer::kUndecided;
  const std::vector<std::string> lines = TextLines(ladder_.items[drawn_item_]);
  for (std::size_t index = 0; index < lines.size(); ++index) {
    canvas_.Text(layer, time_edge_ + 10, y + 4 + LineHeight(layer) * static_cast<double>(index),
                 lines[index]);
  }
}

void LadderStrip::BeginSpan(bool left, const std::string& state, double y) {
  EndSpan(left, y);
  spans_[left ? 1 : 0] = Span{LayerOfState(state), y};
}

void LadderStrip::EndSpan(bool left, double y) {
  std::optional<Span>& span = spans_[left ? 1 : 0];
  if (span && y > span->y) {
    canvas_.Rectangle(span->layer, LifelineOf(left) - 2, span->y, 4, y - span->y);
  }
  span.reset();
}

// A state that was read is known until something happens that may change it; that of a scripted
// peer until its own next one.
void LadderStrip::NoteWhatMayChangeStates(const LadderItem& item, double y) {
  if (const auto* frame = std::get_if<LadderFrame>(&item.what)) {
    EndSpan(true, y);
    if (peer_states_.empty()) EndSpan(false, y);
    const auto inferred = peer_states_.find(drawn_item_);
    if (inferred == peer_states_.end()) return;
    const double at = frame->to_the_right ? y + kSlant : y;
    BeginSpan(false, inferred->second, at);
    canvas_.Text(Layer::kInferred, right_text_ - 2, at + 3, inferred->second);
  } else if (const auto* begin = std::get_if<LadderBegin>(&item.what)) {
    const LadderSide side = ladder_.calls[begin->call].side;
    if (side != LadderSide::kOther) EndSpan(side == LadderSide::kLeft, y);
  }
}

void LadderStrip::Finish(double y) {
  for (const bool left : {true, false}) EndSpan(left, y);
  for (const auto& [call, bar] : bars_) DrawBar(ladder_.calls[call], bar.y, y, true);
  for (const auto& [item, place] : held_) {
    canvas_.Line(Layer::kHeld, place.first, place.second, place.first, y);
  }
  for (const bool left : {true, false}) {
    if ((left ? ladder_.left : ladder_.right).name.empty()) continue;
    const double x = LifelineOf(left);
    std::string data = fmt::format("M{} {}", Coordinate(x), Coordinate(line_top_));
    std::vector<std::pair<double, bool>> cuts;  // where, and whether time passes there
    for (const double at : breaks_) cuts.emplace_back(at, true);
    for (const double at : gaps_) cuts.emplace_back(at, false);
    std::sort(cuts.begin(), cuts.end());
    for (const auto& [at, is_break] : cuts) {
      data += fmt::format("V{}", Coordinate(at - 8));
      // A zigzag, or a hole.
      data += is_break ? "l5 3-10 4 10 4-10 4 5 1" : "m0 16";
    }
    canvas_.Path(Layer::kLifeline, data + fmt::format("V{}", Coordinate(y)));
  }
}

}  // namespace sockproof

#include "src/picture/ladder_picture.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/trace/ladder_model.h"
#include "src/picture/canvas.h"
#include "src/picture/divergence.h"
#include "src/picture/ladder_strip.h"
#include "src/report/text.h"

namespace sockproof {
namespace {

constexpr double kMargin = 10;
constexpr double kTop = 34;      // below the title
constexpr double kBetween = 26;  // two strips

void DrawTitle(Canvas& canvas, double x, const std::string& title, double width) {
  const auto room = static_cast<std::size_t>((width - 2) / CharacterWidth(Layer::kTitle));
  canvas.Text(Layer::kTitle, x, 22, ShortenedTo(CleanLine(title), room));
}

// For those who cannot see the picture.
std::string Description(const Ladder& ladder) {
  std::size_t segments = 0, lost = 0, missing = 0, failures = 0;
  std::string verdict;
  for (const LadderItem& item : ladder.items) {
    if (const auto* frame = std::get_if<LadderFrame>(&item.what)) {
      ++segments;
      if (frame->fate() == Fate::kDropped) ++lost;
    }
    if (std::holds_alternative<ExpectationEvent>(item.what)) ++missing;
    if (std::holds_alternative<FailureEvent>(item.what)) ++failures;
    if (const auto* end = std::get_if<VerdictEvent>(&item.what)) {
      verdict = fmt::format("; verdict {}", VerdictName(end->verdict));
    }
  }
  std::string text =
      fmt::format("{} calls and {} frames between {} and {}", ladder.calls.size(), segments,
                  CleanLine(ladder.left.name), CleanLine(ladder.right.name));
  if (lost > 0) text += fmt::format(", {} of them lost", lost);
  if (missing > 0) text += fmt::format("; {} expected and never seen", missing);
  if (failures > 0) text += fmt::format("; {} failures", failures);
  return text + verdict;
}

std::string NothingHappened(const std::string& title, const PictureOptions& options) {
  Canvas canvas;
  DrawTitle(canvas, kMargin, title, 380);
  canvas.Text(Layer::kRemark, kMargin, 44, "nothing happened");
  return canvas.Svg(400, 60, CleanLine(title), "nothing happened", options.style);
}

// Draws what comes before step `end`.
void DrawUpTo(LadderStrip& strip, std::size_t end) {
  while (strip.next() < std::min(end, strip.size())) strip.Draw(strip.LeastAnchor());
}

class PairPicture {
 public:
  PairPicture(const Ladder& left, const Ladder& right, const PictureOptions& options)
      : found_(FirstDivergence(left, right)),
        left_(left, canvas_, OptionsFor(kMargin, found_.left, options)),
        right_(right, canvas_,
               OptionsFor(kMargin + left_.width() + kBetween, found_.right, options)) {}

  std::string Draw(const std::string& left_name, const std::string& right_name,
                   const std::string& title, const std::string& description,
                   const PictureOptions& options) {
    const double right_x = kMargin + left_.width() + kBetween;
    const double width = right_x + right_.width() + kMargin;
    DrawTitle(canvas_, kMargin, title, width - 2 * kMargin);
    for (const auto& [x, name, room] : {std::tuple(kMargin, left_name, left_.width()),
                                        std::tuple(right_x, right_name, right_.width())}) {
      const auto most = static_cast<std::size_t>(room / CharacterWidth(Layer::kTitle));
      canvas_.Text(Layer::kTitle, x, 44, ShortenedTo(CleanLine(name), most));
    }
    for (std::size_t index = 0; index < found_.alike.size(); ++index) {
      const auto& [left, right] = found_.alike[index];
      if (index == found_.first_in_time) {
        DrawDivergence(left, right, "first difference in time", width);
      } else {
        DrawInStep(left, right);
      }
    }
    if (found_.found()) DrawDivergence(found_.left, found_.right, "first difference", width);
    DrawUpTo(left_, left_.size());
    DrawUpTo(right_, right_.size());
    const double bottom = std::max(left_.bottom(), right_.bottom()) + 6;
    left_.Finish(bottom);
    right_.Finish(bottom);
    return canvas_.Svg(width, bottom + kMargin, CleanLine(title), description, options.style);
  }

  const Divergence& divergence() const { return found_; }

 private:
  static StripOptions OptionsFor(double x, std::optional<std::size_t> keep,
                                 const PictureOptions& options) {
    return {.x = x,
            .y = 54,
            .wire_characters = 36,
            .most_call_characters = 28,
            .most_items = options.most_items,
            .keep = keep};
  }

  void DrawInStep(std::size_t left_item, std::size_t right_item) {
    const auto left = left_.StepOf(left_item), right = right_.StepOf(right_item);
    if (!left || !right || *left < left_.next() || *right < right_.next()) return;
    DrawUpTo(left_, *left);
    DrawUpTo(right_, *right);
    const double anchor = std::max(left_.LeastAnchor(), right_.LeastAnchor());
    left_.Draw(anchor);
    right_.Draw(anchor);
  }

  static constexpr std::size_t kNoStep = ~std::size_t{0};

  // The step that shows an item, if it is still to be drawn.
  static std::size_t StepDue(const LadderStrip& strip, std::optional<std::size_t> item) {
    if (!item) return kNoStep;
    const auto step = strip.StepOf(*item);
    return step && *step >= strip.next() ? *step : kNoStep;
  }

  void DrawDivergence(std::optional<std::size_t> left_item, std::optional<std::size_t> right_item,
                      const std::string& what, double width) {
    const std::size_t left = StepDue(left_, left_item), right = StepDue(right_, right_item);
    if (left == kNoStep && right == kNoStep) return;
    if (left != kNoStep) DrawUpTo(left_, left);
    if (right != kNoStep) DrawUpTo(right_, right);
    const double top = std::max(left_.bottom(), right_.bottom()) + 6;
    left_.KeepFree(top + 14);
    right_.KeepFree(top + 14);
    double anchor = 0;
    if (left != kNoStep) anchor = std::max(anchor, left_.LeastAnchor());
    if (right != kNoStep) anchor = std::max(anchor, right_.LeastAnchor());
    double bottom = top + 30;
    if (left != kNoStep) bottom = std::max(bottom, left_.Draw(anchor).bottom);
    if (right != kNoStep) bottom = std::max(bottom, right_.Draw(anchor).bottom);
    canvas_.Rectangle(Layer::kHighlight, 2, top, width - 4, bottom + 3 - top, 4);
    canvas_.Text(Layer::kUndecided, kMargin, top + 12, what);
    left_.KeepFree(bottom + 4);
    right_.KeepFree(bottom + 4);
  }

  Canvas canvas_;
  Divergence found_;
  LadderStrip left_, right_;
};

}  // namespace

std::string LadderSvg(const std::vector<Event>& events, const std::string& title,
                      const PictureOptions& options) {
  const Ladder ladder = MakeLadder(events);
  if (ladder.items.empty()) return NothingHappened(title, options);
  Canvas canvas;
  LadderStrip strip(ladder, canvas, {.x = kMargin, .y = kTop, .most_items = options.most_items});
  DrawTitle(canvas, kMargin, title, strip.width());
  DrawUpTo(strip, strip.size());
  const double bottom = strip.bottom() + 6;
  strip.Finish(bottom);
  return canvas.Svg(strip.width() + 2 * kMargin, bottom + kMargin, CleanLine(title),
                    Description(ladder), options.style);
}

std::string LadderPairSvg(const NamedEvents& left, const NamedEvents& right,
                          const std::string& title, const PictureOptions& options) {
  const Ladder left_ladder = MakeLadder(left.events), right_ladder = MakeLadder(right.events);
  PairPicture picture(left_ladder, right_ladder, options);
  std::string description =
      fmt::format("{}: {}. {}: {}.", CleanLine(left.name), Description(left_ladder),
                  CleanLine(right.name), Description(right_ladder));
  if (!picture.divergence().found()) description += " No difference.";
  return picture.Draw(left.name, right.name, title, description, options);
}

}  // namespace sockproof

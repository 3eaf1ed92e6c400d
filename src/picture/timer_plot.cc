#include "src/picture/timer_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>

#include "src/picture/canvas.h"
#include "src/report/text.h"

namespace sockproof {
namespace {

constexpr double kPlotMargin = 10;
constexpr double kPlotWidth = 620;
constexpr double kRowHeight = 46;
constexpr double kBandHeight = 14;
constexpr std::size_t kMostNameCharacters = 28;
constexpr std::size_t kMostTimerRows = 40;
constexpr double kLogarithmicFrom = 30;  // the largest by the least of the times

bool IsDrawable(const TimerPoint& point) {
  constexpr double kMost = 1e9;
  for (const double value : {point.observed, point.documented, point.lower, point.upper}) {
    if (!(std::abs(value) <= kMost)) return false;
  }
  return true;
}

// "12.3 ms", "1.03 s", "7924 s".
std::string SecondsText(double seconds) {
  if (seconds != 0 && std::abs(seconds) < 1) return fmt::format("{:.3g} ms", 1e3 * seconds);
  return std::abs(seconds) < 1000 ? fmt::format("{:.3g} s", seconds)
                                  : fmt::format("{:.0f} s", seconds);
}

// Where a time is on the axis.
class Axis {
 public:
  explicit Axis(const std::vector<TimerRow>& rows) {
    double least = 0;
    for (const TimerRow& row : rows) {
      for (const TimerPoint& point : row.points) {
        if (!IsDrawable(point)) continue;
        most_ = std::max({most_, point.observed, point.upper});
        for (const double value : {point.observed, point.documented}) {
          if (value > 0) least = least == 0 ? value : std::min(least, value);
        }
      }
    }
    if (most_ <= 0) most_ = 1;
    is_logarithmic_ = least > 0 && most_ / least > kLogarithmicFrom;
    if (is_logarithmic_) least_ = least / 1.5;
    most_ *= is_logarithmic_ ? 1.3 : 1.08;
  }

  bool is_logarithmic() const { return is_logarithmic_; }

  // From 0 to 1; what is off the axis is at its end.
  double At(double seconds) const {
    const double place =
        is_logarithmic_ ? std::log(std::max(seconds, least_) / least_) / std::log(most_ / least_)
                        : seconds / most_;
    return std::clamp(place, 0.0, 1.0);
  }

  std::vector<double> Ticks() const {
    std::vector<double> ticks;
    if (is_logarithmic_) {
      const int last = static_cast<int>(std::floor(std::log10(most_)));
      for (int power = static_cast<int>(std::floor(std::log10(least_))); power <= last; ++power) {
        for (const double step : {1, 2, 5}) {
          const double tick = std::pow(10, power) * step;
          if (tick >= least_ && tick <= most_) ticks.push_back(tick);
        }
      }
      return ticks;
    }
    const double raw = most_ / 8, decade = std::pow(10, std::floor(std::log10(raw)));
    const double step = raw <= 2 * decade   ? 2 * decade
                        : raw <= 5 * decade ? 5 * decade
                                            : 10 * decade;
    for (int number = 0; number * step <= most_; ++number) ticks.push_back(number * step);
    return ticks;
  }

 private:
  double least_ = 0;
  double most_ = 0;
  bool is_logarithmic_ = false;
};

// Texts in one line, as many as have room.
class TextLine {
 public:
  TextLine(Canvas& canvas, Layer layer, double baseline, double left, double right)
      : canvas_(canvas), layer_(layer), baseline_(baseline), left_(left), right_(right) {}

  // From left to right.
  void Add(double center, const std::string& text) {
    const double half = 0.5 * WidthOf(layer_, text);
    center = std::clamp(center, left_ + half, std::max(left_ + half, right_ - half));
    if (center - half < taken_) return;
    canvas_.Text(layer_, center, baseline_, text);
    taken_ = center + half + 6;
  }

 private:
  Canvas& canvas_;
  Layer layer_;
  double baseline_, left_, right_;
  double taken_ = -1e9;
};

class TimerPlot {
 public:
  TimerPlot(const std::vector<TimerRow>& rows, double left) : axis_(rows), left_(left) {}

  void DrawRow(const TimerRow& row, double y) {
    canvas_.Text(Layer::kCallAtLeft, left_ - 14, y + 4,
                 ShortenedTo(CleanLine(row.name), kMostNameCharacters));
    canvas_.Line(Layer::kQuiet, left_, y, left_ + kPlotWidth, y);
    std::vector<TimerPoint> points = row.points;
    std::erase_if(points, [](const TimerPoint& point) { return !IsDrawable(point); });
    std::stable_sort(points.begin(), points.end(), [](const auto& one, const auto& other) {
      return one.observed < other.observed;
    });
    TextLine values(canvas_, Layer::kMiddle, y - 12, left_ - 8, left_ + kPlotWidth + kPlotMargin);
    for (const TimerPoint& point : points) {
      const double from = X(point.lower), to = X(point.upper), documented = X(point.documented);
      canvas_.Rectangle(Layer::kBand, from, y - 0.5 * kBandHeight, std::max(3.0, to - from),
                        kBandHeight);
      canvas_.Line(Layer::kDocumented, documented, y - 0.5 * kBandHeight, documented,
                   y + 0.5 * kBandHeight);
    }
    for (const TimerPoint& point : points) {
      canvas_.Circle(point.is_within() ? Layer::kDot : Layer::kWrongDot, X(point.observed), y, 3.5);
      values.Add(X(point.observed), SecondsText(point.observed));
    }
    if (points.empty()) canvas_.Text(Layer::kRemark, left_ + 4, y - 4, "nothing measured");
  }

  void DrawAxis(double top, double bottom) {
    canvas_.Line(Layer::kLifeline, left_, bottom, left_ + kPlotWidth, bottom);
    TextLine labels(canvas_, Layer::kMiddle, bottom + 14, left_ - 8,
                    left_ + kPlotWidth + kPlotMargin);
    for (const double tick : axis_.Ticks()) {
      canvas_.Line(Layer::kGrid, X(tick), top, X(tick), bottom + 3);
      labels.Add(X(tick), SecondsText(tick));
    }
  }

  Canvas& canvas() { return canvas_; }
  const Axis& axis() const { return axis_; }

 private:
  double X(double seconds) const { return left_ + kPlotWidth * axis_.At(seconds); }

  Canvas canvas_;
  Axis axis_;
  double left_;
};

// The name without the number at its end, and whether there is one.
std::pair<std::string, bool> CourseOf(const std::string& name) {
  std::size_t end = name.size();
  while (end > 0 && std::isdigit(static_cast<unsigned char>(name[end - 1])) != 0) --end;
  return {name.substr(0, end), end < name.size() && end > 0};
}

}  // namespace

std::vector<TimerPoint> TimerPoints(const std::vector<MeasurementEvent>& measurements) {
  std::vector<TimerPoint> points;
  std::map<std::string, double> reached;  // of each course
  for (const MeasurementEvent& measurement : measurements) {
    if (measurement.unit != "s") continue;
    const auto [course, is_step] = CourseOf(measurement.name);
    const double start = is_step ? reached[course] : 0;
    points.push_back({measurement.name, start + measurement.observed,
                      start + measurement.documented, start + measurement.lower,
                      start + measurement.upper});
    if (is_step) reached[course] = start + measurement.observed;
  }
  return points;
}

std::string TimerPlotSvg(const std::string& title, const std::vector<TimerRow>& rows,
                         const PictureOptions& options) {
  std::size_t longest = 4;
  for (const TimerRow& row : rows) longest = std::max(longest, CharactersOf(CleanLine(row.name)));
  longest = std::min(longest, kMostNameCharacters);
  const double left =
      kPlotMargin + 16 + static_cast<double>(longest) * CharacterWidth(Layer::kCallAtLeft);
  const double width = left + kPlotWidth + 2 * kPlotMargin;

  TimerPlot plot(rows, left);
  Canvas& canvas = plot.canvas();
  const auto room =
      static_cast<std::size_t>((width - 2 * kPlotMargin) / CharacterWidth(Layer::kTitle));
  canvas.Text(Layer::kTitle, kPlotMargin, 22, ShortenedTo(CleanLine(title), room));
  const double top = 34;
  double y = top + 28;
  const std::size_t shown = std::min(rows.size(), kMostTimerRows);
  std::size_t beyond = 0;
  for (std::size_t index = 0; index < shown; ++index, y += kRowHeight) {
    plot.DrawRow(rows[index], y);
    for (const TimerPoint& point : rows[index].points) beyond += point.is_within() ? 0 : 1;
  }
  const double bottom = y - 14;
  plot.DrawAxis(top, bottom);
  std::string legend = "dot: observed · line: documented · band: taken for it";
  if (plot.axis().is_logarithmic()) legend += " · logarithmic";
  if (rows.size() > shown) legend += fmt::format(" · {} more systems", rows.size() - shown);
  canvas.Text(Layer::kRemark, kPlotMargin, bottom + 34, legend);
  const std::string description = fmt::format(
      "observed times of {} systems; {} outside of what is documented", rows.size(), beyond);
  return canvas.Svg(width, bottom + 44, CleanLine(title), description, options.style);
}

}  // namespace sockproof

// Measured times against what is documented, as a picture (SVG): a row for each system, all on one
// axis; a band for what is documented with its tolerance, a dot for what was observed.
#pragma once

#include <string>
#include <vector>

#include "harness/trace/event.h"
#include "src/picture/ladder_picture.h"

namespace sockproof {

// One of them, on an axis of seconds.
struct TimerPoint {
  std::string label;  // "SYN retransmission 2"
  double observed = 0;
  double documented = 0;
  double lower = 0;
  double upper = 0;

  bool is_within() const { return lower <= observed && observed <= upper; }
};

struct TimerRow {
  std::string name;  // of the system
  std::vector<TimerPoint> points;
};

// The measurements in seconds. Those with a number at the end of their name are steps of one
// course: each begins where the one before was observed.
std::vector<TimerPoint> TimerPoints(const std::vector<MeasurementEvent>& measurements);

// As LadderSvg(): well-formed, any text shown as text, nothing over anything else. The axis is
// logarithmic when the times differ by more than a factor of 30.
std::string TimerPlotSvg(const std::string& title, const std::vector<TimerRow>& rows,
                         const PictureOptions& options = {});

}  // namespace sockproof

// One ladder as a vertical strip of a picture.
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/trace/ladder_model.h"
#include "src/picture/canvas.h"

namespace sockproof {

struct StripOptions {
  double x = 0;                           // of its left edge
  double y = 0;                           // of its top
  std::size_t wire_characters = 46;       // room for the text of a segment
  std::size_t most_call_characters = 36;  // for that of a call
  std::size_t most_items = 120;
  std::optional<std::size_t> keep = {};  // an item near which nothing is left out
};

// Draws one step after the other. A step is an item of the ladder, the arrival of a delayed
// segment, or the place of items that are left out. Each has an anchor: the height that stands for
// its time. The ladder and the canvas must outlive it.
class LadderStrip {
 public:
  LadderStrip(const Ladder& ladder, Canvas& canvas, const StripOptions& options);

  double width() const;

  // The next step to be drawn.
  std::size_t next() const { return next_; }
  std::size_t size() const { return steps_.size(); }
  // That of an item; none when it is left out.
  std::optional<std::size_t> StepOf(std::size_t item) const;

  // The least anchor for the next step.
  double LeastAnchor() const;
  // From where to where a step was drawn.
  struct Extent {
    double top = 0;
    double bottom = 0;
  };
  Extent Draw(double anchor);

  // Keeps the room above `y` free of what is yet to come.
  void KeepFree(double y);
  double bottom() const;  // of all that was drawn

  // Ends what reaches from step to step: lifelines, states, calls that did not return.
  void Finish(double y);

 private:
  enum Column { kLeft, kWire, kRight, kColumns };
  struct Step {
    enum class Kind { kItem, kArrival, kLeftOut } kind = Kind::kItem;
    Time time;
    std::size_t item = 0;  // of an arrival, the delayed segment
    std::size_t left_out = 0;
  };
  // How far a step reaches above and below its anchor.
  struct Reach {
    bool used = false;
    double above = 0;
    double below = 0;
  };
  struct Reaches {
    std::array<Reach, kColumns> columns;
    double floor = 0;  // the next anchor is that far below
  };
  using Line = std::vector<Run>;

  struct Bar {  // a call on its way
    double y = 0;
  };
  struct Span {  // a state, shown along a lifeline
    Layer layer;
    double y = 0;
  };

  void MakeSteps(const StripOptions& options);
  void AddArrivals();
  void FindRepeatedOptions();
  void ChooseLanes();
  void ChooseColumns(const StripOptions& options);
  void DrawHeading();

  const LadderItem& ItemOf(const Step& step) const { return ladder_.items[step.item]; }
  Reaches ReachesOf(const Step& step) const;
  bool HasBreakBefore(const Step& step) const;
  void DrawBreak(const Step& step, double y);

  std::vector<Line> FrameLines(const LadderFrame& frame) const;
  std::vector<std::string> CallLines(const LadderCall& call) const;
  std::string ReturnText(const LadderCall& call) const;
  std::vector<std::string> ReturnLines(const LadderCall& call) const;
  std::vector<std::string> TextLines(const LadderItem& item) const;
  std::string InferredState(const Step& step) const;
  std::size_t FullWidthCharacters(Layer layer) const;

  void DrawItem(const LadderBegin& begin, double y);
  void DrawItem(const LadderReturn& end, double y);
  void DrawItem(const LadderFrame& frame, double y);
  void DrawItem(const LadderState& state, double y);
  void DrawItem(const ExpectationEvent& expectation, double y);
  void DrawItem(const FailureEvent& failure, double y);
  void DrawItem(const NoteEvent& note, double y);
  void DrawItem(const ObservationEvent& observation, double y);
  void DrawItem(const VerdictEvent& verdict, double y);
  void DrawArrival(const LadderFrame& frame, double y);
  void DrawLeftOut(const Step& step, double y);
  void DrawBar(const LadderCall& call, double from, double to, bool is_open);
  void DrawCallText(const LadderCall& call, double y, const std::vector<std::string>& lines);
  void DrawRemark(const LadderItem& item, double y);

  bool IsAtLeft(const LadderCall& call) const { return call.side == LadderSide::kLeft; }
  double LifelineOf(bool left) const { return left ? left_line_ : right_line_; }
  void EndSpan(bool left, double y);
  void BeginSpan(bool left, const std::string& state, double y);
  void NoteWhatMayChangeStates(const LadderItem& item, double y);

  const Ladder& ladder_;
  Canvas& canvas_;
  std::vector<Step> steps_;
  std::map<std::size_t, std::size_t> step_of_item_;
  std::map<std::size_t, std::string> peer_states_;
  std::set<const LadderFrame*> has_known_options_;  // those of the segment sent before

  double left_edge_ = 0, time_edge_ = 0, left_text_ = 0, left_line_ = 0, right_line_ = 0,
         right_text_ = 0, right_edge_ = 0, top_ = 0;
  std::size_t wire_characters_, left_characters_ = 0, right_characters_ = 0;
  std::vector<int> lane_of_call_;
  int left_lanes_ = 1, right_lanes_ = 1;
  bool has_right_calls_ = false;

  std::size_t next_ = 0;
  std::optional<Time> last_time_;
  std::string last_time_text_;
  double last_anchor_ = 0, floor_ = 0;
  std::array<double, kColumns> bottoms_{};
  std::size_t drawn_item_ = 0;
  std::map<std::size_t, Bar> bars_;                        // by call
  std::map<std::size_t, std::pair<double, double>> held_;  // x and y of delayed segments that wait
  int held_lane_ = 0;
  std::array<std::optional<Span>, 2> spans_;  // right, left
  std::vector<double> breaks_;
  std::vector<double> gaps_;  // where items are left out
  double line_top_ = 0;
};

}  // namespace sockproof

// SVG 1.1 as pictures here need it: shapes and measured text in layers, colors by class.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sockproof {

// From the lowest to the topmost. Each is one group with one class, so that elements are short.
enum class Layer {
  kHighlight,
  kGrid,
  kLifeline,
  kCall,
  kOpening,      // spans of states on a lifeline: SYN-SENT, SYN-RECEIVED
  kEstablished,  // ESTABLISHED
  kClosing,      // FIN-WAIT-1, FIN-WAIT-2, CLOSING
  kPassive,      // CLOSE-WAIT, LAST-ACK
  kTimeWait,     // TIME-WAIT
  kClosed,       // CLOSED, LISTEN and unknown ones
  kFailureBox,   // over the lifelines
  kBand,         // what is documented, with its tolerance
  kDocumented,
  kArrow,
  kArrowHead,
  kAgain,  // retransmitted
  kAgainHead,
  kLost,
  kMissing,
  kHeld,
  kQuiet,  // address resolution, rules
  kBreak,
  kDot,
  kWrongDot,
  kTitle,  // texts from here on
  kHeading,
  kTime,
  kCallAtLeft,
  kCallAtRight,
  kFromLeft,
  kFromRight,
  kRemark,
  kMiddle,
  kState,
  kInferred,
  kFailure,
  kMissingText,
  kPassed,
  kFailed,
  kUndecided,
  kCount
};

// A part of a text with an emphasis of its own.
struct Run {
  std::string text;
  enum class Tone { kPlain, kStrong, kDim, kWarning } tone = Tone::kPlain;
};

// Width of clean text in characters of a monospaced font; what such a font may lack counts twice.
std::size_t CharactersOf(std::string_view clean);

// At most `most` characters of clean text, with an ellipsis where there were more.
std::string ShortenedTo(std::string_view clean, std::size_t most);

// Clean text in lines of at most `width` characters, broken after spaces, commas and the like; what
// does not fit in `most` lines is left out, with an ellipsis.
std::vector<std::string> Wrapped(std::string_view clean, std::size_t width, std::size_t most);

// Width of one character and height of one line of a text layer.
double CharacterWidth(Layer layer);
double LineHeight(Layer layer);
double WidthOf(Layer layer, std::string_view clean);

// Collects elements. Coordinates are rounded to halves. Texts are taken as they are: clean text
// (src/report/text.h), which this escapes.
class Canvas {
 public:
  void Rectangle(Layer layer, double x, double y, double width, double height, double round = 0);
  void Circle(Layer layer, double x, double y, double radius);
  void Path(Layer layer, const std::string& data);
  void Line(Layer layer, double x1, double y1, double x2, double y2);
  void Text(Layer layer, double x, double baseline, const std::string& clean);
  void Text(Layer layer, double x, double baseline, const std::vector<Run>& runs);

  // `style`: whether the picture brings its own style.
  std::string Svg(double width, double height, const std::string& title,
                  const std::string& description, bool style) const;

 private:
  std::array<std::string, static_cast<std::size_t>(Layer::kCount)> layers_;
};

// A coordinate as the canvas writes it.
std::string Coordinate(double value);

// The style that all pictures share: colors for light and dark. Custom properties --sp-ink,
// --sp-dim and so on may be set by a page.
std::string PictureStyle();

}  // namespace sockproof

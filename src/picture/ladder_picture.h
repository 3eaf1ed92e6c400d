// The ladder of a test as a picture (SVG): time downwards, compressed, with long waits cut out and
// said; socket calls at the outer edges, from entry to return; segments as arrows between two
// lifelines; what was lost, held back, sent again, or expected and never seen, each in its own way.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "harness/trace/event.h"

namespace sockproof {

struct PictureOptions {
  // With its own style, for a file. A page has PictureStyle() (src/picture/canvas.h) once, and its
  // pictures without.
  bool style = true;
  // Of a longer ladder the middle is left out.
  std::size_t most_items = 120;
};

// Well-formed SVG 1.1 without scripts, fonts, identifiers and links; any bytes in the events are
// shown as text. `title`, usually the id of the test, is its first line. Without events an empty
// picture that says so. Never throws on malformed frames.
std::string LadderSvg(const std::vector<Event>& events, const std::string& title,
                      const PictureOptions& options = {});

struct NamedEvents {
  std::string name;  // of the system
  const std::vector<Event>& events;
};

// Two ladders of one test side by side. They run in step down to the first difference
// (src/picture/divergence.h), which is highlighted.
std::string LadderPairSvg(const NamedEvents& left, const NamedEvents& right,
                          const std::string& title, const PictureOptions& options = {});

}  // namespace sockproof

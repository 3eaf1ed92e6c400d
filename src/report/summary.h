// The end of a run in a few lines of text: what surprised, how many of what, which claims held.
#pragma once

#include <optional>
#include <string>

#include "src/report/result.h"

namespace sockproof {

// A line for each surprise, a line of counts, a line for each axis of claims, a line for each stale
// departure. Clean text (text.h) apart from the colors, if any; ends with a newline.
std::string RenderSummary(const RunResult& run, bool color);

// The verdict in five characters or more, in its color for a terminal.
std::string PaintedVerdict(std::optional<Verdict> verdict, bool color);

}  // namespace sockproof

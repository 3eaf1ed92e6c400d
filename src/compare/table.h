// A comparison as a table for a terminal.
#pragma once

#include <string>

#include "src/compare/comparison.h"

namespace sockproof {

struct TableStyle {
  bool all = false;       // rows that do not differ, too
  bool by_claim = false;  // rows are claims instead of tests
  bool color = false;
  std::size_t width = 100;  // a table that is wider has numbers for names of systems
};

// The systems, the rows by suite or authority with observed values below, what was left out, and
// how many claims hold, by axis and level. Clean text apart from the colors; ends with a newline.
std::string RenderTable(const Comparison& comparison, const TableStyle& style);

// How many claims of an axis and level hold on each system. Nothing adds up axes or levels.
struct AxisRow {
  std::string axis;   // "standards", "documentation", "notes"
  std::string level;  // of claims
  struct Count {
    int held = 0;
    int departed = 0;
    int not_taken = 0;
    int not_reached = 0;
    int undecided = 0;
  };
  std::vector<Count> counts;  // one for each system
};

// By axis, then level: MUST, SHOULD, MAY, any other.
std::vector<AxisRow> AxisRows(const Comparison& comparison);

}  // namespace sockproof

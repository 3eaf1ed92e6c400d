// Where two ladders of one test part.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/trace/ladder_model.h"

namespace sockproof {

struct Divergence {
  // Items of the first difference; none where a ladder has nothing that corresponds. Both none when
  // there is no difference.
  std::optional<std::size_t> left, right;
  std::string what;  // "first difference", "first difference in time"
  // Items before it that correspond to each other, ascending in both.
  std::vector<std::pair<std::size_t, std::size_t>> alike;

  bool found() const { return left || right; }
};

// Segments correspond by flags (but PSH), relative numbers and length, calls by function and
// result; window, options and addresses may differ. When all are alike, the first of them that
// comes a quarter (and 0.1 s) later after the one before it than its counterpart is the difference.
Divergence FirstDivergence(const Ladder& left, const Ladder& right);

}  // namespace sockproof

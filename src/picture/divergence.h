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
  // Items before it that correspond to each other, ascending in both.
  std::vector<std::pair<std::size_t, std::size_t>> alike;
  // The first of these that comes after another time than its counterpart.
  std::optional<std::size_t> first_in_time;

  bool found() const { return left || right; }
};

// Segments correspond by flags (but PSH), relative numbers and length, calls by function and
// result; window, options and addresses may differ. A time is another one when a segment, or the
// return of a call, comes half a second or more after the one before it, and its counterpart does
// so a quarter and 0.1 s sooner or later.
Divergence FirstDivergence(const Ladder& left, const Ladder& right);

}  // namespace sockproof

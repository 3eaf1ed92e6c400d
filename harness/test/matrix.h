// A rule that is checked on every cell of a matrix, in one test and one process.
//
//   // socket(7), SO_REUSEADDR: ...
//   TEST_WITH_SOCKETS(BindConflicts, OfListeners, .claims = {...}, .over = kOnce) {
//     Matrix matrix({"first", "second"});
//     for (const Holder& first : kHolders) {
//       for (const Holder& second : kHolders) {
//         matrix.Check({first.name, second.name}, [&](Cell& cell) {
//           Socket holder = Hold(first);
//           cell.Expect(Prepare(second).Bind(...), HasErrno(Overlap(first, second) ? EADDRINUSE : 0));
//         });
//       }
//     }
//   }
//
// The verdict counts the cells that disagree and names the first of them; the result keeps what was
// observed in each, and `sockproof compare` shows how systems differ in them. The calls of a cell
// are in the ladder where it disagrees, for the first few, and where it calls something that no
// cell before it did.
#pragma once

#include <gmock/gmock.h>

#include <cstddef>
#include <functional>
#include <initializer_list>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/errors.h"
#include "harness/test/matchers.h"

namespace sockproof {

// One cell, while it is checked.
class Cell {
 public:
  // What was observed there, and what the rule says. May be called several times.
  template <typename T, typename M>
  void Expect(const T& observed, const M& rule) {
    const testing::Matcher<const T&> matcher = testing::SafeMatcherCast<const T&>(rule);
    Note(Observed(observed), matcher.Matches(observed), [&] {
      return testing::DescribeMatcher<const T&>(matcher);
    });
  }

 private:
  friend class Matrix;

  // Of a call what it gave, without the call.
  template <typename T>
  static std::string Observed(const Outcome<T>& outcome) {
    std::string text =
        outcome.ok() ? printing::Readable(outcome.value()) : ErrnoName(outcome.error());
    for (const std::string& signal : outcome.signals) text += ", raising " + signal;
    return text;
  }
  template <typename T>
  static std::string Observed(const T& value) {
    return testing::PrintToString(value);
  }
  void Note(const std::string& observed, bool agrees, const std::function<std::string()>& rule);

  std::string observed_;
  std::string expected_;  // by the rule, of what disagrees
};

// A test may have several, with the same axes: one for each claim that it tells apart.
class Matrix {
 public:
  // `axes` says what the coordinates of a cell are: {"first", "second"}.
  explicit Matrix(std::vector<std::string> axes, SourceLocation where = SourceLocation::Current());
  // Reports what disagreed as a failure of the test, at the line of the matrix. Throws Skip when
  // every cell was skipped.
  ~Matrix() noexcept(false);
  Matrix(const Matrix&) = delete;
  Matrix& operator=(const Matrix&) = delete;

  // Checks the cell at these coordinates, one for each axis. A Skip that `check` throws leaves out
  // this cell alone; whatever else it throws ends the test. Throws HarnessError for a cell that was
  // checked before.
  void Check(const std::vector<std::string>& at, const std::function<void(Cell&)>& check);

 private:
  void End(const std::vector<std::string>& at, const Cell& cell);

  std::vector<std::string> axes_;
  SourceLocation where_;
  std::string claim_;  // the one that it decides
  std::set<std::vector<std::string>> checked_;
  std::size_t decided_ = 0;
  std::size_t disagreeing_ = 0;
  std::string first_disagreeing_;  // a line for each of the first few
  std::string why_skipped_;        // the first that was
};

}  // namespace sockproof

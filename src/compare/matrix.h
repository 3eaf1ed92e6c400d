// The matrix of one test on several systems: in which cells they differ, or disagree with the rule.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "src/compare/comparison.h"

namespace sockproof {

struct MatrixRow {
  std::vector<std::string> at;  // a word for each axis
  std::vector<const CellEvent*>
      cells;  // one for each system; null: it has no such cell, or skips it

  // Whether not all that have it observed the same.
  bool differs() const;
};

struct ComparedMatrix {
  std::vector<std::string> axes;         // none: no system has a matrix
  std::size_t size = 0;                  // in cells that any system has
  std::vector<std::size_t> disagreeing;  // for each system, how many cells disagree with the rule
  std::vector<MatrixRow> rows;           // where systems differ, or one disagrees
};

// Of the first test in each cell of `row`, whose results it refers to.
ComparedMatrix CompareMatrices(const TestRow& row);

// Whether both tests observed the same in each cell.
bool SameCells(const TestResult& a, const TestResult& b);

}  // namespace sockproof

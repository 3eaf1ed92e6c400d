#include "src/compare/matrix.h"

#include <algorithm>
#include <map>

namespace sockproof {

bool MatrixRow::differs() const {
  const CellEvent* first = nullptr;
  for (const CellEvent* cell : cells) {
    if (cell == nullptr) continue;
    if (first != nullptr && first->observed != cell->observed) return true;
    first = cell;
  }
  return false;
}

ComparedMatrix CompareMatrices(const TestRow& row) {
  ComparedMatrix matrix;
  matrix.disagreeing.resize(row.cells.size());
  std::vector<MatrixRow> rows;
  std::map<std::vector<std::string>, std::size_t> places;
  for (std::size_t system = 0; system < row.cells.size(); ++system) {
    if (row.cells[system].tests.empty()) continue;
    const TestResult& test = *row.cells[system].tests.front();
    if (matrix.axes.empty()) matrix.axes = test.axes;
    for (const CellEvent& cell : test.cells) {
      if (cell.observed.starts_with("SKIP: ")) continue;
      const auto [place, is_new] = places.try_emplace(cell.at, rows.size());
      if (is_new) rows.push_back({cell.at, std::vector<const CellEvent*>(row.cells.size())});
      rows[place->second].cells[system] = &cell;
      matrix.disagreeing[system] += cell.expected.empty() ? 0 : 1;
    }
  }
  matrix.size = rows.size();
  for (MatrixRow& one : rows) {
    const bool disagrees = std::any_of(one.cells.begin(), one.cells.end(), [](const auto* cell) {
      return cell != nullptr && !cell->expected.empty();
    });
    if (disagrees || one.differs()) matrix.rows.push_back(std::move(one));
  }
  return matrix;
}

bool SameCells(const TestResult& a, const TestResult& b) {
  return std::equal(a.cells.begin(), a.cells.end(), b.cells.begin(), b.cells.end(),
                    [](const CellEvent& one, const CellEvent& other) {
                      return one.at == other.at && one.observed == other.observed;
                    });
}

}  // namespace sockproof

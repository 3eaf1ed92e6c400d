#include "src/report/matrix_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace sockproof {
namespace {

using Json = nlohmann::ordered_json;

// Where it stands; added at the end if it does not.
template <typename T>
std::size_t IndexOf(std::vector<T>& all, const T& one) {
  const auto found = std::find(all.begin(), all.end(), one);
  if (found != all.end()) return static_cast<std::size_t>(found - all.begin());
  all.push_back(one);
  return all.size() - 1;
}

Json CellJson(const CellEvent& cell) {
  if (cell.expected.empty()) return cell.observed;
  return Json{{"observed", cell.observed}, {"expected", cell.expected}};
}

}  // namespace

Json MatrixJson(const Words& axes, const std::vector<CellEvent>& cells) {
  Words columns;
  std::vector<Words> rows;
  std::vector<std::vector<Json>> table;
  for (const CellEvent& cell : cells) {
    if (cell.at.empty()) continue;
    const std::size_t column = IndexOf(columns, cell.at.back());
    const std::size_t row = IndexOf(rows, Words(cell.at.begin(), cell.at.end() - 1));
    table.resize(rows.size());
    if (table[row].size() <= column) table[row].resize(column + 1);
    table[row][column] = CellJson(cell);
  }
  Json json{{"axes", axes}, {"columns", columns}, {"rows", Json::array()}};
  for (std::size_t row = 0; row < rows.size(); ++row) {
    table[row].resize(columns.size());
    json["rows"].push_back(Json{{"at", rows[row]}, {"cells", table[row]}});
  }
  return json;
}

}  // namespace sockproof

#include "src/compare/table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "src/compare/matrix.h"
#include "src/compare/releases.h"
#include "src/report/axes.h"
#include "src/report/text.h"

namespace sockproof {
namespace {

constexpr const char* kIndent = "  ";

std::size_t Width(const std::string& clean) {
  return static_cast<std::size_t>(std::count_if(clean.begin(), clean.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

struct Text {
  std::string text;
  const char* color = "";
};

const char* ColorOf(Answer answer) {
  if (answer == Answer::kPass) return "\x1b[32m";
  if (answer == Answer::kFail || answer == Answer::kError) return "\x1b[1;31m";
  return answer == Answer::kAbsent ? "" : "\x1b[33m";
}

Text TestAnswer(Answer answer) {
  if (answer == Answer::kAbsent) return {"-"};
  if (answer == Answer::kKnownDeparture) return {"known", ColorOf(answer)};
  return {std::string(AnswerText(answer)), ColorOf(answer)};
}

Text ClaimAnswer(Answer answer) {
  if (answer == Answer::kAbsent) return {"-"};
  if (answer == Answer::kKnownDeparture) return {"known", ColorOf(answer)};
  return {std::string(ClaimAnswerText(answer)), ColorOf(answer)};
}

// Lines with a name and a cell for each system, or with a heading alone.
class Table {
 public:
  void Heading(const std::string& text) { lines_.push_back({CleanLine(text), {}}); }
  void Row(const std::string& name, std::vector<Text> cells) {
    for (Text& cell : cells) cell.text = CleanLine(cell.text);
    lines_.push_back({CleanLine(name), std::move(cells)});
  }

  std::size_t WidthWith(const std::vector<std::string>& columns) const {
    std::size_t width = FirstColumn();
    for (std::size_t i = 0; i < columns.size(); ++i) width += 2 + ColumnWidth(columns, i);
    return width;
  }

  std::string Render(const std::vector<std::string>& columns, bool color) const {
    std::vector<Text> head;
    for (const std::string& column : columns) head.push_back({column});
    std::string result = Line("", head, columns, false);
    for (const auto& [name, cells] : lines_) {
      result += cells.empty() ? name + "\n" : Line(kIndent + name, cells, columns, color);
    }
    return result;
  }

 private:
  std::size_t FirstColumn() const {
    std::size_t width = 0;
    for (const auto& [name, cells] : lines_) width = std::max(width, Width(name) + 2);
    return width;
  }

  std::size_t ColumnWidth(const std::vector<std::string>& columns, std::size_t i) const {
    std::size_t width = Width(columns[i]);
    for (const auto& [name, cells] : lines_) {
      if (!cells.empty()) width = std::max(width, Width(cells[i].text));
    }
    return width;
  }

  std::string Line(const std::string& name, const std::vector<Text>& cells,
                   const std::vector<std::string>& columns, bool color) const {
    std::string line = name + std::string(FirstColumn() - Width(name), ' ');
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const auto& [text, code] = cells[i];
      const bool painted = color && *code != '\0';
      line += "  " + (painted ? code + text + "\x1b[0m" : text);
      if (i + 1 < cells.size()) line += std::string(ColumnWidth(columns, i) - Width(text), ' ');
    }
    return line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }

  std::vector<std::pair<std::string, std::vector<Text>>> lines_;
};

// Of a matrix how many cells disagree with the rule, and the first where systems differ or
// disagree.
void AddCells(const ComparedMatrix& matrix, Table& table) {
  constexpr std::size_t kMostRows = 10;
  if (matrix.size == 0) return;
  std::vector<Text> counts;
  for (const std::size_t count : matrix.disagreeing) counts.push_back({std::to_string(count)});
  table.Row(fmt::format("= disagree, of {} cells", matrix.size), std::move(counts));
  for (std::size_t i = 0; i < std::min(kMostRows, matrix.rows.size()); ++i) {
    std::vector<Text> values;
    for (const CellEvent* cell : matrix.rows[i].cells) {
      values.push_back({cell == nullptr ? "-" : cell->observed,
                        cell == nullptr || cell->expected.empty() ? "" : ColorOf(Answer::kFail)});
    }
    table.Row(fmt::format("  {}", fmt::join(matrix.rows[i].at, ", ")), std::move(values));
  }
  if (matrix.rows.size() > kMostRows) {
    table.Row(fmt::format("  and {} more", matrix.rows.size() - kMostRows),
              std::vector<Text>(matrix.disagreeing.size()));
  }
}

void AddTests(const Comparison& comparison, bool all, Table& table) {
  const std::string* suite = nullptr;
  for (const TestRow& row : comparison.tests) {
    if (!all && !row.differs) continue;
    if (suite == nullptr || *suite != row.suite) table.Heading(row.suite);
    suite = &row.suite;
    std::vector<Text> cells;
    for (const TestCell& cell : row.cells) cells.push_back(TestAnswer(cell.answer));
    table.Row(row.test.substr(std::min(row.test.size(), row.suite.size() + 1)), std::move(cells));
    for (const std::string& name : ObservedNames(row)) {
      std::vector<Text> values;
      for (const TestCell& cell : row.cells) values.push_back({ObservedIn(cell, name)});
      table.Row("= " + name, std::move(values));
    }
    AddCells(CompareMatrices(row), table);
    const std::string since = SinceRelease(comparison, row);
    if (!since.empty()) table.Row("= " + since, std::vector<Text>(row.cells.size()));
  }
}

void AddClaims(const Comparison& comparison, bool all, Table& table) {
  const std::string* authority = nullptr;
  for (const ClaimRow& row : comparison.claims) {
    if (!all && !row.differs) continue;
    if (authority == nullptr || *authority != row.authority) {
      table.Heading(fmt::format("{} ({})", row.authority, row.axis));
    }
    authority = &row.authority;
    std::vector<Text> cells;
    for (const Answer answer : row.cells) cells.push_back(ClaimAnswer(answer));
    table.Row(fmt::format("{} {}", row.claim.id, row.claim.level), std::move(cells));
  }
}

void AddAxes(const Comparison& comparison, Table& table) {
  table.Heading("claims: held, departed, not taken, not reached, undecided");
  for (const AxisRow& row : AxisRows(comparison)) {
    std::vector<Text> cells;
    for (const AxisRow::Count& count : row.counts) {
      cells.push_back({fmt::format("{}, {}, {}, {}, {}", count.held, count.departed,
                                   count.not_taken, count.not_reached, count.undecided)});
    }
    table.Row(fmt::format("{} {}", row.axis, row.level), std::move(cells));
  }
}

template <typename Row>
std::string WhatDiffers(const std::vector<Row>& rows, const char* what, const TableStyle& style,
                        std::size_t systems) {
  const auto differ =
      std::count_if(rows.begin(), rows.end(), [](const Row& row) { return row.differs; });
  return fmt::format("{} of {} {} {}{}\n", differ, rows.size(), what,
                     systems == 1 ? "depart" : "differ",
                     style.all ? "" : "; --all shows the others too");
}

// How much of the comparison rests on tests that every system was given.
std::string InCommon(const Comparison& comparison) {
  const auto of_all =
      std::count_if(comparison.tests.begin(), comparison.tests.end(), [](const TestRow& row) {
        return std::none_of(row.cells.begin(), row.cells.end(),
                            [](const TestCell& cell) { return cell.answer == Answer::kAbsent; });
      });
  if (of_all == static_cast<std::ptrdiff_t>(comparison.tests.size())) return "";
  return fmt::format("{} of {} tests were given to all systems\n", of_all, comparison.tests.size());
}

int LevelRank(const std::string& level) {
  return level == "MUST" ? 0 : level == "SHOULD" ? 1 : level == "MAY" ? 2 : 3;
}

}  // namespace

std::vector<AxisRow> AxisRows(const Comparison& comparison) {
  std::vector<AxisRow> rows;
  for (const char* axis : {"standards", "documentation", "notes"}) {
    std::vector<AxisRow> of_axis;
    for (std::size_t i = 0; i < comparison.systems.size(); ++i) {
      const Axes axes = AxesOf(comparison.systems[i].run);
      const std::vector<ClaimCounts>& all = axis == std::string("standards") ? axes.standards
                                            : axis == std::string("notes")   ? axes.notes
                                                                             : axes.documentation;
      for (const ClaimCounts& counts : all) {
        auto row = std::find_if(of_axis.begin(), of_axis.end(),
                                [&](const AxisRow& other) { return other.level == counts.level; });
        if (row == of_axis.end()) {
          of_axis.push_back({axis, counts.level, {}});
          of_axis.back().counts.resize(comparison.systems.size());
          row = of_axis.end() - 1;
        }
        row->counts[i].held += counts.held;
        row->counts[i].departed += counts.departed;
        row->counts[i].not_taken += counts.not_taken;
        row->counts[i].not_reached += counts.not_reached;
        row->counts[i].undecided += counts.undecided - counts.not_reached;
      }
    }
    std::stable_sort(of_axis.begin(), of_axis.end(), [](const AxisRow& a, const AxisRow& b) {
      return LevelRank(a.level) < LevelRank(b.level);
    });
    rows.insert(rows.end(), of_axis.begin(), of_axis.end());
  }
  return rows;
}

std::string RenderTable(const Comparison& comparison, const TableStyle& style) {
  Table table;
  if (style.by_claim) {
    AddClaims(comparison, style.all, table);
  } else {
    AddTests(comparison, style.all, table);
  }
  AddAxes(comparison, table);

  std::string text;
  std::vector<std::string> names;
  std::vector<std::string> numbers;
  for (const ComparedSystem& system : comparison.systems) {
    names.push_back(system.name);
    numbers.push_back(fmt::format("[{}]", numbers.size() + 1));
    text += fmt::format("{} {}: {}, sockproof {}, {} tests, {}Z, {}\n", numbers.back(), system.name,
                        CleanLine(system.run.sut), CleanLine(system.run.suite_version),
                        system.run.tests.size(), FormatUtc(system.run.started),
                        CleanLine(system.folder));
    if (!system.run.finished) text += "    this run was not finished\n";
    if (!system.run.setup_error.empty()) {
      text += "    no test could run: " + CleanLine(system.run.setup_error) + "\n";
    }
  }
  const bool fits = table.WidthWith(names) <= style.width;
  text += "\n" + table.Render(fits ? names : numbers, style.color) + "\n";
  return text + InCommon(comparison) +
         (style.by_claim ? WhatDiffers(comparison.claims, "claims", style, names.size())
                         : WhatDiffers(comparison.tests, "tests", style, names.size()));
}

}  // namespace sockproof

#include "harness/test/matrix.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <exception>

#include "harness/base/text.h"
#include "harness/test/context.h"

namespace sockproof {
namespace {

constexpr std::size_t kNamedCells = 8;  // of those that disagree
constexpr std::size_t kCellsToSee = 4;  // whose calls are in the ladder

}  // namespace

void Cell::Note(const std::string& observed, bool agrees,
                const std::function<std::string()>& rule) {
  observed_ += (observed_.empty() ? "" : "; ") + OnOneLine(observed);
  if (!agrees) expected_ += (expected_.empty() ? "" : "; ") + OnOneLine(rule());
}

Matrix::Matrix(std::vector<std::string> axes, SourceLocation where)
    : axes_(std::move(axes)), where_(where), claim_(TestContext::Current().claim_being_decided()) {
  TestContext::Current().log().Now(MatrixEvent{axes_});
}

Matrix::~Matrix() noexcept(false) {
  if (disagreeing_ > 0) {
    const std::size_t more = disagreeing_ - std::min(disagreeing_, kNamedCells);
    ADD_FAILURE_AT(where_.file, where_.line) << fmt::format(
        "  Expected: the rule in each of {} cells ({})\n  Observed: {} of {} disagree\n{}{}",
        decided_, fmt::join(axes_, ", "), disagreeing_, decided_, first_disagreeing_,
        more == 0 ? "" : fmt::format("    and {} more\n", more));
  }
  if (decided_ == 0 && !why_skipped_.empty() && std::uncaught_exceptions() == 0) {
    throw Skip(why_skipped_);
  }
}

void Matrix::Check(const std::vector<std::string>& at, const std::function<void(Cell&)>& check) {
  TestContext& context = TestContext::Current();
  const std::string name = fmt::format("{}", fmt::join(at, ", "));
  if (at.size() != axes_.size()) throw HarnessError("a cell has other axes: " + name);
  if (!checked_.insert(at).second) throw HarnessError("a cell is checked twice: " + name);
  if (context.claim_being_decided() != claim_) {
    throw HarnessError("a matrix decides one claim: another begins after Deciding()");
  }
  Cell cell;
  context.log().HoldCalls();
  try {
    check(cell);
  } catch (const Skip& skip) {
    if (why_skipped_.empty()) why_skipped_ = skip.what();
    context.log().EndHold(false);
    context.log().Now(CellEvent{at, std::string("SKIP: ") + skip.what(), ""});
    return;
  } catch (...) {
    context.log().EndHold(true);
    context.log().Now(NoteEvent{"in the cell " + name});
    throw;
  }
  End(at, cell);
}

void Matrix::End(const std::vector<std::string>& at, const Cell& cell) {
  EventLog& log = TestContext::Current().log();
  const bool disagrees = !cell.expected_.empty();
  ++decided_;
  disagreeing_ += disagrees ? 1 : 0;
  const std::string name = fmt::format("{}", fmt::join(at, ", "));
  const bool seen = log.EndHold(disagrees && disagreeing_ <= kCellsToSee);
  if (seen) log.Now(NoteEvent{"the cell " + name + ": " + cell.observed_});
  log.Now(CellEvent{at, cell.observed_, cell.expected_});
  if (disagrees && disagreeing_ <= kNamedCells) {
    first_disagreeing_ +=
        fmt::format("    {}: {}, expected: {}\n", name, cell.observed_, cell.expected_);
  }
}

}  // namespace sockproof

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>

#include "src/explore/explorer.h"

namespace sockproof::explore {
namespace {

using Steady = std::chrono::steady_clock;
using Kind = Difference::Kind;

constexpr std::size_t kRound = 8;  // batches of each system at a time

// The first step at which the systems differ; none: they do not.
std::optional<std::size_t> FirstDifference(const SequenceResult& before,
                                           const SequenceResult& after) {
  const std::size_t count = std::min(before.reactions.size(), after.reactions.size());
  for (std::size_t i = 0; i < count; ++i) {
    if (before.reactions[i] != after.reactions[i]) return i;
  }
  return std::nullopt;
}

Kind KindOf(const SequenceResult& before, const SequenceResult& after) {
  if (before.prompt && after.prompt) return Kind::kBothDepart;
  if (after.prompt) return Kind::kDeparts;
  return before.prompt ? Kind::kMended : Kind::kBothAllowed;
}

class Comparing {
 public:
  Comparing(Pool& base, Pool& patched, const ExploreOptions& options)
      : base_(base), patched_(patched), options_(options) {}

  Comparison Run() {
    const auto begin = Steady::now();
    const std::uint64_t all =
        std::min(CountOf(options_.plan), options_.sequences.value_or(UINT64_MAX));
    std::uint64_t next = 0;
    while (next < all && comparison_.why_not.empty()) {
      if (options_.time && Steady::now() - begin >= *options_.time) break;
      std::vector<std::vector<Sequence>> batches;
      for (std::size_t i = 0; i < kRound && next < all; ++i) {
        batches.emplace_back();
        const std::uint64_t end = std::min<std::uint64_t>(next + options_.batch, all);
        for (; next < end; ++next) batches.back().push_back(MakeSequence(options_.plan, next));
      }
      const std::vector<BatchResult> before = base_.RunAll(batches, Logged::kNothing);
      const std::vector<BatchResult> after = patched_.RunAll(batches, Logged::kNothing);
      for (std::size_t i = 0; i < batches.size(); ++i) Take(batches[i], before[i], after[i]);
      options_.progress(
          fmt::format("{} sequences, {} differences", comparison_.sequences, differences_.size()));
    }
    for (auto& [text, difference] : differences_) {
      comparison_.differences.push_back(std::move(difference));
    }
    std::stable_sort(comparison_.differences.begin(), comparison_.differences.end(),
                     [](const Difference& one, const Difference& other) {
                       return std::pair(one.kind, other.count) < std::pair(other.kind, one.count);
                     });
    return std::move(comparison_);
  }

 private:
  void Take(const std::vector<Sequence>& sequences, const BatchResult& before,
            const BatchResult& after) {
    for (const BatchResult* result : {&before, &after}) {
      if (result->end == BatchResult::End::kWhole) continue;
      if (result->end == BatchResult::End::kSkipped) comparison_.why_not = result->why;
      comparison_.complaints.push_back(result->why);
      return;
    }
    for (std::size_t i = 0; i < sequences.size(); ++i) {
      Take(sequences[i], before.sequences[i], after.sequences[i]);
    }
  }

  void Take(const Sequence& sequence, const SequenceResult& before, const SequenceResult& after) {
    ++comparison_.sequences;
    const std::optional<std::size_t> first = FirstDifference(before, after);
    if (!first) {
      ++comparison_.alike;
      return;
    }
    Difference difference;
    difference.kind = KindOf(before, after);
    const bool is_step = *first < sequence.steps.size();
    const std::optional<Finding>& finding = after.prompt ? after.prompt : before.prompt;
    difference.text = fmt::format("{}: {} -> {}",
                                  is_step ? StepText(sequence.steps[*first]) : "when all was done",
                                  before.reactions[*first], after.reactions[*first]);
    const bool departs = finding && finding->step == *first;
    if (departs) difference.text = finding->states + ": " + difference.text;
    difference.before = before.prompt;
    difference.after = after.prompt;
    difference.example = sequence;
    if (is_step) difference.example.steps.resize(*first + 1);
    // A departure elsewhere is no matter of this difference.
    if (!departs) {
      difference.kind = Kind::kBothAllowed;
      difference.before = difference.after = std::nullopt;
    }
    auto& kept =
        differences_[fmt::format("{} {}", static_cast<int>(difference.kind), difference.text)];
    const std::uint64_t count = kept.count + 1;
    const bool is_shorter =
        count == 1 || difference.example.steps.size() < kept.example.steps.size();
    if (is_shorter) kept = std::move(difference);
    kept.count = count;
  }

  Pool& base_;
  Pool& patched_;
  const ExploreOptions& options_;
  Comparison comparison_;
  std::map<std::string, Difference> differences_;
};

}  // namespace

Comparison Between(Pool& base, Pool& patched, const ExploreOptions& options) {
  return Comparing(base, patched, options).Run();
}

}  // namespace sockproof::explore

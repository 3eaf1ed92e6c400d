#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>

#include "src/explore/choices.h"
#include "src/explore/explorer.h"

namespace sockproof::explore {
namespace {

using Steady = std::chrono::steady_clock;
using Kind = Difference::Kind;

constexpr std::size_t kRound = 8;      // batches of each system at a time
constexpr double kCompareUntil = 0.8;  // of the time; the rest is for running again

// The first step at which the systems differ; none: they do not.
std::optional<std::size_t> FirstDifference(const SequenceResult& before,
                                           const SequenceResult& after) {
  const std::size_t count = std::min(before.reactions.size(), after.reactions.size());
  for (std::size_t i = 0; i < count; ++i) {
    if (before.reactions[i] != after.reactions[i]) return i;
  }
  return std::nullopt;
}

// What was only late is no departure.
bool Departs(const SequenceResult& result) { return result.prompt && result.patient; }

Kind KindOf(const SequenceResult& before, const SequenceResult& after) {
  if (Departs(before) && Departs(after)) return Kind::kBothDepart;
  if (Departs(after)) return Kind::kDeparts;
  return Departs(before) ? Kind::kMended : Kind::kBothAllowed;
}

// "ACK seq=1 ack=5" -> "ACK".
std::string WithoutNumbers(const std::string& reaction) {
  std::string text;
  for (std::size_t at = 0; at < reaction.size();) {
    const std::size_t end = std::min(reaction.find(' ', at), reaction.size());
    const std::string word = reaction.substr(at, end - at);
    if (word.find('=') == std::string::npos) text += (text.empty() ? "" : " ") + word;
    at = end + 1;
  }
  return text;
}

// The first difference, of one sequence; none: there is none.
std::optional<Difference> DifferenceOf(const Sequence& sequence, const SequenceResult& before,
                                       const SequenceResult& after) {
  const std::optional<std::size_t> first = FirstDifference(before, after);
  if (!first) return std::nullopt;
  Difference difference;
  difference.kind = KindOf(before, after);
  difference.count = 1;
  const bool is_step = *first < sequence.steps.size();
  const std::optional<Finding>& finding = Departs(after) ? after.prompt : before.prompt;
  // Where the oracle has followed both so far; before that they are alike.
  std::string step = is_step ? StepText(sequence.steps[*first]) : "when all was done";
  const std::vector<std::string>& history =
      before.history.size() > after.history.size() ? before.history : after.history;
  if (is_step && *first < history.size()) step = history[*first];
  const std::string &was = before.reactions[*first], &is = after.reactions[*first];
  difference.text = fmt::format("{}: {} -> {}", step, was, is);
  // Of what both allow flags and reactions are enough.
  const std::string flags = is_step ? StepText(sequence.steps[*first]) : step;
  difference.cause = fmt::format("{}: {} -> {}", flags.substr(0, flags.find(' ')),
                                 WithoutNumbers(was), WithoutNumbers(is));
  difference.example = sequence;
  if (is_step) difference.example.steps.resize(*first + 1);
  // A departure elsewhere is no matter of this difference.
  if (difference.kind == Kind::kBothAllowed || finding->step != *first) {
    difference.kind = Kind::kBothAllowed;
    return difference;
  }
  difference.cause = finding->Cause();
  if (Departs(before)) difference.before = before.prompt;
  if (Departs(after)) difference.after = after.prompt;
  return difference;
}

// What is known for one reason is one difference. What the second check does not look at, the
// acknowledgment of an RST, is no part of it.
std::string KeyOf(const Difference& difference) {
  std::string cause = difference.why.empty() ? difference.cause : difference.why;
  constexpr std::string_view kRstAck = "RST,ACK";
  for (std::size_t at = 0; (at = cause.find(kRstAck, at)) != std::string::npos;) {
    cause.replace(at, kRstAck.size(), "RST");
  }
  return fmt::format("{} {}", static_cast<int>(difference.kind), cause);
}

class Comparing {
 public:
  Comparing(Pool& base, Pool& patched, const ExploreOptions& options)
      : base_(base), patched_(patched), options_(options) {}

  Comparison Run() {
    begin_ = Steady::now();
    for (Pool* const pool : {&base_, &patched_}) {
      pool->StopWhen(options_.is_interrupted);
      pool->WhileRunning([this](std::size_t, std::size_t) { Say(); });
      pool->Know(ChoicesOf(*pool));
    }
    const std::uint64_t all =
        std::min(CountOf(options_.plan), options_.sequences.value_or(UINT64_MAX));
    std::uint64_t next = 0;
    while (next < all && comparison_.why_not.empty()) {
      if (options_.is_interrupted()) break;
      if (options_.time && Steady::now() - begin_ >= *options_.time * kCompareUntil) break;
      std::vector<std::vector<Sequence>> batches;
      for (std::size_t i = 0; i < kRound && next < all; ++i) {
        batches.emplace_back();
        const std::uint64_t end = std::min<std::uint64_t>(next + options_.batch, all);
        for (; next < end; ++next) batches.back().push_back(MakeSequence(options_.plan, next));
      }
      const std::vector<BatchResult> before = base_.RunAll(batches, Logged::kNothing);
      const std::vector<BatchResult> after = patched_.RunAll(batches, Logged::kNothing);
      for (std::size_t i = 0; i < batches.size(); ++i) Take(batches[i], before[i], after[i]);
    }
    RunAgain();
    for (Pool* const pool : {&base_, &patched_}) pool->WhileRunning([](std::size_t, std::size_t) {});
    comparison_.is_interrupted = options_.is_interrupted();
    for (auto& [text, difference] : differences_) {
      (difference.IsCertain() ? comparison_.differences : comparison_.fleeting)
          .push_back(std::move(difference));
    }
    for (std::vector<Difference>* const some : {&comparison_.differences, &comparison_.fleeting}) {
      std::stable_sort(some->begin(), some->end(),
                       [](const Difference& one, const Difference& other) {
                         return std::pair(one.kind, other.count) < std::pair(other.kind, one.count);
                       });
    }
    return std::move(comparison_);
  }

 private:
  void Say() {
    const auto now = Steady::now();
    if (now - said_ < 1s) return;
    said_ = now;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - begin_);
    options_.progress(fmt::format("{} s: {} sequences, {} differences{}{}", seconds.count(),
                                  comparison_.sequences, differences_.size(),
                                  doing_.empty() ? "" : ", ", doing_));
  }

  void Take(const std::vector<Sequence>& sequences, const BatchResult& before,
            const BatchResult& after) {
    for (const BatchResult* result : {&before, &after}) {
      if (result->end == BatchResult::End::kWhole) continue;
      if (result->end == BatchResult::End::kNotRun) return;
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
    std::optional<Difference> difference = DifferenceOf(sequence, before, after);
    if (!difference) {
      ++comparison_.alike;
      return;
    }
    Keep(*std::move(difference), differences_);
  }

  // With those of its cause, the shortest of which is shown.
  void Keep(Difference difference, std::map<std::string, Difference>& differences) const {
    difference.why = options_.why_known(difference.cause);
    const auto [kept, is_new] = differences.try_emplace(KeyOf(difference));
    const std::uint64_t count = kept->second.count + difference.count;
    const auto length = [](const Difference& one) { return one.example.steps.size(); };
    if (is_new || length(difference) < length(kept->second)) kept->second = std::move(difference);
    kept->second.count = count;
  }

  // Each by itself, so that what was late once is told from what is different. What it shows then
  // is what counts.
  void RunAgain() {
    std::map<std::string, Difference> alone;
    doing_ = "running each by itself";
    ForEachAlone(differences_, [&](const std::string& key, const std::optional<Difference>& again) {
      Difference shown = again.value_or(differences_[key]);
      shown.count = differences_[key].count;
      Keep(std::move(shown), alone);
    });
    if (!alone.empty()) differences_ = std::move(alone);
    for (int time = 0; time < options_.replays; ++time) {
      doing_ = fmt::format("running each again, {} times of {} done", time, options_.replays);
      ForEachAlone(differences_, [&](const std::string& key, std::optional<Difference> again) {
        Difference& difference = differences_[key];
        ++difference.replays;
        if (!again) return;
        again->why = options_.why_known(again->cause);
        if (KeyOf(*again) == key) ++difference.again;
      });
    }
  }

  // `take`: told the key of each, and how the systems differ when its example runs alone.
  template <typename Take>
  void ForEachAlone(const std::map<std::string, Difference>& differences, const Take& take) {
    std::vector<std::vector<Sequence>> examples;
    std::vector<std::string> keys;
    for (const auto& [key, difference] : differences) {
      keys.push_back(key);
      examples.push_back({difference.example});
    }
    const std::vector<BatchResult> before = base_.RunAll(examples, Logged::kNothing);
    const std::vector<BatchResult> after = patched_.RunAll(examples, Logged::kNothing);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const BatchResult &one = before[i], &other = after[i];
      if (one.sequences.empty() || other.sequences.empty()) continue;
      take(keys[i],
           DifferenceOf(examples[i].front(), one.sequences.front(), other.sequences.front()));
    }
  }

  Pool& base_;
  Pool& patched_;
  const ExploreOptions& options_;
  Steady::time_point begin_, said_;
  std::string doing_;  // as progress tells it; empty: comparing
  Comparison comparison_;
  std::map<std::string, Difference> differences_;
};

}  // namespace

Comparison Between(Pool& base, Pool& patched, const ExploreOptions& options) {
  return Comparing(base, patched, options).Run();
}

}  // namespace sockproof::explore

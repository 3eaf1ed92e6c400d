#include "src/explore/explorer.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <regex>
#include <set>
#include <utility>

#include "src/explore/choices.h"

namespace sockproof::explore {
namespace {

using Steady = std::chrono::steady_clock;
using End = BatchResult::End;

constexpr std::size_t kExamples = 3;      // of each cause, to be tried in turn
constexpr std::size_t kMostCrashes = 10;  // batches that are looked into
constexpr std::size_t kMostComplaints = 10;
constexpr int kMostRounds = 40;          // of shrinking
constexpr std::size_t kShrunkAtOnce = 40;
// Sequences for shrinking, where no time is given: so many, and twice those that were looked at.
constexpr std::uint64_t kShrinkingRuns = 5000;
constexpr std::size_t kMostBroken = 20;  // batches in which the harness broke: enough
// Of the time there is: looking ends, looking into crashes, and shrinking.
constexpr double kLookUntil = 0.5, kCrashesUntil = 0.6, kShrinkUntil = 0.8;

struct Example {
  Sequence sequence;  // up to the step that is answered wrongly
  std::uint64_t number = 0;
  Finding finding;

  // Shorter ones first; else as they came, so that the order of processes does not matter.
  auto Rank() const { return std::pair(sequence.steps.size(), number); }
};

struct Sightings {
  std::uint64_t count = 0;
  std::vector<Example> examples;

  void Take(Example example) {
    ++count;
    examples.push_back(std::move(example));
    std::sort(examples.begin(), examples.end(),
              [](const Example& one, const Example& other) { return one.Rank() < other.Rank(); });
    if (examples.size() > kExamples) examples.pop_back();
  }
};

Sequence CutAfter(Sequence sequence, std::size_t step) {
  sequence.steps.resize(std::min(sequence.steps.size(), step + 1));
  return sequence;
}

int LongestWait(const Sequence& sequence) {
  int longest = 0;
  for (const Step& step : sequence.steps) {
    if (const auto* wait = std::get_if<Wait>(&step)) longest = std::max(longest, wait->milliseconds);
  }
  return longest;
}

// What makes a sequence simpler.
struct Cut {
  bool no_options = false, ipv4 = false;
  std::vector<bool> steps;  // left out

  explicit Cut(const Sequence& sequence) : steps(sequence.steps.size()) {}
  Sequence Of(const Sequence& sequence) const {
    Sequence simpler = sequence;
    if (no_options) simpler.options = Options::kNone;
    if (ipv4) simpler.ip = IpVersion::kIpv4;
    simpler.steps.clear();
    for (std::size_t i = 0; i < steps.size(); ++i) {
      if (!steps[i]) simpler.steps.push_back(sequence.steps[i]);
    }
    return simpler;
  }
  // Both cuts.
  void Add(const Cut& other) {
    no_options |= other.no_options;
    ipv4 |= other.ipv4;
    for (std::size_t i = 0; i < steps.size(); ++i) steps[i] = steps[i] || other.steps[i];
  }
};

// Cuts of a sequence that leave its last step.
std::vector<Cut> CutsOf(const Sequence& sequence) {
  std::vector<Cut> cuts;
  if (sequence.options != Options::kNone) cuts.emplace_back(sequence).no_options = true;
  if (sequence.ip != IpVersion::kIpv4) cuts.emplace_back(sequence).ipv4 = true;
  const std::size_t count = sequence.steps.size();
  for (const std::size_t size : {std::size_t{4}, std::size_t{2}, std::size_t{1}}) {
    for (std::size_t at = 0; at + size < count; ++at) {
      Cut& cut = cuts.emplace_back(sequence);
      for (std::size_t i = at; i < at + size; ++i) cut.steps[i] = true;
    }
  }
  return cuts;
}

std::vector<Sequence> SimplerOnes(const Sequence& sequence) {
  std::vector<Sequence> simpler;
  for (const Cut& cut : CutsOf(sequence)) simpler.push_back(cut.Of(sequence));
  return simpler;
}

// How it crashed, without what differs from run to run: addresses, and numbers of threads.
std::string CrashText(const std::string& why) {
  static const std::regex kVarying("0x[0-9a-f]+|(goroutine |\\bm=)[0-9]+");
  return std::regex_replace(why, kVarying, "$1*");
}

// Whether the sequence, run by itself, shows the cause, its last step being answered wrongly. Which
// segment was not taken is known when no other is left.
bool Shows(const SequenceResult& result, const Cause& cause) {
  if (!result.patient || !result.prompt) return false;
  if (!cause.finding->origin.empty()) return !result.prompt->origin.empty();
  return result.prompt->Cause() == cause.text;
}

// Whether the last step of the sequence is answered wrongly, in this way or another.
bool DepartsAtItsEnd(const SequenceResult& result, const Sequence& sequence) {
  return result.patient && result.prompt && result.prompt->step + 1 == sequence.steps.size();
}

// The same of what was made of it.
bool ShowsAgain(const BatchResult& result, const Cause& cause) {
  if (cause.is_crash) return result.end == End::kCrashed;
  if (result.end != End::kWhole) return false;
  const SequenceResult& one = result.sequences.front();
  return one.patient && one.prompt && one.prompt->Cause() == cause.finding->Cause();
}

class Explorer {
 public:
  Explorer(Pool& pool, const ExploreOptions& options)
      : pool_(pool), options_(options), begin_(Steady::now()) {}

  Exploration Run() {
    pool_.StopWhen([this] { return options_.is_interrupted() || IsAfter(phase_end_); });
    pool_.WhileRunning([this](std::size_t ended, std::size_t all) { Say(ended, all); });
    doing_ = "asking what it has chosen";
    pool_.Know(ChoicesOf(pool_));
    pool_.Know(options_.is_known);
    exploration_.stack = pool_.stack();
    phase_end_ = 1;
    doing_.clear();
    Look();
    exploration_.took = Steady::now() - begin_;
    phase_end_ = kShrinkUntil;
    std::vector<Cause> causes = Causes();
    Confirm(causes);
    phase_end_ = kCrashesUntil;
    LookIntoCrashes();
    phase_end_ = kShrinkUntil;
    for (const bool is_known : {false, true}) Shrink(causes, is_known);
    ShrinkCrashes();
    for (Cause& cause : causes) {
      if (WasConfirmed(cause)) cause.text = cause.finding->Cause();
    }
    phase_end_ = 1;
    LookForEnds(causes);
    Unite(causes);
    causes.insert(causes.begin(), crashes_.begin(), crashes_.end());
    for (const bool is_known : {false, true}) Replay(causes, is_known);
    pool_.StopWhen([] { return false; });
    pool_.WhileRunning([](std::size_t, std::size_t) {});
    exploration_.is_interrupted = options_.is_interrupted();
    for (Cause& cause : causes) {
      (cause.IsCertain() ? exploration_.causes : exploration_.fleeting).push_back(std::move(cause));
    }
    return std::move(exploration_);
  }

 private:
  // Whether so much of the time that there is has passed.
  bool IsAfter(double part) const {
    return options_.time && Steady::now() - begin_ >= *options_.time * part;
  }

  // It came again in a batch, and was late by no delay that the RFC grants.
  static bool WasConfirmed(const Cause& cause) { return cause.again > 0; }

  // `ended` of `all` batches.
  void Say(std::size_t ended = 0, std::size_t all = 0) {
    const auto now = Steady::now();
    if (now - said_ < 1s) return;
    said_ = now;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - begin_);
    options_.progress(fmt::format("{} s: {} sequences, {} causes{}{}{}", seconds.count(),
                                  exploration_.sequences, seen_.size() + crashed_.size(),
                                  doing_.empty() ? "" : ", ", doing_,
                                  all > 1 ? fmt::format(" ({} of {} run)", ended, all) : ""));
  }

  bool IsOver(std::uint64_t next) const {
    if (next >= CountOf(options_.plan)) return true;
    if (options_.sequences && next >= *options_.sequences) return true;
    if (!exploration_.why_not.empty() || broken_ >= kMostBroken) return true;
    return options_.is_interrupted() || IsAfter(kLookUntil);
  }

  void Look() {
    std::uint64_t next = 0;
    while (true) {
      while (!IsOver(next) && pool_.HasRoom() && !IsCrashInTheWay()) {
        std::uint64_t end = std::min<std::uint64_t>(next + options_.batch, CountOf(options_.plan));
        if (options_.sequences) end = std::min(end, *options_.sequences);
        std::vector<Sequence> sequences;
        for (std::uint64_t number = next; number < end; ++number) {
          Sequence sequence = BeforeItCrashes(MakeSequence(options_.plan, number));
          if (!sequence.steps.empty()) sequences.push_back(std::move(sequence));
        }
        if (!sequences.empty()) pool_.Start(next, std::move(sequences), Logged::kNothing);
        next = end;
      }
      if (options_.is_interrupted() || IsAfter(phase_end_)) pool_.EndAll();
      if (pool_.IsIdle()) {
        if (!IsCrashInTheWay() || IsOver(next)) break;
        LookIntoCrashes();
        ShrinkCrashes();
        doing_.clear();
        continue;
      }
      if (std::optional<Pool::Ended> ended = pool_.Await(1s)) Take(*std::move(ended));
      Say();
    }
  }

  // A crash ends all of its batch, so that nothing would be seen of a system that crashes often. In
  // virtual time that waits, as which batches come after it depends on how long they take.
  bool IsCrashInTheWay() const {
    return !options_.is_exact && !crashed_.empty() && crashes_.size() < kMostCrashes;
  }

  // Without the step, and all after it, that makes it one of those that are known to crash.
  Sequence BeforeItCrashes(Sequence sequence) const {
    for (const Cause& crash : crashes_) {
      if (crash.example.size() != 1) continue;
      const std::vector<Step>& deadly = crash.example.front().steps;
      std::size_t met = 0, at = 0;
      for (; at < sequence.steps.size() && met < deadly.size(); ++at) {
        if (sequence.steps[at] == deadly[met]) ++met;
      }
      if (met == deadly.size()) sequence.steps.resize(at - 1);
    }
    return sequence;
  }

  void Complain(const std::string& why) {
    if (exploration_.complaints.size() < kMostComplaints) exploration_.complaints.push_back(why);
  }

  void Take(Pool::Ended ended) {
    switch (ended.result.end) {
      case End::kSkipped:
        exploration_.why_not = ended.result.why;
        return;
      case End::kHarnessBroke:
        ++broken_;
        Complain(fmt::format("batch {}: {}", ended.id, ended.result.why));
        return;
      case End::kCrashed:
        exploration_.sequences += ended.sequences.size();
        crashed_[ended.id] = {std::move(ended.sequences), CrashText(ended.result.why)};
        return;
      case End::kNotRun:
        return;
      case End::kWhole:
        break;
    }
    exploration_.sequences += ended.sequences.size();
    for (std::size_t i = 0; i < ended.sequences.size(); ++i) {
      const SequenceResult& result = ended.result.sequences[i];
      exploration_.undecided += result.is_undecided ? 1 : 0;
      const std::optional<Finding>& finding = result.prompt ? result.prompt : result.patient;
      if (!finding) continue;
      seen_[finding->Cause()].Take(
          {CutAfter(ended.sequences[i], finding->step), ended.id + i, *finding});
    }
  }

  // The most frequent first.
  std::vector<Cause> Causes() const {
    std::vector<Cause> causes;
    for (const auto& [text, seen] : seen_) {
      Cause cause;
      cause.text = text;
      cause.count = seen.count;
      cause.example = {seen.examples.front().sequence};
      cause.finding = seen.examples.front().finding;
      causes.push_back(std::move(cause));
    }
    std::stable_sort(causes.begin(), causes.end(),
                     [](const Cause& one, const Cause& other) { return one.count > other.count; });
    return causes;
  }

  // Runs sequences that may be many. Those that do not wait are not in company of some that do.
  std::vector<SequenceResult> RunAll(const std::vector<Sequence>& sequences) {
    std::vector<std::size_t> order(sequences.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t one, std::size_t other) {
      return LongestWait(sequences[one]) < LongestWait(sequences[other]);
    });
    std::vector<std::vector<Sequence>> batches;
    for (std::size_t i = 0; i < order.size(); ++i) {
      const Sequence& sequence = sequences[order[i]];
      if (batches.empty() || batches.back().size() == options_.batch ||
          LongestWait(batches.back().front()) != LongestWait(sequence)) {
        batches.emplace_back();
      }
      batches.back().push_back(sequence);
    }
    std::vector<SequenceResult> results(sequences.size());
    const std::vector<BatchResult> ended = pool_.RunAll(batches, Logged::kNothing);
    std::size_t next = 0;
    for (std::size_t i = 0; i < ended.size(); ++i) {
      for (std::size_t j = 0; j < batches[i].size(); ++j, ++next) {
        if (j < ended[i].sequences.size()) results[order[next]] = ended[i].sequences[j];
      }
    }
    return results;
  }

  void Confirm(std::vector<Cause>& causes) {
    std::vector<Sequence> sequences;
    std::vector<std::pair<std::size_t, std::size_t>> of;  // cause, example
    const std::size_t count = std::min(causes.size(), options_.most_reports);
    for (std::size_t i = 0; i < count; ++i) {
      const std::vector<Example>& examples = seen_.at(causes[i].text).examples;
      for (std::size_t j = 0; j < examples.size(); ++j) {
        sequences.push_back(examples[j].sequence);
        of.emplace_back(i, j);
      }
    }
    doing_ = "confirming";
    const std::vector<SequenceResult> results = RunAll(sequences);
    for (const bool is_other : {false, true}) {
      for (std::size_t i = 0; i < results.size(); ++i) {
        Cause& cause = causes[of[i].first];
        if (WasConfirmed(cause)) continue;
        if (!is_other && !results[i].reactions.empty()) ++cause.replays;
        // What departs in another way, without the company of then, is no less a finding.
        if (is_other ? !DepartsAtItsEnd(results[i], sequences[i]) : !Shows(results[i], cause)) {
          continue;
        }
        cause.replays = cause.again = 1;
        cause.example = {sequences[i]};
        cause.finding = results[i].prompt;
        cause.text = cause.finding->Cause();
      }
    }
    Unite(causes);
  }

  // The most frequent first, should time be short.
  void Shrink(std::vector<Cause>& causes, bool is_known) {
    std::set<std::size_t> some;
    for (std::size_t i = 0; i < causes.size(); ++i) {
      const bool is_one = WasConfirmed(causes[i]) && options_.is_known(causes[i].text) == is_known;
      if (is_one) some.insert(i);
      if (some.size() == kShrunkAtOnce || i + 1 == causes.size()) {
        Shrink(causes, std::exchange(some, {}));
      }
    }
  }

  // Each round tries all that is simpler, of all these at once; then what can be left out each by
  // itself is left out together.
  void Shrink(std::vector<Cause>& causes, std::set<std::size_t> left) {
    std::map<std::size_t, Sequence> together;
    for (int round = 0; round < kMostRounds && !left.empty(); ++round) {
      if (!options_.time && shrinking_runs_ > kShrinkingRuns + 2 * exploration_.sequences) return;
      std::vector<Sequence> candidates;
      std::vector<std::size_t> of;
      std::vector<Cut> cuts;
      for (const std::size_t i : left) {
        const Sequence& example = causes[i].example.front();
        const auto of_round_before = together.find(i);
        if (of_round_before != together.end()) {
          candidates.push_back(of_round_before->second);
          of.push_back(i);
          cuts.emplace_back(example);
        }
        for (Cut& cut : CutsOf(example)) {
          candidates.push_back(cut.Of(example));
          of.push_back(i);
          cuts.push_back(std::move(cut));
        }
      }
      doing_ = fmt::format("shrinking, {} left", left.size());
      const std::vector<std::size_t> showing = Showing(candidates, of, causes);
      std::map<std::size_t, Cut> all;  // that show it, each by itself
      for (const std::size_t i : showing) {
        all.try_emplace(of[i], causes[of[i]].example.front()).first->second.Add(cuts[i]);
      }
      together.clear();
      for (const auto& [i, cut] : all) together[i] = cut.Of(causes[i].example.front());
      std::set<std::size_t> shrunk;
      for (const std::size_t i : showing) {
        Cause& cause = causes[of[i]];
        if (!shrunk.insert(of[i]).second) continue;
        cause.example = {candidates[i]};
        cause.finding = found_[i];
      }
      left = std::move(shrunk);
    }
  }

  // Which of the sequences show the cause each is for; where time is real, twice in a row. What
  // they find is then in found_.
  std::vector<std::size_t> Showing(const std::vector<Sequence>& sequences,
                                   const std::vector<std::size_t>& of,
                                   const std::vector<Cause>& causes) {
    found_.assign(sequences.size(), std::nullopt);
    std::vector<std::size_t> showing(sequences.size());
    std::iota(showing.begin(), showing.end(), std::size_t{0});
    for (int time = 0; time < (options_.is_exact ? 1 : 2) && !showing.empty(); ++time) {
      std::vector<Sequence> tried;
      for (const std::size_t i : showing) tried.push_back(sequences[i]);
      shrinking_runs_ += tried.size();
      const std::vector<SequenceResult> results = RunAll(tried);
      std::vector<std::size_t> still;
      for (std::size_t j = 0; j < results.size(); ++j) {
        if (!Shows(results[j], causes[of[showing[j]]])) continue;
        found_[showing[j]] = results[j].prompt;
        still.push_back(showing[j]);
      }
      showing = std::move(still);
    }
    return showing;
  }

  // What says that there is no connection any more.
  static bool IsOfNone(const std::string& reaction) {
    return reaction.starts_with("RST") || reaction == "ENOTCONN" || reaction == "EPIPE" ||
           reaction == "ECONNRESET";
  }

  // Such a reaction may say that a step before has ended the connection silently: asks after each
  // with an old segment, which is answered with an ACK as long as there is a connection.
  void LookForEnds(std::vector<Cause>& causes) {
    std::vector<Sequence> asking;
    std::vector<Cause*> of;
    for (Cause& cause : causes) {
      if (!WasConfirmed(cause) || !IsOfNone(cause.finding->reaction)) continue;
      const std::string& states = cause.finding->states;
      if (states.starts_with("CLOSED") || states.starts_with("LISTEN")) continue;
      const Sequence& example = cause.example.front();
      for (std::size_t step = 1; step + 1 < example.steps.size(); ++step) {
        asking.push_back(CutAfter(example, step));
        // Nor does it acknowledge a FIN of the system, which might end the connection.
        asking.back().steps.emplace_back(
            PeerSegment{.flags = kAck, .seq_offset = -1, .ack_offset = -1});
        of.push_back(&cause);
      }
    }
    doing_ = "looking for silent ends";
    const std::vector<SequenceResult> results = RunAll(asking);
    std::set<const Cause*> explained;
    for (std::size_t i = 0; i < results.size(); ++i) {
      const std::vector<std::string>& reactions = results[i].reactions;
      const std::size_t last = asking[i].steps.size() - 1;
      if (reactions.size() <= last || !reactions[last].starts_with("RST")) continue;
      if (!results[i].prompt || results[i].prompt->step != last) continue;
      // Before a connection is open it acknowledges nothing, which is answered with a reset.
      const std::string& states = results[i].prompt->states;
      if (states.find("SYN-RECEIVED") != std::string::npos) continue;
      if (states.find("SYN-SENT") != std::string::npos) continue;
      if (!explained.insert(of[i]).second) continue;
      of[i]->text = results[i].prompt->before + " -> ends the connection silently";
    }
  }

  // Those that turned out to have the same cause.
  static void Unite(std::vector<Cause>& causes) {
    std::map<std::string, Cause> united;
    for (Cause& cause : causes) {
      const std::string key = (WasConfirmed(cause) ? "+" : "-") + cause.text;
      const auto found = united.find(key);
      if (found == united.end()) {
        united.emplace(key, std::move(cause));
        continue;
      }
      const std::uint64_t count = found->second.count + cause.count;
      const auto length = [](const Cause& one) { return one.example.front().steps.size(); };
      if (length(cause) < length(found->second)) found->second = std::move(cause);
      found->second.count = count;
    }
    causes.clear();
    for (auto& [key, cause] : united) causes.push_back(std::move(cause));
    std::stable_sort(causes.begin(), causes.end(),
                     [](const Cause& one, const Cause& other) { return one.count > other.count; });
  }

  // --- crashes ---

  struct Crashed {
    std::vector<Sequence> sequences;
    std::string why;
  };

  // Halves what crashed for as long as a half still does.
  void LookIntoCrashes() {
    for (auto& [id, crashed] : std::exchange(crashed_, {})) {
      // Of several that say the same one is enough.
      if (const auto known = crash_of_.find(crashed.why); known != crash_of_.end()) {
        for (Cause& crash : crashes_) crash.count += crash.text == known->second ? 1 : 0;
        continue;
      }
      if (crashes_.size() >= kMostCrashes) {
        Complain(fmt::format("batch {} crashed; it was not looked into", id));
        continue;
      }
      std::vector<Sequence> sequences = std::move(crashed.sequences);
      std::string why = CrashText(crashed.why);
      while (sequences.size() > 1) {
        doing_ = "looking into a crash";
        const auto middle = sequences.begin() + static_cast<std::ptrdiff_t>(sequences.size() / 2);
        const std::vector<std::vector<Sequence>> halves{{sequences.begin(), middle},
                                                        {middle, sequences.end()}};
        const std::vector<BatchResult> results = pool_.RunAll(halves, Logged::kNothing);
        const auto found = std::find_if(results.begin(), results.end(), [](const BatchResult& one) {
          return one.end == End::kCrashed;
        });
        if (found == results.end()) break;
        why = CrashText(found->why);
        sequences = halves[static_cast<std::size_t>(found - results.begin())];
      }
      crash_of_[crashed.why] = why;
      const auto same = std::find_if(crashes_.begin(), crashes_.end(),
                                     [&](const Cause& one) { return one.text == why; });
      if (same != crashes_.end()) {
        same->count += 1;
        if (sequences.size() < same->example.size()) {
          same->example = sequences;
          same->is_shrunk = false;
        }
        continue;
      }
      Cause cause;
      cause.text = why;
      cause.count = 1;
      cause.is_crash = true;
      cause.example = std::move(sequences);
      crashes_.push_back(std::move(cause));
    }
  }

  void ShrinkCrashes() {
    for (Cause& cause : crashes_) {
      if (cause.example.size() != 1 || std::exchange(cause.is_shrunk, true)) continue;
      for (int round = 0; round < kMostRounds; ++round) {
        doing_ = "shrinking a crash";
        std::vector<std::vector<Sequence>> candidates;
        std::vector<Sequence> simpler = SimplerOnes(cause.example.front());
        Sequence without_last = cause.example.front();
        without_last.steps.pop_back();
        if (!without_last.steps.empty()) simpler.insert(simpler.begin(), without_last);
        for (const Sequence& one : simpler) candidates.push_back({one});
        const std::vector<BatchResult> results = pool_.RunAll(candidates, Logged::kNothing);
        const auto found = std::find_if(results.begin(), results.end(), [](const BatchResult& one) {
          return one.end == End::kCrashed;
        });
        if (found == results.end()) break;
        cause.example = candidates[static_cast<std::size_t>(found - results.begin())];
      }
    }
  }

  // Each by itself, as whoever reads the report will do it; the most frequent first, should time be
  // short.
  void Replay(std::vector<Cause>& causes, bool is_known) {
    std::vector<Cause*> left;
    for (Cause& cause : causes) {
      const bool is_one =
          (cause.is_crash || WasConfirmed(cause)) && options_.is_known(cause.text) == is_known;
      if (!is_one) continue;
      // Of what is known once is enough; it was seen before.
      cause.wanted = is_known ? 1 : options_.replays / 2 + 1;
      cause.replays = cause.again = 0;  // from now on by itself
      left.push_back(&cause);
    }
    // As many as run at a time: should time be short, that of the first is spent on nothing else.
    const auto at_a_time = static_cast<std::size_t>(pool_.jobs_of_one());
    for (std::size_t at = 0; at < left.size(); at += at_a_time) {
      doing_ = fmt::format("running {}causes again, {} of {} done", is_known ? "known " : "", at,
                           left.size());
      Replay({left.begin() + static_cast<std::ptrdiff_t>(at),
              left.begin() + static_cast<std::ptrdiff_t>(std::min(at + at_a_time, left.size()))},
             options_.replays);
    }
  }

  // Until it is clear of each whether it comes again as often as is wanted in `times`.
  void Replay(std::vector<Cause*> causes, int times) {
    for (int time = 0; time < times && !causes.empty(); ++time) {
      std::vector<std::vector<Sequence>> examples;
      for (const Cause* cause : causes) examples.push_back(cause->example);
      std::vector<BatchResult> results = pool_.RunAll(examples, Logged::kAll);
      for (std::size_t i = 0; i < results.size(); ++i) {
        if (results[i].end != End::kWhole && results[i].end != End::kCrashed) continue;
        Cause& cause = *causes[i];
        ++cause.replays;
        if (!ShowsAgain(results[i], cause)) continue;
        ++cause.again;
        if (cause.events.empty()) cause.events = std::move(results[i].events);
      }
      std::erase_if(causes, [&](const Cause* cause) {
        return cause->IsCertain() || cause->again + times - time - 1 < cause->wanted;
      });
    }
  }

  Pool& pool_;
  const ExploreOptions& options_;
  Steady::time_point begin_, said_;
  Exploration exploration_;
  std::map<std::string, Sightings> seen_;
  std::map<std::uint64_t, Crashed> crashed_;
  std::vector<Cause> crashes_;
  std::map<std::string, std::string> crash_of_;  // a cause, by what a whole batch said
  std::size_t broken_ = 0;
  std::uint64_t shrinking_runs_ = 0;
  double phase_end_ = 1;  // part of the time
  std::string doing_;     // as progress tells it; empty: looking
  std::vector<std::optional<Finding>> found_;
};

}  // namespace

Exploration Explore(Pool& pool, const ExploreOptions& options) {
  return Explorer(pool, options).Run();
}

}  // namespace sockproof::explore

// Batches, each in a process of its own, several at a time, judged where they were run.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "harness/test/registry.h"
#include "src/explore/batch.h"
#include "src/explore/trial.h"

namespace sockproof::explore {

// Runs a test in the calling process, as Target::RunTest() does.
using RunOn = std::function<void(const TestCase& test, EventLog& log)>;

struct SequenceResult {
  std::optional<Finding> prompt;   // Patience::kNone
  std::optional<Finding> patient;  // Patience::kAll
  bool is_undecided = false;
  std::vector<std::string> reactions;  // one for each step
  std::vector<std::string> history;    // as of Judged, with Patience::kNone
};

struct BatchResult {
  enum class End {
    kNotRun,  // it was stopped before its end
    kWhole,
    kSkipped,      // the system cannot be tested so
    kCrashed,      // the system has, or does not answer any more
    kHarnessBroke  // nothing is known
  };
  End end = End::kNotRun;
  std::string why;                        // clean, one line; none of kWhole and kNotRun
  std::vector<SequenceResult> sequences;  // none unless it is whole
  std::vector<Event> events;              // of a batch that is Logged::kAll
};

class Pool {
 public:
  // `jobs` processes at a time, of batches of a single sequence, which mostly wait, `jobs_of_one`.
  // The calling process must be single-threaded.
  Pool(RunOn run, int jobs, int jobs_of_one = 0);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // What the system is known to have chosen: its batches are judged by it from now on.
  void Know(const oracle::Stack& stack) { stack_ = stack; }
  const oracle::Stack& stack() const { return stack_; }

  // What is known as it is seen needs no earlier segment to explain it.
  void Know(std::function<bool(const std::string& seen)> is_known) {
    is_known_ = std::move(is_known);
  }

  // Called several times a second while RunAll() runs, with how many batches of how many have ended.
  void WhileRunning(std::function<void(std::size_t ended, std::size_t all)> tell) {
    tell_ = std::move(tell);
  }

  // When to stop waiting, asked several times a second; never, if nobody says so.
  void StopWhen(std::function<bool()> stop) { stop_ = std::move(stop); }

  bool HasRoom(std::size_t sequences = 2) const {
    return static_cast<int>(running_.size()) < (sequences == 1 ? jobs_of_one_ : jobs_);
  }
  int jobs_of_one() const { return jobs_of_one_; }
  bool IsIdle() const { return running_.empty(); }
  // There must be room.
  void Start(std::uint64_t id, std::vector<Sequence> sequences, Logged logged);
  struct Ended {
    std::uint64_t id = 0;
    std::vector<Sequence> sequences;
    BatchResult result;
  };
  // Waits until one of them has ended, at most for so long, and not when it is to stop.
  std::optional<Ended> Await(Duration at_most);
  // Ends all that run.
  void EndAll();

  // All of these, in their order. When it is to stop, the rest of them is not run.
  std::vector<BatchResult> RunAll(const std::vector<std::vector<Sequence>>& batches, Logged logged);

 private:
  struct Child;
  Ended End(std::size_t index, bool is_hung);

  RunOn run_;
  oracle::Stack stack_;
  std::function<bool()> stop_ = [] { return false; };
  std::function<void(std::size_t ended, std::size_t all)> tell_ = [](std::size_t, std::size_t) {};
  std::function<bool(const std::string& seen)> is_known_ = [](const std::string&) { return false; };
  int jobs_, jobs_of_one_;
  std::vector<std::unique_ptr<Child>> running_;
};

}  // namespace sockproof::explore

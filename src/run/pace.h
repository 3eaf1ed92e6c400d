// How many tests run at once.
#pragma once

#include <chrono>
#include <cstddef>

#include "harness/base/time.h"

namespace sockproof {

// Either a fixed number, or as many as the machine carries: found out while tests run, from how
// late their processes were served. A test counts as one until it is set up, and as long as it logs
// what happens; one that has logged nothing for a while waits, and counts a hundredth.
class Pace {
 public:
  // A test that has logged nothing for so long waits, unless it is still being set up.
  static constexpr Duration kQuiet{250ms};

  // A served-late time that no timing of a test needs to fear: the shortest timer that a peer or
  // the harness answers to, the delayed acknowledgement, takes 40 ms.
  static constexpr Duration kGood{10ms};
  static constexpr Duration kTolerable{20ms};

  // `jobs` tests at once; 0: find out, on a machine with `cores`.
  Pace(int jobs, int cores);

  // What a running test counts, by how long it has logged nothing and whether it is set up.
  double Load(Duration quiet, bool is_set_up) const;

  // Whether another test may start while `running` tests count `load` together.
  bool HasRoom(std::size_t running, double load) const;

  // A test has ended whose process was served that late. `now` is any steady time.
  void Ended(Duration worst_lateness, std::chrono::steady_clock::time_point now);

  // The machine can carry no more processes than these.
  void AtMost(std::size_t running);

  // How much load is allowed at the moment; for a fixed number, that number.
  double limit() const { return limit_; }
  bool is_fixed() const { return fixed_; }
  std::size_t most_processes() const { return most_processes_; }

 private:
  const bool fixed_;
  const double least_;
  const double most_;
  std::size_t most_processes_;
  double limit_;
  std::chrono::steady_clock::time_point lowered_;
};

}  // namespace sockproof

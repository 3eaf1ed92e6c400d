// How many tests run at once.
#pragma once

#include <chrono>
#include <cstddef>

#include "harness/base/time.h"

namespace sockproof {

// Either a fixed number, or as many as the machine carries: found out while tests run, from how
// late their processes were served. A test counts as one for the first second and until it is set
// up; one that takes longer mostly waits, and counts a hundredth from then on.
class Pace {
 public:
  // How long a test counts fully, even one that is set up.
  static constexpr Duration kBusy{1s};

  // A served-late time that no timing of a test needs to fear: the shortest timer that a peer or
  // the harness answers to, the delayed acknowledgement, takes 40 ms.
  static constexpr Duration kGood{10ms};
  static constexpr Duration kTolerable{20ms};

  // `jobs` tests at once; 0: find out, on a machine with `cores`.
  Pace(int jobs, int cores);

  // What a running test counts, by its age and whether it is set up.
  double Load(Duration age, bool is_set_up) const;

  // Whether another test may start while `running` tests count `load` together.
  bool HasRoom(std::size_t running, double load) const;

  // A test has ended whose process was served that late. `now` is any steady time.
  void Ended(Duration worst_lateness, std::chrono::steady_clock::time_point now);

  // The machine can carry no more processes than these.
  void AtMost(std::size_t running);

  // How much load is allowed at the moment; for a fixed number, that number.
  double limit() const { return limit_; }
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

// Tests that are run one after another in one process, on a system that is theirs together but for
// what a test can change: as in one virtual machine.
#pragma once

#include <functional>
#include <vector>

#include "harness/test/registry.h"
#include "harness/trace/event_log.h"

namespace sockproof {

class Company {
 public:
  virtual ~Company() = default;

  // The next of the tests begins; its events go to this log until it has ended.
  virtual EventLog& Begins() = 0;

  // It has ended, by itself if `clean`. Its last event is then its VerdictEvent.
  virtual void Ended(bool clean) = 0;
};

// Runs tests in the calling process, which ends afterwards, in this order. It may end before the
// last of them.
using RunManyTests =
    std::function<void(const std::vector<const TestCase*>& tests, Company& company)>;

}  // namespace sockproof

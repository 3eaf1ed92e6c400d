// What the user of the program got wrong.
#pragma once

#include <stdexcept>

namespace sockproof {

// An unknown pattern, a directory that is not ours: one line that says what to do differently.
// Ends the program with exit code 2.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace sockproof

// What a report cannot be made from.
#pragma once

#include <stdexcept>

namespace sockproof {

// Files that are not there, are no results, or do not go together: one line that names them. Ends
// the program with exit code 2.
class WrongInput : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace sockproof

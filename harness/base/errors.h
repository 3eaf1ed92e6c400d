// How a test ends early. Three of these say nothing about the system under test; Departure is the
// answer itself, where the test cannot go on after it.
#pragma once

#include <chrono>
#include <stdexcept>
#include <string>

namespace sockproof {

// A place in the source of a test. std::source_location is not to be had in clang 14.
struct SourceLocation {
  const char* file;
  int line;
  // As a default argument: the place of the call.
  static constexpr SourceLocation Current(const char* file = __builtin_FILE(),
                                          int line = __builtin_LINE()) {
    return {file, line};
  }
};

// The harness or its environment broke: a namespace could not be made, the agent died, a reply was
// garbage. Nothing is known about the system under test. Ends the test with verdict ERROR.
class HarnessError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// HarnessError for a failed system call: `what` and the text of `error_number` (default: errno).
[[noreturn]] void ThrowErrno(const std::string& what);
[[noreturn]] void ThrowErrno(const std::string& what, int error_number);

// A capability that the test needs is missing. Ends the test with verdict SKIP and this reason.
class Skip : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The machine was too slow, or its clock was stepped, so that nothing can be said. INCONCLUSIVE.
class Inconclusive : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The system under test did not do what the test expected, and the rest of the test makes no sense
// without it. Ends the test with verdict FAIL, reported at `where`, as a failed ASSERT_THAT() is.
class Departure : public std::runtime_error {
 public:
  // `explained_by`: what is missing may come from a process that was served so late, or later, in
  // nanoseconds. 0: no lateness explains it.
  Departure(const std::string& what, SourceLocation where,
            std::chrono::nanoseconds explained_by = std::chrono::nanoseconds(0))
      : std::runtime_error(what), where_(where), explained_by_(explained_by) {}
  SourceLocation where() const { return where_; }
  std::chrono::nanoseconds explained_by() const { return explained_by_; }

 private:
  SourceLocation where_;
  std::chrono::nanoseconds explained_by_;
};

// "ECONNREFUSED" for 111; "errno 4711" for a number without a name.
std::string ErrnoName(int error_number);

// 111 for "ECONNREFUSED"; 0 for a name this system does not know.
int ErrnoFromName(const std::string& name);

}  // namespace sockproof

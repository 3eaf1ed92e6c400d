// Which claim an expectation decides, in a test that cites several.
//
//   TEST_WITH_PEER(HalfClose, SendingAfterShutdownFails,
//                  .claims = {"rfc9293:3.10.2-send-after-close", "posix:send-EPIPE"}) {
//     ...
//     Deciding("rfc9293:3.10.2-send-after-close");
//     EXPECT_THAT(sent, Not(Succeeds()));
//     Deciding("posix:send-EPIPE");
//     EXPECT_THAT(sent, FailsWith(EPIPE));
//   }
#pragma once

#include <string>
#include <string_view>

namespace sockproof {

// From here on, until the next such line, an expectation that fails is a departure from this claim
// alone, and the claim counts as decided. What comes before the first such line is set-up: where it
// fails, the test is a SKIP with the words of what failed, and every claim is "not reached". A test
// without such a line decides all its claims by each of its expectations; a test with one claim
// needs none. Throws HarnessError for a claim that the test does not cite.
void Deciding(std::string_view claim);

// The system does not make use of what this claim, a MAY, allows, or does what its document allows
// in place of it; `what` it does instead, in words.
// Neither held nor departed, unless an expectation of it fails. Throws HarnessError for a claim
// that the test does not cite.
void NotTaken(std::string_view claim, const std::string& what);

// The system did not get to where the test begins: throws Skip with that reason. What has been
// decided before stands.
[[noreturn]] void NotReached(const std::string& what);

// A base of each test, whose Deciding() a test finds first: so it is known before the test runs,
// and fails, whether there is such a line in its body. (Lines in functions beside it are known only
// when they are reached.)
template <typename Test>
class TellsClaimsApart {
 public:
  static inline bool does = false;

 protected:
  static void Deciding(std::string_view claim) {
    Note(noted_);
    sockproof::Deciding(claim);
  }

 private:
  static void Note(const bool&) {}
  // Initialised before main() if the function above is instantiated, that is: called by anyone.
  static inline const bool noted_ = [] { return does = true; }();
};

}  // namespace sockproof

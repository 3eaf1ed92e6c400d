#include "harness/test/deciding.h"

#include "harness/base/errors.h"
#include "harness/test/context.h"

namespace sockproof {

void Deciding(std::string_view claim) { TestContext::Current().Decide(std::string(claim)); }

void NotTaken(std::string_view claim, const std::string& what) {
  TestContext::Current().Tell(std::string(claim), Decision::kNotTaken, what);
}

void NotReached(const std::string& what) { throw Skip("precondition not reached: " + what); }

}  // namespace sockproof

#include "harness/test/deciding.h"

#include "harness/base/errors.h"

namespace sockproof {

void Deciding(std::string_view) {}

void NotTaken(std::string_view, const std::string&) {}

void NotReached(const std::string& what) { throw Skip("precondition not reached: " + what); }

}  // namespace sockproof

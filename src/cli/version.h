// Which program this is.
#pragma once

#include <string>

namespace sockproof {

// "sockproof 0.1.0 (abc1234)": the version, and the commit when it was built in a repository.
std::string VersionLine();

}  // namespace sockproof

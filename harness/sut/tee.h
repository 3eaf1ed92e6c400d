// tee(2): what is in one pipe, in another too.
#pragma once

#include <string>
#include <vector>

#include "harness/sut/outcome.h"
#include "harness/sut/pending.h"
#include "harness/sut/socket.h"

namespace sockproof {

// At most so many octets of `from` come into `to` as well.
Pending<int> StartTee(const Socket& from, const Socket& to, int count,
                      const std::vector<std::string>& flags = {});
Outcome<int> Tee(const Socket& from, const Socket& to, int count,
                 const std::vector<std::string>& flags = {},
                 SourceLocation where = SourceLocation::Current());

}  // namespace sockproof

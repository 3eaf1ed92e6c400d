// --sut lwip.
#include <unistd.h>

#include "harness/base/errors.h"
#include "harness/sut/lwip_system.h"
#include "src/cli/target.h"

namespace sockproof {
namespace {

std::unique_ptr<Target> MakeLwip(const Sut& sut) {
  const std::string agent = ProgramBeside("sockproof-agent-lwip");
  if (access(agent.c_str(), X_OK) != 0) {
    throw HarnessError("lwIP cannot be tested: " + agent +
                       " is not there; it is built where the package liblwip-dev is installed");
  }
  return std::make_unique<SystemTarget>(sut.text,
                                        MakeLwipSystem(agent, !sut.option("sanitize").empty()));
}

const SutRegistration kLwip(
    {.name = "lwip",
     .spelling = "lwip[,sanitize]",
     .meaning = "lwIP's own TCP/IP stack; wrong accesses to its memory end it at once",
     .switches = {"sanitize"},
     .make = MakeLwip});

}  // namespace
}  // namespace sockproof

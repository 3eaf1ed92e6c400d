#include "harness/agent_protocol/controls.h"

// linux/tcp.h and netinet/tcp.h exclude each other.
#include <linux/tcp.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <time.h>

// Behind sys/socket.h, which knows less.
#include <asm/socket.h>

#include "harness/agent_protocol/newer_constants.h"

namespace sockproof::agent_protocol {
namespace {

#define CONTROL(level, name, kind) {#level, #name, level, name, ControlKind::kind},

constexpr ControlType kControlTypes[] = {
#include "harness/agent_protocol/controls.def"
};

#undef CONTROL

}  // namespace

std::span<const ControlType> ControlTypes() { return kControlTypes; }

const ControlType* FindControl(std::string_view level, std::string_view name) {
  for (const ControlType& type : kControlTypes) {
    if (type.level == level && type.name == name) return &type;
  }
  return nullptr;
}

const ControlType* FindControl(int level_number, int number) {
  for (const ControlType& type : kControlTypes) {
    if (type.level_number == level_number && type.number == number) return &type;
  }
  return nullptr;
}

}  // namespace sockproof::agent_protocol

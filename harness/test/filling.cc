#include "harness/test/filling.h"

namespace sockproof {

Filled FillUp(const Socket& socket, const std::string& piece) {
  constexpr int kMost = 4096;
  Filled filled{0, socket.Send(piece, {"MSG_DONTWAIT"})};
  for (int sent = 1; filled.last.ok() && sent < kMost; ++sent) {
    filled.octets += static_cast<std::size_t>(filled.last.value());
    filled.last = socket.Send(piece, {"MSG_DONTWAIT"});
  }
  return filled;
}

int Drain(const Socket& socket, std::size_t size) {
  constexpr int kMost = 16384;
  int received = 0;
  while (received < kMost) {
    const Outcome<std::string> taken = socket.Receive(size, {"MSG_DONTWAIT"});
    if (!taken.ok() || taken.value().empty()) break;
    ++received;
  }
  return received;
}

}  // namespace sockproof

// Values of socket options that are neither numbers nor octets, and lengths that do not fit them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "harness/sut/outcome.h"
#include "harness/sut/socket.h"

namespace sockproof {

// An instruction of classic BPF: struct sock_filter (linux/filter.h).
struct FilterLine {
  std::uint16_t code = 0;
  std::uint8_t jump_true = 0;
  std::uint8_t jump_false = 0;
  std::uint32_t k = 0;
};
// Programs of one instruction: what it lets through is the first so many octets; the answer is this
// number.
std::vector<FilterLine> FilterThatAnswers(std::uint32_t number);

// SO_ATTACH_FILTER, SO_ATTACH_REUSEPORT_CBPF.
Outcome<int> SetFilter(const Socket& socket, const std::string& option,
                       const std::vector<FilterLine>& program);

// SO_RCVTIMEO, SO_SNDTIMEO: struct timeval.
Outcome<int> SetTime(const Socket& socket, const std::string& option,
                     std::chrono::microseconds time);
Outcome<std::chrono::microseconds> GetTime(const Socket& socket, const std::string& option);

// SO_LINGER: struct linger.
struct Lingering {
  bool on = false;
  int seconds = 0;
  bool operator==(const Lingering&) const = default;
};
void PrintTo(const Lingering& lingering, std::ostream* out);
Outcome<int> SetLingering(const Socket& socket, const Lingering& lingering);
Outcome<Lingering> GetLingering(const Socket& socket);

// setsockopt() of a number with another optlen than its own, from -2^31 on.
Outcome<int> SetOptionOfLength(const Socket& socket, const std::string& option, int value,
                               int length);

}  // namespace sockproof

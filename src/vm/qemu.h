// A running QEMU, which dies with this process.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/unique_fd.h"

namespace sockproof {

// Not thread-safe; all members throw HarnessError.
class Qemu {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

  // Starts `arguments` (a path first) with what this class speaks to it through: QMP on its
  // standard input, complaints and the serial console on its error, which goes to `console`.
  // `state` is its descriptor 3, `reached` (what a plugin writes) its descriptor 4; -1: none.
  Qemu(std::vector<std::string> arguments, int console, int state, int reached = -1);
  ~Qemu();
  Qemu(const Qemu&) = delete;
  Qemu& operator=(const Qemu&) = delete;

  // A QMP command and its answer.
  nlohmann::json Command(const std::string& name, const nlohmann::json& arguments);
  nlohmann::json Command(const std::string& name);

  // The next line from the debug console; none when the guest has reset the machine, or QEMU has
  // ended.
  std::optional<std::string> ReadLine();

  // Whether the debug console says something, or ends, within so long.
  bool Speaks(std::chrono::milliseconds within);

  // Whether the processor waits for an interrupt and lets none in.
  bool HaltedForGood();

  // Once there is no line: ends the process, if it has not ended by itself. Its wait status.
  int WaitForEnd();

 private:
  std::string ReadAnswer(Deadline deadline);
  bool AwaitLine(Deadline deadline);
  bool ReadDebugConsole();
  int Reap();

  UniqueFd qmp_;
  std::string qmp_input_;
  std::string debug_input_;
  std::size_t debug_taken_ = 0;  // so much of it was returned
  bool guest_ended_ = false;
  pid_t pid_ = -1;
};

}  // namespace sockproof

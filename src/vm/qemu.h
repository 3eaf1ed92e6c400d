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
  // standard input, the debug console on its output, complaints and the serial console on its
  // error, which goes to `console`. `state` is its descriptor 3,
  // `reached` (what a plugin writes) its descriptor 4; -1: none.
  Qemu(std::vector<std::string> arguments, int console, int state, int reached = -1);
  ~Qemu();
  Qemu(const Qemu&) = delete;
  Qemu& operator=(const Qemu&) = delete;

  // A QMP command and its answer.
  nlohmann::json Command(const std::string& name, const nlohmann::json& arguments);
  nlohmann::json Command(const std::string& name);

  // The next line from the debug console; none when the machine has ended.
  std::optional<std::string> ReadLine();

  // Whether the debug console says something, or ends, within so long.
  bool Speaks(std::chrono::milliseconds within);

  // Whether the processor waits for an interrupt and lets none in.
  bool HaltedForGood();

  // Waits for the end of the process; its wait status.
  int WaitForEnd();

 private:
  std::string ReadAnswer(Deadline deadline);
  bool AwaitLine(Deadline deadline);
  bool ReadDebugConsole();

  UniqueFd qmp_;
  UniqueFd debug_console_;
  UniqueFd process_;  // readable when it has ended
  std::string qmp_input_;
  std::string debug_input_;
  std::size_t debug_taken_ = 0;  // so much of it was returned
  off_t debug_read_ = 0;
  pid_t pid_ = -1;
};

}  // namespace sockproof

// The sockproof program, started as a user starts it, in a folder of its own.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace sockproof {

// How a program ended and what it printed.
struct Finished {
  int exit_code = -1;  // 128 + signal for one that was killed
  std::string out;
  std::string err;
};

// A private folder with the program's agent in it: every process that comes of a program started
// here has the folder's name in its command line, and can so be told from all others. Removes the
// folder on destruction.
class Workplace {
 public:
  // `program` is the path of the executable to start.
  explicit Workplace(std::string program);
  ~Workplace();
  Workplace(const Workplace&) = delete;
  Workplace& operator=(const Workplace&) = delete;

  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path results() const { return folder_ / "out"; }

  // Starts `run --out <folder>/out <arguments>` without waiting. `before` runs in the child.
  pid_t Start(const std::vector<std::string>& arguments, const std::function<void()>& before = {});
  // Starts the program with exactly these arguments.
  pid_t StartCommand(std::vector<std::string> words, const std::function<void()>& before = {});
  // Waits for the end of a program that Start() started.
  Finished Wait(pid_t pid);
  Finished Run(const std::vector<std::string>& arguments,
               const std::function<void()>& before = {}) {
    return Wait(Start(arguments, before));
  }
  Finished Command(const std::vector<std::string>& arguments) {
    return Wait(StartCommand(arguments));
  }

  // Processes that came of programs started here: all, or those whose command line has `part` too.
  std::vector<pid_t> Processes(const std::string& part = "") const;
  // Waits until none is left; false if some still are after 30 s.
  bool AllGone() const;

  nlohmann::json Result() const;
  std::string ReadFile(const std::filesystem::path& relative) const;

 private:
  std::string program_;
  std::filesystem::path folder_;
};

// Waits until `holds`; false after 60 s.
bool Eventually(const std::function<bool()>& holds);

}  // namespace sockproof

#include "harness/base/starved.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace sockproof {
namespace {

namespace fs = std::filesystem;

struct Standing {
  char state = '?';
  pid_t group = -1;
};

// proc(5), /proc/pid/stat: "12 (name) S 1 12 ...", and the name may hold anything.
Standing StandingOf(const fs::path& process) {
  std::ifstream file(process / "stat");
  std::string line;
  std::getline(file, line);
  std::istringstream behind_name(line.substr(std::min(line.rfind(')'), line.size() - 1) + 1));
  Standing standing;
  pid_t parent = 0;
  behind_name >> standing.state >> parent >> standing.group;
  return standing;
}

Duration WaitedForProcessor(const fs::path& thread) {
  std::ifstream file(thread / "schedstat");
  std::int64_t ran = 0;
  std::int64_t waited = 0;
  return file >> ran >> waited ? Duration(waited) : Duration(0);
}

}  // namespace

std::string WhyStarved(pid_t group, Duration much) {
  std::error_code gone;
  Duration worst{0};
  for (const auto& process : fs::directory_iterator("/proc", gone)) {
    const std::string name = process.path().filename();
    if (std::isdigit(static_cast<unsigned char>(name.front())) == 0) continue;
    const Standing standing = StandingOf(process.path());
    if (standing.group != group) continue;
    if (standing.state == 'D') return "a process of it waits in the kernel";
    for (const auto& thread : fs::directory_iterator(process.path() / "task", gone)) {
      worst = std::max(worst, WaitedForProcessor(thread.path()));
    }
  }
  if (worst < much) return "";
  return fmt::format("a process of it waited {} for a processor", FormatDuration(worst));
}

}  // namespace sockproof

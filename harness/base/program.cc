#include "harness/base/program.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <sstream>

#include "harness/base/complaints.h"
#include "harness/base/errors.h"
#include "harness/base/unique_fd.h"

namespace sockproof {
namespace {

struct Pipe {
  UniqueFd reading;
  UniqueFd writing;
};

Pipe MakePipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) ThrowErrno("pipe2");
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

// The program that is meant, which may be started by env.
std::string ProgramMeant(const std::vector<std::string>& command) {
  const auto named = std::find_if(command.begin() + 1, command.end(), [](const std::string& word) {
    return !word.starts_with("--") && word.find('=') == std::string::npos;
  });
  const std::string first = command.front().substr(command.front().rfind('/') + 1);
  return first == "env" && named != command.end() ? *named : first;
}

// In a child: tells the parent why no program was started.
[[noreturn]] void ReportAndExit(int channel, int number) {
  if (write(channel, &number, sizeof number) < 0) _exit(126);
  _exit(127);
}

}  // namespace

std::string FindProgram(const std::string& name) {
  const char* const path = getenv("PATH");
  std::istringstream folders(path != nullptr ? path : "/usr/bin:/bin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::string candidate = folder + "/" + name;
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return "";
}

pid_t StartProgram(const std::vector<std::string>& command, int input, int output, int error,
                   int fourth, const std::function<int()>& in_child) {
  std::vector<char*> arguments;
  for (const std::string& argument : command)
    arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  const UniqueFd nothing(open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!nothing) ThrowErrno("open /dev/null");
  Pipe failure = MakePipe();
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) ThrowErrno("fork");
  if (child == 0) {
    const int refused = in_child ? in_child() : 0;
    if (refused != 0) ReportAndExit(failure.writing.get(), refused);
    // After in_child: a change of credentials, such as a new user namespace, clears it.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGXFSZ, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    // Moved out of the way first: one of them may have the number that another is to get.
    int wanted[] = {input, output, error, fourth};
    for (int& fd : wanted) fd = fcntl(fd < 0 ? nothing.get() : fd, F_DUPFD_CLOEXEC, 10);
    const int reporting = fcntl(failure.writing.get(), F_DUPFD_CLOEXEC, 10);
    const int count = fourth < 0 ? 3 : 4;
    for (int i = 0; i < count; ++i) dup2(wanted[i], i);
    close_range(static_cast<unsigned>(count), ~0U, CLOSE_RANGE_CLOEXEC);
    execv(arguments[0], arguments.data());
    ReportAndExit(reporting, errno);
  }
  failure.writing.Reset();
  int number = 0;
  if (read(failure.reading.get(), &number, sizeof number) > 0) {
    waitpid(child, nullptr, 0);
    ThrowErrno("cannot start " + command.front(), number);
  }
  return child;
}

std::string RunProgram(std::vector<std::string> command) {
  const std::string name = command.front();
  if (name.find('/') == std::string::npos) {
    command.front() = FindProgram(name);
    if (command.front().empty()) throw HarnessError("the program " + name + " is not installed");
  }
  Pipe output = MakePipe();
  Pipe complaints = MakePipe();
  const pid_t child = StartProgram(command, -1, output.writing.get(), complaints.writing.get());
  output.writing.Reset();
  complaints.writing.Reset();
  std::string printed;
  std::string complained;
  std::array<pollfd, 2> ends{pollfd{output.reading.get(), POLLIN, 0},
                             pollfd{complaints.reading.get(), POLLIN, 0}};
  while (ends[0].fd >= 0 || ends[1].fd >= 0) {
    if (poll(ends.data(), ends.size(), -1) < 0) continue;
    for (std::size_t i = 0; i < ends.size(); ++i) {
      if (ends[i].fd < 0 || ends[i].revents == 0) continue;
      char buffer[65536];
      const ssize_t count = read(ends[i].fd, buffer, sizeof buffer);
      if (count > 0) {
        (i == 0 ? printed : complained).append(buffer, static_cast<std::size_t>(count));
      } else {
        ends[i].fd = -1;
      }
    }
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (status != 0) {
    throw HarnessError(fmt::format("{} failed: {}", ProgramMeant(command),
                                   LastWords(complained.empty() ? printed : complained)));
  }
  return printed;
}

}  // namespace sockproof

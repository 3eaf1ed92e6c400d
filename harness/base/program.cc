#include "harness/base/program.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#define BOOST_PROCESS_USE_STD_FS 1  // not Boost's own, which would have to be linked
#include <boost/optional.hpp>       // which Boost 1.81 then forgets
//
#include <boost/asio/io_context.hpp>
#include <boost/process/v2/posix/default_launcher.hpp>
#include <boost/process/v2/posix/vfork_launcher.hpp>
#include <boost/process/v2/process.hpp>
#include <sstream>
#include <utility>

#include "harness/base/complaints.h"
#include "harness/base/errors.h"
#include "harness/base/unique_fd.h"

namespace sockproof {
namespace {

namespace process = boost::process::v2;

struct Pipe {
  UniqueFd reading;
  UniqueFd writing;
};

Pipe MakePipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) ThrowErrno("pipe2");
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

constexpr int kAboveDescriptors = 10;  // of a program

// The program that is meant, which may be started by env.
std::string ProgramMeant(const std::vector<std::string>& command) {
  const auto named = std::find_if(command.begin() + 1, command.end(), [](const std::string& word) {
    return !word.starts_with("--") && word.find('=') == std::string::npos;
  });
  const std::string first = command.front().substr(command.front().rfind('/') + 1);
  return first == "env" && named != command.end() ? *named : first;
}

// What Boost's launcher calls in the child, between fork and exec.
class ChildSetup {
 public:
  ChildSetup(std::vector<int> descriptors, const std::function<int()>& in_child)
      : descriptors_(std::move(descriptors)), in_child_(in_child) {}

  template <typename Launcher>
  boost::system::error_code on_exec_setup(Launcher& launcher, const process::filesystem::path&,
                                          const char* const*) {
    errno = Prepare();  // the launcher tells this number to the parent
    launcher.env = environ;
    return {errno, boost::system::system_category()};
  }

  // The launcher would run exit handlers, and so flush this process's output a second time.
  template <typename... Arguments>
  void on_exec_error(Arguments&&...) {
    _exit(127);
  }

 private:
  int Prepare() {
    if (const int refused = in_child_ ? in_child_() : 0; refused != 0) return refused;
    // After in_child: a change of credentials, such as a new user namespace, clears it.
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return errno;
    if (getppid() != parent_) _exit(127);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGXFSZ, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    // Moved out of the way first: one of them may have the number that another is to get.
    for (int& fd : descriptors_) {
      fd = fcntl(fd, F_DUPFD_CLOEXEC, kAboveDescriptors);
      if (fd < 0) return errno;
    }
    const int count = static_cast<int>(descriptors_.size());
    for (int i = 0; i < count; ++i) dup2(descriptors_[static_cast<std::size_t>(i)], i);
    CloseAtExecFrom(count);
    return 0;
  }

  // The launcher of Boost 1.81 leaves those open that are between the ones that it keeps.
  static void CloseAtExecFrom(int first) {
    if (close_range(static_cast<unsigned>(first), ~0U, CLOSE_RANGE_CLOEXEC) == 0) return;
    rlimit most{};  // Linux before 5.11
    getrlimit(RLIMIT_NOFILE, &most);
    for (int fd = first; fd < static_cast<int>(std::min<rlim_t>(most.rlim_cur, 65536)); ++fd) {
      fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
  }

  std::vector<int> descriptors_;
  const std::function<int()>& in_child_;
  const pid_t parent_ = getpid();
};

template <typename Launcher>
pid_t Launch(const std::vector<std::string>& command, std::size_t descriptors,
             ChildSetup setup) {
  Launcher launcher;
  for (std::size_t i = 3; i < descriptors; ++i) {
    launcher.fd_whitelist.push_back(static_cast<int>(i));
  }
  boost::asio::io_context context;  // never run
  boost::system::error_code error;
  try {
    launcher(context.get_executor(), error, command.front(),
             std::vector<std::string>(command.begin() + 1, command.end()),
             std::move(setup))
        .detach();
  } catch (const boost::system::system_error&) {
    // It runs: what has no place in Linux before 5.3 is Boost's handle of it.
    if (launcher.pid <= 0) throw;
  }
  if (error) {
    if (launcher.pid > 0) waitpid(launcher.pid, nullptr, 0);
    ThrowErrno("cannot start " + command.front(), error.value());
  }
  return launcher.pid;
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

pid_t StartProgram(std::vector<std::string> command, const std::vector<int>& descriptors,
                   const std::function<int()>& in_child, ChildMemory memory) {
  const std::string name = command.front();
  if (name.find('/') == std::string::npos) {
    command.front() = FindProgram(name);
    if (command.front().empty()) throw HarnessError("the program " + name + " is not installed");
  }
  // The null device, as often as is needed for the launcher's own pipe to get numbers that the
  // program's descriptors do not.
  std::vector<UniqueFd> nothing;
  do {
    nothing.emplace_back(open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!nothing.back()) ThrowErrno("open /dev/null");
  } while (nothing.back().get() + 1 < static_cast<int>(descriptors.size()));
  std::vector<int> given = descriptors;
  std::replace(given.begin(), given.end(), -1, nothing.back().get());

  ChildSetup setup(given, in_child);
  return memory == ChildMemory::kShared
             ? Launch<process::posix::vfork_launcher>(command, given.size(), std::move(setup))
             : Launch<process::posix::default_launcher>(command, given.size(), std::move(setup));
}

std::string RunProgram(const std::vector<std::string>& command) {
  Pipe output = MakePipe();
  Pipe complaints = MakePipe();
  const pid_t child = StartProgram(command, {-1, output.writing.get(), complaints.writing.get()});
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

#include "src/run/child.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <iostream>

#include "harness/base/errors.h"
#include "harness/base/unique_fd.h"

namespace sockproof {
namespace {

constexpr int kChannel = STDERR_FILENO + 1;

// Runs in the child; nothing may throw here.
void LeaveParent(pid_t parent, int channel, int output) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  setpgid(0, 0);

  signal(SIGINT, SIG_IGN);
  signal(SIGPIPE, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);

  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  if (channel != kChannel) dup3(channel, kChannel, O_CLOEXEC);
  const int nothing = open("/dev/null", O_RDONLY);
  dup2(nothing, STDIN_FILENO);
  close_range(kChannel + 1, ~0U, 0);
}

void WriteAll(int fd, const std::string& text) {
  for (size_t written = 0; written < text.size();) {
    const ssize_t count = write(fd, text.data() + written, text.size() - written);
    if (count < 0 && errno != EINTR) return;
    if (count > 0) written += static_cast<size_t>(count);
  }
}

}  // namespace

pid_t ForkChild(int channel, int output, const std::function<void(int)>& work) {
  const pid_t parent = getpid();
  std::cout.flush();
  fflush(nullptr);  // what is buffered now would be printed twice
  const pid_t child = fork();
  if (child < 0) ThrowErrno("fork");
  if (child > 0) {
    setpgid(child, child);  // here too: the child may be killed before it has run at all
    return child;
  }
  LeaveParent(parent, channel, output);
  int exit_code = 0;
  try {
    work(kChannel);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    exit_code = 1;
  } catch (...) {
    exit_code = 1;
  }
  std::cout.flush();
  fflush(nullptr);
  _exit(exit_code);
}

bool Reap(pid_t child, ChildEnd& end) {
  siginfo_t info{};
  // Left a zombie at first, so that its process group cannot be anyone else's when it is killed.
  if (waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT) != 0) {
    ThrowErrno("waitid");
  }
  if (info.si_pid == 0) return false;
  Kill(child);
  waitid(P_PID, static_cast<id_t>(child), &info, WEXITED);
  end.by_signal = info.si_code != CLD_EXITED;
  end.clean = !end.by_signal && info.si_status == 0;
  const char* name = end.by_signal ? sigabbrev_np(info.si_status) : nullptr;
  if (!end.by_signal) {
    end.text = fmt::format("exited with {}", info.si_status);
  } else if (name != nullptr) {
    end.text = fmt::format("crashed: SIG{}", name);
  } else {
    end.text = fmt::format("crashed: signal {}", info.si_status);
  }
  return true;
}

void WaitForEnd(pid_t child) {
  siginfo_t info{};
  while (waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
  }
}

void Kill(pid_t child) { kill(-child, SIGKILL); }

std::string CallInChild(const std::function<std::string()>& work, Duration limit) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) ThrowErrno("pipe2");
  const UniqueFd from_child(ends[0]);
  UniqueFd to_parent(ends[1]);
  // A file, so that what its own children say is there to be cited (harness/base/complaints.h).
  const UniqueFd output(memfd_create("complaints", MFD_CLOEXEC));
  if (!output) ThrowErrno("memfd_create");
  // The first byte tells a result from an error.
  const pid_t child = ForkChild(to_parent.get(), output.get(), [&work](int channel) {
    try {
      WriteAll(channel, "+" + work());
    } catch (const std::exception& error) {
      WriteAll(channel, std::string("-") + error.what());
    }
  });
  to_parent.Reset();

  std::string answer;
  const auto deadline = std::chrono::steady_clock::now() + limit;
  bool in_time = true;
  while (true) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd readable{from_child.get(), POLLIN, 0};
    const int ready = poll(&readable, 1, static_cast<int>(std::max<long>(left.count(), 0)));
    if (ready < 0 && errno == EINTR) continue;
    in_time = ready > 0;
    if (!in_time) break;
    char buffer[4096];
    const ssize_t count = read(from_child.get(), buffer, sizeof buffer);
    if (count <= 0) break;
    answer.append(buffer, static_cast<size_t>(count));
  }
  if (!in_time) Kill(child);
  WaitForEnd(child);  // at the end of the file it is about to end by itself
  ChildEnd end;
  Reap(child, end);

  if (!in_time) throw HarnessError("no answer within " + FormatDuration(limit));
  if (answer.empty()) throw HarnessError("its process " + end.text);
  if (answer[0] != '+') throw HarnessError(answer.substr(1));
  return answer.substr(1);
}

}  // namespace sockproof

#include "tests/e2e/program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "harness/base/program.h"
#include "harness/base/unique_fd.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;

// Nothing of what is no file, such as /dev/full.
std::string Slurp(const fs::path& path) {
  if (!fs::is_regular_file(path)) return "";
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool Poll(const std::function<bool()>& holds, std::chrono::seconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace

Workplace::Workplace(std::string program) : program_(std::move(program)) {
  std::string name = fs::temp_directory_path() / "sockproof-e2e-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
  folder_ = name;
  fs::copy_file(fs::path(program_).replace_filename("sockproof-agent"), folder_ / "agent");
}

Workplace::~Workplace() {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

pid_t Workplace::Start(const std::vector<std::string>& arguments,
                       const std::function<void()>& before) {
  std::vector<std::string> words{"run", "--out", results()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  return StartCommand(words, before);
}

pid_t Workplace::StartCommand(std::vector<std::string> words, const std::function<void()>& before) {
  words.insert(words.begin(), program_);
  const auto file = [this](const char* name) {
    return UniqueFd(open((folder_ / name).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  };
  const UniqueFd output = file("stdout");
  const UniqueFd error = file("stderr");
  return StartProgram(words, {STDIN_FILENO, output.get(), error.get()}, [&] {
    if (chdir(folder_.c_str()) != 0) return errno;
    setenv("SOCKPROOF_AGENT", (folder_ / "agent").c_str(), 1);
    if (before) before();
    return 0;
  });
}

Finished Workplace::Wait(pid_t pid) {
  int status = 0;
  waitpid(pid, &status, 0);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
          Slurp(folder_ / "stdout"), Slurp(folder_ / "stderr")};
}

std::vector<pid_t> Workplace::Processes(const std::string& part) const {
  std::vector<pid_t> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (!std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; })) {
      continue;
    }
    // A process that ends meanwhile makes the read fail.
    std::ifstream file(entry.path() / "cmdline", std::ios::binary);
    std::string command;
    std::getline(file, command, '\n');
    if (command.find(folder_.string()) != std::string::npos &&
        command.find(part) != std::string::npos) {
      found.push_back(std::stoi(name));
    }
  }
  return found;
}

bool Workplace::AllGone() const {
  return Poll([&] { return Processes().empty(); }, std::chrono::seconds(30));
}

nlohmann::json Workplace::Result() const {
  return nlohmann::json::parse(Slurp(results() / "result.json"));
}

std::string Workplace::ReadFile(const fs::path& relative) const {
  return Slurp(folder_ / relative);
}

bool Eventually(const std::function<bool()>& holds) {
  return Poll(holds, std::chrono::seconds(60));
}

}  // namespace sockproof

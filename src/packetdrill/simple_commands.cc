#include "src/packetdrill/simple_commands.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string_view>
#include <utility>

#include "harness/base/unique_fd.h"
#include "src/packetdrill/bsd_sysctls.h"

namespace sockproof::packetdrill {
namespace {

constexpr int kDeepestScript = 4;
constexpr std::size_t kLargestShellScript = 64 << 10;

// What makes a line more than a list of words.
class NotSimple {};

std::string TextOfFile(const std::string& path, std::size_t most) {
  std::ifstream file(path, std::ios::binary);
  std::string text(most, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  return text;
}

// $((15*1024*1024)): products and sums of numbers.
class Arithmetic {
 public:
  explicit Arithmetic(std::string_view text) : text_(text) {}

  std::int64_t Value() {
    const std::int64_t value = Sum();
    if (at_ != text_.size()) throw NotSimple();
    return value;
  }

 private:
  static constexpr std::int64_t kMost = std::int64_t{1} << 40;

  static std::int64_t InRange(std::int64_t value) {
    if (value > kMost || value < -kMost) throw NotSimple();
    return value;
  }
  std::int64_t Sum() {
    std::int64_t value = Product();
    while (true) {
      if (TakeIf('+')) {
        value = InRange(value + Product());
      } else if (TakeIf('-')) {
        value = InRange(value - Product());
      } else {
        return value;
      }
    }
  }
  std::int64_t Product() {
    std::int64_t value = Number();
    while (TakeIf('*')) {
      const std::int64_t factor = Number();
      if (factor != 0 && std::abs(value) > kMost / std::abs(factor)) throw NotSimple();
      value *= factor;
    }
    return value;
  }
  std::int64_t Number() {
    SkipSpace();
    std::int64_t value = 0;
    const std::size_t begin = at_;
    while (at_ < text_.size() && isdigit(static_cast<unsigned char>(text_[at_])) != 0) {
      value = InRange(value * 10 + (text_[at_++] - '0'));
    }
    if (at_ == begin) throw NotSimple();
    SkipSpace();
    return value;
  }
  bool TakeIf(char sign) {
    if (at_ >= text_.size() || text_[at_] != sign) return false;
    ++at_;
    return true;
  }
  void SkipSpace() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }

  const std::string_view text_;
  std::size_t at_ = 0;
};

struct SimpleLine {
  std::vector<std::string> words;
  bool drops_output = false;
  std::string output_file;  // of > FILE; empty: none
};

// Lines as words. Throws NotSimple.
class LineReader {
 public:
  LineReader(std::string_view text, int pid) : text_(text), pid_(pid) {}

  std::vector<SimpleLine> Lines() {
    std::vector<SimpleLine> lines;
    while (at_ < text_.size()) {
      SimpleLine line = TakeLine();
      if (!line.words.empty()) lines.push_back(std::move(line));
    }
    return lines;
  }

 private:
  SimpleLine TakeLine() {
    SimpleLine line;
    while (true) {
      SkipSpace();
      if (at_ >= text_.size()) return line;
      const char here = text_[at_];
      if (here == '\n') {
        ++at_;
        return line;
      }
      if (here == '#') {
        while (at_ < text_.size() && text_[at_] != '\n') ++at_;
      } else if (TakeIf("2>&1")) {
        // Both outputs are kept together.
      } else if (TakeIf("2>") || TakeIf(">")) {
        SkipSpace();
        const std::string file = TakeWord();
        if (file == "/dev/null") {
          line.drops_output = true;
        } else {
          line.output_file = file;
        }
      } else {
        line.words.push_back(TakeWord());
      }
    }
  }

  std::string TakeWord() {
    std::string word;
    char quote = '\0';
    for (; at_ < text_.size(); ++at_) {
      if (quote != '\'' && TakeIf("\\\n")) {
        --at_;
        continue;
      }
      const char here = text_[at_];
      if (quote != '\0' && here == quote) {
        quote = '\0';
      } else if (quote == '\'') {
        word += here;
      } else if (here == '$') {
        word += TakeVariable();
        --at_;
      } else if (quote == '"') {
        if (here == '\\' || here == '`') throw NotSimple();
        word += here;
      } else if (here == '"' || here == '\'') {
        quote = here;
      } else if (isspace(static_cast<unsigned char>(here)) != 0 || here == '>') {
        return word;
      } else if (isalnum(static_cast<unsigned char>(here)) != 0 ||
                 std::string_view("_-./:=,+%@").find(here) != std::string_view::npos) {
        word += here;
      } else {
        throw NotSimple();
      }
    }
    if (quote != '\0') throw NotSimple();
    return word;
  }

  std::string TakeVariable() {
    for (const char* name : {"${PPID}", "$PPID", "${PACKETDRILL_PID}", "$PACKETDRILL_PID"}) {
      if (TakeIf(name)) return std::to_string(pid_);
    }
    if (!TakeIf("$((")) throw NotSimple();
    const std::size_t end = text_.find("))", at_);
    if (end == std::string_view::npos) throw NotSimple();
    const std::string_view expression = text_.substr(at_, end - at_);
    at_ = end + 2;
    return std::to_string(Arithmetic(expression).Value());
  }

  bool TakeIf(std::string_view words) {
    if (text_.substr(at_, words.size()) != words) return false;
    at_ += words.size();
    return true;
  }
  void SkipSpace() {
    while (at_ < text_.size()) {
      if (text_[at_] == ' ' || text_[at_] == '\t') {
        ++at_;
      } else if (!TakeIf("\\\n")) {
        return;
      }
    }
  }

  const std::string_view text_;
  const int pid_;
  std::size_t at_ = 0;
};

class Runner {
 public:
  Runner(int pid, bool machine_is_own, const RunWords& run)
      : pid_(pid), machine_is_own_(machine_is_own), run_(run) {}

  // Throws NotSimple before anything is done.
  void Plan(const std::string& text, int depth = 0) {
    if (depth > kDeepestScript) throw NotSimple();
    for (SimpleLine& line : LineReader(text, pid_).Lines()) PlanLine(std::move(line), depth);
  }

  CommandResult Run() {
    for (const Step& step : steps_) {
      CommandResult result = step();
      done_.status = result.status;
      done_.output += result.output;
      done_.computed += result.computed;
    }
    return done_;
  }

 private:
  using Step = std::function<CommandResult()>;

  void PlanLine(SimpleLine line, int depth) {
    // They change the shell itself.
    constexpr std::string_view kOfShell[] = {".",     "cd",   "set",  "exec",   "exit", "export", "eval",
                                             "unset", "trap", "wait", "umask",  "alias", "source", "if",
                                             "for",   "while", "case", "return", "shift", "read"};
    const std::string& name = line.words.front();
    const bool of_shell = std::find(std::begin(kOfShell), std::end(kOfShell), name) != std::end(kOfShell);
    if (of_shell || name.find('=') != std::string::npos) throw NotSimple();
    if (name == "sysctl" && line.output_file.empty()) return PlanSysctl(std::move(line));
    if (name == "echo" && !line.output_file.empty()) return PlanEcho(std::move(line));
    if (!line.output_file.empty()) throw NotSimple();
    if (name.find('/') != std::string::npos) return PlanPath(std::move(line), depth);
    const bool is_flush = line.words == std::vector<std::string>{"ip", "tcp_metrics", "flush", "all"};
    // By what scripts begin with; in a namespace that is new there are none.
    if (is_flush && depth > 0 && line.drops_output) return;
    steps_.emplace_back([this, line = std::move(line)] { return run_(line.words, !line.drops_output); });
  }

  void PlanSysctl(SimpleLine line) {
    std::vector<std::pair<std::string, std::string>> settings;
    bool quiet = false;
    bool tolerant = false;
    for (std::size_t i = 1; i < line.words.size(); ++i) {
      const std::string& word = line.words[i];
      const std::size_t sign = word.find('=');
      if (word == "-q") {
        quiet = true;
      } else if (word == "-e") {
        tolerant = true;
      } else if (word != "-w" && (word.starts_with("-") || sign == std::string::npos)) {
        throw NotSimple();
      } else if (word != "-w") {
        settings.emplace_back(word.substr(0, sign), word.substr(sign + 1));
      }
    }
    steps_.emplace_back([=, this, drops = line.drops_output] {
      CommandResult result;
      for (const auto& [name, value] : settings) SetSysctl(name, value, quiet, tolerant, result);
      if (drops) result.output.clear();
      return result;
    });
  }

  // With the words of sysctl(8).
  void SetSysctl(const std::string& name, const std::string& value, bool quiet, bool tolerant,
                 CommandResult& result) const {
    if (IsBsdSysctl(name)) return SetEqual(name, value, quiet, result);
    std::string path = "/proc/sys/" + name;
    // Before the first slash dots separate, and slashes alone do so in net/ipv4/conf/eth0.1/forwarding.
    if (name.find('/') == std::string::npos) std::replace(path.begin(), path.end(), '.', '/');
    const int error = WriteTo(path, value);
    if (error == ENOENT) {
      if (tolerant) return;
      result.output += fmt::format("sysctl: cannot stat {}: {}\n", path, strerror(error));
    } else if (error != 0) {
      result.output += fmt::format("sysctl: setting key \"{}\": {}\n", name, strerror(error));
    } else if (!quiet) {
      result.output += fmt::format("{} = {}\n", name, value);
    }
    if (error != 0) result.status = 1;
  }

  void SetEqual(const std::string& name, const std::string& value, bool quiet, CommandResult& result) const {
    const std::optional<LinuxEqual> equal = EqualOnLinux(name, value);
    if (!equal) {
      result.output += fmt::format("{}={} is of FreeBSD, {}\n", name, value, kWithoutEqual);
      result.status = 1;
      return;
    }
    if (equal->changes.empty()) {
      result.output += fmt::format("{}={} is passed over: {}\n", name, value, equal->why);
    }
    for (const LinuxEqual::Change& change : equal->changes) {
      std::string path = "/proc/sys/" + change.name;
      std::replace(path.begin(), path.end(), '.', '/');
      SetSysctl(change.name, change.value(ValueAt(path)), quiet, false, result);
    }
  }

  static std::string ValueAt(const std::string& path) {
    std::string value = TextOfFile(path, 4096);
    while (!value.empty() && isspace(static_cast<unsigned char>(value.back())) != 0) value.pop_back();
    return value;
  }

  // The errno, 0: none. What is the machine's keeps its value, whoever may change it, unless the machine
  // is the test's.
  int WriteTo(const std::string& path, const std::string& value) const {
    const bool is_own = path.starts_with("/proc/sys/net/") && path.find("/../") == std::string::npos;
    if (!is_own && !machine_is_own_) {
      if (access(path.c_str(), F_OK) != 0) return errno;
      return ValueAt(path) == value ? 0 : EROFS;
    }
    const UniqueFd file(open(path.c_str(), O_WRONLY | O_CLOEXEC | O_TRUNC));
    if (!file) return errno;
    const std::string line = value + "\n";
    return write(file.get(), line.data(), line.size()) < 0 ? errno : 0;
  }

  // To files of the kernel only; others are made by the shell.
  void PlanEcho(SimpleLine line) {
    if (!line.output_file.starts_with("/proc/sys/") && !line.output_file.starts_with("/sys/")) throw NotSimple();
    if (line.words.size() > 1 && line.words[1].starts_with("-")) throw NotSimple();
    std::string text;
    for (std::size_t i = 1; i < line.words.size(); ++i) text += (i == 1 ? "" : " ") + line.words[i];
    steps_.emplace_back([this, file = line.output_file, text] {
      const int error = WriteTo(file, text);
      if (error == 0) return CommandResult{};
      return CommandResult{1, fmt::format("sh: {}: {}\n", file, strerror(error))};
    });
  }

  void PlanPath(SimpleLine line, int depth) {
    const std::string& path = line.words.front();
    const std::string name = path.substr(path.rfind('/') + 1);
    if (path == fmt::format("/tmp/sysctl_restore_{}.sh", pid_) && line.words.size() == 1) {
      // Not there yet, or nothing but what was planned here.
      steps_.emplace_back([this] { return Restored(); });
      return;
    }
    if (access(path.c_str(), X_OK) != 0) throw NotSimple();
    if (name == "set_sysctls.py") return PlanHelper(line);
    const std::string text = TextOfFile(path, kLargestShellScript + 1);
    const std::string first = text.substr(0, text.find('\n'));
    const bool is_shell = first == "#!/bin/bash" || first == "#!/bin/sh";
    if (!is_shell || text.size() > kLargestShellScript || line.words.size() > 1 || line.drops_output) {
      steps_.emplace_back([this, line = std::move(line)] { return run_(line.words, !line.drops_output); });
      return;
    }
    Plan(text, depth + 1);
  }

  // FILE=VALUE ...: sets them, and leaves a script that sets them back.
  void PlanHelper(const SimpleLine& line) {
    std::vector<std::pair<std::string, std::string>> settings;
    for (std::size_t i = 1; i < line.words.size(); ++i) {
      const std::size_t sign = line.words[i].find('=');
      if (sign == std::string::npos || !line.words[i].starts_with("/proc/sys/")) throw NotSimple();
      settings.emplace_back(line.words[i].substr(0, sign), line.words[i].substr(sign + 1));
    }
    steps_.emplace_back([this, settings] { return SetAndRemember(settings); });
  }

  std::string PathOfRestore() const { return fmt::format("/tmp/sysctl_restore_{}.sh", pid_); }

  CommandResult SetAndRemember(const std::vector<std::pair<std::string, std::string>>& settings) const {
    std::ofstream restore(PathOfRestore());
    restore << "#!/bin/bash\n";
    CommandResult result;
    for (const auto& [path, value] : settings) {
      if (access(path.c_str(), F_OK) != 0) {
        return {1, fmt::format("cat: {}: {}\n", path, strerror(errno))};
      }
      restore << "echo \"" << ValueAt(path) << "\" > " << path << "\n";
      const int error = WriteTo(path, value);
      if (error != 0) result.output += fmt::format("sh: {}: {}\n", path, strerror(error));
    }
    restore.close();
    chmod(PathOfRestore().c_str(), 0744);
    return result;
  }

  CommandResult Restored() const {
    if (access(PathOfRestore().c_str(), X_OK) != 0) {
      return {127, fmt::format("sh: {}: not found\n", PathOfRestore())};
    }
    Runner again(pid_, machine_is_own_, run_);
    try {
      again.Plan(TextOfFile(PathOfRestore(), kLargestShellScript));
      return again.Run();
    } catch (const NotSimple&) {
      return run_({PathOfRestore()}, true);
    }
  }

  const int pid_;
  const bool machine_is_own_;
  const RunWords& run_;
  std::vector<Step> steps_;
  CommandResult done_;
};

}  // namespace

std::optional<CommandResult> RunSimpleCommands(const std::string& command, int pid, bool machine_is_own,
                                               const RunWords& run) {
  Runner runner(pid, machine_is_own, run);
  try {
    runner.Plan(command);
  } catch (const NotSimple&) {
    return std::nullopt;
  }
  return runner.Run();
}

}  // namespace sockproof::packetdrill

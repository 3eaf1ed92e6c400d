#include "tests/fuzz/targets.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "harness/base/errors.h"
#include "harness/claims/catalogue.h"
#include "harness/sut/answer_checks.h"
#include "harness/trace/event_log.h"
#include "harness/trace/ladder.h"
#include "harness/trace/pcapng.h"
#include "src/explore/sequence.h"
#include "src/judge/capture.h"
#include "src/packetdrill/python.h"
#include "src/packetdrill/script.h"
#include "src/report/junit.h"
#include "src/report/kcidb.h"
#include "src/report/ktap.h"
#include "src/report/read_result.h"
#include "src/report/summary.h"
#include "src/run/baseline.h"
#include "src/run/usage_error.h"
#include "tests/packet/round_trip.h"

namespace sockproof::fuzz {
namespace {

// A file in memory with these octets, for readers that take a path.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view octets) : fd_(memfd_create("fuzz", MFD_CLOEXEC)) {
    if (fd_ < 0 || write(fd_, octets.data(), octets.size()) != static_cast<ssize_t>(octets.size()))
      throw std::logic_error("no file in memory");
  }
  ~MemoryFile() { close(fd_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

// Of texts that are written as they are. (What the program says goes through CleanLog().)
void CheckShown(std::string_view text) {
  const auto controls = [](char c) {
    return (c >= 0 && c < ' ' && c != '\n' && c != '\t') || c == 0x7f;
  };
  if (std::any_of(text.begin(), text.end(), controls))
    throw std::logic_error("a control character is shown");
}

// "method option\n" and what was answered.
void ReadAnswer(std::string_view octets) {
  const std::size_t line_end = std::min(octets.find('\n'), octets.size());
  const std::string_view asked = octets.substr(0, line_end);
  const std::size_t space = std::min(asked.find(' '), asked.size());
  const AskedCall call{.method = std::string(asked.substr(0, space)),
                       .option = std::string(asked.substr(std::min(space + 1, asked.size())))};
  octets.remove_prefix(std::min(line_end + 1, octets.size()));
  nlohmann::json answer;
  try {
    answer = ParseAnswer(octets);
    CheckResult(call, answer);
  } catch (const HarnessError&) {
    // That is what becomes of it.
  }
  try {
    CheckRefusal(call, answer);
  } catch (const HarnessError&) {
    // That is what becomes of it.
  }
}

void ReadBaselineFile(std::string_view octets) {
  try {
    ParseBaseline(octets, "baseline.toml");
  } catch (const UsageError&) {
    // It names the line.
  }
}

void ReadCaptureFile(std::string_view octets) {
  try {
    ReadCapture(octets);
  } catch (const std::invalid_argument&) {
    // It is none.
  }
}

void ReadCatalogue(std::string_view octets) {
  try {
    ParseClaims("claims.tsv", octets);
  } catch (const HarnessError&) {
    // Of the project's own files: who reads the message wrote them.
  }
}

void ReadEventLog(std::string_view octets) {
  const MemoryFile file(octets);
  std::vector<Event> events;
  try {
    events = ReadEvents(file.path());
  } catch (const std::invalid_argument&) {
    return;
  }
  CheckShown(RenderLadder(events));
  if (!events.empty()) RenderPcapng(events, "Suite.Test/ipv4");
}

void ReadFrameOctets(std::string_view octets) {
  const auto* first = reinterpret_cast<const std::uint8_t*>(octets.data());
  const std::string flaw = packet::FlawOfRoundTrip({first, octets.size()});
  if (!flaw.empty()) throw std::logic_error(flaw);
}

void ReadResultFile(std::string_view octets) {
  const MemoryFile file(octets);
  try {
    const RunResult result = ReadResult(file.path());
    RenderJunit(result, "sockproof-out");
    CheckShown(RenderKtap(result));
    RenderKcidb(result, {"origin:build", ""});
    CheckShown(RenderSummary(result, false));
    ToJson(result);
  } catch (const WrongInput&) {
    // It names the member.
  }
}

void ReadCode(const std::string& text) {
  try {
    const packetdrill::Python code(text);
  } catch (const packetdrill::Python::NotKnown&) {
    // It is for python3.
  }
}

void ReadScript(std::string_view octets) {
  try {
    const packetdrill::Script script = packetdrill::Parse(octets, {{"CODE", "host_unreachable"}});
    for (const packetdrill::Event& event : script.events) {
      if (event.where.line < 1 || event.source.size() > 2000)
        throw std::logic_error("an event is nowhere");
      const auto* call = std::get_if<packetdrill::CallEvent>(&event.what);
      if (call != nullptr) Describe(call->result);
      const auto* code = std::get_if<packetdrill::CodeEvent>(&event.what);
      if (code != nullptr) ReadCode(code->text);
    }
  } catch (const packetdrill::SyntaxError& error) {
    if (error.where().line < 1 || error.where().column < 1)
      throw std::logic_error("an error is nowhere");
  }
}

// Sequences of explore. What is read is written, and read the same.
void ReadSequences(std::string_view octets) {
  try {
    const std::vector<explore::Sequence> sequences = explore::ParseSequences(octets);
    const std::string text = explore::SequencesText(sequences);
    CheckShown(text);
    if (explore::ParseSequences(text) != sequences) throw std::logic_error("written otherwise");
    if (explore::ParseOneLine(explore::OneLine(sequences)) != sequences)
      throw std::logic_error("written otherwise in a line");
  } catch (const std::invalid_argument& error) {
    CheckShown(error.what());
  }
}

}  // namespace

const std::vector<Target>& Targets() {
  static const std::vector<Target> targets{
      {"answers", ReadAnswer},     {"baselines", ReadBaselineFile}, {"captures", ReadCaptureFile},
      {"claims", ReadCatalogue},   {"events", ReadEventLog},        {"packets", ReadFrameOctets},
      {"results", ReadResultFile}, {"scripts", ReadScript},         {"sequences", ReadSequences}};
  return targets;
}

}  // namespace sockproof::fuzz

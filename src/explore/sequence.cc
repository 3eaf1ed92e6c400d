#include "src/explore/sequence.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "harness/base/text.h"

namespace sockproof::explore {
namespace {

constexpr std::size_t kLongestLine = 200;
constexpr std::size_t kLongestText = 1 << 20;
constexpr int kMostOctets = 1400;
constexpr int kLongestWait = 600'000;  // ms
constexpr const char* kFirstLine = "sockproof sequence 1";

struct Spelling {
  CallName name;
  const char* text;  // "%" is a number
};
constexpr Spelling kCalls[] = {{CallName::kSocket, "socket()"},
                               {CallName::kConnect, "connect()"},
                               {CallName::kListen, "listen()"},
                               {CallName::kAccept, "accept()"},
                               {CallName::kSend, "send(%)"},
                               {CallName::kRecv, "recv(%)"},
                               {CallName::kShutdownWr, "shutdown(SHUT_WR)"},
                               {CallName::kShutdownRd, "shutdown(SHUT_RD)"},
                               {CallName::kClose, "close()"},
                               {CallName::kAbort, "abort()"},
                               {CallName::kPoll, "poll()"},
                               {CallName::kError, "getsockopt(SO_ERROR)"}};

constexpr std::pair<TcpFlag, const char*> kFlagNames[] = {
    {kSyn, "SYN"}, {kFin, "FIN"}, {kRst, "RST"}, {kPsh, "PSH"},
    {kAck, "ACK"}, {kUrg, "URG"}, {kEce, "ECE"}, {kCwr, "CWR"}};
constexpr const char* kNoFlags = "no-flags";

[[noreturn]] void Refuse(const std::string& why) { throw std::invalid_argument(why); }

std::string Shown(std::string_view text) { return Shortened(CleanLine(text), 60); }

std::vector<std::string_view> Split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find(at);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

int Number(std::string_view text, int least, int most) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least || value > most) {
    Refuse(fmt::format("'{}' is no number from {} to {}", Shown(text), least, most));
  }
  return value;
}

std::string FlagsText(TcpFlags flags) {
  std::string text;
  for (const auto& [flag, name] : kFlagNames) {
    if ((flags & flag) != 0) text += (text.empty() ? "" : ",") + std::string(name);
  }
  return text.empty() ? kNoFlags : text;
}

TcpFlags ParseFlags(std::string_view text) {
  if (text == kNoFlags) return 0;
  TcpFlags flags = 0;
  for (const std::string_view word : Split(text, ',')) {
    const auto* const found = std::find_if(std::begin(kFlagNames), std::end(kFlagNames),
                                           [&](const auto& one) { return one.second == word; });
    if (found == std::end(kFlagNames)) Refuse(fmt::format("'{}' is no step", Shown(text)));
    flags = static_cast<TcpFlags>(flags | found->first);
  }
  return flags;
}

std::string OffsetText(const char* field, const char* base, bool is_from_base,
                       std::int32_t offset) {
  if (!is_from_base && offset == 0) return "";
  return fmt::format(" {}{}{}", field, is_from_base ? std::string("=") + base : "",
                     offset == 0 ? "" : fmt::format("{:+}", offset));
}

// "=ISS", "+4", "=ISS+4".
void ParseOffset(std::string_view text, std::string_view base, bool& is_from_base,
                 std::int32_t& offset) {
  if (text.starts_with('=')) {
    text.remove_prefix(1);
    if (!text.starts_with(base)) Refuse(fmt::format("'{}' is not {}", Shown(text), base));
    text.remove_prefix(base.size());
    is_from_base = true;
    if (text.empty()) return;
  }
  if (text.size() < 2 || (text[0] != '+' && text[0] != '-')) {
    Refuse(fmt::format("'{}' is no difference", Shown(text)));
  }
  if (text[0] == '+') text.remove_prefix(1);
  offset = Number(text, INT32_MIN + 1, INT32_MAX);
}

std::string TextOf(const PeerSegment& segment) {
  std::string text = FlagsText(segment.flags);
  text += OffsetText("seq", "ISS", segment.is_seq_of_syn, segment.seq_offset);
  text += OffsetText("ack", "IRS", segment.is_ack_of_syn, segment.ack_offset);
  if (segment.text > 0) text += fmt::format(" len={}", segment.text);
  if (segment.window) text += fmt::format(" window={}", *segment.window);
  if (segment.is_damaged) text += " bad-checksum";
  if (segment.is_old) text += " old-timestamp";
  if (segment.is_lost) text += " lost";
  return text;
}

PeerSegment ParseSegmentStep(std::string_view text) {
  const std::vector<std::string_view> words = Split(text, ' ');
  PeerSegment segment;
  segment.flags = ParseFlags(words[0]);
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (word.starts_with("seq")) {
      ParseOffset(word.substr(3), "ISS", segment.is_seq_of_syn, segment.seq_offset);
    } else if (word.starts_with("ack")) {
      ParseOffset(word.substr(3), "IRS", segment.is_ack_of_syn, segment.ack_offset);
    } else if (word.starts_with("len=")) {
      segment.text = static_cast<std::uint16_t>(Number(word.substr(4), 1, kMostOctets));
    } else if (word.starts_with("window=")) {
      segment.window = static_cast<std::uint16_t>(Number(word.substr(7), 0, UINT16_MAX));
    } else if (word == "bad-checksum") {
      segment.is_damaged = true;
    } else if (word == "old-timestamp") {
      segment.is_old = true;
    } else if (word == "lost") {
      segment.is_lost = true;
    } else {
      Refuse(fmt::format("'{}' says nothing of a segment", Shown(word)));
    }
  }
  return segment;
}

std::string TextOf(const Call& call) {
  for (const Spelling& spelling : kCalls) {
    if (spelling.name != call.name) continue;
    std::string text = spelling.text;
    const std::size_t number = text.find('%');
    if (number != std::string::npos) text.replace(number, 1, std::to_string(call.octets));
    return text;
  }
  return "";
}

std::optional<Call> ParseCall(std::string_view text) {
  for (const Spelling& spelling : kCalls) {
    const std::string_view pattern = spelling.text;
    const std::size_t number = pattern.find('%');
    if (number == std::string_view::npos) {
      if (text == pattern) return Call{spelling.name, 0};
    } else if (text.starts_with(pattern.substr(0, number)) && text.ends_with(")")) {
      text.remove_prefix(number);
      text.remove_suffix(1);
      return Call{spelling.name, Number(text, 1, kMostOctets)};
    }
  }
  return std::nullopt;
}

std::string TextOf(const Wait& wait) { return fmt::format("wait({} ms)", wait.milliseconds); }

IpVersion ParseIp(std::string_view text) {
  if (text == "ipv4") return IpVersion::kIpv4;
  if (text == "ipv6") return IpVersion::kIpv6;
  Refuse(fmt::format("'{}' is neither ipv4 nor ipv6", Shown(text)));
}

const char* OptionsText(Options options) { return options == Options::kAll ? "all" : "none"; }

Options ParseOptions(std::string_view text) {
  if (text == "none") return Options::kNone;
  if (text == "all") return Options::kAll;
  Refuse(fmt::format("options are 'none' or 'all', not '{}'", Shown(text)));
}

void Add(Sequence& sequence, Step step) {
  if (sequence.steps.size() == kMostSteps) Refuse(fmt::format("more than {} steps", kMostSteps));
  sequence.steps.push_back(step);
}

std::string_view Trimmed(std::string_view line) {
  line = line.substr(0, line.find('#'));
  while (!line.empty() && (line.back() == ' ' || line.back() == '\r' || line.back() == '\t')) {
    line.remove_suffix(1);
  }
  while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
  return line;
}

}  // namespace

std::string StepText(const Step& step) {
  return std::visit([](const auto& one) { return TextOf(one); }, step);
}

Step ParseStep(std::string_view text) {
  if (text.starts_with("wait(") && text.ends_with(" ms)")) {
    return Wait{Number(text.substr(5, text.size() - 9), 1, kLongestWait)};
  }
  if (text.find('(') == std::string_view::npos) return ParseSegmentStep(text);
  if (const std::optional<Call> call = ParseCall(text)) return *call;
  Refuse(fmt::format("'{}' is no step", Shown(text)));
}

std::string SequencesText(const std::vector<Sequence>& sequences) {
  std::string text = fmt::format("{}\n", kFirstLine);
  for (const Sequence& sequence : sequences) {
    if (&sequence != &sequences.front()) text += "---\n";
    text += fmt::format("over {}\n", IpVersionName(sequence.ip));
    if (sequence.options != Options::kNone) {
      text += fmt::format("options {}\n", OptionsText(sequence.options));
    }
    for (const Step& step : sequence.steps) text += StepText(step) + "\n";
  }
  return text;
}

std::vector<Sequence> ParseSequences(std::string_view text) {
  if (text.size() > kLongestText) Refuse("a text of more than 1 MiB");
  std::vector<Sequence> sequences;
  int number = 0;
  bool has_first_line = false;
  for (const std::string_view whole : Split(text, '\n')) {
    ++number;
    try {
      if (whole.size() > kLongestLine) {
        Refuse(fmt::format("a line of more than {} octets", kLongestLine));
      }
      const std::string_view line = Trimmed(whole);
      if (line.empty()) continue;
      if (!has_first_line) {
        if (line != kFirstLine) Refuse(fmt::format("it does not begin with '{}'", kFirstLine));
        has_first_line = true;
        sequences.emplace_back();
      } else if (line == "---") {
        if (sequences.size() == kMostSequences) {
          Refuse(fmt::format("more than {} sequences", kMostSequences));
        }
        sequences.emplace_back();
      } else if (line.starts_with("over ")) {
        sequences.back().ip = ParseIp(line.substr(5));
      } else if (line.starts_with("options ")) {
        sequences.back().options = ParseOptions(line.substr(8));
      } else {
        Add(sequences.back(), ParseStep(line));
      }
    } catch (const std::invalid_argument& error) {
      Refuse(fmt::format("line {}: {}", number, error.what()));
    }
  }
  if (!has_first_line) Refuse(fmt::format("it does not begin with '{}'", kFirstLine));
  for (const Sequence& sequence : sequences) {
    if (sequence.steps.empty()) Refuse("a sequence without steps");
  }
  return sequences;
}

std::string OneLine(const std::vector<Sequence>& sequences) {
  std::string text;
  for (const Sequence& sequence : sequences) {
    if (!text.empty()) text += '|';
    text += IpVersionName(sequence.ip);
    text += ';';
    text += OptionsText(sequence.options);
    for (const Step& step : sequence.steps) text += ';' + StepText(step);
  }
  return text;
}

std::vector<Sequence> ParseOneLine(std::string_view text) {
  std::vector<Sequence> sequences;
  for (const std::string_view part : Split(text, '|')) {
    const std::vector<std::string_view> words = Split(part, ';');
    if (words.size() < 3 || sequences.size() == kMostSequences) Refuse("no sequences");
    Sequence sequence{ParseIp(words[0]), ParseOptions(words[1]), {}};
    for (std::size_t i = 2; i < words.size(); ++i) Add(sequence, ParseStep(words[i]));
    sequences.push_back(std::move(sequence));
  }
  return sequences;
}

}  // namespace sockproof::explore

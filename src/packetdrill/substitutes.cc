#include "src/packetdrill/substitutes.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <regex>
#include <sstream>
#include <string_view>

namespace sockproof::packetdrill {
namespace {

std::string BeginOfFile(const std::string& path) {
  std::ifstream file(path);
  std::string text(16 << 10, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  return text;
}

// A namespace may choose an algorithm only where the host allows it to all; who may administer
// the network may choose any for a single socket.
std::string CongestionControlFor(const CommandEvent& command, const CommandResult& result) {
  constexpr std::string_view kSysctl = "tcp_congestion_control";
  if (result.output.find(kSysctl) == std::string::npos) return "";
  std::string texts = command.text;
  std::istringstream words(command.text);
  for (std::string word; words >> word;) texts += "\n" + BeginOfFile(word);
  const std::string setting = std::string(kSysctl) + "=";
  const std::size_t found = texts.rfind(setting);
  if (found == std::string::npos) return "";
  const std::string behind = texts.substr(found + setting.size());
  return behind.substr(0, behind.find_first_not_of(
                                             "abcdefghijklmnopqrstuvwxyz0123456789_-"));
}

// Without the qdisc fq, a socket that has a maximum is paced by TCP itself.
bool LacksFairQueue(const CommandEvent& command, const CommandResult& result) {
  static const std::regex kFairQueue(R"(qdisc\s+(add|replace)\s.*\sfq\b)");
  return result.output.find("kind is unknown") != std::string::npos &&
         std::regex_search(command.text, kFairQueue);
}

}  // namespace

Substitutes SubstitutesFor(const CommandEvent& init, const CommandResult& result) {
  Substitutes substitutes{CongestionControlFor(init, result), LacksFairQueue(init, result), {}};
  if (!substitutes.congestion_control.empty()) {
    substitutes.notes.push_back(
        fmt::format("tcp_congestion_control is not to be set here: each socket is given {}",
                    substitutes.congestion_control));
  }
  if (substitutes.paces_itself) {
    substitutes.notes.emplace_back(
        "this kernel has no qdisc fq: each socket is given SO_MAX_PACING_RATE");
  }
  return substitutes;
}

}  // namespace sockproof::packetdrill

#include "src/fetch/lwip_agent.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iterator>

#include "harness/base/errors.h"
#include "harness/base/program.h"
#include "src/fetch/cache.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPrefix = "sockproof-agent-lwip-";
constexpr const char* kAgentLibraries[] = {"src/agent/libsockproof_agent_base.a",
                                           "harness/agent_protocol/libsockproof_agent_protocol.a"};

std::vector<fs::path> SourcesOf(const Clone& clone, const char* extension) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(clone.source / "src/agent_lwip")) {
    if (entry.path().extension() == extension) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// FNV-1a, of all that the agent is made from.
std::string KeyOf(const FetchedLwip& lwip, const Clone& clone) {
  std::uint64_t key = 14695981039346656037U;
  const auto add = [&key](const std::string& text) {
    for (const unsigned char octet : text) key = (key ^ octet) * 1099511628211U;
  };
  add(lwip.version);
  std::vector<fs::path> files = SourcesOf(clone, ".cc");
  for (const fs::path& header : SourcesOf(clone, ".h")) files.push_back(header);
  for (const char* library : kAgentLibraries) files.push_back(clone.build / library);
  for (const fs::path& file : files) {
    std::ifstream in(file, std::ios::binary);
    add(std::string(std::istreambuf_iterator<char>(in), {}));
  }
  return fmt::format("{:016x}", key);
}

void RemoveOldAgents(const fs::path& folder) {
  constexpr std::size_t kAgentsKept = 4;
  std::vector<fs::path> agents;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().filename().string().starts_with(kPrefix)) agents.push_back(entry.path());
  }
  std::sort(agents.begin(), agents.end(), [](const fs::path& one, const fs::path& other) {
    return fs::last_write_time(one) > fs::last_write_time(other);
  });
  for (std::size_t i = kAgentsKept; i < agents.size(); ++i) fs::remove(agents[i]);
}

}  // namespace

Clone CloneOf(const fs::path& program) {
  // build/release/bin/sockproof
  const fs::path build = program.parent_path().parent_path();
  std::ifstream cache(build / "CMakeCache.txt");
  const std::string begin = "sockproof_SOURCE_DIR:STATIC=";
  for (std::string line; std::getline(cache, line);) {
    if (!line.starts_with(begin)) continue;
    const fs::path source = line.substr(begin.size());
    if (fs::exists(source / "src/agent_lwip/main.cc")) return {source, build};
  }
  throw HarnessError(
      "a fetched lwIP is tested from a clone of sockproof alone: the agent in front of it is compiled for each "
      "release, and this program has no sources beside it");
}

std::vector<std::string> CompilerFor(const FetchedLwip& lwip, const Clone& clone, const fs::path& output) {
  const std::string compiler = FindProgram("c++");
  if (compiler.empty()) {
    throw HarnessError("no C++ compiler is here, which the agent in front of lwIP needs; as root: apt-get install "
                       "--no-install-recommends g++");
  }
  std::vector<std::string> command = {compiler, "-std=c++20", "-O1", "-DNDEBUG",
                                      "-DSOCKPROOF_VERSION=\"" SOCKPROOF_VERSION "\"",
                                      "-I" + clone.source.string(), "-I" + lwip.headers().string()};
  for (const fs::path& source : SourcesOf(clone, ".cc")) command.push_back(source);
  for (const char* library : kAgentLibraries) command.push_back(clone.build / library);
  // What it needs is found where it is, by what it needs too.
  command.insert(command.end(), {lwip.library(), "-pthread", "-Wl,--allow-shlib-undefined", "-Wl,--disable-new-dtags",
                                 "-Wl,-rpath," + lwip.libraries().string()});
  if (fs::exists(lwip.loader())) command.push_back("-Wl,--dynamic-linker=" + lwip.loader().string());
  command.insert(command.end(), {"-o", output.string()});
  return command;
}

fs::path AgentFor(const FetchedLwip& lwip, const Clone& clone, const std::function<void(const std::string&)>& say) {
  const fs::path agent = lwip.folder / (kPrefix + KeyOf(lwip, clone));
  const FileLock lock(lwip.folder / ".lock");
  if (!fs::exists(agent)) {
    say(fmt::format("compiling the agent for lwIP {}", lwip.version));
    const fs::path fresh = lwip.folder / "agent.new";
    RunProgram(CompilerFor(lwip, clone, fresh));
    RunProgram({fresh, "--version"});  // fails when something that it needs is not there
    fs::rename(fresh, agent);
    RemoveOldAgents(lwip.folder);
  }
  return agent;
}

}  // namespace sockproof

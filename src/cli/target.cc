#include "src/cli/target.h"

#include <fmt/format.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <tuple>

#include "harness/base/errors.h"
#include "harness/base/text.h"
#include "src/run/child.h"
#include "src/run/usage_error.h"

namespace sockproof {
namespace {

constexpr auto kProbePatience = 60s;

std::vector<SutKind>& RegisteredKinds() {
  static std::vector<SutKind> kinds;
  return kinds;
}

const SutKind& FindKind(const std::string& text) {
  const std::string name = text.substr(0, text.find_first_of(":,"));
  std::vector<std::string> names;
  std::vector<std::string> spellings;
  for (const SutKind& kind : AllSutKinds()) {
    if (kind.name == name) return kind;
    names.push_back(kind.name);
    spellings.push_back(kind.spelling);
  }
  const std::string meant = DidYouMean(name, names);
  throw UsageError(fmt::format("unknown system under test '{}'{}", text,
                               meant.empty() ? "; there are " + Joined(spellings) : meant));
}

// "runtime=crun" into the options of `sut`.
void TakeOption(Sut& sut, const SutKind& kind, const std::string& option) {
  const std::size_t equals = option.find('=');
  const std::string name = option.substr(0, equals);
  if (std::find(kind.switches.begin(), kind.switches.end(), option) != kind.switches.end()) {
    sut.options[option] = "yes";
    return;
  }
  if (std::find(kind.options.begin(), kind.options.end(), name) == kind.options.end()) {
    throw UsageError(fmt::format("--sut {}: there is no option '{}'{}; it is spelt {}", sut.text,
                                 name, DidYouMean(name, kind.options), kind.spelling));
  }
  if (equals == std::string::npos || equals + 1 == option.size()) {
    throw UsageError(
        fmt::format("--sut {}: {} has no value; it is spelt {}", sut.text, name, kind.spelling));
  }
  sut.options[name] = option.substr(equals + 1);
}

// Whether what follows a separator is part of the value of an option before it.
bool IsInFreeText(const SutKind& kind, const std::string& before, const std::string& option) {
  const std::string name = option.substr(0, option.find('='));
  if (std::find(kind.options.begin(), kind.options.end(), name) != kind.options.end()) return false;
  return !kind.of_free_text.empty() &&
         before.find(kind.separator + kind.of_free_text + "=") != std::string::npos;
}

}  // namespace

Facts SystemTarget::Prepare() {
  const auto read = [this] { return nlohmann::json(ReadFacts(*system_)).dump(); };
  return nlohmann::json::parse(CallInChild(read, kProbePatience)).get<Facts>();
}

void SystemTarget::RunTest(const TestCase& test, const Alterations& alterations, EventLog& log) {
  if (alterations.empty()) {
    sockproof::RunTest(test, *system_, log);
  } else {
    sockproof::RunTest(test, *MakeAlteredSystem(*system_, alterations), log);
  }
}

std::string Sut::option(const std::string& name) const {
  const auto found = options.find(name);
  return found == options.end() ? "" : found->second;
}

SutRegistration::SutRegistration(SutKind kind) {
  std::vector<SutKind>& kinds = RegisteredKinds();
  kinds.push_back(std::move(kind));
  std::sort(kinds.begin(), kinds.end(), [](const SutKind& a, const SutKind& b) {
    return std::make_tuple(a.name != "host", a.name) < std::make_tuple(b.name != "host", b.name);
  });
}

const std::vector<SutKind>& AllSutKinds() { return RegisteredKinds(); }

std::string SutSpellings() {
  std::vector<std::string> spellings;
  for (const SutKind& kind : AllSutKinds()) {
    spellings.push_back(fmt::format("{} ({})", kind.spelling, kind.meaning));
  }
  return Joined(spellings);
}

Sut ParseSut(const std::string& text) {
  const SutKind& kind = FindKind(text);
  Sut sut{text, kind.name, "", {}};
  const bool has_what = text.size() > kind.name.size() && text[kind.name.size()] == ':';
  std::string rest = text.substr(kind.name.size());
  if (has_what) rest.erase(0, 1);
  // The last ones first: a path may have the separator in it, before its options.
  std::string end;  // of a free text that is not yet taken
  while (kind.separator != 0) {
    const std::size_t at = rest.rfind(kind.separator);
    if (at == std::string::npos) break;
    const std::string option = rest.substr(at + 1) + end;
    rest.erase(at);
    end.clear();
    if (IsInFreeText(kind, rest, option)) {
      end = kind.separator + option;
    } else {
      TakeOption(sut, kind, option);
    }
  }
  sut.what = rest;
  const bool names = has_what && !rest.empty();
  const bool names_nothing = !has_what && rest.empty();
  if (!(names && (kind.names_something || kind.may_name_something)) && !(names_nothing && !kind.names_something)) {
    throw UsageError(fmt::format("--sut {}: it is spelt {}", text, kind.spelling));
  }
  return sut;
}

std::unique_ptr<Target> MakeTarget(const std::string& sut) {
  const Sut parsed = ParseSut(sut);
  return FindKind(sut).make(parsed);
}

std::vector<std::string> SystemsMeant(const std::vector<std::string>& suts) {
  std::vector<std::string> meant;
  for (const std::string& sut : suts) {
    const auto stands_for = FindKind(sut).stands_for;
    std::vector<std::string> several;
    if (stands_for != nullptr) several = stands_for(ParseSut(sut));
    if (several.empty()) several.push_back(sut);
    meant.insert(meant.end(), several.begin(), several.end());
  }
  return meant;
}

std::string OwnProgram() {
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) throw HarnessError("/proc/self/exe cannot be read: is /proc mounted?");
  return self;
}

std::string ProgramBeside(const std::string& name) {
  return std::filesystem::path(OwnProgram()).replace_filename(name);
}

// The agent is installed beside this program.
std::string AgentProgram() {
  const char* chosen = getenv("SOCKPROOF_AGENT");
  if (chosen != nullptr && *chosen != '\0') return chosen;
  return ProgramBeside("sockproof-agent");
}

}  // namespace sockproof

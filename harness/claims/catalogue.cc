// Reads the catalogue that the build has compiled in.
#include "harness/claims/catalogue.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "harness/base/errors.h"

namespace sockproof {

// Name and text of each file of the catalogue; written by cmake/EmbedText.cmake.
std::vector<std::pair<std::string_view, std::string_view>> CatalogueFiles();

namespace {

constexpr std::string_view kHeader = "id\tlevel\tsource\tstatement";
constexpr std::string_view kHeaderWithReasons = "id\tlevel\tsource\tstatement\tuntestable because";
constexpr std::array<std::string_view, 4> kLevels{"MUST", "SHOULD", "MAY", "documented"};

// Takes the part of `rest` before `separator`, or all of it.
std::string_view TakeUntil(char separator, std::string_view& rest) {
  const std::size_t end = rest.find(separator);
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return part;
}

// What is wrong with `claim`; empty when nothing is.
std::string Defect(const Claim& claim) {
  const std::size_t colon = claim.id.find(':');
  if (colon == 0 || colon == std::string_view::npos || colon + 1 == claim.id.size()) {
    return "the id has no authority and name";
  }
  if (std::find(kLevels.begin(), kLevels.end(), claim.level) == kLevels.end()) {
    return "no such level: " + std::string(claim.level);
  }
  if (claim.source.empty()) return "no source";
  if (claim.statement.empty()) return "no statement";
  return "";
}

bool IdLess(const Claim& one, const Claim& other) { return one.id < other.id; }

std::vector<Claim> ParseCatalogue() {
  std::vector<Claim> claims;
  for (const auto& [name, text] : CatalogueFiles()) {
    const std::vector<Claim> more = ParseClaims(name, text);
    claims.insert(claims.end(), more.begin(), more.end());
  }
  std::sort(claims.begin(), claims.end(), IdLess);
  const auto twice =
      std::adjacent_find(claims.begin(), claims.end(),
                         [](const Claim& one, const Claim& other) { return one.id == other.id; });
  if (twice != claims.end()) {
    throw HarnessError("the catalogue has two claims " + std::string(twice->id));
  }
  return claims;
}

}  // namespace

std::vector<Claim> ParseClaims(std::string_view name, std::string_view text) {
  const auto fail = [&](int line, const std::string& what) {
    throw HarnessError(std::string(name) + ", line " + std::to_string(line) + ": " + what);
  };
  std::vector<Claim> claims;
  int line_number = 1;
  const std::string_view header = TakeUntil('\n', text);
  if (header != kHeader && header != kHeaderWithReasons) {
    fail(line_number, "not the header of a catalogue");
  }
  const auto most_tabs = std::count(header.begin(), header.end(), '\t');
  while (!text.empty()) {
    std::string_view line = TakeUntil('\n', text);
    ++line_number;
    if (line.starts_with('#')) continue;
    const auto tabs = std::count(line.begin(), line.end(), '\t');
    if (tabs < 3) fail(line_number, "not four columns");
    if (tabs > most_tabs) fail(line_number, "more columns than the header names");
    Claim claim;
    claim.id = TakeUntil('\t', line);
    claim.level = TakeUntil('\t', line);
    claim.source = TakeUntil('\t', line);
    claim.statement = TakeUntil('\t', line);
    claim.untestable_because = line;
    if (tabs == 4 && line.empty()) fail(line_number, "no reason why it is untestable");
    if (const std::string defect = Defect(claim); !defect.empty()) fail(line_number, defect);
    claims.push_back(claim);
  }
  return claims;
}

const std::vector<Claim>& AllClaims() {
  static const std::vector<Claim> claims = ParseCatalogue();
  return claims;
}

const Claim* FindClaim(std::string_view id) {
  const std::vector<Claim>& claims = AllClaims();
  const auto found = std::lower_bound(claims.begin(), claims.end(), Claim{.id = id}, IdLess);
  return found != claims.end() && found->id == id ? &*found : nullptr;
}

}  // namespace sockproof

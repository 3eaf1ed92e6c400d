#include "src/compare/releases.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <utility>

#include "src/compare/evidence.h"

namespace sockproof {
namespace {

using Release = std::pair<int, int>;  // 6, 12

// The first two numbers of "6.12.117+deb13-amd64".
std::optional<Release> ReleaseOf(const ComparedSystem& system) {
  if (system.Fact("os") != "Linux") return std::nullopt;
  const std::string text = system.Fact("release");
  const char* const end = text.data() + text.size();
  Release release;
  const auto [dot, error] = std::from_chars(text.data(), end, release.first);
  if (error != std::errc() || dot == end || *dot != '.') return std::nullopt;
  if (std::from_chars(dot + 1, end, release.second).ec != std::errc()) return std::nullopt;
  return release;
}

// One for each system; none where that cannot be, or two are the same.
std::vector<Release> ReleasesOf(const std::vector<ComparedSystem>& systems) {
  std::vector<Release> releases;
  std::set<Release> different;
  for (const ComparedSystem& system : systems) {
    const std::optional<Release> release = ReleaseOf(system);
    if (!release || !different.insert(*release).second) return {};
    releases.push_back(*release);
  }
  return releases;
}

}  // namespace

void OrderByRelease(std::vector<ComparedSystem>& systems) {
  if (ReleasesOf(systems).empty()) return;
  std::stable_sort(systems.begin(), systems.end(),
                   [](const ComparedSystem& one, const ComparedSystem& other) {
                     return ReleaseOf(one) < ReleaseOf(other);
                   });
}

std::string SinceRelease(const Comparison& comparison, const TestRow& row) {
  const std::vector<Release> releases = ReleasesOf(comparison.systems);
  if (releases.size() < 2) return "";
  // Systems with an answer, by release, with the number of those that are alike.
  std::vector<std::pair<Release, std::size_t>> known;
  const std::vector<Alike> groups = SystemsAlike(row);
  for (std::size_t group = 0; group < groups.size(); ++group) {
    if (!IsDecided(groups[group].answer)) continue;
    for (const std::size_t system : groups[group].systems) known.emplace_back(releases[system], group);
  }
  std::sort(known.begin(), known.end());
  std::string text;
  for (std::size_t i = 1; i < known.size(); ++i) {
    const auto& [release, group] = known[i];
    if (group == known[i - 1].second) continue;
    const bool departs = Departs(groups[group].answer);
    const bool departed = Departs(groups[known[i - 1].second].answer);
    const char* const what = departs == departed ? "otherwise" : departs ? "departs" : "holds";
    text += fmt::format("{}{} since {}.{}", text.empty() ? "" : ", ", what, release.first, release.second);
  }
  return text;
}

}  // namespace sockproof

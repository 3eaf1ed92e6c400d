#include "src/coverage/coverage.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <nlohmann/json.hpp>

#include "src/report/result.h"

namespace sockproof {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 4> kLevels{"MUST", "SHOULD", "MAY", "documented"};

bool IsDigit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

// The number at the beginning of `text`, which it loses.
unsigned long TakeNumber(std::string_view& text) {
  unsigned long number = 0;
  while (!text.empty() && IsDigit(text.front())) {
    number = number * 10 + static_cast<unsigned long>(text.front() - '0');
    text.remove_prefix(1);
  }
  return number;
}

// Whether `one` comes before `other` where numbers in them count as numbers: negative when it does.
int CompareNaturally(std::string_view one, std::string_view other) {
  while (!one.empty() && !other.empty()) {
    if (IsDigit(one.front()) && IsDigit(other.front())) {
      const unsigned long left = TakeNumber(one);
      const unsigned long right = TakeNumber(other);
      if (left != right) return left < right ? -1 : 1;
      continue;
    }
    if (one.front() != other.front()) return one.front() < other.front() ? -1 : 1;
    one.remove_prefix(1);
    other.remove_prefix(1);
  }
  return static_cast<int>(one.size()) - static_cast<int>(other.size());
}

bool ComesBefore(const ClaimCoverage& one, const ClaimCoverage& other) {
  for (const int order : {CompareNaturally(one.claim.authority(), other.claim.authority()),
                          CompareNaturally(one.claim.source, other.claim.source),
                          CompareNaturally(one.claim.id, other.claim.id)}) {
    if (order != 0) return order < 0;
  }
  return false;
}

// For each claim that is cited, the tests that do so, with the names of their cases.
std::map<std::string, std::map<std::string, std::vector<std::string>>> TestsByClaim(
    const std::vector<TestCase>& tests) {
  std::map<std::string, std::map<std::string, std::vector<std::string>>> by_claim;
  for (const TestCase& test : tests) {
    for (const std::string& claim : test.traits.claims) {
      by_claim[claim][test.test()].push_back(test.variant.name);
    }
  }
  return by_claim;
}

std::string NameOf(const std::string& test, const std::vector<std::string>& variants) {
  if (variants.size() != 1 || variants.front().empty()) return test;
  return test + "/" + variants.front();
}

void Count(ClaimStatus status, CoverageCount& count) {
  switch (status) {
    case ClaimStatus::kOpen:
      ++count.open;
      break;
    case ClaimStatus::kUntestable:
      ++count.untestable;
      break;
    case ClaimStatus::kTested:
      ++count.tested;
      break;
  }
}

struct Naturally {
  bool operator()(std::string_view one, std::string_view other) const {
    return CompareNaturally(one, other) < 0;
  }
};

// The document that is cited first, and where in it: {"RFC 9293", "3.10.5"}, {"Linux man-pages",
// "bind(2)"}, {"POSIX.1-2017", "bind()"}, {"Linux", "net/ipv4/tcp.c"}.
std::pair<std::string, std::string> PlaceOf(std::string_view source) {
  source = source.substr(0, source.find_first_of(",;"));
  constexpr std::string_view kPages = " of Linux man-pages";
  if (source.ends_with(kPages)) {
    return {"Linux man-pages", std::string(source.substr(0, source.size() - kPages.size()))};
  }
  for (const std::string_view between : {" section ", " sections ", "POSIX.1-2017 ", "Linux "}) {
    const std::size_t found = source.find(between);
    if (found == std::string_view::npos) continue;
    const std::size_t end = found == 0 ? between.size() - 1 : found;
    return {std::string(source.substr(0, end)), std::string(source.substr(found + between.size()))};
  }
  return {std::string(source), ""};
}

std::string_view LevelText(const CoverageCount& count) {
  return count.level.empty() ? "all" : count.level;
}

std::string TableLine(std::size_t width, std::string_view authority, const CoverageCount& count) {
  return fmt::format("{:<{}}  {:<10}  {:>6}  {:>6}  {:>10}  {:>4}\n", authority, width,
                     LevelText(count), count.total(), count.tested, count.untestable, count.open);
}

// A paragraph that is indented and no wider than a terminal.
std::string Wrapped(std::string_view text, std::size_t indent) {
  constexpr std::size_t kWidth = 100;
  std::string lines;
  std::string line(indent, ' ');
  while (!text.empty()) {
    const std::size_t end = text.find(' ');
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.size() > indent && line.size() + 1 + word.size() > kWidth) {
      lines += line + "\n";
      line.assign(indent, ' ');
    }
    if (line.size() > indent) line += ' ';
    line += word;
  }
  return lines + line + "\n";
}

Json CountAsJson(const CoverageCount& count) {
  return Json{{"authority", count.authority.empty() ? Json() : Json(count.authority)},
              {"level", count.level.empty() ? Json() : Json(count.level)},
              {"claims", count.total()},
              {"tested", count.tested},
              {"untestable", count.untestable},
              {"open", count.open}};
}

}  // namespace

std::string_view ClaimStatusName(ClaimStatus status) {
  switch (status) {
    case ClaimStatus::kOpen:
      return "open";
    case ClaimStatus::kUntestable:
      return "untestable";
    case ClaimStatus::kTested:
      return "tested";
  }
  return "";
}

std::vector<ClaimCoverage> CoverageOf(const std::vector<Claim>& claims,
                                      const std::vector<TestCase>& tests) {
  const auto by_claim = TestsByClaim(tests);
  std::vector<ClaimCoverage> coverage;
  for (const Claim& claim : claims) {
    ClaimCoverage entry{claim, ClaimStatus::kOpen, {}};
    const auto found = by_claim.find(std::string(claim.id));
    if (found != by_claim.end()) {
      entry.status = ClaimStatus::kTested;
      for (const auto& [test, versions] : found->second) {
        entry.tests.push_back(NameOf(test, versions));
      }
    } else if (!claim.untestable_because.empty()) {
      entry.status = ClaimStatus::kUntestable;
    }
    coverage.push_back(std::move(entry));
  }
  std::sort(coverage.begin(), coverage.end(), ComesBefore);
  return coverage;
}

std::vector<CoverageCount> CountsOf(const std::vector<ClaimCoverage>& coverage) {
  std::vector<CoverageCount> counts;
  for (auto first = coverage.begin(); first != coverage.end();) {
    const std::string_view authority = first->claim.authority();
    const auto last = std::find_if(first, coverage.end(), [&](const ClaimCoverage& entry) {
      return entry.claim.authority() != authority;
    });
    CoverageCount all{.authority = authority, .level = ""};
    const std::size_t before = counts.size();
    for (const std::string_view level : kLevels) {
      CoverageCount count{.authority = authority, .level = level};
      std::for_each(first, last, [&](const ClaimCoverage& entry) {
        if (entry.claim.level == level) Count(entry.status, count);
      });
      if (count.total() > 0) counts.push_back(count);
    }
    std::for_each(first, last, [&](const ClaimCoverage& entry) { Count(entry.status, all); });
    if (counts.size() - before > 1) counts.push_back(all);
    first = last;
  }
  return counts;
}

CoverageCount TotalOf(const std::vector<ClaimCoverage>& coverage) {
  CoverageCount total;
  for (const ClaimCoverage& entry : coverage) Count(entry.status, total);
  return total;
}

std::string CoverageTable(const std::vector<ClaimCoverage>& coverage) {
  const std::vector<CoverageCount> counts = CountsOf(coverage);
  std::size_t width = std::string_view("authority").size();
  for (const CoverageCount& count : counts) width = std::max(width, count.authority.size());
  std::string text = fmt::format("{:<{}}  {:<10}  {:>6}  {:>6}  {:>10}  {:>4}\n", "authority",
                                 width, "level", "claims", "tested", "untestable", "open");
  std::string_view previous;
  for (const CoverageCount& count : counts) {
    text += TableLine(width, count.authority == previous ? "" : count.authority, count);
    previous = count.authority;
  }
  if (!counts.empty() && counts.front().authority != counts.back().authority) {
    text += TableLine(width, "together", TotalOf(coverage));
  }
  return text;
}

std::string CoverageBySection(const std::vector<ClaimCoverage>& coverage) {
  std::map<std::string, std::map<std::string, CoverageCount, Naturally>, Naturally> documents;
  for (const ClaimCoverage& entry : coverage) {
    const auto [document, section] = PlaceOf(entry.claim.source);
    Count(entry.status, documents[document][section]);
  }
  std::size_t width = 0;
  for (const auto& [document, sections] : documents) {
    width = std::max(width, document.size());
    for (const auto& [section, count] : sections) width = std::max(width, section.size() + 2);
  }
  const auto line = [width](const std::string& name, const CoverageCount& count) {
    return fmt::format("{:<{}}  {:>6}  {:>6}  {:>10}  {:>4}\n", name, width, count.total(),
                       count.tested, count.untestable, count.open);
  };
  std::string text = fmt::format("{:<{}}  {:>6}  {:>6}  {:>10}  {:>4}\n", "", width, "claims",
                                 "tested", "untestable", "open");
  for (const auto& [document, sections] : documents) {
    CoverageCount all;
    for (const auto& [section, count] : sections) {
      all.tested += count.tested;
      all.untestable += count.untestable;
      all.open += count.open;
    }
    text += line(document, all);
    if (sections.size() == 1 && sections.begin()->first.empty()) continue;
    for (const auto& [section, count] : sections) text += line("  " + section, count);
  }
  return text;
}

std::string CoverageRows(const std::vector<ClaimCoverage>& coverage) {
  std::string text;
  for (const ClaimStatus status :
       {ClaimStatus::kOpen, ClaimStatus::kUntestable, ClaimStatus::kTested}) {
    bool first = true;
    for (const ClaimCoverage& entry : coverage) {
      if (entry.status != status) continue;
      if (first) text += fmt::format("\n{}:\n", ClaimStatusName(status));
      first = false;
      text +=
          fmt::format("  {}  {}  ({})\n", entry.claim.id, entry.claim.level, entry.claim.source);
      text += Wrapped(entry.claim.statement, 6);
      if (status == ClaimStatus::kUntestable) {
        text += Wrapped(fmt::format("Untestable, because {}.", entry.claim.untestable_because), 6);
      }
      for (const std::string& test : entry.tests) text += fmt::format("      tested by {}\n", test);
    }
  }
  return text;
}

std::string CoverageJson(const std::vector<ClaimCoverage>& coverage) {
  Json counts = Json::array();
  for (const CoverageCount& count : CountsOf(coverage)) counts.push_back(CountAsJson(count));
  Json claims = Json::array();
  for (const ClaimCoverage& entry : coverage) {
    Json claim{{"id", entry.claim.id},
               {"level", entry.claim.level},
               {"source", entry.claim.source},
               {"statement", entry.claim.statement},
               {"status", ClaimStatusName(entry.status)},
               {"tests", entry.tests}};
    if (!entry.claim.untestable_because.empty()) {
      claim["untestable_because"] = entry.claim.untestable_because;
    }
    claims.push_back(std::move(claim));
  }
  return DumpJson(Json{{"total", CountAsJson(TotalOf(coverage))},
                       {"counts", std::move(counts)},
                       {"claims", std::move(claims)}});
}

}  // namespace sockproof

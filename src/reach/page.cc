#include "src/reach/page.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/base/files.h"
#include "harness/base/text.h"
#include "src/compare/markup.h"
#include "src/compare/page_files.h"
#include "src/reach/source.h"
#include "src/run/usage_error.h"

namespace sockproof::reach {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kStyle = R"(
body { width: auto; }
.reach { width: 100%; max-width: 64rem; }
.reach :is(th, td) { padding: 0.15rem 0.7rem 0.15rem 0; border-bottom: 1px solid var(--line); }
.reach meter { width: 100%; min-width: 8rem; }
.reach .none code { color: var(--fail); }
summary { cursor: pointer; padding: 0.2rem 0; }
details .reach { margin: 0.2rem 0 1rem 1.2rem; }
)";

std::vector<fs::path> CFilesAt(const fs::path& place) {
  if (fs::is_regular_file(place)) return {place};
  if (!fs::is_directory(place)) throw UsageError("no such file or folder: " + CleanLine(place.string()));
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(place)) {
    if (entry.is_regular_file() && entry.path().extension() == ".c") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string FunctionRow(const Record& record, const ReachedFunction& function) {
  std::string by = "not reached";
  if (!function.has_symbol) {
    by = "no symbol: in its callers";
  } else if (!function.tests.empty()) {
    by = record.tests[*function.tests.begin()];
    if (function.tests.size() > 1) by += fmt::format(" and {} more", function.tests.size() - 1);
  }
  const bool is_missed = function.has_symbol && function.tests.empty();
  return fmt::format("<tr{}><td class=\"number muted\">{}</td><td><code>{}</code></td><td class=\"number\">{}</td>"
                     "<td class=\"muted\">{}</td></tr>\n",
                     is_missed ? " class=\"none\"" : "", function.line == 0 ? "" : std::to_string(function.line),
                     EscapedLine(function.name), function.has_symbol ? std::to_string(function.tests.size()) : "",
                     EscapedLine(by));
}

std::string GroupSection(const Record& record, const ReachedGroup& group) {
  std::string html = fmt::format("<details><summary><code>{}</code> <span class=\"muted\">{} of {}</span></summary>\n"
                                 "<table class=\"reach\"><tr><th class=\"number\">line</th><th>function</th>"
                                 "<th class=\"number\">tests</th><th>such as</th></tr>\n",
                                 EscapedLine(group.name), group.Reached(), group.Known());
  for (const ReachedFunction& function : group.functions) html += FunctionRow(record, function);
  return html + "</table></details>\n";
}

}  // namespace

std::size_t ReachedGroup::Known() const {
  return static_cast<std::size_t>(std::count_if(functions.begin(), functions.end(),
                                                [](const ReachedFunction& one) { return one.has_symbol; }));
}

std::size_t ReachedGroup::Reached() const {
  return static_cast<std::size_t>(std::count_if(functions.begin(), functions.end(),
                                                [](const ReachedFunction& one) { return !one.tests.empty(); }));
}

std::vector<ReachedGroup> GroupsByFile(const Record& record, const fs::path& source,
                                       const std::vector<std::string>& files) {
  std::vector<ReachedGroup> groups;
  for (const std::string& name : files) {
    for (const fs::path& file : CFilesAt(source / name)) {
      ReachedGroup group{file.lexically_relative(source).generic_string(), {}};
      const auto recorded = record.files.find(group.name);
      if (recorded != record.files.end()) {
        group.lines = recorded->second.lines.size();
        for (const auto& [line, set] : recorded->second.lines) group.reached_lines += record.sets[set].empty() ? 0 : 1;
      }
      for (const Function& function : FunctionsIn(ReadFile(file))) {
        const auto known = record.functions.find(function.name);
        const bool has_symbol = known != record.functions.end();
        group.functions.push_back({function.name, function.first, has_symbol,
                                   has_symbol ? known->second : std::set<std::size_t>()});
      }
      if (group.Known() > 0) groups.push_back(std::move(group));
    }
  }
  return groups;
}

std::vector<ReachedGroup> GroupsByName(const Record& record, const std::vector<std::string>& begins) {
  std::vector<ReachedGroup> groups;
  for (const std::string& begin : begins) {
    ReachedGroup group{begin + "*", {}};
    for (const auto& [name, tests] : record.functions) {
      if (name.starts_with(begin)) group.functions.push_back({name, 0, true, tests});
    }
    if (group.Known() > 0) groups.push_back(std::move(group));
  }
  return groups;
}

std::string ReachPage(const Record& record, const std::vector<ReachedGroup>& groups) {
  const std::string style = std::string(PageFile("page.css")) + std::string(kStyle);
  std::string html = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src '{0}'; "
      "base-uri 'none'; form-action 'none'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n"
      "<title>What tests reach of Linux {1} - sockproof</title>\n<style>{2}</style>\n</head>\n<body>\n"
      "<header><h1>What tests reach of Linux {1}</h1>\n"
      "<p>{3} tests, {4}. A function counts as reached when any of them ran a part of it. Those that compilers put "
      "into their callers have no symbol, and do not count.</p></header>\n<main>\n",
      PolicyHash(style), EscapedLine(record.release), style, record.tests.size(), EscapedLine(record.kernel));
  std::size_t known = 0, reached = 0;
  std::size_t lines = 0, reached_lines = 0;
  html += "<table class=\"reach\"><tr><th>functions of</th><th class=\"number\">reached</th>"
          "<th class=\"number\">of</th><th></th><th class=\"number\">lines</th></tr>\n";
  const auto of_lines = [](std::size_t few, std::size_t all) {
    return all == 0 ? std::string() : fmt::format("{} of {}", few, all);
  };
  for (const ReachedGroup& group : groups) {
    known += group.Known();
    reached += group.Reached();
    html += fmt::format("<tr><td><code>{0}</code></td><td class=\"number\">{1}</td><td class=\"number\">{2}</td>"
                        "<td><meter max=\"{2}\" value=\"{1}\">{1} of {2}</meter></td>"
                        "<td class=\"number\">{3}</td></tr>\n",
                        EscapedLine(group.name), group.Reached(), group.Known(),
                        of_lines(group.reached_lines, group.lines));
    lines += group.lines;
    reached_lines += group.reached_lines;
  }
  html += fmt::format("<tr><th>all of these</th><th class=\"number\">{}</th><th class=\"number\">{}</th><th></th>"
                      "<th class=\"number\">{}</th></tr>\n</table>\n<h2>Functions</h2>\n",
                      reached, known, of_lines(reached_lines, lines));
  for (const ReachedGroup& group : groups) html += GroupSection(record, group);
  return html + "</main>\n</body>\n</html>\n";
}

}  // namespace sockproof::reach

// The coverage as a web page: one file, no script, nothing from elsewhere; readable without
// colours, by keyboard and by a screen reader.
#include <fmt/format.h>

#include "src/coverage/coverage.h"

namespace sockproof {
namespace {

constexpr std::string_view kHead = R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>sockproof: claims and their tests</title>
<style>
:root { color-scheme: light dark; --line: #8886; --soft: #8882; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; padding: .5rem 0; }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .8rem .3rem 0; text-align: left;
  vertical-align: top; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.id, .test { font-family: ui-monospace, monospace; font-size: .85em; overflow-wrap: anywhere; }
.source { font-size: .85em; }
.test, .source { display: block; }
.open { background: var(--soft); }
section { margin-top: 3rem; }
tr:target { outline: 2px solid; }
</style>
</head>
<body>
)";

std::string Escaped(std::string_view text) {
  std::string html;
  for (const char c : text) {
    switch (c) {
      case '&':
        html += "&amp;";
        break;
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      case '"':
        html += "&quot;";
        break;
      default:
        html += c;
    }
  }
  return html;
}

std::string CountRow(std::string_view name, const CoverageCount& count) {
  return fmt::format(
      "<tr><th scope=\"row\">{}</th><td>{}</td><td class=\"number\">{}</td>"
      "<td class=\"number\">{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td></tr>\n",
      name, count.level.empty() ? "all" : count.level, count.total(), count.tested,
      count.untestable, count.open);
}

std::string CountTable(const std::vector<ClaimCoverage>& coverage) {
  std::string html =
      "<table>\n<caption>Claims by authority and level</caption>\n<thead><tr>"
      "<th scope=\"col\">authority</th><th scope=\"col\">level</th>"
      "<th scope=\"col\" class=\"number\">claims</th><th scope=\"col\" class=\"number\">tested</th>"
      "<th scope=\"col\" class=\"number\">untestable</th>"
      "<th scope=\"col\" class=\"number\">open</th></tr></thead>\n<tbody>\n";
  for (const CoverageCount& count : CountsOf(coverage)) {
    const std::string authority = Escaped(count.authority);
    html += CountRow(fmt::format("<a href=\"#{0}\">{0}</a>", authority), count);
  }
  return html + CountRow("together", TotalOf(coverage)) + "</tbody>\n</table>\n";
}

std::string StatusCell(const ClaimCoverage& entry) {
  switch (entry.status) {
    case ClaimStatus::kOpen:
      return "open";
    case ClaimStatus::kUntestable:
      return "untestable, because " + Escaped(entry.claim.untestable_because);
    case ClaimStatus::kTested:
      break;
  }
  std::string html = "tested by";
  for (const std::string& test : entry.tests) {
    html += fmt::format(" <span class=\"test\">{}</span>", Escaped(test));
  }
  return html;
}

std::string ClaimRow(const ClaimCoverage& entry) {
  const std::string id = Escaped(entry.claim.id);
  return fmt::format(
      "<tr id=\"{0}\" class=\"{1}\"><th scope=\"row\" class=\"id\"><a href=\"#{0}\">{0}</a></th>"
      "<td>{2}</td><td>{3} <span class=\"source\">{4}</span></td><td>{5}</td></tr>\n",
      id, ClaimStatusName(entry.status), Escaped(entry.claim.level), Escaped(entry.claim.statement),
      Escaped(entry.claim.source), StatusCell(entry));
}

}  // namespace

std::string CoveragePage(const std::vector<ClaimCoverage>& coverage) {
  std::string html(kHead);
  html +=
      "<main>\n<h1>Claims and their tests</h1>\n<p>What documents say about sockets and TCP, and "
      "which tests of sockproof check it. That a claim is tested says nothing of any system.</p>\n";
  html += CountTable(coverage);
  std::string_view authority;
  for (const ClaimCoverage& entry : coverage) {
    if (entry.claim.authority() != authority) {
      if (!authority.empty()) html += "</tbody>\n</table>\n</section>\n";
      authority = entry.claim.authority();
      html += fmt::format(
          "<section>\n<h2 id=\"{0}\">{0}</h2>\n<table>\n<thead><tr><th scope=\"col\">claim</th>"
          "<th scope=\"col\">level</th><th scope=\"col\">statement</th>"
          "<th scope=\"col\">status</th></tr></thead>\n<tbody>\n",
          Escaped(authority));
    }
    html += ClaimRow(entry);
  }
  if (!authority.empty()) html += "</tbody>\n</table>\n</section>\n";
  return html + "</main>\n</body>\n</html>\n";
}

}  // namespace sockproof

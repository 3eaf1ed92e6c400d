// The coverage as a web page: one file, no script, nothing from elsewhere; readable without
// colours, by keyboard and by a screen reader. Its colours are those of src/compare/page.
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
:root {
  color-scheme: light dark;
  --paper: #fff; --raised: #f7f8fa; --ink: #1c2430; --muted: #5a6473; --line: #e2e6ec;
  --link: #1f5fbf; --tested: #1b7a49; --open: #875200; --open-paper: #fff3db;
  --mono: ui-monospace, "Cascadia Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #11151b; --raised: #181d25; --ink: #dde3eb; --muted: #98a3b3; --line: #29313c;
    --link: #86b4ff; --tested: #6fd39b; --open: #f0bd66; --open-paper: #2f2613;
  }
}
body {
  margin: 0 auto; max-width: 78rem; padding: 0 1.25rem 4rem; background: var(--paper);
  color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
}
h1 { margin: 2.5rem 0 0; font-size: 1.9rem; line-height: 1.2; font-weight: 650; }
h2 { margin: 2.75rem 0 0.75rem; font-size: 1.2rem; font-weight: 650; }
p { max-width: 46rem; color: var(--muted); }
a { color: var(--link); }
:focus-visible { outline: 2px solid var(--link); outline-offset: 1px; border-radius: 3px; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; padding: 0.5rem 0; color: var(--muted); }
th, td {
  padding: 0.45rem 1.1rem 0.45rem 0; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top; font-weight: 400;
}
thead th { color: var(--muted); font-size: 0.82rem; font-weight: 500; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.id, .test { font-family: var(--mono); font-size: 0.83rem; overflow-wrap: anywhere; }
.source { font-size: 0.8rem; color: var(--muted); }
.test, .source { display: block; }
.status { width: 34%; }
tr.tested .status { color: var(--tested); }
tr.tested .test { color: var(--ink); }
tr.open .status { color: var(--open); background: var(--open-paper); padding-left: 0.5rem; }
tr.untestable .status { color: var(--muted); }
tr:target { background: var(--raised); }
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
      "<td>{2}</td><td>{3} <span class=\"source\">{4}</span></td>"
      "<td class=\"status\">{5}</td></tr>\n",
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

#include "src/compare/page.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "harness/trace/ladder.h"
#include "src/compare/evidence.h"
#include "src/compare/markup.h"
#include "src/compare/matrix.h"
#include "src/compare/page_files.h"
#include "src/compare/releases.h"
#include "src/compare/table.h"
#include "src/picture/canvas.h"
#include "src/picture/ladder_picture.h"
#include "src/picture/timer_plot.h"
#include "src/report/text.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLadderLines = 150;
constexpr PictureOptions kPicture{.style = false, .most_items = 80};

// How an answer looks: a class for its color, a sign, a word.
struct Look {
  const char* style;
  const char* sign;
};

Look LookOf(Answer answer) {
  switch (answer) {
    case Answer::kPass:
      return {"pass", "✓"};
    case Answer::kKnownDeparture:
      return {"known", "≠"};
    case Answer::kFail:
      return {"fail", "✗"};
    case Answer::kError:
      return {"error", "!"};
    case Answer::kInconclusive:
      return {"doubt", "?"};
    case Answer::kSkip:
      return {"skip", "–"};
    case Answer::kNotTaken:
      return {"skip", "○"};
    case Answer::kNotRun:
      return {"skip", "…"};
    case Answer::kAbsent:
      break;
  }
  return {"absent", "·"};
}

std::string Signed(Answer answer, std::string_view word) {
  return fmt::format("<span class=\"sign\" aria-hidden=\"true\">{}</span>{}", LookOf(answer).sign,
                     word);
}

std::string_view ShortWord(Answer answer) {
  if (answer == Answer::kKnownDeparture) return "known";
  if (answer == Answer::kAbsent) return "none";
  return AnswerText(answer);
}

// "documented" is no level that a standard gives.
std::string LevelsOf(const std::vector<CitedClaim>& claims) {
  std::vector<std::string> levels;
  for (const CitedClaim& claim : claims) {
    if (std::find(levels.begin(), levels.end(), claim.level) == levels.end()) {
      levels.push_back(claim.level);
    }
  }
  return Joined(levels);
}

std::string AuthorityOf(const CitedClaim& claim) {
  return OnOneLine(claim.id.substr(0, claim.id.find(':')));
}

// What a row is cited for, as filters find it: "authority/level", one on a line.
std::string ClaimTokens(const std::vector<CitedClaim>& claims) {
  std::set<std::string> tokens;
  for (const CitedClaim& claim : claims) {
    tokens.insert(EscapedLine(AuthorityOf(claim)) + "/" + EscapedLine(claim.level));
  }
  return fmt::format("{}", fmt::join(tokens, "\n"));
}

// Without the indent that all lines have.
std::string Dedented(const std::string& text) {
  std::string result;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("  ")) return text;
    result += line.substr(2) + "\n";
  }
  return result;
}

std::string Option(const std::string& value, const std::string& text, bool selected = false) {
  return fmt::format("<option value=\"{}\"{}>{}</option>\n", EscapedLine(value),
                     selected ? " selected" : "", EscapedLine(text));
}

// "IPv4", "unix-stream", or what is said of the only case of a test.
std::string CaseName(const std::string& variant, const std::string& only) {
  return variant == "ipv4" ? "IPv4" : variant == "ipv6" ? "IPv6" : variant.empty() ? only : variant;
}

std::string CaseName(const TestResult& test) { return CaseName(test.variant, test.name); }

// Before what else is said of a row: "IPv4, IPv6 · ".
std::string RunOver(const std::vector<std::string>& variants) {
  std::vector<std::string> names;
  for (const std::string& variant : variants) {
    if (!variant.empty()) names.push_back(CaseName(variant, ""));
  }
  return names.empty() ? "" : Joined(names) + " · ";
}

// What is behind a row, as HTML.
struct RowEvidence {
  std::vector<Alike> groups;
  std::vector<std::string> ladders;  // one for each group; may be empty
  std::string pair;                  // two ladders side by side, of the first group and the last
};

class Page {
 public:
  Page(const Comparison& comparison, const PageOptions& options)
      : comparison_(comparison), options_(options), systems_(comparison.systems.size()) {}

  std::string Render() {
    const std::string style = PictureStyle() + std::string(PageFile("page.css"));
    const std::string script(PageFile("page.js"));
    const std::string title = systems_ == 1 ? "How " + comparison_.systems.front().name + " departs"
                                            : fmt::format("How {} systems differ", systems_);
    DrawLadders();
    Add("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    Add("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
        "style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'\">\n",
        PolicyHash(style), PolicyHash(script));
    Add("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta name=\"color-scheme\" content=\"light dark\">\n"
        "<meta name=\"referrer\" content=\"no-referrer\">\n"
        "<title>{} - sockproof</title>\n<style>{}</style>\n</head>\n<body>\n",
        Escaped(title), style);
    Add("<a class=\"skip-link\" href=\"#tests\">Skip to the comparison</a>\n");
    AddHeader(title);
    Add("<main>\n");
    AddSystems();
    AddAxes();
    AddFilters();
    AddTests();
    AddClaims();
    Add("</main>\n");
    Add("<footer><p>Made by sockproof {} from the results of these runs. There is no overall "
        "score: "
        "what a standard says and what a system's own documentation says are different "
        "questions.</p></footer>\n",
        SOCKPROOF_VERSION);
    Add("<script>{}</script>\n</body>\n</html>\n", script);
    return std::move(html_);
  }

 private:
  template <typename... Arguments>
  void Add(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    fmt::format_to(std::back_inserter(html_), format, std::forward<Arguments>(arguments)...);
  }

  void AddHeader(const std::string& title) {
    const auto differ = std::count_if(comparison_.tests.begin(), comparison_.tests.end(),
                                      [](const TestRow& row) { return row.differs; });
    Add("<header><h1>{}</h1>\n<p>{} of {} tests of sockets and TCP {}. Each asserts what a "
        "document "
        "says, on the wire; each cell leads to the statement, what was expected and observed, the "
        "reason as far as it is known, and how to see it happen.</p>",
        Escaped(title), differ, comparison_.tests.size(),
        systems_ == 1 ? "find that it departs" : "tell these systems apart");
    std::set<std::string> versions;
    for (const ComparedSystem& system : comparison_.systems) {
      versions.insert(system.run.suite_version);
    }
    if (versions.size() > 1) {
      Add("<p>These results are of different versions of sockproof: a test may have changed in "
          "between.</p>");
    }
    Add("</header>\n");
  }

  void AddSystems() {
    Add("<section class=\"prose\" aria-labelledby=\"systems-heading\">\n"
        "<h2 id=\"systems-heading\">Systems</h2>\n<div class=\"scroll\">\n<table class=\"plain\">\n"
        "<thead><tr><th scope=\"col\">System</th><th scope=\"col\">Under test as</th>");
    for (const char* word : {"Tests", "PASS", "FAIL", "known departures", "SKIP", "undecided"}) {
      Add("<th scope=\"col\" class=\"number\">{}</th>", word);
    }
    Add("<th scope=\"col\">Run at</th></tr></thead>\n<tbody>\n");
    for (const ComparedSystem& system : comparison_.systems) {
      const Counts counts = system.run.counts();
      Add("<tr><th scope=\"row\">{}</th><td><code>{}</code></td>", Escaped(system.name),
          EscapedLine(system.run.sut));
      for (const int count : {counts.tests, counts.pass, counts.fail - counts.known_departures,
                              counts.known_departures, counts.skip,
                              counts.error + counts.inconclusive + counts.not_run}) {
        Add("<td class=\"number\">{}</td>", count);
      }
      Add("<td>{} UTC{}{}</td></tr>\n", FormatUtc(system.run.started).substr(0, 16),
          system.run.finished ? "" : ", not finished",
          system.run.setup_error.empty()
              ? ""
              : ", no test could run: " + EscapedLine(system.run.setup_error));
    }
    Add("</tbody>\n</table>\n</div>\n<ul class=\"legend\" aria-label=\"What the words mean\">\n");
    for (const auto& [answer, meaning] :
         {std::pair(Answer::kPass, "the system does what the document says"),
          {Answer::kFail, "it does not"},
          {Answer::kKnownDeparture, "it does not, as its baseline records and explains"},
          {Answer::kSkip, "a capability is missing, or the test did not get to what it checks"},
          {Answer::kInconclusive, "too slow to judge"},
          {Answer::kError, "the test broke"}}) {
      Add("<li><span class=\"{}\">{}</span> {}</li>\n", LookOf(answer).style,
          Signed(answer, ShortWord(answer)), meaning);
    }
    Add("</ul>\n</section>\n");
  }

  void AddAxes() {
    Add("<section class=\"prose\" aria-label=\"Documented statements\">\n<details>\n"
        "<summary>How many documented statements hold, by who says so and how strongly</summary>\n"
        "<div class=\"scroll\">\n<table class=\"plain axes\">\n<thead><tr>"
        "<th scope=\"col\">Said by</th><th scope=\"col\">Level</th>");
    for (const ComparedSystem& system : comparison_.systems) {
      Add("<th scope=\"col\">{}</th>", Escaped(system.name));
    }
    Add("</tr></thead>\n<tbody>\n");
    for (const AxisRow& row : AxisRows(comparison_)) {
      Add("<tr><th scope=\"row\">{}</th><td>{}</td>",
          row.axis == "documentation" ? "the system's documentation" : row.axis,
          EscapedLine(row.level));
      for (const AxisRow::Count& count : row.counts) AddAxisCell(count);
      Add("</tr>\n");
    }
    Add("</tbody>\n</table>\n</div>\n</details>\n</section>\n");
  }

  void AddAxisCell(const AxisRow::Count& count) {
    const int tested =
        count.held + count.departed + count.not_taken + count.not_reached + count.undecided;
    if (tested == 0) {
      Add("<td class=\"muted\">not tested</td>");
      return;
    }
    Add("<td><span class=\"pass\">{} held</span>", count.held);
    if (count.departed > 0) Add(", <span class=\"known\">{} departed</span>", count.departed);
    if (count.not_taken > 0) Add(", {} not taken", count.not_taken);
    if (count.not_reached > 0) {
      Add(", <span class=\"muted\">{} not reached</span>", count.not_reached);
    }
    if (count.undecided > 0) Add(", <span class=\"muted\">{} undecided</span>", count.undecided);
    Add("<svg class=\"bar\" viewBox=\"0 0 {0} 1\" preserveAspectRatio=\"none\" "
        "aria-hidden=\"true\">"
        "<rect class=\"held\" width=\"{1}\" height=\"1\"/>"
        "<rect class=\"departed\" x=\"{1}\" width=\"{2}\" height=\"1\"/></svg></td>",
        tested, count.held, count.departed);
  }

  // --- filters -----------------------------------------------------------------------------------

  void AddFilters() {
    std::set<std::string> authorities;
    std::set<std::string> levels;
    for (const ClaimRow& row : comparison_.claims) {
      authorities.insert(AuthorityOf(row.claim));
      levels.insert(OnOneLine(row.claim.level));
    }
    std::vector<std::string> topics;
    std::set<Answer> answers;
    for (const TestRow& row : comparison_.tests) {
      if (topics.empty() || topics.back() != row.suite) topics.push_back(row.suite);
      for (const TestCell& cell : row.cells) answers.insert(cell.answer);
    }
    Add("<form id=\"filters\" class=\"filters\" aria-label=\"Filters\" autocomplete=\"off\" "
        "hidden>\n");
    AddSelect("by", "Rows",
              Option("test", "tests", !options_.by_claim) +
                  Option("claim", "statements", options_.by_claim));
    AddSelect("show", "Show",
              Option("different", systems_ == 1 ? "only departures" : "only differences", true) +
                  Option("all", "all"));
    AddSelect("authority", "Said by", Option("", "anyone") + Options(authorities));
    AddSelect("level", "Level", Option("", "any") + Options(levels));
    std::string options = Option("", "any");
    for (const std::string& topic : topics) options += Option(topic, AsSentence(topic));
    AddSelect("topic", "Topic", options);
    options = Option("", "any");
    for (const Answer answer : answers) {
      options += Option(std::string(ShortWord(answer)), std::string(AnswerText(answer)));
    }
    AddSelect("answer", "Some system is", options);
    Add("<label>Text <input name=\"text\" type=\"search\" aria-keyshortcuts=\"/\"></label>\n"
        "<button type=\"reset\">Reset</button>\n"
        "<output id=\"count\" role=\"status\"></output>\n</form>\n");
  }

  template <typename Words>
  static std::string Options(const Words& words) {
    std::string options;
    for (const std::string& word : words) options += Option(word, word);
    return options;
  }

  void AddSelect(const char* name, const char* label, const std::string& options) {
    Add("<label>{} <select name=\"{}\">\n{}</select></label>\n", label, name, options);
  }

  // --- the matrices ------------------------------------------------------------------------------

  void BeginMatrix(const char* id, const char* heading, const char* first_column) {
    Add("<section id=\"{0}\" aria-labelledby=\"{0}-heading\">\n<h2 id=\"{0}-heading\">{1}</h2>\n"
        "<p class=\"nothing prose\" hidden>No row matches these filters.</p>\n"
        "<table class=\"matrix\" aria-labelledby=\"{0}-heading\">\n"
        "<thead><tr><th scope=\"col\">{2}</th>",
        id, heading, first_column);
    for (const ComparedSystem& system : comparison_.systems) {
      Add("<th scope=\"col\">{}<span class=\"meta\">{}</span></th>", Escaped(system.name),
          system.name.find(CleanText(system.run.sut)) == std::string::npos
              ? EscapedLine(system.run.sut)
              : "");
    }
    Add("</tr></thead>\n");
  }

  void BeginTopic(bool first, const std::string& title, const std::string& note) {
    Add("{}<tbody>\n<tr class=\"topic\"><th colspan=\"{}\" scope=\"rowgroup\">{}{}</th></tr>\n",
        first ? "" : "</tbody>\n", systems_ + 1, title,
        note.empty() ? "" : fmt::format("<span class=\"meta\">{}</span>", note));
  }

  void EndMatrix(bool empty) { Add("{}</table>\n</section>\n", empty ? "" : "</tbody>\n"); }

  void BeginRow(const std::string& evidence, const std::string& data, bool differs) {
    Add("<tr class=\"row\" data-evidence=\"{}\"{}{}><th scope=\"row\"><a href=\"#{}\">", evidence,
        differs ? " data-differs" : "", data, evidence);
  }

  void BeginEvidence(const std::string& id, const std::string& title) {
    Add("<tr class=\"evidence\" id=\"{}\"><td colspan=\"{}\"><div class=\"sheet\">"
        "<header><h3>{}</h3><a class=\"close\" href=\"#\">close</a></header>\n",
        id, systems_ + 1, title);
  }

  void EndEvidence() { Add("</div></td></tr>\n"); }

  void AddTests() {
    BeginMatrix("tests", "By test", "Test");
    const std::string* suite = nullptr;
    for (std::size_t i = 0; i < comparison_.tests.size(); ++i) {
      const TestRow& row = comparison_.tests[i];
      if (suite == nullptr || *suite != row.suite) {
        BeginTopic(suite == nullptr, EscapedLine(AsSentence(row.suite)), "");
        suite = &row.suite;
      }
      AddTest(i, row);
    }
    EndMatrix(suite == nullptr);
  }

  void AddTest(std::size_t index, const TestRow& row) {
    const std::string evidence = fmt::format("e{}", index);
    const std::vector<Alike>& groups = rows_[index].groups;
    std::set<std::string> answers;
    std::vector<std::size_t> group_of(systems_);
    for (std::size_t g = 0; g < groups.size(); ++g) {
      answers.insert(std::string(ShortWord(groups[g].answer)));
      for (const std::size_t system : groups[g].systems) group_of[system] = g;
    }
    BeginRow(evidence,
             fmt::format(" data-topic=\"{}\" data-claims=\"{}\" data-answers=\"{}\"",
                         EscapedLine(row.suite), ClaimTokens(row.claims), fmt::join(answers, "\n")),
             row.differs);
    const std::vector<std::string> names = ObservedNames(row);
    Add("{}</a><span class=\"meta\">{}{}{}</span></th>", EscapedLine(AsSentence(row.name)),
        EscapedLine(RunOver(row.variants)), EscapedLine(LevelsOf(row.claims)),
        names.empty() ? "" : " · observed: " + EscapedLine(Joined(names)));
    for (std::size_t system = 0; system < systems_; ++system) {
      AddTestCell(names, row.cells[system], fmt::format("{}-{}", evidence, group_of[system]));
    }
    Add("</tr>\n");
    AddTestEvidence(evidence, row, rows_[index]);
  }

  void AddTestCell(const std::vector<std::string>& names, const TestCell& cell,
                   const std::string& target) {
    const Look look = LookOf(cell.answer);
    if (cell.answer == Answer::kAbsent) {
      Add("<td class=\"{}\"><span>{}</span></td>", look.style,
          Signed(cell.answer, ShortWord(cell.answer)));
      return;
    }
    std::string values;
    for (const std::string& name : names) {
      const std::string value = ObservedIn(cell, name);
      if (value.empty()) continue;
      values += fmt::format("<span class=\"value\">{}{}</span>",
                            names.size() > 1 ? EscapedLine(name) + ": " : "",
                            EscapedLine(Rounded(value)));
    }
    Add("<td class=\"{}\"><a href=\"#{}\">{}{}</a></td>", look.style, target,
        Signed(cell.answer, ShortWord(cell.answer)), values);
  }

  void AddTestEvidence(const std::string& id, const TestRow& row, const RowEvidence& rows) {
    BeginEvidence(id, EscapedLine(AsSentence(row.name)));
    Add("<code>{}</code>\n<ul class=\"claims\">\n", EscapedLine(row.test));
    for (const CitedClaim& claim : row.claims) {
      Add("<li><span class=\"level\">{}</span> {} <span class=\"muted\">{} <code>{}</code></span>"
          "</li>\n",
          EscapedLine(claim.level), EscapedLine(claim.statement), EscapedLine(claim.source),
          EscapedLine(claim.id));
    }
    Add("</ul>\n");
    if (const std::string since = SinceRelease(comparison_, row); !since.empty()) Add("<p>{}</p>\n", EscapedLine(since));
    AddPlot(row);
    AddMatrix(CompareMatrices(row));
    for (std::size_t g = 0; g < rows.groups.size(); ++g) {
      AddAlike(fmt::format("{}-{}", id, g), row, rows.groups[g], rows.ladders[g]);
    }
    if (!rows.pair.empty()) Add("<section class=\"alike\">{}</section>\n", rows.pair);
    EndEvidence();
  }

  // What was measured on each system, against what is documented.
  void AddPlot(const TestRow& row) {
    std::vector<TimerRow> systems;
    for (std::size_t i = 0; i < systems_; ++i) {
      if (row.cells[i].tests.empty()) continue;
      TimerRow system{comparison_.systems[i].name,
                      TimerPoints(row.cells[i].tests.front()->measurements)};
      if (!system.points.empty()) systems.push_back(std::move(system));
    }
    if (systems.empty()) return;
    html_ += Budgeted(
        "<div class=\"picture\" tabindex=\"0\" role=\"group\" "
        "aria-label=\"Measured times and documented ones\">" +
        TimerPlotSvg("Measured and documented", systems, kPicture) + "</div>\n");
  }

  // The cells in which systems differ, or disagree with the rule.
  void AddMatrix(const ComparedMatrix& matrix) {
    constexpr std::size_t kMostRows = 200;
    if (matrix.size == 0) return;
    Add("<p>{} cells.", matrix.size);
    for (std::size_t i = 0; i < systems_; ++i) {
      Add(" {}: {} disagree with the rule.", Escaped(comparison_.systems[i].name),
          matrix.disagreeing[i]);
    }
    Add("</p>\n");
    if (matrix.rows.empty()) return;
    Add("<div class=\"picture\" tabindex=\"0\" role=\"group\" aria-label=\"Cells that differ or "
        "disagree\"><table class=\"matrix\">\n<tr>");
    for (const std::string& axis : matrix.axes) Add("<th scope=\"col\">{}</th>", EscapedLine(axis));
    for (const ComparedSystem& system : comparison_.systems) {
      Add("<th scope=\"col\">{}</th>", Escaped(system.name));
    }
    Add("</tr>\n");
    for (std::size_t i = 0; i < std::min(kMostRows, matrix.rows.size()); ++i) {
      AddMatrixRow(matrix.rows[i]);
    }
    Add("</table></div>\n");
    if (matrix.rows.size() > kMostRows) {
      Add("<p class=\"muted\">{} more are in the results.</p>\n", matrix.rows.size() - kMostRows);
    }
  }

  void AddMatrixRow(const MatrixRow& row) {
    Add("<tr>");
    for (const std::string& word : row.at) Add("<td>{}</td>", EscapedLine(word));
    for (const CellEvent* cell : row.cells) {
      if (cell == nullptr) {
        Add("<td></td>");
      } else if (cell->expected.empty()) {
        Add("<td class=\"{}\">{}</td>", LookOf(Answer::kPass).style, EscapedLine(cell->observed));
      } else {
        Add("<td class=\"{}\">{}, and not: {}</td>", LookOf(Answer::kFail).style,
            EscapedLine(cell->observed), EscapedLine(cell->expected));
      }
    }
    Add("</tr>\n");
  }

  void AddAlike(const std::string& id, const TestRow& row, const Alike& group,
                const std::string& ladder) {
    if (group.answer == Answer::kAbsent) return;
    std::vector<std::string> names;
    for (const std::size_t system : group.systems) {
      names.push_back(comparison_.systems[system].name);
    }
    const TestCell& cell = row.cells[group.systems.front()];
    const TestResult& test = *cell.tests.front();
    Add("<section class=\"alike\" id=\"{}\">\n<h4><span class=\"{}\">{}</span> on {}</h4>\n<dl>\n",
        id, LookOf(group.answer).style, Signed(group.answer, AnswerText(group.answer)),
        Escaped(Joined(names)));
    for (const std::string& name : ObservedNames(row)) {
      const std::string value = ObservedIn(cell, name);
      if (!value.empty()) {
        Add("<dt>{}</dt><dd>{}</dd>\n", EscapedLine(name), EscapedLine(value));
      }
    }
    if (!test.departure.empty()) Add("<dt>Why</dt><dd>{}</dd>\n", WithLinks(test.departure));
    if (!test.surprise.empty()) {
      Add("<dt>Surprise</dt><dd>{}</dd>\n", EscapedLine(test.surprise));
    }
    if (!test.reason.empty()) Add("<dt>Reason</dt><dd>{}</dd>\n", EscapedLine(test.reason));
    Add("</dl>\n");
    for (const FailureEvent& failure : test.failures) {
      Add("<pre>{}\n<span class=\"muted\">{}:{}</span></pre>\n", Escaped(Dedented(failure.text)),
          EscapedLine(failure.file), failure.line);
    }
    html_ += ladder;
    if (!test.output.empty()) {
      Add("<details><summary>What its process printed</summary><pre>{}</pre></details>\n",
          Escaped(WithoutMiddle(test.output, kLadderLines)));
    }
    Add("<dl>\n");
    for (const std::size_t system : group.systems) AddReplay(system, row);
    Add("</dl>\n</section>\n");
  }

  // --- ladders -----------------------------------------------------------------------------------

  // Those of rows that differ come first, when there is not room for all.
  void DrawLadders() {
    rows_.resize(comparison_.tests.size());
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      rows_[i].groups = SystemsAlike(comparison_.tests[i]);
      rows_[i].ladders.resize(rows_[i].groups.size());
    }
    for (const bool differs : {true, false}) {
      for (std::size_t i = 0; i < rows_.size(); ++i) {
        if (comparison_.tests[i].differs == differs) DrawLadders(comparison_.tests[i], rows_[i]);
      }
    }
  }

  // A pair where two groups of systems did different things, else one for each that departs.
  void DrawLadders(const TestRow& row, RowEvidence& evidence) {
    std::vector<std::size_t> decided;
    for (std::size_t g = 0; g < evidence.groups.size(); ++g) {
      if (IsDecided(evidence.groups[g].answer)) decided.push_back(g);
    }
    const bool pair = decided.size() >= 2 && DrawPair(row, evidence, decided.back(), decided[0]);
    for (const std::size_t g : decided) {
      if (pair && (g == decided[0] || g == decided.back())) continue;
      if (Departs(evidence.groups[g].answer) || row.differs) {
        evidence.ladders[g] = LadderOf(row, evidence.groups[g].systems.front());
      }
    }
  }

  bool DrawPair(const TestRow& row, RowEvidence& evidence, std::size_t left, std::size_t right) {
    const std::size_t left_system = evidence.groups[left].systems.front();
    const std::size_t right_system = evidence.groups[right].systems.front();
    const std::vector<Event> left_events = EventsOf(row, left_system);
    const std::vector<Event> right_events = EventsOf(row, right_system);
    if (left_events.empty() || right_events.empty()) return false;
    const std::string& left_name = comparison_.systems[left_system].name;
    const std::string& right_name = comparison_.systems[right_system].name;
    evidence.pair = Budgeted(Picture(
        fmt::format("Side by side: {} and {}", Escaped(left_name), Escaped(right_name)),
        LadderPairSvg({left_name, left_events}, {right_name, right_events}, row.test, kPicture)));
    return !evidence.pair.empty();
  }

  std::vector<Event> EventsOf(const TestRow& row, std::size_t system) const {
    return sockproof::EventsOf(comparison_.systems[system], *row.cells[system].tests.front());
  }

  std::string LadderOf(const TestRow& row, std::size_t system) {
    const TestResult& test = *row.cells[system].tests.front();
    const std::string title =
        fmt::format("Calls and segments on {}, {}", Escaped(comparison_.systems[system].name),
                    EscapedLine(CaseName(test)));
    const std::vector<Event> events = EventsOf(row, system);
    std::string ladder;
    if (!events.empty()) ladder = Budgeted(Picture(title, LadderSvg(events, test.id, kPicture)));
    if (ladder.empty()) {
      const std::string text = test.ladder.empty() ? RenderLadder(events) : test.ladder;
      if (text.empty()) return "";
      ladder = Budgeted(fmt::format("<details><summary>{}</summary><pre>{}</pre></details>\n",
                                    title, Escaped(WithoutMiddle(text, kLadderLines))));
    }
    return ladder.empty()
               ? "<p class=\"muted\">The ladder is left out to keep this page small.</p>\n"
               : ladder;
  }

  static std::string Picture(const std::string& title, const std::string& svg) {
    return fmt::format(
        "<details><summary>{}</summary><div class=\"picture\" tabindex=\"0\" "
        "role=\"group\" aria-label=\"{}\">{}</div></details>\n",
        title, title, svg);
  }

  // Nothing when there is no room for it any more.
  std::string Budgeted(std::string html) {
    if (ladder_bytes_ + html.size() > options_.most_ladder_bytes) return "";
    ladder_bytes_ += html.size();
    return html;
  }

  void AddReplay(std::size_t index, const TestRow& row) {
    const ComparedSystem& system = comparison_.systems[index];
    const TestCell& cell = row.cells[index];
    const std::string pattern = cell.tests.size() == 1 ? cell.tests.front()->id : row.test;
    const std::string sut =
        system.run.sut == "host" ? "" : "-s " + ShellQuoted(CleanText(system.run.sut)) + " ";
    Add("<dt>{}</dt><dd><code>sockproof run {}{}</code>", Escaped(system.name), Escaped(sut),
        EscapedLine(ShellQuoted(CleanText(pattern))));
    for (const TestResult* test : cell.tests) {
      const std::string folder = LinkTo(EvidenceFolder(system, *test));
      if (folder.empty()) continue;
      Add(" · {}: <a href=\"{}/\">evidence</a>", EscapedLine(CaseName(*test)), folder);
      for (const std::string& file : test->files) {
        if (file == test->directory + "/capture.pcapng") {
          Add(", <a href=\"{}/capture.pcapng\">pcapng</a>", folder);
        }
      }
    }
    Add("</dd>\n");
  }

  // From the page to be.
  std::string LinkTo(const std::string& folder) const {
    if (folder.empty()) return "";
    const fs::path from = fs::absolute(options_.path).parent_path().lexically_normal();
    const fs::path relative = fs::absolute(folder).lexically_normal().lexically_relative(from);
    return Escaped(PathAsLink(relative.string()));
  }

  void AddClaims() {
    BeginMatrix("claims", "By documented statement", "Statement");
    const std::string* authority = nullptr;
    for (std::size_t i = 0; i < comparison_.claims.size(); ++i) {
      const ClaimRow& row = comparison_.claims[i];
      if (authority == nullptr || *authority != row.authority) {
        BeginTopic(authority == nullptr, EscapedLine(row.authority),
                   row.axis == "documentation" ? "the system's own documentation" : row.axis);
        authority = &row.authority;
      }
      AddClaim(fmt::format("c{}", i), row);
    }
    EndMatrix(authority == nullptr);
  }

  void AddClaim(const std::string& evidence, const ClaimRow& row) {
    std::set<std::string> answers;
    for (const Answer answer : row.cells) answers.insert(std::string(ShortWord(answer)));
    BeginRow(evidence,
             fmt::format(" data-claims=\"{}\" data-answers=\"{}\"", ClaimTokens({row.claim}),
                         fmt::join(answers, "\n")),
             row.differs);
    Add("{}</a><span class=\"meta\">{} · {}</span></th>", EscapedLine(row.claim.statement),
        EscapedLine(row.claim.level), EscapedLine(row.claim.source));
    for (const Answer answer : row.cells) {
      const std::string word(answer == Answer::kKnownDeparture ? "known" : ClaimAnswerText(answer));
      Add("<td class=\"{}\"><a href=\"#{}\">{}</a></td>", LookOf(answer).style, evidence,
          Signed(answer, word));
    }
    Add("</tr>\n");
    BeginEvidence(evidence, "Tests of <code>" + EscapedLine(row.claim.id) + "</code>");
    Add("<ul class=\"claims\">\n");
    for (const std::size_t test : row.tests) {
      Add("<li><a href=\"#e{}\">{}</a> <span class=\"muted\">{}</span></li>\n", test,
          EscapedLine(AsSentence(comparison_.tests[test].name)),
          EscapedLine(comparison_.tests[test].test));
    }
    Add("</ul>\n");
    EndEvidence();
  }

  const Comparison& comparison_;
  const PageOptions& options_;
  const std::size_t systems_;
  std::vector<RowEvidence> rows_;
  std::size_t ladder_bytes_ = 0;
  std::string html_;
};

}  // namespace

std::string RenderPage(const Comparison& comparison, const PageOptions& options) {
  return Page(comparison, options).Render();
}

}  // namespace sockproof

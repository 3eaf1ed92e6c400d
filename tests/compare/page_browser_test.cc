// The page in a browser. Without one (tests/compare/browser.h) these tests are skipped.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "src/compare/page.h"
#include "tests/compare/browser.h"
#include "tests/compare/systems.h"
#include "tests/report/hostile.h"
#include "tests/run/temporary_folder.h"

namespace sockproof {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const CitedClaim kMust{"rfc9293:MUST-1", "MUST", "RFC 9293", "A close sends a FIN."};
const CitedClaim kDocumented{"man:tcp(7)-x", "documented", "tcp(7)", "A wait takes a while."};

TestResult InSuite(const std::string& suite, TestResult test) {
  test.suite = suite;
  return OnIp("ipv4", test);
}

// Three rows, two of which differ.
Comparison Sample() {
  const auto wait = [](const std::string& time) {
    return InSuite("Wait", Citing({kDocumented}, Observing("give-up", time, Passes("ItGivesUp"))));
  };
  return Compared(System("5.10", {Citing({kMust}, Passes("ItSendsAFin")),
                                  Citing({kMust}, Passes("Same")), wait("127.013 s")}),
                  System("6.12", {Citing({kMust}, DepartsAsKnown("ItSendsAFin")),
                                  Citing({kMust}, Passes("Same")), wait("131.072 s")}));
}

class PageInBrowser : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!BrowserProgram().empty()) browser_ = std::make_unique<Browser>(BrowserProgram());
  }
  static void TearDownTestSuite() { browser_.reset(); }

  void SetUp() override {
    if (browser_ == nullptr) {
      GTEST_SKIP() << "no browser here: apt-get install chromium-headless-shell";
    }
    browser_->EnableScripts(true);
    browser_->Resize(1200, 900);
    Write(Sample());
  }

  void TearDown() override {
    if (browser_ == nullptr) return;
    EXPECT_THAT(browser_->complaints(), IsEmpty());
    for (const std::string& request : browser_->requests()) EXPECT_THAT(request, HasSubstr(Url()));
  }

  void Write(const Comparison& comparison) {
    ReplaceFile(folder_ / "page.html", RenderPage(comparison, {folder_ / "page.html"}));
  }
  std::string Url() const { return "file://" + folder_ / "page.html"; }
  void Open(const std::string& fragment = "") { browser_->Open(Url() + fragment); }

  nlohmann::json In(const std::string& expression) { return browser_->Evaluate(expression); }
  // Names of the rows that can be seen.
  std::vector<std::string> Rows() {
    return In(
        "[...document.querySelectorAll('tr.row')].filter(row => row.offsetParent)"
        ".map(row => row.querySelector('th a').textContent)");
  }
  // Titles of the evidence that can be seen.
  std::vector<std::string> Evidence() {
    return In(
        "[...document.querySelectorAll('tr.evidence')].filter(row => row.offsetParent)"
        ".map(row => row.querySelector('h3').textContent)");
  }
  void Choose(const std::string& field, const std::string& value) {
    In("{ const field = document.getElementById('filters').elements." + field +
       "; field.value = '" + value +
       "'; field.dispatchEvent(new Event('input', {bubbles: true})); }");
  }
  std::string Address() { return In("location.hash"); }
  std::string Focused() { return In("document.activeElement.textContent"); }

  static std::unique_ptr<Browser> browser_;
  TemporaryFolder folder_;
};

std::unique_ptr<Browser> PageInBrowser::browser_;

TEST_F(PageInBrowser, ShowsDifferencesFirst) {
  Open();
  EXPECT_THAT(Rows(), ElementsAre("It sends a FIN", "It gives up"));
  EXPECT_EQ(In("document.getElementById('count').value"), "2 of 3 tests");
  EXPECT_THAT(Evidence(), IsEmpty());
}

TEST_F(PageInBrowser, FiltersByEachProperty) {
  Open();
  Choose("show", "all");
  EXPECT_THAT(Rows(), ElementsAre("It sends a FIN", "Same", "It gives up"));
  Choose("authority", "man");
  EXPECT_THAT(Rows(), ElementsAre("It gives up"));
  Choose("authority", "");
  Choose("level", "MUST");
  EXPECT_THAT(Rows(), ElementsAre("It sends a FIN", "Same"));
  Choose("answer", "known");
  EXPECT_THAT(Rows(), ElementsAre("It sends a FIN"));
  Choose("topic", "Wait");
  EXPECT_THAT(Rows(), IsEmpty());
  EXPECT_EQ(In("document.querySelector('#tests .nothing').offsetParent !== null"), true);
}

TEST_F(PageInBrowser, FindsTextInRowsAndInTheirEvidence) {
  Open();
  Choose("text", "131");
  EXPECT_THAT(Rows(), ElementsAre("It gives up"));
  Choose("text", "forgets FIN");
  EXPECT_THAT(Rows(), ElementsAre("It sends a FIN"));
}

TEST_F(PageInBrowser, ShowsRowsByStatement) {
  Open();
  Choose("by", "claim");
  EXPECT_THAT(Rows(), ElementsAre("A close sends a FIN."));
  Choose("show", "all");
  EXPECT_THAT(Rows(), ElementsAre("A close sends a FIN.", "A wait takes a while."));
}

TEST_F(PageInBrowser, KeepsTheViewInItsAddress) {
  Open();
  Choose("show", "all");
  Choose("topic", "Wait");
  In("document.querySelector('tr.row:not([hidden]) th a').click()");
  const std::string address = Address();
  EXPECT_EQ(address, "#show=all&topic=Wait&open=e2");
  Open(address);
  EXPECT_THAT(Rows(), ElementsAre("It gives up"));
  EXPECT_THAT(Evidence(), ElementsAre("It gives up"));
  In("document.querySelector('#filters [type=reset]').click()");
  EXPECT_EQ(Address(), "");
  EXPECT_THAT(Rows(), ElementsAre("It sends a FIN", "It gives up"));
}

TEST_F(PageInBrowser, TakesNonsenseInItsAddressForNothing) {
  for (const char* nonsense :
       {"#show=<b>&topic=%ff&open=zz", "#e99", "#e0-77", "#&&=&%%", "#by=x"}) {
    Open(nonsense);
    EXPECT_THAT(Rows(), ElementsAre("It sends a FIN", "It gives up")) << nonsense;
  }
}

TEST_F(PageInBrowser, LeadsFromACellToItsEvidence) {
  Open();
  In("document.querySelectorAll('tr.row td a')[1].click()");
  EXPECT_THAT(Evidence(), ElementsAre("It sends a FIN"));
  const std::string shown = In("document.querySelector('tr.evidence.open').innerText");
  EXPECT_THAT(shown, HasSubstr("close() forgets the FIN"));
  EXPECT_THAT(shown, HasSubstr("Actual: nothing"));
  In("document.querySelector('tr.evidence.open .close').click()");
  EXPECT_THAT(Evidence(), IsEmpty());
}

TEST_F(PageInBrowser, ShowsLinkedEvidenceWhateverIsFiltered) {
  Open("#e1");
  EXPECT_THAT(Evidence(), ElementsAre("Same"));
  Open("#e0-1");
  EXPECT_THAT(Evidence(), ElementsAre("It sends a FIN"));
  Open("#c0");
  In("document.querySelector('tr.evidence.open .claims a').click()");
  EXPECT_THAT(Evidence(), ElementsAre("It sends a FIN"));
}

TEST_F(PageInBrowser, WorksByKeyboard) {
  Open();
  In("document.querySelector('tr.row:not([hidden]) th a').focus()");
  browser_->Press("ArrowRight");
  EXPECT_THAT(Focused(), HasSubstr("PASS"));
  browser_->Press("ArrowRight");
  EXPECT_THAT(Focused(), HasSubstr("known"));
  browser_->Press("ArrowDown");
  EXPECT_THAT(Focused(), HasSubstr("131 s"));
  browser_->Press("Enter");
  EXPECT_THAT(Evidence(), ElementsAre("It gives up"));
  browser_->Press("Escape");
  EXPECT_THAT(Evidence(), IsEmpty());
  EXPECT_EQ(Focused(), "It gives up");
  browser_->Press("/");
  EXPECT_EQ(In("document.activeElement.name"), "text");
}

TEST_F(PageInBrowser, GoesFromRowToRowByTab) {
  Open();
  In("document.querySelector('tr.row:not([hidden]) th a').focus()");
  browser_->Press("Tab");
  EXPECT_EQ(Focused(), "It gives up");
}

TEST_F(PageInBrowser, WithoutScriptsShowsEverything) {
  browser_->EnableScripts(false);
  Open();
  EXPECT_THAT(Rows(), ElementsAre("It sends a FIN", "Same", "It gives up", "A close sends a FIN.",
                                  "A wait takes a while."));
  EXPECT_EQ(In("document.getElementById('filters').offsetParent"), nullptr);
  Open("#e0-0");
  EXPECT_THAT(Evidence(), ElementsAre("It sends a FIN"));
  Open("#e2");
  EXPECT_THAT(Evidence(), ElementsAre("It gives up"));
}

TEST_F(PageInBrowser, IsATableToAScreenReader) {
  Open();
  EXPECT_EQ(In("[...document.querySelectorAll('.matrix th')].every(th => th.scope)"), true);
  EXPECT_EQ(In("[...document.querySelectorAll('tr.row')].every(row => row.cells.length === 3)"),
            true);
  EXPECT_EQ(In("[...document.querySelectorAll('table.matrix')].every(table =>"
               "document.getElementById(table.getAttribute('aria-labelledby')))"),
            true);
  EXPECT_EQ(In("document.querySelectorAll('h1').length"), 1);
  EXPECT_EQ(In("{ let level = 0; [...document.querySelectorAll('h1,h2,h3,h4')].every(heading => {"
               "const before = level; level = Number(heading.tagName[1]);"
               "return level <= before + 1; }) }"),
            true)
      << "a level of headings is left out";
  EXPECT_EQ(In("[...document.querySelectorAll('#filters select, #filters input')]"
               ".every(field => field.labels.length === 1)"),
            true);
  EXPECT_EQ(In("document.querySelector('tr.row th a').getAttribute('aria-expanded')"), "false");
}

TEST_F(PageInBrowser, FitsAPhone) {
  browser_->Resize(390, 800);
  Open();
  EXPECT_LE(In("document.querySelector('header').getBoundingClientRect().right"), 390);
  EXPECT_LE(In("document.querySelector('.filters').getBoundingClientRect().right"), 390);
  In("document.querySelector('tr.row:not([hidden]) th a').click()");
  EXPECT_LE(In("document.querySelector('tr.evidence.open .sheet').getBoundingClientRect().right"),
            390);
}

TEST_F(PageInBrowser, TakesNothingFromHostileResults) {
  const std::string attack =
      "</style></script><script>window.forged = 1</script><img src=x onerror='window.forged = 1'>"
      "\" autofocus onfocus=\"window.forged = 1";
  RunResult run = HostileRun();
  for (TestResult& test : run.tests) {
    test.name += attack;
    test.suite += attack;
    test.failures[0].text += attack;
    test.ladder += attack;
    test.claims[0].id += attack;
    test.claims[0].level += attack;
    test.directory += attack;
  }
  run.facts["release"] = attack;
  std::vector<ComparedSystem> systems;
  systems.push_back({"", attack, run});
  Write(CompareSystems(std::move(systems)));
  Open("#show=all");
  EXPECT_EQ(In("typeof window.forged"), "undefined");
  EXPECT_EQ(In("document.querySelectorAll('script').length"), 1);
  EXPECT_EQ(In("document.querySelectorAll('img, b, [onfocus], [style]').length"), 0);
  EXPECT_EQ(In("document.querySelectorAll('tr.row').length >= 6"), true);
}

}  // namespace
}  // namespace sockproof

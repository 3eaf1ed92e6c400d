// suites/options/headers.h against the tables of the agent protocol and the sources of the suites:
// no option of the headers is forgotten, and none is called untested that a test is about.
#include "harness/agent_protocol/options.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "suites/options/headers.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;

// All suites but the table itself.
std::string SourcesOfSuites() {
  std::ostringstream text;
  for (const auto& entry :
       fs::recursive_directory_iterator(fs::path(SOCKPROOF_SOURCES) / "suites")) {
    const fs::path& path = entry.path();
    if (path.extension() != ".cc" && path.extension() != ".h") continue;
    if (path.parent_path().filename() == "options" && path.filename() == "headers.h") continue;
    text << std::ifstream(path).rdbuf();
  }
  return text.str();
}

TEST(OptionsOfHeaders, AreThoseThatTheAgentsKnow) {
  std::multiset<std::string> rows;
  for (const OptionOfHeaders& row : kOptionsOfHeaders) rows.emplace(row.name);
  std::multiset<std::string> known;
  for (const agent_protocol::SocketOption& option : agent_protocol::SocketOptions()) {
    known.emplace(option.name);
  }
  EXPECT_EQ(rows, known);
}

TEST(OptionsOfHeaders, EachHasATestOrAReasonWhyItHasNone) {
  const std::string sources = SourcesOfSuites();
  for (const OptionOfHeaders& row : kOptionsOfHeaders) {
    const bool named = sources.find('"' + std::string(row.name) + '"') != std::string::npos;
    EXPECT_NE(named, !row.untested.empty())
        << row.name
        << (named ? " has a test, and is called untested" : " has no test, and no reason");
  }
}

TEST(OptionsOfHeaders, EachHasADocumentOrIsUntested) {
  for (const OptionOfHeaders& row : kOptionsOfHeaders) {
    EXPECT_TRUE(!row.document.empty() || !row.untested.empty()) << row.name;
  }
}

}  // namespace
}  // namespace sockproof

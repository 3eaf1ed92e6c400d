// Which folder may include which: read from the sources themselves, so that an arrow in the wrong
// direction is found before a reader stumbles over it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

const fs::path kTop = SOCKPROOF_SOURCES;

std::string TextOf(const fs::path& file) {
  std::ifstream stream(file);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

std::vector<std::string> MatchesIn(const std::string& text, const std::regex& expression) {
  std::vector<std::string> found;
  for (std::sregex_iterator match(text.begin(), text.end(), expression), end; match != end;
       ++match) {
    found.push_back((*match)[1]);
  }
  return found;
}

// What a file includes, as it says it: "harness/base/time.h", "nlohmann/json.hpp".
std::vector<std::string> IncludedBy(const fs::path& file) {
  static const std::regex kInclude("(?:^|\n)#include [\"<]([^\">]+)[\">]");
  return MatchesIn(TextOf(file), kInclude);
}

// The sources below a folder, by their paths from the top.
std::vector<std::string> SourcesBelow(const std::string& folder) {
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(kTop / folder)) {
    const std::string extension = entry.path().extension();
    if (extension != ".cc" && extension != ".h" && extension != ".c") continue;
    files.push_back(fs::relative(entry.path(), kTop));
  }
  return files;
}

// "wire" of "harness/wire/port.h".
std::string FolderIn(const std::string& path) {
  const std::size_t begin = path.find('/') + 1;
  return path.substr(begin, path.find('/', begin) - begin);
}

TEST(Dependencies, OfTheHarnessPointDownItsListOnly) {
  const std::vector<std::string> order = MatchesIn(TextOf(kTop / "harness/CMakeLists.txt"),
                                                   std::regex("add_subdirectory\\((\\w+)\\)"));
  const auto place = [&order](const std::string& folder) {
    return std::find(order.begin(), order.end(), folder) - order.begin();
  };
  for (const std::string& file : SourcesBelow("harness")) {
    for (const std::string& included : IncludedBy(kTop / file)) {
      EXPECT_FALSE(included.starts_with("src/") || included.starts_with("suites/"))
          << file << " includes " << included;
      if (!included.starts_with("harness/")) continue;
      EXPECT_LE(place(FolderIn(included)), place(FolderIn(file)))
          << file << " includes " << included;
    }
  }
}

TEST(Dependencies, OfTheProgramsKnowNoSuite) {
  for (const std::string& file : SourcesBelow("src")) {
    for (const std::string& included : IncludedBy(kTop / file)) {
      EXPECT_FALSE(included.starts_with("suites/")) << file << " includes " << included;
    }
  }
}

TEST(Dependencies, OfTheProgramsGoRoundInNoCircle) {
  std::map<std::string, std::set<std::string>> arrows;
  for (const std::string& file : SourcesBelow("src")) {
    for (const std::string& included : IncludedBy(kTop / file)) {
      if (!included.starts_with("src/")) continue;
      const std::string from = FolderIn(file);
      const std::string to = FolderIn(included);
      if (from != to) arrows[from].insert(to);
    }
  }
  // Folders that no arrow leads to are taken away until none is left.
  while (!arrows.empty()) {
    std::set<std::string> reached;
    for (const auto& [from, to] : arrows) reached.insert(to.begin(), to.end());
    const std::size_t before = arrows.size();
    std::erase_if(arrows, [&reached](const auto& entry) { return !reached.contains(entry.first); });
    if (arrows.size() < before) continue;
    for (const auto& [from, to] : arrows) {
      ADD_FAILURE() << "in a circle: " << from << " -> " << testing::PrintToString(to);
    }
    break;
  }
}

// Everything that compiling a file reads of this project, and what of others that includes.
std::set<std::string> Closure(const std::string& file) {
  std::set<std::string> reached;
  std::vector<std::string> open{file};
  while (!open.empty()) {
    const std::string next = open.back();
    open.pop_back();
    if (!reached.insert(next).second || !fs::exists(kTop / next)) continue;
    const std::vector<std::string> included = IncludedBy(kTop / next);
    open.insert(open.end(), included.begin(), included.end());
  }
  return reached;
}

TEST(Dependencies, OfSuitesAreTheLanguageAndNoJson) {
  for (const std::string& file : SourcesBelow("suites")) {
    for (const std::string& included : IncludedBy(kTop / file)) {
      EXPECT_FALSE(included.starts_with("src/")) << file << " includes " << included;
    }
    EXPECT_FALSE(Closure(file).contains("nlohmann/json.hpp")) << file;
  }
}

// The classes that a header defines, each with its namespace.
std::vector<std::string> ClassesOf(const std::string& file) {
  static const std::regex kNamespace("namespace ([\\w:]+) \\{");
  static const std::regex kClass("(?:class|struct|enum class) (\\w+)[^;]*");
  std::vector<std::string> classes;
  std::string space;
  std::ifstream stream(kTop / file);
  for (std::string line; std::getline(stream, line);) {
    std::smatch match;
    if (std::regex_match(line, match, kNamespace)) space = match[1].str() + "::";
    if (std::regex_match(line, match, kClass)) classes.push_back(space + match[1].str());
  }
  return classes;
}

// Two of one name are one to the linker, whatever is in them.
TEST(Dependencies, EachClassHasANameOfItsOwn) {
  std::map<std::string, std::string> defined_in;
  for (const char* folder : {"harness", "src", "suites"}) {
    for (const std::string& file : SourcesBelow(folder)) {
      if (!file.ends_with(".h")) continue;
      for (const std::string& name : ClassesOf(file)) {
        const auto [first, is_new] = defined_in.emplace(name, file);
        EXPECT_TRUE(is_new) << name << " is in " << first->second << " and in " << file;
      }
    }
  }
  EXPECT_GT(defined_in.size(), 100U);
}

}  // namespace

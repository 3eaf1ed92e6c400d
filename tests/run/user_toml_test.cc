#include "src/run/user_toml.h"

#include <gmock/gmock.h>

#include "src/run/usage_error.h"

namespace sockproof {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
using testing::ThrowsMessage;

TEST(ParseUserToml, TakesAnyCharacterInTextsAndComments) {
  const toml::table table = ParseUserToml(
      "\xef\xbb\xbf"
      R"(# é ' "
a = "é \" \\" # é
b = 'é \' # '
c = """é " "" \
\""" é"""""
d = '''é ' '' \'''''
e = """
[...] é"""
"é" = "#"
)",
      "a.toml");
  EXPECT_EQ(table["a"].value<std::string>(), "é \" \\");
  EXPECT_EQ(table["b"].value<std::string>(), "é \\");
  EXPECT_EQ(table["c"].value<std::string>(), "é \" \"\" \"\"\" é\"\"");
  EXPECT_EQ(table["d"].value<std::string>(), "é ' '' \\''");
  EXPECT_EQ(table["e"].value<std::string>(), "[...] é");
  EXPECT_EQ(table["é"].value<std::string>(), "#");
}

TEST(ParseUserToml, SaysWhatStandsForWhatIsNotAscii) {
  EXPECT_THAT([] { ParseUserToml("é = 1", "a.toml"); },
              ThrowsMessage<UsageError>(HasSubstr("'~' stands for what is not ASCII")));
}

TEST(ParseUserToml, RefusesANameOfManyParts) {
  std::string name = "\na";
  for (int part = 0; part < 100'000; ++part) name += ".a";
  EXPECT_THAT([&] { ParseUserToml(name + " = 1", "a.toml"); },
              ThrowsMessage<UsageError>(StartsWith("a.toml:2: more than 1000 dots")));
}

TEST(ParseUserToml, RefusesTheRestWithFileAndLine) {
  for (const auto& [text, complaint] : std::initializer_list<std::pair<const char*, const char*>>{
           {"x = \"\"\"\n\"\"\"\né = 1", "a.toml:3: "},
           {"x = é", "a.toml:1: "},
           {"x = 9f\"é", "a.toml:1: "},
           {"x = \"\"\"\n\\é\"\"\"", "a.toml:2: "},
           {"x = [a/\"é", "a.toml:1: "},
           {"x = 1 ~ 2", "a.toml:1: "},
           {"x = 'a\nb' é", "a.toml:1: "},
           {"# a\n\nx = '\xff'", "a.toml:3: bytes that are no text in UTF-8"},
           {"# a\n# \xc3(", "a.toml:2: bytes that are no text in UTF-8"},
           {"# a\n\n# \xc3", "a.toml:3: bytes that are no text in UTF-8"},
           {"x = \"\\\xff\"", "a.toml:1: bytes that are no text in UTF-8"},
           {"x = 1\n [!a]", "a.toml:2: a table without a name"},
           {"[[", "a.toml:1: a table without a name"},
           {"x = '", "a.toml:1: "},
           {"x = \"\\", "a.toml:1: "}}) {
    EXPECT_THAT([&text = text] { ParseUserToml(text, "a.toml"); },
                ThrowsMessage<UsageError>(StartsWith(complaint)))
        << text;
  }
}

}  // namespace
}  // namespace sockproof

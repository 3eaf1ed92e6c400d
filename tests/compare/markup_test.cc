#include "src/compare/markup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sockproof {
namespace {

TEST(Escaped, LeavesNothingThatMeansSomethingToHtml) {
  EXPECT_EQ(Escaped("<b a='1' c=\"2\">&amp;"), "&lt;b a=&#39;1&#39; c=&quot;2&quot;&gt;&amp;amp;");
  EXPECT_EQ(EscapedLine("a\n  b\tc"), "a b c");
}

TEST(WithLinks, LinksOnlyWhatIsOnTheWeb) {
  EXPECT_EQ(WithLinks("why (https://example.org/a?b=c&d#e), and javascript:alert(1)"),
            "why (<a href=\"https://example.org/a?b=c&amp;d#e\" rel=\"noreferrer\">"
            "https://example.org/a?b=c&amp;d#e</a>), and javascript:alert(1)");
  EXPECT_EQ(WithLinks("https://x\" onclick=\"y"),
            "<a href=\"https://x\" rel=\"noreferrer\">https://x</a>&quot; onclick=&quot;y");
}

TEST(PathAsLink, IsNeverAnAddress) {
  EXPECT_EQ(PathAsLink("out/tests/A.B-ipv4"), "./out/tests/A.B-ipv4");
  EXPECT_EQ(PathAsLink("../out"), "../out");
  EXPECT_EQ(PathAsLink("javascript:x"), "./javascript%3Ax");
  EXPECT_EQ(PathAsLink("//example.org"), ".///example.org");
  EXPECT_EQ(PathAsLink("a?b#c\"d e%41"), "./a%3Fb%23c%22d%20e%2541");
}

TEST(PolicyHash, IsThatOfTheStandard) {
  // FIPS 180-2, appendix B.1.
  EXPECT_EQ(PolicyHash("abc"), "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
}

TEST(AsSentence, ReadsAsATestIsMeant) {
  EXPECT_EQ(AsSentence("DataStillFlowsToTheSideThatSentItsFin"),
            "Data still flows to the side that sent its FIN");
  EXPECT_EQ(AsSentence("AsTheNotesSayASynIsTriedAt0And5_8And29_8SecondsAndGivenUpAt75"),
            "As the notes say a SYN is tried at 0 and 5.8 and 29.8 seconds and given up at 75");
  EXPECT_EQ(AsSentence("SendFailsWithEpipe"), "Send fails with EPIPE");
  EXPECT_EQ(AsSentence("TimeWait"), "TIME-WAIT");
  EXPECT_EQ(AsSentence("TheSynAckOfFinWait2"), "The SYN,ACK of FIN-WAIT-2");
  EXPECT_EQ(AsSentence(""), "");
}

TEST(Rounded, KeepsThreeDigitsOfATime) {
  EXPECT_EQ(Rounded("131.072 s"), "131 s");
  EXPECT_EQ(Rounded("60.412 s"), "60.4 s");
  EXPECT_EQ(Rounded("7924.113 s"), "7924 s");
  EXPECT_EQ(Rounded("129"), "129");
  EXPECT_EQ(Rounded("9 probes"), "9 probes");
}

}  // namespace
}  // namespace sockproof

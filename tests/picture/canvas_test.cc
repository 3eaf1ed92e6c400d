#include "src/picture/canvas.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/picture/drawn.h"

namespace sockproof {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Canvas, CountsCharactersAndNotBytes) {
  EXPECT_EQ(CharactersOf("abc"), 3U);
  EXPECT_EQ(CharactersOf("µs…"), 3U);
  EXPECT_EQ(CharactersOf("世界"), 4U);
  EXPECT_EQ(CharactersOf(""), 0U);
}

TEST(Canvas, ShortensWithinCharacters) {
  EXPECT_EQ(ShortenedTo("abcdef", 6), "abcdef");
  EXPECT_EQ(ShortenedTo("abcdefg", 6), "abcde…");
  EXPECT_EQ(ShortenedTo("世界世界", 6), "世界…");
}

TEST(Canvas, WrapsAfterWhatSeparates) {
  EXPECT_THAT(Wrapped("connect(3, 192.0.2.2:80)", 14, 3),
              ElementsAre("connect(3,", "192.0.2.2:80)"));
  EXPECT_THAT(Wrapped("aaaaaaaaaa", 4, 3), ElementsAre("aaaa", "aaaa", "aa"));
  EXPECT_THAT(Wrapped("aaaaaaaaaaaaaaaa", 4, 3), ElementsAre("aaaa", "aaaa", "aaa…"));
  EXPECT_THAT(Wrapped("", 4, 3), ElementsAre());
}

TEST(Canvas, EscapesText) {
  Canvas canvas;
  canvas.Text(Layer::kTitle, 10, 20, "<b>&\"'</b>");
  const Drawn drawn(canvas.Svg(100, 30, "<&>", "\"d\"", true));
  ExpectSound(drawn);
  EXPECT_THAT(drawn.Texts("sp-title"), ElementsAre("<b>&\"'</b>"));
  EXPECT_STREQ(drawn.root().child("title").text().get(), "<&>");
}

TEST(Canvas, StyleHasColorsForLightAndDark) {
  EXPECT_THAT(PictureStyle(), HasSubstr("prefers-color-scheme:dark"));
  EXPECT_THAT(PictureStyle(), HasSubstr(".sp-arrow{"));
}

}  // namespace
}  // namespace sockproof

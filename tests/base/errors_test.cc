#include "harness/base/errors.h"

#include <errno.h>
#include <gmock/gmock.h>

#include "harness/base/time.h"

namespace sockproof {
namespace {

TEST(Errno, NamesAndNumbersAgree) {
  EXPECT_EQ(ErrnoName(ECONNREFUSED), "ECONNREFUSED");
  EXPECT_EQ(ErrnoFromName("ECONNREFUSED"), ECONNREFUSED);
  EXPECT_EQ(ErrnoName(4711), "errno 4711");
  EXPECT_EQ(ErrnoFromName("ENOSUCHERROR"), 0);
}

TEST(Departure, RemembersTheLineThatExpected) {
  const int line = __LINE__ + 2;
  try {
    throw Departure("no FIN", SourceLocation::Current());
  } catch (const Departure& departure) {
    EXPECT_EQ(departure.where().line, line);
    EXPECT_THAT(departure.where().file, testing::EndsWith("errors_test.cc"));
  }
}

TEST(Duration, IsShownInTheUnitThatFits) {
  EXPECT_EQ(FormatDuration(60412ms), "60.412 s");
  EXPECT_EQ(FormatDuration(12500us), "12.5 ms");
  EXPECT_EQ(FormatDuration(87us), "87 us");
  EXPECT_EQ(FormatDuration(-1s), "-1.000 s");
  EXPECT_EQ(FormatDuration(999'960us), "1.000 s");
  EXPECT_EQ(FormatDuration(999'960ns), "1 ms");
}

}  // namespace
}  // namespace sockproof

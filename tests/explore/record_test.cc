// Records as text.
#include "src/explore/record.h"

#include <gmock/gmock.h>

#include <random>
#include <stdexcept>

namespace sockproof::explore {
namespace {

Record Example() {
  Record record;
  StepRecord step;
  step.begin = FromNanoseconds(1'795'761'281'776'008'338);
  step.end = step.begin + 1ms;
  step.outcome = "EINPROGRESS";
  SeenSegment syn;
  syn.time = step.begin + 1us;
  syn.segment.flags = oracle::kSyn;
  syn.segment.seq = 4'294'967'295;
  syn.segment.window = 64240;
  syn.segment.mss = 1460;
  syn.segment.scale = 10;
  syn.segment.timestamps = {7, 0};
  SeenSegment damaged;
  damaged.is_of_peer = true;
  damaged.time = step.begin + 2us;
  damaged.segment.flags = oracle::kAck;
  damaged.segment.text = 4;
  damaged.segment.defect = "bad checksum";
  step.segments = {syn, damaged};
  record.steps = {step, {step.end, step.end + 1s, "", {}}};
  return record;
}

TEST(RecordText, IsReadAsItWasWritten) {
  const std::string text = RecordText(Example());
  const Record read = ParseRecord(text);
  EXPECT_EQ(RecordText(read), text);
  ASSERT_EQ(read.steps.size(), 2U);
  EXPECT_EQ(read.steps[0].outcome, "EINPROGRESS");
  EXPECT_EQ(read.steps[0].segments[0].segment.seq, 4'294'967'295U);
  EXPECT_EQ(read.steps[0].segments[1].segment.defect, "bad checksum");
  EXPECT_EQ(read.steps[1].outcome, "");
}

TEST(RecordText, OfAnyOctetsIsReadOrRefused) {
  std::mt19937 random(1);
  const std::string example = RecordText(Example());
  for (int i = 0; i < 20'000; ++i) {
    std::string text = example;
    const std::size_t at = random() % text.size();
    if (random() % 2 == 0) {
      text[at] = static_cast<char>(random());
    } else {
      text.resize(at);
    }
    try {
      ParseRecord(text);
    } catch (const std::invalid_argument&) {
    }
  }
}

}  // namespace
}  // namespace sockproof::explore

// Files of captures, well-formed and hostile.
#include "src/judge/capture.h"

#include <gmock/gmock.h>

#include <random>
#include <stdexcept>

#include "src/judge/judge.h"
#include "tests/judge/made_up_capture.h"

namespace sockproof {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

Bytes Behind(std::size_t header, std::uint16_t type, std::size_t type_at, const Bytes& packet) {
  Bytes bytes(header);
  if (header > 0) {
    bytes[type_at] = static_cast<std::uint8_t>(type >> 8);
    bytes[type_at + 1] = static_cast<std::uint8_t>(type & 0xff);
  }
  bytes.insert(bytes.end(), packet.begin(), packet.end());
  return bytes;
}

TEST(Capture, IsReadWhateverItsFormAndLink) {
  const MadeUpSegment segment{true, kS, 5000, 0};
  const Bytes frame = EthernetFrame(segment);
  const Bytes packet = IpPacket(segment);
  Bytes tagged = frame;
  tagged.insert(tagged.begin() + 12, {0x81, 0x00, 0x00, 0x07});
  const std::vector<std::string> files = {
      PcapOf({frame}, 1),
      PcapOf({frame}, 1, true),
      PcapOf({tagged}, 1),
      PcapOf({packet}, 101),
      PcapOf({packet}, 228),
      PcapOf({Behind(16, 0x0800, 14, packet)}, 113),
      PcapOf({Behind(20, 0x0800, 0, packet)}, 276),
      PcapOf({Behind(4, 0, 0, packet)}, 0),
      PcapngOf({frame}, 1),
      PcapngOf({packet}, 101),
  };
  for (const std::string& file : files) {
    const Capture capture = ReadCapture(file);
    ASSERT_THAT(capture.frames, SizeIs(1));
    EXPECT_EQ(capture.frames[0].bytes, frame);
    EXPECT_THAT(capture.remarks, IsEmpty());
  }
}

TEST(Capture, KeepsTimeAndNumber) {
  const Bytes frame = EthernetFrame({true, kS, 5000, 0});
  for (const std::string& file : {PcapOf({frame, frame}, 1), PcapngOf({frame, frame}, 1)}) {
    const Capture capture = ReadCapture(file);
    ASSERT_THAT(capture.frames, SizeIs(2));
    EXPECT_EQ(capture.frames[1].time - capture.frames[0].time, 1ms);
    EXPECT_EQ(capture.frames[1].number, 2);
  }
}

TEST(Capture, ThatEndsEarlyIsReadAsFarAsItGoes) {
  const Bytes frame = EthernetFrame({true, kS, 5000, 0});
  for (const std::string& file : {PcapOf({frame, frame}, 1), PcapngOf({frame, frame}, 1)}) {
    const Capture capture = ReadCapture(file.substr(0, file.size() - 10));
    EXPECT_THAT(capture.frames, SizeIs(1));
    EXPECT_THAT(capture.remarks, testing::ElementsAre(HasSubstr("cut short")));
  }
}

TEST(Capture, IsRefusedWhenItIsNone) {
  EXPECT_THROW(ReadCapture(""), std::invalid_argument);
  EXPECT_THROW(ReadCapture(std::string(100, 'x')), std::invalid_argument);
}

TEST(Capture, OfALinkThatIsNotKnownSaysSo) {
  const Capture capture = ReadCapture(PcapOf({EthernetFrame({true, kS, 5000, 0})}, 147));
  EXPECT_THAT(capture.frames, IsEmpty());
  EXPECT_THAT(capture.remarks, testing::ElementsAre(HasSubstr("link type 147")));
}

// Octets changed, left out, and cut off at random: it ends, and what is said can be shown.
TEST(Capture, SurvivesHostileFiles) {
  std::vector<Bytes> frames;
  for (const MadeUpSegment& segment : WholeConnection()) frames.push_back(EthernetFrame(segment));
  std::mt19937 random(11);
  for (int round = 0; round < 3000; ++round) {
    std::string file = round % 2 == 0 ? PcapOf(frames, 1) : PcapngOf(frames, 1);
    for (auto changes = random() % 8 + 1; changes > 0; --changes) {
      const std::size_t at = random() % file.size();
      switch (random() % 4) {
        case 0:
          file[at] = static_cast<char>(random() & 0xff);
          break;
        case 1:
          file[at] = static_cast<char>(file[at] ^ 1 << random() % 8);
          break;
        case 2:
          file.erase(at, random() % 9);
          break;
        default:
          file.insert(at, file.substr(random() % file.size(), random() % 40));
          break;
      }
    }
    try {
      const Judgement judgement = JudgeCapture(ReadCapture(file), {}, {});
      EXPECT_FALSE(RenderJudgement(judgement, "fuzzed").empty());
    } catch (const std::invalid_argument&) {
      // no capture any more
    }
  }
}

}  // namespace
}  // namespace sockproof

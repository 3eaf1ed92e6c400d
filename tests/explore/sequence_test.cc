// Sequences as text, also as text of others.
#include "src/explore/sequence.h"

#include <gmock/gmock.h>

#include <random>
#include <stdexcept>

#include "src/explore/alphabet.h"

namespace sockproof::explore {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr const char* kExample =
    "sockproof sequence 1\n"
    "# of a report\n"
    "over ipv6\n"
    "options all\n"
    "connect()\n"
    "SYN,ACK seq=ISS\n"
    "send(5)   # octets\n"
    "ACK ack=IRS+1 len=4 window=0\n"
    "wait(200 ms)\n"
    "RST seq-1 bad-checksum\n"
    "FIN,ACK len=4 lost\n";

TEST(SequenceText, HasAStepALine) {
  const std::vector<Sequence> sequences = ParseSequences(kExample);
  ASSERT_EQ(sequences.size(), 1U);
  EXPECT_EQ(sequences[0].ip, IpVersion::kIpv6);
  EXPECT_EQ(sequences[0].options, Options::kAll);
  ASSERT_EQ(sequences[0].steps.size(), 7U);
  const auto segment = std::get<PeerSegment>(sequences[0].steps[3]);
  EXPECT_TRUE(segment.is_ack_of_syn);
  EXPECT_EQ(segment.ack_offset, 1);
  EXPECT_EQ(segment.text, 4);
  EXPECT_EQ(segment.window, 0);
  EXPECT_EQ(std::get<Wait>(sequences[0].steps[4]).milliseconds, 200);
}

TEST(SequenceText, IsReadAsItWasWritten) {
  std::vector<Sequence> sequences;
  for (std::uint64_t number = 0; number < 500; ++number) {
    sequences.push_back(MakeSequence({.seed = 7, .waits = true}, number));
    sequences.push_back(MakeSequence({.pairs = true}, number * 97));
  }
  EXPECT_EQ(ParseSequences(SequencesText(sequences)), sequences);
  EXPECT_EQ(ParseOneLine(OneLine(sequences)), sequences);
}

TEST(SequenceText, SaysWhereItIsWrong) {
  const auto refuses = [](const std::string& text, const std::string& why) {
    EXPECT_THAT([&] { ParseSequences(text); }, ThrowsMessage<std::invalid_argument>(HasSubstr(why)))
        << text;
  };
  const std::string first = "sockproof sequence 1\n";
  refuses("", "does not begin with");
  refuses("connect()\n", "line 1: it does not begin with");
  refuses(first, "without steps");
  refuses(first + "connect()\n---\n", "without steps");
  refuses(first + "SIN\n", "line 2: 'SIN' is no step");
  refuses(first + "reboot()\n", "line 2: 'reboot()' is no step");
  refuses(first + "ACK seq\n", "is no difference");
  refuses(first + "ACK seq=IRS\n", "'IRS' is not ISS");
  refuses(first + "ACK seq+99999999999\n", "is no number");
  refuses(first + "ACK len=1401\n", "'1401' is no number from 1 to 1400");
  refuses(first + "send(-1)\n", "is no number");
  refuses(first + "wait(0 ms)\n", "is no number");
  refuses(first + "ACK loudly\n", "'loudly' says nothing of a segment");
  refuses(first + "over ipv5\n", "neither ipv4 nor ipv6");
  refuses(first + std::string(201, 'A') + "\n", "more than 200 octets");
  refuses(first + "\x1b[2J\n", "line 2");
  std::string long_one = first;
  for (std::size_t i = 0; i <= kMostSteps; ++i) long_one += "ACK\n";
  refuses(long_one, "more than 1000 steps");
  std::string many = first;
  for (std::size_t i = 0; i <= kMostSequences; ++i) many += "ACK\n---\n";
  refuses(many, "more than 1000 sequences");
  refuses(first + std::string(1 << 20, '\n'), "more than 1 MiB");
}

// What a message quotes of a file is shown harmlessly.
TEST(SequenceText, IsQuotedHarmlessly) {
  try {
    ParseSequences("sockproof sequence 1\n\x1b]0;owned\x07\n");
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_EQ(std::string(error.what()).find('\x1b'), std::string::npos) << error.what();
  }
}

TEST(SequenceText, OfAnyOctetsIsReadOrRefused) {
  std::mt19937 random(20261127);
  const auto below = [&](std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
  };
  int read = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string text = kExample;
    for (std::size_t change = below(4); change-- > 0;) {
      const std::size_t at = below(text.size());
      switch (below(4)) {
        case 0:
          text[at] = static_cast<char>(below(256));
          break;
        case 1:
          text.erase(at, below(8));
          break;
        case 2:
          text.insert(at, text.substr(below(text.size()), below(20)));
          break;
        default:
          text.resize(at);
      }
      if (text.empty()) break;
    }
    try {
      const std::vector<Sequence> sequences = ParseSequences(text);
      EXPECT_EQ(ParseSequences(SequencesText(sequences)), sequences) << text;
      ++read;
    } catch (const std::invalid_argument&) {
    }
  }
  EXPECT_GT(read, 1000);
}

TEST(Alphabet, MakesTheSameEachTime) {
  const Plan plan{.seed = 42};
  for (std::uint64_t number = 0; number < 100; ++number) {
    EXPECT_EQ(MakeSequence(plan, number), MakeSequence(plan, number));
  }
  EXPECT_NE(MakeSequence(plan, 1), MakeSequence(plan, 2));
  EXPECT_NE(MakeSequence(plan, 1), MakeSequence({.seed = 43}, 1));
}

TEST(Alphabet, HasEveryPairOfStepsOnBothIpVersions) {
  const Plan plan{.pairs = true};
  ASSERT_GT(CountOf(plan), 10'000U);
  std::set<std::string> different;
  int ipv6 = 0;
  for (std::uint64_t number = 0; number < CountOf(plan); ++number) {
    Sequence sequence = MakeSequence(plan, number);
    ipv6 += sequence.ip == IpVersion::kIpv6;
    sequence.ip = IpVersion::kIpv4;
    different.insert(OneLine({sequence}));
  }
  EXPECT_EQ(different.size(), CountOf(plan));
  EXPECT_NEAR(ipv6, static_cast<double>(CountOf(plan)) / 2, 50);
}

}  // namespace
}  // namespace sockproof::explore

// The fuzzer's corpus, and changes of it: a short run of what packet_fuzz does for long.
#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "tests/packet/examples.h"
#include "tests/packet/round_trip.h"

namespace sockproof::packet {
namespace {

Bytes ReadCorpusFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<Bytes> Corpus() {
  std::vector<Bytes> corpus;
  for (const auto& entry : std::filesystem::directory_iterator(SOCKPROOF_CORPUS)) {
    corpus.push_back(ReadCorpusFile(entry.path()));
  }
  return corpus;
}

std::string Hex(const Bytes& bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes) text += testing::PrintToString(int{byte}) + " ";
  return text;
}

TEST(Corpus, HasAPacketOfEveryKind) {
  const bool is_to_be_made = std::getenv("SOCKPROOF_MAKE_CORPUS") != nullptr;
  for (const Example& example : Examples()) {
    const std::filesystem::path path = std::filesystem::path(SOCKPROOF_CORPUS) / example.name;
    const Bytes frame = Write(example.packet);
    if (is_to_be_made) {
      std::ofstream(path, std::ios::binary)
          .write(reinterpret_cast<const char*>(frame.data()), static_cast<long>(frame.size()));
    }
    EXPECT_EQ(ReadCorpusFile(path), frame) << example.name;
  }
}

TEST(Corpus, IsWrittenAsItWasRead) {
  for (const Bytes& frame : Corpus()) EXPECT_EQ(FlawOfRoundTrip(frame), "") << Hex(frame);
}

TEST(Corpus, IsBoundedWhereItIsCutShort) {
  for (const Bytes& frame : Corpus()) {
    for (std::size_t size = 0; size < frame.size(); ++size) {
      EXPECT_EQ(FlawOfRoundTrip(View(frame).first(size)), "") << size << " of " << Hex(frame);
    }
  }
}

TEST(Corpus, SurvivesTenThousandChanges) {
  std::mt19937 random(793);
  const auto below = [&](std::size_t limit) { return random() % limit; };
  const std::vector<Bytes> corpus = Corpus();
  ASSERT_FALSE(corpus.empty());
  for (int change = 0; change < 10'000; ++change) {
    Bytes frame = corpus[below(corpus.size())];
    for (std::size_t count = 1 + below(4); count > 0 && !frame.empty(); --count) {
      const std::size_t at = below(frame.size());
      const auto place = frame.begin() + static_cast<std::ptrdiff_t>(at);
      switch (below(4)) {
        case 0:
          *place = static_cast<std::uint8_t>(random());
          break;
        case 1:
          *place ^= static_cast<std::uint8_t>(1U << below(8));
          break;
        case 2:
          frame.erase(place);
          break;
        default:
          frame.insert(place, static_cast<std::uint8_t>(random()));
      }
    }
    ASSERT_EQ(FlawOfRoundTrip(frame), "") << Hex(frame);
  }
}

}  // namespace
}  // namespace sockproof::packet

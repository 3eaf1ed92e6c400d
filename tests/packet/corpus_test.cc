// The examples of packets from which fuzzers begin (tests/fuzz).
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/packet/examples.h"

namespace sockproof::packet {
namespace {

Bytes ReadCorpusFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
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

}  // namespace
}  // namespace sockproof::packet

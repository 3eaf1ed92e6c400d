#include "src/vm/reached.h"

#include <cstring>

#include "harness/base/errors.h"

namespace sockproof {
namespace {

class Numbers {
 public:
  explicit Numbers(std::string_view bytes) : bytes_(bytes) {}

  std::uint64_t left() const { return bytes_.size() / sizeof(std::uint64_t); }
  bool empty() const { return bytes_.empty(); }

  std::uint64_t Take() {
    std::uint64_t number = 0;
    if (bytes_.size() < sizeof number) {
      throw HarnessError("what QEMU's plugin wrote of the code that ran ends too early");
    }
    memcpy(&number, bytes_.data(), sizeof number);
    bytes_.remove_prefix(sizeof number);
    return number;
  }

 private:
  std::string_view bytes_;
};

}  // namespace

ReachRequest& ReachOfRun() {
  static ReachRequest request;
  return request;
}

std::vector<std::vector<CodeBlock>> ParseReached(std::string_view written) {
  std::vector<std::vector<CodeBlock>> stretches;
  for (Numbers numbers(written); !numbers.empty();) {
    const std::uint64_t count = numbers.Take();
    if (count > numbers.left() / 2) {
      throw HarnessError("what QEMU's plugin wrote of the code that ran names too many blocks");
    }
    std::vector<CodeBlock>& blocks = stretches.emplace_back(count);
    for (CodeBlock& block : blocks) {
      block.begin = numbers.Take();
      block.size = numbers.Take();
    }
  }
  return stretches;
}

}  // namespace sockproof

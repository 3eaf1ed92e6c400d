// libFuzzer's entry: any octets to the reader that SOCKPROOF_FUZZ names (tests/README.md).
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "tests/fuzz/targets.h"

namespace sockproof::fuzz {
namespace {

const Target& Named() {
  const char* const name = std::getenv("SOCKPROOF_FUZZ");
  const auto found = std::find_if(Targets().begin(), Targets().end(), [&](const Target& target) {
    return name != nullptr && target.name == std::string_view(name);
  });
  if (found == Targets().end()) {
    std::fputs("SOCKPROOF_FUZZ names no reader; see tests/fuzz/run.sh\n", stderr);
    std::exit(2);
  }
  return *found;
}

}  // namespace
}  // namespace sockproof::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const sockproof::fuzz::Target& target = sockproof::fuzz::Named();
  target.read({reinterpret_cast<const char*>(data), size});
  return 0;
}

// libFuzzer's entry: any octets to the reader of that name (tests/README.md).
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "tests/fuzz/targets.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sockproof::fuzz;
  static const Target target = *std::find_if(Targets().begin(), Targets().end(), [](const auto& t) {
    return t.name == SOCKPROOF_FUZZ_TARGET;
  });
  target.read({reinterpret_cast<const char*>(data), size});
  return 0;
}

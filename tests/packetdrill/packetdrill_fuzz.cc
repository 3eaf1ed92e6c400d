// libFuzzer's entry: any text through the parser (tests/README.md).
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "src/packetdrill/script.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sockproof::packetdrill;
  try {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const Script script = Parse(text, {{"CODE", "host_unreachable"}});
    for (const Event& event : script.events) {
      if (event.where.line < 1 || event.source.size() > 2000) std::abort();
      if (const auto* call = std::get_if<CallEvent>(&event.what)) Describe(call->result);
    }
  } catch (const SyntaxError& error) {
    if (error.where().line < 1 || error.where().column < 1) std::abort();
  }
  return 0;
}

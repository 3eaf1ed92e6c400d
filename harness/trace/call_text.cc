#include "harness/trace/call_text.h"

#include <algorithm>

namespace sockproof {

CallText ParseCall(const std::string& text) {
  CallText call;
  const std::size_t open = text.find('(');
  if (open == std::string::npos || text.back() != ')') return call;
  call.name = text.substr(0, open);
  std::string rest = text.substr(open + 1, text.size() - open - 2);
  const std::size_t quote = rest.find('"');
  const std::size_t last_quote = rest.rfind('"');
  if (quote != std::string::npos && last_quote > quote) {
    rest.replace(quote, last_quote - quote + 1, "data");
  }
  for (std::size_t at = 0; at <= rest.size();) {
    const std::size_t comma = std::min(rest.find(", ", at), rest.size());
    call.arguments.push_back(rest.substr(at, comma - at));
    at = comma + 2;
  }
  return call;
}

}  // namespace sockproof

// What a CallEvent says, in parts.
#pragma once

#include <string>
#include <vector>

namespace sockproof {

// connect(3, 192.0.2.2:80). Data in quotes, which may hold anything, are the word data.
struct CallText {
  std::string name;  // empty: the text is no call
  std::vector<std::string> arguments;
};

CallText ParseCall(const std::string& text);

}  // namespace sockproof

// The words of a packetdrill script.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace sockproof::packetdrill {

// From 1, in octets.
struct Position {
  int line = 1;
  int column = 1;
  bool operator==(const Position&) const = default;
};

// The text is no script: where, and why.
class SyntaxError : public std::runtime_error {
 public:
  // The message is "12:7: why".
  SyntaxError(Position where, const std::string& why);
  Position where() const { return where_; }
  const std::string& why() const { return why_; }

 private:
  Position where_;
  std::string why_;
};

struct Token {
  enum class Kind {
    kWord,      // also what begins with a digit and is no number: 3021b9d889017eeb
    kInteger,   // decimal, with its sign
    kHex,       // 0x1f
    kFloat,     // 1.5, .5
    kIpv4,      // 192.0.2.1
    kIpv6,      // 2001:db8::1
    kString,    // between quotes, without them; escapes are as they were
    kCommand,   // between backquotes
    kCode,      // between %{ and }%
    kOption,    // the name after --
    kIfdef,     // #ifdef NAME: the name
    kEndif,     // #endif
    kEllipsis,  // ...
    kSign,      // any other character
    kEnd,
  };
  Kind kind = Kind::kEnd;
  std::string text;
  Position where;
  std::size_t offset = 0;  // of its first octet in the text
  std::size_t end = 0;     // behind its last one
  bool begins_line = false;
  bool follows_space = false;  // or the beginning of the text, or a comment

  bool Is(std::string_view sign) const { return kind == Kind::kSign && text == sign; }
  bool IsWord(std::string_view word) const { return kind == Kind::kWord && text == word; }
};

// The tokens of a text, the last one kEnd. Comments are those of C, C++ and the shell; so is a byte order mark.
// Throws SyntaxError for a string, command, code or comment without an end, and for an #else.
std::vector<Token> Tokens(std::string_view text);

// The token that the value of a --define stands for: "\"reno\"", "`true`", 5, IPPROTO_TCP.
Token TokenOfDefinition(const std::string& value);

}  // namespace sockproof::packetdrill

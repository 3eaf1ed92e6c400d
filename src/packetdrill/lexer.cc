#include "src/packetdrill/lexer.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>

namespace sockproof::packetdrill {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsHexDigit(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
bool IsWordCharacter(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }

// Of a text whose lines end as those of DOS: no shell and no Python knows these.
std::string WithoutReturns(std::string text) {
  for (std::size_t at = 0; (at = text.find("\r\n", at)) != std::string::npos;) text.erase(at, 1);
  return text;
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  std::vector<Token> All() {
    if (Starts("\xff\xfe") || Starts("\xfe\xff")) throw SyntaxError(where_, "the text is UTF-16, and is to be UTF-8");
    std::vector<Token> tokens;
    int last_line = 0;
    do {
      const bool spaced = SkipSpaceAndComments() || tokens.empty();
      const Position where = where_;
      const std::size_t offset = at_;
      Token token = Next();
      token.where = where;
      token.offset = offset;
      token.end = at_;
      token.follows_space = spaced;
      token.begins_line = where.line != last_line;
      last_line = where_.line;
      tokens.push_back(std::move(token));
    } while (tokens.back().kind != Token::Kind::kEnd);
    return tokens;
  }

 private:
  char At(std::size_t offset) const {
    return at_ + offset < text_.size() ? text_[at_ + offset] : '\0';
  }
  bool Starts(std::string_view with) const { return text_.substr(at_).starts_with(with); }

  std::string Take(std::size_t count) {
    std::string taken(text_.substr(at_, count));
    for (const char c : taken) {
      if (c == '\n') {
        ++where_.line;
        where_.column = 1;
      } else {
        ++where_.column;
      }
    }
    at_ += taken.size();
    return taken;
  }

  // Whether there were any.
  bool SkipSpaceAndComments() {
    const std::size_t from = at_;
    while (at_ < text_.size()) {
      if (IsSpace(At(0))) {
        Take(1);
      } else if (at_ == 0 && Starts(kByteOrderMark)) {
        at_ += kByteOrderMark.size();  // and no column
      } else if (Starts("//") || (At(0) == '#' && !IsDirective())) {
        Take(std::min(text_.find('\n', at_), text_.size()) - at_);
      } else if (Starts("/*")) {
        TakeUntil("*/", 2, "comment");
      } else {
        break;
      }
    }
    return at_ != from;
  }

  // The word that begins at octet `from`.
  std::string_view WordAt(std::size_t from) const { return text_.substr(at_ + from, LengthOf(IsWordCharacter, from)); }

  bool IsDirective() const {
    const std::string_view word = WordAt(1);
    return word == "ifdef" || word == "endif" || word == "else" || word == "ifndef";
  }

  // What FreeBSD's suite has for several systems.
  Token Directive() {
    const Position where = where_;
    const std::string directive = Take(1 + WordAt(1).size());
    if (directive == "#endif") return {Token::Kind::kEndif, "", {}};
    if (directive != "#ifdef") throw SyntaxError(where, directive + " is none of the language, #ifdef and #endif are");
    Take(LengthOf([](char c) { return c == ' ' || c == '\t'; }));
    std::string name = Take(WordAt(0).size());
    if (name.empty()) throw SyntaxError(where, "#ifdef needs a name");
    return {Token::Kind::kIfdef, std::move(name), {}};
  }

  // From here to behind `end`, which is looked for from `skip` on.
  std::string TakeUntil(std::string_view end, std::size_t skip, const char* what) {
    const std::size_t found = text_.find(end, at_ + skip);
    if (found == std::string_view::npos) {
      throw SyntaxError(where_, fmt::format("a {} without an end", what));
    }
    return Take(found + end.size() - at_);
  }

  // Between two `quote`s, in which a backslash protects one character.
  std::string TakeQuoted(char quote, const char* what) {
    std::size_t end = at_ + 1;
    while (end < text_.size() && text_[end] != quote) end += text_[end] == '\\' ? 2 : 1;
    if (end >= text_.size()) throw SyntaxError(where_, fmt::format("a {} without an end", what));
    const std::string taken = Take(end + 1 - at_);
    return WithoutReturns(taken.substr(1, taken.size() - 2));
  }

  std::size_t LengthOf(bool (*belongs)(char), std::size_t from = 0,
                       std::size_t most = std::string_view::npos) const {
    std::size_t length = 0;
    while (length < most && belongs(At(from + length))) ++length;
    return length;
  }

  // Octets of the address that begins here, 0 for none. A sequence range like 1:1001 is none: an
  // IPv6 address that is no eight groups has "::".
  std::size_t LengthOfIpv6() const {
    const std::size_t most = LengthOf(
        [](char c) { return IsHexDigit(c) || c == ':' || c == '.'; }, 0, INET6_ADDRSTRLEN);
    const std::string_view candidates = text_.substr(at_, most);
    if (std::count(candidates.begin(), candidates.end(), ':') < 2) return 0;
    for (std::size_t length = most; length >= 2; --length) {
      if (IsWordCharacter(At(length))) continue;
      in6_addr address;
      const std::string candidate(text_.substr(at_, length));
      if (inet_pton(AF_INET6, candidate.c_str(), &address) == 1) return length;
    }
    return 0;
  }

  std::size_t LengthOfIpv4() const {
    const std::size_t length =
        LengthOf([](char c) { return IsDigit(c) || c == '.'; }, 0, INET_ADDRSTRLEN);
    const std::string candidate(text_.substr(at_, length));
    in_addr address;
    return inet_pton(AF_INET, candidate.c_str(), &address) == 1 ? length : 0;
  }

  // With its sign; 0 for none.
  std::size_t LengthOfFloat() const {
    const std::size_t sign = At(0) == '-' ? 1 : 0;
    const std::size_t whole = LengthOf(IsDigit, sign);
    if (At(sign + whole) != '.') return 0;
    const std::size_t fraction = LengthOf(IsDigit, sign + whole + 1);
    return fraction == 0 ? 0 : sign + whole + 1 + fraction;
  }

  Token Next() {
    using Kind = Token::Kind;
    if (at_ >= text_.size()) return {Kind::kEnd, "", {}};
    if (At(0) == '#') return Directive();
    if (At(0) == '"') return {Kind::kString, TakeQuoted('"', "string"), {}};
    if (At(0) == '`') return {Kind::kCommand, TakeQuoted('`', "command"), {}};
    if (Starts("%{")) {
      const std::string code = TakeUntil("}%", 2, "piece of code");
      return {Kind::kCode, WithoutReturns(code.substr(2, code.size() - 4)), {}};
    }
    if (Starts("...")) return {Kind::kEllipsis, Take(3), {}};
    if (Starts("--") && IsWordCharacter(At(2))) {
      return {Kind::kOption, Take(2 + LengthOf(IsWordCharacter, 2)).substr(2), {}};
    }
    if (const std::size_t length = LengthOfIpv6()) return {Kind::kIpv6, Take(length), {}};
    if (const std::size_t length = LengthOfIpv4()) return {Kind::kIpv4, Take(length), {}};
    const std::size_t word = LengthOf(IsWordCharacter);
    const std::size_t real = LengthOfFloat();
    if (real > word) return {Kind::kFloat, Take(real), {}};
    const std::size_t sign = At(0) == '-' ? 1 : 0;
    const std::size_t digits = LengthOf(IsDigit, sign);
    if (digits != 0 && sign + digits >= word) return {Kind::kInteger, Take(sign + digits), {}};
    if (word > 2 && Starts("0x") && LengthOf(IsHexDigit, 2) == word - 2) {
      return {Kind::kHex, Take(word), {}};
    }
    const bool is_flag_of_gre = WordAt(0) == "sequence" && At(word) == '#';
    if (word != 0) return {Kind::kWord, Take(word + (is_flag_of_gre ? 1 : 0)), {}};
    return {Kind::kSign, Take(1), {}};
  }

  const std::string_view text_;
  std::size_t at_ = 0;
  Position where_;
};

}  // namespace

SyntaxError::SyntaxError(Position where, const std::string& why)
    : std::runtime_error(fmt::format("{}:{}: {}", where.line, where.column, why)), where_(where), why_(why) {}

std::vector<Token> Tokens(std::string_view text) { return Lexer(text).All(); }

Token TokenOfDefinition(const std::string& value) {
  try {
    const std::vector<Token> tokens = Tokens(value);
    if (tokens.size() == 2) return tokens.front();
  } catch (const SyntaxError&) {
    // As it is, then.
  }
  return {Token::Kind::kWord, value, {}};
}

}  // namespace sockproof::packetdrill

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <set>
#include <utility>

#include "harness/base/errors.h"
#include "harness/base/text.h"
#include "harness/packet/tcp_flags.h"
#include "src/packetdrill/script.h"

namespace sockproof::packetdrill {
namespace {

using TokenKind = Token::Kind;

constexpr int kDeepest = 32;  // of nested expressions

// What an event is that this program does not know: ends its parsing, and not that of the script.
struct Unknown {
  Position where;
  std::string what;
};

std::string Shown(const Token& token) {
  switch (token.kind) {
    case TokenKind::kEnd:
      return "the end";
    case TokenKind::kString:
      return "a string";
    case TokenKind::kCommand:
      return "a command";
    case TokenKind::kCode:
      return "code";
    case TokenKind::kIfdef:
    case TokenKind::kEndif:
      return "a directive";
    case TokenKind::kOption:
      return Shortened(CleanLine("--" + token.text), 40);
    default:
      return "'" + Shortened(CleanLine(token.text), 40) + "'";
  }
}

int HexValue(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

// The octets that a string of C stands for.
std::string Unescaped(std::string_view text) {
  std::string octets;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\' || at + 1 == text.size()) {
      octets.push_back(text[at]);
      continue;
    }
    const char escaped = text[++at];
    constexpr std::string_view kNames = "abfnrtv";
    constexpr std::string_view kOctets = "\a\b\f\n\r\t\v";
    if (const std::size_t known = kNames.find(escaped); known != std::string_view::npos) {
      octets.push_back(kOctets[known]);
    } else if (escaped == 'x' && at + 1 < text.size() && HexValue(text[at + 1]) >= 0) {
      int value = 0;
      for (int digits = 0; digits < 2 && at + 1 < text.size(); ++digits) {
        const int digit = HexValue(text[at + 1]);
        if (digit < 0) break;
        value = value * 16 + digit;
        ++at;
      }
      octets.push_back(static_cast<char>(value));
    } else if (escaped >= '0' && escaped <= '7') {
      int value = escaped - '0';
      for (int digits = 1; digits < 3 && at + 1 < text.size(); ++digits) {
        if (text[at + 1] < '0' || text[at + 1] > '7') break;
        value = value * 8 + (text[++at] - '0');
      }
      octets.push_back(static_cast<char>(value));
    } else {
      octets.push_back(escaped);
    }
  }
  return octets;
}

// Without what is between #ifdef and #endif for a name that is not defined. Linux is.
std::vector<Token> WithoutUndefined(std::vector<Token> tokens, const Definitions& given) {
  std::vector<Token> left;
  std::set<std::string> names{"Linux"};
  for (const auto& [name, value] : given) names.insert(name);
  const Token* open = nullptr;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    Token& token = tokens[i];
    if (token.kind == TokenKind::kIfdef) {
      if (open != nullptr) throw SyntaxError(token.where, "#ifdef within another");
      open = &token;
    } else if (token.kind == TokenKind::kEndif) {
      if (open == nullptr) throw SyntaxError(token.where, "#endif without #ifdef");
      open = nullptr;
    } else if (token.kind == TokenKind::kEnd && open != nullptr) {
      throw SyntaxError(open->where, "#ifdef without #endif");
    } else if (open == nullptr || names.contains(open->text)) {
      const bool defines = token.kind == TokenKind::kOption && (token.text == "define" || token.text == "D");
      if (defines && i + 2 < tokens.size() && tokens[i + 1].Is("=")) names.insert(tokens[i + 2].text);
      left.push_back(std::move(token));
    }
  }
  return left;
}

// Of words that a place of the language may have: of other dialects, which this program does not have there.
template <std::size_t kCount>
bool IsOneOf(const Token& token, const std::string_view (&words)[kCount]) {
  return token.kind == TokenKind::kWord && std::find(std::begin(words), std::end(words), token.text) != std::end(words);
}

// MSS, of which whoever runs a script may tell what it stands for.
bool IsNameOfDefinition(const Token& token) {
  return token.kind == TokenKind::kWord && std::all_of(token.text.begin(), token.text.end(), [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
         });
}

// EBADF, which may stand on a line of its own; another word there lacks its time.
bool LooksLikeError(std::string_view word) {
  return word.size() > 1 && word[0] == 'E' && std::all_of(word.begin(), word.end(), [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
         });
}

class Parser {
 public:
  Parser(std::string_view text, const Definitions& definitions)
      : text_(text), tokens_(WithoutUndefined(Tokens(text), definitions)), given_(definitions), defined_(definitions) {}

  Script All() {
    Script script;
    Options(script);
    if (Here().kind == TokenKind::kCommand) script.init = CommandEvent{Take().text};
    while (Here().kind != TokenKind::kEnd) {
      if (Here().kind == TokenKind::kCommand) {
        script.cleanup = CommandEvent{Take().text};
        if (Here().kind == TokenKind::kEnd) break;
        throw Expected("the end, after the command that cleans up");
      }
      script.events.push_back(NextEvent());
    }
    return script;
  }

 private:
  // --- Tokens ----------------------------------------------------------------------------------

  // With definitions in place.
  const Token& Here(std::size_t ahead = 0) {
    Token& token = tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
    if (token.kind == TokenKind::kWord) {
      if (const auto found = defined_.find(token.text); found != defined_.end()) {
        Token value = TokenOfDefinition(found->second);
        token.kind = value.kind;
        token.text = std::move(value.text);
      }
    }
    return token;
  }

  Token Take() {
    Token taken = Here();
    if (at_ + 1 < tokens_.size()) ++at_;
    return taken;
  }

  bool TakeIf(std::string_view sign) {
    if (!Here().Is(sign)) return false;
    Take();
    return true;
  }
  bool TakeIfWord(std::string_view word) {
    if (!Here().IsWord(word)) return false;
    Take();
    return true;
  }

  SyntaxError Expected(const std::string& what) {
    return {Here().where, fmt::format("expected {}, found {}", what, Shown(Here()))};
  }

  void TakeSign(std::string_view sign) {
    if (!TakeIf(sign)) throw Expected(fmt::format("'{}'", sign));
  }
  void TakeWord(std::string_view word) {
    if (!TakeIfWord(word)) throw Expected(fmt::format("'{}'", word));
  }
  Token TakeKind(TokenKind kind, const char* what) {
    if (Here().kind != kind) throw Expected(what);
    return Take();
  }

  std::int64_t NumberOf(const Token& token) const {
    const bool hex = token.kind == TokenKind::kHex;
    std::string_view digits = token.text;
    if (hex) digits.remove_prefix(2);
    if (hex) {
      std::uint64_t value = 0;
      const auto [end, error] =
          std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
      if (error == std::errc()) return static_cast<std::int64_t>(value);
    } else {
      std::int64_t value = 0;
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
      if (error == std::errc()) return value;
    }
    throw SyntaxError(token.where, fmt::format("{} has more than 64 bits", Shown(token)));
  }

  // A decimal or hexadecimal number within bounds.
  template <typename Number>
  Number TakeNumber(const char* what, std::uint64_t most = std::numeric_limits<Number>::max()) {
    const Token token = Here();
    if (IsNameOfDefinition(token)) {
      throw Unknown{token.where, fmt::format("{} as {}, without --script-define {}=NUMBER,", Shown(token), what,
                                             Shortened(CleanLine(token.text), 40))};
    }
    if (token.kind != TokenKind::kInteger && token.kind != TokenKind::kHex) throw Expected(what);
    const std::int64_t value = NumberOf(token);
    if (value < 0 || static_cast<std::uint64_t>(value) > most) {
      throw SyntaxError(token.where, fmt::format("{} must be from 0 to {}", what, most));
    }
    Take();
    return static_cast<Number>(value);
  }

  // --- Options ---------------------------------------------------------------------------------

  std::string OptionValue() {
    Token first = Take();
    // ipv4-mapped-ipv6, which no dialect reads without quotes.
    while (Here().Is("-") && !Here().follows_space && Here(1).kind == TokenKind::kWord && !Here(1).follows_space) {
      Take();
      first.text += "-" + Take().text;
    }
    if (!Here().Is("=")) return first.text;
    Take();
    const Token second = Take();
    const char quote = second.kind == TokenKind::kString    ? '"'
                       : second.kind == TokenKind::kCommand ? '`'
                                                            : '\0';
    return quote == '\0' ? fmt::format("{}={}", first.text, second.text)
                         : fmt::format("{}={}{}{}", first.text, quote, second.text, quote);
  }

  void Options(Script& script) {
    while (Here().kind == TokenKind::kOption) {
      Option option{Here().text, "", Here().where};
      Take();
      if (TakeIf("=")) option.value = OptionValue();
      if (option.name != "define" && option.name != "D") {
        script.options.push_back(std::move(option));
        continue;
      }
      const std::size_t sign = option.value.find('=');
      if (sign == std::string::npos) {
        throw SyntaxError(option.where, "expected --define=NAME=VALUE");
      }
      const std::string name = option.value.substr(0, sign);
      if (!given_.contains(name)) defined_[name] = option.value.substr(sign + 1);
    }
  }

  // --- Time ------------------------------------------------------------------------------------

  Duration TakeTime() {
    const Token token = Here();
    if (token.kind != TokenKind::kInteger && token.kind != TokenKind::kFloat) {
      throw Expected("a time in seconds");
    }
    const double seconds = std::strtod(token.text.c_str(), nullptr);
    constexpr double kMost = 1e6;
    if (!(seconds >= 0 && seconds <= kMost)) {
      throw SyntaxError(token.where, "a time must be from 0 to 1000000 seconds");
    }
    Take();
    return Duration(std::llround(seconds * 1e9));
  }

  When TakeWhen() {
    using Kind = When::Kind;
    if (TakeIf("*")) return {Kind::kAny, {}, {}};
    const bool relative = TakeIf("+");
    When when{relative ? Kind::kRelative : Kind::kAbsolute, TakeTime(), Duration(0)};
    if (!Here().Is("~")) return when;
    const Position where = Take().where;
    if (relative) TakeSign("+");
    when.kind = relative ? Kind::kRelativeRange : Kind::kAbsoluteRange;
    when.to = TakeTime();
    if (when.to < when.from) throw SyntaxError(where, "the range of times ends before it begins");
    return when;
  }

  // --- Events ----------------------------------------------------------------------------------

  // Whether an event can begin here: a time that is the first word of its line, or nothing more.
  bool EventBegins() {
    const Token& here = Here();
    if (here.kind == TokenKind::kEnd) return true;
    if (!here.begins_line) return false;
    if (here.kind == TokenKind::kCommand) return true;
    const Token& next = Here(here.Is("+") ? 1 : 0);
    if (here.Is("*")) return Here(1).Is(">") || Here(1).Is("<");
    if (next.kind != TokenKind::kInteger && next.kind != TokenKind::kFloat) return false;
    const Token& after = Here(here.Is("+") ? 2 : 1);
    return after.Is("<") || after.Is(">") || after.Is("~") || after.kind == TokenKind::kEllipsis ||
           after.kind == TokenKind::kCommand || after.kind == TokenKind::kCode ||
           after.kind == TokenKind::kWord;
  }

  void SkipToNextEvent() {
    do Take();
    while (!EventBegins());
  }

  Event NextEvent() {
    const std::size_t from = at_;
    Event event;
    event.where = Here().where;
    try {
      event.when = TakeWhen();
      event.what = TakeAction();
    } catch (const Unknown& unknown) {
      event.what = Unsupported{unknown.where, unknown.what};
      if (at_ == from || !EventBegins()) SkipToNextEvent();
    }
    CheckTime(event);
    event.source = SourceSince(from);
    return event;
  }

  static void CheckTime(const Event& event) {
    if (event.when.kind != When::Kind::kAny && !event.when.is_range()) return;
    if (std::holds_alternative<Unsupported>(event.what)) return;
    const auto* packet = std::get_if<PacketEvent>(&event.what);
    if (packet != nullptr && !packet->inbound) return;
    throw SyntaxError(event.where, "only a packet that is expected can come at any time of several");
  }

  std::string SourceSince(std::size_t first) const {
    const std::size_t from = tokens_[first].offset;
    const std::size_t end = tokens_[at_ == first ? at_ : at_ - 1].end;
    return Shortened(CleanPart(OnOneLine(std::string(text_.substr(from, end - from)))), 400);
  }

  decltype(Event::what) TakeAction() {
    const Token& here = Here();
    if (here.Is("<") || here.Is(">")) return TakePacket();
    if (here.kind == TokenKind::kCommand) return CommandEvent{Take().text};
    if (here.kind == TokenKind::kCode) {
      std::string code = Take().text;
      code.erase(0, code.find_first_not_of(" \t"));
      code.erase(code.find_last_not_of(" \t") + 1);
      return CodeEvent{std::move(code)};
    }
    if (here.kind == TokenKind::kWord || here.kind == TokenKind::kEllipsis) return TakeCall();
    throw Expected("a packet, a call, a command or code");
  }

  // --- Calls -----------------------------------------------------------------------------------

  CallEvent TakeCall() {
    CallEvent call;
    if (Here().kind == TokenKind::kEllipsis) {
      Take();
      call.returns = TakeTime();
    }
    call.name_where = Here().where;
    call.name = TakeKind(TokenKind::kWord, "the name of a call").text;
    TakeSign("(");
    if (!TakeIf(")")) {
      do call.arguments.push_back(TakeExpression());
      while (TakeIf(","));
      TakeSign(")");
    }
    TakeSign("=");
    call.result = TakeExpression();
    // In place of an errno in parentheses: a note.
    call.error_where = Here().where;
    const bool is_error = Here().kind == TokenKind::kWord && (!Here().begins_line || LooksLikeError(Here().text));
    if (is_error) call.error = Take().text;
    while (Here().Is("(")) TakeNote();
    return call;
  }

  void TakeNote() {
    TakeSign("(");
    int open = 1;
    while (open > 0) {
      if (Here().kind == TokenKind::kEnd) throw Expected("')'");
      const Token token = Take();
      if (token.Is("(")) ++open;
      if (token.Is(")")) --open;
    }
  }

  Expression TakeExpression(int depth = 0) {
    if (depth > kDeepest) throw SyntaxError(Here().where, "expressions are nested too deep");
    using Kind = Expression::Kind;
    Expression first = TakeOperand(depth);
    if (first.kind == Kind::kWord && Here().Is("=")) {
      Take();
      Expression assign = Of(Kind::kAssign, first.where);
      assign.elements = {std::move(first), TakeExpression(depth + 1)};
      return assign;
    }
    if (!Here().Is("|")) return first;
    Expression all = Of(Kind::kOr, first.where);
    all.elements.push_back(std::move(first));
    while (TakeIf("|")) all.elements.push_back(TakeOperand(depth));
    return all;
  }

  static Expression Of(Expression::Kind kind, Position where) {
    Expression expression;
    expression.kind = kind;
    expression.where = where;
    return expression;
  }

  Expression TakeOperand(int depth) {
    using Kind = Expression::Kind;
    const Token here = Here();
    switch (here.kind) {
      case TokenKind::kEllipsis:
        Take();
        return Of(Kind::kEllipsis, here.where);
      case TokenKind::kInteger:
      case TokenKind::kHex: {
        Expression integer = Of(Kind::kInteger, here.where);
        integer.number = NumberOf(here);
        integer.text = here.text;
        Take();
        return integer;
      }
      case TokenKind::kString:
        return TakeString();
      case TokenKind::kWord:
        return TakeWordOrCall(depth);
      default:
        break;
    }
    if (here.Is("[")) {
      Take();
      Expression list = Of(Kind::kList, here.where);
      if (TakeIf("]")) return list;
      do list.elements.push_back(TakeExpression(depth + 1));
      while (TakeIf(","));
      TakeSign("]");
      return list;
    }
    if (here.Is("{")) return TakeStructure(depth);
    if (here.Is("(")) return TakeMplsStack();
    throw Expected("an argument");
  }

  Expression TakeString() {
    Expression string = Of(Expression::Kind::kString, Here().where);
    while (Here().kind == TokenKind::kString) string.text += Unescaped(Take().text);
    if (Here().kind == TokenKind::kEllipsis) {
      Take();
      string.goes_on = true;
    }
    return string;
  }

  Expression TakeWordOrCall(int depth) {
    const Token word = Take();
    Expression expression = Of(Expression::Kind::kWord, word.where);
    expression.text = word.text;
    if (!Here().Is("(")) return expression;
    Take();
    expression.kind = Expression::Kind::kCall;
    if (TakeIf(")")) return expression;
    do expression.elements.push_back(TakeExpression(depth + 1));
    while (TakeIf(","));
    TakeSign(")");
    return expression;
  }

  // {a, b}, {name=a, name(b)=c}
  Expression TakeStructure(int depth) {
    Expression structure = Of(Expression::Kind::kStructure, Here().where);
    TakeSign("{");
    if (TakeIf("}")) return structure;
    const bool begins_gre = Here().IsWord("flags") || Here().IsWord("Flags");
    if (begins_gre && !Here(1).Is("=")) throw Unknown{Here().where, "a GRE header as an argument"};
    while (true) {
      structure.elements.push_back(TakeMember(depth));
      if (TakeIf("}")) return structure;
      TakeSign(",");
    }
  }

  Expression TakeMember(int depth) {
    const Token name = Here();
    if (name.kind != TokenKind::kWord) return TakeExpression(depth + 1);
    Expression value = TakeExpression(depth + 1);
    using Kind = Expression::Kind;
    Expression member = Of(Kind::kMember, name.where);
    if (value.kind == Kind::kAssign) {
      member.text = value.elements[0].text;
      member.elements = {std::move(value.elements[1])};
      return member;
    }
    if (value.kind == Kind::kCall && Here().Is("=")) {
      Take();
      member.text = value.text;
      std::vector<Expression> arguments = std::move(value.elements);
      member.elements = {TakeExpression(depth + 1)};
      for (Expression& argument : arguments) member.elements.push_back(std::move(argument));
      return member;
    }
    return value;
  }

  // (label 5, tc 1, [S], ttl 2), as many as there are: mpls(), with the labels as numbers.
  Expression TakeMplsStack() {
    Expression stack = Of(Expression::Kind::kCall, Here().where);
    stack.text = "mpls";
    while (Here().Is("(")) {
      const MplsLabel label = TakeMpls();
      Expression number = Of(Expression::Kind::kInteger, stack.where);
      number.number = static_cast<std::int64_t>(label.label) << 12 | label.traffic_class << 9 |
                      (label.bottom ? 1 << 8 : 0) | label.ttl;
      stack.elements.push_back(std::move(number));
    }
    return stack;
  }

  // --- Packets ---------------------------------------------------------------------------------

  PacketEvent TakePacket() {
    PacketEvent packet;
    packet.inbound = Take().text == "<";
    packet.ip = TakeIpInfo();
    while (TakeEncapsulation(packet)) {
    }
    if (Here().IsWord("encap")) throw Unknown{Here().where, "PSP"};
    if (TakeIfWord("udp")) {
      TakePorts(packet);
      packet.what = TakeUdp();
    } else if (TakeIfWord("icmp")) {
      packet.what = TakeIcmp();
    } else {
      RefuseOtherProtocols();
      RefuseAddresses();
      TakeAddressNames(packet);
      TakePorts(packet);
      packet.what = TakeTcp(packet.inbound);
    }
    // A packet ends with its line, or where the next event begins.
    const Token& next = Here();
    if (next.kind != TokenKind::kEnd && !next.begins_line && !next.Is("+") && !next.Is("*") &&
        next.kind != TokenKind::kInteger && next.kind != TokenKind::kFloat &&
        next.kind != TokenKind::kCommand) {
      if (next.Is("/")) throw Unknown{next.where, "encapsulation in UDP"};
      if (next.Is("[")) throw Unknown{next.where, "the reason of a reset"};
      throw Expected("the end of the packet");
    }
    return packet;
  }

  void RefuseOtherProtocols() {
    constexpr std::string_view kProtocols[] = {"sctp", "udplite"};
    if (IsOneOf(Here(), kProtocols)) throw Unknown{Here().where, fmt::format("the protocol {}", Here().text)};
  }

  // 192.0.2.1:80 > 192.0.2.2:8080, of which the lexer may take a port for a part of the address.
  void RefuseAddresses() {
    if (Here().kind == TokenKind::kIpv4 || Here().kind == TokenKind::kIpv6) {
      throw Unknown{Here().where, "an address before a segment"};
    }
  }

  // addr[client] > addr[server], or one of them.
  void TakeAddressNames(PacketEvent& packet) {
    if (Here().IsWord("addr")) packet.source_name = TakeAddressName();
    if (TakeIf(">")) packet.destination_name = TakeAddressName();
  }

  std::string TakeAddressName() {
    TakeWord("addr");
    TakeSign("[");
    std::string name = TakeKind(TokenKind::kWord, "the name of an address").text;
    TakeSign("]");
    return name;
  }

  IpInfo TakeIpInfo() {
    IpInfo info;
    const bool round = Here().Is("(");
    if (!round && !Here().Is("[")) return info;
    Take();
    do TakeIpInfoMember(info);
    while (TakeIf(","));
    TakeSign(round ? ")" : "]");
    return info;
  }

  void TakeIpInfoMember(IpInfo& info) {
    const Token word = TakeKind(TokenKind::kWord, "what is said of the IP header");
    constexpr std::pair<std::string_view, EcnCheck> kEcn[] = {
        {"noecn", EcnCheck::kNone}, {"ect0", EcnCheck::kEct0},     {"ect1", EcnCheck::kEct1},
        {"ce", EcnCheck::kCe},      {"ect01", EcnCheck::kAnyEct},
    };
    for (const auto& [name, check] : kEcn) {
      if (word.text != name) continue;
      info.ecn = check;
      return;
    }
    if (word.text == "tos" || word.text == "class") {
      info.traffic_class = TakeNumber<std::uint8_t>("a traffic class");
    } else if (word.text == "flowlabel") {
      info.flow_label = TakeNumber<std::uint32_t>("a flow label", 0xfffff);
    } else if (word.text == "ttl" || word.text == "hlim") {
      info.hop_limit = TakeNumber<std::uint8_t>("a time to live");
    } else if (word.text == "dscp" || word.text == "ecn") {
      throw Unknown{word.where, fmt::format("{} of an IP header", Shown(word))};
    } else {
      throw SyntaxError(word.where, fmt::format("{} is nothing of an IP header", Shown(word)));
    }
  }

  bool TakeEncapsulation(PacketEvent& packet) {
    if (Here().IsWord("ipv4") || Here().IsWord("ipv6")) {
      const bool v4 = Take().text == "ipv4";
      IpHeader header;
      header.info = TakeIpInfo();
      const TokenKind kind = v4 ? TokenKind::kIpv4 : TokenKind::kIpv6;
      header.source = IpAddress(TakeKind(kind, "an address").text);
      TakeSign(">");
      header.destination = IpAddress(TakeKind(kind, "an address").text);
      TakeSign(":");
      packet.around.emplace_back(header);
      return true;
    }
    if (Here().IsWord("gre") || Here().IsWord("GREv0")) {
      Take();
      packet.around.emplace_back(TakeGre());
      return true;
    }
    if (TakeIfWord("mpls")) {
      std::vector<MplsLabel> stack;
      while (Here().Is("(")) stack.push_back(TakeMpls());
      TakeSign(":");
      packet.around.emplace_back(std::move(stack));
      return true;
    }
    return false;
  }

  GreHeader TakeGre() {
    constexpr std::uint16_t kChecksumPresent = 0x8000, kKeyPresent = 0x2000,
                            kSequencePresent = 0x1000;
    GreHeader header;
    TakeIf(",");
    while (!TakeIf(":")) {
      const Token word = TakeKind(TokenKind::kWord, "a field of a GRE header");
      if (word.text == "flags" || word.text == "Flags") {
        if (!TakeIf("[")) {
          header.flags = TakeNumber<std::uint16_t>("flags");
        } else {
          do {
            const Token flag = TakeKind(TokenKind::kWord, "a flag of GRE");
            if (flag.text == "none") continue;
            if (flag.text == "checksum") header.flags |= kChecksumPresent;
            if (flag.text == "key") header.flags |= kKeyPresent;
            if (flag.text.starts_with("sequence")) header.flags |= kSequencePresent;
            TakeWord("present");
          } while (TakeIf(","));
          TakeSign("]");
        }
      } else if (word.text == "sum") {
        header.checksum = TakeNumber<std::uint16_t>("a checksum");
      } else if (word.text == "off") {
        header.offset = TakeNumber<std::uint16_t>("an offset");
      } else if (word.text == "key") {
        TakeIf("=");
        header.key = TakeNumber<std::uint32_t>("a key");
      } else if (word.text == "seq") {
        header.sequence = TakeNumber<std::uint32_t>("a sequence number");
      } else {
        throw SyntaxError(word.where, fmt::format("{} is no field of a GRE header", Shown(word)));
      }
      TakeIf(",");
    }
    return header;
  }

  MplsLabel TakeMpls() {
    MplsLabel label;
    TakeSign("(");
    TakeWord("label");
    label.label = TakeNumber<std::uint32_t>("a label", 0xfffff);
    TakeSign(",");
    TakeWord("tc");
    label.traffic_class = TakeNumber<std::uint8_t>("a traffic class", 7);
    TakeSign(",");
    if (TakeIf("[")) {
      TakeWord("S");
      TakeSign("]");
      TakeSign(",");
      label.bottom = true;
    }
    TakeWord("ttl");
    label.ttl = TakeNumber<std::uint8_t>("a time to live");
    TakeSign(")");
    return label;
  }

  void TakePorts(PacketEvent& packet) {
    if (Here().kind != TokenKind::kInteger || !Here(1).Is(">")) return;
    packet.source_port = TakeNumber<std::uint16_t>("a port");
    TakeSign(">");
    packet.destination_port = TakeNumber<std::uint16_t>("a port");
  }

  UdpPart TakeUdp() {
    TakeSign("(");
    UdpPart udp{TakeNumber<std::uint32_t>("a length", 65535)};
    TakeSign(")");
    return udp;
  }

  IcmpPart TakeIcmp() {
    IcmpPart icmp;
    icmp.type_where = Here().where;
    icmp.type = TakeKind(TokenKind::kWord, "a type of ICMP").text;
    icmp.code_where = Here().where;
    if (Here().kind == TokenKind::kWord && !Here().IsWord("mtu") && !Here().IsWord("id")) {
      icmp.code = Take().text;
    }
    if (TakeIfWord("mtu")) icmp.mtu = TakeNumber<std::uint32_t>("an MTU");
    if (TakeIfWord("id")) icmp.id = TakeNumber<std::uint16_t>("an identifier");
    if (!TakeIf("[")) return icmp;
    if (TakeIfWord("udp")) {
      icmp.about = {Echoed::Kind::kUdp, 0, TakeUdp().length};
    } else if (TakeIfWord("raw")) {
      icmp.about = {Echoed::Kind::kRaw, 0, TakeUdp().length};
    } else if (Here().IsWord("sctp") || Here().IsWord("udplite")) {
      throw Unknown{Here().where, fmt::format("{} in an ICMP message", Shown(Here()))};
    } else {
      const auto [seq, length] = TakeRange();
      icmp.about = {Echoed::Kind::kTcp, seq, length};
    }
    if (Here().Is("/")) throw Unknown{Here().where, "encapsulation in UDP"};
    TakeSign("]");
    return icmp;
  }

  // 1:1001(1000)
  std::pair<std::uint32_t, std::uint32_t> TakeRange() {
    const Position where = Here().where;
    if (Here().kind == TokenKind::kEllipsis) throw Unknown{where, "a sequence number left open"};
    const auto from = TakeNumber<std::uint32_t>("a sequence number");
    TakeSign(":");
    const auto to = TakeNumber<std::uint32_t>("a sequence number");
    TakeSign("(");
    const auto length = TakeNumber<std::uint32_t>("a length", 65535);
    TakeSign(")");
    if (Here().Is("!")) throw Unknown{where, "an absolute sequence number"};
    if (to != from + length) {
      throw SyntaxError(where, fmt::format("{}:{}({}): the length is no difference of the numbers",
                                           from, to, length));
    }
    return {from, length};
  }

  // The letters and digits of flags, as they are written.
  std::string TakeFlagText() {
    std::string flags;
    const Token& here = Here();
    if (here.Is("-")) {
      Take();
      return "";
    }
    if (here.kind == TokenKind::kWord) flags = Take().text;
    if (Here().kind == TokenKind::kFloat && Here().text.starts_with(".")) {
      flags += Take().text;
    } else if (Here().Is(".")) {
      flags += Take().text;
    }
    if (Here().kind == TokenKind::kWord && !Here().follows_space) flags += Take().text;
    if (flags.empty()) throw Expected("the flags of a segment");
    return flags;
  }

  void SetFlags(TcpPart& tcp, const std::string& text, Position where) {
    for (const char letter : text) {
      switch (letter) {
        case 'F':
          tcp.flags |= kFin;
          break;
        case 'S':
          tcp.flags |= kSyn;
          break;
        case 'R':
          tcp.flags |= kRst;
          break;
        case 'P':
          tcp.flags |= kPsh;
          break;
        case '.':
          tcp.flags |= kAck;
          break;
        case 'U':
          tcp.flags |= kUrg;
          break;
        case 'E':
          tcp.flags |= kEce;
          break;
        case 'W':
          tcp.flags |= kCwr;
          break;
        case 'A':
        case 'N':
          tcp.flags |= kAccurateEcn;
          break;
        default:
          if (letter < '0' || letter > '7') {
            throw SyntaxError(where, fmt::format("'{}' are no flags of a segment, which are of FSRP.UEWA and 0 to 7",
                                                 Shortened(CleanLine(text), 40)));
          }
          tcp.ace = static_cast<std::uint8_t>(letter - '0');
      }
    }
  }

  TcpPart TakeTcp(bool inbound) {
    TcpPart tcp;
    const Position where = Here().where;
    SetFlags(tcp, TakeFlagText(), where);
    std::tie(tcp.seq, tcp.length) = TakeRange();
    if (TakeIfWord("ack")) tcp.ack = TakeNumber<std::uint32_t>("an acknowledgment number");
    if (TakeIfWord("win")) {
      // Other dialects write "win *" for any.
      if (!TakeIf("*")) tcp.window = TakeNumber<std::uint16_t>("a window");
    }
    if (TakeIfWord("urg")) tcp.urgent_pointer = TakeNumber<std::uint16_t>("an urgent pointer");
    tcp.options = TakeTcpOptions(tcp);
    if (inbound && !tcp.options) throw SyntaxError(where, "<...> is for packets that are expected");
    return tcp;
  }

  std::optional<std::vector<TcpOption>> TakeTcpOptions(TcpPart& tcp) {
    std::vector<TcpOption> options;
    if (!TakeIf("<")) return options;
    if (Here().kind == TokenKind::kEllipsis && Here(1).Is(">")) {
      Take();
      Take();
      return std::nullopt;
    }
    const Position where = Here().where;
    if (AreOctetsAlone()) throw Unknown{where, "TCP options as octets"};
    std::size_t of_mptcp = 0;
    do {
      if (std::optional<MptcpOption> option = TakeMptcpOption()) {
        of_mptcp += option->size(IpVersion::kIpv4);
        tcp.mptcp.emplace_back(options.size(), std::move(*option));
        options.push_back({tcp_option::kMptcp, {}});
      } else {
        options.push_back(TakeTcpOption());
      }
    } while (TakeIf(","));
    TakeSign(">");
    Bytes area;
    packet::AppendOptions(area, options);
    constexpr std::size_t kMost = 40, kWithoutValue = 2;
    if (area.size() + of_mptcp - tcp.mptcp.size() * kWithoutValue > kMost) throw SyntaxError(where, "the options take more than 40 octets");
    return options;
  }

  // 0a1b2c, one octet for each two digits; none: empty.
  Bytes TakeOctets(const char* what) {
    Bytes octets;
    const Token token = Here();
    if (token.IsWord("valid")) throw Unknown{token.where, fmt::format("valid as {}", what)};
    if (token.kind != TokenKind::kWord && token.kind != TokenKind::kInteger) return octets;
    Take();
    if (token.text.size() % 2 != 0) {
      throw SyntaxError(token.where, fmt::format("{} needs an even number of digits", what));
    }
    for (std::size_t at = 0; at < token.text.size(); at += 2) {
      const int high = HexValue(token.text[at]);
      const int low = HexValue(token.text[at + 1]);
      if (high < 0 || low < 0) {
        throw SyntaxError(token.where, fmt::format("{} needs hexadecimal digits", what));
      }
      octets.push_back(static_cast<std::uint8_t>(high << 4 | low));
    }
    return octets;
  }

  // <0a1b2c>
  bool AreOctetsAlone() {
    const Token& here = Here();
    if ((here.kind != TokenKind::kWord && here.kind != TokenKind::kInteger) || !Here(1).Is(">")) return false;
    return std::all_of(here.text.begin(), here.text.end(), [](char digit) { return HexValue(digit) >= 0; });
  }

  TcpOption TakeTcpOption() {
    const Token name = Take();
    if (name.kind != TokenKind::kWord) {
      throw SyntaxError(name.where, fmt::format("expected a TCP option, found {}", Shown(name)));
    }
    if (name.text == "nop") return tcp_option::Nop();
    if (name.text == "eol") return {tcp_option::kEnd, {}};
    if (name.text == "mss") return tcp_option::Mss(TakeNumber<std::uint16_t>("an MSS"));
    if (name.text == "wscale") {
      return tcp_option::WindowScale(TakeNumber<std::uint8_t>("a window shift"));
    }
    if (name.text == "sackOK") return tcp_option::SackPermitted();
    if (name.text == "sack") {
      std::vector<tcp_option::SackBlock> blocks;
      while (Here().kind == TokenKind::kInteger && Here(1).Is(":")) {
        const auto left = TakeNumber<std::uint32_t>("a sequence number");
        TakeSign(":");
        blocks.emplace_back(left, TakeNumber<std::uint32_t>("a sequence number"));
      }
      if (blocks.empty()) throw Expected("a block of SACK");
      return tcp_option::Sack(blocks);
    }
    if (name.text == "TS") {
      TakeWord("val");
      if (Here().kind == TokenKind::kEllipsis) throw Unknown{Here().where, "a TS val left open"};
      const auto value = TakeNumber<std::uint32_t>("a timestamp");
      TakeWord("ecr");
      const auto echo = TakeNumber<std::uint32_t>("a timestamp");
      if (Here().Is("!")) throw Unknown{Here().where, "an absolute TS ecr"};
      return tcp_option::Timestamps(value, echo);
    }
    if (name.text == "md5") {
      TcpOption option{tcp_option::kMd5, TakeOctets("a digest")};
      constexpr std::size_t kDigest = 16;
      if (option.data.empty() || option.data.size() > kDigest) {
        throw SyntaxError(name.where, "a digest of MD5 has 16 octets, or fewer for one that is wrong");
      }
      return option;
    }
    if (name.text == "FO") return tcp_option::FastOpen(TakeOctets("a cookie"));
    if (name.text == "FOEXP") {
      constexpr std::uint8_t kExperiment = 254;  // RFC 6994, with the identifier of RFC 7413
      TcpOption option{kExperiment, {0xf9, 0x89}};
      packet::Append(option.data, TakeOctets("a cookie"));
      return option;
    }
    if (name.text == "ECN") return TakeAccurateEcn();
    // Of exp-FO, gen-5 and the like it is the first part.
    constexpr std::string_view kOfOthers[] = {"AccECN0", "AccECN1", "EXP", "exp", "gen", "mp_capable", "mp_capable_no_cs"};
    if (IsOneOf(name, kOfOthers)) throw Unknown{name.where, fmt::format("the TCP option {}", name.text)};
    throw SyntaxError(name.where, fmt::format("{} is no TCP option{}", Shown(name),
                                              DidYouMean(name.text, {"nop", "eol", "mss", "wscale", "sackOK", "sack", "TS",
                                                                     "md5", "FO", "FOEXP", "ECN", "dss", "mpcapable"})));
  }

  // --- Options of Multipath TCP ----------------------------------------------------------------

  std::optional<MptcpOption> TakeMptcpOption() {
    using Kind = MptcpOption::Kind;
    constexpr std::pair<std::string_view, Kind> kNames[] = {
        {"mpcapable", Kind::kCapable},          {"mp_join_syn", Kind::kJoinSyn},
        {"mp_join_syn_ack", Kind::kJoinSynAck}, {"mp_join_ack", Kind::kJoinAck},
        {"dss", Kind::kDss},                    {"add_address", Kind::kAddAddress},
        {"remove_address", Kind::kRemoveAddress}, {"mp_prio", Kind::kPriority},
        {"mp_fail", Kind::kFail},               {"mp_fastclose", Kind::kFastClose},
        {"mp_reset", Kind::kReset},
    };
    for (const auto& [name, kind] : kNames) {
      if (!Here().IsWord(name)) continue;
      const Position where = Take().where;
      MptcpOption option;
      option.kind = kind;
      option.has_checksum = kind == Kind::kDss;
      if (kind == Kind::kReset) option.reason = TakeNumber<std::uint8_t>("a reason");
      if (kind == Kind::kFastClose && Here().kind == TokenKind::kWord) option.keys.push_back(TakeMptcpKey());
      while (Here().kind == TokenKind::kWord) TakeMptcpMember(option);
      CheckMptcp(option, where);
      return option;
    }
    return std::nullopt;
  }

  void TakeMptcpMember(MptcpOption& option) {
    const Token word = Take();
    const std::string& name = word.text;
    const auto refuse = [&] {
      return SyntaxError(word.where, fmt::format("{} is nothing of an option of MPTCP", Shown(word)));
    };
    if (option.kind == MptcpOption::Kind::kCapable && (name == "v0" || name == "v1" || name == "none")) {
      option.version = name == "v0" ? 0 : 1;  // none: as it is by default
    } else if (name == "flags") {
      option.flags = TakeMptcpFlags();
    } else if (name == "nokey" || name == "nocs" || name == "fin" || name == "addr_echo") {
      option.has_checksum &= name != "nocs";
      option.is_data_fin |= name == "fin";
      option.is_echo |= name == "addr_echo";
    } else if (name == "key") {
      TakeSign("[");
      do option.keys.push_back(TakeMptcpKey());
      while (TakeIf(","));
      TakeSign("]");
    } else if (name == "mpcdatalen") {
      option.data_length = TakeNumber<std::uint16_t>("a length");
    } else if (name == "dack4" || name == "dack8") {
      option.data_ack = TakeDataNumber(name.back() == '8');
    } else if (name == "dsn4" || name == "dsn8") {
      option.data_sequence = TakeDataNumber(name.back() == '8');
    } else if (name == "addr") {
      TakeAddressToAdd(option);
    } else if (!TakeIf("=")) {
      throw refuse();
    } else if (name == "ssn") {
      option.subflow_sequence = TakeNumber<std::uint32_t>("a sequence number");
    } else if (name == "dll") {
      option.data_length = TakeNumber<std::uint16_t>("a length");
    } else if (name == "cksum") {
      option.checksum = TakeNumber<std::uint16_t>("a checksum");
    } else if (name == "backup") {
      option.is_backup = TakeNumber<std::uint8_t>("a bit", 1) != 0;
    } else if (name == "address_id" && TakeIf("[")) {
      do option.address_ids.push_back(TakeNumber<std::uint8_t>("an identifier"));
      while (TakeIf(","));
      TakeSign("]");
    } else if (name == "address_id") {
      if (!TakeIfWord("auto")) option.address_id = TakeNumber<std::uint8_t>("an identifier");
    } else if (name == "port") {
      option.port = TakeNumber<std::uint16_t>("a port");
    } else if (name == "rand") {
      option.random = TakeNumber<std::uint32_t>("a random number");
    } else if (name == "token") {
      TakeMptcpToken(option);
    } else if (name == "sender_hmac" || name == "hmac") {
      TakeMptcpMac();
    } else {
      throw refuse();
    }
  }

  void TakeMptcpMac() {
    constexpr std::string_view kHashes[] = {"trunc_l64_hmac", "full_160_hmac"};
    if (TakeIfWord("auto")) return;
    if (Here().kind == TokenKind::kInteger || IsOneOf(Here(), kHashes)) {
      throw Unknown{Here().where, fmt::format("{} as a MAC", Shown(Here()))};
    }
    throw Expected("auto");
  }

  // flags[flag_a, flag_h], flags 0x41; the first letter is the highest bit.
  std::uint8_t TakeMptcpFlags() {
    if (!TakeIf("[")) return TakeNumber<std::uint8_t>("flags");
    std::uint8_t flags = 0;
    do {
      const Token flag = TakeKind(TokenKind::kWord, "a flag");
      constexpr std::string_view kBegin = "flag_";
      const std::string_view letter = std::string_view(flag.text).substr(std::min(kBegin.size(), flag.text.size()));
      if (flag.text == "no_flags") continue;
      if (flag.text == "flag_t") {  // of MP_TCPRST: the failure will pass
        flags |= 1;
      } else if (flag.text.starts_with(kBegin) && letter.size() == 1 && letter[0] >= 'a' && letter[0] <= 'h') {
        flags |= static_cast<std::uint8_t>(0x80 >> (letter[0] - 'a'));
      } else {
        throw SyntaxError(flag.where, fmt::format("{} is no flag", Shown(flag)));
      }
    } while (TakeIf(","));
    TakeSign("]");
    return flags;
  }

  MptcpOption::Key TakeMptcpKey() {
    MptcpOption::Key key{TakeKind(TokenKind::kWord, "the name of a key").text, std::nullopt};
    if (TakeIf("=")) key.value = TakeNumber<std::uint64_t>("a key");
    if (Here().Is("+")) throw Unknown{Here().where, "a key and a number"};
    return key;
  }

  MptcpOption::Number TakeDataNumber(bool is_long) {
    MptcpOption::Number number{is_long, std::nullopt};
    constexpr std::string_view kHashes[] = {"trunc_r64_hmac", "trunc_r64_hmac_sha1", "trunc_r64_hmac_sha256"};
    if (!TakeIf("=")) return number;
    if (IsOneOf(Here(), kHashes)) throw Unknown{Here().where, fmt::format("{} as a number", Shown(Here()))};
    number.value = TakeNumber<std::uint64_t>("a data sequence number");
    return number;
  }

  void TakeMptcpToken(MptcpOption& option) {
    if (TakeIfWord("auto")) return;
    if (Here().IsWord("sha1_32")) throw Unknown{Here().where, "sha1_32() as a token"};
    if (TakeIfWord("sha256_32")) {
      TakeSign("(");
      option.keys.push_back(TakeMptcpKey());
      TakeSign(")");
    } else {
      option.token = TakeNumber<std::uint32_t>("a token");
    }
  }

  // addr[name], addr[name=inet_addr("192.0.2.1")]
  void TakeAddressToAdd(MptcpOption& option) {
    TakeSign("[");
    option.address_name = TakeKind(TokenKind::kWord, "the name of an address").text;
    if (TakeIf("=")) {
      const Token call = TakeKind(TokenKind::kWord, "inet_addr or inet6_addr");
      TakeSign("(");
      const Token text = TakeKind(TokenKind::kString, "an address");
      TakeSign(")");
      try {
        option.address = IpAddress(text.text);
      } catch (const HarnessError&) {
        throw SyntaxError(text.where, fmt::format("{} is no address", Shown(text)));
      }
    }
    TakeSign("]");
  }

  void CheckMptcp(const MptcpOption& option, Position where) {
    using Kind = MptcpOption::Kind;
    const auto require = [&](bool there, const char* what) {
      if (!there) throw SyntaxError(where, fmt::format("this option of MPTCP needs {}", what));
    };
    constexpr std::uint8_t kChecksumRequired = 0x80;
    if (option.kind == Kind::kCapable) {
      require(option.keys.size() <= 2, "at most two keys");
      if (option.data_length && (option.flags & kChecksumRequired) != 0) {
        throw Unknown{where, "a checksum of MP_CAPABLE"};
      }
    }
    if (option.kind == Kind::kDss && !option.data_ack && !option.data_sequence) {
      throw Unknown{where, "a DSS without numbers"};
    }
    if (option.kind == Kind::kAddAddress) require(!option.address_name.empty(), "an address");
    if (option.kind == Kind::kRemoveAddress) require(!option.address_ids.empty(), "identifiers of addresses");
    if (option.kind == Kind::kFail) require(option.data_sequence && option.data_sequence->value, "dsn8");
  }

  // ECN e0b 1 ceb 2 e1b 3, or the other way round, without those at the end.
  TcpOption TakeAccurateEcn() {
    const bool e0_first = Here().IsWord("e0b");
    if (!e0_first && !Here().IsWord("e1b")) throw Expected("e0b or e1b");
    const std::vector<const char*> names =
        e0_first ? std::vector{"e0b", "ceb", "e1b"} : std::vector{"e1b", "ceb", "e0b"};
    std::vector<std::uint32_t> counters;
    for (const char* name : names) {
      if (!TakeIfWord(name)) break;
      counters.push_back(TakeNumber<std::uint32_t>("a counter", 0xffffff));
    }
    return tcp_option::AccurateEcn(
        e0_first ? tcp_option::kAccurateEcn0 : tcp_option::kAccurateEcn1, counters);
  }

  const std::string_view text_;
  std::vector<Token> tokens_;
  const Definitions& given_;
  Definitions defined_;
  std::size_t at_ = 0;
};

std::string DescribeAll(const std::vector<Expression>& elements, const char* between) {
  std::string text;
  for (const Expression& element : elements) {
    text.append(text.empty() ? "" : between).append(Describe(element));
  }
  return text;
}

}  // namespace

std::string Describe(const Expression& expression) {
  using Kind = Expression::Kind;
  switch (expression.kind) {
    case Kind::kEllipsis:
      return "...";
    case Kind::kInteger:
      return expression.text.empty() ? std::to_string(expression.number) : expression.text;
    case Kind::kWord:
      return CleanLine(expression.text);
    case Kind::kString:
      return "\"" + Shortened(CleanPart(expression.text), 60) + "\"" +
             (expression.goes_on ? "..." : "");
    case Kind::kOr:
      return DescribeAll(expression.elements, "|");
    case Kind::kAssign:
      return DescribeAll(expression.elements, "=");
    case Kind::kList:
      return "[" + DescribeAll(expression.elements, ", ") + "]";
    case Kind::kStructure:
      return "{" + DescribeAll(expression.elements, ", ") + "}";
    case Kind::kMember:
      return expression.text +
             (expression.elements.size() > 1 ? "(" + Describe(expression.elements[1]) + ")" : "") +
             "=" + Describe(expression.elements[0]);
    case Kind::kCall:
      return expression.text + "(" + DescribeAll(expression.elements, ", ") + ")";
  }
  return "";
}

const Unsupported* Script::FirstUnsupported() const {
  for (const Event& event : events) {
    if (const auto* unsupported = std::get_if<Unsupported>(&event.what)) return unsupported;
  }
  return nullptr;
}

const std::string* Script::Find(const std::string& option) const {
  const auto found = std::find_if(options.rbegin(), options.rend(),
                                  [&](const Option& entry) { return entry.name == option; });
  return found == options.rend() ? nullptr : &found->value;
}

Script Parse(std::string_view text, const Definitions& definitions) {
  return Parser(text, definitions).All();
}

}  // namespace sockproof::packetdrill

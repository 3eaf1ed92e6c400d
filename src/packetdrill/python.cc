#include "src/packetdrill/python.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "harness/base/text.h"

namespace sockproof::packetdrill {
namespace {

using Value = Python::Value;
using Names = Python::Names;
using NotKnown = Python::NotKnown;
using Raised = Python::Raised;
using Evaluate = std::function<Value(const Names&)>;

constexpr int kDeepestExpression = 50;

struct Word {
  enum class Kind { kName, kNumber, kString, kSign, kLineEnd, kEnd };
  Kind kind = Kind::kEnd;
  std::string text;
};

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

std::vector<Word> WordsOf(std::string_view code) {
  std::vector<Word> words;
  int open = 0;  // parentheses: a line goes on in them
  std::size_t at = 0;
  while (at < code.size()) {
    const char c = code[at];
    if (c == '\\' && at + 1 < code.size() && (code[at + 1] == '\n' || code[at + 1] == '\r')) {
      at += 2;
    } else if (c == '\n' || c == ';') {
      if (open == 0) words.push_back({Word::Kind::kLineEnd, ""});
      ++at;
    } else if (c == ' ' || c == '\t' || c == '\r') {
      ++at;
    } else if (c == '#') {
      at = std::min(code.find('\n', at), code.size());
    } else if (c == '"' || c == '\'') {
      if (code.substr(at).starts_with("\"\"\"")) throw NotKnown("a string of several lines");
      std::string text;
      for (++at; at < code.size() && code[at] != c; ++at) {
        if (code[at] == '\n') throw NotKnown("a string without an end");
        if (code[at] == '\\' && at + 1 < code.size()) {
          ++at;
          text.push_back(code[at] == 'n' ? '\n' : code[at] == 't' ? '\t' : code[at]);
        } else {
          text.push_back(code[at]);
        }
      }
      if (at >= code.size()) throw NotKnown("a string without an end");
      ++at;
      words.push_back({Word::Kind::kString, text});
    } else if (c >= '0' && c <= '9') {
      std::size_t end = at;
      while (end < code.size() && (IsNameCharacter(code[end]) || code[end] == '.')) ++end;
      words.push_back({Word::Kind::kNumber, std::string(code.substr(at, end - at))});
      at = end;
    } else if (IsNameCharacter(c)) {
      std::size_t end = at;
      while (end < code.size() && IsNameCharacter(code[end])) ++end;
      words.push_back({Word::Kind::kName, std::string(code.substr(at, end - at))});
      at = end;
    } else {
      std::size_t length = 1;
      for (const char* sign : {"**", "//", "<<", ">>", "<=", ">=", "==", "!=", "+=", "-=", "*=",
                               "|=", "&="}) {
        if (code.substr(at).starts_with(sign)) length = 2;
      }
      if (c == '(') ++open;
      if (c == ')') --open;
      words.push_back({Word::Kind::kSign, std::string(code.substr(at, length))});
      at += length;
    }
  }
  words.push_back({Word::Kind::kLineEnd, ""});
  words.push_back({Word::Kind::kEnd, ""});
  return words;
}

// --- Values --------------------------------------------------------------------------------------

bool IsTrue(const Value& value) {
  return std::visit(
      [](const auto& held) {
        using Held = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<Held, std::string>) return !held.empty();
        if constexpr (std::is_same_v<Held, std::nullptr_t>) return false;
        if constexpr (std::is_arithmetic_v<Held>) return held != Held{};
        return false;
      },
      value);
}

bool IsWhole(const Value& value) {
  return std::holds_alternative<std::int64_t>(value) || std::holds_alternative<bool>(value);
}
bool IsNumber(const Value& value) {
  return IsWhole(value) || std::holds_alternative<double>(value);
}
std::int64_t Whole(const Value& value) {
  if (const auto* truth = std::get_if<bool>(&value)) return *truth ? 1 : 0;
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return *whole;
  throw Raised("TypeError: an integer is required");
}
double Real(const Value& value) {
  if (const auto* real = std::get_if<double>(&value)) return *real;
  return static_cast<double>(Whole(value));
}

std::string Text(const Value& value) {
  return std::visit(
      [](const auto& held) -> std::string {
        using Held = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<Held, bool>) return held ? "True" : "False";
        if constexpr (std::is_same_v<Held, std::nullptr_t>) return "None";
        if constexpr (std::is_same_v<Held, std::string>) return held;
        if constexpr (std::is_same_v<Held, double>) return fmt::format("{}", held);
        if constexpr (std::is_same_v<Held, std::int64_t>) return std::to_string(held);
        return "";
      },
      value);
}

bool Compare(const std::string& sign, const Value& left, const Value& right) {
  const auto by = [&sign](const auto& a, const auto& b) {
    if (sign == "==") return a == b;
    if (sign == "!=") return a != b;
    if (sign == "<") return a < b;
    if (sign == "<=") return a <= b;
    if (sign == ">") return a > b;
    return a >= b;
  };
  if (IsWhole(left) && IsWhole(right)) return by(Whole(left), Whole(right));
  if (IsNumber(left) && IsNumber(right)) return by(Real(left), Real(right));
  const auto* text = std::get_if<std::string>(&left);
  const auto* other = std::get_if<std::string>(&right);
  if (text != nullptr && other != nullptr) return by(*text, *other);
  if (sign == "==") return false;
  if (sign == "!=") return true;
  throw Raised(fmt::format("TypeError: '{}' not supported between these types", sign));
}

Value Calculate(const std::string& sign, const Value& left, const Value& right) {
  const auto* text = std::get_if<std::string>(&left);
  if (text != nullptr && sign == "+") {
    const auto* other = std::get_if<std::string>(&right);
    if (other != nullptr) return *text + *other;
  }
  if (!IsNumber(left) || !IsNumber(right)) {
    throw Raised(fmt::format("TypeError: unsupported operand types for {}", sign));
  }
  const bool divides = sign == "/" || sign == "//" || sign == "%";
  if (divides && Real(right) == 0) throw Raised("ZeroDivisionError: division by zero");
  if (IsWhole(left) && IsWhole(right) && sign != "/") {
    const std::int64_t a = Whole(left);
    const std::int64_t b = Whole(right);
    std::int64_t result = 0;
    bool fits = true;
    if (sign == "+") {
      fits = !__builtin_add_overflow(a, b, &result);
    } else if (sign == "-") {
      fits = !__builtin_sub_overflow(a, b, &result);
    } else if (sign == "*") {
      fits = !__builtin_mul_overflow(a, b, &result);
    } else if (sign == "//" || sign == "%") {
      if (b == -1) {
        fits = sign == "%" || !__builtin_sub_overflow(std::int64_t{0}, a, &result);
      } else {
        const std::int64_t rest = a % b;
        const bool down = rest != 0 && (rest < 0) != (b < 0);
        result = sign == "%" ? rest + (down ? b : 0) : a / b - (down ? 1 : 0);
      }
    } else if (sign == "&") {
      result = a & b;
    } else if (sign == "|") {
      result = a | b;
    } else if (sign == "^") {
      result = a ^ b;
    } else if (sign == "<<" || sign == ">>") {
      if (b < 0) throw Raised("ValueError: negative shift count");
      if (sign == ">>") {
        result = b > 62 ? (a < 0 ? -1 : 0) : a >> b;
      } else {
        fits = b < 63 && !__builtin_mul_overflow(a, std::int64_t{1} << b, &result);
      }
    }
    if (!fits) throw Raised("OverflowError: more than 64 bits");
    return result;
  }
  const double a = Real(left);
  const double b = Real(right);
  if (sign == "+") return a + b;
  if (sign == "-") return a - b;
  if (sign == "*") return a * b;
  if (sign == "/") return a / b;
  if (sign == "//") return std::floor(a / b);
  if (sign == "%") return a - b * std::floor(a / b);
  throw Raised(fmt::format("TypeError: unsupported operand types for {}", sign));
}

// "cwnd=%d, %s" % (a, b)
std::string Formatted(const std::string& format, const std::vector<Value>& values) {
  std::string text;
  std::size_t next = 0;
  for (std::size_t at = 0; at < format.size(); ++at) {
    if (format[at] != '%') {
      text.push_back(format[at]);
      continue;
    }
    std::size_t end = at + 1;
    while (end < format.size() && std::string_view("-+ #0123456789.l").find(format[end]) !=
                                      std::string_view::npos) {
      ++end;
    }
    if (end >= format.size()) throw Raised("ValueError: incomplete format");
    const char kind = format[end];
    at = end;
    if (kind == '%') {
      text.push_back('%');
      continue;
    }
    if (next == values.size()) throw Raised("TypeError: not enough arguments for format string");
    const Value& value = values[next++];
    if (kind == 'x') {
      text += fmt::format("{:x}", Whole(value));
    } else if (kind == 'f' || kind == 'g') {
      text += fmt::format("{:f}", Real(value));
    } else if (kind == 'd' || kind == 'i' || kind == 'u') {
      text += std::to_string(IsWhole(value) ? Whole(value)
                                            : static_cast<std::int64_t>(Real(value)));
    } else {
      text += Text(value);
    }
  }
  return text;
}

// --- Statements ----------------------------------------------------------------------------------

using Statement = std::function<void(Names&, std::string& printed)>;

class Compiler {
 public:
  explicit Compiler(std::string_view code) : words_(WordsOf(code)) {}

  std::vector<Statement> All() {
    std::vector<Statement> statements;
    while (Here().kind != Word::Kind::kEnd) {
      if (Here().kind == Word::Kind::kLineEnd) {
        ++at_;
        continue;
      }
      statements.push_back(NextStatement());
      if (Here().kind != Word::Kind::kLineEnd) throw Unexpected();
    }
    return statements;
  }

 private:
  const Word& Here(std::size_t ahead = 0) const {
    return words_[std::min(at_ + ahead, words_.size() - 1)];
  }
  bool IsSign(const char* sign) const {
    return Here().kind == Word::Kind::kSign && Here().text == sign;
  }
  bool IsName(const char* name) const {
    return Here().kind == Word::Kind::kName && Here().text == name;
  }
  bool TakeSign(const char* sign) {
    if (!IsSign(sign)) return false;
    ++at_;
    return true;
  }
  bool TakeName(const char* name) {
    if (!IsName(name)) return false;
    ++at_;
    return true;
  }
  NotKnown Unexpected() const {
    return NotKnown("'" + Shortened(CleanLine(Here().text), 40) + "'");
  }

  Statement NextStatement() {
    if (TakeName("assert")) return Assertion();
    if (TakeName("pass")) return [](Names&, std::string&) {};
    if (IsName("print") && Here(1).text == "(") {
      ++at_;
      const std::vector<Evaluate> parts = Arguments();
      return [parts](Names& names, std::string& printed) {
        std::string line;
        for (const Evaluate& part : parts) line += (line.empty() ? "" : " ") + Text(part(names));
        printed += line + "\n";
      };
    }
    for (const char* word : {"import", "from", "for", "while", "if", "def", "class", "with", "try",
                             "global", "del", "return", "raise", "lambda"}) {
      if (IsName(word)) throw Unexpected();
    }
    if (Here().kind != Word::Kind::kName || Here(1).kind != Word::Kind::kSign) throw Unexpected();
    const std::string name = Here().text;
    std::string sign = Here(1).text;
    if (sign != "=" && (sign.size() != 2 || sign[1] != '=' || sign == "==" || sign == "!=" ||
                        sign == "<=" || sign == ">=")) {
      throw Unexpected();
    }
    at_ += 2;
    const Evaluate value = Expression();
    sign.pop_back();
    if (sign.empty()) {
      return [name, value](Names& names, std::string&) { names[name] = value(names); };
    }
    return [name, sign, value](Names& names, std::string&) {
      names[name] = Calculate(sign, Named(names, name), value(names));
    };
  }

  Statement Assertion() {
    const std::size_t from = at_;
    const Evaluate condition = Expression();
    std::string shown;
    for (std::size_t at = from; at < at_; ++at) {
      shown += (shown.empty() ? "" : " ") + words_[at].text;
    }
    Evaluate message;
    if (TakeSign(",")) message = Expression();
    return [condition, message, shown](Names& names, std::string&) {
      if (IsTrue(condition(names))) return;
      throw Raised(fmt::format("assert {} does not hold{}", shown,
                               message ? ": " + Text(message(names)) : ""));
    };
  }

  static Value Named(const Names& names, const std::string& name) {
    if (const auto found = names.find(name); found != names.end()) return found->second;
    throw Python::NoName(name);
  }

  Evaluate Expression() {
    if (++depth_ > kDeepestExpression) throw NotKnown("an expression that is nested too deep");
    Evaluate result = Or();
    --depth_;
    return result;
  }

  Evaluate Or() {
    Evaluate left = And();
    while (TakeName("or")) {
      left = [left, right = And()](const Names& names) {
        Value value = left(names);
        return IsTrue(value) ? value : right(names);
      };
    }
    return left;
  }

  Evaluate And() {
    Evaluate left = Not();
    while (TakeName("and")) {
      left = [left, right = Not()](const Names& names) {
        Value value = left(names);
        return IsTrue(value) ? right(names) : value;
      };
    }
    return left;
  }

  Evaluate Not() {
    if (!TakeName("not")) return Comparison();
    if (++depth_ > kDeepestExpression) throw NotKnown("an expression that is nested too deep");
    Evaluate result = [operand = Not()](const Names& names) { return !IsTrue(operand(names)); };
    --depth_;
    return result;
  }

  Evaluate Comparison() {
    std::vector<Evaluate> operands = {Operation(0)};
    std::vector<std::string> signs;
    while (true) {
      bool found = false;
      for (const char* sign : {"==", "!=", "<=", ">=", "<", ">"}) {
        if (found || !TakeSign(sign)) continue;
        signs.emplace_back(sign);
        operands.push_back(Operation(0));
        found = true;
      }
      if (!found) break;
    }
    if (IsName("in") || IsName("is")) throw Unexpected();
    if (signs.empty()) return operands.front();
    return [operands, signs](const Names& names) -> Value {
      Value left = operands[0](names);
      for (std::size_t i = 0; i < signs.size(); ++i) {
        Value right = operands[i + 1](names);
        if (!Compare(signs[i], left, right)) return false;
        left = std::move(right);
      }
      return true;
    };
  }

  // The loosest first.
  Evaluate Operation(std::size_t level) {
    static const std::vector<std::vector<const char*>> kLevels = {
        {"|"}, {"^"}, {"&"}, {"<<", ">>"}, {"+", "-"}, {"*", "//", "/", "%"}};
    if (level == kLevels.size()) return Unary();
    Evaluate left = Operation(level + 1);
    while (true) {
      std::string sign;
      for (const char* candidate : kLevels[level]) {
        if (sign.empty() && IsSign(candidate)) sign = candidate;
      }
      if (sign.empty()) return left;
      ++at_;
      if (sign == "%" && IsSign("(")) {
        ++at_;
        left = Percent(left, Listed(")"));
        continue;
      }
      Evaluate right = Operation(level + 1);
      left = sign == "%" ? Percent(left, {right})
                         : Evaluate([left, right, sign](const Names& names) {
                             return Calculate(sign, left(names), right(names));
                           });
    }
  }

  static Evaluate Percent(const Evaluate& left, const std::vector<Evaluate>& right) {
    return [left, right](const Names& names) -> Value {
      const Value value = left(names);
      std::vector<Value> values;
      for (const Evaluate& part : right) values.push_back(part(names));
      if (const auto* format = std::get_if<std::string>(&value)) return Formatted(*format, values);
      if (values.size() != 1) throw Raised("TypeError: unsupported operand types for %");
      return Calculate("%", value, values[0]);
    };
  }

  Evaluate Unary() {
    const bool minus = IsSign("-");
    if (!minus && !IsSign("+") && !IsSign("~")) return Primary();
    const std::string sign = Here().text;
    ++at_;
    if (++depth_ > kDeepestExpression) throw NotKnown("an expression that is nested too deep");
    Evaluate result = [operand = Unary(), sign](const Names& names) -> Value {
      const Value value = operand(names);
      if (sign == "~") return ~Whole(value);
      if (sign == "+") return value;
      return Calculate("-", std::int64_t{0}, value);
    };
    --depth_;
    return result;
  }

  // a, b) with the closing sign taken.
  std::vector<Evaluate> Listed(const char* end) {
    std::vector<Evaluate> parts;
    while (!TakeSign(end)) {
      parts.push_back(Expression());
      if (!IsSign(end) && !TakeSign(",")) throw Unexpected();
    }
    return parts;
  }
  std::vector<Evaluate> Arguments() {
    if (!TakeSign("(")) throw Unexpected();
    return Listed(")");
  }

  Evaluate Primary() {
    const Word word = Here();
    if (word.kind == Word::Kind::kString) {
      std::string text;
      while (Here().kind == Word::Kind::kString) text += words_[at_++].text;
      return [text](const Names&) -> Value { return text; };
    }
    if (word.kind == Word::Kind::kNumber) {
      ++at_;
      return [value = Number(word.text)](const Names&) { return value; };
    }
    if (TakeSign("(")) {
      Evaluate inner = Expression();
      if (!TakeSign(")")) throw Unexpected();
      return inner;
    }
    if (word.kind != Word::Kind::kName) throw Unexpected();
    ++at_;
    if (IsSign(".") || IsSign("[")) throw Unexpected();
    if (IsSign("(")) return Function(word.text);
    if (word.text == "True") return [](const Names&) -> Value { return true; };
    if (word.text == "False") return [](const Names&) -> Value { return false; };
    if (word.text == "None") return [](const Names&) -> Value { return nullptr; };
    return [name = word.text](const Names& names) { return Named(names, name); };
  }

  static Value Number(const std::string& text) {
    std::size_t used = 0;
    try {
      if (text.starts_with("0x") || text.starts_with("0X")) {
        const std::int64_t value = std::stoll(text, &used, 16);
        if (used == text.size()) return value;
      } else if (text.find_first_of(".eE") != std::string::npos) {
        const double value = std::stod(text, &used);
        if (used == text.size()) return value;
      } else {
        const std::int64_t value = std::stoll(text, &used, 10);
        if (used == text.size()) return value;
      }
    } catch (const std::exception&) {
      // Too large, or none.
    }
    throw NotKnown("the number " + Shortened(CleanLine(text), 40));
  }

  Evaluate Function(const std::string& name) {
    const std::vector<Evaluate> parts = Arguments();
    const auto values = [parts](const Names& names) {
      std::vector<Value> all;
      for (const Evaluate& part : parts) all.push_back(part(names));
      return all;
    };
    if ((name == "min" || name == "max") && parts.size() >= 2) {
      return [values, least = name == "min"](const Names& names) {
        std::vector<Value> all = values(names);
        return *std::min_element(all.begin(), all.end(), [least](const Value& a, const Value& b) {
          return least ? Compare("<", a, b) : Compare(">", a, b);
        });
      };
    }
    if (parts.size() != 1) throw NotKnown(name + "()");
    const Evaluate only = parts[0];
    if (name == "abs") {
      return [only](const Names& names) -> Value {
        const Value value = only(names);
        return Compare("<", value, std::int64_t{0}) ? Calculate("-", std::int64_t{0}, value)
                                                    : value;
      };
    }
    if (name == "int") {
      return [only](const Names& names) -> Value {
        const Value value = only(names);
        return IsWhole(value) ? Whole(value) : static_cast<std::int64_t>(Real(value));
      };
    }
    if (name == "float") {
      return [only](const Names& names) -> Value { return Real(only(names)); };
    }
    if (name == "str" || name == "repr") {
      return [only](const Names& names) -> Value { return Text(only(names)); };
    }
    throw NotKnown(name + "()");
  }

  std::vector<Word> words_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

struct Python::Program {
  std::vector<std::function<void(Names&, std::string& printed)>> statements;
};

Python::NoName::NoName(const std::string& name)
    : Raised(fmt::format("NameError: name '{}' is not defined", name)), name_(name) {}

Python::Python(std::string_view code) : program_(std::make_unique<Program>()) {
  program_->statements = Compiler(code).All();
}
Python::~Python() = default;
Python::Python(Python&&) noexcept = default;
Python& Python::operator=(Python&&) noexcept = default;

std::string Python::Run(Names& names) const {
  std::string printed;
  for (const auto& statement : program_->statements) statement(names, printed);
  return printed;
}

}  // namespace sockproof::packetdrill

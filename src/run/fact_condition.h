// What a baseline's entry asks of a fact of the system before it holds.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sockproof {

// A value. Written as one of
//   ">=6.5 <6.12"  comparisons of version numbers, all of which must hold: >= <= > < = !=
//   "6.12"         a number: the same as "=6.12"
//   "*-generic"    any other text: a glob over the whole fact
// Of a fact, the number it begins with is compared, as far as the condition's number goes:
// "6.12.48" is =6.12, <=6.12 and not >6.12. A fact that begins with no number satisfies no
// comparison.
class FactCondition {
 public:
  // Throws std::invalid_argument with what is wrong.
  static FactCondition Parse(std::string_view text);

  // Whether the system has the fact at all, whatever its value.
  static FactCondition Present(bool present);

  // `fact` is absent when the system does not have it; then only Present(false) holds.
  bool Holds(const std::optional<std::string>& fact) const;

 private:
  struct Comparison {
    std::string_view sign;  // of a constant
    std::vector<int> number;
  };
  using Comparisons = std::vector<Comparison>;

  std::variant<Comparisons, std::string, bool> what_;
};

}  // namespace sockproof

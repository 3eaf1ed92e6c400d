// The Python that scripts have between %{ and }%: assertions about the values of a socket. What is
// not in here needs python3.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sockproof::packetdrill {

// Statements: assert, print(), `name = expression`, `name += expression`, pass. Expressions of
// integers, floats, strings and booleans: names, comparisons (chained too), and, or, not, arithmetic
// and bits, `%` on strings, abs(), min(), max(), int(), float(), len(), str(), (a, b).
class Python {
 public:
  using Value = std::variant<std::int64_t, double, std::string, bool, std::nullptr_t>;
  using Names = std::map<std::string, Value>;

  // The code has something that this class does not know.
  class NotKnown : public std::runtime_error {
   public:
    using std::runtime_error::runtime_error;
  };
  // An assertion does not hold, or an error of the code: the message of Python for it.
  class Raised : public std::runtime_error {
   public:
    using std::runtime_error::runtime_error;
  };

  // Of these, that a name is not there.
  class NoName : public Raised {
   public:
    explicit NoName(const std::string& name);
    const std::string& name() const { return name_; }

   private:
    std::string name_;
  };

  // Throws NotKnown.
  explicit Python(std::string_view code);
  ~Python();
  Python(Python&&) noexcept;
  Python& operator=(Python&&) noexcept;

  // Runs it with these names, which assignments change; returns what it printed. Throws Raised.
  std::string Run(Names& names) const;

 private:
  struct Program;
  std::unique_ptr<Program> program_;
};

}  // namespace sockproof::packetdrill

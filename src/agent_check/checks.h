// What src/agent/README.md requires of every agent, each as a check of a running one.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/agent_check/session.h"

namespace sockproof::agent_check {

// One requirement. The checks ask nothing of the system behind the agent but sockets over its own
// loopback, and share no clock and no file with it.
struct Check {
  std::string section;      // of src/agent/README.md
  std::string name;         // unique: "hello"
  std::string requirement;  // a sentence
  // Returns a remark, mostly empty. Throws Departed, or Unsupported.
  std::function<std::string(Session& agent)> run;
};

// All of them, in the order in which they are to be run.
const std::vector<Check>& Checks();

struct Finding {
  enum class Kind { kConforms, kUnsupported, kDeparts };
  Kind kind = Kind::kConforms;
  std::string remark;  // or what is unsupported
  std::string expected;
  std::string actual;
  bool silent = false;  // it waited for an answer that never came
};

// An agent that is checked, requirement by requirement; started anew after each finding of fault
// and whenever it has ended.
class Conformance {
 public:
  // As for Session.
  explicit Conformance(std::vector<std::string> command) : command_(std::move(command)) {}

  // Throws HarnessError when the agent cannot be started.
  Finding Run(const Check& check);

 private:
  std::vector<std::string> command_;
  std::optional<Session> session_;
};

}  // namespace sockproof::agent_check

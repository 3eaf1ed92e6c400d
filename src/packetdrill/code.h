// The code of a script, between %{ and }%: what runs at its line, and what waits for python3.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "src/packetdrill/python.h"
#include "src/packetdrill/script.h"

namespace sockproof::packetdrill {

class ScriptCode {
 public:
  // `script` must outlive this.
  explicit ScriptCode(const Script& script);

  // Some of it is more than this program knows, so that all of it runs in python3, at the end.
  bool needs_python() const { return needs_python_; }

  // What it knows.
  Python::Names& names() { return names_; }

  // Runs it; returns what it printed. Where this kernel counts in longer ticks than the one the script was written
  // for, values that it counts in them may be meant as one more or less. Throws Python::Raised.
  std::string Run(const Event& event, const CodeEvent& code);

  // For python3: the values of now, and the code.
  void Collect(const Event& event, const CodeEvent& code);
  const std::string& collected() const { return collected_; }
  // Of which code line `line` of it is, from 1.
  const Event& EventOf(int line) const;

  // Why code has no such name, where that is no fault of the script: a value that this kernel does not tell, or that
  // this program does not read. Throws SyntaxError for a name that it could never have.
  std::string WhyWithoutName(const Event& event, const std::string& name) const;

 private:
  std::string RunAllowingTicks(const Python& code, const std::string& text);
  std::optional<std::string> RunWithOtherTicks(const Python& code, const std::string& text);

  std::map<const Event*, Python> code_;
  Python::Names names_;
  bool needs_python_ = false;
  std::string collected_;
  std::vector<std::pair<int, const Event*>> begins_;  // in which line of it
};

}  // namespace sockproof::packetdrill

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
  void Collect(const CodeEvent& code);
  const std::string& collected() const { return collected_; }

 private:
  std::string RunAllowingTicks(const Python& code, const std::string& text);
  std::optional<std::string> RunWithOtherTicks(const Python& code, const std::string& text);

  std::map<const Event*, Python> code_;
  Python::Names names_;
  bool needs_python_ = false;
  std::string collected_;
};

}  // namespace sockproof::packetdrill

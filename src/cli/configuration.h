// A file that says what the command line of a command can say.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace sockproof {

// Gives each option of `command` that the command line left out the value that the TOML file has
// for it. A key is an option's long name without dashes; that of a positional argument is its name
// in small letters:
//
//   pattern = ["HalfClose", "TimeWait.*"]
//   junit = "junit.xml"
//   jobs = 8
//   verbose = true
//
// Values mean what they mean on the command line: paths are relative to the current folder. Options
// that are not CLI::Option::configurable() cannot be set. Call it after the command line was
// parsed. Throws UsageError, "<path>:<line>: ...", for anything else, and when the file cannot be
// read.
void ApplyConfiguration(CLI::App& command, const std::string& path);

}  // namespace sockproof

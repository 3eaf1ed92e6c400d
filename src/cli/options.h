// Options that several commands have, and what values of options may be.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

namespace sockproof {

// Checks of values, with a clear line for what is wrong:
// "--jobs: '0' is neither auto nor a whole number from 1 to 4096".
CLI::Validator WholeNumber(long long least, long long most, const std::string& or_word = "");
CLI::Validator NumberFrom(double least, double most);  // "is not a number from 0 on"
CLI::Validator OneOf(std::vector<std::string> words);
// What `check` throws as UsageError.
CLI::Validator Checked(std::function<void(const std::string& value)> check);

void AddSut(CLI::App& command, std::string& sut);

}  // namespace sockproof

// result.json read back (its form is in result.h), for reports that are made later.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "src/report/result.h"
#include "src/report/wrong_input.h"

namespace sockproof {

// `path` is a result.json, or the folder that holds one.
std::filesystem::path ResultFile(const std::filesystem::path& path);

// The folders in `folder` that hold a result.json, as 'run -s A -s B' leaves them, by name.
std::vector<std::filesystem::path> ResultsBelow(const std::filesystem::path& folder);

// The result in ResultFile(path). Times and durations are as exact as the file: milliseconds.
// Strict: every documented member must be there, with its type and a value that a run can have.
// Throws WrongInput, which names the file, and the line where it is no JSON, or the JSON pointer of
// what is missing or wrong.
RunResult ReadResult(const std::filesystem::path& path);

// The result that ToJson() made. `name` stands for the file in an error. Throws WrongInput.
RunResult FromJson(const nlohmann::ordered_json& json, const std::string& name);

}  // namespace sockproof

// TOML that a user wrote. Its includer pays for toml++: include it in source files only.
#pragma once

#ifndef TOML_HEADER_ONLY
#define TOML_HEADER_ONLY 1
#endif
#include <toml++/toml.h>

#include <string>
#include <string_view>

namespace sockproof {

// `name` stands for the file in errors. Throws UsageError, "<name>:<line>: ...", for anything that
// is no TOML 1.0.
toml::table ParseUserToml(std::string_view text, const std::string& name);

}  // namespace sockproof

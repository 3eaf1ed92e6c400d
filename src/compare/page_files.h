// The files of page/, embedded in the program.
#pragma once

#include <string_view>

namespace sockproof {

std::string_view PageFile(std::string_view name);

}  // namespace sockproof

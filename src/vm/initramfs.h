// The file system of a guest: this program, its agent, modules, and nothing of any distribution but
// the libraries they are linked with.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "src/vm/kernel.h"

namespace sockproof {

// The files of which a program consists: itself, its dynamic linker, its libraries. Throws
// HarnessError.
std::vector<std::filesystem::path> FilesOf(const std::filesystem::path& program);

// The archive that the kernel unpacks and whose /init it starts (guest.h). Throws HarnessError.
std::string MakeInitramfs(const Kernel& kernel, const std::filesystem::path& program,
                          const std::filesystem::path& agent);

}  // namespace sockproof

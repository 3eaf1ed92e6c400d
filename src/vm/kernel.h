// Linux kernels as files: an image, its modules, its configuration.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace sockproof {

// A kernel that a virtual machine can boot.
struct Kernel {
  std::string name;               // as the user named it: "debian:6.1", "/boot/vmlinuz"
  std::filesystem::path image;    // bzImage
  std::filesystem::path modules;  // the folder below which its modules are; may be empty
  std::filesystem::path config;   // may be empty
  std::string release;            // "6.1.0-50-amd64", by its own word
};

// The kernel that `place` names: PATH or DIR (a kernel tree that was built, or a folder with boot/
// and lib/modules/), or the name of one that was fetched. `modules`, if it is not empty, is the
// folder of its modules. Throws UsageError when there is no such thing, HarnessError for an image
// that no x86-64 machine boots.
Kernel FindKernel(const std::string& place, const std::string& modules = "");

// A kernel as it lies in a folder with boot/ and (usr/)lib/modules/, or in a built tree. Throws
// HarnessError when there is no image.
Kernel KernelIn(const std::filesystem::path& folder, const std::string& name);

// A module, unpacked.
struct KernelModule {
  std::string name;  // "tcp_diag"
  std::string content;
};

// Those of the modules `wanted` that the kernel has, and all that they need, needed ones first.
// Others are part of the kernel, or it lacks them: only booting it tells.
std::vector<KernelModule> ModulesOf(const Kernel& kernel, const std::vector<std::string>& wanted);

// What tells this kernel, image and modules, from another: places, sizes and times of its files.
std::string Fingerprint(const Kernel& kernel);

// A line of the kernel's configuration such as "CONFIG_VETH", as far as it is known: true when the
// configuration is known and does not have it.
bool Lacks(const Kernel& kernel, std::string_view option);

}  // namespace sockproof

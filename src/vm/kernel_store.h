// Kernels of distributions, fetched into the cache: Debian's packages by apt, unpacked, never
// installed.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "src/vm/kernel.h"

namespace sockproof {

// Whether `name` has the form of such a kernel: "debian:6.1".
bool IsFetchedName(const std::string& name);

// A kernel that FetchKernel() has brought. Throws HarnessError, with the command that would bring
// it.
Kernel FetchedKernel(const std::string& name);

// All of them, the oldest release first.
std::vector<Kernel> FetchedKernels();
std::vector<std::string> FetchedNames();

// Stands for all that Debian has, or that are here.
inline constexpr const char* kAllKernels = "debian:all";

struct FetchOptions {
  std::string mirror;  // URL of a Debian archive; empty: the one that this machine's apt uses
  std::function<void(const std::string&)> say;  // told what is being done
};

// Brings the newest kernels of these versions, or of all (kAllKernels). They are looked for in Debian's suites, bullseye to
// sid, with an apt configuration that differs from this machine's only in sources and folders;
// apt checks signatures. What is there already and the newest stays as it is. Throws UsageError for
// a name of another form, HarnessError.
std::vector<Kernel> FetchKernels(const std::vector<std::string>& names,
                                 const FetchOptions& options);

}  // namespace sockproof

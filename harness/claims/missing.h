// Why a system may lack what a test needs, as far as documents tell: the release of Linux whose
// Documentation/networking/ip-sysctl.rst first has a sysctl, the option of a kernel's
// configuration.
#pragma once

#include <string>

#include "harness/claims/facts.h"

namespace sockproof {

// "the system under test has no sysctl net.ipv4.tcp_rto_max_ms; Linux documents it since 6.15, this
// is 6.1.0". What comes after the semicolon is left out when no document tells.
std::string WhyNoSysctl(const std::string& name, const Facts& facts);

// "sysctl net.ipv4.tcp_ecn cannot be set to 3: EINVAL; Linux documents that value in 7.2, this is 6.18.44"
std::string WhyNoSysctlValue(const std::string& name, const std::string& value, const std::string& error,
                             const Facts& facts);
// "the system under test lacks the capability diag; Linux has it with CONFIG_INET_DIAG"
std::string WhyNoCapability(const std::string& name, const Facts& facts);

}  // namespace sockproof

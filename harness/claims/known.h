// The names that documents know of what a system may have or lack. One that is in no list is a
// mistake of whoever wrote it, not something that a system lacks.
#pragma once

#include <string_view>

namespace sockproof {

// A sysctl of the kernel's Documentation/networking/ip-sysctl.rst or admin-guide/sysctl/net.rst by
// which tests set the scene: those of TCP, and the ones of IP, interfaces and sockets beside them.
bool IsKnownSysctl(std::string_view name);

// A counter of TCP: "Tcp.ActiveOpens" (RFC 4022), "TcpExt.ListenOverflows" (the names in the
// kernel's net/ipv4/proc.c).
bool IsKnownCounter(std::string_view name);

}  // namespace sockproof

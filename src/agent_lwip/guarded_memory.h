// Memory of lwIP in which a wrong access ends the process at once. AddressSanitizer sees nothing of
// a library that was not built for it, as Debian's was not.
#pragma once

namespace sockproof::agent_lwip {

// From now on each piece that lwIP allocates has pages of its own: what lies past its end, to 16
// octets, and what was freed cannot be touched, and is never given out again. The first access that
// is wrong, and a piece that is freed twice, are told on standard error with the functions of lwIP
// that did it, without addresses; then a signal ends the process. Once in a process, before lwIP is
// started. Throws std::runtime_error.
void GuardMemory();

}  // namespace sockproof::agent_lwip

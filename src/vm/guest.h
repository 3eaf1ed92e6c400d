// The program as process 1 of a virtual machine.
#pragma once

namespace sockproof {

// Makes the guest ready, says so, waits for the id of a test, runs it, ends the machine. The
// calling process must be process 1 of a machine that QEMU runs (guest_interface.h).
// `virtual_time`: waiting takes no time there. Never returns.
[[noreturn]] void RunAsGuest(bool virtual_time);

}  // namespace sockproof

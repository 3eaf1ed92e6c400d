// What the machine and the program in it agree on. The guest prints lines on the debug console,
// each a JSON object: events of a test as in events.jsonl, and its own, which have the member
// "guest".
//
//   {"guest": "broken", "why": "..."}       it cannot test; the machine ends
//   {"guest": "ready", "facts": {...}}      now is the time for a snapshot
//   {"guest": "hung", "seconds": 180}       a test took longer than it may, in the guest's time
//   {"guest": "end", "exit": 0, "signal": 0, "warned": false}   its process ended; so does the
//   machine
#pragma once

namespace sockproof::guest_interface {

constexpr unsigned short kConsolePort = 0xe9;    // isa-debugcon
constexpr unsigned short kExitPort = 0xf4;       // isa-debug-exit
constexpr unsigned short kSelectorPort = 0x510;  // fw_cfg (QEMU docs/specs/fw_cfg)
constexpr unsigned short kDataPort = 0x511;
constexpr const char* kTestFile = "opt/sockproof/test";      // the id of the test to run
constexpr const char* kAlterationFile = "opt/sockproof/alteration";  // how the system is to be other
constexpr const char* kNoTest = "none";                      // its content before there is one

constexpr const char* kModules = "/modules";  // to be loaded in the order of their names
constexpr const char* kAgent = "/sockproof-agent";

}  // namespace sockproof::guest_interface

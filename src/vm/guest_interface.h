// What the machine and the program in it agree on. The guest prints lines on the debug console,
// each a JSON object: events of a test as in events.jsonl, and its own, which have the member
// "guest".
//
//   {"guest": "broken", "why": "..."}       it cannot test; the machine ends
//   {"guest": "ready", "facts": {...}}      now is the time for a snapshot
//   {"guest": "begins"}                     the next test; events that follow are its own
//   {"guest": "hung"}                       it took longer than it may, in the guest's time
//   {"guest": "ended", "exit": 0, "signal": 0, "warned": false}   its process ended like this
//   {"guest": "symbols", "list": "ffffffff81000000 _text\n"}   where functions begin
//   {"guest": "end"}                        no test is left; the machine ends
#pragma once

namespace sockproof::guest_interface {

constexpr unsigned short kConsolePort = 0xe9;    // isa-debugcon
constexpr unsigned short kResetPort = 0x64;      // of the keyboard's controller
constexpr unsigned char kReset = 0xfe;           // what it takes for that
constexpr unsigned short kSelectorPort = 0x510;  // fw_cfg (QEMU docs/specs/fw_cfg)
constexpr unsigned short kDataPort = 0x511;
constexpr const char* kTestsFile = "opt/sockproof/tests";  // ids of the tests to run, one a line
// How the system is to be other: ids of alterations, one in each line.
constexpr const char* kAlterationsFile = "opt/sockproof/alterations";
constexpr const char* kNoTests = "none";     // its content before there are any
constexpr const char* kSymbols = "symbols";  // its content when symbols are asked for instead

// Each test has a world of its own, made before the snapshot. So many there are in virtual time;
// otherwise one.
constexpr int kWorlds = 24;

constexpr const char* kModules = "/modules";  // to be loaded in the order of their names
constexpr const char* kAgent = "/sockproof-agent";

}  // namespace sockproof::guest_interface

// The commands of the sockproof program. Each returns the exit code: 0 as expected, 1 a surprise,
// 2 wrong usage (as UsageError), 3 could not test, 128 and the number for a signal.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/sut/system.h"
#include "src/report/files.h"
#include "src/run/baseline.h"

namespace sockproof {

// "sockproof: ..." on stderr, in one line.
void Complain(const std::string& text);

// The path of sockproof-agent.
std::string AgentProgram();

// The system that --sut names, of those that run beside this program. Throws UsageError.
std::unique_ptr<System> MakeSystem(const std::string& sut);

// Asks the system for its facts, in a child process. Throws HarnessError.
Facts ProbeFacts(System& system);

// Which departures are known.
struct BaselineArguments {
  std::vector<std::string> files;  // the user's
  bool no_shipped = false;
};

// The entries of the shipped baseline and of the user's files, in the order in which a later one
// overrules an earlier one. Throws UsageError.
std::vector<KnownDeparture> KnownDepartures(const BaselineArguments& arguments);

struct RunArguments {
  std::string program;  // as invoked
  std::vector<std::string> patterns;
  std::vector<std::string> suts = {"host"};
  bool use_cache = true;  // snapshots of virtual machines
  std::string real_time;  // of virtual machines: kvm or tcg; empty: virtual time
  std::string wire;       // of agent:COMMAND
  std::string second_agent;
  std::string second_wire;
  std::string out = "sockproof-out";
  std::string junit;
  std::string junit_dialect = "common";
  std::string ktap;
  std::string compare;  // page of the systems side by side, written in the end
  std::string color = "auto";
  BaselineArguments baseline;
  std::string configuration;  // the file it came from, if any
  std::string jobs = "auto";
  std::vector<std::string> levels;   // of claims: MUST, ...; any of them
  std::vector<std::string> tags;     // all of them
  std::vector<std::string> without;  // tags: none of them
  std::string shard;                 // K/N
  double max_wait = -1;              // seconds; negative: what suits the system
  int attempts = 3;
  int repeat = 1;
  bool until_fail = false;
  bool shuffle = false;
  std::optional<std::uint64_t> seed;
  bool rerun_failed = false;
  bool verbose = false;
};
int RunCommand(const RunArguments& arguments);

// What --junit, --junit-dialect and --ktap ask for. Throws UsageError for what cannot be files.
ReportFiles ReportFilesOf(const std::string& junit, const std::string& junit_dialect,
                          const std::string& ktap);

struct ReportArguments {
  std::string results;  // a folder with a result.json, or such a file
  std::string junit;    // paths; "-" is stdout
  std::string junit_dialect = "common";
  std::string ktap;
  std::string json;
};
int ReportCommand(const ReportArguments& arguments);

// Both are folders with a result.json, or such files. The exit code is 1 for regressions.
struct DiffArguments {
  std::string base;
  std::string current;
  std::string json;    // path; "-" is stdout, instead of the text
  double slower = 25;  // percent
};
int DiffCommand(const DiffArguments& arguments);

// How systems differ.
struct CompareArguments {
  std::vector<std::string> results;  // folders with a result.json or with such folders, or files
  std::string by = "test";           // or claim
  bool all = false;                  // rows that do not differ, too
  std::string html;                  // path
  std::string json;                  // path; "-" is stdout, instead of the table
};
int CompareCommand(const CompareArguments& arguments);

struct MergeArguments {
  std::string out;                 // folder
  std::vector<std::string> parts;  // as DiffArguments::base
};
int MergeCommand(const MergeArguments& arguments);

struct LadderArguments {
  std::vector<std::string> tests;    // ids, or folders of tests, or files of events
  std::vector<std::string> results;  // folders where tests with these ids were run
  std::string svg;                   // path; "-" is stdout; empty: the ladder as text
};
int LadderCommand(const LadderArguments& arguments);

struct SelfproofArguments {
  std::string program;  // as invoked
  std::vector<std::string> patterns;
  std::string sut = "host";
  std::string out = "sockproof-selfproof";
  int jobs = 0;  // 0: as many as the machine carries
  bool every_mutant = false;
};
int SelfproofCommand(const SelfproofArguments& arguments);

struct ListArguments {
  std::vector<std::string> patterns;
  std::string sut = "host";
  std::string authority;  // list this authority's claims instead of tests
  bool tags = false;      // list these instead of tests
  bool coverage = false;  // list which claims have a test
  std::string html;       // file for a page of the coverage
  bool json = false;
};
int ListCommand(const ListArguments& arguments);

int ExplainCommand(const std::string& program, const std::string& id, const std::string& sut);

// Are these files baselines?
int BaselineCheckCommand(const std::vector<std::string>& files);

struct BaselineUpdateArguments {
  std::string result;    // folder with a result.json, or such a file
  std::string baseline;  // the file to bring up to date; may be missing when it is to be written
  std::string output;    // where to; empty: the same file
  bool no_shipped = false;
};
int BaselineUpdateCommand(const BaselineUpdateArguments& arguments);

int KernelsFetchCommand(const std::vector<std::string>& names, const std::string& mirror);
int KernelsListCommand();
int RuntimesFetchCommand(const std::string& mirror);  // brings runsc

// `command` starts an agent: a program and its arguments. 1 when the agent does not conform.
int AgentCheckCommand(const std::vector<std::string>& command);

int DoctorCommand(const std::string& sut);

}  // namespace sockproof

// Further processes of the agent: copies of it that share its descriptors. Each speaks the protocol
// to the agent, which passes on what has their "process" among its parameters (README.md,
// "Processes").
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "src/agent/call.h"
#include "src/agent/parameters.h"

namespace sockproof::agent {

// What a process that can have children does: `serve` is what a child does on its standard input
// and output, `write` gets the lines that children write, in a thread of each.
void HaveChildren(void (*serve)(), std::function<void(std::string_view line)> write);

// Passes a request on, as one line, to a child of this process. False: there is no such child.
bool ForwardToChild(int process, const std::string& line);

// One function a method. Fork() does not return in the child.
json Fork(Parameters& parameters, Call& call);
json Wait(Parameters& parameters, Call& call);
json Kill(Parameters& parameters, Call& call);

// In a child: the end of it, once the answer is written, with this status.
json Exit(Parameters& parameters, Call& call);
std::optional<int> ExitAskedFor();

// In a child: another program takes the place of this one, which is the agent again. What is not
// FD_CLOEXEC stays open.
json Execute(Parameters& parameters, Call& call);

// At the start of a program: the answer to the call of Execute() that began it, if one did.
void AnswerExecution();

}  // namespace sockproof::agent

// The duties of process 1, which a container engine gives to the first program in a container.
#pragma once

namespace sockproof {

// As process 1: forks, returns in the child alone, and stays behind as what a kernel expects of
// process 1: hands signals on to the child, reaps all that lose their parent, and ends as the child
// ends (128 and the number for a signal). As any other process: returns at once.
//
//   int main() {
//     LeaveFirstProcessBehind();
//     ...  // an ordinary process now: signals end it
//
// To be called before there are threads.
void LeaveFirstProcessBehind();

}  // namespace sockproof

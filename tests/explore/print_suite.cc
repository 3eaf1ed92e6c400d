// Prints a suite of the tests that explore makes of what it finds, to be compiled.
#include <fmt/format.h>

#include "src/explore/report.h"

using namespace sockproof::explore;

int main() {
  // Of each step that there is, as a part of each kind of open.
  const char* const kAll =
      "SYN,ACK seq=ISS;ACK len=4 seq-2 window=0;ACK ack+1000;FIN,ACK ack=IRS;RST seq+10;no-flags;"
      "ACK,URG len=1 bad-checksum;ACK old-timestamp;ACK len=4 "
      "lost;send(5);recv(64);shutdown(SHUT_WR);"
      "shutdown(SHUT_RD);poll();getsockopt(SO_ERROR);wait(200 ms);close();ACK seq-1";
  fmt::print("#include \"harness/test/test.h\"\n\nusing namespace sockproof;\n\n");
  int number = 0;
  for (const char* const begin : {"ipv4;none;connect();", "ipv6;all;connect();", "ipv4;all;socket();",
                                  "ipv6;all;listen();SYN seq=ISS;ACK;accept();"}) {
    for (const char* const expected :
         {"", "in ESTABLISHED: ACK seq=1 ack=5, data or FIN seq=1 ack=5", "in CLOSED: nothing"}) {
      Cause cause;
      cause.example = ParseOneLine(std::string(begin) + kAll);
      if (*expected != '\0') {
        cause.finding.emplace();
        cause.finding->departure = {expected, "3.10.7.4, fifth check", "rfc9293:MUST-40", "a rule"};
      }
      fmt::print("{}\n", TestText(cause, ++number));
    }
    Cause abort;
    abort.example = ParseOneLine(std::string(begin) + "abort()");
    fmt::print("{}\n", TestText(abort, ++number));
  }
}

// What programs that were started here say on standard error.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

namespace sockproof {

// What is written to standard error of this process, and of those that inherit it, from the making
// of the object on; known where that is a file, as it is in the process of a test.
class Complaints {
 public:
  Complaints();

  // The end of it, in one clean line of at most 300 octets; empty when there is none.
  std::string Last() const;

 private:
  off_t begin_ = -1;  // -1: it is no file
};

// The end of a file, from `begin` at the earliest, alike.
std::string EndOfFile(int fd, off_t begin);

// The end of the text in one clean line of at most 300 octets.
std::string LastWords(std::string_view text);

}  // namespace sockproof

// The documents that an option asks for: --json FILE, --svg FILE, --pkt FILE, ...
#pragma once

#include <string>
#include <string_view>

namespace sockproof {

// Makes the folder of a document that is to be written to this path; "" and "-" need none. To be
// called before long work. Throws UsageError where it could not be written.
void CheckDocument(const std::string& path);

// Writes it to a file, which is replaced at once, or to standard output: "-"; "" asks for nothing.
// Throws UsageError where a file cannot be written, HarnessError where standard output cannot.
void WriteDocument(const std::string& path, std::string_view document);

}  // namespace sockproof

// The catalogue of claims: what is documented about sockets and TCP, by whom. It is data
// (catalogue/*.tsv), compiled into the library. A row is there because a document says so, whether
// or not a test checks it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sockproof {

// One documented statement.
struct Claim {
  std::string_view id;         // "rfc9293:3.5-third-segment"; the part before ':' is the authority
  std::string_view level;      // "MUST", "SHOULD", "MAY" or "documented"
  std::string_view source;     // what to cite: "RFC 9293 section 3.5, figure 6"
  std::string_view statement;  // in one sentence, our words
  // Why no test from outside can check it, after the word "because"; empty: one can.
  std::string_view untestable_because;
  std::string_view authority() const { return id.substr(0, id.find(':')); }
};

// All claims, sorted by id. Parsed on first use. Throws HarnessError when the data is malformed.
const std::vector<Claim>& AllClaims();

// nullptr when there is none with this id.
const Claim* FindClaim(std::string_view id);

// The claims of one file of the catalogue, in its order: a header line that names the columns, then
// one claim a line with a tab between its columns: id, level, source, statement and, where the
// header names it and there is one, the reason why it is untestable. Lines that start with '#' are
// comments. The claims refer to `text`. Throws HarnessError with `name` and the line of what is
// malformed.
std::vector<Claim> ParseClaims(std::string_view name, std::string_view text);

}  // namespace sockproof

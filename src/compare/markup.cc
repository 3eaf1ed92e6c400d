#include "src/compare/markup.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <sstream>
#include <vector>

#include "harness/base/errors.h"
#include "src/report/text.h"

namespace sockproof {
namespace {

bool IsUpper(char c) { return std::isupper(static_cast<unsigned char>(c)) != 0; }
bool IsDigit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }
bool IsAlnum(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

std::string Lower(std::string word) {
  for (char& c : word) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return word;
}

std::string Upper(std::string word) {
  for (char& c : word) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return word;
}

bool IsAbbreviation(const std::string& lower) {
  constexpr std::array kWords{
      "syn",         "fin",          "ack",          "rst",          "tcp",       "ip",
      "icmp",        "rfc",          "posix",        "ecn",          "ece",       "cwr",
      "rto",         "msl",          "paws",         "psh",          "urg",       "mss",
      "epoll",       "eagain",       "ebadf",        "einval",       "eintr",     "eacces",
      "epipe",       "epollrdhup",   "econnreset",   "econnrefused", "etimedout", "enotconn",
      "eaddrinuse",  "econnaborted", "ehostunreach", "enetunreach",  "eisconn",   "ealready",
      "einprogress", "eproto",       "eopnotsupp",   "edestaddrreq", "epollhup",  "pollhup",
      "pollrdhup",   "sigpipe",      "eof",          "isn"};
  return std::find(kWords.begin(), kWords.end(), lower) != kWords.end();
}

// States, as RFC 9293 spells them.
std::string WithStates(std::string sentence) {
  for (const auto& [words, state] : {std::pair("time wait", "TIME-WAIT"),
                                     {"Time wait", "TIME-WAIT"},
                                     {"FIN wait 1", "FIN-WAIT-1"},
                                     {"FIN wait 2", "FIN-WAIT-2"},
                                     {"close wait", "CLOSE-WAIT"},
                                     {"SYN ACK", "SYN,ACK"}}) {
    for (std::size_t at = 0; (at = sentence.find(words, at)) != std::string::npos;) {
      sentence.replace(at, std::string_view(words).size(), state);
    }
  }
  return sentence;
}

std::vector<std::string> WordsOf(const std::string& name) {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char before = i > 0 ? name[i - 1] : 'A';
    const bool decimal =
        name[i] == '_' && IsDigit(before) && i + 1 < name.size() && IsDigit(name[i + 1]);
    if (name[i] == '_' && !decimal) continue;
    const bool begins = IsUpper(name[i]) || (IsDigit(name[i]) && !IsDigit(before) && before != '_');
    if (words.empty() || begins || before == '_') {
      const bool goes_on = !words.empty() && before == '_' && i > 1 && IsDigit(name[i - 2]);
      if (!goes_on) words.emplace_back();
    }
    words.back() += decimal ? '.' : name[i];
  }
  return words;
}

}  // namespace

std::string Escaped(std::string_view text) {
  std::string result;
  for (const char c : CleanText(text)) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

std::string EscapedLine(std::string_view text) { return Escaped(CleanLine(text)); }

std::string WithLinks(const std::string& text) {
  constexpr std::string_view kScheme = "https://";
  constexpr std::string_view kInAddress = "-._~:/?#[]@!$&*+,;=%";
  const std::string line = CleanLine(text);
  std::string result;
  for (std::size_t i = 0; i < line.size();) {
    const std::size_t begin = line.find(kScheme, i);
    result += Escaped(line.substr(i, begin - i));
    if (begin == std::string::npos) break;
    std::size_t end = begin;
    while (end < line.size() &&
           (IsAlnum(line[end]) || kInAddress.find(line[end]) != std::string_view::npos)) {
      ++end;
    }
    const std::string address = Escaped(line.substr(begin, end - begin));
    result += fmt::format("<a href=\"{0}\" rel=\"noreferrer\">{0}</a>", address);
    i = end;
  }
  return result;
}

std::string PathAsLink(const std::string& path) {
  constexpr std::string_view kPlain = "-._~/";
  std::string result = path.starts_with("../") ? "" : "./";
  for (const char c : path) {
    if (IsAlnum(c) || kPlain.find(c) != std::string_view::npos) {
      result += c;
    } else {
      result += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return result;
}

std::string PolicyHash(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &length, EVP_sha256(), nullptr) != 1) {
    throw HarnessError("cannot compute a SHA-256");
  }
  std::array<unsigned char, 2 * EVP_MAX_MD_SIZE> base64{};
  const int characters = EVP_EncodeBlock(base64.data(), digest.data(), static_cast<int>(length));
  return "sha256-" + std::string(base64.begin(), base64.begin() + characters);
}

std::string AsSentence(const std::string& name) {
  std::string sentence;
  for (const std::string& word : WordsOf(name)) {
    const std::string lower = Lower(word);
    const std::string shown = IsAbbreviation(lower) ? Upper(word) : sentence.empty() ? word : lower;
    sentence += (sentence.empty() ? "" : " ") + shown;
  }
  return WithStates(std::move(sentence));
}

std::string Rounded(const std::string& value) {
  std::istringstream words(value);
  double number = 0;
  std::string unit;
  std::string rest;
  if (!(words >> number >> unit) || words >> rest) return value;
  if (unit != "s" && unit != "ms" && unit != "us") return value;
  return number >= 1000 ? fmt::format("{:.0f} {}", number, unit)
                        : fmt::format("{:.3g} {}", number, unit);
}

}  // namespace sockproof

#include "src/explore/choices.h"

#include <array>

namespace sockproof::explore {
namespace {

using InWindow = oracle::Stack::InWindow;

constexpr std::size_t kTimes = 3;  // of each, to be sure in real time
// The segment in question, and one that is answered with a reset if it was obeyed.
constexpr const char* kWithRst = "ipv4;none;connect();SYN,ACK seq=ISS;RST seq+10;ACK seq-1";
constexpr const char* kWithSyn = "ipv4;none;connect();SYN,ACK seq=ISS;SYN seq+10;ACK seq-1";
constexpr std::size_t kStep = 2;

InWindow ChoiceIn(const SequenceResult& result) {
  const std::vector<std::string>& reactions = result.reactions;
  if (reactions.size() <= kStep + 1) return InWindow::kEither;
  if (reactions[kStep].starts_with("ACK")) return InWindow::kChallenged;
  const bool is_gone =
      reactions[kStep].starts_with("RST") || reactions[kStep + 1].starts_with("RST");
  return is_gone ? InWindow::kResets : InWindow::kEither;
}

InWindow MostOf(const std::vector<SequenceResult>& results, std::size_t first) {
  std::array<std::size_t, 3> counts{};
  for (std::size_t i = first; i < first + kTimes; ++i) {
    const InWindow choice = ChoiceIn(results[i]);
    if (++counts[static_cast<std::size_t>(choice)] * 2 > kTimes) return choice;
  }
  return InWindow::kEither;
}

std::string ChoiceText(const char* what, InWindow choice) {
  if (choice == InWindow::kEither) return "";
  return std::string(what) + " in the window " +
         (choice == InWindow::kChallenged ? "is challenged" : "resets");
}

}  // namespace

oracle::Stack ChoicesOf(Pool& pool) {
  std::vector<Sequence> sequences;
  for (const char* const text : {kWithRst, kWithSyn}) {
    sequences.insert(sequences.end(), kTimes, ParseOneLine(text).front());
  }
  const BatchResult result = pool.RunAll({sequences}, Logged::kNothing).front();
  if (result.sequences.size() != sequences.size()) return {};
  return {MostOf(result.sequences, 0), MostOf(result.sequences, kTimes)};
}

std::string ChoicesText(const oracle::Stack& stack) {
  const std::string rst = ChoiceText("RST", stack.rst), syn = ChoiceText("SYN", stack.syn);
  return rst + (rst.empty() || syn.empty() ? "" : ", ") + syn;
}

}  // namespace sockproof::explore

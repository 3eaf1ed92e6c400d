// run --touching, --changed: the tests that reach a piece of the kernel, as 'sockproof reach' has
// recorded it.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "harness/base/text.h"
#include "src/cli/command.h"
#include "src/cli/say.h"
#include "src/cli/target.h"
#include "src/reach/choose.h"
#include "src/reach/record.h"
#include "src/run/usage_error.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;

class Touching final : public RunAddition {
 public:
  explicit Touching(CLI::App& run) {
    touching_ =
        run.add_option(
               "--touching", items_,
               "Only tests that reach these functions, files or lines of the kernel, as 'sockproof "
               "reach' recorded: tcp_ack,net/ipv4/tcp_timer.c:500-560")
            ->delimiter(',')
            ->type_name("WHAT");
    changed_ =
        run.add_option("--changed", change_,
                       "Only tests that reach what a patch, or a difference to a revision, changes")
            ->type_name("FILE|REVISION");
    run.add_option("--source", source_,
                   "The kernel's source for these; default: the built tree of -s vm:TREE")
        ->type_name("DIR");
    run.add_option("--reach", record_, "The record; default: the last one of this kernel")
        ->type_name("FILE");
  }

  void Check() const override {
    if (!IsAsked() && !(source_.empty() && record_.empty())) {
      throw UsageError("--source and --reach are for --touching and --changed");
    }
    if (changed_->count() > 0 && change_.empty()) throw UsageError("--changed names nothing");
    if (std::any_of(items_.begin(), items_.end(), [](const auto& item) { return item.empty(); })) {
      throw UsageError("--touching names nothing");
    }
    if (!source_.empty() && !fs::is_directory(source_)) {
      throw UsageError(fmt::format("--source: there is no folder {}", CleanLine(source_)));
    }
  }

  Tests Choose(const std::string& sut, Tests tests) const override {
    if (!IsAsked()) return tests;
    if (ParseSut(sut).kind != "vm")
      throw UsageError("--touching and --changed are for --sut vm:...");
    const reach::Record record = reach::ReadRecord(sut, record_);
    const fs::path source = SourceOf(sut);
    reach::Choice choice;
    if (!items_.empty()) choice = reach::ByItems(items_, source, record);
    if (!change_.empty()) {
      reach::Choice more = reach::ByChange(change_, source, record);
      choice.functions.merge(more.functions);
      for (const auto& [file, lines] : more.lines)
        choice.lines[file].insert(lines.begin(), lines.end());
      choice.notes.insert(choice.notes.end(), more.notes.begin(), more.notes.end());
      choice.everything = choice.everything || more.everything;
    }
    for (const std::string& note : choice.notes) Say(note);
    if (choice.everything) return tests;
    if (NamesIn(choice).empty()) throw UsageError("it touches no code of this kernel");
    return Reaching(choice, record, std::move(tests), !source.empty());
  }

 private:
  bool IsAsked() const { return touching_->count() > 0 || changed_->count() > 0; }

  static Tests Reaching(const reach::Choice& choice, const reach::Record& record, Tests tests,
                        bool has_source) {
    const std::set<std::string> reaching = reach::Reaching(choice, record);
    const std::string names = Shortened(Joined(NamesIn(choice)), 200);
    const std::set<std::string> recorded(record.tests.begin(), record.tests.end());
    Tests chosen;
    std::size_t unknown = 0;
    for (const TestCase* test : tests) {
      const std::string id = test->id();
      const bool is_unknown = !recorded.contains(id);
      unknown += is_unknown ? 1 : 0;
      if (is_unknown || reaching.contains(id)) chosen.push_back(test);
    }
    if (chosen.empty()) {
      throw UsageError(fmt::format(
          "of {} tests none reaches it: {}{}", tests.size(), names,
          has_source ? ""
                     : "; where compilers put it into its callers, --source tells who they are"));
    }
    Say(fmt::format(
        "{} of {} tests reach {}{}", chosen.size(), tests.size(), names,
        unknown == 0 ? "" : fmt::format(", or are new since the record ({})", unknown)));
    return chosen;
  }

  fs::path SourceOf(const std::string& sut) const {
    if (!source_.empty()) return source_;
    const Sut parts = ParseSut(sut);
    return fs::is_directory(fs::path(parts.what) / "net") ? fs::path(parts.what) : fs::path();
  }

  CLI::Option* touching_ = nullptr;
  CLI::Option* changed_ = nullptr;
  std::vector<std::string> items_;
  std::string change_;
  std::string source_;
  std::string record_;
};

const RunAdditionRegistration kTouching([](CLI::App& run) -> std::unique_ptr<RunAddition> {
  return std::make_unique<Touching>(run);
});

}  // namespace
}  // namespace sockproof

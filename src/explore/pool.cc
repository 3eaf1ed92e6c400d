#include "src/explore/pool.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "harness/base/errors.h"
#include "harness/base/text.h"
#include "harness/base/unique_fd.h"
#include "src/run/child.h"

namespace sockproof::explore {
namespace {

using nlohmann::json;
using Steady = std::chrono::steady_clock;

// A batch takes a second or two, in a machine some more.
constexpr auto kLongestBatch = 300s;
constexpr std::chrono::milliseconds kBetweenLooks = 250ms;
constexpr std::size_t kMostSaid = 300;

json ToJson(const Finding& finding) {
  return {{"step", finding.step},
          {"states", finding.states},
          {"symbol", finding.symbol},
          {"reaction", finding.reaction},
          {"observed", finding.observed},
          {"before", finding.before},
          {"origin", finding.origin},
          {"expected", finding.departure.expected},
          {"section", finding.departure.section},
          {"claim", finding.departure.claim},
          {"sentence", finding.departure.sentence}};
}

Finding FindingOf(const json& told) {
  Finding finding;
  finding.step = told.at("step").get<std::size_t>();
  finding.states = told.at("states").get<std::string>();
  finding.symbol = told.at("symbol").get<std::string>();
  finding.reaction = told.at("reaction").get<std::string>();
  finding.observed = told.at("observed").get<std::string>();
  finding.before = told.at("before").get<std::string>();
  finding.origin = told.at("origin").get<std::string>();
  finding.departure = {told.at("expected").get<std::string>(),
                       told.at("section").get<std::string>(), told.at("claim").get<std::string>(),
                       told.at("sentence").get<std::string>()};
  return finding;
}

json JudgedJson(const Sequence& sequence, const Record& record, const oracle::Stack& stack) {
  json result = {{"reactions", json::array()}};
  const Judged prompt = Judge(sequence, record, Patience::kNone, stack);
  result["history"] = prompt.history;
  if (prompt.finding) result["prompt"] = ToJson(*prompt.finding);
  const Judged patient = Judge(sequence, record, Patience::kAll, stack);
  if (patient.finding) result["patient"] = ToJson(*patient.finding);
  if (prompt.is_undecided || patient.is_undecided) result["undecided"] = true;
  for (const StepRecord& step : record.steps) {
    result["reactions"].push_back(ReactionText(step, record));
  }
  return result;
}

const char* const kSkipped = "skipped";
const char* const kCrashed = "crashed";
const char* const kBroke = "broke";

// In the child.
json RunBatch(const RunOn& run, const std::vector<Sequence>& sequences, Logged logged,
              const oracle::Stack& stack) {
  EventLog log(-1);
  run(BatchOf(sequences, logged), log);
  json answer = {{"end", ""}, {"why", ""}, {"sequences", json::array()}};
  for (const Event& event : log.events()) {
    // Records are for the oracle, not for readers.
    const bool is_record = std::holds_alternative<ObservationEvent>(event.what);
    const bool is_end = std::holds_alternative<VerdictEvent>(event.what);  // of no test
    if (logged == Logged::kAll && !is_record && !is_end) answer["events"].push_back(event);
    if (const auto* failure = std::get_if<FailureEvent>(&event.what)) {
      if (answer["end"] == "") answer["why"] = failure->text;
      answer["end"] = kCrashed;
    }
    if (const auto* verdict = std::get_if<VerdictEvent>(&event.what)) {
      if (verdict->verdict == Verdict::kPass || answer["end"] == kCrashed) continue;
      const bool is_skip = verdict->verdict == Verdict::kSkip;
      answer["end"] = is_skip ? kSkipped : verdict->verdict == Verdict::kFail ? kCrashed : kBroke;
      answer["why"] = verdict->reason;
    }
  }
  if (answer["end"] != "") return answer;
  const std::vector<Record> records = RecordsIn(log.events(), sequences.size());
  if (records.size() != sequences.size())
    throw HarnessError("records of some sequences are missing");
  for (std::size_t i = 0; i < records.size(); ++i) {
    answer["sequences"].push_back(JudgedJson(sequences[i], records[i], stack));
  }
  return answer;
}

void WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = write(fd, text.data(), text.size());
    if (count < 0 && errno != EINTR) return;
    if (count > 0) text.remove_prefix(static_cast<std::size_t>(count));
  }
}

BatchResult Broken(const std::string& why) {
  BatchResult result;
  result.end = BatchResult::End::kHarnessBroke;
  result.why = Shortened(CleanLine(why), kMostSaid);
  return result;
}

BatchResult ResultOf(const std::string& text) {
  const json answer = json::parse(text, nullptr, false);
  if (!answer.is_object()) return Broken(text.empty() ? "its process said nothing" : text);
  BatchResult result;
  result.end = BatchResult::End::kWhole;
  const std::string end = answer.at("end").get<std::string>();
  if (end == kSkipped) result.end = BatchResult::End::kSkipped;
  if (end == kCrashed) result.end = BatchResult::End::kCrashed;
  if (end == kBroke) result.end = BatchResult::End::kHarnessBroke;
  result.why = Shortened(CleanLine(OnOneLine(answer.at("why").get<std::string>())), kMostSaid);
  for (const json& one : answer.at("sequences")) {
    SequenceResult sequence;
    if (one.contains("prompt")) sequence.prompt = FindingOf(one["prompt"]);
    if (one.contains("patient")) sequence.patient = FindingOf(one["patient"]);
    sequence.is_undecided = one.value("undecided", false);
    sequence.reactions = one.at("reactions").get<std::vector<std::string>>();
    sequence.history = one.at("history").get<std::vector<std::string>>();
    result.sequences.push_back(std::move(sequence));
  }
  if (answer.contains("events")) result.events = answer["events"].get<std::vector<Event>>();
  return result;
}

}  // namespace

struct Pool::Child {
  std::uint64_t id;
  std::vector<Sequence> sequences;
  pid_t pid;
  UniqueFd from;
  std::string text;
  Steady::time_point begin;
};

Pool::Pool(RunOn run, int jobs, int jobs_of_one)
    : run_(std::move(run)), jobs_(std::max(jobs, 1)), jobs_of_one_(std::max(jobs_, jobs_of_one)) {}

Pool::~Pool() { EndAll(); }

void Pool::EndAll() {
  for (const auto& child : running_) {
    Kill(child->pid);
    WaitForEnd(child->pid);
    ChildEnd end;
    Reap(child->pid, end);
  }
  running_.clear();
}

void Pool::Start(std::uint64_t id, std::vector<Sequence> sequences, Logged logged) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) ThrowErrno("pipe2");
  UniqueFd from(ends[0]);
  const UniqueFd to(ends[1]);
  // A file, so that what its own children say is there to be cited (harness/base/complaints.h).
  const UniqueFd output(memfd_create("complaints", MFD_CLOEXEC));
  if (!output) ThrowErrno("memfd_create");
  const pid_t pid = ForkChild(to.get(), output.get(), [&](int channel) {
    std::string text;
    try {
      text = RunBatch(run_, sequences, logged, stack_)
                 .dump(-1, ' ', false, json::error_handler_t::replace);
    } catch (const std::exception& error) {
      text = error.what();
    }
    WriteAll(channel, text);
  });
  running_.push_back(std::make_unique<Child>(
      Child{id, std::move(sequences), pid, std::move(from), "", Steady::now()}));
}

Pool::Ended Pool::End(std::size_t index, bool is_hung) {
  const std::unique_ptr<Child> child = std::move(running_[index]);
  running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(index));
  if (is_hung) Kill(child->pid);
  WaitForEnd(child->pid);
  ChildEnd end;
  Reap(child->pid, end);
  Ended ended{child->id, std::move(child->sequences), {}};
  if (is_hung) {
    ended.result = Broken("it has not ended within 5 minutes");
  } else if (!end.clean) {
    ended.result = Broken("its process " + end.text);
  } else {
    ended.result = ResultOf(child->text);
  }
  for (SequenceResult& sequence : ended.result.sequences) {
    for (std::optional<Finding>* finding : {&sequence.prompt, &sequence.patient}) {
      if (*finding && is_known_((*finding)->Seen())) (*finding)->origin.clear();
    }
  }
  return ended;
}

std::optional<Pool::Ended> Pool::Await(Duration at_most) {
  const auto deadline = Steady::now() + at_most;
  while (!running_.empty() && !stop_()) {
    std::vector<pollfd> readable;
    for (const auto& child : running_) readable.push_back({child->from.get(), POLLIN, 0});
    const auto left = std::min(
        std::chrono::ceil<std::chrono::milliseconds>(deadline - Steady::now()), kBetweenLooks);
    const int ready = poll(readable.data(), readable.size(),
                           static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    for (std::size_t i = 0; i < running_.size(); ++i) {
      if (ready > 0 && readable[i].revents != 0) {
        char buffer[65536];
        const ssize_t count = read(running_[i]->from.get(), buffer, sizeof buffer);
        if (count > 0) running_[i]->text.append(buffer, static_cast<std::size_t>(count));
        if (count <= 0) return End(i, false);
      } else if (Steady::now() - running_[i]->begin > kLongestBatch) {
        return End(i, true);
      }
    }
    if (Steady::now() >= deadline) break;
  }
  return std::nullopt;
}

std::vector<BatchResult> Pool::RunAll(const std::vector<std::vector<Sequence>>& batches,
                                      Logged logged) {
  std::vector<BatchResult> results(batches.size());
  std::size_t next = 0;
  while (next < batches.size() || !IsIdle()) {
    tell_(next - running_.size(), batches.size());
    if (stop_()) {
      EndAll();
      break;
    }
    while (next < batches.size() && HasRoom(batches[next].size())) {
      Start(next, batches[next], logged);
      ++next;
    }
    if (std::optional<Ended> ended = Await(1s)) results[ended->id] = std::move(ended->result);
  }
  return results;
}

}  // namespace sockproof::explore

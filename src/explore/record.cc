#include "src/explore/record.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <stdexcept>

namespace sockproof::explore {
namespace {

constexpr std::int64_t kNone = -1;

// step;step;...   step: begin end outcome segment segment ...
// segment: <time,flags,seq,ack,text,window,mss,scale,tsval,tsecr with '<' of the peer, else '>'
void Append(std::string& text, const SeenSegment& seen) {
  const oracle::Segment& segment = seen.segment;
  fmt::format_to(std::back_inserter(text), " {}{},{},{},{},{},{},{},{},{},{}",
                 seen.is_of_peer ? '<' : '>', ToNanoseconds(seen.time), segment.flags, segment.seq,
                 segment.ack, segment.text, segment.window,
                 segment.mss ? std::int64_t{*segment.mss} : kNone,
                 segment.scale ? std::int64_t{*segment.scale} : kNone,
                 segment.timestamps ? std::int64_t{segment.timestamps->value} : kNone,
                 segment.timestamps ? std::int64_t{segment.timestamps->echo} : kNone);
  if (!segment.defect.empty()) text += ",!";
}

[[noreturn]] void Refuse() { throw std::invalid_argument("no record of a sequence"); }

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}
  bool AtEnd() const { return text_.empty(); }
  bool Take(char wanted) {
    if (text_.empty() || text_.front() != wanted) return false;
    text_.remove_prefix(1);
    return true;
  }
  void Need(char wanted) {
    if (!Take(wanted)) Refuse();
  }
  std::int64_t Number(std::int64_t least, std::int64_t most) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
    if (error != std::errc() || value < least || value > most) Refuse();
    text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
    return value;
  }
  std::string Word() {
    const std::string_view word = text_.substr(0, text_.find_first_of(" ;"));
    text_.remove_prefix(word.size());
    return std::string(word);
  }

 private:
  std::string_view text_;
};

SeenSegment ReadSegment(Reader& reader, bool is_of_peer) {
  SeenSegment seen{is_of_peer, FromNanoseconds(reader.Number(INT64_MIN, INT64_MAX)), {}};
  const auto next = [&](std::int64_t least, std::int64_t most) {
    reader.Need(',');
    return reader.Number(least, most);
  };
  oracle::Segment& segment = seen.segment;
  segment.flags = static_cast<std::uint16_t>(next(0, 0xfff));
  segment.seq = static_cast<std::uint32_t>(next(0, UINT32_MAX));
  segment.ack = static_cast<std::uint32_t>(next(0, UINT32_MAX));
  segment.text = static_cast<std::uint32_t>(next(0, UINT16_MAX));
  segment.window = static_cast<std::uint16_t>(next(0, UINT16_MAX));
  const std::int64_t mss = next(kNone, UINT16_MAX), scale = next(kNone, UINT8_MAX);
  const std::int64_t value = next(kNone, UINT32_MAX), echo = next(kNone, UINT32_MAX);
  if (mss != kNone) segment.mss = static_cast<std::uint16_t>(mss);
  if (scale != kNone) segment.scale = static_cast<std::uint8_t>(scale);
  if (value != kNone) {
    segment.timestamps = {static_cast<std::uint32_t>(value), static_cast<std::uint32_t>(echo)};
  }
  if (reader.Take(',')) {
    reader.Need('!');
    segment.defect = "bad checksum";
  }
  return seen;
}

}  // namespace

std::string RecordText(const Record& record) {
  std::string text;
  for (const StepRecord& step : record.steps) {
    fmt::format_to(std::back_inserter(text), "{} {} {}", ToNanoseconds(step.begin),
                   ToNanoseconds(step.end), step.outcome.empty() ? "-" : step.outcome);
    for (const SeenSegment& seen : step.segments) Append(text, seen);
    text += ';';
  }
  return text;
}

Record ParseRecord(std::string_view text) {
  Record record;
  Reader reader(text);
  while (!reader.AtEnd()) {
    StepRecord step;
    step.begin = FromNanoseconds(reader.Number(INT64_MIN, INT64_MAX));
    reader.Need(' ');
    step.end = FromNanoseconds(reader.Number(INT64_MIN, INT64_MAX));
    reader.Need(' ');
    step.outcome = reader.Word();
    if (step.outcome == "-") step.outcome.clear();
    while (reader.Take(' ')) {
      const bool is_of_peer = reader.Take('<');
      if (!is_of_peer) reader.Need('>');
      step.segments.push_back(ReadSegment(reader, is_of_peer));
    }
    reader.Need(';');
    std::stable_sort(step.segments.begin(), step.segments.end(),
                     [](const auto& one, const auto& other) { return one.time < other.time; });
    record.steps.push_back(std::move(step));
  }
  return record;
}

}  // namespace sockproof::explore

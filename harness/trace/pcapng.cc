// Writes pcapng blocks (draft-ietf-opsawg-pcapng sections 3 and 4), little-endian.
#include "harness/trace/pcapng.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string_view>

#include "harness/trace/timeline.h"

namespace sockproof {
namespace {

constexpr std::uint32_t kSectionHeader = 0x0a0d0d0a, kInterface = 1, kEnhancedPacket = 6;
constexpr std::uint16_t kEndOfOptions = 0, kComment = 1;  // in every block
constexpr std::uint16_t kApplication = 4;                 // in a section header
constexpr std::uint16_t kName = 2, kTimeResolution = 9;   // of an interface
constexpr std::uint16_t kLinkTypeEthernet = 1;

// One block. Everything in it is padded to 32 bits.
class Block {
 public:
  explicit Block(std::uint32_t type) {
    U32(type);
    U32(0);  // the length, set in AppendTo()
  }

  void U16(std::uint16_t value) {
    bytes_.push_back(static_cast<std::uint8_t>(value & 0xff));
    bytes_.push_back(static_cast<std::uint8_t>(value >> 8));
  }
  void U32(std::uint32_t value) {
    U16(static_cast<std::uint16_t>(value & 0xffff));
    U16(static_cast<std::uint16_t>(value >> 16));
  }
  template <typename Container>
  void Padded(const Container& bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    bytes_.resize((bytes_.size() + 3) / 4 * 4);
  }
  void Option(std::uint16_t code, std::string_view value) {
    value = value.substr(0, UINT16_MAX);
    U16(code);
    U16(static_cast<std::uint16_t>(value.size()));
    Padded(value);
    has_options_ = true;
  }

  void AppendTo(Bytes& file) {
    if (has_options_) {
      U16(kEndOfOptions);
      U16(0);
    }
    const auto length = static_cast<std::uint32_t>(bytes_.size() + 4);
    U32(length);
    // The same length stands after the block type.
    std::copy(bytes_.end() - 4, bytes_.end(), bytes_.begin() + 4);
    file.insert(file.end(), bytes_.begin(), bytes_.end());
  }

 private:
  Bytes bytes_;
  bool has_options_ = false;
};

struct Frame {
  Time time;
  const FrameEvent* event = nullptr;
  std::vector<std::string> comments;
};

struct Comment {
  Time time;
  std::string text;
};

std::vector<Frame> FramesOf(const std::vector<Event>& events) {
  std::vector<Frame> frames;
  for (const Event& event : events) {
    const auto* frame = std::get_if<FrameEvent>(&event.what);
    if (frame == nullptr) continue;
    frames.push_back({event.time, frame, {}});
    std::vector<std::string>& comments = frames.back().comments;
    if (frame->fate == Fate::kDropped) comments.push_back("lost on the wire");
    if (frame->fate == Fate::kDuplicated) comments.push_back("second copy, made on the wire");
    if (frame->fate == Fate::kDelayed) {
      comments.push_back("delayed on the wire" + (frame->delay > Duration(0)
                                                      ? " by " + FormatDuration(frame->delay)
                                                      : std::string()));
    }
  }
  std::stable_sort(frames.begin(), frames.end(),
                   [](const Frame& one, const Frame& other) { return one.time < other.time; });
  return frames;
}

std::vector<Comment> CommentsOf(const std::vector<Event>& events) {
  std::vector<Comment> comments;
  if (events.empty()) return comments;
  const Time zero = ZeroOf(events);
  const auto add = [&](Time time, const std::string& text) {
    comments.push_back({time, fmt::format("{:+.6f} s {}", ToSeconds(time - zero), text)});
  };
  for (const CallSpan& span : CallSpans(events)) {
    std::string text = span.call().actor + ": " + span.call().text;
    if (span.return_event == nullptr) {
      text += fmt::format(" {}", span.NoReturnText());
    } else {
      text += " = " + span.ResultText();
      if (span.end - span.begin >= 1ms) text += " after " + FormatDuration(span.end - span.begin);
    }
    add(span.begin, text);
  }
  for (const Event& event : events) {
    if (const auto* failure = std::get_if<FailureEvent>(&event.what)) {
      add(event.time, fmt::format("FAILED {}:{}\n{}", failure->file, failure->line, failure->text));
    } else if (const auto* expected = std::get_if<ExpectationEvent>(&event.what)) {
      const std::string from = expected->actor.empty() ? "" : " from " + expected->actor;
      if (!expected->met) add(event.time, "expected" + from + ", never seen: " + expected->text);
    }
  }
  std::stable_sort(comments.begin(), comments.end(),
                   [](const Comment& one, const Comment& other) { return one.time < other.time; });
  return comments;
}

}  // namespace

Bytes RenderPcapng(const std::vector<Event>& events, const std::string& test_id) {
  std::vector<Frame> frames = FramesOf(events);
  Block section(kSectionHeader);
  section.U32(0x1a2b3c4d);  // tells the byte order
  section.U16(1);           // version 1.0
  section.U16(0);
  section.U32(UINT32_MAX);  // section length: not said
  section.U32(UINT32_MAX);
  section.Option(kComment, test_id);
  for (const Comment& comment : CommentsOf(events)) {
    if (frames.empty()) {
      section.Option(kComment, comment.text);
      continue;
    }
    auto next = std::lower_bound(frames.begin(), frames.end(), comment.time,
                                 [](const Frame& frame, Time time) { return frame.time < time; });
    if (next == frames.end()) --next;
    next->comments.push_back(comment.text);
  }
  section.Option(kApplication, "sockproof " SOCKPROOF_VERSION);
  Bytes file;
  section.AppendTo(file);

  std::map<std::string, std::uint32_t> interfaces;  // by sending actor
  for (const Frame& frame : frames) {
    const auto number = static_cast<std::uint32_t>(interfaces.size());
    if (!interfaces.emplace(frame.event->from, number).second) continue;
    Block interface(kInterface);
    interface.U16(kLinkTypeEthernet);
    interface.U16(0);  // reserved
    interface.U32(0);  // no limit of the captured length
    interface.Option(kName, frame.event->from);
    interface.Option(kTimeResolution, "\x09");
    interface.AppendTo(file);
  }
  for (const Frame& frame : frames) {
    const auto time = static_cast<std::uint64_t>(ToNanoseconds(frame.time));
    const auto size = static_cast<std::uint32_t>(frame.event->bytes.size());
    Block packet(kEnhancedPacket);
    packet.U32(interfaces.at(frame.event->from));
    packet.U32(static_cast<std::uint32_t>(time >> 32));
    packet.U32(static_cast<std::uint32_t>(time & UINT32_MAX));
    packet.U32(size);  // captured
    packet.U32(size);  // on the wire
    packet.Padded(frame.event->bytes);
    for (const std::string& comment : frame.comments) packet.Option(kComment, comment);
    packet.AppendTo(file);
  }
  return file;
}

}  // namespace sockproof

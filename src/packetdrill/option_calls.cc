// Options and flags of sockets, set and read.
#include <algorithm>

#include "harness/base/text.h"
#include "src/packetdrill/call_builder.h"
#include "src/packetdrill/octets.h"
#include "src/packetdrill/structures.h"

namespace sockproof::packetdrill {
namespace {

class OptionCallBuilder : public CallBuilder {
 public:
  using CallBuilder::CallBuilder;

  void FileControl() {
    CheckCount(2, 3);
    name_ = "fcntl";
    Add(Descriptor(0));
    Add(Number(1));
    Add(event_.arguments.size() > 2 ? Number(2) : 0);
    SayArguments();
  }

  void DeviceControl() {
    CheckCount(2, 3);
    name_ = "ioctl";
    Add(Descriptor(0));
    Add(Number(1));
    SayArguments();
    if (event_.arguments.size() < 3) return;
    const Expression& argument = Argument(2);
    if (argument.kind != Kind::kList || argument.elements.size() != 1) {
      Add(Number(2));
      return;
    }
    const std::size_t piece = Octets(BytesOf(std::int32_t{0}), true);
    AddPiece(piece);
    if (argument.elements[0].kind == Kind::kEllipsis) return;
    const std::int64_t wanted = NumberOf(argument.elements[0]);
    Check([=](std::int64_t, const SystemCall::Pieces& memory) {
      return Differs("the value", wanted, ObjectIn<std::int32_t>(memory[piece]));
    });
  }

  void SetOption() {
    CheckCount(5, 5);
    name_ = "setsockopt";
    Add(Descriptor(0));
    Add(Number(1));
    Add(Number(2));
    Bytes octets = OptionOctets(Argument(3));
    const std::int64_t length = Number(4);
    if (length > static_cast<std::int64_t>(octets.size()) && length <= kMostOctets) {
      octets.resize(static_cast<std::size_t>(length));
    }
    AddPiece(Octets(std::move(octets)));
    Add(length);
    SayArguments();
  }

  void GetOption() {
    CheckCount(5, 5);
    name_ = "getsockopt";
    Add(Descriptor(0));
    Add(Number(1));
    Add(Number(2));
    const Expression& value = Argument(3);
    const Expression& room = Argument(4);
    if (room.kind != Kind::kList || room.elements.size() != 1) {
      throw SyntaxError(room.where, "expected [length]");
    }
    const bool any_length = room.elements[0].kind == Kind::kEllipsis;
    const std::int64_t length = any_length ? 256 : NumberOf(room.elements[0]);
    const std::size_t piece = Zeros(length, true);
    AddPiece(piece);
    const std::size_t size = Octets(BytesOf(static_cast<std::uint32_t>(length)), true);
    AddPiece(size);
    SayArguments();
    const bool any = value.kind == Kind::kEllipsis ||
                     (value.kind == Kind::kList && value.elements.size() == 1 &&
                      value.elements[0].kind == Kind::kEllipsis);
    Bytes wanted;
    if (!any) wanted = OptionOctets(value);
    const bool is_number = value.kind == Kind::kList && value.elements.size() == 1;
    Check([=](std::int64_t, const SystemCall::Pieces& memory) -> std::string {
      const auto seen_length = ObjectIn<std::uint32_t>(memory[size]);
      if (!any_length && seen_length != length) {
        return Differs("the length", length, seen_length);
      }
      if (any) return "";
      if (is_number) {
        return Differs("the value", ObjectIn<std::int32_t>(wanted),
                       ObjectIn<std::int32_t>(memory[piece]));
      }
      const Bytes seen(memory[piece].begin(),
                       memory[piece].begin() +
                           static_cast<std::ptrdiff_t>(
                               std::min<std::size_t>(seen_length, memory[piece].size())));
      const std::size_t compared = std::min(wanted.size(), seen.size());
      if (wanted.size() <= seen.size() + 1 &&
          std::equal(wanted.begin(), wanted.begin() + static_cast<std::ptrdiff_t>(compared),
                     seen.begin())) {
        return "";
      }
      return fmt::format("the value is \"{}\"",
                         Shortened(CleanPart(std::string(seen.begin(), seen.end())), 60));
    });
  }
};

}  // namespace

std::span<const NamedCall> OptionCalls() {
  static constexpr NamedCall kCalls[] = {
      {"fcntl", &MadeBy<OptionCallBuilder, &OptionCallBuilder::FileControl>},
      {"ioctl", &MadeBy<OptionCallBuilder, &OptionCallBuilder::DeviceControl>},
      {"getsockopt", &MadeBy<OptionCallBuilder, &OptionCallBuilder::GetOption>},
      {"setsockopt", &MadeBy<OptionCallBuilder, &OptionCallBuilder::SetOption>},
  };
  return kCalls;
}

}  // namespace sockproof::packetdrill

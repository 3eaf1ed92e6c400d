// Data written and read: in one buffer, or in several.
#include <algorithm>

#include "harness/base/text.h"
#include "src/packetdrill/call_builder.h"
#include "src/packetdrill/octets.h"
#include "src/packetdrill/structures.h"

namespace sockproof::packetdrill {
namespace {

class DataCallBuilder : public CallBuilder {
 public:
  using CallBuilder::CallBuilder;

  void Read() {
    CheckCount(3, 3);
    name_ = "read";
    Add(Descriptor(0));
    AddRoom(1, Number(2));
    Add(Number(2));
    SayArguments();
  }

  void Write() {
    CheckCount(3, 3);
    name_ = "write";
    Add(Descriptor(0));
    AddData(1, Number(2));
    Add(Number(2));
    SayArguments();
  }

  // recv() too.
  void Receive() {
    CheckCount(4, 6);
    name_ = "recvfrom";
    Add(Descriptor(0));
    AddRoom(1, Number(2));
    Add(Number(2));
    Add(Number(3));
    Add(0);
    Add(0);
    SayArguments();
  }

  // send() too.
  void Send() {
    CheckCount(4, 6);
    name_ = "sendto";
    Add(Descriptor(0));
    AddData(1, Number(2));
    Add(Number(2));
    Add(Number(3));
    KeepIfZeroCopy(Number(3));
    if (event_.arguments.size() > 5) {
      AddAddress(4, around_.connect);
    } else {
      Add(0);
      Add(0);
    }
    SayArguments();
  }

  void ReadVector() { VectorCall("readv", true); }
  void WriteVector() { VectorCall("writev", false); }
  void VectorCall(const char* name, bool receives) {
    CheckCount(3, 3);
    name_ = name;
    Add(Descriptor(0));
    AddPiece(Vector(Argument(1), receives).first);
    Add(Number(2));
    SayArguments();
  }

 private:
  // The buffer at `index` of `size` octets, to be read into. NULL is one, too.
  void AddRoom(std::size_t index, std::int64_t size) {
    const Expression& buffer = Argument(index);
    if (buffer.kind == Kind::kString) {
      const std::string text = buffer.text;
      const std::size_t piece = Zeros(size, true);
      AddPiece(piece);
      Check([=, goes_on = buffer.goes_on](std::int64_t result, const SystemCall::Pieces& memory) {
        const Bytes& octets = memory[piece];
        const std::size_t count =
            std::min(octets.size(), static_cast<std::size_t>(std::max<std::int64_t>(result, 0)));
        const std::string seen(octets.begin(),
                               octets.begin() + static_cast<std::ptrdiff_t>(count));
        if (goes_on ? seen.starts_with(text) : seen == text) return std::string();
        return fmt::format("the data are \"{}\"", Shortened(CleanPart(seen), 60));
      });
    } else if (buffer.kind == Kind::kEllipsis) {
      AddPiece(Zeros(size));
    } else {
      Add(Number(index));
    }
  }

  void AddData(std::size_t index, std::int64_t size) {
    const Expression& buffer = Argument(index);
    if (buffer.kind == Kind::kString) {
      Bytes octets(buffer.text.begin(), buffer.text.end());
      octets.resize(static_cast<std::size_t>(std::clamp<std::int64_t>(
          size, static_cast<std::int64_t>(octets.size()), kMostOctets)));
      AddPiece(Octets(std::move(octets)));
      call_.sends_text = true;
    } else if (buffer.kind == Kind::kEllipsis) {
      AddPiece(Zeros(size));
    } else {
      Add(Number(index));
    }
  }
};

}  // namespace

std::span<const NamedCall> DataCalls() {
  static constexpr NamedCall kCalls[] = {
      {"read", &MadeBy<DataCallBuilder, &DataCallBuilder::Read>},
      {"readv", &MadeBy<DataCallBuilder, &DataCallBuilder::ReadVector>},
      {"recv", &MadeBy<DataCallBuilder, &DataCallBuilder::Receive>},
      {"recvfrom", &MadeBy<DataCallBuilder, &DataCallBuilder::Receive>},
      {"write", &MadeBy<DataCallBuilder, &DataCallBuilder::Write>},
      {"writev", &MadeBy<DataCallBuilder, &DataCallBuilder::WriteVector>},
      {"send", &MadeBy<DataCallBuilder, &DataCallBuilder::Send>},
      {"sendto", &MadeBy<DataCallBuilder, &DataCallBuilder::Send>},
  };
  return kCalls;
}

}  // namespace sockproof::packetdrill

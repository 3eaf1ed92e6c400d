// Files and pipes, and what is copied between them and sockets.
#include <fcntl.h>

#include "src/packetdrill/call_builder.h"
#include "src/packetdrill/octets.h"
#include "src/packetdrill/structures.h"

namespace sockproof::packetdrill {
namespace {

class FileCallBuilder : public CallBuilder {
 public:
  using CallBuilder::CallBuilder;

  void Open() {
    CheckCount(2, 3);
    name_ = "openat";
    Add(AT_FDCWD);
    const Expression& path = Argument(0);
    if (path.kind != Kind::kString) throw SyntaxError(path.where, "expected the path of a file");
    std::string where = around_.files;
    if (!path.text.starts_with("/")) where += around_.folder + "/";
    where += path.text;
    where.push_back('\0');
    AddPiece(Octets(Bytes(where.begin(), where.end())));
    Add(Number(1));
    Add(event_.arguments.size() > 2 ? Number(2) : 0644);
    SayArguments(0);
    CreatesResult();
  }

  void SendFile() {
    CheckCount(4, 4);
    name_ = "sendfile";
    Add(Descriptor(0));
    Add(Descriptor(1));
    AddOffset(2);
    Add(Number(3));
    SayArguments(2);
  }

  void Pipe() {
    CheckCount(1, 1);
    name_ = "pipe2";
    const Expression& list = Argument(0);
    if (list.kind != Kind::kList || list.elements.size() != 2) {
      throw SyntaxError(list.where, "expected [reading, writing]");
    }
    const std::size_t piece = Zeros(2 * sizeof(std::int32_t), true);
    AddPiece(piece);
    Add(0);
    call_.creates = {NumberOf(list.elements[0]), NumberOf(list.elements[1])};
    call_.created_in = piece;
    SayArguments(0);
  }

  void Splice() {
    CheckCount(6, 6);
    name_ = "splice";
    Add(Descriptor(0));
    AddOffset(1);
    Add(Descriptor(2));
    AddOffset(3);
    Add(Number(4));
    Add(Number(5));
    Say("{}, {}, {}, {}, {}, {}", Descriptor(0), Describe(Argument(1)), Descriptor(2),
        Describe(Argument(3)), Describe(Argument(4)), Describe(Argument(5)));
  }

 private:
  // NULL, [5] or an integer.
  void AddOffset(std::size_t index) {
    const Expression& offset = Argument(index);
    if (offset.kind == Kind::kList && offset.elements.size() == 1) {
      AddPiece(Octets(BytesOf(NumberOf(offset.elements[0]))));
    } else {
      Add(Number(index));
    }
  }
};

}  // namespace

std::span<const NamedCall> FileCalls() {
  static constexpr NamedCall kCalls[] = {
      {"open", &MadeBy<FileCallBuilder, &FileCallBuilder::Open>},
      {"sendfile", &MadeBy<FileCallBuilder, &FileCallBuilder::SendFile>},
      {"pipe", &MadeBy<FileCallBuilder, &FileCallBuilder::Pipe>},
      {"splice", &MadeBy<FileCallBuilder, &FileCallBuilder::Splice>},
  };
  return kCalls;
}

}  // namespace sockproof::packetdrill

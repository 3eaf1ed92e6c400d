// poll() and epoll.
#include <poll.h>
#include <sys/epoll.h>
#include <time.h>

#include "src/packetdrill/call_builder.h"
#include "src/packetdrill/octets.h"
#include "src/packetdrill/structures.h"

namespace sockproof::packetdrill {
namespace {

class ReadinessCallBuilder : public CallBuilder {
 public:
  using CallBuilder::CallBuilder;

  void Poll() {
    CheckCount(3, 3);
    name_ = "ppoll";
    const Expression& list = Argument(0);
    if (list.kind != Kind::kList) throw SyntaxError(list.where, "expected [{fd=, events=}, ...]");
    Bytes octets;
    std::vector<std::int64_t> wanted;
    for (const Expression& element : list.elements) {
      const Expression* fd = Member(element, "fd");
      const Expression* events = Member(element, "events");
      const Expression* revents = Member(element, "revents");
      if (fd == nullptr || events == nullptr) {
        throw SyntaxError(element.where, "expected {fd=, events=, revents=}");
      }
      pollfd entry{};
      entry.fd = static_cast<int>(Descriptor(NumberOf(*fd), fd->where));
      entry.events = static_cast<short>(NumberOf(*events));
      const Bytes part = BytesOf(entry);
      octets.insert(octets.end(), part.begin(), part.end());
      wanted.push_back(revents == nullptr || revents->kind == Kind::kEllipsis
                           ? -1
                           : NumberOf(*revents));
    }
    const std::size_t piece = Octets(std::move(octets), true);
    AddPiece(piece);
    Add(Number(1));
    const std::int64_t milliseconds = Number(2);
    if (milliseconds < 0) {
      Add(0);
    } else {
      timespec limit{};
      limit.tv_sec = milliseconds / 1000;
      limit.tv_nsec = milliseconds % 1000 * 1'000'000;
      AddPiece(Octets(BytesOf(limit)));
    }
    Add(0);
    Add(8);
    SayArguments(0);
    Check([=](std::int64_t, const SystemCall::Pieces& memory) -> std::string {
      for (std::size_t i = 0; i < wanted.size(); ++i) {
        const auto entry = ObjectIn<pollfd>(memory[piece], i * sizeof(pollfd));
        if (wanted[i] >= 0 && wanted[i] != entry.revents) {
          return fmt::format("revents {} are {:#x} in place of {:#x}", i + 1, entry.revents,
                             wanted[i]);
        }
      }
      return "";
    });
  }

  void EpollCreate() {
    CheckCount(1, 1);
    name_ = "epoll_create1";
    Add(event_.name == "epoll_create1" ? Number(0) : 0);
    SayArguments(0);
    CreatesResult();
  }

  void EpollControl() {
    CheckCount(4, 4);
    name_ = "epoll_ctl";
    Add(Descriptor(0));
    Add(Number(1));
    Add(Descriptor(2));
    if (Argument(3).kind == Kind::kStructure) {
      AddPiece(Octets(BytesOf(EpollEvent(Argument(3)))));
    } else {
      Add(Number(3));
    }
    Say("{}, {}, {}, {}", Descriptor(0), Describe(Argument(1)), Descriptor(2),
        Describe(Argument(3)));
  }

  void EpollWait() {
    CheckCount(4, 4);
    name_ = "epoll_pwait";
    Add(Descriptor(0));
    const std::int64_t room = Number(2);
    const std::size_t piece =
        Zeros(std::clamp<std::int64_t>(room, 1, 4096) * static_cast<std::int64_t>(sizeof(epoll_event)),
              true);
    AddPiece(piece);
    Add(room);
    Add(Number(3));
    Add(0);
    Add(8);
    SayArguments();
    if (Argument(1).kind != Kind::kStructure) return;
    const epoll_event wanted = EpollEvent(Argument(1));
    Check([=](std::int64_t result, const SystemCall::Pieces& memory) -> std::string {
      if (result < 1) return "";
      const auto seen = ObjectIn<epoll_event>(memory[piece]);
      const std::uint32_t events = seen.events;
      if (events != wanted.events) {
        return fmt::format("events are {:#x} in place of {:#x}", events,
                           std::uint32_t{wanted.events});
      }
      return Differs("the data", static_cast<std::int64_t>(wanted.data.u64),
                     static_cast<std::int64_t>(seen.data.u64));
    });
  }

 private:
  // The data of an event: a live descriptor, or a number.
  epoll_event EpollEvent(const Expression& structure) const {
    const Expression* events = Member(structure, "events");
    if (events == nullptr) throw SyntaxError(structure.where, "expected {events=, fd=}");
    epoll_event event{};
    event.events = static_cast<std::uint32_t>(NumberOf(*events));
    if (const Expression* fd = Member(structure, "fd")) {
      event.data.fd = static_cast<int>(Descriptor(NumberOf(*fd), fd->where));
    }
    for (const char* name : {"ptr", "u32", "u64"}) {
      const Expression* number = Member(structure, name);
      if (number != nullptr) event.data.u64 = static_cast<std::uint64_t>(NumberOf(*number));
    }
    return event;
  }
};

}  // namespace

std::span<const NamedCall> ReadinessCalls() {
  static constexpr NamedCall kCalls[] = {
      {"poll", &MadeBy<ReadinessCallBuilder, &ReadinessCallBuilder::Poll>},
      {"epoll_create", &MadeBy<ReadinessCallBuilder, &ReadinessCallBuilder::EpollCreate>},
      {"epoll_create1", &MadeBy<ReadinessCallBuilder, &ReadinessCallBuilder::EpollCreate>},
      {"epoll_ctl", &MadeBy<ReadinessCallBuilder, &ReadinessCallBuilder::EpollControl>},
      {"epoll_wait", &MadeBy<ReadinessCallBuilder, &ReadinessCallBuilder::EpollWait>},
  };
  return kCalls;
}

}  // namespace sockproof::packetdrill

// malloc() and its like, for all of this program: they are found before those of the C library, and
// leave to these whatever lwIP does not ask for.
#include "src/agent_lwip/guarded_memory.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <link.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#if defined(__SANITIZE_ADDRESS__)

namespace sockproof::agent_lwip {
void GuardMemory() { throw std::runtime_error("this agent was built with AddressSanitizer"); }
}  // namespace sockproof::agent_lwip

#else

// NOLINTBEGIN(bugprone-reserved-identifier): what glibc calls its own
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* piece, std::size_t size);
void __libc_free(void* piece);
}
// NOLINTEND(bugprone-reserved-identifier)

namespace {

constexpr std::size_t kPage = 4096, kAlignment = 16;
constexpr std::size_t kArena = std::size_t{1} << 36;  // of addresses; enough for millions of pieces
constexpr std::uint32_t kFreed = std::uint32_t{1} << 31;
constexpr int kMostFrames = 32;

char* arena = nullptr;
std::uint32_t* sizes = nullptr;  // of the piece whose first page it is; kFreed when it is gone
std::atomic<std::size_t> used{0};
std::uintptr_t lwip_begin = 0, lwip_end = 0;

bool IsOfLwip(const void* code) {
  const auto at = reinterpret_cast<std::uintptr_t>(code);
  return at >= lwip_begin && at < lwip_end;
}

bool IsGuarded(const void* piece) {
  const auto at = reinterpret_cast<std::uintptr_t>(piece);
  const auto begin = reinterpret_cast<std::uintptr_t>(arena);
  return arena != nullptr && at >= begin && at < begin + kArena;
}

std::size_t PageOf(const void* piece) {
  return static_cast<std::size_t>(static_cast<const char*>(piece) - arena) / kPage;
}

std::size_t PagesFor(std::size_t size) { return (size + kPage - 1) / kPage; }

void Say(const char* text) {
  if (write(STDERR_FILENO, text, strlen(text)) < 0) return;
}

// "lwIP: freed memory is used, in tcp_write, of lwip_sendmsg"
void Tell(const char* what) {
  Say("lwIP: ");
  Say(what);
  void* frames[kMostFrames];
  const int count = backtrace(frames, kMostFrames);
  const char* before = nullptr;
  for (int i = 0; i < count; ++i) {
    Dl_info info;
    if (!IsOfLwip(frames[i]) || dladdr(frames[i], &info) == 0 || info.dli_sname == nullptr)
      continue;
    if (before != nullptr && strcmp(before, info.dli_sname) == 0) continue;
    Say(before == nullptr ? ", in " : ", of ");
    Say(info.dli_sname);
    before = info.dli_sname;
  }
  Say("\n");
}

void* Allocate(std::size_t size) {
  if (size == 0) size = 1;
  const std::size_t room = (size + kAlignment - 1) / kAlignment * kAlignment;
  if (room < size || room >= kFreed) return nullptr;
  const std::size_t length = PagesFor(room) * kPage;
  const std::size_t at = used.fetch_add(length + kPage);  // one page after it is never there
  if (at + length + kPage > kArena) return __libc_malloc(size);
  if (mprotect(arena + at, length, PROT_READ | PROT_WRITE) != 0) return __libc_malloc(size);
  char* const piece = arena + at + length - room;
  sizes[PageOf(piece)] = static_cast<std::uint32_t>(size);
  return piece;
}

// The place of its size; ends the process when there is no such piece.
std::uint32_t& SizeOf(void* piece) {
  std::uint32_t& size = sizes[PageOf(piece)];
  if (size == 0 || (size & kFreed) != 0) {
    Tell(size == 0 ? "what was never allocated is freed" : "memory is freed twice");
    abort();
  }
  return size;
}

void Free(void* piece) {
  std::uint32_t& size = SizeOf(piece);
  char* const begin = arena + PageOf(piece) * kPage;
  const std::size_t length = PagesFor(size) * kPage;
  size |= kFreed;
  madvise(begin, length, MADV_DONTNEED);
  mprotect(begin, length, PROT_NONE);
}

void OnFault(int /*signal*/, siginfo_t* info, void* /*context*/) {
  if (IsGuarded(info->si_addr)) {
    std::size_t page = PageOf(info->si_addr);
    while (page > 0 && sizes[page] == 0) --page;
    Tell((sizes[page] & kFreed) != 0 ? "freed memory is used" : "memory is used past its end");
  }
  // The same access once more, now with its usual end.
}

}  // namespace

extern "C" {

void* malloc(std::size_t size) {
  return IsOfLwip(__builtin_return_address(0)) ? Allocate(size) : __libc_malloc(size);
}

void* calloc(std::size_t count, std::size_t size) {
  if (!IsOfLwip(__builtin_return_address(0))) return __libc_calloc(count, size);
  std::size_t all = 0;
  return __builtin_mul_overflow(count, size, &all) ? nullptr : Allocate(all);  // it is zero
}

void* realloc(void* piece, std::size_t size) {
  if (!IsGuarded(piece)) return __libc_realloc(piece, size);
  void* const anew = Allocate(size);
  if (anew != nullptr) {
    const std::size_t before = SizeOf(piece);
    memcpy(anew, piece, before < size ? before : size);
    Free(piece);
  }
  return anew;
}

void free(void* piece) {
  if (IsGuarded(piece)) {
    Free(piece);
  } else {
    __libc_free(piece);
  }
}

}  // extern "C"

namespace sockproof::agent_lwip {

void GuardMemory() {
  void* frame = nullptr;
  backtrace(&frame, 1);  // which allocates, the first time
  const auto map = [](std::size_t length, int protection) {
    void* const at =
        mmap(nullptr, length, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED) throw std::runtime_error("no room for guarded memory");
    return at;
  };
  sizes = static_cast<std::uint32_t*>(
      map(kArena / kPage * sizeof(std::uint32_t), PROT_READ | PROT_WRITE));
  arena = static_cast<char*>(map(kArena, PROT_NONE));
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void*) {
        if (strstr(info->dlpi_name, "liblwip") == nullptr) return 0;
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          const auto& part = info->dlpi_phdr[i];
          if (part.p_type != PT_LOAD || (part.p_flags & PF_X) == 0) continue;
          lwip_begin = info->dlpi_addr + part.p_vaddr;
          lwip_end = lwip_begin + part.p_memsz;
        }
        return 1;
      },
      nullptr);
  if (lwip_begin == 0) throw std::runtime_error("lwIP is no shared library here");
  struct sigaction action {};
  action.sa_sigaction = OnFault;
  action.sa_flags = SA_SIGINFO | SA_RESETHAND;
  sigaction(SIGSEGV, &action, nullptr);
}

}  // namespace sockproof::agent_lwip

#endif

/* sockproof-agent-c: makes socket calls inside a system under test, asked by JSON-RPC on standard
 * input and answering on standard output. The protocol is in src/agent/README.md, and this file was
 * written from that page alone, to be carried to other systems:
 *
 *     cc -std=c11 -pthread agent.c -o sockproof-agent-c
 *
 * It needs POSIX.1-2008 with threads. What else a system has is used if its headers have it;
 * -DSOCKPROOF_PLAIN_POSIX leaves all of that out. */
#ifdef SOCKPROOF_PLAIN_POSIX
#define _POSIX_C_SOURCE 200809L
#else
#define _GNU_SOURCE      /* glibc, musl */
#define _DARWIN_C_SOURCE /* macOS */
#define _NETBSD_SOURCE   /* NetBSD */
#define __BSD_VISIBLE 1  /* FreeBSD, OpenBSD */
#define __EXTENSIONS__   /* illumos */
#endif

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#ifndef SOCKPROOF_PLAIN_POSIX
#include <sys/ioctl.h>
#ifdef __linux__
#define ON_LINUX
#include <linux/capability.h>
#include <linux/errqueue.h>
#include <linux/filter.h>
#include <linux/icmp.h>
#include <linux/if_packet.h>
#include <linux/mount.h>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <netinet/icmp6.h>
#include <netinet/udp.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#endif
#ifdef __FreeBSD__
#include <sys/procctl.h>
#endif
#if defined(ON_LINUX) && defined(__has_include)
#if __has_include(<linux/io_uring.h>)
#include <linux/io_uring.h>
#define HAS_RINGS
#endif
#endif
#endif

enum {
  kProtocol = 1,
  kLongestLine = 16 << 20,
  kLongestData = 8 << 20,
  kLongestOption = 4096,
  kDeepest = 16,      /* nesting of JSON */
  kMostCalls = 256,   /* in threads of their own at a time */
  kMostMembers = 20,  /* of an object that a method reads */
  kMostEvents = 4096, /* of one epoll_wait() */
  kMostParts = 2048,  /* of a message; a system is to refuse more than its IOV_MAX */
  kMostControl = 1 << 18,
};

enum {
  kParseError = -32700,
  kInvalidRequest = -32600,
  kUnknownMethod = -32601,
  kBadParameters = -32602,
  kInternalError = -32603,
  kTooManyCalls = -32000,
  kUnsupported = -32001,
};

#include "names.h" /* behind the headers, whose constants it lists */

/* ---- text that grows ---- */

struct text {
  char* bytes;
  size_t length, room;
  int failed; /* for want of memory: what was to be added is lost */
};

static void PutBytes(struct text* text, const char* bytes, size_t length) {
  if (text->failed) return;
  if (text->length + length > text->room) {
    const size_t room = (text->length + length) * 2 + 256;
    char* const larger = realloc(text->bytes, room);
    if (larger == NULL) {
      text->failed = 1;
      return;
    }
    text->bytes = larger;
    text->room = room;
  }
  memcpy(text->bytes + text->length, bytes, length);
  text->length += length;
}

static void Put(struct text* text, const char* string) { PutBytes(text, string, strlen(string)); }

static void PutInteger(struct text* text, long long number) {
  char digits[32];
  snprintf(digits, sizeof digits, "%lld", number);
  Put(text, digits);
}

static void PutUnsigned(struct text* text, unsigned long long number) {
  char digits[32];
  snprintf(digits, sizeof digits, "%llu", number);
  Put(text, digits);
}

/* As a JSON string. What is not ASCII becomes '?': such text comes from the system only, and
 * nobody knows its encoding. */
static void PutString(struct text* text, const char* string, size_t length) {
  Put(text, "\"");
  for (size_t i = 0; i < length; ++i) {
    const unsigned char byte = (unsigned char)string[i];
    char escaped[8];
    if (byte == '"' || byte == '\\') {
      snprintf(escaped, sizeof escaped, "\\%c", byte);
    } else if (byte < 0x20) {
      snprintf(escaped, sizeof escaped, "\\u%04x", byte);
    } else {
      snprintf(escaped, sizeof escaped, "%c", byte < 0x7f ? byte : '?');
    }
    Put(text, escaped);
  }
  Put(text, "\"");
}

/* ---- base64 (RFC 4648) ---- */

static const char kBase64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void PutBase64(struct text* text, const void* data, size_t length) {
  const unsigned char* bytes = data;
  Put(text, "\"");
  for (size_t i = 0; i < length; i += 3) {
    const size_t count = length - i < 3 ? length - i : 3;
    unsigned long group = 0;
    for (size_t k = 0; k < 3; ++k) group = group << 8 | (k < count ? bytes[i + k] : 0);
    char digits[4];
    for (size_t k = 0; k < 4; ++k)
      digits[k] = k <= count ? kBase64[group >> (18 - 6 * k) & 63] : '=';
    PutBytes(text, digits, sizeof digits);
  }
  Put(text, "\"");
}

/* In place. Returns the number of bytes, -1 for what is not base64. */
static long DecodeBase64(char* text, size_t length) {
  if (length % 4 != 0) return -1;
  size_t digits = length;
  while (digits > 0 && length - digits < 2 && text[digits - 1] == '=') --digits;
  unsigned long bits = 0;
  int bit_count = 0;
  size_t size = 0;
  for (size_t i = 0; i < digits; ++i) {
    const char* const digit = text[i] == '\0' ? NULL : strchr(kBase64, text[i]);
    if (digit == NULL) return -1;
    bits = (bits << 6 | (unsigned long)(digit - kBase64)) & 0xffffff;
    bit_count += 6;
    if (bit_count < 8) continue;
    bit_count -= 8;
    text[size++] = (char)(bits >> bit_count & 0xff);
  }
  /* What is left of the last digit carries nothing. */
  return (bits & ((1ul << bit_count) - 1)) != 0 ? -1 : (long)size;
}

/* ---- JSON (RFC 8259), read where it stands ----
 *
 * A line is checked once as a whole. After that a value is a pointer to its first character, and
 * the functions below need not expect anything wrong. The byte behind the line is 0, which is
 * nowhere valid, so that nothing reads on. */

static const char* SkipSpace(const char* at) {
  while (*at == ' ' || *at == '\t' || *at == '\r' || *at == '\n') ++at;
  return at;
}

static int HexDigit(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

/* The number of four hexadecimal digits, -1 for anything else. */
static long HexQuad(const char* at) {
  long number = 0;
  for (int i = 0; i < 4; ++i) {
    const int digit = HexDigit(at[i]);
    if (digit < 0) return -1;
    number = number << 4 | digit;
  }
  return number;
}

/* Behind one character in UTF-8, NULL for what is none. */
static const char* SkipCharacter(const char* at) {
  const unsigned char* const byte = (const unsigned char*)at;
  if (byte[0] < 0x80) return at + 1;
  const int more = byte[0] >= 0xf0 ? 3 : byte[0] >= 0xe0 ? 2 : 1;
  if (byte[0] < 0xc2 || byte[0] > 0xf4) return NULL;
  for (int i = 1; i <= more; ++i) {
    if ((byte[i] & 0xc0) != 0x80) return NULL;
  }
  /* Longer than need be, a surrogate, beyond Unicode. */
  if ((byte[0] == 0xe0 && byte[1] < 0xa0) || (byte[0] == 0xed && byte[1] > 0x9f)) return NULL;
  if ((byte[0] == 0xf0 && byte[1] < 0x90) || (byte[0] == 0xf4 && byte[1] > 0x8f)) return NULL;
  return at + 1 + more;
}

static const char* SkipEscape(const char* at) {
  if (at[1] != 'u') return at[1] != '\0' && strchr("\"\\/bfnrt", at[1]) != NULL ? at + 2 : NULL;
  const long unit = HexQuad(at + 2);
  if (unit < 0 || (unit >= 0xdc00 && unit <= 0xdfff)) return NULL;
  if (unit < 0xd800 || unit > 0xdbff) return at + 6;
  if (at[6] != '\\' || at[7] != 'u') return NULL;
  const long low = HexQuad(at + 8);
  return low >= 0xdc00 && low <= 0xdfff ? at + 12 : NULL;
}

static const char* SkipString(const char* at) {
  if (*at != '"') return NULL;
  for (++at; at != NULL && *at != '"';) {
    if ((unsigned char)*at < 0x20) return NULL;
    at = *at == '\\' ? SkipEscape(at) : SkipCharacter(at);
  }
  return at == NULL ? NULL : at + 1;
}

static const char* SkipDigits(const char* at) {
  if (*at < '0' || *at > '9') return NULL;
  while (*at >= '0' && *at <= '9') ++at;
  return at;
}

static const char* SkipNumber(const char* at) {
  if (*at == '-') ++at;
  at = *at == '0' ? at + 1 : SkipDigits(at);
  if (at != NULL && *at == '.') at = SkipDigits(at + 1);
  if (at != NULL && (*at == 'e' || *at == 'E')) {
    ++at;
    if (*at == '+' || *at == '-') ++at;
    at = SkipDigits(at);
  }
  return at;
}

static const char* SkipWord(const char* at, const char* word) {
  return strncmp(at, word, strlen(word)) == 0 ? at + strlen(word) : NULL;
}

static const char* SkipValue(const char* at, int depth);

/* A list, or an object if `named`. */
static const char* SkipContainer(const char* at, int named, char closing, int depth) {
  if (depth >= kDeepest) return NULL;
  at = SkipSpace(at + 1);
  if (*at == closing) return at + 1;
  while (1) {
    if (named) {
      at = SkipString(SkipSpace(at));
      if (at == NULL) return NULL;
      at = SkipSpace(at);
      if (*at++ != ':') return NULL;
    }
    at = SkipValue(SkipSpace(at), depth + 1);
    if (at == NULL) return NULL;
    at = SkipSpace(at);
    if (*at == closing) return at + 1;
    if (*at++ != ',') return NULL;
  }
}

/* Behind the value at `at`, NULL when there is none. */
static const char* SkipValue(const char* at, int depth) {
  switch (*at) {
    case '{':
      return SkipContainer(at, 1, '}', depth);
    case '[':
      return SkipContainer(at, 0, ']', depth);
    case '"':
      return SkipString(at);
    case 't':
      return SkipWord(at, "true");
    case 'f':
      return SkipWord(at, "false");
    case 'n':
      return SkipWord(at, "null");
    default:
      return SkipNumber(at);
  }
}

/* The next element of the list at which `*at` stood, or stands behind one of its elements; NULL at
 * its end. Sets `*at` behind the element. */
static const char* NextElement(const char** at) {
  const char* const before = SkipSpace(*at);
  if (*before == ']') return NULL;
  const char* const value = SkipSpace(before + 1); /* behind '[' or ',' */
  if (*value == ']') return NULL;
  *at = SkipValue(value, 0);
  return value;
}

/* The same for the members of an object. */
static const char* NextMember(const char** at, const char** name) {
  const char* const before = SkipSpace(*at);
  if (*before == '}') return NULL;
  *name = SkipSpace(before + 1);
  if (**name == '}') return NULL;
  const char* const colon = SkipSpace(SkipString(*name));
  const char* const value = SkipSpace(colon + 1);
  *at = SkipValue(value, 0);
  return value;
}

static size_t PutUtf8(char* out, unsigned long code) {
  if (code < 0x80) {
    out[0] = (char)code;
    return 1;
  }
  const size_t more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  static const unsigned char kFirst[] = {0, 0xc0, 0xe0, 0xf0};
  for (size_t i = more; i > 0; --i, code >>= 6) out[i] = (char)(0x80 | (code & 0x3f));
  out[0] = (char)(kFirst[more] | code);
  return more + 1;
}

/* The text of the string at `at`, to be freed, with a 0 behind it; NULL when there is no memory. */
static char* DecodeString(const char* at, size_t* length) {
  const char* const end = SkipString(at) - 1;
  char* const text = malloc((size_t)(end - at) + 4);
  size_t size = 0;
  if (text == NULL) return NULL;
  for (++at; at < end;) {
    if (*at != '\\') {
      text[size++] = *at++;
    } else if (at[1] != 'u') {
      static const char kEscapes[] = "bfnrt", kMeanings[] = "\b\f\n\r\t";
      const char* const known = strchr(kEscapes, at[1]);
      text[size++] = known != NULL ? kMeanings[known - kEscapes] : at[1];
      at += 2;
    } else {
      unsigned long code = (unsigned long)HexQuad(at + 2);
      at += 6;
      if (code >= 0xd800 && code <= 0xdbff) {
        code = 0x10000 + ((code - 0xd800) << 10) + ((unsigned long)HexQuad(at + 2) - 0xdc00);
        at += 6;
      }
      size += PutUtf8(text + size, code);
    }
  }
  text[size] = '\0';
  *length = size;
  return text;
}

/* Whether the string at `at` is `wanted`. */
static int StringIs(const char* at, const char* wanted) {
  const size_t size = (size_t)(SkipString(at) - at) - 2;
  if (memchr(at, '\\', size + 1) == NULL) {
    return size == strlen(wanted) && memcmp(at + 1, wanted, size) == 0;
  }
  size_t length = 0;
  char* const text = DecodeString(at, &length);
  const int same = text != NULL && length == strlen(wanted) && memcmp(text, wanted, length) == 0;
  free(text);
  return same;
}

/* How much of the string at `at` a message shows, without its quotes. */
static int ShownLength(const char* at) {
  const long length = SkipString(at) - at - 2;
  return length < 60 ? (int)length : 60;
}

/* The member of the object at `object`; NULL when it has none of that name. */
static const char* FindMember(const char* object, const char* wanted) {
  const char* name = NULL;
  for (const char* value; (value = NextMember(&object, &name)) != NULL;) {
    if (StringIs(name, wanted)) return value;
  }
  return NULL;
}

static int IsInteger(const char* value) {
  if (*value != '-' && (*value < '0' || *value > '9')) return 0;
  for (const char* end = SkipNumber(value); value < end; ++value) {
    if (*value == '.' || *value == 'e' || *value == 'E') return 0;
  }
  return 1;
}

/* ---- one request ---- */

struct request;

/* An object whose members are asked for by name, so that those nobody asked for can be found. */
struct object {
  struct request* request;
  const char* context; /* opens error messages */
  const char* at;
  const char* read[kMostMembers];
  int read_count;
};

struct method {
  const char* name;
  void (*function)(struct request*, struct object* params);
  int may_block;
};

struct request {
  char* line;
  const char* id; /* in the line; "null" before it is known */
  size_t id_length;
  const struct method* method;
  struct object params;
  int announce;

  int refused; /* the code of the error; 0: none */
  char reason[200];
  long long begin, end;
  int error; /* errno of the call */
  int broken_pipes;
  int bad_pointers_used;
  struct iovec* vector; /* of a call that takes one, to be freed with the request */
  struct text value;
#ifdef ON_LINUX
  int exits, exit_status; /* once it is answered */
  struct watch* watch;    /* of an announced call in a thread of its own; else NULL */
#endif
};

static pthread_mutex_t counting = PTHREAD_MUTEX_INITIALIZER;
static int calls_in_threads = 0;

static pthread_mutex_t writing = PTHREAD_MUTEX_INITIALIZER;

/* Writes a line whole. */
static void WriteLine(struct text* line) {
  PutBytes(line, "\n", 1);
  pthread_mutex_lock(&writing);
  for (size_t written = 0; written < line->length;) {
    const ssize_t count = write(STDOUT_FILENO, line->bytes + written, line->length - written);
    if (count >= 0) {
      written += (size_t)count;
    } else if (errno == EAGAIN) { /* someone else made it non-blocking */
      struct pollfd entry = {STDOUT_FILENO, POLLOUT, 0};
      poll(&entry, 1, -1);
    } else if (errno != EINTR) {
      _exit(0); /* nobody listens any more */
    }
  }
  pthread_mutex_unlock(&writing);
  free(line->bytes);
}

static void Refuse(struct request* request, int code, const char* format, ...) {
  if (request->refused != 0) return; /* the first reason is the one to tell */
  va_list arguments;
  va_start(arguments, format);
  request->refused = code;
  vsnprintf(request->reason, sizeof request->reason, format, arguments);
  va_end(arguments);
}

static void Opening(const struct request* request, struct text* line) {
  Put(line, "{\"jsonrpc\":\"2.0\",\"id\":");
  PutBytes(line, request->id, request->id_length);
}

static void ReplyError(const struct request* request) {
  struct text line = {0};
  Opening(request, &line);
  Put(&line, ",\"error\":{\"code\":");
  PutInteger(&line, request->refused);
  Put(&line, ",\"message\":");
  PutString(&line, request->reason, strlen(request->reason));
  Put(&line, "}}");
  if (line.failed) _exit(1); /* no memory for two hundred bytes */
  WriteLine(&line);
}

static const char* ErrnoName(int error, char* room, size_t size);

static void Reply(struct request* request) {
  if (request->value.failed) Refuse(request, kInternalError, "out of memory");
  struct text line = {0};
  if (request->refused == 0) {
    char room[32];
    Opening(request, &line);
    Put(&line, ",\"result\":{\"begin\":");
    PutInteger(&line, request->begin);
    Put(&line, ",\"end\":");
    PutInteger(&line, request->end);
    if (request->error != 0) {
      Put(&line, ",\"errno\":\"");
      Put(&line, ErrnoName(request->error, room, sizeof room));
      Put(&line, "\"");
    } else {
      Put(&line, ",\"value\":");
      PutBytes(&line, request->value.bytes, request->value.length);
    }
    for (int i = 0; i < request->broken_pipes; ++i) {
      Put(&line, i == 0 ? ",\"signals\":[\"SIGPIPE\"" : ",\"SIGPIPE\"");
    }
    Put(&line, request->broken_pipes > 0 ? "]}}" : "}}");
    if (!line.failed) {
      WriteLine(&line);
      return;
    }
    free(line.bytes);
    Refuse(request, kInternalError, "out of memory");
  }
  ReplyError(request);
}

/* ---- the clock, the announcement and the signal around a call ---- */

#if defined(ON_LINUX) || defined(__FreeBSD__)
#define SIGPIPE_IS_OF_THE_CALLING_THREAD
#if __STDC_VERSION__ >= 201112L
static _Thread_local volatile sig_atomic_t broken_pipes;
#else
static __thread volatile sig_atomic_t broken_pipes;
#endif
static void CountBrokenPipe(int number) {
  (void)number;
  ++broken_pipes;
}
#endif

static long long Now(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (long long)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void CheckAllRead(struct object* object) {
  const char *at = object->at, *name = NULL;
  for (const char* value; (value = NextMember(&at, &name)) != NULL;) {
    int known = 0;
    for (int i = 0; i < object->read_count; ++i) known = known || StringIs(name, object->read[i]);
    if (!known) {
      Refuse(object->request, kUnsupported, "%s: parameter %.*s is unsupported", object->context,
             ShownLength(name), name + 1);
    }
  }
}

#ifdef ON_LINUX
static void CheckBadPointers(struct object* params);
#else
#define CheckBadPointers(params) ((void)(params))
#endif

static int Announce(const char* id, size_t id_length, long long time) {
  struct text line = {0};
  Put(&line, "{\"jsonrpc\":\"2.0\",\"method\":\"begun\",\"params\":{\"id\":");
  PutBytes(&line, id, id_length);
  Put(&line, ",\"time\":");
  PutInteger(&line, time);
  Put(&line, "}}");
  if (line.failed) {
    free(line.bytes);
    return 0;
  }
  WriteLine(&line);
  return 1;
}

#ifdef ON_LINUX
enum { kFirstOutOfTheWay = 700 }; /* of the descriptors that tests see */

/* A call in a thread of its own, as the thread that reads requests sees it. It is announced when it
 * is known to sleep, so that all that it does at once is done by then: /proc/thread-self tells
 * (proc(5)). */
struct watch {
  int users; /* both threads, until they need it no more */
  enum { kReadsParameters, kEntered, kLeft } stage;
  int announced;
  long long time;
  int file; /* of the thread in /proc; -1: there is none */
  size_t id_length;
  char id[];
};

static pthread_mutex_t watching = PTHREAD_MUTEX_INITIALIZER; /* taken before `writing` */

/* NULL when there is no memory: then it announces itself. */
static struct watch* NewWatch(const struct request* request) {
  struct watch* const watch = calloc(1, sizeof *watch + request->id_length);
  if (watch == NULL) return NULL;
  watch->users = 2;
  watch->file = -1;
  watch->id_length = request->id_length;
  memcpy(watch->id, request->id, request->id_length);
  return watch;
}

static void ReleaseWatch(struct watch* watch) {
  pthread_mutex_lock(&watching);
  const int unused = --watch->users == 0;
  pthread_mutex_unlock(&watching);
  if (!unused) return;
  if (watch->file >= 0) close(watch->file);
  free(watch);
}

/* In the thread of the call, before it is made: a descriptor that is out of the way of those that
 * tests see. */
static void ShowThread(struct watch* watch) {
  /* By its number it is found only where /proc is of the PID namespace that this process is in. */
  const int opened = open("/proc/thread-self/stat", O_RDONLY | O_CLOEXEC);
  if (opened < 0) return;
  watch->file = fcntl(opened, F_DUPFD_CLOEXEC, kFirstOutOfTheWay);
  close(opened);
}

static void EnterWatched(struct watch* watch) {
  pthread_mutex_lock(&watching);
  watch->time = Now();
  watch->stage = kEntered;
  pthread_mutex_unlock(&watching);
}

/* With `watching` held. */
static void AnnounceOnce(struct watch* watch) {
  if (!watch->announced) Announce(watch->id, watch->id_length, watch->time);
  watch->announced = 1;
}

/* In the thread of the call, when it has returned or was never made. */
static void LeaveWatched(struct watch* watch) {
  pthread_mutex_lock(&watching);
  if (watch->stage == kEntered) AnnounceOnce(watch);
  watch->stage = kLeft;
  pthread_mutex_unlock(&watching);
}

/* 'S' for a thread that sleeps until something happens; 0 when nobody tells. */
static char StateOfThread(int file) {
  char line[512];
  const ssize_t count = pread(file, line, sizeof line - 1, 0);
  if (count <= 0) return 0;
  line[count] = 0;
  const char* const name_end =
      strrchr(line, ')'); /* "4711 (name) S ...": a name may hold anything */
  return name_end != NULL && name_end[1] == ' ' ? name_end[2] : 0;
}

/* Returns when the call is announced: it sleeps, has returned, or is busy for a second. */
static void AnnounceWhenItSleeps(struct watch* watch) {
  const long long kMostPatience = 1000000000;
  for (int announced = 0; !announced; sched_yield()) {
    pthread_mutex_lock(&watching);
    const int stage = watch->stage;
    const long long busy = Now() - watch->time;
    pthread_mutex_unlock(&watching);
    announced = stage == kLeft;
    if (stage != kEntered) continue;
    const char state = StateOfThread(watch->file);
    if (state != 'S' && state != 0 && busy < kMostPatience) continue;
    pthread_mutex_lock(&watching);
    if (watch->stage == kEntered) AnnounceOnce(watch);
    pthread_mutex_unlock(&watching);
    announced = 1;
  }
  ReleaseWatch(watch);
}
#endif

/* All parameters are read: false if the call is not to be made. */
static int Begin(struct request* request) {
  CheckBadPointers(&request->params);
  CheckAllRead(&request->params);
  if (request->refused != 0) return 0;
#ifdef ON_LINUX
  if (request->watch != NULL) {
    EnterWatched(request->watch);
  } else
#endif
      if (request->announce && !Announce(request->id, request->id_length, Now())) {
    Refuse(request, kInternalError, "out of memory");
    return 0;
  }
#ifdef SIGPIPE_IS_OF_THE_CALLING_THREAD
  broken_pipes = 0;
#endif
  request->begin = Now();
  return 1;
}

/* The call has returned `result`, negative for an error. True if it succeeded. */
static int End(struct request* request, long long result) {
  const int error = errno;
  request->end = Now();
  request->error = result < 0 ? error : 0;
#ifdef SIGPIPE_IS_OF_THE_CALLING_THREAD
  request->broken_pipes = broken_pipes;
#endif
  return result >= 0;
}

/* The same, for a call whose value is what it returned. */
static void EndWith(struct request* request, long long result) {
  if (End(request, result)) PutInteger(&request->value, result);
}

/* ---- parameters, read strictly ----
 *
 * What is missing or wrong is noted in the request; the functions go on with something harmless
 * then, and Begin() stops the call. */

static const char* Optional(struct object* object, const char* name) {
  if (object->read_count < kMostMembers) object->read[object->read_count++] = name;
  return FindMember(object->at, name);
}

static const char* Required(struct object* object, const char* name) {
  const char* const value = Optional(object, name);
  if (value == NULL) {
    Refuse(object->request, kBadParameters, "%s: %s is missing", object->context, name);
  }
  return value;
}

static int IntegerAt(struct object* object, const char* name, const char* value, long long lowest,
                     long long highest) {
  if (value == NULL) return 0;
  errno = 0;
  const long long number = IsInteger(value) ? strtoll(value, NULL, 10) : highest;
  if (!IsInteger(value) || errno == ERANGE || number < lowest || number > highest) {
    Refuse(object->request, kBadParameters, "%s: %s must be an integer from %lld to %lld",
           object->context, name, lowest, highest);
    return 0;
  }
  return (int)number;
}

static int Integer(struct object* object, const char* name) {
  return IntegerAt(object, name, Required(object, name), INT_MIN, INT_MAX);
}

static int IntegerFrom(struct object* object, const char* name, long long lowest,
                       long long highest) {
  return IntegerAt(object, name, Required(object, name), lowest, highest);
}

/* The string at `value`, to be freed; NULL, noted, when it is none. */
static char* TextAt(struct object* object, const char* name, const char* value, size_t* length) {
  if (value == NULL) return NULL;
  if (*value != '"') {
    Refuse(object->request, kBadParameters, "%s: %s must be a string", object->context, name);
    return NULL;
  }
  char* const text = DecodeString(value, length);
  if (text == NULL) Refuse(object->request, kInternalError, "out of memory");
  return text;
}

/* The same for text that becomes a string of C. */
static char* Text(struct object* object, const char* name) {
  size_t length = 0;
  char* const text = TextAt(object, name, Required(object, name), &length);
  if (text != NULL && strlen(text) != length) {
    Refuse(object->request, kBadParameters, "%s: %s has a character 0", object->context, name);
  }
  return text;
}

/* Data, to be freed. */
static char* BytesAt(struct object* object, const char* name, const char* value, size_t* length) {
  char* const text = TextAt(object, name, value, length);
  if (text == NULL) return NULL;
  const long size = DecodeBase64(text, *length);
  if (size < 0) {
    Refuse(object->request, kBadParameters, "%s: %s must be base64", object->context, name);
  }
  *length = size < 0 ? 0 : (size_t)size;
  return text;
}

static char* Bytes(struct object* object, const char* name, size_t* length) {
  return BytesAt(object, name, Required(object, name), length);
}

static struct object Fields(struct object* outer, const char* context, const char* value) {
  struct object fields = {.request = outer->request, .context = context, .at = value};
  if (value == NULL || *value != '{') {
    Refuse(outer->request, kBadParameters, "%s: %s must be an object", outer->context, context);
    fields.at = "{}";
  }
  return fields;
}

/* ---- bad pointers ---- */

#ifdef ON_LINUX
/* Three pages of this thread: one for data, one that may not be touched, one that may only be
 * read. */
static char* PagesForBadPointers(size_t page) {
#if __STDC_VERSION__ >= 201112L
  static _Thread_local char* pages;
#else
  static __thread char* pages;
#endif
  if (pages == NULL) {
    char* const made =
        mmap(NULL, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (made == (char*)MAP_FAILED) return NULL;
    mprotect(made + page, page, PROT_NONE);
    pages = made;
  }
  return pages;
}

/* `original`, or what "bad_pointers" puts in the place of that argument of the call. */
static void* At(struct object* params, const char* argument, void* original, size_t size) {
  const char* const pointers = Optional(params, "bad_pointers");
  if (pointers == NULL) return original;
  if (*pointers != '{') {
    Refuse(params->request, kBadParameters, "%s: bad_pointers must be an object", params->context);
    return original;
  }
  const char* const asked = FindMember(pointers, argument);
  if (asked == NULL) return original;
  const size_t page = (size_t)sysconf(_SC_PAGESIZE);
  char* const pages = PagesForBadPointers(page);
  if (pages == NULL) {
    Refuse(params->request, kInternalError, "out of memory");
    return original;
  }
  params->request->bad_pointers_used++;
  if (*asked == '"' && StringIs(asked, "null")) return NULL;
  if (*asked == '"' && StringIs(asked, "unmapped")) return pages + page;
  if (*asked == '"' && StringIs(asked, "read-only")) {
    mprotect(pages + 2 * page, page, PROT_READ | PROT_WRITE);
    if (original != NULL) memcpy(pages + 2 * page, original, size < page ? size : page);
    mprotect(pages + 2 * page, page, PROT_READ);
    return pages + 2 * page;
  }
  const size_t octets = (size_t)IntegerAt(params, "bad_pointers", asked, 0, (long long)page);
  char* const begin = pages + page - octets;
  if (original != NULL) memcpy(begin, original, octets < size ? octets : size);
  return begin;
}

/* Whether each of them has found its argument. */
static void CheckBadPointers(struct object* params) {
  const char* at = FindMember(params->at, "bad_pointers");
  const char* name = NULL;
  int count = 0;
  if (at == NULL || *at != '{') return;
  for (const char* value; (value = NextMember(&at, &name)) != NULL;) ++count;
  if (count != params->request->bad_pointers_used) {
    Refuse(params->request, kUnsupported, "%s: a bad pointer for that argument is unsupported",
           params->context);
  }
}
#else
#define At(params, argument, original, size) ((void)(params), (void*)(original))
#endif

/* ---- constants by their names ---- */

/* "0x7f": a number that has no name, for tests of values that no header knows. -1 for others. */
static long long NumberAt(const char* value) {
  char* end = NULL;
  const size_t length = (size_t)(SkipString(value) - value);
  if (length < 5 || length > 12 || value[1] != '0' || value[2] != 'x') return -1;
  if (HexDigit(value[3]) < 0) return -1;
  const unsigned long long number = strtoull(value + 3, &end, 16);
  return end == value + length - 1 ? (long long)number : -1;
}

/* A name's value. An unknown one is noted as unsupported. */
static long ConstantAt(struct object* object, const char* name, const char* value,
                       const struct constant* constants) {
  if (value == NULL) return 0;
  if (*value != '"') {
    Refuse(object->request, kBadParameters, "%s: %s must be a name", object->context, name);
    return 0;
  }
  for (; constants->name != NULL; ++constants) {
    if (StringIs(value, constants->name)) return constants->value;
  }
  const long long number = NumberAt(value);
  if (number >= 0) return (long)number;
  Refuse(object->request, kUnsupported, "%s: %s %.*s is unsupported", object->context, name,
         ShownLength(value), value + 1);
  return 0;
}

static int Constant(struct object* object, const char* name, const struct constant* constants) {
  return (int)ConstantAt(object, name, Required(object, name), constants);
}

/* A list of names, combined; 0 when there is none. */
static unsigned Flags(struct object* object, const char* name, const struct constant* constants) {
  const char* at = Optional(object, name);
  unsigned flags = 0;
  if (at == NULL) return 0;
  if (*at != '[') {
    Refuse(object->request, kBadParameters, "%s: %s must be a list of names", object->context,
           name);
    return 0;
  }
  for (const char* value; (value = NextElement(&at)) != NULL;) {
    flags |= (unsigned)ConstantAt(object, name, value, constants);
  }
  return flags;
}

/* As a list of names; the bits that have none are one more element. */
static void PutFlags(struct text* text, const struct constant* constants, unsigned flags) {
  const char* separator = "";
  unsigned unnamed = flags;
  Put(text, "[");
  for (; constants->name != NULL; ++constants) {
    const unsigned value = (unsigned)constants->value;
    if (value == 0 || (flags & value) != value) continue;
    Put(text, separator);
    PutString(text, constants->name, strlen(constants->name));
    unnamed &= ~value;
    separator = ",";
  }
  if (unnamed != 0) {
    char number[32];
    snprintf(number, sizeof number, "%s\"0x%x\"", separator, unnamed);
    Put(text, number);
  }
  Put(text, "]");
}

/* ---- addresses ---- */

enum { kRoomForAddress = 256 }; /* more than the largest: lengths beyond that are tested too */

struct address {
  union {
    struct sockaddr_storage storage;
    char octets[kRoomForAddress];
  };
  socklen_t length;
};

/* The family, and these octets behind it. */
static void ReadOctets(struct object* fields, const char* name, int family, size_t most,
                       struct address* address) {
  size_t length = 0;
  char* const octets = Bytes(fields, name, &length);
  if (length > most) {
    Refuse(fields->request, kBadParameters, "address: %s has more than %d octets", name, (int)most);
  } else if (octets != NULL) {
    address->storage.ss_family = (sa_family_t)family;
    memcpy(address->octets + offsetof(struct sockaddr, sa_data), octets, length);
    address->length = (socklen_t)(offsetof(struct sockaddr, sa_data) + length);
  }
  free(octets);
}

static void ReadIpv4(struct object* fields, struct address* address) {
  struct sockaddr_in inet = {0};
  inet.sin_family = AF_INET;
  inet.sin_port = htons((uint16_t)IntegerFrom(fields, "port", 0, 65535));
  char* const text = Text(fields, "address");
  if (text != NULL && inet_pton(AF_INET, text, &inet.sin_addr) != 1) {
    Refuse(fields->request, kBadParameters, "address: %.60s is not an IPv4 address", text);
  }
  free(text);
  memcpy(&address->storage, &inet, sizeof inet);
  address->length = sizeof inet;
}

#ifdef AF_INET6
static void ReadIpv6(struct object* fields, struct address* address) {
  struct sockaddr_in6 inet = {0};
  inet.sin6_family = AF_INET6;
  inet.sin6_port = htons((uint16_t)IntegerFrom(fields, "port", 0, 65535));
  char* const text = Text(fields, "address");
  if (text != NULL && inet_pton(AF_INET6, text, &inet.sin6_addr) != 1) {
    Refuse(fields->request, kBadParameters, "address: %.60s is not an IPv6 address", text);
  }
  free(text);
  inet.sin6_scope_id =
      (uint32_t)IntegerAt(fields, "scope_id", Optional(fields, "scope_id"), 0, INT_MAX);
  memcpy(&address->storage, &inet, sizeof inet);
  address->length = sizeof inet;
}
#endif

static void ReadLocal(struct object* fields, struct address* address) {
  struct sockaddr_un local = {0};
  local.sun_family = AF_UNIX;
  if (Optional(fields, "name") != NULL) {
    ReadOctets(fields, "name", AF_UNIX, sizeof local.sun_path, address);
    return;
  }
  char* const path = Text(fields, "path");
  if (path != NULL && strlen(path) >= sizeof local.sun_path) {
    Refuse(fields->request, kBadParameters, "address: path has more than %d characters",
           (int)sizeof local.sun_path - 1);
  } else if (path != NULL) {
    memcpy(local.sun_path, path, strlen(path));
  }
  free(path);
  memcpy(&address->storage, &local, sizeof local);
  address->length = sizeof local;
}

/* Negative ones too: the system is to refuse them. */
static socklen_t LengthOr(struct object* params, socklen_t otherwise) {
  const char* const length = Optional(params, "address_length");
  if (length == NULL) return otherwise;
  return (socklen_t)IntegerAt(params, "address_length", length, INT_MIN, kRoomForAddress);
}

static struct address ReadAddress(struct object* params) {
  struct address address;
  memset(&address, 0, sizeof address);
  struct object fields = Fields(params, "address", Required(params, "address"));
  const int family = Constant(&fields, "family", kFamilies);
  if (params->request->refused != 0) return address;
  if (Optional(&fields, "octets") != NULL) {
    ReadOctets(&fields, "octets", family, kRoomForAddress - offsetof(struct sockaddr, sa_data),
               &address);
  } else if (family == AF_INET) {
    ReadIpv4(&fields, &address);
#ifdef AF_INET6
  } else if (family == AF_INET6) {
    ReadIpv6(&fields, &address);
#endif
  } else if (family == AF_UNIX) {
    ReadLocal(&fields, &address);
  } else if (family == AF_UNSPEC) {
    struct sockaddr any = {0};
    any.sa_family = AF_UNSPEC;
    memcpy(&address.storage, &any, sizeof any);
    address.length = sizeof any;
  } else {
    Refuse(params->request, kUnsupported, "an address of that family is unsupported");
  }
  CheckAllRead(&fields);
  address.length = LengthOr(params, address.length);
  return address;
}

/* For an address that the system tells. */
static struct address RoomForAddress(struct object* params) {
  struct address address;
  memset(&address, 0, sizeof address);
  address.length = LengthOr(params, sizeof address.storage);
  return address;
}

static void PutFamily(struct text* text, int family) {
  char unknown[32];
  const char* name = NULL;
  for (const struct constant* known = kFamilies; known->name != NULL; ++known) {
    if (known->value == family && name == NULL) name = known->name;
  }
  snprintf(unknown, sizeof unknown, "0x%x", (unsigned)family);
  Put(text, "\"family\":\"");
  Put(text, name != NULL ? name : unknown);
  Put(text, "\"");
}

/* The members of an address, without its braces. */
static void PutFields(struct text* text, const struct address* address, int family) {
  char name[INET6_ADDRSTRLEN] = "";
  const size_t told =
      address->length < sizeof address->octets ? address->length : sizeof address->octets;
  const size_t before = offsetof(struct sockaddr, sa_data);
  if (family == AF_INET) {
    struct sockaddr_in inet;
    memcpy(&inet, &address->storage, sizeof inet);
    inet_ntop(AF_INET, &inet.sin_addr, name, sizeof name);
    Put(text, "\"family\":\"AF_INET\",\"address\":\"");
    Put(text, name);
    Put(text, "\",\"port\":");
    PutInteger(text, ntohs(inet.sin_port));
    return;
  }
#ifdef AF_INET6
  if (family == AF_INET6) {
    struct sockaddr_in6 inet;
    memcpy(&inet, &address->storage, sizeof inet);
    inet_ntop(AF_INET6, &inet.sin6_addr, name, sizeof name);
    Put(text, "\"family\":\"AF_INET6\",\"address\":\"");
    Put(text, name);
    Put(text, "\",\"port\":");
    PutInteger(text, ntohs(inet.sin6_port));
    if (inet.sin6_scope_id != 0) {
      Put(text, ",\"scope_id\":");
      PutInteger(text, inet.sin6_scope_id);
    }
    return;
  }
#endif
  if (family == AF_UNIX) {
    const size_t most = sizeof(struct sockaddr_un);
    const size_t length = (told < most ? told : most) - offsetof(struct sockaddr_un, sun_path);
    const char* const path = address->octets + offsetof(struct sockaddr_un, sun_path);
    Put(text, "\"family\":\"AF_UNIX\",\"name\":");
    PutBase64(text, path, length);
    if (length > 0 && path[0] != '\0') {
      const char* const end = memchr(path, '\0', length);
      Put(text, ",\"path\":");
      PutString(text, path, end != NULL ? (size_t)(end - path) : length);
    }
    return;
  }
  PutFamily(text, family);
  Put(text, ",\"octets\":");
  PutBase64(text, address->octets + before, told > before ? told - before : 0);
}

/* As params ask for it: with its length if they have one. */
static void PutAddress(struct text* text, struct object* params, const struct address* address) {
  const int with_length = params != NULL && FindMember(params->at, "address_length") != NULL;
  const socklen_t least = (socklen_t)(offsetof(struct sockaddr, sa_family) + sizeof(sa_family_t));
  if (address->length < least && !with_length) {
    Put(text, "null");
    return;
  }
  Put(text, "{");
  if (with_length) {
    Put(text, "\"length\":");
    PutUnsigned(text, address->length);
    Put(text, ",");
  }
  if (address->length < least) {
    Put(text, "\"family\":\"AF_UNSPEC\"");
  } else {
    PutFields(text, address, address->storage.ss_family);
  }
  Put(text, "}");
}

/* ---- calls through io_uring ---- */

#ifdef HAS_RINGS
/* Operations by their numbers: some headers do not have them all. */
enum {
  kRingPoll = 6,
  kRingSendMessage = 9,
  kRingReceiveMessage = 10,
  kRingAccept = 13,
  kRingCancel = 14,
  kRingConnect = 16,
  kRingClose = 19,
  kRingSend = 26,
  kRingReceive = 27,
  kRingProvideBuffers = 31,
  kRingShutdown = 34,
  kRingSocket = 45,       /* as old as accepting again and again, which the kernel does not list */
  kRingSendZerocopy = 47, /* as old as receiving so */
};

/* Completions of a ring. */
enum { kOfTheCall = 1, kOfItsCancellation = 2, kOfItsBuffers = 3 };

/* Of linux/io_uring.h, whose older forms do not have them all. */
enum {
  kAgainAndAgain = 1,             /* IORING_ACCEPT_MULTISHOT, IORING_POLL_ADD_MULTI */
  kReceiveAgainAndAgain = 2,      /* IORING_RECV_MULTISHOT */
  kByProvidedBuffer = 1 << 5,     /* IOSQE_BUFFER_SELECT */
  kHasBuffer = 16,                /* IORING_CQE_BUFFER_SHIFT */
  kMoreToCome = 1 << 1,           /* IORING_CQE_F_MORE */
  kAsOldAsPollingAgain = 1 << 10, /* IORING_FEAT_RSRC_TAGS */
};

/* Made for one call. */
struct ring {
  int fd;
  struct io_uring_params about;
  char *submissions, *completions, *entries; /* memory that the kernel shares */
  size_t sizes[3];
  int called; /* the descriptor of the call that waits */
  struct ring* next;
};

static pthread_mutex_t ring_calls = PTHREAD_MUTEX_INITIALIZER;
static struct ring* rings_under_way = NULL;

static char* MapRing(struct ring* ring, int which, size_t size, off_t what) {
  ring->sizes[which] = size;
  char* const at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, what);
  return at != MAP_FAILED ? at : NULL;
}

static void CloseRing(struct ring* ring) {
  if (ring->submissions != NULL) munmap(ring->submissions, ring->sizes[0]);
  if (ring->completions != NULL) munmap(ring->completions, ring->sizes[1]);
  if (ring->entries != NULL) munmap(ring->entries, ring->sizes[2]);
  if (ring->fd >= 0) close(ring->fd);
}

/* 0, or an errno. */
static int OpenRing(struct ring* ring) {
  memset(ring, 0, sizeof *ring);
  ring->fd = (int)syscall(SYS_io_uring_setup, 4, &ring->about);
  if (ring->fd < 0) return errno;
  const struct io_sqring_offsets* const sq = &ring->about.sq_off;
  const struct io_cqring_offsets* const cq = &ring->about.cq_off;
  const size_t entries = ring->about.sq_entries;
  ring->submissions =
      MapRing(ring, 0, sq->array + entries * sizeof(unsigned), (off_t)IORING_OFF_SQ_RING);
  ring->completions =
      MapRing(ring, 1, cq->cqes + ring->about.cq_entries * sizeof(struct io_uring_cqe),
              (off_t)IORING_OFF_CQ_RING);
  ring->entries = MapRing(ring, 2, entries * sizeof(struct io_uring_sqe), (off_t)IORING_OFF_SQES);
  if (ring->submissions != NULL && ring->completions != NULL && ring->entries != NULL) return 0;
  CloseRing(ring);
  return ENOMEM;
}

static unsigned* SubmissionWord(const struct ring* ring, unsigned offset) {
  return (unsigned*)(void*)(ring->submissions + offset);
}

static unsigned* CompletionWord(const struct ring* ring, unsigned offset) {
  return (unsigned*)(void*)(ring->completions + offset);
}

/* Hands it to the kernel, and waits for so many completions. Negative, with errno, where that
 * fails. Under the lock of ring_calls, or before others know of the ring. */
static void PutEntry(struct ring* ring, const struct io_uring_sqe* entry) {
  unsigned* const tail = SubmissionWord(ring, ring->about.sq_off.tail);
  const unsigned index = *tail & *SubmissionWord(ring, ring->about.sq_off.ring_mask);
  memcpy(ring->entries + index * sizeof *entry, entry, sizeof *entry);
  SubmissionWord(ring, ring->about.sq_off.array)[index] = index;
  __atomic_store_n(tail, *tail + 1, __ATOMIC_SEQ_CST);
}

static int EnterRing(const struct ring* ring, unsigned submitted, unsigned completions) {
  const unsigned flags = completions > 0 ? IORING_ENTER_GETEVENTS : 0;
  return (int)syscall(SYS_io_uring_enter, ring->fd, submitted, completions, flags, NULL, 0);
}

/* Whether the next completion with this mark has come, which it takes; others are dropped. */
static int TakeCompletion(const struct ring* ring, unsigned mark, struct io_uring_cqe* taken) {
  unsigned* const head = CompletionWord(ring, ring->about.cq_off.head);
  const unsigned* const tail = CompletionWord(ring, ring->about.cq_off.tail);
  while (*head != __atomic_load_n(tail, __ATOMIC_SEQ_CST)) {
    const unsigned index = *head & *CompletionWord(ring, ring->about.cq_off.ring_mask);
    memcpy(taken, ring->completions + ring->about.cq_off.cqes + index * sizeof *taken,
           sizeof *taken);
    __atomic_store_n(head, *head + 1, __ATOMIC_SEQ_CST);
    if (taken->user_data == mark) return 1;
  }
  return 0;
}

/* Waits for it. 0, with errno, where the ring fails. */
static int AwaitCompletion(const struct ring* ring, unsigned mark, struct io_uring_cqe* taken) {
  while (!TakeCompletion(ring, mark, taken)) {
    if (EnterRing(ring, 0, 1) < 0 && errno != EINTR) return 0;
  }
  return 1;
}

static void NoteRing(struct ring* ring, int called) {
  ring->called = called;
  pthread_mutex_lock(&ring_calls);
  ring->next = rings_under_way;
  rings_under_way = ring;
  pthread_mutex_unlock(&ring_calls);
}

static void ForgetRing(const struct ring* ring) {
  pthread_mutex_lock(&ring_calls);
  struct ring** link = &rings_under_way;
  while (*link != ring) link = &(*link)->next;
  *link = ring->next;
  pthread_mutex_unlock(&ring_calls);
}

/* As the plain call would, with errno. `other` is what the operation has in `off` or `addr2`. */
static long long ByRing(int operation, int fd, const void* at, unsigned long long other,
                        size_t length, unsigned flags) {
  struct ring ring;
  struct io_uring_sqe entry;
  struct io_uring_cqe taken;
  const int refused = OpenRing(&ring);
  if (refused != 0) {
    errno = refused;
    return -1;
  }
  memset(&entry, 0, sizeof entry);
  entry.opcode = (uint8_t)operation;
  entry.fd = fd;
  entry.addr = (uintptr_t)at;
  entry.off = other;
  entry.len = (uint32_t)length;
  entry.msg_flags = flags;
  entry.user_data = kOfTheCall;
  PutEntry(&ring, &entry);
  NoteRing(&ring, fd);
  const int entered = EnterRing(&ring, 1, 1);
  int error = errno;
  int came = TakeCompletion(&ring, kOfTheCall, &taken);
  if (!came && (entered >= 0 || error == EINTR)) {
    came = AwaitCompletion(&ring, kOfTheCall, &taken);
    error = errno;
  }
  ForgetRing(&ring);
  CloseRing(&ring);
  errno = came ? -taken.res : error;
  return came && taken.res >= 0 ? taken.res : -1;
}

/* Whether a ring can be asked for this operation, and has these features. What it cannot do is
 * refused. */
static int RingCan(struct object* params, int operation, unsigned features) {
  struct ring ring;
  union {
    struct io_uring_probe about;
    char octets[sizeof(struct io_uring_probe) + 256 * sizeof(struct io_uring_probe_op)];
  } room;
  struct io_uring_probe_op known;
  memset(&room, 0, sizeof room);
  int error = OpenRing(&ring);
  if (error == 0) {
    if (syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_PROBE, &room, 256) != 0) {
      error = errno;
    }
    if ((ring.about.features & features) != features) error = EOPNOTSUPP;
    CloseRing(&ring);
  }
  memcpy(&known, room.octets + sizeof(struct io_uring_probe) + (size_t)operation * sizeof known,
         sizeof known);
  if (error == 0 && !(operation <= room.about.last_op && (known.flags & IO_URING_OP_SUPPORTED))) {
    error = EOPNOTSUPP;
  }
  if (error == 0) return 1;
  char number[64];
  Refuse(params->request, kUnsupported, "%s: a call through io_uring (%s) is unsupported",
         params->context, ErrnoName(error, number, sizeof number));
  return 0;
}

/* Whether the request asks for it. */
static int ThroughRing(struct object* params, int operation) {
  const char* const through = Optional(params, "through");
  if (through == NULL) return 0;
  if (*through != '"' || !StringIs(through, "io_uring")) {
    Refuse(params->request, kUnsupported, "%s: a call through that is unsupported",
           params->context);
    return 0;
  }
  return RingCan(params, operation, 0);
}

/* A request that completes again and again. */
struct multishot {
  int number, operation;
  size_t length; /* of each buffer */
  char* octets;  /* of them all */
  struct ring ring;
  pthread_mutex_t taking;
  struct multishot* next;
};

static pthread_mutex_t keeping_multishots = PTHREAD_MUTEX_INITIALIZER;
static struct multishot* multishots = NULL;

static void FreeMultishot(struct multishot* shot) {
  CloseRing(&shot->ring);
  free(shot->octets);
  free(shot);
}

/* Gives the kernel the memory to receive into: 0, or an errno. */
static int ProvideBuffers(struct multishot* shot, int count) {
  struct io_uring_sqe entry;
  struct io_uring_cqe taken;
  shot->octets = malloc(shot->length * (size_t)count);
  if (shot->octets == NULL) return ENOMEM;
  memset(&entry, 0, sizeof entry);
  entry.opcode = kRingProvideBuffers;
  entry.fd = count;
  entry.addr = (uintptr_t)shot->octets;
  entry.len = (uint32_t)shot->length;
  entry.user_data = kOfItsBuffers;
  PutEntry(&shot->ring, &entry);
  if (EnterRing(&shot->ring, 1, 1) < 0 && errno != EINTR) return errno;
  if (!AwaitCompletion(&shot->ring, kOfItsBuffers, &taken)) return errno;
  return taken.res < 0 ? -taken.res : 0;
}

/* By the thread that reads lines: the kernel ends the requests of a thread that ends. */
static void StartMultishot(struct request* request, struct object* params) {
  static int last = 0;
  const int fd = Integer(params, "fd");
  char* const operation = Text(params, "operation");
  struct io_uring_sqe entry;
  int count = 0, length = 0;
  memset(&entry, 0, sizeof entry);
  entry.fd = fd;
  entry.user_data = kOfTheCall;
  if (operation != NULL && strcmp(operation, "accept") == 0) {
    entry.opcode = kRingAccept;
    entry.ioprio = kAgainAndAgain;
    RingCan(params, kRingSocket, 0);
  } else if (operation != NULL && strcmp(operation, "poll") == 0) {
    entry.opcode = kRingPoll;
    entry.len = kAgainAndAgain;
    entry.poll_events = (uint16_t)Flags(params, "events", kPollEvents);
    RingCan(params, kRingPoll, kAsOldAsPollingAgain);
  } else if (operation != NULL && strcmp(operation, "recv") == 0) {
    entry.opcode = kRingReceive;
    entry.ioprio = kReceiveAgainAndAgain;
    entry.flags = kByProvidedBuffer;
    count = IntegerFrom(params, "buffers", 1, 1 << 16);
    length = IntegerFrom(params, "length", 1, 1 << 16);
    RingCan(params, kRingSendZerocopy, 0);
  } else if (operation != NULL) {
    Refuse(request, kUnsupported, "multishot: the operation %s is unsupported", operation);
  }
  free(operation);
  if (!Begin(request)) return;
  struct multishot* const shot = calloc(1, sizeof *shot);
  if (shot == NULL) _exit(1);
  int error = OpenRing(&shot->ring);
  if (error != 0) {
    free(shot);
    errno = error;
    EndWith(request, -1);
    return;
  }
  shot->operation = entry.opcode;
  shot->length = (size_t)length;
  pthread_mutex_init(&shot->taking, NULL);
  if (count > 0) error = ProvideBuffers(shot, count);
  if (error == 0) {
    PutEntry(&shot->ring, &entry);
    if (EnterRing(&shot->ring, 1, 0) < 0) error = errno;
  }
  if (error != 0) {
    FreeMultishot(shot);
    errno = error;
    EndWith(request, -1);
    return;
  }
  NoteRing(&shot->ring, fd);
  pthread_mutex_lock(&keeping_multishots);
  shot->number = ++last;
  shot->next = multishots;
  multishots = shot;
  pthread_mutex_unlock(&keeping_multishots);
  EndWith(request, shot->number);
}

static struct multishot* FindMultishot(int number) {
  pthread_mutex_lock(&keeping_multishots);
  struct multishot* shot = multishots;
  while (shot != NULL && shot->number != number) shot = shot->next;
  pthread_mutex_unlock(&keeping_multishots);
  return shot;
}

/* After its last completion. It stays in memory, for who may wait for one more. */
static void EndMultishot(struct multishot* shot) {
  ForgetRing(&shot->ring);
  pthread_mutex_lock(&keeping_multishots);
  struct multishot** link = &multishots;
  while (*link != shot) link = &(*link)->next;
  *link = shot->next;
  pthread_mutex_unlock(&keeping_multishots);
}

static void NextCompletion(struct request* request, struct object* params) {
  struct multishot* const shot = FindMultishot(Integer(params, "multishot"));
  struct io_uring_cqe taken;
  char number[64];
  if (!Begin(request)) return;
  if (shot == NULL) {
    errno = ENOENT;
    End(request, -1);
    return;
  }
  pthread_mutex_lock(&shot->taking);
  const int came = AwaitCompletion(&shot->ring, kOfTheCall, &taken);
  if (End(request, came ? 0 : -1)) {
    Put(&request->value, taken.flags & kMoreToCome ? "{\"more\":true" : "{\"more\":false");
    if (taken.res < 0) {
      Put(&request->value, ",\"errno\":");
      const char* const name = ErrnoName(-taken.res, number, sizeof number);
      PutString(&request->value, name, strlen(name));
    } else if (shot->operation == kRingPoll) {
      Put(&request->value, ",\"events\":");
      PutFlags(&request->value, kPollEvents, (unsigned)taken.res);
    } else if (shot->operation == kRingReceive) {
      const char* const at = shot->octets + (taken.flags >> kHasBuffer) * shot->length;
      Put(&request->value, ",\"data\":");
      PutBase64(&request->value, at, (size_t)taken.res);
    } else {
      Put(&request->value, ",\"fd\":");
      PutInteger(&request->value, taken.res);
    }
    Put(&request->value, "}");
    if (!(taken.flags & kMoreToCome)) EndMultishot(shot);
  }
  pthread_mutex_unlock(&shot->taking);
}

static void Cancel(struct request* request, struct object* params) {
  const int fd = Integer(params, "fd");
  if (!Begin(request)) return;
  int result = -1;
  int error = ENOENT;
  pthread_mutex_lock(&ring_calls);
  for (struct ring* ring = rings_under_way; ring != NULL; ring = ring->next) {
    if (ring->called != fd) continue;
    struct io_uring_sqe entry;
    memset(&entry, 0, sizeof entry);
    entry.opcode = kRingCancel;
    entry.fd = -1;
    entry.addr = kOfTheCall;
    entry.user_data = kOfItsCancellation;
    PutEntry(ring, &entry);
    result = EnterRing(ring, 1, 0) < 0 ? -1 : 0;
    error = errno;
    break;
  }
  pthread_mutex_unlock(&ring_calls);
  errno = error;
  EndWith(request, result);
}
#else
#define ThroughRing(params, operation) ((void)(params), 0)
#define ByRing(operation, fd, at, other, length, flags) (-1)
#ifdef ON_LINUX
static void Cancel(struct request* request, struct object* params) {
  (void)params;
  Refuse(request, kUnsupported, "a call through io_uring is unsupported");
}
#define StartMultishot Cancel
#define NextCompletion Cancel
#endif
#endif

/* ---- sockets ---- */

static void Socket(struct request* request, struct object* params) {
  const int domain = Constant(params, "domain", kFamilies);
  const int type = Constant(params, "type", kTypes) | (int)Flags(params, "flags", kSocketFlags);
  const int protocol =
      (int)ConstantAt(params, "protocol", Optional(params, "protocol"), kProtocols);
  if (Begin(request)) EndWith(request, socket(domain, type, protocol));
}

static void SocketPair(struct request* request, struct object* params) {
  const int domain = Constant(params, "domain", kFamilies);
  const int type = Constant(params, "type", kTypes) | (int)Flags(params, "flags", kSocketFlags);
  const int protocol =
      (int)ConstantAt(params, "protocol", Optional(params, "protocol"), kProtocols);
  int fds[2] = {-1, -1};
  int* const room = At(params, "fds", fds, sizeof fds);
  if (!Begin(request) || !End(request, socketpair(domain, type, protocol, room))) return;
  Put(&request->value, "[");
  PutInteger(&request->value, fds[0]);
  Put(&request->value, ",");
  PutInteger(&request->value, fds[1]);
  Put(&request->value, "]");
}

static void Bind(struct request* request, struct object* params) {
  const int fd = Integer(params, "fd");
  struct address address = ReadAddress(params);
  const struct sockaddr* const name = At(params, "address", &address.storage, address.length);
  if (!Begin(request)) return;
  EndWith(request, bind(fd, name, address.length));
}

static void Connect(struct request* request, struct object* params) {
  const int fd = Integer(params, "fd");
  struct address address = ReadAddress(params);
  const struct sockaddr* const name = At(params, "address", &address.storage, address.length);
  const int by_ring = ThroughRing(params, kRingConnect);
  if (!Begin(request)) return;
  EndWith(request, by_ring ? ByRing(kRingConnect, fd, name, address.length, 0, 0)
                           : connect(fd, name, address.length));
}

static void Listen(struct request* request, struct object* params) {
  const int fd = Integer(params, "fd");
  const int backlog = Integer(params, "backlog");
  if (Begin(request)) EndWith(request, listen(fd, backlog));
}

static void Accept(struct request* request, struct object* params) {
  const int fd = Integer(params, "fd");
  const unsigned flags = Flags(params, "flags", kSocketFlags);
  struct address address = RoomForAddress(params);
  struct sockaddr* const peer = At(params, "address", &address.storage, address.length);
  socklen_t* const length = At(params, "address_length", &address.length, sizeof address.length);
#if !defined(ON_LINUX) && !defined(__FreeBSD__) && !defined(__OpenBSD__)
  if (flags != 0) Refuse(request, kUnsupported, "accept: flags are unsupported");
#endif
  const int by_ring = ThroughRing(params, kRingAccept);
  if (!Begin(request)) return;
#if defined(ON_LINUX) || defined(__FreeBSD__) || defined(__OpenBSD__)
  const int accepted = by_ring ? (int)ByRing(kRingAccept, fd, peer, (uintptr_t)length, 0, flags)
                               : accept4(fd, peer, length, (int)flags);
#else
  (void)by_ring;
  const int accepted = accept(fd, peer, length);
#endif
  if (!End(request, accepted)) return;
  Put(&request->value, "{\"fd\":");
  PutInteger(&request->value, accepted);
  Put(&request->value, ",\"address\":");
  PutAddress(&request->value, params, &address);
  Put(&request->value, "}");
}

static void GetSocketName(struct request* request, struct object* params) {
  const int fd = Integer(params, "fd");
  struct address address = RoomForAddress(params);
  struct sockaddr* const name = At(params, "address", &address.storage, address.length);
  socklen_t* const length = At(params, "address_length", &address.length, sizeof address.length);
  if (!Begin(request)) return;
  if (End(request, getsockname(fd, name, length))) {
    PutAddress(&request->value, params, &address);
  }
}

static void GetPeerName(struct request* request, struct object* params) {
  const int fd = Integer(params, "fd");
  struct address address = RoomForAddress(params);
  struct sockaddr* const name = At(params, "address", &address.storage, address.length);
  socklen_t* const length = At(params, "address_length", &address.length, sizeof address.length);
  if (!Begin(request)) return;
  if (End(request, getpeername(fd, name, length))) {
    PutAddress(&request->value, params, &address);
  }
}

static void Shutdown(struct request* request, struct object* params) {
  const int fd = Integer(params, "fd");
  const int how = Constant(params, "how", kDirections);
  const int by_ring = ThroughRing(params, kRingShutdown);
  if (!Begin(request)) return;
  EndWith(request,
          by_ring ? ByRing(kRingShutdown, fd, NULL, 0, (size_t)how, 0) : shutdown(fd, how));
}

static void Close(struct request* request, struct object* params) {
  const int fd = Integer(params, "fd");
  const int by_ring = ThroughRing(params, kRingClose);
  if (!Begin(request)) return;
  EndWith(request, by_ring ? ByRing(kRingClose, fd, NULL, 0, 0, 0) : close(fd));
}

static void Duplicate(struct request* request, struct object* params) {
  const int fd = Integer(params, "fd");
  if (Begin(request)) EndWith(request, dup(fd));
}

/* ---- data ---- */

static void Send(struct request* request, struct object* params) {
  size_t length = 0;
  const int fd = Integer(params, "fd");
  char* const data = Bytes(params, "data", &length);
  const unsigned flags = Flags(params, "flags", kMessageFlags);
  const char* const octets = At(params, "data", data, length);
  const int by_ring = ThroughRing(params, kRingSend);
  if (Begin(request)) {
    EndWith(request, by_ring ? ByRing(kRingSend, fd, octets, 0, length, flags)
                             : send(fd, octets, length, (int)flags));
  }
  free(data);
}

static void SendTo(struct request* request, struct object* params) {
  size_t length = 0;
  const int fd = Integer(params, "fd");
  char* const data = Bytes(params, "data", &length);
  const unsigned flags = Flags(params, "flags", kMessageFlags);
  struct address address = ReadAddress(params);
  const char* const octets = At(params, "data", data, length);
  const struct sockaddr* const name = At(params, "address", &address.storage, address.length);
  if (Begin(request)) {
    EndWith(request, sendto(fd, octets, length, (int)flags, name, address.length));
  }
  free(data);
}

static void Write(struct request* request, struct object* params) {
  size_t length = 0;
  const int fd = Integer(params, "fd");
  char* const data = Bytes(params, "data", &length);
  const char* const octets = At(params, "data", data, length);
  if (Begin(request)) EndWith(request, write(fd, octets, length));
  free(data);
}

enum { kByRecv, kByRecvFrom, kByRead };

static void ReceiveBy(struct request* request, struct object* params, int how) {
  const int fd = Integer(params, "fd");
  const size_t length = (size_t)IntegerFrom(params, "length", 0, kLongestData);
  const int flags = how == kByRead ? 0 : (int)Flags(params, "flags", kMessageFlags);
  struct address address = RoomForAddress(params);
  char* const data = malloc(length + 1);
  if (data == NULL) Refuse(request, kInternalError, "out of memory");
  char* const room = At(params, "data", data, length);
  struct sockaddr* const name =
      how == kByRecvFrom ? At(params, "address", &address.storage, address.length) : NULL;
  socklen_t* const told = how == kByRecvFrom
                              ? At(params, "address_length", &address.length, sizeof address.length)
                              : NULL;
  const int by_ring = how == kByRecv && ThroughRing(params, kRingReceive);
  if (Begin(request)) {
    const ssize_t count = by_ring
                              ? (ssize_t)ByRing(kRingReceive, fd, room, 0, length, (unsigned)flags)
                          : how == kByRead ? read(fd, room, length)
                          : how == kByRecv ? recv(fd, room, length, flags)
                                           : recvfrom(fd, room, length, flags, name, told);
    if (End(request, count)) {
      Put(&request->value, "{\"length\":");
      PutInteger(&request->value, count);
      Put(&request->value, ",\"data\":");
      PutBase64(&request->value, data, (size_t)count < length ? (size_t)count : length);
      if (how == kByRecvFrom) {
        Put(&request->value, ",\"address\":");
        PutAddress(&request->value, params, &address);
      }
      Put(&request->value, "}");
    }
  }
  free(data);
}

static void Receive(struct request* request, struct object* params) {
  ReceiveBy(request, params, kByRecv);
}

static void ReceiveFrom(struct request* request, struct object* params) {
  ReceiveBy(request, params, kByRecvFrom);
}

static void Read(struct request* request, struct object* params) {
  ReceiveBy(request, params, kByRead);
}

/* ---- data in parts, and messages ---- */

struct parts {
  struct iovec* vector;
  size_t count;
  char* room;      /* all of it, if the parts are room for data */
  size_t capacity; /* of `room` */
};

static void FreeParts(struct parts* parts) {
  for (size_t i = 0; i < parts->count && parts->room == NULL; ++i) free(parts->vector[i].iov_base);
  free(parts->room);
  free(parts->vector);
}

/* The number of elements of the list at `list`; noted when it is none. */
static size_t CountElements(struct object* fields, const char* name, const char* list) {
  size_t count = 0;
  if (*list != '[') {
    Refuse(fields->request, kBadParameters, "%s: %s must be a list", fields->context, name);
    return 0;
  }
  for (const char* at = list; NextElement(&at) != NULL;) ++count;
  if (count > kMostParts) {
    Refuse(fields->request, kBadParameters, "%s: %s has more than %d elements", fields->context,
           name, kMostParts);
    return 0;
  }
  return count;
}

/* What is to be sent: "data", or "vector", a list of data. */
static void ReadParts(struct object* fields, struct parts* parts) {
  const char* const list = Optional(fields, "vector");
  const size_t count = list == NULL ? 1 : CountElements(fields, "vector", list);
  parts->vector = calloc(count + 1, sizeof *parts->vector);
  if (parts->vector == NULL) Refuse(fields->request, kInternalError, "out of memory");
  if (fields->request->refused != 0) return;
  if (list == NULL) {
    parts->vector[0].iov_base = Bytes(fields, "data", &parts->vector[0].iov_len);
    parts->count = 1;
    return;
  }
  for (const char *at = list, *part; (part = NextElement(&at)) != NULL; ++parts->count) {
    struct iovec* const entry = &parts->vector[parts->count];
    entry->iov_base = BytesAt(fields, "vector", part, &entry->iov_len);
  }
}

/* Room for what is to come: "length", or "lengths". */
static void MakeRoom(struct object* fields, struct parts* parts) {
  const char* const list = Optional(fields, "lengths");
  const size_t count = list == NULL ? 1 : CountElements(fields, "lengths", list);
  size_t filled = 0;
  parts->vector = calloc(count + 1, sizeof *parts->vector);
  if (parts->vector == NULL) Refuse(fields->request, kInternalError, "out of memory");
  if (fields->request->refused != 0) return;
  if (list == NULL) {
    parts->vector[0].iov_len = (size_t)IntegerFrom(fields, "length", 0, kLongestData);
    parts->capacity = parts->vector[0].iov_len;
  } else {
    size_t i = 0;
    for (const char *at = list, *length; (length = NextElement(&at)) != NULL; ++i) {
      parts->vector[i].iov_len = (size_t)IntegerAt(fields, "lengths", length, 0, kLongestData);
      parts->capacity += parts->vector[i].iov_len;
    }
  }
  if (parts->capacity > kLongestData) {
    Refuse(fields->request, kBadParameters, "%s: more than 8 MiB", fields->context);
    return;
  }
  parts->room = malloc(parts->capacity + 1);
  if (parts->room == NULL) {
    Refuse(fields->request, kInternalError, "out of memory");
    return;
  }
  parts->count = count;
  for (size_t i = 0; i < count; ++i) {
    parts->vector[i].iov_base = parts->room + filled;
    filled += parts->vector[i].iov_len;
  }
}

/* What a call that returned `count` has put there, as members of an object. */
static void PutParts(struct text* text, const struct parts* parts, long long count) {
  const size_t came = (size_t)count < parts->capacity ? (size_t)count : parts->capacity;
  Put(text, "\"length\":");
  PutInteger(text, count);
  Put(text, ",\"data\":");
  PutBase64(text, parts->room, came);
}

/* The vector as the call gets it. What is freed afterwards stays in `parts`. */
static const struct iovec* VectorAt(struct object* params, const struct parts* parts) {
  struct iovec* const copy = params->request->vector =
      calloc(parts->count + 1, sizeof *parts->vector);
  if (copy == NULL) {
    Refuse(params->request, kInternalError, "out of memory");
    return NULL;
  }
  memcpy(copy, parts->vector, parts->count * sizeof *copy);
  if (parts->count > 0) copy->iov_base = At(params, "data", copy->iov_base, copy->iov_len);
  return At(params, "vector", copy, parts->count * sizeof *copy);
}

static void WriteVector(struct request* request, struct object* params) {
  struct parts parts = {0};
  const int fd = Integer(params, "fd");
  ReadParts(params, &parts);
  const struct iovec* const vector = VectorAt(params, &parts);
  if (Begin(request)) EndWith(request, writev(fd, vector, (int)parts.count));
  FreeParts(&parts);
}

static void ReadVector(struct request* request, struct object* params) {
  struct parts parts = {0};
  const int fd = Integer(params, "fd");
  MakeRoom(params, &parts);
  const struct iovec* const vector = VectorAt(params, &parts);
  if (Begin(request)) {
    const ssize_t count = readv(fd, vector, (int)parts.count);
    if (End(request, count)) {
      Put(&request->value, "{");
      PutParts(&request->value, &parts, count);
      Put(&request->value, "}");
    }
  }
  FreeParts(&parts);
}

static const struct constant kNoConstants[] = {{NULL, 0}};

/* Integers of more than 32 bits, and unsigned ones. */
static long long LongFrom(struct object* fields, const char* name, long long lowest,
                          long long highest) {
  const char* const value = Required(fields, name);
  if (value == NULL) return 0;
  errno = 0;
  const long long number = IsInteger(value) ? strtoll(value, NULL, 10) : highest;
  if (!IsInteger(value) || errno == ERANGE || number < lowest || number > highest) {
    Refuse(fields->request, kBadParameters, "%s: %s must be an integer from %lld to %lld",
           fields->context, name, lowest, highest);
  }
  return number;
}

#ifdef ON_LINUX
static void PutCredentials(struct text* text, const struct ucred* value) {
  Put(text, "\"pid\":");
  PutInteger(text, value->pid);
  Put(text, ",\"uid\":");
  PutUnsigned(text, value->uid);
  Put(text, ",\"gid\":");
  PutUnsigned(text, value->gid);
}

static void ReadAddressText(struct object* fields, const char* name, int family, void* address);
#endif

/* The data of one item of control data, added to `data`. */
static void ReadControlData(struct object* fields, const struct control_type* type,
                            struct text* data) {
  if (type->name == NULL || Optional(fields, "octets") != NULL) {
    size_t length = 0;
    char* const octets = Bytes(fields, "octets", &length);
    if (octets != NULL) PutBytes(data, octets, length);
    free(octets);
    return;
  }
  switch (type->kind) {
    case kInteger:
    case kOctetOrInteger: {
      const int value = (int)LongFrom(fields, "value", INT_MIN, UINT_MAX);
      PutBytes(data, (const char*)&value, sizeof value);
      return;
    }
    case kUnsigned16: {
      const uint16_t value = (uint16_t)LongFrom(fields, "value", 0, 0xffff);
      PutBytes(data, (const char*)&value, sizeof value);
      return;
    }
    case kUnsigned64: {
      const uint64_t value = (uint64_t)LongFrom(fields, "value", 0, LLONG_MAX);
      PutBytes(data, (const char*)&value, sizeof value);
      return;
    }
    case kDescriptors: {
      const char* const list = Required(fields, "fds");
      if (list == NULL || CountElements(fields, "fds", list) == 0) return;
      for (const char *at = list, *value; (value = NextElement(&at)) != NULL;) {
        const int fd = IntegerAt(fields, "fds", value, INT_MIN, INT_MAX);
        PutBytes(data, (const char*)&fd, sizeof fd);
      }
      return;
    }
#ifdef ON_LINUX
    case kCredentials: {
      struct ucred value;
      memset(&value, 0, sizeof value);
      value.pid = Integer(fields, "pid");
      value.uid = (uid_t)LongFrom(fields, "uid", INT_MIN, UINT_MAX);
      value.gid = (gid_t)LongFrom(fields, "gid", INT_MIN, UINT_MAX);
      PutBytes(data, (const char*)&value, sizeof value);
      return;
    }
    case kPacketInfo: {
      struct in_pktinfo info;
      memset(&info, 0, sizeof info);
      info.ipi_ifindex =
          IntegerAt(fields, "ifindex", Optional(fields, "ifindex"), INT_MIN, INT_MAX);
      ReadAddressText(fields, "local", AF_INET, &info.ipi_spec_dst);
      ReadAddressText(fields, "destination", AF_INET, &info.ipi_addr);
      PutBytes(data, (const char*)&info, sizeof info);
      return;
    }
    case kPacketInfo6: {
      struct in6_pktinfo info;
      memset(&info, 0, sizeof info);
      info.ipi6_ifindex =
          (unsigned)IntegerAt(fields, "ifindex", Optional(fields, "ifindex"), INT_MIN, INT_MAX);
      ReadAddressText(fields, "destination", AF_INET6, &info.ipi6_addr);
      PutBytes(data, (const char*)&info, sizeof info);
      return;
    }
#endif
    default: /* only the system makes the others */
      Refuse(fields->request, kUnsupported, "control: %s without octets is unsupported",
             type->name);
  }
}

/* {"level", "type", what the type has, ["length": cmsg_len]}, added behind others. */
static void ReadControlItem(struct object* params, const char* item, struct text* control) {
  struct object fields = Fields(params, "control", item);
  struct text data = {0};
  struct cmsghdr head;
  memset(&head, 0, sizeof head);
  head.cmsg_level = Constant(&fields, "level", kLevels);
  const char* const name = Required(&fields, "type");
  const struct control_type* type = kControlTypes;
  while (type->name != NULL && name != NULL && *name == '"' &&
         (type->level_number != head.cmsg_level || !StringIs(name, type->name))) {
    ++type;
  }
  head.cmsg_type =
      type->name != NULL ? type->number : (int)ConstantAt(&fields, "type", name, kNoConstants);
  if (params->request->refused == 0) ReadControlData(&fields, type, &data);
  const char* const length = Optional(&fields, "length");
  head.cmsg_len = CMSG_LEN(data.length);
  if (length != NULL) {
    head.cmsg_len = (size_t)IntegerAt(&fields, "length", length, INT_MIN, INT_MAX);
  }
  CheckAllRead(&fields);
  static const char kZeros[64] = {0};
  PutBytes(control, (const char*)&head, sizeof head);
  PutBytes(control, kZeros, CMSG_LEN(0) - sizeof head);
  PutBytes(control, data.bytes, data.length);
  PutBytes(control, kZeros, CMSG_SPACE(data.length) - CMSG_LEN(data.length));
  free(data.bytes);
}

/* A message, or room for one. */
struct message {
  struct parts parts;
  struct address address;
  struct text control; /* its `length` is what the call is told it has */
  struct msghdr header;
};

static void FreeMessage(struct message* message) {
  FreeParts(&message->parts);
  free(message->control.bytes);
}

/* msg_controllen of "control_length", and as many octets at least. */
static void SetControlLength(struct object* fields, struct message* message) {
  const char* const asked = Optional(fields, "control_length");
  message->header.msg_controllen = message->control.length;
  if (asked != NULL) {
    const int length = IntegerAt(fields, "control_length", asked, INT_MIN, kMostControl);
    while (length > 0 && message->control.length < (size_t)length && !message->control.failed) {
      PutBytes(&message->control, "", 1);
    }
    message->header.msg_controllen = (size_t)length;
  }
  if (message->control.failed) Refuse(fields->request, kInternalError, "out of memory");
  message->header.msg_control = message->control.bytes;
}

static void ReadMessage(struct object* fields, struct message* message) {
  ReadParts(fields, &message->parts);
  const char* const raw = Optional(fields, "raw_control");
  const char* const list = Optional(fields, "control");
  if (raw != NULL) {
    size_t length = 0;
    char* const octets = BytesAt(fields, "raw_control", raw, &length);
    if (octets != NULL) PutBytes(&message->control, octets, length);
    free(octets);
  } else if (list != NULL && CountElements(fields, "control", list) > 0) {
    for (const char *at = list, *item; (item = NextElement(&at)) != NULL;) {
      ReadControlItem(fields, item, &message->control);
    }
  }
  if (message->control.length > kMostControl) {
    Refuse(fields->request, kBadParameters, "%s: control is longer than 256 KiB", fields->context);
  }
  if (Optional(fields, "address") != NULL) {
    message->address = ReadAddress(fields);
    message->header.msg_name = &message->address.storage;
    message->header.msg_namelen = message->address.length;
  }
  message->header.msg_iov = message->parts.vector;
  message->header.msg_iovlen = message->parts.count;
  SetControlLength(fields, message);
}

static void MakeRoomForMessage(struct object* fields, struct message* message) {
  static const char kZeros[256] = {0};
  MakeRoom(fields, &message->parts);
  message->address = RoomForAddress(fields);
  const char* const sizes = Optional(fields, "control_room");
  if (sizes != NULL && CountElements(fields, "control_room", sizes) > 0) {
    size_t room = 0;
    for (const char *at = sizes, *size; (size = NextElement(&at)) != NULL;) {
      room += CMSG_SPACE((size_t)IntegerAt(fields, "control_room", size, 0, kMostControl));
    }
    if (room > kMostControl) {
      Refuse(fields->request, kBadParameters, "%s: control_room is more than 256 KiB",
             fields->context);
      room = 0;
    }
    while (room > 0) {
      const size_t part = room < sizeof kZeros ? room : sizeof kZeros;
      PutBytes(&message->control, kZeros, part);
      room -= part;
    }
  }
  message->header.msg_name = &message->address.storage;
  message->header.msg_namelen = message->address.length;
  message->header.msg_iov = message->parts.vector;
  message->header.msg_iovlen = message->parts.count;
  SetControlLength(fields, message);
}

#ifdef ON_LINUX
static void PutTime(struct text* text, const struct timespec* time) {
  Put(text, "{\"sec\":");
  PutInteger(text, time->tv_sec);
  Put(text, ",\"nsec\":");
  PutInteger(text, time->tv_nsec);
  Put(text, "}");
}

static struct address AddressOfOctets(const char* octets, size_t length) {
  struct address address;
  memset(&address, 0, sizeof address);
  address.length = (socklen_t)(length < sizeof address.octets ? length : sizeof address.octets);
  memcpy(address.octets, octets, address.length);
  return address;
}

static void PutAddressText(struct text* text, const char* member, int family, const void* address) {
  char name[INET6_ADDRSTRLEN] = "";
  inet_ntop(family, address, name, sizeof name);
  Put(text, member);
  PutString(text, name, strlen(name));
}

/* The members that control data of the Linux kernel has. False for what is too short. */
static int PutLinuxControl(struct text* text, enum kind kind, const char* data, size_t length) {
  struct timespec times[3];
  memset(times, 0, sizeof times);
  if (kind == kCredentials && length >= sizeof(struct ucred)) {
    struct ucred value;
    memcpy(&value, data, sizeof value);
    PutCredentials(text, &value);
    return 1;
  }
  if (kind == kTime && length >= sizeof(struct timeval)) {
    struct timeval value;
    memcpy(&value, data, sizeof value);
    Put(text, "\"sec\":");
    PutInteger(text, value.tv_sec);
    Put(text, ",\"usec\":");
    PutInteger(text, value.tv_usec);
    return 1;
  }
  if (kind == kNanotime && length >= sizeof *times) {
    memcpy(times, data, sizeof *times);
    Put(text, "\"sec\":");
    PutInteger(text, times->tv_sec);
    Put(text, ",\"nsec\":");
    PutInteger(text, times->tv_nsec);
    return 1;
  }
  if (kind == kNanotimes) {
    memcpy(times, data, length < sizeof times ? length : sizeof times);
    Put(text, "\"times\":[");
    for (size_t i = 0; i < 3 && (i + 1) * sizeof *times <= length; ++i) {
      if (i > 0) Put(text, ",");
      PutTime(text, &times[i]);
    }
    Put(text, "]");
    return 1;
  }
  if (kind == kPacketInfo && length >= sizeof(struct in_pktinfo)) {
    struct in_pktinfo info;
    memcpy(&info, data, sizeof info);
    Put(text, "\"ifindex\":");
    PutInteger(text, info.ipi_ifindex);
    PutAddressText(text, ",\"local\":", AF_INET, &info.ipi_spec_dst);
    PutAddressText(text, ",\"destination\":", AF_INET, &info.ipi_addr);
    return 1;
  }
  if (kind == kPacketInfo6 && length >= sizeof(struct in6_pktinfo)) {
    struct in6_pktinfo info;
    memcpy(&info, data, sizeof info);
    Put(text, "\"ifindex\":");
    PutUnsigned(text, info.ipi6_ifindex);
    PutAddressText(text, ",\"destination\":", AF_INET6, &info.ipi6_addr);
    return 1;
  }
  if (kind == kExtendedError && length >= sizeof(struct sock_extended_err)) {
    struct sock_extended_err error;
    char room[32], numbers[160];
    memcpy(&error, data, sizeof error);
    Put(text, "\"errno\":\"");
    Put(text, ErrnoName((int)error.ee_errno, room, sizeof room));
    snprintf(numbers, sizeof numbers,
             "\",\"origin\":%u,\"error_type\":%u,\"error_code\":%u,\"info\":%u,\"data\":%u,"
             "\"offender\":",
             error.ee_origin, error.ee_type, error.ee_code, error.ee_info, error.ee_data);
    Put(text, numbers);
    if (length > sizeof error) {
      const struct address address = AddressOfOctets(data + sizeof error, length - sizeof error);
      PutAddress(text, NULL, &address);
    } else {
      Put(text, "null");
    }
    return 1;
  }
  if (kind == kAddress) {
    const struct address address = AddressOfOctets(data, length);
    Put(text, "\"address\":");
    PutAddress(text, NULL, &address);
    return 1;
  }
  return 0;
}
#endif

/* The members of an item, but its level and type. */
static void PutControlData(struct text* text, const struct control_type* type, const char* data,
                           size_t length) {
  const enum kind kind = type->name != NULL ? type->kind : kBytes;
  if (kind == kDescriptors) {
    Put(text, "\"fds\":[");
    for (size_t i = 0; (i + 1) * sizeof(int) <= length; ++i) {
      int fd = -1;
      memcpy(&fd, data + i * sizeof fd, sizeof fd);
      if (i > 0) Put(text, ",");
      PutInteger(text, fd);
    }
    Put(text, "]");
    return;
  }
  const int number = kind == kInteger || kind == kOctetOrInteger;
  if (kind == kOctetOrInteger && length == 1) {
    Put(text, "\"value\":");
    PutUnsigned(text, (unsigned char)data[0]);
    return;
  }
  if (number && length >= sizeof(int)) {
    int value = 0;
    memcpy(&value, data, sizeof value);
    Put(text, "\"value\":");
    PutInteger(text, value);
    return;
  }
  if ((kind == kUnsigned16 && length >= 2) || (kind == kUnsigned64 && length >= 8)) {
    uint16_t narrow = 0;
    uint64_t wide = 0;
    memcpy(&narrow, data, sizeof narrow);
    if (kind == kUnsigned64) memcpy(&wide, data, sizeof wide);
    Put(text, "\"value\":");
    PutUnsigned(text, kind == kUnsigned64 ? wide : narrow);
    return;
  }
#ifdef ON_LINUX
  if (PutLinuxControl(text, kind, data, length)) return;
#endif
  Put(text, "\"octets\":");
  PutBase64(text, data, length);
}

/* A constant by its name, or in hexadecimal. */
static void PutConstant(struct text* text, const struct constant* constants, int value) {
  char unknown[32];
  while (constants->name != NULL && constants->value != value) ++constants;
  snprintf(unknown, sizeof unknown, "0x%x", (unsigned)value);
  Put(text, "\"");
  Put(text, constants->name != NULL ? constants->name : unknown);
  Put(text, "\"");
}

/* As a list of items, as far as there are octets. */
static void PutControl(struct text* text, const char* octets, size_t length) {
  const char* separator = "";
  Put(text, "[");
  for (size_t at = 0; at + sizeof(struct cmsghdr) <= length;) {
    struct cmsghdr head;
    memcpy(&head, octets + at, sizeof head);
    if (head.cmsg_len < CMSG_LEN(0)) break;
    const size_t item = head.cmsg_len < length - at ? head.cmsg_len : length - at;
    const size_t before = CMSG_LEN(0) < item ? CMSG_LEN(0) : item;
    const struct control_type* type = kControlTypes;
    while (type->name != NULL &&
           (type->level_number != head.cmsg_level || type->number != head.cmsg_type)) {
      ++type;
    }
    Put(text, separator);
    Put(text, "{");
    PutControlData(text, type, octets + at + before, item - before);
    Put(text, ",\"level\":");
    PutConstant(text, kLevels, head.cmsg_level);
    Put(text, ",\"type\":");
    if (type->name != NULL) {
      PutString(text, type->name, strlen(type->name));
    } else {
      PutConstant(text, kNoConstants, head.cmsg_type);
    }
    Put(text, "}");
    separator = ",";
    at += CMSG_SPACE(item - before);
  }
  Put(text, "]");
}

static void PutMessage(struct text* text, struct object* fields, struct message* message,
                       long long count) {
  const size_t told = message->header.msg_controllen;
  message->address.length = message->header.msg_namelen;
  Put(text, "{");
  PutParts(text, &message->parts, count);
  Put(text, ",\"address\":");
  PutAddress(text, fields, &message->address);
  Put(text, ",\"control\":");
  PutControl(text, message->control.bytes,
             told < message->control.length ? told : message->control.length);
  Put(text, ",\"control_length\":");
  PutUnsigned(text, told);
  Put(text, ",\"flags\":");
  PutFlags(text, kMessageFlags, (unsigned)message->header.msg_flags);
  Put(text, "}");
}

static struct msghdr* HeaderAt(struct object* params, struct message* message) {
  struct msghdr* const header = &message->header;
  header->msg_iov = (struct iovec*)VectorAt(params, &message->parts);
  header->msg_name = At(params, "address", header->msg_name, header->msg_namelen);
  header->msg_control = At(params, "control", header->msg_control, 0);
  return At(params, "message", header, sizeof *header);
}

static void SendMessage(struct request* request, struct object* params) {
  struct message message;
  memset(&message, 0, sizeof message);
  const int fd = Integer(params, "fd");
  const unsigned flags = Flags(params, "flags", kMessageFlags);
  ReadMessage(params, &message);
  const struct msghdr* const header = HeaderAt(params, &message);
  const int by_ring = ThroughRing(params, kRingSendMessage);
  if (Begin(request)) {
    EndWith(request, by_ring ? ByRing(kRingSendMessage, fd, header, 0, 1, flags)
                             : sendmsg(fd, header, (int)flags));
  }
  FreeMessage(&message);
}

static void ReceiveMessage(struct request* request, struct object* params) {
  struct message message;
  memset(&message, 0, sizeof message);
  const int fd = Integer(params, "fd");
  const unsigned flags = Flags(params, "flags", kMessageFlags);
  MakeRoomForMessage(params, &message);
  struct msghdr* const header = HeaderAt(params, &message);
  const int by_ring = ThroughRing(params, kRingReceiveMessage);
  if (Begin(request)) {
    const ssize_t count = by_ring ? (ssize_t)ByRing(kRingReceiveMessage, fd, header, 0, 1, flags)
                                  : recvmsg(fd, header, (int)flags);
    if (End(request, count)) PutMessage(&request->value, params, &message, count);
  }
  FreeMessage(&message);
}

#ifdef ON_LINUX
/* The messages of one sendmmsg() or recvmmsg(). */
struct messages {
  struct message* list;
  struct object* fields; /* what each was asked for */
  struct mmsghdr* headers;
  size_t count;
};

static void ReadMessages(struct object* params, struct messages* messages,
                         void (*read)(struct object*, struct message*)) {
  const char* const list = Required(params, "messages");
  if (list == NULL) return;
  const size_t count = CountElements(params, "messages", list);
  messages->list = calloc(count + 1, sizeof *messages->list);
  messages->fields = calloc(count + 1, sizeof *messages->fields);
  messages->headers = calloc(count + 1, sizeof *messages->headers);
  if (messages->list == NULL || messages->fields == NULL || messages->headers == NULL) {
    Refuse(params->request, kInternalError, "out of memory");
  }
  if (params->request->refused != 0) return;
  for (const char *at = list, *object; (object = NextElement(&at)) != NULL; ++messages->count) {
    messages->fields[messages->count] = Fields(params, "messages", object);
    read(&messages->fields[messages->count], &messages->list[messages->count]);
    CheckAllRead(&messages->fields[messages->count]);
    messages->headers[messages->count].msg_hdr = messages->list[messages->count].header;
  }
}

static void FreeMessages(struct messages* messages) {
  for (size_t i = 0; i < messages->count; ++i) FreeMessage(&messages->list[i]);
  free(messages->list);
  free(messages->fields);
  free(messages->headers);
}

static void SendMessages(struct request* request, struct object* params) {
  struct messages messages = {0};
  const int fd = Integer(params, "fd");
  const unsigned flags = Flags(params, "flags", kMessageFlags);
  ReadMessages(params, &messages, ReadMessage);
  if (Begin(request)) {
    const int sent = sendmmsg(fd, messages.headers, (unsigned)messages.count, (int)flags);
    End(request, sent);
    Put(&request->value, "[");
    for (int i = 0; i < sent; ++i) {
      if (i > 0) Put(&request->value, ",");
      PutUnsigned(&request->value, messages.headers[i].msg_len);
    }
    Put(&request->value, "]");
  }
  FreeMessages(&messages);
}

static void ReceiveMessages(struct request* request, struct object* params) {
  struct messages messages = {0};
  const int fd = Integer(params, "fd");
  const unsigned flags = Flags(params, "flags", kMessageFlags);
  const char* const asked = Optional(params, "timeout_ms");
  const int milliseconds = IntegerAt(params, "timeout_ms", asked, 0, INT_MAX);
  struct timespec timeout = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
  ReadMessages(params, &messages, MakeRoomForMessage);
  if (Begin(request)) {
    const int received = recvmmsg(fd, messages.headers, (unsigned)messages.count, (int)flags,
                                  asked != NULL ? &timeout : NULL);
    End(request, received);
    Put(&request->value, "[");
    for (int i = 0; i < received; ++i) {
      messages.list[i].header = messages.headers[i].msg_hdr;
      if (i > 0) Put(&request->value, ",");
      PutMessage(&request->value, &messages.fields[i], &messages.list[i],
                 messages.headers[i].msg_len);
    }
    Put(&request->value, "]");
  }
  FreeMessages(&messages);
}
#endif

/* ---- descriptors ---- */

static void FileControl(struct request* request, struct object* params) {
  const int fd = Integer(params, "fd");
  const int command = Constant(params, "command", kCommands);
  const int of_descriptor = command == F_GETFD || command == F_SETFD;
  const struct constant* const names = of_descriptor ? kDescriptorFlags : kStatusFlags;
  if (command == F_SETFL || command == F_SETFD) {
    const unsigned flags = Flags(params, "flags", names);
    if (Begin(request)) EndWith(request, fcntl(fd, command, (int)flags));
    return;
  }
  if (!Begin(request)) return;
  const int flags = fcntl(fd, command);
  if (End(request, flags)) PutFlags(&request->value, names, (unsigned)flags);
}

static void DeviceControl(struct request* request, struct object* params) {
  const int fd = Integer(params, "fd");
  const long control = ConstantAt(params, "request", Required(params, "request"), kControls);
  int value = IntegerAt(params, "value", Optional(params, "value"), INT_MIN, INT_MAX);
#ifdef FIONREAD
  if (!Begin(request)) return;
  if (End(request, ioctl(fd, (unsigned long)control, &value))) PutInteger(&request->value, value);
#else
  (void)fd, (void)control, (void)value;
  Refuse(request, kUnsupported, "ioctl is unsupported");
#endif
}

/* ---- socket options ---- */

/* One without a name, "0x7fff", is taken for an integer. */
static const struct option* Option(struct object* params) {
  static _Thread_local struct option unnamed;
  const char* const name = Required(params, "name");
  if (name == NULL) return NULL;
  if (*name != '"') {
    Refuse(params->request, kBadParameters, "%s: name must be a string", params->context);
    return NULL;
  }
  for (const struct option* option = kOptions; option->name != NULL; ++option) {
    if (StringIs(name, option->name)) return option;
  }
  const long long number = NumberAt(name);
  if (number >= 0) {
    unnamed = (struct option){"", (int)number, kInteger};
    return &unnamed;
  }
  Refuse(params->request, kUnsupported, "%s: option %.*s is unsupported", params->context,
         ShownLength(name), name + 1);
  return NULL;
}

#ifdef ON_LINUX
static const char* const kTcpStates[] = {"0x0",        "ESTABLISHED", "SYN-SENT",  "SYN-RECEIVED",
                                         "FIN-WAIT-1", "FIN-WAIT-2",  "TIME-WAIT", "CLOSED",
                                         "CLOSE-WAIT", "LAST-ACK",    "LISTEN",    "CLOSING"};
#elif defined(__FreeBSD__)
static const char* const kTcpStates[] = {"CLOSED",      "LISTEN",     "SYN-SENT",   "SYN-RECEIVED",
                                         "ESTABLISHED", "CLOSE-WAIT", "FIN-WAIT-1", "CLOSING",
                                         "LAST-ACK",    "FIN-WAIT-2", "TIME-WAIT"};
#endif

#if defined(ON_LINUX) || defined(__FreeBSD__)
/* As RFC 9293 spells the state that has this number here. */
static const char* TcpStateName(unsigned state) {
  return state < sizeof kTcpStates / sizeof *kTcpStates ? kTcpStates[state] : "0x0";
}
#endif

/* The numbers of struct tcp_info, as far as the system gave them. */
static void PutTcpInfo(struct text* text, const char* bytes, size_t length) {
#if defined(TCP_INFO) && (defined(ON_LINUX) || defined(__FreeBSD__))
  static const struct {
    const char* name;
    size_t offset, size;
  } kFields[] = {
#define F(name) \
  {#name, offsetof(struct tcp_info, tcpi_##name), sizeof(((struct tcp_info*)0)->tcpi_##name)}
      F(rto),           F(snd_mss),       F(rcv_mss),        F(rtt),       F(rttvar),
      F(snd_ssthresh),  F(snd_cwnd),      F(last_data_recv), F(rcv_space),
#ifdef ON_LINUX
      F(ca_state),      F(retransmits),   F(probes),         F(backoff),   F(ato),
      F(unacked),       F(sacked),        F(lost),           F(retrans),   F(last_data_sent),
      F(last_ack_recv), F(pmtu),          F(rcv_ssthresh),   F(advmss),    F(reordering),
      F(rcv_rtt),       F(total_retrans),
#endif
#undef F
  };
  struct tcp_info info;
  memset(&info, 0, sizeof info);
  memcpy(&info, bytes, length < sizeof info ? length : sizeof info);
  Put(text, "{\"state\":\"");
  Put(text, TcpStateName(info.tcpi_state));
  Put(text, "\",\"options\":[");
  const char* separator = "";
  if (info.tcpi_options & TCPI_OPT_TIMESTAMPS) {
    Put(text, "\"timestamps\"");
    separator = ",";
  }
  if (info.tcpi_options & TCPI_OPT_SACK) {
    Put(text, separator);
    Put(text, "\"sack\"");
    separator = ",";
  }
  if (info.tcpi_options & TCPI_OPT_ECN) {
    Put(text, separator);
    Put(text, "\"ecn\"");
    separator = ",";
  }
  if (info.tcpi_options & TCPI_OPT_WSCALE) {
    Put(text, separator);
    Put(text, "\"wscale\"],\"snd_wscale\":");
    PutUnsigned(text, info.tcpi_snd_wscale);
    Put(text, ",\"rcv_wscale\":");
    PutUnsigned(text, info.tcpi_rcv_wscale);
  } else {
    Put(text, "]");
  }
  for (size_t i = 0; i < sizeof kFields / sizeof *kFields; ++i) {
    unsigned char byte = 0;
    uint32_t word = 0;
    if (kFields[i].offset + kFields[i].size > length) continue;
    memcpy(&byte, bytes + kFields[i].offset, 1);
    if (kFields[i].size == sizeof word) memcpy(&word, bytes + kFields[i].offset, sizeof word);
    Put(text, ",\"");
    Put(text, kFields[i].name);
    Put(text, "\":");
    PutUnsigned(text, kFields[i].size == 1 ? byte : word);
  }
  Put(text, "}");
#else
  PutBase64(text, bytes, length);
#endif
}

static void PutOption(struct text* text, enum kind kind, const char* bytes, size_t length) {
  switch (kind) {
    case kInteger: {
      int number = 0;
      memcpy(&number, bytes, length < sizeof number ? length : sizeof number);
      PutInteger(text, length == 1 ? (unsigned char)bytes[0] : number);
      return;
    }
    case kUnsigned64: {
      uint64_t number = 0;
      memcpy(&number, bytes, length < sizeof number ? length : sizeof number);
      PutUnsigned(text, number);
      return;
    }
    case kTime: {
      struct timeval value = {0, 0};
      memcpy(&value, bytes, length < sizeof value ? length : sizeof value);
      Put(text, "{\"sec\":");
      PutInteger(text, value.tv_sec);
      Put(text, ",\"usec\":");
      PutInteger(text, value.tv_usec);
      Put(text, "}");
      return;
    }
    case kLinger: {
      struct linger value = {0, 0};
      memcpy(&value, bytes, length < sizeof value ? length : sizeof value);
      Put(text, "{\"onoff\":");
      PutInteger(text, value.l_onoff);
      Put(text, ",\"linger\":");
      PutInteger(text, value.l_linger);
      Put(text, "}");
      return;
    }
    case kText: {
      const char* const end = memchr(bytes, '\0', length);
      PutString(text, bytes, end != NULL ? (size_t)(end - bytes) : length);
      return;
    }
    case kTcpInfo:
      PutTcpInfo(text, bytes, length);
      return;
#ifdef ON_LINUX
    case kCredentials: {
      struct ucred value = {0, 0, 0};
      memcpy(&value, bytes, length < sizeof value ? length : sizeof value);
      Put(text, "{");
      PutCredentials(text, &value);
      Put(text, "}");
      return;
    }
    case kGroup: {
      struct in_addr value = {0};
      char name[INET_ADDRSTRLEN] = "";
      memcpy(&value, bytes, length < sizeof value ? length : sizeof value);
      inet_ntop(AF_INET, &value, name, sizeof name);
      PutString(text, name, strlen(name));
      return;
    }
#endif
    default:
      break;
  }
  PutBase64(text, bytes, length);
}

static socklen_t SizeOf(enum kind kind) {
  switch (kind) {
    case kInteger:
      return sizeof(int);
    case kUnsigned64:
      return sizeof(uint64_t);
    case kTime:
      return sizeof(struct timeval);
    case kLinger:
      return sizeof(struct linger);
#ifdef ON_LINUX
    case kCredentials:
      return sizeof(struct ucred);
    case kGroup:
      return sizeof(struct in_addr);
#endif
    default:
      return kLongestOption;
  }
}

static void GetOption(struct request* request, struct object* params) {
  const int fd = Integer(params, "fd");
  const int level = Constant(params, "level", kLevels);
  const struct option* const option = Option(params);
  const char* const asked = Optional(params, "length");
  char bytes[kLongestOption] = {0};
  const int bytes_asked = IntegerAt(params, "length", asked, INT_MIN, kLongestOption);
  socklen_t length = asked != NULL ? (socklen_t)bytes_asked : 0;
  if (asked == NULL && option != NULL) length = SizeOf(option->kind);
  void* const value = At(params, "value", bytes, bytes_asked > 0 ? (size_t)bytes_asked : 0);
  socklen_t* const told = At(params, "length", &length, sizeof length);
  if (!Begin(request)) return;
  if (!End(request, getsockopt(fd, level, option->number, value, told))) return;
  const size_t size = length < sizeof bytes ? length : sizeof bytes;
  if (asked == NULL) {
    PutOption(&request->value, option->kind, bytes, size);
    return;
  }
  Put(&request->value, "{\"bytes\":");
  PutBase64(&request->value, bytes, size);
  Put(&request->value, "}");
}

static struct timeval TimeAt(struct object* params, const char* value) {
  struct timeval time = {0, 0};
  if (*value == '{') { /* each as given: tests of EDOM want microseconds beyond a second */
    struct object fields = Fields(params, "value", value);
    time.tv_sec = Integer(&fields, "sec");
    time.tv_usec = Integer(&fields, "usec");
    CheckAllRead(&fields);
    return time;
  }
  const int is_number = *value == '-' || (*value >= '0' && *value <= '9');
  const double seconds = is_number ? strtod(value, NULL) : HUGE_VAL;
  if (!(seconds >= INT_MIN && seconds <= INT_MAX)) {
    Refuse(params->request, kBadParameters, "%s: value must be seconds", params->context);
    return time;
  }
  time.tv_sec = (time_t)seconds;
  if (seconds < (double)time.tv_sec) --time.tv_sec;
  time.tv_usec = (suseconds_t)((seconds - (double)time.tv_sec) * 1e6 + 0.5);
  return time;
}

#ifdef ON_LINUX
/* The address of that name, 0 when it is left out. */
static void ReadAddressText(struct object* fields, const char* name, int family, void* address) {
  size_t length = 0;
  char* const text = TextAt(fields, name, Optional(fields, name), &length);
  if (text != NULL && inet_pton(family, text, address) != 1) {
    Refuse(fields->request, kBadParameters, "%s: %s must be an address of that family",
           fields->context, name);
  }
  free(text);
}

/* Group, interface or filter: kinds of options whose structures are Linux's. NULL for others. */
static char* StructureBytes(struct object* params, const char* value, enum kind kind,
                            size_t* length) {
  char* bytes = NULL;
  if (kind == kGroup || kind == kGroup6 || kind == kCredentials) {
    struct object fields = Fields(params, "value", value);
    struct ip_mreqn group;
    struct ipv6_mreq group6;
    struct ucred credentials;
    memset(&group, 0, sizeof group);
    memset(&group6, 0, sizeof group6);
    memset(&credentials, 0, sizeof credentials);
    if (kind == kCredentials) {
      credentials.pid = Integer(&fields, "pid");
      credentials.uid = (uid_t)Integer(&fields, "uid");
      credentials.gid = (gid_t)Integer(&fields, "gid");
    } else {
      const int number =
          IntegerAt(&fields, "ifindex", Optional(&fields, "ifindex"), INT_MIN, INT_MAX);
      group.imr_ifindex = number;
      group6.ipv6mr_interface = (unsigned)number;
      if (kind == kGroup) {
        ReadAddressText(&fields, "group", AF_INET, &group.imr_multiaddr);
        ReadAddressText(&fields, "address", AF_INET, &group.imr_address);
      } else {
        ReadAddressText(&fields, "group", AF_INET6, &group6.ipv6mr_multiaddr);
      }
    }
    CheckAllRead(&fields);
    const void* const from = kind == kGroup    ? (const void*)&group
                             : kind == kGroup6 ? (const void*)&group6
                                               : (const void*)&credentials;
    *length = kind == kGroup ? sizeof group : kind == kGroup6 ? sizeof group6 : sizeof credentials;
    bytes = malloc(*length);
    if (bytes != NULL) memcpy(bytes, from, *length);
    if (bytes == NULL) Refuse(params->request, kInternalError, "out of memory");
  }
  return bytes;
}

/* A program behind its head, which points to it; *length is that of the head. */
static char* FilterBytes(struct object* params, const char* value, size_t* length) {
  struct sock_fprog head = {0, NULL};
  size_t room = 0;
  if (*value != '[') {
    Refuse(params->request, kBadParameters, "%s: value must be a list", params->context);
    return NULL;
  }
  for (const char *at = value, *line; (line = NextElement(&at)) != NULL;) ++room;
  char* const bytes = calloc(1, sizeof head + room * sizeof(struct sock_filter));
  if (bytes == NULL || room > 4096) {
    Refuse(params->request, kInternalError, "out of memory");
    return bytes;
  }
  struct sock_filter* const program = (struct sock_filter*)(bytes + sizeof head);
  for (const char *at = value, *line; (line = NextElement(&at)) != NULL; ++head.len) {
    unsigned long numbers[4] = {0, 0, 0, 0};
    int count = 0;
    if (*line == '[') {
      for (const char* in = line, *number; (number = NextElement(&in)) != NULL; ++count) {
        if (count < 4 && IsInteger(number)) numbers[count] = strtoul(number, NULL, 10);
      }
    }
    if (count != 4) {
      Refuse(params->request, kBadParameters, "%s: a line is [code, jt, jf, k]", params->context);
    }
    program[head.len] = (struct sock_filter){(uint16_t)numbers[0], (uint8_t)numbers[1],
                                             (uint8_t)numbers[2], (uint32_t)numbers[3]};
  }
  head.filter = program;
  memcpy(bytes, &head, sizeof head);
  *length = sizeof head;
  return bytes;
}
#endif

/* The bytes of the value at `value`, to be freed. */
static char* OptionBytes(struct object* params, const char* value, enum kind kind, size_t* length) {
  union {
    int integer;
    uint64_t wide;
    struct timeval time;
    struct linger linger;
  } fixed;
  memset(&fixed, 0, sizeof fixed);
  if (*value == '{' && FindMember(value, "bytes") != NULL) {
    struct object fields = Fields(params, "value", value);
    char* const bytes = Bytes(&fields, "bytes", length);
    CheckAllRead(&fields);
    return bytes;
  }
#ifdef ON_LINUX
  if (kind == kFilter) return FilterBytes(params, value, length);
  if (kind == kGroup || kind == kGroup6 || kind == kCredentials) {
    return StructureBytes(params, value, kind, length);
  }
#endif
  *length = SizeOf(kind);
  switch (kind) {
    case kInteger: {
      /* Some options are unsigned; both halves of the range have the same bytes. */
      const char* const digits = IsInteger(value) ? value : "x";
      errno = 0;
      const long long number = strtoll(digits, NULL, 10);
      if (*digits == 'x' || errno == ERANGE || number < INT_MIN || number > UINT_MAX) {
        Refuse(params->request, kBadParameters, "%s: value must be an integer", params->context);
      }
      fixed.integer = (int)number;
      break;
    }
    case kUnsigned64:
      errno = 0;
      if (!IsInteger(value) || *value == '-') {
        Refuse(params->request, kBadParameters, "%s: value must be an unsigned integer",
               params->context);
      } else {
        fixed.wide = strtoull(value, NULL, 10);
        if (errno == ERANGE) {
          Refuse(params->request, kBadParameters, "%s: value is too large", params->context);
        }
      }
      break;
    case kTime:
      fixed.time = TimeAt(params, value);
      break;
    case kLinger: {
      struct object fields = Fields(params, "value", value);
      fixed.linger.l_onoff = Integer(&fields, "onoff");
      fixed.linger.l_linger = Integer(&fields, "linger");
      CheckAllRead(&fields);
      break;
    }
    case kText:
      return TextAt(params, "value", value, length);
    default:
      return BytesAt(params, "value", value, length);
  }
  char* const bytes = malloc(sizeof fixed);
  if (bytes == NULL) {
    Refuse(params->request, kInternalError, "out of memory");
    return NULL;
  }
  return memcpy(bytes, &fixed, sizeof fixed);
}

static void SetOption(struct request* request, struct object* params) {
  const int fd = Integer(params, "fd");
  const int level = Constant(params, "level", kLevels);
  const struct option* const option = Option(params);
  const char* const value = Required(params, "value");
  size_t length = 0;
  char* const bytes =
      option == NULL || value == NULL ? NULL : OptionBytes(params, value, option->kind, &length);
  /* What is told to be there is there, and zero. */
  char padded[kLongestOption] = {0};
  const char* const asked = Optional(params, "length");
  const int told = IntegerAt(params, "length", asked, INT_MIN, kLongestOption);
  char* from = bytes;
  if (asked != NULL && told > (int)length && bytes != NULL) {
    memcpy(padded, bytes, length);
    from = padded;
  }
  const void* const at = At(params, "value", from, length);
  if (Begin(request)) {
    EndWith(request, setsockopt(fd, level, option->number, at,
                                asked != NULL ? (socklen_t)told : (socklen_t)length));
  }
  free(bytes);
}

/* ---- readiness ---- */

/* The list "fds", to be freed. */
static struct pollfd* ReadPollEntries(struct object* params, size_t* count) {
  const char* const list = Required(params, "fds");
  if (list == NULL) return NULL;
  if (*list != '[') {
    Refuse(params->request, kBadParameters, "%s: fds must be a list", params->context);
    return NULL;
  }
  size_t room = 1;
  for (const char *at = list, *element; (element = NextElement(&at)) != NULL; ++room) continue;
  struct pollfd* const fds = calloc(room, sizeof *fds);
  if (fds == NULL) Refuse(params->request, kInternalError, "out of memory");
  for (const char *at = list, *element; (element = NextElement(&at)) != NULL; ++*count) {
    if (params->request->refused != 0) break;
    struct object fields = Fields(params, "fds", element);
    fds[*count].fd = Integer(&fields, "fd");
    fds[*count].events = (short)Flags(&fields, "events", kPollEvents);
    CheckAllRead(&fields);
  }
  return fds;
}

static void PutPollEntries(struct text* text, const struct pollfd* fds, size_t count) {
  Put(text, "[");
  for (size_t i = 0; i < count; ++i) {
    if (i > 0) Put(text, ",");
    PutFlags(text, kPollEvents, (unsigned short)fds[i].revents);
  }
  Put(text, "]");
}

static void Poll(struct request* request, struct object* params) {
  size_t count = 0;
  const int timeout = Integer(params, "timeout_ms");
  struct pollfd* const fds = ReadPollEntries(params, &count);
  struct pollfd* const entries = At(params, "fds", fds, count * sizeof *fds);
  const int by_ring = ThroughRing(params, kRingPoll);
  if (by_ring && (count != 1 || timeout >= 0)) {
    Refuse(request, kUnsupported, "poll through io_uring of several descriptors or with a limit");
  }
  if (Begin(request)) {
    long long ready = 0;
    if (by_ring) {
      ready = ByRing(kRingPoll, fds[0].fd, NULL, 0, 0, (unsigned short)fds[0].events);
      fds[0].revents = (short)ready;
    } else {
      ready = poll(entries, (nfds_t)count, timeout);
    }
    if (End(request, ready)) PutPollEntries(&request->value, fds, count);
  }
  free(fds);
}

/* One set of select(); NULL for one that is left out. */
static fd_set* ReadSet(struct object* params, const char* name, fd_set* set, int* count) {
  const char* const list = Optional(params, name);
  FD_ZERO(set);
  if (list == NULL) return NULL;
  if (*list != '[') {
    Refuse(params->request, kBadParameters, "%s: %s must be a list", params->context, name);
    return NULL;
  }
  for (const char *at = list, *element; (element = NextElement(&at)) != NULL;) {
    const int fd = IntegerAt(params, name, element, 0, FD_SETSIZE - 1);
    FD_SET(fd, set);
    if (fd >= *count) *count = fd + 1;
  }
  return set;
}

static void PutSet(struct text* text, const char* member, const fd_set* set) {
  const char* separator = "";
  Put(text, member);
  for (int fd = 0; set != NULL && fd < FD_SETSIZE; ++fd) {
    if (!FD_ISSET(fd, set)) continue;
    Put(text, separator);
    PutInteger(text, fd);
    separator = ",";
  }
  Put(text, "]");
}

/* "timeout", of "sec" and that part. NULL when it is left out. */
static struct timespec* ReadTimeout(struct object* params, const char* part,
                                    struct timespec* timeout) {
  const char* const value = Optional(params, "timeout");
  if (value == NULL) return NULL;
  struct object fields = Fields(params, "timeout", value);
  timeout->tv_sec = Integer(&fields, "sec");
  timeout->tv_nsec = Integer(&fields, part);
  CheckAllRead(&fields);
  return timeout;
}

static sigset_t* ReadSignals(struct object* params, const char* of, const char* at,
                             sigset_t* signals) {
  if (at == NULL) return NULL;
  sigemptyset(signals);
  if (*at != '[') {
    Refuse(params->request, kBadParameters, "%s: %s must be a list", params->context, of);
    return NULL;
  }
  for (const char* name; (name = NextElement(&at)) != NULL;) {
    sigaddset(signals, (int)ConstantAt(params, of, name, kSignals));
  }
  return signals;
}

static sigset_t* ReadMask(struct object* params, sigset_t* mask) {
  return ReadSignals(params, "mask", Optional(params, "mask"), mask);
}

static void SelectBy(struct request* request, struct object* params, int with_mask) {
  fd_set sets[3];
  struct timespec time = {0, 0};
  sigset_t signals;
  int count = 0;
  fd_set* const read = ReadSet(params, "read", &sets[0], &count);
  fd_set* const write = ReadSet(params, "write", &sets[1], &count);
  fd_set* const except = ReadSet(params, "except", &sets[2], &count);
  const char* const nfds = Optional(params, "nfds");
  if (nfds != NULL) count = IntegerAt(params, "nfds", nfds, INT_MIN, INT_MAX);
  const char* const part = with_mask ? "nsec" : "usec";
  struct timespec* const limit = ReadTimeout(params, part, &time);
  const sigset_t* const mask = with_mask ? ReadMask(params, &signals) : NULL;
  struct timeval coarse = {time.tv_sec, (suseconds_t)time.tv_nsec};
  struct timeval* const coarse_limit =
      with_mask ? NULL : At(params, "timeout", limit != NULL ? &coarse : NULL, sizeof coarse);
  fd_set* const read_at = with_mask ? read : At(params, "read", read, sizeof *read);
  if (!Begin(request)) return;
  const int ready = with_mask ? pselect(count, read, write, except, limit, mask)
                              : select(count, read_at, write, except, coarse_limit);
  if (!End(request, ready)) return;
  struct text* const value = &request->value;
  Put(value, "{\"ready\":");
  PutInteger(value, ready);
  PutSet(value, ",\"read\":[", read);
  PutSet(value, ",\"write\":[", write);
  PutSet(value, ",\"except\":[", except);
  if (limit != NULL) {
    Put(value, ",\"timeout\":{\"sec\":");
    PutInteger(value, with_mask ? time.tv_sec : coarse.tv_sec);
    Put(value, with_mask ? ",\"nsec\":" : ",\"usec\":");
    PutInteger(value, with_mask ? time.tv_nsec : (long)coarse.tv_usec);
    Put(value, "}");
  }
  Put(value, "}");
}

static void Select(struct request* request, struct object* params) { SelectBy(request, params, 0); }

static void SelectWithMask(struct request* request, struct object* params) {
  SelectBy(request, params, 1);
}

#ifdef ON_LINUX
static void EpollCreate(struct request* request, struct object* params) {
  const unsigned flags = Flags(params, "flags", kEpollFlags);
  if (Begin(request)) EndWith(request, epoll_create1((int)flags));
}

static void EpollControl(struct request* request, struct object* params) {
  struct epoll_event event = {0};
  const int epfd = Integer(params, "epfd");
  const int operation = Constant(params, "op", kEpollOperations);
  const int fd = Integer(params, "fd");
  event.data.fd = fd;
  event.events = Flags(params, "events", kEpollEvents);
  struct epoll_event* const at = At(params, "event", &event, sizeof event);
  if (Begin(request)) EndWith(request, epoll_ctl(epfd, operation, fd, at));
}

static void EpollWaitBy(struct request* request, struct object* params, const sigset_t* mask) {
  const int epfd = Integer(params, "epfd");
  const int room = IntegerFrom(params, "maxevents", INT_MIN, kMostEvents);
  const int timeout = Integer(params, "timeout_ms");
  struct epoll_event* const events = calloc(room > 0 ? (size_t)room : 1, sizeof *events);
  if (events == NULL) Refuse(request, kInternalError, "out of memory");
  struct epoll_event* const entries =
      At(params, "events", events, room > 0 ? (size_t)room * sizeof *events : 0);
  if (Begin(request)) {
    const int ready = epoll_pwait(epfd, entries, room, timeout, mask);
    End(request, ready);
    Put(&request->value, "[");
    for (int i = 0; i < ready; ++i) {
      Put(&request->value, i > 0 ? ",{\"fd\":" : "{\"fd\":");
      PutInteger(&request->value, events[i].data.fd);
      Put(&request->value, ",\"events\":");
      PutFlags(&request->value, kEpollEvents, events[i].events);
      Put(&request->value, "}");
    }
    Put(&request->value, "]");
  }
  free(events);
}

static void EpollWait(struct request* request, struct object* params) {
  EpollWaitBy(request, params, NULL);
}

static void EpollWaitWithMask(struct request* request, struct object* params) {
  sigset_t signals;
  EpollWaitBy(request, params, ReadMask(params, &signals));
}

static const char* SignalName(int number) {
  const struct constant* known = kSignals;
  while (known->name != NULL && known->value != number) ++known;
  return known->name;
}

static void WaitForSignal(struct request* request, struct object* params) {
  sigset_t signals;
  sigemptyset(&signals);
  ReadSignals(params, "signals", Required(params, "signals"), &signals);
  const int milliseconds = Integer(params, "timeout_ms");
  const struct timespec timeout = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
  if (!Begin(request)) return;
  const int taken = sigtimedwait(&signals, NULL, &timeout);
  if (!End(request, taken)) return;
  const char* const name = SignalName(taken);
  PutString(&request->value, name, strlen(name));
}

static void PollWithMask(struct request* request, struct object* params) {
  size_t count = 0;
  struct timespec time = {0, 0};
  sigset_t signals;
  struct pollfd* const fds = ReadPollEntries(params, &count);
  const struct timespec* const limit = ReadTimeout(params, "nsec", &time);
  const sigset_t* const mask = ReadMask(params, &signals);
  struct pollfd* const entries = At(params, "fds", fds, count * sizeof *fds);
  if (Begin(request) && End(request, ppoll(entries, (nfds_t)count, limit, mask))) {
    PutPollEntries(&request->value, fds, count);
  }
  free(fds);
}
#endif

/* ---- files ---- */

static void MakePipe(struct request* request, struct object* params) {
  int fds[2] = {-1, -1};
  int* const room = At(params, "fds", fds, sizeof fds);
  if (!Begin(request) || !End(request, pipe(room))) return;
  Put(&request->value, "[");
  PutInteger(&request->value, fds[0]);
  Put(&request->value, ",");
  PutInteger(&request->value, fds[1]);
  Put(&request->value, "]");
}

static int Mode(struct object* params, int otherwise) {
  const char* const mode = Optional(params, "mode");
  return mode == NULL ? otherwise : IntegerAt(params, "mode", mode, 0, 07777);
}

static void OpenFile(struct request* request, struct object* params) {
  char* const path = Text(params, "path");
  const unsigned flags = Flags(params, "flags", kOpenFlags);
  const int mode = Mode(params, 0600);
  if (Begin(request)) EndWith(request, open(path, (int)flags, mode));
  free(path);
}

static void Unlink(struct request* request, struct object* params) {
  char* const path = Text(params, "path");
  if (Begin(request)) EndWith(request, unlink(path));
  free(path);
}

static void LinkTo(struct request* request, struct object* params) {
  char* const target = Text(params, "target");
  char* const path = Text(params, "path");
  if (Begin(request)) EndWith(request, symlink(target, path));
  free(target);
  free(path);
}

static void ChangeMode(struct request* request, struct object* params) {
  char* const path = Text(params, "path");
  const int mode = IntegerFrom(params, "mode", 0, 07777);
  if (Begin(request)) EndWith(request, chmod(path, (mode_t)mode));
  free(path);
}

static const char* TypeOf(mode_t mode) {
  if (S_ISSOCK(mode)) return "socket";
  if (S_ISREG(mode)) return "file";
  if (S_ISDIR(mode)) return "directory";
  if (S_ISFIFO(mode)) return "pipe";
  return S_ISLNK(mode) ? "link" : "other";
}

static void StatusOf(struct request* request, struct object* params) {
  struct stat status;
  memset(&status, 0, sizeof status);
  const int by_path = FindMember(params->at, "path") != NULL;
  char* const path = by_path ? Text(params, "path") : NULL;
  const int fd = by_path ? -1 : Integer(params, "fd");
  if (Begin(request) && End(request, by_path ? stat(path, &status) : fstat(fd, &status))) {
    Put(&request->value, "{\"type\":\"");
    Put(&request->value, TypeOf(status.st_mode));
    Put(&request->value, "\",\"mode\":");
    PutUnsigned(&request->value, status.st_mode & 07777);
    Put(&request->value, ",\"uid\":");
    PutUnsigned(&request->value, status.st_uid);
    Put(&request->value, ",\"gid\":");
    PutUnsigned(&request->value, status.st_gid);
    Put(&request->value, ",\"size\":");
    PutInteger(&request->value, (long long)status.st_size);
    Put(&request->value, "}");
  }
  free(path);
}

static void Seek(struct request* request, struct object* params) {
  const int fd = Integer(params, "fd");
  const int offset = Integer(params, "offset");
  const int whence = Constant(params, "whence", kSeekOrigins);
  if (Begin(request)) EndWith(request, (long long)lseek(fd, offset, whence));
}

#ifdef ON_LINUX
static void SendFile(struct request* request, struct object* params) {
  const int out = Integer(params, "out");
  const int in = Integer(params, "in");
  const int count = IntegerFrom(params, "count", 0, INT_MAX);
  const char* const asked = Optional(params, "offset");
  off_t offset = IntegerAt(params, "offset", asked, INT_MIN, INT_MAX);
  if (!Begin(request)) return;
  EndWith(request, sendfile(out, in, asked != NULL ? &offset : NULL, (size_t)count));
}

static void Splice(struct request* request, struct object* params) {
  const int in = Integer(params, "in");
  const int out = Integer(params, "out");
  const int count = IntegerFrom(params, "count", 0, INT_MAX);
  const unsigned flags = Flags(params, "flags", kSpliceFlags);
  if (Begin(request)) EndWith(request, splice(in, NULL, out, NULL, (size_t)count, flags));
}

static void Tee(struct request* request, struct object* params) {
  const int in = Integer(params, "in");
  const int out = Integer(params, "out");
  const int count = IntegerFrom(params, "count", 0, INT_MAX);
  const unsigned flags = Flags(params, "flags", kSpliceFlags);
  if (Begin(request)) EndWith(request, tee(in, out, (size_t)count, flags));
}

/* ---- interfaces ---- */

static void ReadInterfaceName(struct object* params, const char* parameter, char* into) {
  if (Optional(params, parameter) == NULL) return;
  char* const name = Text(params, parameter);
  if (name != NULL && strlen(name) > IFNAMSIZ) {
    Refuse(params->request, kBadParameters, "%s: %s must have at most %d octets", params->context,
           parameter, IFNAMSIZ);
  } else if (name != NULL) {
    memcpy(into, name, strlen(name));
  }
  free(name);
}

/* A hardware address: `number` is its type. */
static void ReadHardware(struct object* params, struct sockaddr* address) {
  size_t length = 0;
  char* const octets = Bytes(params, "octets", &length);
  const char* const number = Optional(params, "number");
  if (octets != NULL && length > sizeof address->sa_data) {
    Refuse(params->request, kBadParameters, "%s: octets must be at most 14", params->context);
  } else if (octets != NULL) {
    memcpy(address->sa_data, octets, length);
  }
  free(octets);
  if (number == NULL) return;
  address->sa_family = (sa_family_t)IntegerAt(params, "number", number, 0, 0xffff);
}

static struct ifreq ReadInterface(struct object* params) {
  struct ifreq interface;
  memset(&interface, 0, sizeof interface);
  ReadInterfaceName(params, "name", interface.ifr_name);
  ReadInterfaceName(params, "new_name", interface.ifr_newname);
  if (Optional(params, "octets") != NULL) {
    ReadHardware(params, &interface.ifr_hwaddr);
    return interface;
  }
  const char* const number = Optional(params, "number");
  if (number != NULL) {
    interface.ifr_ifindex = IntegerAt(params, "number", number, INT_MIN, INT_MAX);
  }
  if (Optional(params, "flags") != NULL) {
    interface.ifr_flags = (short)Flags(params, "flags", kInterfaceFlags);
  }
  if (Optional(params, "address") != NULL) {
    const struct address address = ReadAddress(params);
    memcpy(&interface.ifr_addr, &address.storage, sizeof interface.ifr_addr);
  }
  return interface;
}

static void PutInterface(struct text* text, const struct ifreq* interface, unsigned long asked) {
  struct address address;
  memset(&address, 0, sizeof address);
  Put(text, "{\"name\":");
  PutString(text, interface->ifr_name, strnlen(interface->ifr_name, IFNAMSIZ));
  switch (asked) {
    case SIOCGIFFLAGS:
    case SIOCSIFFLAGS:
      Put(text, ",\"flags\":");
      PutFlags(text, kInterfaceFlags, (unsigned short)interface->ifr_flags);
      break;
    case SIOCGIFADDR:
    case SIOCSIFADDR:
    case SIOCGIFDSTADDR:
    case SIOCSIFDSTADDR:
    case SIOCGIFBRDADDR:
    case SIOCSIFBRDADDR:
    case SIOCGIFNETMASK:
    case SIOCSIFNETMASK:
    case SIOCGIFCONF:
      memcpy(&address.storage, &interface->ifr_addr, sizeof interface->ifr_addr);
      address.length = sizeof interface->ifr_addr;
      Put(text, ",\"address\":");
      PutAddress(text, NULL, &address);
      break;
    case SIOCGIFHWADDR:
    case SIOCSIFHWADDR:
    case SIOCSIFHWBROADCAST:
    case SIOCADDMULTI:
    case SIOCDELMULTI:
      Put(text, ",\"number\":");
      PutInteger(text, interface->ifr_hwaddr.sa_family);
      Put(text, ",\"octets\":");
      PutBase64(text, interface->ifr_hwaddr.sa_data, sizeof interface->ifr_hwaddr.sa_data);
      break;
    case SIOCSIFNAME:
    case SIOCSIFMAP:
      break;
    default:
      Put(text, ",\"number\":");
      PutInteger(text, interface->ifr_ifindex);
  }
  Put(text, "}");
}

/* What sockets of AF_INET6 take: struct in6_ifreq of linux/ipv6.h, which cannot stand beside
 * netinet/in.h. */
static void ControlByIpv6(struct request* request, struct object* params, int fd,
                          unsigned long asked) {
  struct {
    struct in6_addr address;
    uint32_t prefix_length;
    int interface;
  } wanted;
  const struct address address = ReadAddress(params);
  struct sockaddr_in6 ipv6;
  memcpy(&ipv6, &address.storage, sizeof ipv6);
  wanted.address = ipv6.sin6_addr;
  wanted.prefix_length = (uint32_t)IntegerFrom(params, "prefix_length", 0, 128);
  wanted.interface = Integer(params, "number");
  void* const at = At(params, "interface", &wanted, sizeof wanted);
  if (!Begin(request) || !End(request, ioctl(fd, asked, at))) return;
  Put(&request->value, "{\"name\":\"\"}");
}

static void InterfaceControl(struct request* request, struct object* params) {
  const int fd = Integer(params, "fd");
  const unsigned long asked = (unsigned long)Constant(params, "request", kInterfaceRequests);
  if (Optional(params, "prefix_length") != NULL) {
    ControlByIpv6(request, params, fd, asked);
    return;
  }
  struct ifreq interface = ReadInterface(params);
  void* const at = At(params, "interface", &interface, sizeof interface);
  if (!Begin(request) || !End(request, ioctl(fd, asked, at))) return;
  PutInterface(&request->value, &interface, asked);
}

static void ListInterfaces(struct request* request, struct object* params) {
  const int fd = Integer(params, "fd");
  const char* const asked = Optional(params, "room");
  const int room = IntegerAt(params, "room", asked, 0, kMostEvents);
  struct ifreq* const all = calloc(room > 0 ? (size_t)room : 1, sizeof *all);
  struct ifconf list;
  memset(&list, 0, sizeof list);
  list.ifc_len = room * (int)sizeof *all;
  list.ifc_req = asked != NULL ? all : NULL;
  if (all == NULL) Refuse(request, kInternalError, "out of memory");
  void* const at = At(params, "interfaces", &list, sizeof list);
  if (Begin(request) && End(request, ioctl(fd, SIOCGIFCONF, at))) {
    const int filled = list.ifc_len / (int)sizeof *all;
    Put(&request->value, "{\"length\":");
    PutInteger(&request->value, filled);
    Put(&request->value, ",\"interfaces\":[");
    for (int i = 0; i < filled && i < room; ++i) {
      if (i > 0) Put(&request->value, ",");
      PutInterface(&request->value, &all[i], SIOCGIFCONF);
    }
    Put(&request->value, "]}");
  }
  free(all);
}

/* A descriptor by a socket: sent for one that is not negative, else received. -1 for failure. */
static int CarryDescriptor(int socket, int fd) {
  union {
    struct cmsghdr head;
    char octets[64];
  } control;
  char octet = 'x';
  struct iovec part = {&octet, 1};
  struct msghdr message;
  memset(&control, 0, sizeof control);
  memset(&message, 0, sizeof message);
  control.head.cmsg_len = CMSG_LEN(sizeof(int));
  control.head.cmsg_level = SOL_SOCKET;
  control.head.cmsg_type = SCM_RIGHTS;
  memcpy(control.octets + CMSG_LEN(0), &fd, sizeof fd);
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.octets;
  message.msg_controllen = CMSG_SPACE(sizeof(int));
  if (fd >= 0) return sendmsg(socket, &message, 0) == 1 ? fd : -1;
  if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != 1 ||
      message.msg_controllen < CMSG_LEN(sizeof(int))) {
    return -1;
  }
  memcpy(&fd, control.octets + CMSG_LEN(0), sizeof fd);
  return fd;
}

/* A file system in memory that is mounted nowhere: it ends with its descriptor. Made by a process
 * of its own, since only one thread of this one could leave the mounts of the others. */
static int MakeMount(int read_only) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return -1;
  const pid_t child = fork();
  if (child == 0) {
    if (unshare(CLONE_NEWNS) != 0) _exit(1);
    const int context = (int)syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);
    if (context < 0) _exit(2);
    if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) != 0) _exit(3);
    const int mount =
        (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, read_only ? MOUNT_ATTR_RDONLY : 0);
    _exit(mount >= 0 && CarryDescriptor(ends[1], mount) >= 0 ? 0 : 4);
  }
  close(ends[1]);
  const int mount = child < 0 ? -1 : CarryDescriptor(ends[0], -1);
  close(ends[0]);
  if (child > 0) waitpid(child, NULL, 0);
  if (mount < 0) return -1;
  const int moved = fcntl(mount, F_DUPFD_CLOEXEC, kFirstOutOfTheWay);
  close(mount);
  return moved;
}

/* The one of this agent, or the one that nobody can write to, made when it is first asked for. */
static int Mount(int read_only) {
  static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;
  static int mounts[2] = {-2, -2};
  pthread_mutex_lock(&making);
  if (mounts[read_only] == -2) mounts[read_only] = MakeMount(read_only);
  const int mount = mounts[read_only];
  pthread_mutex_unlock(&making);
  if (mount < 0) errno = ENOSYS;
  return mount;
}

static void MakeDirectory(struct request* request, struct object* params) {
  const char* const asked = Optional(params, "read_only");
  if (asked != NULL && *asked != 't' && *asked != 'f') {
    Refuse(request, kBadParameters, "directory: read_only must be true or false");
  }
  if (!Begin(request)) return;
  const int mount = Mount(asked != NULL && *asked == 't');
  if (!End(request, mount)) return;
  Put(&request->value, "\"/proc/self/fd/");
  PutInteger(&request->value, mount);
  Put(&request->value, "\"");
}

/* ---- processes ---- */

/* A child that speaks the protocol by a channel; what has its pid as "process" is passed on to it.
 */
struct child {
  pid_t pid;
  int channel;
  struct child* next;
};

static pthread_mutex_t noting_children = PTHREAD_MUTEX_INITIALIZER;
static struct child* children;

/* The channel to the child, -1 when there is none. */
static int ChannelTo(int pid) {
  int channel = -1;
  pthread_mutex_lock(&noting_children);
  for (const struct child* child = children; child != NULL; child = child->next) {
    if (child->pid == pid) channel = child->channel;
  }
  pthread_mutex_unlock(&noting_children);
  return channel;
}

static void ServeLines(void);

/* What a child writes, line by line, until it ends. */
static void* CarryLines(void* argument) {
  const int channel = ((const struct child*)argument)->channel;
  struct text line = {0};
  char chunk[65536];
  while (1) {
    const ssize_t count = recv(channel, chunk, sizeof chunk, 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    for (const char *at = chunk, *const end = chunk + count; at < end;) {
      const char* const newline = memchr(at, '\n', (size_t)(end - at));
      PutBytes(&line, at, (size_t)((newline != NULL ? newline : end) - at));
      if (newline == NULL) break;
      at = newline + 1;
      if (line.failed) _exit(1);
      WriteLine(&line); /* frees it */
      memset(&line, 0, sizeof line);
    }
  }
  free(line.bytes);
  return NULL;
}

/* What a child gives up before it serves. */
struct restrictions {
  int has_uid, has_gid, uid, gid;
  int has_mask, mask;
  uint64_t capabilities;
  const char* limits; /* an object, NULL for none */
};

static void ReadRestrictions(struct object* params, struct restrictions* restrictions) {
  const char* const uid = Optional(params, "uid");
  const char* const gid = Optional(params, "gid");
  const char* at = Optional(params, "without_capabilities");
  restrictions->has_uid = uid != NULL;
  restrictions->has_gid = gid != NULL;
  restrictions->uid = IntegerAt(params, "uid", uid, 0, INT_MAX);
  restrictions->gid = IntegerAt(params, "gid", gid, 0, INT_MAX);
  const char* const mask = Optional(params, "umask");
  restrictions->has_mask = mask != NULL;
  restrictions->mask = IntegerAt(params, "umask", mask, 0, 0777);
  if (at != NULL && *at != '[') {
    Refuse(params->request, kBadParameters, "fork: without_capabilities must be a list");
  } else if (at != NULL) {
    for (const char* name; (name = NextElement(&at)) != NULL;) {
      restrictions->capabilities |=
          (uint64_t)1 << ConstantAt(params, "without_capabilities", name, kPrivileges);
    }
  }
  restrictions->limits = Optional(params, "limits");
  if (restrictions->limits == NULL) return;
  if (*restrictions->limits != '{') {
    Refuse(params->request, kBadParameters, "fork: limits must be an object");
    return;
  }
  const char *member = restrictions->limits, *name = NULL;
  for (const char* value; (value = NextMember(&member, &name)) != NULL;) {
    ConstantAt(params, "limit", name, kLimits);
    IntegerAt(params, "limits", value, 0, INT_MAX);
  }
}

/* 0 or an errno. The limits first: they may need what is given up. */
static int Restrict(struct object* params, const struct restrictions* restrictions) {
  const char *member = restrictions->limits, *name = NULL;
  for (const char* value; member != NULL && (value = NextMember(&member, &name)) != NULL;) {
    const rlim_t limit = (rlim_t)IntegerAt(params, "limits", value, 0, INT_MAX);
    const struct rlimit both = {limit, limit};
    if (setrlimit((int)ConstantAt(params, "limit", name, kLimits), &both) != 0) return errno;
  }
  if (restrictions->has_mask) umask((mode_t)restrictions->mask);
  const int uid = restrictions->uid, gid = restrictions->gid;
  if (restrictions->has_gid && syscall(SYS_setresgid, gid, gid, gid) != 0) return errno;
  if (restrictions->has_uid && syscall(SYS_setresuid, uid, uid, uid) != 0) return errno;
  if (restrictions->capabilities == 0) return 0;
  struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
  if (syscall(SYS_capget, &head, sets) != 0) return errno;
  for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; ++i) {
    const uint32_t kept = (uint32_t) ~(restrictions->capabilities >> (32 * i));
    sets[i].effective &= kept;
    sets[i].permitted &= kept;
    sets[i].inheritable &= kept;
  }
  return syscall(SYS_capset, &head, sets) != 0 ? errno : 0;
}

static void Fork(struct request* request, struct object* params) {
  struct restrictions restrictions;
  int ends[2], error = 0;
  memset(&restrictions, 0, sizeof restrictions);
  ReadRestrictions(params, &restrictions);
  struct child* const child = calloc(1, sizeof *child);
  if (child == NULL || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    Refuse(request, kInternalError, "fork: no channel to the child");
    free(child);
    return;
  }
  child->channel = fcntl(ends[0], F_DUPFD_CLOEXEC, kFirstOutOfTheWay);
  const int theirs = fcntl(ends[1], F_DUPFD_CLOEXEC, kFirstOutOfTheWay);
  close(ends[0]);
  close(ends[1]);
  if (Begin(request)) {
    /* Nobody else may be in the middle of what the copy needs. */
    pthread_mutex_lock(&watching);
    pthread_mutex_lock(&writing);
    pthread_mutex_lock(&noting_children);
    child->pid = fork();
    pthread_mutex_unlock(&noting_children);
    pthread_mutex_unlock(&writing);
    pthread_mutex_unlock(&watching);
    if (child->pid == 0) {
      close(child->channel);
      error = Restrict(params, &restrictions);
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      prctl(PR_SET_DUMPABLE, 1);
      if (send(theirs, &error, sizeof error, MSG_NOSIGNAL) != sizeof error || error != 0) _exit(1);
      dup2(theirs, STDIN_FILENO);
      dup2(theirs, STDOUT_FILENO);
      close(theirs);
      children = NULL;
      calls_in_threads = 0;
      ServeLines();
      _exit(0);
    }
    End(request, child->pid);
  }
  close(theirs);
  if (request->refused == 0 && child->pid > 0 &&
      (recv(child->channel, &error, sizeof error, MSG_WAITALL) != sizeof error || error != 0)) {
    waitpid(child->pid, NULL, 0);
    request->error = error != 0 ? error : EPIPE;
  }
  if (request->refused != 0 || request->error != 0) {
    close(child->channel);
    free(child);
    return;
  }
  pthread_t thread;
  pthread_mutex_lock(&noting_children);
  child->next = children;
  children = child;
  pthread_mutex_unlock(&noting_children);
  if (pthread_create(&thread, NULL, CarryLines, child) == 0) pthread_detach(thread);
  PutInteger(&request->value, child->pid);
}

static void Wait(struct request* request, struct object* params) {
  int status = 0;
  const int pid = IntegerFrom(params, "pid", 1, INT_MAX);
  if (!Begin(request) || !End(request, waitpid(pid, &status, 0))) return;
  if (WIFSIGNALED(status)) {
    char unknown[32];
    const char* const known = SignalName(WTERMSIG(status));
    snprintf(unknown, sizeof unknown, "signal %d", WTERMSIG(status));
    Put(&request->value, "{\"signal\":\"");
    Put(&request->value, known != NULL ? known : unknown);
    Put(&request->value, "\"}");
  } else {
    Put(&request->value, "{\"exited\":");
    PutInteger(&request->value, WEXITSTATUS(status));
    Put(&request->value, "}");
  }
}

static void Kill(struct request* request, struct object* params) {
  const int pid = IntegerFrom(params, "pid", 1, INT_MAX);
  const int number = Constant(params, "signal", kSignals);
  if (ChannelTo(pid) < 0) {
    Refuse(request, kBadParameters, "kill: pid must be one that fork has made");
  }
  if (Begin(request)) EndWith(request, kill(pid, number));
}

static void Exit(struct request* request, struct object* params) {
  const int status = IntegerFrom(params, "status", 0, 255);
  if (!Begin(request)) return;
  EndWith(request, 0);
  request->exits = 1;
  request->exit_status = status;
}

static const char kExecuted[] = "SOCKPROOF_AGENT_EXECUTED";

/* The program that takes the place of this one gives the answer, which is in its environment. */
static void Execute(struct request* request, struct object* params) {
  char* const program[] = {(char*)"/proc/self/exe", NULL};
  struct text answer = {0};
  (void)params;
  if (!Begin(request)) return;
  Opening(request, &answer);
  Put(&answer, ",\"result\":{\"value\":0,\"begin\":");
  PutInteger(&answer, request->begin);
  Put(&answer, ",\"end\":");
  PutInteger(&answer, request->begin);
  Put(&answer, "}}\n");
  PutBytes(&answer, "", 1);
  if (!answer.failed) setenv(kExecuted, answer.bytes, 1);
  End(request, execv(program[0], program));
  unsetenv(kExecuted);
  free(answer.bytes);
}

static void AnswerExecution(void) {
  const char* const answer = getenv(kExecuted);
  if (answer != NULL && write(STDOUT_FILENO, answer, strlen(answer)) < 0) _exit(0);
  unsetenv(kExecuted);
}
#endif

#ifdef ON_LINUX
/* ---- settings and counters: files below /proc ---- */

/* Adds the text of a file. -1, with errno, when it cannot be read. */
static int ReadFile(const char* path, struct text* text) {
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return -1;
  while (1) {
    char chunk[4096];
    const ssize_t count = read(file, chunk, sizeof chunk);
    if (count > 0) {
      PutBytes(text, chunk, (size_t)count);
      continue;
    }
    const int error = errno;
    close(file);
    errno = error;
    return (int)count;
  }
}

static int WriteFile(const char* path, const char* text, size_t length) {
  const int file = open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) return -1;
  const ssize_t count = write(file, text, length);
  const int error = errno;
  close(file);
  errno = error;
  return count < 0 ? -1 : 0;
}

/* net.ipv4.tcp_sack as a path; '/' stands for a '.' in an interface's name. */
static void SysctlPath(struct object* params, char* path, size_t size) {
  char* const name = Text(params, "name");
  if (name == NULL) return;
  if (*name == '\0' || strstr(name, "//") != NULL || strlen(name) > size - 32) {
    Refuse(params->request, kBadParameters, "%s: name must be that of a sysctl", params->context);
  } else {
    for (char* at = name; *at != '\0'; ++at) *at = *at == '.' ? '/' : *at == '/' ? '.' : *at;
    snprintf(path, size, "/proc/sys/%s", name);
  }
  free(name);
}

static void GetSysctl(struct request* request, struct object* params) {
  char path[256] = "";
  struct text text = {0};
  SysctlPath(params, path, sizeof path);
  if (Begin(request) && End(request, ReadFile(path, &text))) {
    if (text.length > 0 && text.bytes[text.length - 1] == '\n') --text.length;
    PutString(&request->value, text.bytes, text.length);
  }
  free(text.bytes);
}

static void SetSysctl(struct request* request, struct object* params) {
  char path[256] = "";
  SysctlPath(params, path, sizeof path);
  char* const value = Text(params, "value");
  if (Begin(request)) EndWith(request, WriteFile(path, value, strlen(value)));
  free(value);
}

/* A line of names and one of numbers for each protocol: "Tcp: a b", "Tcp: 1 2". */
static void PutCounters(struct text* out, char* text) {
  char *lines = NULL, *names, *numbers;
  for (char* from = text; (names = strtok_r(from, "\n", &lines)) != NULL; from = NULL) {
    if ((numbers = strtok_r(NULL, "\n", &lines)) == NULL) return;
    char *in_names = NULL, *in_numbers = NULL;
    char* const protocol = strtok_r(names, ": ", &in_names);
    strtok_r(numbers, " ", &in_numbers);
    while (1) {
      char* const name = strtok_r(NULL, ": ", &in_names);
      char* const number = strtok_r(NULL, " ", &in_numbers);
      if (name == NULL || number == NULL) break;
      Put(out, out->length > 1 ? ",\"" : "\"");
      Put(out, protocol);
      Put(out, ".");
      Put(out, name);
      Put(out, "\":");
      Put(out, number);
    }
  }
}

static void Counters(struct request* request, struct object* params) {
  (void)params;
  struct text text = {0};
  if (!Begin(request)) return;
  int result = ReadFile("/proc/net/snmp", &text);
  if (result >= 0) result = ReadFile("/proc/net/netstat", &text);
  PutBytes(&text, "", 1);
  if (End(request, result)) {
    Put(&request->value, "{");
    if (!text.failed) PutCounters(&request->value, text.bytes);
    Put(&request->value, "}");
  }
  free(text.bytes);
}

/* ---- connections: /proc/net/tcp and tcp6 ---- */

static const char* TcpTable(int family) {
  return family == AF_INET ? "/proc/net/tcp" : "/proc/net/tcp6";
}

/* "0100007F:1F90": the address in words of 32 bits, each a number as this machine stores it; the
   port as a number. */
static int ReadTableAddress(const char* text, int family, struct address* address) {
  unsigned word[4], port;
  if (family == AF_INET) {
    struct sockaddr_in inet = {.sin_family = AF_INET};
    if (sscanf(text, "%8x:%4x", &word[0], &port) != 2) return 0;
    inet.sin_port = htons((uint16_t)port);
    memcpy(&inet.sin_addr, word, sizeof inet.sin_addr);
    memcpy(&address->storage, &inet, sizeof inet);
    address->length = sizeof inet;
  } else {
    struct sockaddr_in6 inet = {.sin6_family = AF_INET6};
    if (sscanf(text, "%8x%8x%8x%8x:%4x", &word[0], &word[1], &word[2], &word[3], &port) != 5) {
      return 0;
    }
    inet.sin6_port = htons((uint16_t)port);
    memcpy(&inet.sin6_addr, word, sizeof inet.sin6_addr);
    memcpy(&address->storage, &inet, sizeof inet);
    address->length = sizeof inet;
  }
  return 1;
}

/* The table as the value of tcp_sockets. */
static void PutTcpSockets(struct text* out, char* table, int family) {
  char* lines = NULL;
  const char* separator = "";
  Put(out, "[");
  for (char *from = table, *line; (line = strtok_r(from, "\n", &lines)) != NULL; from = NULL) {
    char local_text[48], remote_text[48];
    unsigned state, send_queue, receive_queue;
    struct address local, remote;
    if (sscanf(line, " %*d: %47s %47s %x %x:%x", local_text, remote_text, &state, &send_queue,
               &receive_queue) != 5 ||
        !ReadTableAddress(local_text, family, &local) ||
        !ReadTableAddress(remote_text, family, &remote)) {
      continue; /* the line of names */
    }
    const char* const name = TcpStateName(state);
    Put(out, separator);
    Put(out, "{\"state\":\"");
    Put(out, name);
    Put(out, "\",\"local\":");
    PutAddress(out, NULL, &local);
    Put(out, ",\"remote\":");
    if (strcmp(name, "LISTEN") == 0) {
      Put(out, "null");
    } else {
      PutAddress(out, NULL, &remote);
    }
    Put(out, ",\"receive_queue\":");
    PutUnsigned(out, receive_queue);
    Put(out, ",\"send_queue\":");
    PutUnsigned(out, send_queue);
    Put(out, "}");
    separator = ",";
  }
  Put(out, "]");
}

static void TcpSockets(struct request* request, struct object* params) {
  const int family = Constant(params, "family", kFamilies);
  if (request->refused == 0 && family != AF_INET && family != AF_INET6) {
    Refuse(request, kUnsupported, "%s: TCP of that family is unsupported", params->context);
  }
  struct text table = {0};
  if (!Begin(request)) return;
  const int result = ReadFile(TcpTable(family), &table);
  PutBytes(&table, "", 1);
  if (End(request, result) && !table.failed) PutTcpSockets(&request->value, table.bytes, family);
  free(table.bytes);
}

/* Kernels that imitate Linux show descriptors only: in their table a connection in TIME-WAIT seems
   to be gone. They have no sock_diag either, by which they are known here. */
static int ShowsConnectionsWithoutDescriptor(void) {
  const int sock_diag = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  if (sock_diag < 0) return 0;
  close(sock_diag);
  return access(TcpTable(AF_INET), R_OK) == 0;
}
#endif

/* ---- what the agent is ---- */

static void PutCapability(struct text* text, const char* name, int works) {
  if (!works) return;
  Put(text, text->bytes[text->length - 1] == '[' ? "\"" : ",\"");
  Put(text, name);
  Put(text, "\"");
}

static int CanMakeSocket(int family) {
  const int fd = socket(family, SOCK_STREAM, 0);
  if (fd < 0) return 0;
  close(fd);
  return 1;
}

static int CanTellTcpInfo(void) {
#if defined(TCP_INFO) && (defined(ON_LINUX) || defined(__FreeBSD__))
  char info[kLongestOption];
  socklen_t length = sizeof info;
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0) return 0;
  const int result = getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &length);
  close(fd);
  return result == 0;
#else
  return 0;
#endif
}

static int PassesDescriptors(void) {
  union {
    struct cmsghdr head;
    char octets[64];
  } control;
  char octet = 'x';
  struct iovec part = {&octet, 1};
  struct msghdr message;
  int ends[2], passed = -1;
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return 0;
  memset(&control, 0, sizeof control);
  memset(&message, 0, sizeof message);
  control.head.cmsg_len = CMSG_LEN(sizeof(int));
  control.head.cmsg_level = SOL_SOCKET;
  control.head.cmsg_type = SCM_RIGHTS;
  memcpy(control.octets + CMSG_LEN(0), &ends[0], sizeof(int));
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.octets;
  message.msg_controllen = CMSG_SPACE(sizeof(int));
  if (sendmsg(ends[0], &message, 0) == 1 && recvmsg(ends[1], &message, 0) == 1 &&
      message.msg_controllen >= CMSG_LEN(sizeof(int))) {
    memcpy(&passed, control.octets + CMSG_LEN(0), sizeof passed);
    close(passed);
  }
  close(ends[0]);
  close(ends[1]);
  return passed >= 0;
}

#ifdef ON_LINUX
static int HasAbstractNames(void) {
  struct sockaddr_un name = {.sun_family = AF_UNIX};
  snprintf(name.sun_path + 1, sizeof name.sun_path - 1, "sockproof-agent-c %d", (int)getpid());
  const int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
  if (fd < 0) return 0;
  const int result = bind(fd, (const struct sockaddr*)&name, sizeof name);
  close(fd);
  return result == 0;
}
#endif

static void PutCapabilities(struct text* text) {
  Put(text, "[");
  PutCapability(text, "ipv4", CanMakeSocket(AF_INET));
#ifdef AF_INET6
  PutCapability(text, "ipv6", CanMakeSocket(AF_INET6));
#endif
  PutCapability(text, "unix", CanMakeSocket(AF_UNIX));
  PutCapability(text, "messages", 1);
  PutCapability(text, "rights", PassesDescriptors());
  PutCapability(text, "tcp_info", CanTellTcpInfo());
#ifdef ON_LINUX
  PutCapability(text, "abstract_names", HasAbstractNames());
  PutCapability(text, "directory", Mount(0) >= 0);
  PutCapability(text, "processes", 1);
  const int poller = epoll_create1(EPOLL_CLOEXEC);
  PutCapability(text, "epoll", poller >= 0);
  if (poller >= 0) close(poller);
  PutCapability(text, "counters",
                access("/proc/net/snmp", R_OK) == 0 && access("/proc/net/netstat", R_OK) == 0);
  PutCapability(text, "sysctl", access("/proc/sys/net/ipv4", R_OK | X_OK) == 0);
  /* Read-only in most containers, writable to the owner of a network namespace. */
  PutCapability(text, "sysctl_set", access("/proc/sys/net/ipv4/ip_local_port_range", W_OK) == 0);
  PutCapability(text, "tcp_sockets", ShowsConnectionsWithoutDescriptor());
#endif
  Put(text, "]");
}

static void PutMember(struct text* text, const char* name, const char* value) {
  Put(text, ",\"");
  Put(text, name);
  Put(text, "\":");
  PutString(text, value, strlen(value));
}

static void Hello(struct request* request, struct object* params) {
  const int protocol = Integer(params, "protocol");
  if (protocol != kProtocol) {
    Refuse(request, kUnsupported, "hello: protocol %d is unsupported, this agent speaks %d",
           protocol, kProtocol);
  }
  struct utsname system;
  memset(&system, 0, sizeof system);
  if (!Begin(request) || !End(request, uname(&system))) return;
  struct text* const value = &request->value;
  Put(value, "{\"protocol\":");
  PutInteger(value, kProtocol);
  PutMember(value, "name", "sockproof-agent-c");
  PutMember(value, "version", "1");
  PutMember(value, "os", system.sysname);
  PutMember(value, "release", system.release);
  PutMember(value, "machine", system.machine);
  PutMember(value, "clock", "CLOCK_REALTIME");
  Put(value, ",\"pid\":");
  PutInteger(value, getpid());
  Put(value, ",\"capabilities\":");
  PutCapabilities(value);
  Put(value, "}");
}

static void Ping(struct request* request, struct object* params) {
  (void)params;
  if (Begin(request) && End(request, 0)) Put(&request->value, "\"pong\"");
}

enum { kReturnsAtOnce, kMayBlock };

static const struct method kMethods[] = {METHODS_OF_POSIX METHODS_OF_LINUX};

/* ---- from lines to calls ---- */

static void CountCall(int change) {
  pthread_mutex_lock(&counting);
  calls_in_threads += change;
  pthread_mutex_unlock(&counting);
}

static int MayStartCall(void) {
  pthread_mutex_lock(&counting);
  const int room = calls_in_threads < kMostCalls;
  if (room) ++calls_in_threads;
  pthread_mutex_unlock(&counting);
  return room;
}

static void Free(struct request* request) {
  free(request->value.bytes);
  free(request->vector);
  free(request->line);
  free(request);
}

static void Carry(struct request* request) {
  request->method->function(request, &request->params);
#ifdef ON_LINUX
  if (request->watch != NULL) LeaveWatched(request->watch);
#endif
  Reply(request);
#ifdef ON_LINUX
  if (request->exits) _exit(request->exit_status); /* not before its answer is written */
#endif
}

#ifdef ON_LINUX
/* Whether the request is for a child: then it is passed on, without its "process". */
static int PassOn(struct request* request) {
  const char* const process = FindMember(request->params.at, "process");
  if (process == NULL) return 0;
  const int channel = ChannelTo(IntegerAt(&request->params, "process", process, 0, INT_MAX));
  if (channel < 0) {
    Refuse(request, kBadParameters, "process must be one that fork has made");
    return 0;
  }
  struct text line = {0};
  const char *at = request->params.at, *name = NULL, *separator = "";
  Put(&line, "{\"jsonrpc\":\"2.0\",\"id\":");
  PutBytes(&line, request->id, request->id_length);
  Put(&line, ",\"method\":\"");
  Put(&line, request->method->name);
  Put(&line, "\",\"params\":{");
  for (const char* value; (value = NextMember(&at, &name)) != NULL;) {
    if (StringIs(name, "process")) continue;
    Put(&line, separator);
    PutBytes(&line, name, (size_t)(at - name));
    separator = ",";
  }
  Put(&line, "}}\n");
  for (size_t sent = 0; !line.failed && sent < line.length;) {
    const ssize_t count = send(channel, line.bytes + sent, line.length - sent, MSG_NOSIGNAL);
    if (count < 0 && errno != EINTR) {
      Refuse(request, kBadParameters, "process has ended");
      break;
    }
    if (count > 0) sent += (size_t)count;
  }
  free(line.bytes);
  return request->refused == 0;
}
#endif

static void* CarryInThread(void* argument) {
#ifdef ON_LINUX
  struct watch* const watch = ((struct request*)argument)->watch;
  if (watch != NULL) ShowThread(watch);
#endif
  Carry(argument);
  CountCall(-1); /* after the reply, which may make the client ask for more */
  Free(argument);
#ifdef ON_LINUX
  if (watch != NULL) ReleaseWatch(watch);
#endif
  return NULL;
}

/* True if a thread has taken the request over. */
static int CarryAside(struct request* request) {
  if (!MayStartCall()) return 0;
  pthread_attr_t attributes;
  pthread_t thread;
#ifdef ON_LINUX
  struct watch* const watch = request->announce ? NewWatch(request) : NULL;
  request->watch = watch;
#endif
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, 256 << 10); /* if the system lets it */
  const int error = pthread_create(&thread, &attributes, CarryInThread, request);
  pthread_attr_destroy(&attributes);
  if (error != 0) CountCall(-1);
#ifdef ON_LINUX
  if (error != 0) {
    free(watch);
    request->watch = NULL;
  } else if (watch != NULL) {
    AnnounceWhenItSleeps(watch);
  }
#endif
  return error == 0;
}

/* Fills the request from its line. False for a notification, which nobody answers. */
static int Understand(struct request* request, size_t length) {
  const char* const message = SkipSpace(request->line);
  const char* const end = SkipValue(message, 0);
  if (end == NULL || SkipSpace(end) != request->line + length) {
    Refuse(request, kParseError, "not JSON, or nested too deeply");
    return 1;
  }
  if (*message != '{') {
    Refuse(request, kInvalidRequest, "a request is an object");
    return 1;
  }
  const char* const id = FindMember(message, "id");
  if (id == NULL) return 0;
  if (!IsInteger(id) && *id != '"') {
    Refuse(request, kInvalidRequest, "id must be an integer or a string");
    return 1;
  }
  request->id = id;
  request->id_length = (size_t)(SkipValue(id, 0) - id);
  const char* const version = FindMember(message, "jsonrpc");
  const char* const method = FindMember(message, "method");
  if (version == NULL || *version != '"' || !StringIs(version, "2.0") || method == NULL ||
      *method != '"') {
    Refuse(request, kInvalidRequest, "jsonrpc must be \"2.0\" and method a string");
    return 1;
  }
  for (size_t i = 0; i < sizeof kMethods / sizeof *kMethods; ++i) {
    if (StringIs(method, kMethods[i].name)) request->method = &kMethods[i];
  }
  if (request->method == NULL) {
    Refuse(request, kUnknownMethod, "method %.*s is unsupported", ShownLength(method), method + 1);
    return 1;
  }
  const char* params = FindMember(message, "params");
  if (params == NULL) params = "{}";
  if (*params != '{') {
    Refuse(request, kBadParameters, "%s: params must be an object", request->method->name);
    return 1;
  }
  request->params.request = request;
  request->params.context = request->method->name;
  request->params.at = params;
  const char* const announce = Optional(&request->params, "announce");
  request->announce = announce != NULL && *announce == 't';
  if (announce != NULL && *announce != 't' && *announce != 'f') {
    Refuse(request, kBadParameters, "%s: announce must be true or false", request->method->name);
  }
  return 1;
}

static struct request* NewRequest(char* line) {
  struct request* const request = calloc(1, sizeof *request);
  if (request == NULL) _exit(1);
  request->line = line;
  request->id = "null";
  request->id_length = 4;
  return request;
}

/* Takes `line` over, which has a 0 behind its last character. */
static void Serve(char* line, size_t length) {
  struct request* const request = NewRequest(line);
  if (!Understand(request, length)) {
    Free(request);
    return;
  }
#ifdef ON_LINUX
  if (request->refused == 0 && PassOn(request)) {
    Free(request);
    return;
  }
#endif
  if (request->refused == 0 && request->method->may_block) {
    if (CarryAside(request)) return;
    Refuse(request, kTooManyCalls, "too many calls at a time");
  }
  if (request->refused != 0) {
    ReplyError(request);
  } else {
    Carry(request);
  }
  Free(request);
}

static void RefuseLine(int code, const char* reason) {
  struct request* const request = NewRequest(NULL);
  Refuse(request, code, "%s", reason);
  ReplyError(request);
  Free(request);
}

/* Serves one client, until its lines end. */
static void ServeLines(void) {
  struct text line = {0};
  char chunk[65536];
  int too_long = 0;
  while (1) {
    const ssize_t count = read(STDIN_FILENO, chunk, sizeof chunk);
    if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) return;
    if (count < 0) {
      struct pollfd entry = {STDIN_FILENO, POLLIN, 0};
      if (errno == EAGAIN) poll(&entry, 1, -1);
      continue;
    }
    for (const char *at = chunk, *const end = chunk + count; at < end;) {
      const char* const newline = memchr(at, '\n', (size_t)(end - at));
      const size_t length = (size_t)((newline != NULL ? newline : end) - at);
      if (line.length + length > kLongestLine) {
        too_long = 1;
        line.length = 0;
      }
      if (!too_long) PutBytes(&line, at, length);
      at += length;
      if (newline == NULL) break;
      ++at;
      if (!too_long) PutBytes(&line, "", 1); /* its 0 */
      if (too_long) {
        RefuseLine(kInvalidRequest, "longer than 16 MiB");
        free(line.bytes);
      } else if (line.failed) {
        RefuseLine(kInternalError, "out of memory");
        free(line.bytes);
      } else {
        Serve(line.bytes, line.length - 1);
      }
      memset(&line, 0, sizeof line);
      too_long = 0;
    }
  }
}

int main(int argc, char** argv) {
  (void)argv;
  if (argc > 1) {
    fputs("sockproof-agent-c reads JSON-RPC on standard input and takes no arguments.\n", stderr);
    return 2;
  }
#ifdef ON_LINUX
  prctl(PR_SET_PDEATHSIG, SIGKILL);
#elif defined(PROC_PDEATHSIG_CTL)
  int when_the_parent_ends = SIGKILL;
  procctl(P_PID, 0, PROC_PDEATHSIG_CTL, &when_the_parent_ends);
#endif
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = SIG_IGN;
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
#ifdef SIGPIPE_IS_OF_THE_CALLING_THREAD
  action.sa_handler = CountBrokenPipe;
  action.sa_flags = SA_RESTART;
#endif
  sigaction(SIGPIPE, &action, NULL);
#ifdef ON_LINUX
  /* Those that sigtimedwait() takes, and no others. */
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGIO);
  sigaddset(&blocked, SIGURG);
  sigprocmask(SIG_SETMASK, &blocked, NULL);
  /* With a second thread, the kernel's table of descriptors grows in some 10 ms, else at once. */
  const int last = fcntl(0, F_DUPFD_CLOEXEC, kFirstOutOfTheWay + 300);
  if (last >= 0) close(last);
  AnswerExecution();
#endif
  ServeLines();
  _exit(0); /* whatever the threads wait for */
}

/* ---- errors by their names ---- */

#include "errors.h"

static const char* ErrnoName(int error, char* room, size_t size) {
  for (const struct constant* constant = kErrors; constant->name != NULL; ++constant) {
    if (constant->value == error) return constant->name;
  }
  snprintf(room, size, "errno %d", error);
  return room;
}

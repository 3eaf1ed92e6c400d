// An agent that is hostile in one way, named by its first argument; a table of ways is in
// hostile_agents_test.cc. Everything else it does as an agent with a single socket would.
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

namespace {

using nlohmann::json;

constexpr const char* kEvil =
    "\x1b[31m\x1b]0;pwn\x07<script>\n::error::pwn\nok 1 - pwn\xe2\x80\xae\xff";

std::int64_t Now() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * std::int64_t{1000000000} + now.tv_nsec;
}

// Octets of a JSON string as they are: a library would refuse those that are no UTF-8.
std::string RawString(const std::string& text) {
  std::string raw = "\"";
  for (const char c : text) {
    if (c == '\n') {
      raw += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char escaped[8];
      snprintf(escaped, sizeof escaped, "\\u%04x", c);
      raw += escaped;
    } else {
      raw += c;
    }
  }
  return raw + "\"";
}

void Say(const std::string& line) { std::cout << line << std::endl; }

json Hello() {
  return {{"protocol", 1},
          {"name", "hostile"},
          {"version", "1"},
          {"os", "Linux"},
          {"release", "6.1"},
          {"machine", "x"},
          {"clock", "CLOCK_REALTIME"},
          {"pid", getpid()},
          {"capabilities", {"ipv4", "ipv6"}}};
}

std::string Answer(const json& id, const std::string& value, const std::string& begin,
                   const std::string& end) {
  return R"({"jsonrpc":"2.0","id":)" + id.dump() + R"(,"result":{"value":)" + value +
         R"(,"begin":)" + begin + R"(,"end":)" + end + "}}";
}

// The answer to `socket`, in the way that is asked for.
void Misbehave(const std::string& way, const json& id) {
  const std::string now = std::to_string(Now());
  const auto answer = [&](const std::string& value) { Say(Answer(id, value, now, now)); };
  const auto times = [&](const std::string& begin, const std::string& end) {
    Say(Answer(id, "3", begin, end));
  };
  if (way == "end-before-begin") return times(now, std::to_string(Now() - 5000000));
  if (way == "past") return times("1", "2");
  if (way == "future") return times("9000000000000000000", "9000000000000000001");
  if (way == "years-ahead") return times(now, std::to_string(Now() + 86400000000000));
  if (way == "overflow") return times("18446744073709551616", "18446744073709551616");
  if (way == "unsigned") return times("18446744073709551615", "18446744073709551615");
  if (way == "negative") return times("-1", now);
  if (way == "float") return times("1e300", "1e300");
  if (way == "text-time") return times("\"now\"", "\"now\"");
  if (way == "no-times")
    return Say(R"({"jsonrpc":"2.0","id":)" + id.dump() + R"(,"result":{"value":3}})");
  if (way == "object-value") return answer(R"({"a":1})");
  if (way == "text-value") return answer(RawString(kEvil));
  if (way == "float-value") return answer("3.5");
  if (way == "wide-value") return answer("4294967299");
  if (way == "null-value") return answer("null");
  if (way == "big-value") return answer("\"" + std::string(15 << 20, 'x') + "\"");
  if (way == "no-value") {
    return Say(R"({"jsonrpc":"2.0","id":)" + id.dump() + R"(,"result":{"begin":)" + now +
               R"(,"end":)" + now + "}}");
  }
  if (way == "list-result")
    return Say(R"({"jsonrpc":"2.0","id":)" + id.dump() + R"(,"result":[]})");
  if (way == "no-result") return Say(R"({"jsonrpc":"2.0","id":)" + id.dump() + "}");
  if (way == "evil-errno") {
    return Say(R"({"jsonrpc":"2.0","id":)" + id.dump() + R"(,"result":{"errno":)" +
               RawString(kEvil) + R"(,"begin":)" + now + R"(,"end":)" + now + "}}");
  }
  if (way == "number-errno") {
    return Say(R"({"jsonrpc":"2.0","id":)" + id.dump() + R"(,"result":{"errno":111,"begin":)" +
               now + R"(,"end":)" + now + "}}");
  }
  if (way == "signals") {
    return Say(R"({"jsonrpc":"2.0","id":)" + id.dump() + R"(,"result":{"value":3,"signals":)" +
               json(std::vector<std::string>(20000, "SIGFOO")).dump() + R"(,"begin":)" + now +
               R"(,"end":)" + now + "}}");
  }
  if (way == "evil-signal") {
    return Say(R"({"jsonrpc":"2.0","id":)" + id.dump() + R"(,"result":{"value":3,"signals":[)" +
               RawString(kEvil) + R"(],"begin":)" + now + R"(,"end":)" + now + "}}");
  }
  if (way == "evil-error") {
    return Say(R"({"jsonrpc":"2.0","id":)" + id.dump() + R"(,"error":{"code":-32603,"message":)" +
               RawString(kEvil) + "}}");
  }
  if (way == "evil-unsupported") {
    return Say(R"({"jsonrpc":"2.0","id":)" + id.dump() + R"(,"error":{"code":-32001,"message":)" +
               RawString(kEvil) + "}}");
  }
  if (way == "escape-unsupported") {
    return Say(R"({"jsonrpc":"2.0","id":)" + id.dump() + R"(,"error":{"code":-32001,"message":)" +
               RawString("unsup\x1b[31m\n::error::pwn") + "}}");
  }
  if (way == "escape-errno") {
    return Say(R"({"jsonrpc":"2.0","id":)" + id.dump() + R"(,"result":{"errno":)" +
               RawString("E\x1b[31m\nEVIL") + R"(,"begin":)" + now + R"(,"end":)" + now + "}}");
  }
  if (way == "hello-evil") {  // in hello only
    return Say(R"({"jsonrpc":"2.0","id":)" + id.dump() +
               R"(,"error":{"code":-32001,"message":"no sockets here"}})");
  }
  if (way == "object-error") {
    return Say(R"({"jsonrpc":"2.0","id":)" + id.dump() + R"(,"error":{"code":"x","message":{}}})");
  }
  if (way == "text-error")
    return Say(R"({"jsonrpc":"2.0","id":)" + id.dump() + R"(,"error":"no"})");
  if (way == "twice") {
    std::cout << Answer(id, "3", now, now) << '\n' << Answer(id, "3", now, now) << std::endl;
    return;
  }
  if (way == "wrong-id") return Say(Answer(4711, "3", now, now));
  if (way == "text-id") return Say(Answer("x", "3", now, now));
  if (way == "no-id") return Say(R"({"jsonrpc":"2.0","result":{}})");
  if (way == "garbage") return Say(kEvil);
  if (way == "array") return Say("[1,2,3]");
  if (way == "deep") return Say(std::string(1500000, '['));
  if (way == "wide") {
    std::string line = "[1";
    for (int i = 0; i < 4000000; ++i) line += ",1";
    return Say(line + "]");
  }
  if (way == "dies") {
    fprintf(stderr, "first line\nlast words: %s\n", kEvil);
    _exit(7);
  }
  if (way == "closes") {
    close(STDIN_FILENO);  // the same socket
    close(STDOUT_FILENO);
    pause();
  }
  if (way == "no-newline") {
    const std::string chunk(1 << 16, 'x');
    while (true) std::cout << chunk;
  }
}

void GreetIn(const std::string& way, const json& id) {
  json hello = Hello();
  if (way == "hello-text") hello = "\x1b[31mhello";
  if (way == "hello-list") hello = json::array({1});
  if (way == "hello-protocol") hello["protocol"] = "one";
  if (way == "hello-capabilities") hello["capabilities"] = "all";
  if (way == "hello-numbers") hello["os"] = 7;
  if (way == "hello-facts") hello["facts"] = {{"a", {1, 2}}};
  if (way == "hello-evil") hello["release"] = "9.9\x1b[31m\n::error::gh\xe2\x80\xae";
  const std::string now = std::to_string(Now());
  if (way == "hello-big")
    return Say(Answer(id, "\"" + std::string(15 << 20, 'A') + "\"", now, now));
  if (way == "hello-dies") {
    fprintf(stderr, "exec: /nonexistent-lib-agent: not found\n");
    _exit(127);
  }
  Say(Answer(id, hello.dump(), now, now));
}

}  // namespace

int main(int argc, char** argv) {
  const std::string name = argv[0];
  const std::string way = argc > 1 ? argv[1] : name.substr(name.rfind('/') + 1);
  std::ios::sync_with_stdio(false);
  for (std::string line; std::getline(std::cin, line);) {
    const json request = json::parse(line);
    const std::string method = request.at("method");
    if (method == "hello") {
      GreetIn(way, request.at("id"));
    } else {
      Misbehave(way, request.at("id"));
    }
  }
  return 0;
}

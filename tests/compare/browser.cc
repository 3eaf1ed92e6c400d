#include "tests/compare/browser.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <stdexcept>

#include "harness/base/program.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr int kPatienceMs = 120'000;  // of a busy machine

struct Pipe {
  std::array<int, 2> ends{-1, -1};
  Pipe() {
    if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  }
};

}  // namespace

std::string BrowserProgram() {
  const char* chosen = getenv("SOCKPROOF_BROWSER");
  if (chosen != nullptr && *chosen != '\0') return chosen;
  for (const char* name : {"chromium-headless-shell", "chromium", "google-chrome"}) {
    if (std::string program = FindProgram(name); !program.empty()) return program;
  }
  return "";
}

Browser::Browser(const std::string& program)
    : profile_(fs::temp_directory_path() / "sockproof-browser-XXXXXX") {
  signal(SIGPIPE, SIG_IGN);
  if (mkdtemp(profile_.data()) == nullptr) throw std::runtime_error("no folder " + profile_);
  const Pipe commands;
  const Pipe answers;
  // The browser reads commands from descriptor 3 and answers on descriptor 4.
  pid_ = StartProgram(
      {program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
       "--disable-background-networking", "--disable-component-update", "--disable-sync",
       "--disable-dev-shm-usage", "--remote-debugging-pipe", "--user-data-dir=" + profile_},
      {-1, -1, -1, commands.ends[0], answers.ends[1]},
      [] { return setpgid(0, 0) == 0 ? 0 : errno; });
  close(commands.ends[0]);
  close(answers.ends[1]);
  to_ = commands.ends[1];
  from_ = answers.ends[0];
  const Json target = Call("Target.createTarget", {{"url", "about:blank"}});
  session_ = Call("Target.attachToTarget", {{"targetId", target["targetId"]}, {"flatten", true}})
                 .at("sessionId");
  for (const char* domain : {"Page", "Runtime", "Log", "Network"}) {
    Call(domain + std::string(".enable"));
  }
}

Browser::~Browser() {
  close(to_);
  close(from_);
  if (pid_ > 0) {
    kill(-pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  std::error_code ignored;
  fs::remove_all(profile_, ignored);
}

void Browser::Open(const std::string& url) {
  // From another page: to move within one loads nothing.
  for (const std::string& address : {std::string("about:blank"), url}) {
    events_.clear();
    complaints_.clear();
    requests_.clear();
    Call("Page.navigate", {{"url", address}});
    WaitFor("Page.loadEventFired");
  }
}

void Browser::EnableScripts(bool enabled) {
  Call("Emulation.setScriptExecutionDisabled", {{"value", !enabled}});
}

void Browser::Resize(int width, int height) {
  Call("Emulation.setDeviceMetricsOverride",
       {{"width", width}, {"height", height}, {"deviceScaleFactor", 1}, {"mobile", width < 600}});
}

Json Browser::Evaluate(const std::string& expression) {
  const Json answer =
      Call("Runtime.evaluate", {{"expression", expression}, {"returnByValue", true}});
  if (answer.contains("exceptionDetails")) {
    throw std::runtime_error(expression + ": " + answer["exceptionDetails"].dump());
  }
  return answer["result"].value("value", Json());
}

void Browser::Press(const std::string& key) {
  Json event{{"type", "keyDown"}, {"key", key}, {"code", key}};
  if (key == "Enter") event["text"] = "\r";
  if (key.size() == 1) event["text"] = key;
  const std::vector<std::pair<std::string, int>> codes{
      {"Tab", 9},      {"Enter", 13},      {"Escape", 27},   {"ArrowLeft", 37},
      {"ArrowUp", 38}, {"ArrowRight", 39}, {"ArrowDown", 40}};
  for (const auto& [name, code] : codes) {
    if (name == key) event["windowsVirtualKeyCode"] = code;
  }
  Call("Input.dispatchKeyEvent", event);
  event.erase("text");
  event["type"] = "keyUp";
  Call("Input.dispatchKeyEvent", event);
}

Json Browser::Call(const std::string& method, Json parameters) {
  Json message{{"id", ++last_id_}, {"method", method}, {"params", std::move(parameters)}};
  if (!session_.empty()) message["sessionId"] = session_;
  const std::string text = message.dump() + '\0';
  for (std::size_t sent = 0; sent < text.size();) {
    const ssize_t count = write(to_, text.data() + sent, text.size() - sent);
    if (count <= 0) throw std::runtime_error("the browser does not listen");
    sent += static_cast<std::size_t>(count);
  }
  while (true) {
    const Json answer = Receive();
    if (answer.value("id", 0) != last_id_) continue;
    if (answer.contains("error")) throw std::runtime_error(method + ": " + answer["error"].dump());
    return answer["result"];
  }
}

Json Browser::Receive() {
  std::size_t end = 0;
  while ((end = buffer_.find('\0')) == std::string::npos) {
    pollfd readable{from_, POLLIN, 0};
    if (poll(&readable, 1, kPatienceMs) <= 0) throw std::runtime_error("the browser is silent");
    std::array<char, 65536> chunk;
    const ssize_t count = read(from_, chunk.data(), chunk.size());
    if (count <= 0) throw std::runtime_error("the browser has ended");
    buffer_.append(chunk.data(), static_cast<std::size_t>(count));
  }
  Json message = Json::parse(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(end));
  buffer_.erase(0, end + 1);
  if (message.contains("method")) Note(message);
  return message;
}

void Browser::Note(const Json& event) {
  const std::string method = event["method"];
  const Json& parameters = event["params"];
  events_.push_back(method);
  if (method == "Runtime.exceptionThrown") {
    complaints_.push_back(parameters["exceptionDetails"].dump());
  } else if (method == "Log.entryAdded") {
    complaints_.push_back(parameters["entry"].value("text", ""));
  } else if (method == "Runtime.consoleAPICalled") {
    complaints_.push_back(parameters["args"].dump());
  } else if (method == "Network.requestWillBeSent") {
    requests_.push_back(parameters["request"].value("url", ""));
  }
}

void Browser::WaitFor(const std::string& event) {
  while (std::find(events_.begin(), events_.end(), event) == events_.end()) Receive();
}

}  // namespace sockproof

// A browser without a screen, driven over a pipe in the Chrome DevTools protocol.
#pragma once

#include <sys/types.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace sockproof {

// What to start: $SOCKPROOF_BROWSER, or the first of Debian's chromium-headless-shell and its like
// on PATH; empty when there is none.
std::string BrowserProgram();

// One page at a time. Throws std::runtime_error when the browser ends or does not answer. Ends it,
// and removes its profile, on destruction. Not thread-safe.
class Browser {
 public:
  explicit Browser(const std::string& program);
  ~Browser();
  Browser(const Browser&) = delete;
  Browser& operator=(const Browser&) = delete;

  // Loads the address anew; forgets complaints and requests.
  void Open(const std::string& url);
  void EnableScripts(bool enabled);
  void Resize(int width, int height);

  // The value of a JavaScript expression in the page.
  nlohmann::json Evaluate(const std::string& expression);
  // "Tab", "Enter", "ArrowDown", "a": pressed and released.
  void Press(const std::string& key);

  // Errors that scripts threw, and what the browser itself complained of.
  const std::vector<std::string>& complaints() const { return complaints_; }
  // Addresses that the page asked for.
  const std::vector<std::string>& requests() const { return requests_; }

 private:
  nlohmann::json Call(const std::string& method,
                      nlohmann::json parameters = nlohmann::json::object());
  nlohmann::json Receive();
  void Note(const nlohmann::json& event);
  void WaitFor(const std::string& event);

  std::string profile_;
  pid_t pid_ = -1;
  int to_ = -1;
  int from_ = -1;
  std::string buffer_;
  std::string session_;
  int last_id_ = 0;
  std::vector<std::string> events_;
  std::vector<std::string> complaints_;
  std::vector<std::string> requests_;
};

}  // namespace sockproof

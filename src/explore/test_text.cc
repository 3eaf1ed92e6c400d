// A sequence in the language of tests (harness/test/test.h).
#include <fmt/format.h>

#include <charconv>

#include "harness/base/text.h"
#include "src/explore/report.h"

namespace sockproof::explore {
namespace {

std::string FlagConstants(TcpFlags flags) {
  std::string text;
  for (const auto& [flag, name] : {std::pair{kSyn, "kSyn"},
                                   {kFin, "kFin"},
                                   {kRst, "kRst"},
                                   {kPsh, "kPsh"},
                                   {kAck, "kAck"},
                                   {kUrg, "kUrg"},
                                   {kEce, "kEce"},
                                   {kCwr, "kCwr"}}) {
    if ((flags & flag) != 0) text += (text.empty() ? "" : " | ") + std::string(name);
  }
  return text.empty() ? "0" : text;
}

std::string Offset(std::int32_t offset) {
  if (offset == 0) return "";
  return fmt::format(" {} {}", offset < 0 ? '-' : '+', std::abs(std::int64_t{offset}));
}

std::string WordFor(const PeerSegment& segment) {
  switch (segment.flags) {
    case kSyn:
      return "Syn()";
    case kSyn | kAck:
      return "SynAck()";
    case kAck:
      return "Ack()";
    case kFin | kAck:
      return "Fin()";
    default:
      return fmt::format("Flags({})", FlagConstants(segment.flags));
  }
}

std::string SentText(const PeerSegment& segment) {
  if (segment.is_lost) {
    const int control =
        ((segment.flags & kSyn) != 0 ? 1 : 0) + ((segment.flags & kFin) != 0 ? 1 : 0);
    return fmt::format("  peer.snd_nxt += {};  // lost\n", segment.text + control);
  }
  std::string text = WordFor(segment);
  if (segment.is_seq_of_syn || segment.seq_offset != 0) {
    text += fmt::format(".Seq(peer.{}{})", segment.is_seq_of_syn ? "iss" : "snd_nxt",
                        Offset(segment.seq_offset));
  }
  if (segment.is_ack_of_syn || segment.ack_offset != 0) {
    text += fmt::format(".Ack(peer.{}{})", segment.is_ack_of_syn ? "irs" : "rcv_nxt",
                        Offset(segment.ack_offset));
  }
  if (segment.text > 0) text += fmt::format(".Payload(std::string({}, 'a'))", segment.text);
  if (segment.window) text += fmt::format(".Window({})", *segment.window);
  if ((segment.flags & kUrg) != 0) text += fmt::format(".UrgentPointer({})", segment.text);
  if (segment.is_damaged) text += ".BadChecksum()";
  if (segment.is_old) text += ".TsVal(1)";
  return fmt::format("  peer.Send({});\n", text);
}

constexpr const char* kNonBlocking = "sut.NewSocket(ip, \"SOCK_STREAM\", {\"SOCK_NONBLOCK\"})";

std::string CallText(const Call& call, Options options) {
  const std::string offers = options == Options::kNone
                                 ? ""
                                 : "  peer.syn_timestamps = true;\n"
                                   "  peer.syn_options.push_back(tcp_option::SackPermitted());\n"
                                   "  peer.syn_options.push_back(tcp_option::WindowScale(2));\n";
  switch (call.name) {
    case CallName::kSocket:
      return "  Socket socket = sut.NewSocket(ip);\n"
             "  ScriptedTcp& peer = host.Towards(sut.At(ip, 81), NextPort());\n" +
             offers;
    case CallName::kConnect:
      return "  ScriptedTcp& peer = host.Listen(ip, 80);\n" + offers +
             fmt::format("  Socket socket = {};\n", kNonBlocking) +
             "  socket.Connect(peer.local());\n"
             "  peer.Expect(Syn());\n";
    case CallName::kListen:
      return fmt::format("  Socket listener = {};\n  Socket socket = listener;\n", kNonBlocking) +
             "  listener.Bind(9000).value();\n"
             "  listener.Listen(4).value();\n"
             "  ScriptedTcp& peer = host.Towards(sut.At(ip, 9000), NextPort());\n" +
             offers;
    case CallName::kAccept:
      return "  socket = listener.Accept().value().socket;\n";
    case CallName::kSend:
      return fmt::format("  socket.Send(std::string({}, 'b'));\n", call.octets);
    case CallName::kRecv:
      return fmt::format("  socket.Receive({}, {{\"MSG_DONTWAIT\"}});\n", call.octets);
    case CallName::kShutdownWr:
      return "  socket.Shutdown(\"SHUT_WR\");\n";
    case CallName::kShutdownRd:
      return "  socket.Shutdown(\"SHUT_RD\");\n";
    case CallName::kClose:
      return "  socket.Close();\n";
    case CallName::kAbort:
      return "  socket.SetLinger(0);\n  socket.Close();\n";
    case CallName::kPoll:
      return "  socket.Poll({\"POLLIN\", \"POLLOUT\"});\n";
    case CallName::kError:
      return "  socket.TakeError();\n";
  }
  return "";
}

// "in TIME-WAIT: ACK seq=2 ack=5, ..." as what a test expects; nothing when it is not of that form.
std::string ExpectationOf(const std::string& expected) {
  const std::size_t colon = expected.find(": ");
  if (colon == std::string::npos) return "";
  std::string_view text = std::string_view(expected).substr(colon + 2);
  const std::size_t space = text.find(' ');
  const std::string_view names = text.substr(0, space);
  TcpFlags flags = 0;
  for (const auto& [flag, name] :
       {std::pair{kSyn, "SYN"}, {kFin, "FIN"}, {kRst, "RST"}, {kAck, "ACK"}}) {
    if (names.find(name) != std::string_view::npos) flags = static_cast<TcpFlags>(flags | flag);
  }
  if (flags == 0 || space == std::string_view::npos) return "";
  std::string wanted = fmt::format("Flags({})", FlagConstants(flags));
  text = text.substr(0, text.find(", "));
  for (const auto& [field, word, base] :
       {std::tuple{"seq=", "Seq", "irs"}, {"ack=", "Ack", "iss"}}) {
    const std::size_t at = text.find(field);
    if (at == std::string_view::npos) continue;
    std::int32_t number = 0;
    std::from_chars(text.data() + at + 4, text.data() + text.size(), number);
    wanted += fmt::format(".{}(peer.{}{})", word, base, Offset(number));
  }
  return wanted;
}

}  // namespace

std::string TestText(const Cause& cause, int number) {
  const Sequence& sequence = cause.example.front();
  std::string text;
  if (cause.finding) {
    text += fmt::format("// {}, {}\n", cause.finding->departure.section,
                        cause.finding->departure.sentence);
  }
  const std::string claim = cause.finding ? cause.finding->departure.claim : "";
  text += fmt::format("TEST_WITH_PEER(Explored, Number{}, .claims = {{\"{}\"}}) {{{}\n", number,
                      claim, claim.empty() ? "  // the claim is yours to find" : "");
  for (std::size_t i = 0; i < sequence.steps.size(); ++i) {
    const Step& step = sequence.steps[i];
    if (const auto* call = std::get_if<Call>(&step)) {
      text += CallText(*call, sequence.options);
    } else if (const auto* segment = std::get_if<PeerSegment>(&step)) {
      text += SentText(*segment);
    } else {
      text += fmt::format("  sut.loop().RunUntil([] {{ return false; }}, Clock::now() + {}ms);\n",
                          std::get<Wait>(step).milliseconds);
    }
    const bool is_last = i + 1 == sequence.steps.size();
    if (!is_last && i > 0) text += "  Settle();\n  peer.TakeArrived();\n";
  }
  if (cause.finding) {
    const std::string wanted = ExpectationOf(cause.finding->departure.expected);
    text += fmt::format("  // expected: {}\n  // observed: {}\n",
                        CleanLine(cause.finding->departure.expected),
                        CleanLine(cause.finding->observed));
    text += wanted.empty() ? "  peer.ExpectSilence(600ms);\n"
                           : fmt::format("  peer.Expect({});\n", wanted);
  } else {
    text += "  Settle();\n";
  }
  return text + "}\n";
}

}  // namespace sockproof::explore

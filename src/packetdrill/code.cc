#include "src/packetdrill/code.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/base/text.h"
#include "harness/base/time.h"
#include "src/packetdrill/symbols.h"
#include "src/packetdrill/tcp_info.h"
#include "src/packetdrill/ticks.h"

namespace sockproof::packetdrill {
namespace {

// Of what code knows of a socket, what the kernel counts in ticks, in the unit that it is told in.
constexpr std::pair<const char*, Duration> kCountedInTicks[] = {
    {"tcpi_busy_time", 1us},      {"tcpi_rwnd_limited", 1us},   {"tcpi_sndbuf_limited", 1us},
    {"tcpi_last_data_sent", 1ms}, {"tcpi_last_data_recv", 1ms}, {"tcpi_last_ack_recv", 1ms},
};

// Of the algorithm Vegas, and what FreeBSD and macOS tell of a connection.
constexpr std::string_view kElsewhere[] = {
    "tcp_rtt", "tcp_minrtt", "tcpi_snd_bwnd", "tcpi_snd_nxt", "tcpi_rcv_nxt", "tcpi_toe_tid",
    "tcpi_snd_rexmitpack", "tcpi_snd_zerowin", "tcpi_flags", "tcpi_maxseg", "tcpi_snd_sbbytes", "tcpi_rttcur",
    "tcpi_srtt", "tcpi_tfo_cookie_req", "tcpi_tfo_cookie_rcv", "tcpi_tfo_syn_loss", "tcpi_tfo_syn_data_sent",
    "tcpi_tfo_syn_data_acked", "tcpi_tfo_syn_data_rcv", "tcpi_tfo_cookie_req_rcv", "tcpi_tfo_cookie_sent",
    "tcpi_tfo_cookie_invalid", "tcpi_tfo_cookie_wrong", "tcpi_tfo_no_cookie_rcv",
    "tcpi_tfo_heuristics_disable", "tcpi_tfo_send_blackhole", "tcpi_tfo_recv_blackhole",
    "tcpi_tfo_onebyte_proxy", "tcpi_txpackets", "tcpi_txbytes", "tcpi_txretransmitbytes", "tcpi_rxpackets",
    "tcpi_rxbytes", "tcpi_rxoutoforderbytes", "tcpi_txretransmitpackets", "TCPI_OPT_TOE",
    "TCPI_FLAG_LOSSRECOVERY", "TCPI_FLAG_REORDERING_DETECTED",
};

}  // namespace

ScriptCode::ScriptCode(const Script& script) {
  for (const Event& event : script.events) {
    const auto* code = std::get_if<CodeEvent>(&event.what);
    if (code == nullptr) continue;
    try {
      code_.emplace(&event, Python(code->text));
    } catch (const Python::NotKnown&) {
      needs_python_ = true;
    }
  }
  for (const auto& [name, value] : NamesInCode()) names_[name] = value;
}

std::string ScriptCode::Run(const Event& event, const CodeEvent& code) {
  return RunAllowingTicks(code_.at(&event), code.text);
}

// An interval that is no whole number of ticks may be told as one more or less.
std::string ScriptCode::RunAllowingTicks(const Python& code, const std::string& text) {
  Python::Names names = names_;
  try {
    const std::string printed = code.Run(names);
    names_ = std::move(names);
    return printed;
  } catch (const Python::Raised&) {
    if (const auto printed = RunWithOtherTicks(code, text)) return *printed;
    throw;
  }
}

// As it goes with one of the values that may be meant; none: with none of them.
std::optional<std::string> ScriptCode::RunWithOtherTicks(const Python& code,
                                                             const std::string& text) {
  std::vector<Python::Names> meant = {names_};
  for (const auto& [name, unit] : kCountedInTicks) {
    if (LongerTick() == Duration(0) || text.find(name) == std::string::npos) continue;
    const std::vector<Python::Names> as_told = meant;
    for (const std::int64_t ticks : {-1, 1}) {
      for (Python::Names names : as_told) {
        auto* const value = std::get_if<std::int64_t>(&names[name]);
        if (value == nullptr) continue;
        *value = std::max<std::int64_t>(*value + ticks * (Tick() / unit), 0);
        meant.push_back(std::move(names));
      }
    }
  }
  for (Python::Names& names : meant) {
    try {
      const std::string printed = code.Run(names);
      names_ = std::move(names);
      return printed;
    } catch (const Python::Raised&) {
      // With others, maybe.
    }
  }
  return std::nullopt;
}

void ScriptCode::Collect(const Event& event, const CodeEvent& code) {
  begins_.emplace_back(static_cast<int>(std::count(collected_.begin(), collected_.end(), '\n')) + 1, &event);
  for (const auto& [name, value] : names_) {
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
      collected_ += fmt::format("{} = {}\n", name, *number);
    }
  }
  collected_ += code.text + "\n";
}

const Event& ScriptCode::EventOf(int line) const {
  const auto behind = std::find_if(begins_.begin() + 1, begins_.end(),
                                   [&](const auto& begin) { return begin.first > line; });
  return *(behind - 1)->second;
}

std::string ScriptCode::WhyWithoutName(const Event& event, const std::string& name) const {
  const auto about = [&](const std::string& what) { return fmt::format("line {}: {}", event.where.line, what); };
  constexpr std::string_view kAlgorithms[] = {"bbr_", "dctcp_", "tcpv_"};
  const bool is_of_algorithm = std::any_of(std::begin(kAlgorithms), std::end(kAlgorithms),
                                           [&](std::string_view algorithm) { return name.starts_with(algorithm); });
  const bool is_elsewhere = std::find(std::begin(kElsewhere), std::end(kElsewhere), name) != std::end(kElsewhere);
  if (is_of_algorithm || is_elsewhere) return about(fmt::format("{} is not supported", name));
  if (!IsNameOfSocket(name)) {
    throw SyntaxError(event.where, fmt::format("'{}' is no name that the code of scripts has",
                                               Shortened(CleanLine(name), 40)));
  }
  const bool was_read = names_.contains("tcpi_state") || names_.contains("SK_MEMINFO_SNDBUF");
  if (!was_read) throw SyntaxError(event.where, fmt::format("there is no socket yet whose {} this could be", name));
  return about(fmt::format("this kernel does not tell {}", name));
}

}  // namespace sockproof::packetdrill

// Packets in the words of the field, as brief as tcpdump's.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "harness/packet/packet.h"

namespace sockproof::packet {

struct Description {
  std::string start;    // "ICMP port unreachable"
  std::string details;  // " about UDP 40000>53"; numbers that differ from run to run are here
  std::string stable_details;  // " len=5": those of the details that do not

  std::string text() const { return start + details; }
  std::string kind() const { return start + stable_details; }
};

// "UDP 40000>53 len=5 \"hello\"", "IGMPv3 report 232.0.0.1 is_in {192.0.2.9}", "ND who-has
// 2001:db8::2", "IPv4 fragment 7:1480@0+ UDP 40000>53" (identification, octets, offset, more to
// come). Of what is cut short, that it is. Printable ASCII, of bounded length.
Description Describe(const Packet& packet);

// "mss 1460", "sack 11:21", "kind 254 len 4". `number` makes the text of a sequence number.
std::string TcpOptionText(const TcpOption& option,
                          const std::function<std::string(std::uint32_t)>& number);

// Of what is behind the options that make sense: "eol", "malformed 02 00"; empty when nothing is.
std::string OptionRestText(const Bytes& rest);

// The first `shown` octets as C writes them: "\"hello\"", "\"hello\\x00\"..." when there are more.
std::string Quoted(View octets, std::size_t shown = 16);

}  // namespace sockproof::packet

// A packet of every kind: what the corpus of the fuzzer is made from.
#pragma once

#include <string>
#include <vector>

#include "harness/packet/packet.h"

namespace sockproof::packet {

struct Example {
  std::string name;  // of a file
  Packet packet;
  std::string text;  // what Describe() says of it when it has been written and read
  std::vector<std::string> defects = {};
};

// Each has an Ethernet header; fields that can be computed are unset unless they are wrong.
std::vector<Example> Examples();

// Layers of IP between 192.0.2.1 and 192.0.2.2, or 2001:db8::1 and ::2.
Ethernet ExampleEthernet();
Ipv4 ExampleIpv4();
Ipv6 ExampleIpv6();
Bytes Text(const std::string& text);

}  // namespace sockproof::packet

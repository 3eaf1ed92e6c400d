// Digests that options of TCP carry: signatures of segments, RFC 2385, and hashes of keys, RFC
// 8684.
#pragma once

#include <string>

#include "harness/packet/bytes.h"
#include "harness/wire/segment.h"

namespace sockproof {

// 32 octets, RFC 6234.
Bytes Sha256(packet::View octets);

// The 16 octets that sign `segment` by `key`, as its options are laid out: over the pseudo-header,
// the header without options and with a checksum of zero, the payload and the key. RFC 2385
// section 2.0; on IPv6 by the pseudo-header of RFC 8200 section 8.1.
Bytes Md5Signature(const Segment& segment, const std::string& key);

// Puts that signature into the MD5 option of the segment. One that has none gets one, behind two
// NOPs.
void Sign(Segment& segment, const std::string& key);

// Whether the segment carries just that signature.
bool IsSigned(const Segment& segment, const std::string& key);

}  // namespace sockproof

// Which words are of the language.
#include "src/packetdrill/vocabulary.h"

#include <gmock/gmock.h>

#include "src/packetdrill/symbols.h"

namespace sockproof::packetdrill {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(PacketdrillVocabulary, RefusesWhatIsMisspelt) {
  const std::pair<const char*, const char*> kMisspelt[] = {
      {"+0 sokcet(..., SOCK_STREAM, IPPROTO_TCP) = 3", "1:4: 'sokcet' is no call; did you mean 'socket'?"},
      {"+0 socket(..., SOCK_STRAEM, IPPROTO_TCP) = 3", "1:16: 'SOCK_STRAEM' is no name of a number; did you mean 'SOCK_STREAM'?"},
      {"+0 connect(3, ..., ...) = -1 EINPROGES (Operation now in progress)", "1:30: 'EINPROGES' is no error"},
      {"+0 poll([{fd=3, event=POLLIN}], 1, 0) = 0", "1:17: 'event' is no member of a structure"},
      {"+0 setsockopt(3, IPPROTO_IP, IP_TOS, [htnos(1)], 4) = 0", "1:39: 'htnos' is no member"},
      {"+0 write(3, ..., SOL_SOCKET|MSG_MROE) = 0", "'MSG_MROE'"},
      {"+0 setsockopt(3, SOL_TCP, TCP_CONGESTION, CC, 4) = 0", "'CC' is no name of a number, and not defined (--script-define CC=...)"},
      {"+0 < icmp unreachabel host_unreachable [1:1(0)]", "1:11: 'unreachabel' is no type of ICMP"},
      {"+0 < icmp unreachable host_unreachabel [1:1(0)]", "1:23: 'host_unreachabel' is no code of ICMP"},
  };
  for (const auto& [line, what] : kMisspelt) {
    const Script script = Parse(line);
    EXPECT_THAT([&] { RefuseMisspelt(script); }, ThrowsMessage<SyntaxError>(HasSubstr(what))) << line;
  }
}

TEST(PacketdrillVocabulary, KnowsStatesOfCongestionControlInCapitals) {
  const std::pair<const char*, std::int64_t> kNumbers[] = {
      {"TCP_CA_OPEN", 0}, {"TCP_CA_DISORDER", 1}, {"TCP_CA_CWR", 2}, {"TCP_CA_RECOVERY", 3}, {"TCP_CA_LOSS", 4},
      {"TCP_INFINITE_SSTHRESH", 0x7fffffff},
  };
  for (const auto& [name, number] : kNumbers) EXPECT_EQ(SymbolValue(name), number) << name;
}

TEST(PacketdrillVocabulary, LeavesWhatOtherDialectsHave) {
  for (const char* line : {
           "+0 cap_set(CAP_EFFECTIVE, CAP_NET_ADMIN) = 0",
           "+0 sctp_bindx(3, ..., 1, SCTP_BINDX_ADD_ADDR) = 0",
           "+0 setsockopt(3, IPPROTO_SCTP, SCTP_RTOINFO, {srto_assoc_id=0, srto_initial=1}, 16) = 0",
           "+0 setsockopt(3, IPPROTO_TCP, TCP_FUNCTION_BLK, {function_set_name=\"rack\", pcbcnt=0}, 36) = 0",
           "+0 setsockopt(3, SOL_SOCKET, SO_NOSIGPIPE, [1], 4) = 0",
           "+0 fcntl(3, F_UFCNTL_FS_SPECIFIC_BASENLCK, 0) = 0",
           "+0 fcntl(3, _AT_TRIGGER, 0) = 0",
           "+0 read(3, ..., 5) = -1 ECAPMODE (Not permitted in capability mode)",
           "+0 read(3, ..., 5) = -1 EWOULDBLOCK (Resource temporarily unavailable)",
           "+0 < icmp time_exceeded frag_reass_exceeded [1:1(0)]",
           "+0 < icmp time_exceeded exceeded_hop_limit [1:1(0)]",
           "+0 < icmp type_12 code_1 [1:1(0)]",
           "+0 poll([{fd=3, events=POLLIN, revents=0}], 1, 0) = 0",
       }) {
    EXPECT_NO_THROW(RefuseMisspelt(Parse(line))) << line;
  }
  EXPECT_TRUE(IsOptionElsewhere("udp_encapsulation"));
  EXPECT_FALSE(IsOptionElsewhere("tolerence_usecs"));
}

}  // namespace
}  // namespace sockproof::packetdrill

// Data of Multipath TCP and its end, RFC 8684 sections 3.3, 3.5 and 3.7, over a single subflow.
#include "suites/mptcp/mptcp_test.h"
#include "suites/tcp/schedule.h"

using namespace sockproof;
using namespace sockproof::mptcp;

namespace {

class MptcpDataTest : public MptcpTest {
 protected:
  // A connection over which data has flowed both ways: `kQuestion` from the peer, `kAnswer` back.
  static inline const std::string kQuestion = "question", kAnswer = "answer";
  MptcpConnection Running() {
    MptcpConnection connection = ConnectedByAccept();
    SendMapped(connection, 0, kQuestion);
    ExpectDataAck(connection, connection.PeerDsn(kQuestion.size()));
    connection.socket.Receive(64).value();
    connection.socket.Send(kAnswer).value();
    connection.peer.ExpectEventually(Data(kAnswer));
    Take(connection, kAnswer.size());
    return connection;
  }

  // What the system sends at once, up to a DATA_FIN. It may come with the FIN of the subflow.
  struct End {
    std::optional<Dss> data_fin;
    bool has_fin = false;
  };
  End NextEnd(ScriptedTcp& peer) {
    Settle();
    End end;
    for (const Segment& segment : peer.TakeArrived()) {
      const std::optional<Dss> dss = FindDss(segment);
      if (dss && dss->is_data_fin && !end.data_fin) end.data_fin = dss;
      end.has_fin |= segment.Has(kFin);
    }
    return end;
  }
};

}  // namespace

// --- What it sends
// ---------------------------------------------------------------------------------

TEST_WITH(MptcpDataTest, MptcpData, ItsNumbersBeginWithTheHashOfItsKey,
          .claims = {"rfc8684:3.1-idsn", "rfc8684:3.3-reserved"}) {
  const MptcpConnection connection = Running();
  Socket socket = connection.socket;
  ASSERT_THAT(socket.Send("more"), Returns(4));
  Deciding("rfc8684:3.1-idsn");
  const std::optional<Dss> dss = FindDss(connection.peer.ExpectEventually(Data("more")));
  ASSERT_TRUE(dss && dss->mapping) << "the data has no mapping";
  const Mapping& mapping = *dss->mapping;
  const std::uint64_t offset = kAnswer.size();
  EXPECT_TRUE(IsNumber(mapping.dsn, dss->is_short_dsn, connection.Dsn(offset))) << mapping.dsn;
  EXPECT_EQ(mapping.ssn, 1 + offset) << "relative to the SYN";
  Deciding("rfc8684:3.3-reserved");
  EXPECT_EQ(dss->reserved, 0);
}

// More than the first need not be sent before that.
TEST_WITH(MptcpDataTest, MptcpData, EverySegmentIsMappedUntilADataAck,
          .claims = {"rfc8684:3.7-every-segment"}) {
  auto [socket, peer, key, peer_key, has_checksums] = Connected();
  for (const char* text : {"one", "two", "three"}) socket.Send(text).value();
  Deciding("rfc8684:3.7-every-segment");
  const auto expect_mapping = [](const Segment& data) {
    const std::optional<Dss> dss = FindDss(data);
    EXPECT_TRUE(Find(data, kMpCapable) || (dss && dss->mapping)) << testing::PrintToString(data);
  };
  expect_mapping(peer.ExpectEventually(AnyData()));
  Settle();
  for (const Segment& segment : peer.TakeArrived()) {
    if (!segment.payload.empty()) expect_mapping(segment);
  }
}

TEST_WITH(MptcpDataTest, MptcpFallback, DataThatIsAcknowledgedWithoutDataAckEndsMultipath,
          .claims = {"rfc8684:3.7-without-data-ack"}) {
  auto [socket, peer, key, peer_key, has_checksums] = Connected();
  for (const std::string text : {"one", "two"}) {
    ASSERT_THAT(socket.Send(text), Returns(text.size()));
    peer.ExpectEventually(Data(text));
    peer.Send(Ack());
    Settle();
  }
  Deciding("rfc8684:3.7-without-data-ack");
  ASSERT_THAT(socket.Send("three"), Returns(5));
  EXPECT_FALSE(HasMptcp(peer.Expect(Data("three"))));
  peer.Send(Ack());
  peer.Send(Data("regular"));
  EXPECT_FALSE(HasMptcp(peer.Expect(Ack().Ack(peer.snd_nxt))));
  EXPECT_THAT(socket.Receive(64), Returns("regular"));
}

TEST_WITH(
    MptcpDataTest, MptcpData, AMappingIsTheSameWhenDataComesAgain,
    .claims = {"rfc8684:3.3.1-mapping-fixed"},
    .lasts = [](const Facts&) -> Duration { return 1s; }) {
  const MptcpConnection connection = Running();
  Socket socket = connection.socket;
  socket.Send("again").value();
  const Segment first = connection.peer.ExpectEventually(Data("again"));
  const Segment again =
      connection.peer.ExpectEventually(Data("again").Seq(first.seq), FirstTimeout());
  // Which number the octets of the segment have: 32 bits of it.
  std::vector<std::uint32_t> numbers;
  for (const Segment& segment : {first, again}) {
    const std::optional<Dss> dss = FindDss(segment);
    if (!dss || !dss->mapping) NotReached("one of them has no mapping");
    numbers.push_back(static_cast<std::uint32_t>(dss->mapping->dsn) - dss->mapping->ssn);
  }
  EXPECT_EQ(numbers[0], numbers[1]);
}

TEST_WITH(MptcpDataTest, MptcpFallback, ThereIsNoWayBackFromRegularTcp,
          .claims = {"rfc8684:3.7-no-return"}) {
  MptcpConnection connection = Connected();
  auto& [socket, peer, key, peer_key, has_checksums] = connection;
  for (const std::string text : {"one", "two"}) {
    socket.Send(text).value();
    peer.ExpectEventually(Data(text));
    peer.Send(Ack());
    Settle();
  }
  socket.Send("regular").value();
  if (HasMptcp(peer.Expect(Data("regular")))) NotReached("it does not fall back");
  peer.Send(Ack());
  Dss dss;
  dss.data_ack = connection.Dsn(13);
  dss.mapping = MappingOf(connection, 0, "mapped");
  peer.Send(Data("mapped").Option(DssOption(dss)));
  EXPECT_FALSE(HasMptcp(peer.Expect(Ack().Ack(peer.snd_nxt)))) << "an ACK";
  socket.Send("for ever").value();
  EXPECT_FALSE(HasMptcp(peer.Expect(Data("for ever")))) << "data";
}

TEST_WITH(MptcpDataTest, MptcpFallback, AnMpFailIsAnsweredWithAnotherAndEndsMultipath,
          .claims = {"rfc8684:3.7-mp-fail"}) {
  MptcpConnection connection = Running();
  auto& [socket, peer, key, peer_key, has_checksums] = connection;
  socket.Send("failed").value();
  peer.ExpectEventually(Data("failed"));
  peer.Send(Ack().Option(MpFail(connection.Dsn(kAnswer.size()))));
  Settle();
  bool is_answered = false;
  for (const Segment& segment : peer.TakeArrived())
    is_answered |= Find(segment, kMpFail).has_value();
  // It may be in the first data that follows, with the infinite mapping.
  socket.Send("the last one").value();
  is_answered |= Find(peer.ExpectEventually(Data("the last one")), kMpFail).has_value();
  EXPECT_TRUE(is_answered) << "no MP_FAIL comes back";
  peer.Send(Ack());
  Settle();
  socket.Send("regular").value();
  EXPECT_FALSE(HasMptcp(peer.ExpectEventually(Data("regular")))) << "multipath goes on";
}

// --- What it receives
// ------------------------------------------------------------------------------

TEST_WITH(MptcpDataTest, MptcpData, DataIsAcknowledgedByItsNumber,
          .claims = {"rfc8684:3.3.2-data-ack", "rfc8684:3.3.2-long-data-ack"}) {
  MptcpConnection connection = ConnectedByAccept();
  Deciding("rfc8684:3.3.2-data-ack");
  SendMapped(connection, 0, "first");
  ExpectDataAck(connection, connection.PeerDsn(5));
  EXPECT_THAT(connection.socket.Receive(64), Returns("first"));
  Deciding("rfc8684:3.3.2-long-data-ack");
  SendMapped(connection, 5, "second");
  EXPECT_FALSE(ExpectDataAck(connection, connection.PeerDsn(11)).is_short_ack);
}

TEST_WITH(MptcpDataTest, MptcpData, NumbersOfThirtyTwoBitsAreTaken,
          .claims = {"rfc8684:3.3.1-short-dsn"}) {
  MptcpConnection connection = Running();
  Deciding("rfc8684:3.3.1-short-dsn");
  Dss dss;
  dss.data_ack = connection.Dsn(kAnswer.size());
  dss.mapping = MappingOf(connection, kQuestion.size(), "short");
  dss.is_short_ack = dss.is_short_dsn = true;
  connection.peer.Send(Data("short").Option(DssOption(dss)));
  ExpectDataAck(connection, connection.PeerDsn(kQuestion.size() + 5));
  EXPECT_THAT(connection.socket.Receive(64), Returns("short"));
}

TEST_WITH(MptcpDataTest, MptcpData, AChecksumThatWasNotAgreedOnResetsTheSubflow,
          .claims = {"rfc8684:3.3-unnegotiated-checksum"}) {
  MptcpConnection connection = Running();
  if (connection.has_checksums) NotReached("it asks for checksums");
  Deciding("rfc8684:3.3-unnegotiated-checksum");
  Dss dss;
  dss.data_ack = connection.Dsn(kAnswer.size());
  dss.mapping = MappingOf(connection, kQuestion.size(), "summed");
  dss.mapping->checksum = ChecksumOf(*dss.mapping, "summed");
  connection.peer.Send(Data("summed").Option(DssOption(dss)));
  connection.peer.ExpectEventually(Rst());
}

TEST_WITH(MptcpDataTest, MptcpData, AChecksumThatIsMissingResetsTheSubflow,
          .claims = {"rfc8684:3.3-missing-checksum"}, .needs = {"sysctl"}) {
  sut.SetSysctl("net.mptcp.checksum_enabled", 1);
  MptcpConnection connection = Running();
  if (!connection.has_checksums) NotReached("it asks for no checksums");
  Deciding("rfc8684:3.3-missing-checksum");
  Dss dss;
  dss.data_ack = connection.Dsn(kAnswer.size());
  dss.mapping = MappingOf(connection, kQuestion.size(), "not summed");
  dss.mapping->checksum.reset();
  connection.peer.Send(Data("not summed").Option(DssOption(dss)));
  connection.peer.ExpectEventually(Rst());
}

// --- Its end
// ---------------------------------------------------------------------------------------

TEST_WITH(MptcpDataTest, MptcpClose, ADataFinEndsTheDataAndAFinTheSubflow,
          .claims = {"rfc8684:3.3.3-data-fin", "rfc8684:3.3.3-subflow-fin"}) {
  const MptcpConnection connection = Running();
  Socket socket = connection.socket;
  ASSERT_THAT(socket.Close(), Succeeds());
  Deciding("rfc8684:3.3.3-data-fin");
  const auto [fin, has_fin] = NextEnd(connection.peer);
  ASSERT_TRUE(fin && fin->mapping) << "there is no DATA_FIN with a mapping";
  const std::uint64_t number = connection.Dsn(kAnswer.size());
  EXPECT_TRUE(IsNumber(fin->mapping->dsn, fin->is_short_dsn, number)) << fin->mapping->dsn;
  EXPECT_EQ(fin->mapping->ssn, 0U);
  EXPECT_EQ(fin->mapping->length, 1U);
  Deciding("rfc8684:3.3.3-subflow-fin");
  Dss answer;
  answer.is_data_fin = true;
  answer.data_ack = number + 1;
  answer.mapping = Mapping{connection.PeerDsn(kQuestion.size()), 0, 1};
  if (connection.has_checksums) answer.mapping->checksum = ChecksumOf(*answer.mapping, "");
  connection.peer.Send(Ack().Option(DssOption(answer)));
  if (!has_fin) connection.peer.ExpectEventually(Fin());
}

TEST_WITH(MptcpDataTest, MptcpClose, ADataFinIsAcknowledgedAndTellsTheEnd,
          .claims = {"rfc8684:3.3.3-data-fin-acknowledged"}) {
  const MptcpConnection connection = Running();
  Socket socket = connection.socket;
  Deciding("rfc8684:3.3.3-data-fin-acknowledged");
  Dss fin;
  fin.is_data_fin = true;
  fin.data_ack = connection.Dsn(kAnswer.size());
  fin.mapping = Mapping{connection.PeerDsn(kQuestion.size()), 0, 1};
  if (connection.has_checksums) fin.mapping->checksum = ChecksumOf(*fin.mapping, "");
  connection.peer.Send(Ack().Option(DssOption(fin)));
  ExpectDataAck(connection, connection.PeerDsn(kQuestion.size()) + 1);
  EXPECT_THAT(socket.Receive(64), Returns(""));
}

TEST_WITH(MptcpDataTest, MptcpClose, AFastCloseIsAnsweredWithAReset,
          .claims = {"rfc8684:3.5-fast-close"}) {
  const MptcpConnection connection = Running();
  Socket socket = connection.socket;
  Deciding("rfc8684:3.5-fast-close");
  connection.peer.Send(Ack().Option(FastClose(connection.key)));
  connection.peer.ExpectEventually(Rst());
  EXPECT_THAT(socket.Receive(64), testing::Not(Succeeds()));
}

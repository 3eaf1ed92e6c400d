// Names of sockets of AF_UNIX: paths, abstract ones and none. unix(7), bind(2), connect(2).
#include "suites/unix/unix_test.h"

using namespace sockproof;

namespace {

constexpr int kFamilyLength = 2;  // sizeof(sa_family_t), which is all that is before sun_path
constexpr int kSunPath = 108;     // sizeof(sun_path) on Linux
constexpr int kRoom = 128;

// What lets a process at files whatever their permissions.
const std::vector<std::string> kOfAnyFile = {"CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH"};

// What a stream socket gets of the name of a datagram socket: that is none that listens, either.
auto IsOfAnotherType() { return testing::AnyOf(FailsWith(EPROTOTYPE), FailsWith(ECONNREFUSED)); }

}  // namespace

// ---- unnamed ----

TEST_WITH(UnixTest, UnixNames, APairHasNoNamesOfTheLengthOfAFamily,
          .claims = {"man:unix(7)-unnamed"}, .over = kEachUnixType) {
  auto [one, other] = Pair();
  for (const Socket& socket : {one, other}) {
    Socket asked = socket;
    EXPECT_THAT(asked.LocalName(), Returns(Name(UnixName::Unnamed())));
    EXPECT_EQ(asked.LocalName(kRoom).value().length(), kFamilyLength);
    EXPECT_THAT(asked.PeerName(), Returns(Name(UnixName::Unnamed())));
  }
}

TEST_WITH(UnixTest, UnixNames, AStreamSocketThatWasNotBoundHasNone,
          .claims = {"man:unix(7)-unnamed"}, .over = kUnixStreams) {
  EXPECT_EQ(NewSocket().LocalName(kRoom).value().length(), kFamilyLength);
}

TEST_WITH(UnixTest, UnixNames, AcceptTellsThatTheClientHasNone,
          .claims = {"man:unix(7)-unnamed", "man:getpeername(2)-address"},
          .needs = {"abstract_names"}, .over = kEachUnixConnection) {
  const Name name = FreshName();
  Socket listener = Listening(name);
  Socket client = NewSocket();
  client.Connect(name).value();
  Deciding("man:unix(7)-unnamed");
  Accepted accepted = listener.Accept().value();
  EXPECT_EQ(accepted.remote, Name(UnixName::Unnamed()));
  Deciding("man:getpeername(2)-address");
  EXPECT_THAT(accepted.socket.PeerName(), Returns(Name(UnixName::Unnamed())));
  EXPECT_THAT(client.PeerName(), Returns(name));
}

// ---- abstract ----

TEST_WITH(UnixTest, UnixNames, AnAbstractNameIsReturnedWhole, .claims = {"man:unix(7)-abstract"},
          .needs = {"abstract_names"}, .over = kEachUnixType) {
  const Name name = FreshName();
  Socket socket = Bound(name);
  const Name told = socket.LocalName(kRoom).value();
  EXPECT_EQ(told, name);
  EXPECT_EQ(told.length(), kFamilyLength + static_cast<int>(name.unix_name()->octets.size()));
}

TEST_WITH(UnixTest, UnixNames, ZerosInAnAbstractNameCount, .claims = {"man:unix(7)-abstract-zeros"},
          .needs = {"abstract_names"}, .over = kEachUnixType) {
  const std::string octets = FreshName().unix_name()->octets;
  Socket shorter = Bound(UnixName{octets});
  Socket longer = NewSocket();
  EXPECT_THAT(longer.Bind(UnixName{octets + '\0'}), Succeeds());
  EXPECT_THAT(longer.LocalName(), Returns(Name(UnixName{octets + '\0'})));
}

TEST_WITH(UnixTest, UnixNames, AnAbstractNameHasOneHolder, .claims = {"man:unix(7)-EADDRINUSE"},
          .needs = {"abstract_names"}, .over = kEachUnixType) {
  const Name name = FreshName();
  Bound(name);
  EXPECT_THAT(NewSocket().Bind(name), FailsWith(EADDRINUSE));
}

TEST_WITH(UnixTest, UnixNames, AnAbstractNameGoesWithItsLastReference,
          .claims = {"man:unix(7)-abstract-ends"}, .needs = {"abstract_names"},
          .over = kEachUnixType) {
  const Name name = FreshName();
  Socket holder = Bound(name);
  Socket duplicate = holder.Dup().value();
  holder.Close().value();
  EXPECT_THAT(NewSocket().Bind(name), FailsWith(EADDRINUSE));
  duplicate.Close().value();
  EXPECT_THAT(NewSocket().Bind(name), Succeeds());
}

TEST_WITH(UnixTest, UnixNames, BindingTheFamilyAloneChoosesFiveHexadecimalDigits,
          .claims = {"man:unix(7)-autobind"}, .needs = {"abstract_names"}, .over = kEachUnixType) {
  Socket socket = NewSocket();
  ASSERT_THAT(socket.Bind(UnixName::Unnamed()), Succeeds());
  const Name name = socket.LocalName().value();
  ASSERT_NE(name.unix_name(), nullptr);
  const std::string& octets = name.unix_name()->octets;
  ASSERT_EQ(octets.size(), 6U) << name.ToString();
  EXPECT_EQ(octets.front(), '\0');
  EXPECT_EQ(octets.find_first_not_of("0123456789abcdef", 1), std::string::npos) << name.ToString();
}

TEST_WITH(UnixTest, UnixNames, ChosenNamesDiffer, .claims = {"man:unix(7)-autobind"},
          .needs = {"abstract_names"}, .over = kEachUnixType) {
  Socket one = Bound(UnixName::Unnamed());
  Socket other = Bound(UnixName::Unnamed());
  EXPECT_FALSE(one.LocalName().value() == other.LocalName().value());
}

// ---- paths ----

TEST_WITH(UnixTest, UnixNames, APathIsReturnedWithItsZero, .claims = {"man:unix(7)-pathname"},
          .needs = {"directory"}, .over = kEachUnixType) {
  const std::string path = FreshPath();
  Socket socket = Bound(UnixName::Path(path));
  const Name told = socket.LocalName(kRoom).value();
  EXPECT_EQ(told, Name(UnixName::Path(path)));
  EXPECT_EQ(told.length(), kFamilyLength + static_cast<int>(path.size()) + 1);
}

TEST_WITH(UnixTest, UnixNames, APathWithoutItsZeroIsGivenOne,
          .claims = {"man:unix(7)-terminator-appended"}, .needs = {"directory"},
          .over = kEachUnixType) {
  const std::string path = FreshPath();
  Socket socket = Bound(UnixName{path});
  EXPECT_EQ(socket.LocalName(kRoom).value().length(),
            kFamilyLength + static_cast<int>(path.size()) + 1);
}

TEST_WITH(UnixTest, UnixNames, APathThatFillsSunPathIsToldLongerThanTheStructure,
          .claims = {"man:unix(7)-terminator-beyond"}, .needs = {"directory"},
          .over = kUnixStreams) {
  const std::string folder = sut.process().Directory() + "/";
  const std::string path = folder + std::string(kSunPath - folder.size(), 'x');
  Socket socket = Bound(UnixName{path});
  const Name told = socket.LocalName(kFamilyLength + kSunPath).value();
  EXPECT_EQ(told.length(), kFamilyLength + kSunPath + 1);
  EXPECT_EQ(told.unix_name()->octets, path);
}

TEST_WITH(UnixTest, UnixNames, BindMakesASocketFile, .claims = {"man:unix(7)-creates-socket"},
          .needs = {"directory"}, .over = kEachUnixType) {
  const std::string path = FreshPath();
  Socket socket = Bound(UnixName::Path(path));
  EXPECT_EQ(sut.process().StatusOf(path).value().type, "socket");
  socket.Close().value();
  EXPECT_EQ(sut.process().StatusOf(path).value().type, "socket");  // unlink() is the caller's
}

TEST_WITH(UnixTest, UnixNames, APathThatExistsIsInUse, .claims = {"man:unix(7)-EADDRINUSE"},
          .needs = {"directory"}, .over = kEachUnixType) {
  const std::string path = FreshPath();
  Socket holder = Bound(UnixName::Path(path));
  EXPECT_THAT(NewSocket().Bind(UnixName::Path(path)), FailsWith(EADDRINUSE));
  holder.Close().value();
  EXPECT_THAT(NewSocket().Bind(UnixName::Path(path)), FailsWith(EADDRINUSE));
  sut.process().Unlink(path).value();
  EXPECT_THAT(NewSocket().Bind(UnixName::Path(path)), Succeeds());
}

TEST_WITH(UnixTest, UnixNames, APathInNoDirectoryIsNotMade, .claims = {"man:bind(2)-ENOENT"},
          .needs = {"directory"}, .over = kEachUnixType) {
  EXPECT_THAT(NewSocket().Bind(UnixName::Path(FreshPath() + "/x")), FailsWith(ENOENT));
}

TEST_WITH(UnixTest, UnixNames, APathBelowAFileIsNotMade, .claims = {"man:bind(2)-ENOTDIR"},
          .needs = {"directory"}, .over = kEachUnixType) {
  const std::string file = FreshPath();
  sut.process().OpenFile(file, {"O_CREAT", "O_RDWR"}).value();
  EXPECT_THAT(NewSocket().Bind(UnixName::Path(file + "/x")), FailsWith(ENOTDIR));
}

TEST_WITH(UnixTest, UnixNames, APathThroughALinkToItselfIsNotMade, .claims = {"man:bind(2)-ELOOP"},
          .needs = {"directory"}, .over = kEachUnixType) {
  const std::string link = FreshPath();
  sut.process().LinkTo(link, link).value();
  EXPECT_THAT(NewSocket().Bind(UnixName::Path(link + "/x")), FailsWith(ELOOP));
}

TEST_WITH(UnixTest, UnixNames, ALengthBeyondTheStructureIsInvalid,
          .claims = {"man:bind(2)-EINVAL-addrlen"}, .over = kEachUnixType) {
  EXPECT_THAT(NewSocket().Bind(Name(UnixName::Path("/x")).WithLength(kRoom)),
              testing::AnyOf(FailsWith(EINVAL), FailsWith(ENAMETOOLONG)));  // bind(2) has both
}

TEST_WITH(UnixTest, UnixNames, ConnectToNoFileFailsWithEnoent, .claims = {"man:unix(7)-ENOENT"},
          .needs = {"directory"}, .over = kEachUnixType) {
  EXPECT_THAT(NewSocket().Connect(UnixName::Path(FreshPath())), FailsWith(ENOENT));
}

TEST_WITH(UnixTest, UnixNames, ConnectToAPlainFileFails,
          .claims = {"man:unix(7)-ECONNREFUSED-file"}, .needs = {"directory"},
          .over = kEachUnixType) {
  const std::string file = FreshPath();
  sut.process().OpenFile(file, {"O_CREAT", "O_RDWR"}).value();
  const auto connected = NewSocket().Connect(UnixName::Path(file));
  EXPECT_THAT(connected, testing::Not(Succeeds()));
  if (connected.error() == ECONNREFUSED) return;
  NotTaken("man:unix(7)-ECONNREFUSED-file", "it fails with " + ErrnoName(connected.error()));
}

TEST_WITH(UnixTest, UnixNames, ConnectToASocketThatDoesNotListenIsRefused,
          .claims = {"man:unix(7)-ECONNREFUSED"}, .needs = {"abstract_names"},
          .over = kEachUnixConnection) {
  const Name name = FreshName();
  Bound(name);
  EXPECT_THAT(NewSocket().Connect(name), FailsWith(ECONNREFUSED));
}

TEST_WITH(UnixTest, UnixNames, TheFileOfAClosedSocketRefuses,
          .claims = {"man:unix(7)-ECONNREFUSED"}, .needs = {"directory"},
          .over = kEachUnixConnection) {
  const std::string path = FreshPath();
  Listening(UnixName::Path(path)).Close().value();
  EXPECT_THAT(NewSocket().Connect(UnixName::Path(path)), FailsWith(ECONNREFUSED));
}

TEST_WITH(UnixTest, UnixNames, ADatagramSocketCannotConnectToAStreamSocket,
          .claims = {"man:unix(7)-EPROTOTYPE", "man:connect(2)-EPROTOTYPE"}, .needs = {"directory"},
          .over = kUnixDatagrams) {
  const std::string path = FreshPath();
  Socket listener = sut.NewSocket("AF_UNIX", "SOCK_STREAM");
  listener.Bind(UnixName::Path(path)).value();
  listener.Listen(1).value();
  EXPECT_THAT(NewSocket().Connect(UnixName::Path(path)), FailsWith(EPROTOTYPE));
}

TEST_WITH(UnixTest, UnixNames, AStreamSocketCannotConnectToADatagramSocket,
          .claims = {"man:unix(7)-EPROTOTYPE"}, .needs = {"directory"}, .over = kUnixStreams) {
  const std::string path = FreshPath();
  sut.NewSocket("AF_UNIX", "SOCK_DGRAM").Bind(UnixName::Path(path)).value();
  EXPECT_THAT(NewSocket().Connect(UnixName::Path(path)), IsOfAnotherType());
}

TEST_WITH(UnixTest, UnixNames, AnAbstractNameOfTheOtherTypeIsTheWrongTypeToo,
          .claims = {"man:unix(7)-EPROTOTYPE"}, .needs = {"abstract_names"}, .over = kUnixStreams) {
  const Name name = FreshName();
  sut.NewSocket("AF_UNIX", "SOCK_DGRAM").Bind(name).value();
  EXPECT_THAT(NewSocket().Connect(name), IsOfAnotherType());
}

TEST_WITH(UnixTest, UnixNames, UnlinkKeepsConnectionsAndKeepsNewOnesOut,
          .claims = {"man:unix(7)-unlink-any-time", "man:unix(7)-ENOENT"}, .needs = {"directory"},
          .over = kEachUnixConnection) {
  const std::string path = FreshPath();
  Socket listener = Listening(UnixName::Path(path));
  Socket client = NewSocket();
  client.Connect(UnixName::Path(path)).value();
  sut.process().Unlink(path).value();

  Deciding("man:unix(7)-unlink-any-time");
  Socket server = listener.Accept().value().socket;
  EXPECT_THAT(client.Send("still"), Returns(5));
  EXPECT_THAT(server.Receive(64), Returns("still"));
  Deciding("man:unix(7)-ENOENT");
  EXPECT_THAT(NewSocket().Connect(UnixName::Path(path)), FailsWith(ENOENT));
}

TEST_WITH(UnixTest, UnixNames, ATooShortBufferIsFilledAndTheWholeLengthTold,
          .claims = {"man:getsockname(2)-truncated"}, .needs = {"abstract_names"},
          .over = kEachUnixType) {
  constexpr int kShort = 8;
  const Name name = FreshName();
  const std::string& octets = name.unix_name()->octets;
  const Name told = Bound(name).LocalName(kShort).value();
  EXPECT_EQ(told.length(), kFamilyLength + static_cast<int>(octets.size()));
  EXPECT_EQ(told.unix_name()->octets.substr(0, kShort - kFamilyLength),
            octets.substr(0, kShort - kFamilyLength));
}

// ---- permissions ----

TEST_WITH(UnixTest, UnixPermissions, ConnectNeedsWritePermissionForTheFile,
          .claims = {"man:unix(7)-write-permission", "man:connect(2)-EACCES"},
          .needs = {"directory", "processes"}, .over = kEachUnixType) {
  const std::string path = FreshPath();
  Socket holder = Bound(UnixName::Path(path));
  if (type() != "SOCK_DGRAM") holder.Listen(1).value();
  Process child = sut.process().Fork({.without_capabilities = kOfAnyFile}).value();
  Socket client = child.OpenSocket("AF_UNIX", type()).value();
  sut.process().ChangeMode(path, 0444).value();
  EXPECT_THAT(client.Connect(UnixName::Path(path)), FailsWith(EACCES));
  sut.process().ChangeMode(path, 0200).value();
  EXPECT_THAT(client.Connect(UnixName::Path(path)), Succeeds());
}

TEST_WITH(UnixTest, UnixPermissions, SendingToAPathNeedsWritePermissionForTheFile,
          .claims = {"man:unix(7)-write-permission", "man:send(2)-EACCES"},
          .needs = {"directory", "processes"}, .over = kUnixDatagrams) {
  const std::string path = FreshPath();
  Socket receiver = Bound(UnixName::Path(path));
  Process child = sut.process().Fork({.without_capabilities = kOfAnyFile}).value();
  Socket sender = child.OpenSocket("AF_UNIX", type()).value();
  sut.process().ChangeMode(path, 0444).value();
  EXPECT_THAT(sender.SendTo(UnixName::Path(path), "x"), FailsWith(EACCES));
}

TEST_WITH(UnixTest, UnixPermissions, BindNeedsWriteAndSearchPermissionForTheDirectory,
          .claims = {"man:unix(7)-directory-permission", "man:bind(2)-EACCES"},
          .needs = {"directory", "processes"}, .over = kEachUnixType) {
  const std::string folder = sut.process().Directory();
  Process child = sut.process().Fork({.without_capabilities = kOfAnyFile}).value();
  for (const int mode : {0500, 0600}) {
    sut.process().ChangeMode(folder + "/.", mode).value();
    Socket socket = child.OpenSocket("AF_UNIX", type()).value();
    EXPECT_THAT(socket.Bind(UnixName::Path(FreshPath())), FailsWith(EACCES)) << mode;
  }
  sut.process().ChangeMode(folder + "/.", 0700).value();
  Socket socket = child.OpenSocket("AF_UNIX", type()).value();
  EXPECT_THAT(socket.Bind(UnixName::Path(FreshPath())), Succeeds());
}

// ---- the umask and the file system ----

TEST_WITH(UnixTest, UnixPermissions, OfTheFileAreAllButThoseOfTheUmask,
          .claims = {"man:unix(7)-mode"}, .needs = {"directory", "processes"},
          .over = kEachUnixType) {
  for (const int mask : {0, 027, 0777}) {
    const std::string path = FreshPath();
    Process child = sut.process().Fork({.umask = mask}).value();
    Socket socket = child.OpenSocket("AF_UNIX", type()).value();
    ASSERT_THAT(socket.Bind(UnixName::Path(path)), Succeeds());
    EXPECT_EQ(sut.process().StatusOf(path).value().mode, 0777 & ~mask) << "with the umask " << mask;
  }
}

TEST_WITH(UnixTest, UnixPermissions, OfAbstractSocketsThereAreNone,
          .claims = {"man:unix(7)-abstract-permissions"}, .needs = {"abstract_names", "processes"},
          .over = kEachUnixType) {
  const Name name = FreshName();
  Process owner = sut.process().Fork({.umask = 0777}).value();
  Socket holder = owner.OpenSocket("AF_UNIX", type()).value();
  holder.Bind(name).value();
  if (type() != "SOCK_DGRAM") holder.Listen(4).value();
  const Outcome<Process> stranger = sut.process().Fork({.uid = 65534, .gid = 65534});
  if (!stranger.ok()) NotReached("the agent has one user alone");
  EXPECT_THAT(Process(stranger.value()).OpenSocket("AF_UNIX", type()).value().Connect(name),
              Succeeds());
  // fchmod(), where the system lets it.
  owner.ChangeMode("/proc/self/fd/" + std::to_string(holder.fd()), 0);
  EXPECT_THAT(Process(stranger.value()).OpenSocket("AF_UNIX", type()).value().Connect(name),
              Succeeds());
}

TEST_WITH(UnixTest, UnixNames, NoFileIsMadeOnAReadOnlyFileSystem, .claims = {"man:bind(2)-EROFS"},
          .needs = {"directory"}, .over = kEachUnixType) {
  const std::string path = sut.process().ReadOnlyDirectory() + "/socket";
  EXPECT_THAT(NewSocket().Bind(UnixName::Path(path)), FailsWith(EROFS));
}

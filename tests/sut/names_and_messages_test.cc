// Names and messages as the agent protocol writes them, and as ladders show them.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "harness/agent_protocol/base64.h"
#include "harness/base/errors.h"
#include "harness/sut/message_json.h"
#include "harness/sut/name_json.h"
#include "harness/sut/socket.h"

namespace sockproof {
namespace {

using agent_protocol::Base64Encode;
using nlohmann::json;

json Written(const Name& name) {
  json params = json::object();
  PutName(params, name);
  return params;
}

TEST(Name, OfEachFamilyIsWrittenAsTheProtocolHasIt) {
  EXPECT_EQ(Written(Name(IpAddress("192.0.2.1"), 80))["address"],
            json({{"family", "AF_INET"}, {"address", "192.0.2.1"}, {"port", 80}}));
  EXPECT_EQ(Written(Name(IpAddress("fe80::1"), 80).WithScope(2))["address"]["scope_id"], 2);
  EXPECT_EQ(Written(UnixName::Path("/x"))["address"], json({{"family", "AF_UNIX"}, {"path", "/x"}}));
  EXPECT_EQ(Written(UnixName::Abstract("x"))["address"]["name"], Base64Encode({"\0x", 2}));
  EXPECT_EQ(Written(UnixName::Unnamed())["address"]["name"], "");
  EXPECT_EQ(Written(Name::Unspecified())["address"]["family"], "AF_UNSPEC");
  EXPECT_EQ(Written(Name(UnixName::Path("/x")).WithLength(-1))["address_length"], -1);
  EXPECT_THROW(Written(Name()), HarnessError);
}

TEST(Name, IsReadAsItWasTold) {
  const auto told = [](const std::string& octets) {
    return NameFromJson({{"family", "AF_UNIX"}, {"name", Base64Encode(octets)}});
  };
  EXPECT_EQ(told(std::string("/x\0", 3)), Name(UnixName::Path("/x")));
  EXPECT_EQ(told(std::string("\0x\0", 3)), Name(UnixName::Abstract(std::string("x\0", 2))));
  EXPECT_EQ(told(""), Name(UnixName::Unnamed()));
  EXPECT_EQ(NameFromJson(nullptr), Name());
  EXPECT_EQ(NameFromJson({{"family", "AF_UNIX"}, {"path", "/x"}, {"length", 5}}).length(), 5);
  EXPECT_FALSE(told("") == Name());
  EXPECT_THROW(NameFromJson({{"family", "AF_UNIX"}, {"name", "?"}}), HarnessError);
  EXPECT_THROW(NameFromJson("AF_UNIX"), json::exception);
}

TEST(Name, IsShownHarmlessly) {
  EXPECT_EQ(Name(IpAddress("::1"), 80).ToString(), "[::1]:80");
  EXPECT_EQ(Name(UnixName::Abstract("x")).ToString(), "@x");
  EXPECT_EQ(Name(UnixName::Path("a\nb")).ToString().find('\n'), std::string::npos);
  EXPECT_EQ(Name(UnixName::Unnamed()).ToString(), "unnamed");
  EXPECT_EQ(Name().ToString(), "no name");
}

TEST(Message, IsWrittenWithItsParts) {
  json params = json::object();
  PutMessage(params, Message::Of({"a", "b"})
                         .To(UnixName::Path("/x"))
                         .With(RightsOf({3}))
                         .With(NumberItem("IPPROTO_IP", "IP_TTL", 7))
                         .WithControlLength(5));
  EXPECT_EQ(params["vector"], json({"YQ==", "Yg=="}));
  EXPECT_EQ(params["address"]["path"], "/x");
  EXPECT_EQ(params["control"][0]["fds"], json({3}));
  EXPECT_EQ(params["control"][1]["value"], 7);
  EXPECT_EQ(params["control_length"], 5);
}

TEST(Message, OfAnUnknownTypeIsAMistakeUnlessItIsANumber) {
  json params = json::object();
  EXPECT_THROW(PutMessage(params, Message("x").With(NumberItem("SOL_SOCKET", "SCM_RIGTHS"))),
               HarnessError);
  EXPECT_THROW(PutMessage(params, Message("x").With(NumberItem("SOL_SOKET", "SCM_RIGHTS"))),
               HarnessError);
  EXPECT_NO_THROW(
      PutMessage(params, Message("x").With(OctetsItem("SOL_SOCKET", "0x63", "octets"))));
}

TEST(ControlRoom, IsForTheDataOfEachItem) {
  json params = json::object();
  PutRoom(params, {64}, RoomFor(Rights(2), SenderCredentials()));
  EXPECT_EQ(params, json({{"length", 64}, {"control_room", {8, 12}}}));
  params = json::object();
  PutRoom(params, {1, 2}, ControlRoom::Octets(20));
  EXPECT_EQ(params, json({{"lengths", {1, 2}}, {"control_length", 20}}));
  params = json::object();
  PutRoom(params, {1}, {});
  EXPECT_EQ(params, json({{"length", 1}}));
}

}  // namespace
}  // namespace sockproof

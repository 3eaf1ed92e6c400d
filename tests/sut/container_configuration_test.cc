// What confines a container: the default, and what is kept of a bundle.
#include <gmock/gmock.h>
#include <stdlib.h>

#include <fstream>

#include "harness/base/errors.h"
#include "harness/sut/container/configuration.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::Contains;
using testing::Each;
using testing::HasSubstr;
using testing::Not;

class ContainerConfigurationTest : public testing::Test {
 protected:
  ContainerConfigurationTest() {
    char name[] = "/tmp/sockproof-configuration-XXXXXX";
    folder_ = mkdtemp(name);
  }
  ~ContainerConfigurationTest() override { fs::remove_all(folder_); }

  fs::path WriteBundle(const std::string& text) const {
    const fs::path path = folder_ / "bundle.json";
    std::ofstream(path) << text;
    return path;
  }

  json Written(const ContainerConfiguration& configuration) const {
    configuration.Write(ContainerFiles{folder_}, "/somewhere/agent");
    std::ifstream file(folder_ / "config.json");
    return json::parse(file);
  }

  fs::path folder_;
};

TEST_F(ContainerConfigurationTest, ConfinesAsEnginesDo) {
  const auto configuration = ContainerConfiguration::LikeAnEngine();
  EXPECT_THAT(configuration.capabilities(), HasSubstr("CAP_NET_BIND_SERVICE"));
  EXPECT_THAT(configuration.capabilities(), Not(HasSubstr("CAP_NET_ADMIN")));

  const json written = Written(configuration);
  EXPECT_THAT(written.at("linux").at("readonlyPaths"), Contains("/proc/sys"));
  EXPECT_EQ(written.at("process").at("args"), json::array({"/.sockproof-agent"}));
  EXPECT_EQ(written.at("mounts").back().at("source"), "/somewhere/agent");
  EXPECT_EQ(written.at("linux").at("namespaces").back().at("path"), (folder_ / "network").string());
}

TEST_F(ContainerConfigurationTest, KeepsWhatConfinesABundle) {
  const json written = Written(ContainerConfiguration::OfBundle(WriteBundle(R"({
    "ociVersion": "1.0.2",
    "process": {"terminal": true, "cwd": "/srv", "args": ["nginx"], "user": {"uid": 33, "gid": 33},
                "capabilities": {"effective": ["CAP_KILL"]}},
    "linux": {"sysctl": {"net.ipv4.tcp_syn_retries": "2"}, "seccomp": {"defaultAction": "SCMP_ACT_ALLOW"},
              "maskedPaths": ["/proc/keys"]}})")));
  EXPECT_EQ(written.at("linux").at("sysctl").at("net.ipv4.tcp_syn_retries"), "2");
  EXPECT_EQ(written.at("linux").at("seccomp").at("defaultAction"), "SCMP_ACT_ALLOW");
  EXPECT_EQ(written.at("linux").at("maskedPaths"), json::array({"/proc/keys"}));
  EXPECT_EQ(written.at("process").at("user").at("uid"), 33);
  EXPECT_EQ(written.at("process").at("args"), json::array({"/.sockproof-agent"}));
  EXPECT_EQ(written.at("process").at("terminal"), false);
}

TEST_F(ContainerConfigurationTest, LeavesOutOfABundleWhatReachesOutOfATest) {
  const json written = Written(ContainerConfiguration::OfBundle(WriteBundle(R"({
    "ociVersion": "1.0.2", "process": {}, "hooks": {"prestart": [{"path": "/bin/cni"}]},
    "mounts": [{"destination": "/proc", "type": "proc"},
               {"destination": "/data", "type": "bind", "source": "/srv"}],
    "linux": {"cgroupsPath": "/mine", "resources": {"memory": {"limit": 1}},
              "namespaces": [{"type": "pid"}, {"type": "user"}, {"type": "network"}]}})")));
  EXPECT_FALSE(written.contains("hooks"));
  EXPECT_FALSE(written.at("linux").contains("cgroupsPath"));
  EXPECT_FALSE(written.at("linux").contains("resources"));
  ASSERT_EQ(written.at("mounts").size(), 2);
  EXPECT_EQ(written.at("mounts").at(1).at("destination"), "/.sockproof-agent");
  ASSERT_EQ(written.at("linux").at("namespaces").size(), 2);
  EXPECT_EQ(written.at("linux").at("namespaces").at(1).at("path"), (folder_ / "network").string());
}

TEST_F(ContainerConfigurationTest, RefusesWhatIsNoConfiguration) {
  EXPECT_THROW(ContainerConfiguration::OfBundle(folder_ / "none"), HarnessError);
  for (const char* text : {"", "[]", "{", "{}", R"({"ociVersion": 1, "process": 3})"}) {
    EXPECT_THROW(ContainerConfiguration::OfBundle(WriteBundle(text)), HarnessError) << text;
  }
}

TEST_F(ContainerConfigurationTest, SurvivesMembersOfOtherTypes) {
  for (const char* text :
       {R"({"ociVersion": "1", "process": {}, "linux": []})",
        R"({"ociVersion": "1", "process": {"capabilities": 7}, "root": [], "mounts": {}})",
        R"({"ociVersion": "1", "process": {}, "mounts": [1], "linux": {"namespaces": [[]]}})"}) {
    try {
      const auto configuration = ContainerConfiguration::OfBundle(WriteBundle(text));
      configuration.capabilities();
      Written(configuration);
    } catch (const HarnessError&) {
      // Refusing is right as well.
    }
  }
}

// ---- seccomp ----

json Names(const json& seccomp) {
  json names = json::array();
  for (const json& rule : seccomp.at("syscalls")) names.push_back(rule.at("names").at(0));
  return names;
}

TEST(SeccompProfile, AppliesRulesByCapability) {
  const json profile = json::parse(R"({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
    {"names": ["always"], "action": "SCMP_ACT_ALLOW"},
    {"names": ["with"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_BPF"]}},
    {"names": ["without"], "action": "SCMP_ACT_ERRNO", "excludes": {"caps": ["CAP_BPF"]}}]})");
  EXPECT_EQ(Names(SeccompOfProfile(profile, {"CAP_BPF"}, "x86_64")),
            json::array({"always", "with"}));
  EXPECT_EQ(Names(SeccompOfProfile(profile, {}, "x86_64")), json::array({"always", "without"}));
}

TEST(SeccompProfile, AppliesRulesByMachine) {
  const json profile = json::parse(R"({"syscalls": [
    {"names": ["here"], "includes": {"arches": ["amd64"]}},
    {"names": ["there"], "includes": {"arches": ["s390x"]}},
    {"names": ["elsewhere"], "excludes": {"arches": ["amd64"]}}]})");
  const json seccomp = SeccompOfProfile(profile, {}, "x86_64");
  EXPECT_EQ(Names(seccomp), json::array({"here"}));
  EXPECT_EQ(seccomp.at("architectures"), json::array({"SCMP_ARCH_X86_64"}));
  EXPECT_THROW(SeccompOfProfile(profile, {}, "pdp11"), HarnessError);
}

TEST(SeccompProfile, HasNoMembersThatARuntimeDoesNotKnow) {
  const json profile = json::parse(R"({"syscalls": [
    {"names": ["one"], "action": "SCMP_ACT_ALLOW", "comment": "", "args": null, "errnoRet": 1,
     "errno": "EPERM", "includes": {}, "excludes": {}}]})");
  const json seccomp = SeccompOfProfile(profile, {}, "x86_64");
  EXPECT_EQ(seccomp.at("syscalls").at(0), json::parse(R"({"names": ["one"],
            "action": "SCMP_ACT_ALLOW", "errnoRet": 1})"));
}

}  // namespace
}  // namespace sockproof

// Which options of which engine are named when it forbids what tests need.
#include "src/container/confinement.h"

#include <gmock/gmock.h>

namespace sockproof {
namespace {

Confinement In(const std::string& engine) {
  Confinement here;
  here.engine = engine;
  return here;
}

TEST(WhatToAdd, IsNothingOutsideOfAContainer) {
  Confinement here;
  here.namespaces = false;
  here.sysctls = false;
  EXPECT_EQ(WhatToAdd(here), "");
}

TEST(WhatToAdd, IsNothingWhereTestsCanRun) {
  for (const char* engine : {"docker", "podman", "kubernetes"}) {
    EXPECT_EQ(WhatToAdd(In(engine)), "") << engine;
  }
}

TEST(WhatToAdd, NamesWhatDockerForbidsAnOrdinaryUser) {
  Confinement here = In("docker");
  here.sysctls = false;
  EXPECT_EQ(WhatToAdd(here), "add to 'docker run': --security-opt systempaths=unconfined");
  here.namespaces = false;
  EXPECT_EQ(WhatToAdd(here),
            "add to 'docker run': --security-opt seccomp=unconfined "
            "--security-opt systempaths=unconfined");
  here.apparmor = true;
  EXPECT_EQ(WhatToAdd(here),
            "add to 'docker run': --security-opt seccomp=unconfined "
            "--security-opt systempaths=unconfined --security-opt apparmor=unconfined");
}

TEST(WhatToAdd, SpellsItAsPodmanDoes) {
  Confinement here = In("podman");
  here.sysctls = false;
  EXPECT_EQ(WhatToAdd(here), "add to 'podman run': --security-opt unmask=/proc/sys");
}

TEST(WhatToAdd, IsCapabilitiesWhereTheHostForbidsUserNamespaces) {
  Confinement here = In("docker");
  here.user_namespaces = false;
  here.namespaces = false;
  here.sysctls = false;
  here.net_raw = true;
  EXPECT_EQ(WhatToAdd(here),
            "add to 'docker run': --user 0 --cap-add SYS_ADMIN --cap-add NET_ADMIN");
}

TEST(WhatToAdd, IsWhatLacksBesideCapSysAdmin) {
  Confinement here = In("podman");
  here.root = true;
  here.sys_admin = true;
  EXPECT_EQ(WhatToAdd(here), "add to 'podman run': --cap-add NET_ADMIN --cap-add NET_RAW");
  here.net_admin = true;
  here.net_raw = true;
  EXPECT_EQ(WhatToAdd(here), "");
  here.sysctls = false;
  here.apparmor = true;
  EXPECT_EQ(WhatToAdd(here), "add to 'podman run': --security-opt apparmor=unconfined");
}

TEST(WhatToAdd, IsASecurityContextInKubernetes) {
  Confinement here = In("kubernetes");
  here.sysctls = false;
  here.apparmor = true;
  EXPECT_EQ(WhatToAdd(here),
            "add to the container's securityContext: runAsUser: 0, "
            "capabilities: {add: [SYS_ADMIN, NET_ADMIN, NET_RAW]}, "
            "appArmorProfile: {type: Unconfined}");
}

}  // namespace
}  // namespace sockproof

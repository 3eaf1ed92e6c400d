// What a container engine forbids that every test needs, and which of its options allow it.
#pragma once

#include <string>

namespace sockproof {

// What this process may do. The defaults are those of an ordinary user on an open host.
struct Confinement {
  std::string engine;           // "docker", "podman", "kubernetes"; empty: no container, or unknown
  bool user_namespaces = true;  // the host lets ordinary users make them
  bool root = false;
  bool sys_admin = false;  // this process has that capability, and the next two
  bool net_admin = false;
  bool net_raw = false;
  bool namespaces = true;  // private namespaces can be made, this way or that
  bool sysctls = true;     // net.* sysctls can be set in them
  bool apparmor = false;   // a profile of AppArmor is in force
};

// Finds out, in a child process.
Confinement ProbeConfinement();

// What to add to the start of the container so that tests can run, in one line:
// "add to 'docker run': --security-opt seccomp=unconfined". Empty: nothing that an engine could
// add.
std::string WhatToAdd(const Confinement& confinement);

}  // namespace sockproof

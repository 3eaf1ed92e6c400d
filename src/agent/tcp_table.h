// The TCP connections of this network namespace as Linux shows them: /proc/net/tcp and
// /proc/net/tcp6 (proc(5)).
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace sockproof::agent {

// Where the table of a family is, AF_INET or AF_INET6.
const char* TcpTablePath(int family);

// The value of tcp_sockets, of the text of a table.
nlohmann::json TcpSocketsOf(const std::string& table, int family);

// Whether connections are shown that no descriptor holds any more. Kernels that imitate Linux show
// descriptors only: in their table a connection in TIME-WAIT seems to be gone. They have no
// sock_diag either, by which they are known here: to read the table takes Linux milliseconds.
bool ShowsConnectionsWithoutDescriptor();

}  // namespace sockproof::agent

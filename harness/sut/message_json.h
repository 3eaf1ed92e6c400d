// Messages as the agent protocol writes them.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "harness/sut/message.h"

namespace sockproof {

class Socket;

// Data, name and control data among the parameters of sendmsg().
void PutMessage(nlohmann::json& params, const Message& message);

// Room for data and control data among the parameters of recvmsg().
void PutRoom(nlohmann::json& params, const std::vector<std::size_t>& lengths,
             const ControlRoom& room);

// What came by that socket. Throws HarnessError and nlohmann::json::exception.
Received ReceivedFromJson(const Socket& by, const nlohmann::json& value);

}  // namespace sockproof

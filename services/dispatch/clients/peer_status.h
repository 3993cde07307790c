// What a peer's failure is to our own caller.
#pragma once

#include <string_view>

#include "absl/status/status.h"

namespace grpc {
class Status;
}

namespace yikatong::dispatch {

// A refusal with a reason goes on as it is: it is about what our caller asked. Everything else (the
// peer is away, too slow, has too much to do, or refuses us) is PEER_UNAVAILABLE with the peer's
// name; its words stay in our log.
absl::Status FromPeer(std::string_view peer, const grpc::Status& status);

}  // namespace yikatong::dispatch

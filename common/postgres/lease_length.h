// Life signs and time-outs for a lease of another length than the default's 15 s, in proportion.
#pragma once

#include <cstdint>

#include "common/postgres/lease.h"

namespace yikatong::postgres {

// Beats, margin and the time until others take over. All replicas must have the same.
inline WorkerOptions WorkerOptionsFor(std::int64_t lease_ms) {
  WorkerOptions options;
  options.beat_every_ms = static_cast<int>(lease_ms / 15);
  options.dead_after_ms = static_cast<int>(lease_ms);
  options.margin_ms = static_cast<int>(lease_ms * 2 / 15);
  options.forget_after_ms = static_cast<int>(lease_ms * 40);
  return options;
}

// How long a transaction may stand still: shorter than the lease.
inline int IdleInTransactionMs(std::int64_t lease_ms) { return static_cast<int>(lease_ms * 2 / 3); }

}  // namespace yikatong::postgres

// What every book stands on, and the audit entry that goes with each deed.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "common/base/clock.h"
#include "common/base/ids.h"
#include "common/crypto/column_cipher.h"
#include "common/crypto/ed25519.h"
#include "common/identity/caller.h"
#include "common/postgres/database.h"
#include "common/postgres/lease.h"

namespace yikatong::bankgateway {

// Everything referred to must outlive the books.
struct StoreContext {
  postgres::Database& database;
  postgres::WorkerRegistry& workers;
  const base::Clock& clock;
  const base::BusinessClock& today;
  base::IdSource& ids;
  const crypto::ColumnCipher& cipher;            // accounts and the bytes of files
  const crypto::Ed25519PrivateKey& file_signer;  // whose signature banks know
};

struct Deed {
  std::string_view kind;
  std::int32_t district = 0;
  std::string subject;
  std::map<std::string, std::string> details = {};
  std::string request_id = {};
  std::string root = {};  // of a subtree over items
  std::int64_t leaves = 0;
};

// Writes the audit entry of a deed of `caller` (nullptr: of this service by itself) in the deed's
// transaction.
absl::Status Audit(const StoreContext& context, postgres::Transaction& tx,
                   const identity::Caller* caller, const Deed& deed);

// A refusal of a known caller, in a transaction of its own.
absl::Status RecordRefusal(const StoreContext& context, const identity::Caller& caller,
                           std::string_view method, std::string_view reason);

// An array literal of words that hold no quotes, commas or braces.
template <typename Words>
std::string ArrayLiteral(const Words& words) {
  std::string out = "{";
  for (const auto& word : words) {
    if (out.size() > 1) out += ',';
    out += '"';
    out += word;
    out += '"';
  }
  return out + "}";
}

}  // namespace yikatong::bankgateway

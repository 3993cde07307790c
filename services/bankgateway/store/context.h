// What every book stands on, and the audit entry that goes with each deed.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/base/ids.h"
#include "common/calendar/calendar.h"
#include "common/crypto/column_cipher.h"
#include "common/crypto/ed25519.h"
#include "common/identity/caller.h"
#include "common/postgres/database.h"
#include "common/postgres/lease.h"
#include "services/bankgateway/domain/cases.h"

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
  CaseTerms terms = {};
  calendar::Calendar calendar = calendar::Calendar::BuiltIn();
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

// Takes the id of a mutation; true where it was done before with this content, REQUEST_ID_REUSED
// with other content.
absl::StatusOr<bool> DoneBefore(postgres::Transaction& tx, const std::string& request_id,
                                std::initializer_list<std::string_view> content);

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

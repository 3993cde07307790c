// The checks of a row, when it arrives: what stands in it, who it is about, how much it may be.
// Pure, and the same for every replica.
//
//   YKT_ASSIGN_OR_RETURN(const Roster roster, Roster::Of(batch, rule, today));
//   ChunkDraft draft = ReadRows(roster, chunk, rows);        // CHUNK_INVALID for a chunk that is
//   none people = registry.Resolve(draft.lookups);                // one call JudgeRows(roster,
//   rows, people, draft);                  // what may become an item, and what is refused
//
// What is refused has a stable reason and a detail that helps to mend it; no detail holds an ID
// number or a name.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "common/base/period.h"
#include "common/policy/rule.h"
#include "services/dispatch/domain/batch.h"
#include "services/dispatch/domain/claims.h"
#include "services/dispatch/domain/ports.h"

namespace yikatong::dispatch {

inline constexpr std::size_t kMaxChunkRows = 2'000;
inline constexpr std::int64_t kMaxBatchRows = 5'000'000;

// One row as it was collected. Borrows its text.
struct RosterRow {
  std::int64_t row = 0;  // from 1
  std::string_view id_no;
  std::string_view name;
  std::string_view payee_id_no;  // empty: the beneficiary
  std::string_view payee_name;
  std::int64_t amount_fen = 0;
  std::int64_t quantity = 0;
  std::int32_t members = 0;
  std::int64_t income_fen = 0;
  std::int64_t bill_fen = 0;
  std::string_view tier;
  std::string_view object_id;
};

struct Rejection {
  std::int64_t row = 0;
  std::string reason;
  std::string detail;
  std::int64_t amount_fen = 0;
};

// A row that may become an item, with what it claims.
struct Candidate {
  std::int64_t row = 0;
  std::int64_t item_id = 0;
  std::int64_t person_id = 0;
  std::int64_t payee_id = 0;
  std::int64_t village = 0;
  std::int64_t amount_fen = 0;
  std::string masked_name;
};

// What a batch asks of each of its rows. Immutable; copy by shared pointer.
struct Roster {
  BatchRow batch;
  policy::PolicyRule rule;
  base::Period period = base::Period::Life();
  absl::CivilDay collected_on;

  struct Scope {
    std::string name;
    policy::KeyKind kind = policy::KeyKind::kPerson;
    std::vector<std::string> slots;
    std::string other_policy;  // of an edge
  };
  Scope own;
  std::vector<Scope> edges;
  std::int64_t edge_owner = 0;

  // Whether the registry must be asked for heads of household.
  bool PaysHeads() const { return rule.payee_rule == policy::PayeeRule::kHeadOfHousehold; }

  // INVARIANT_BROKEN for a batch whose period or rule cannot be.
  static absl::StatusOr<Roster> Of(BatchRow batch, policy::PolicyRule rule,
                                   absl::CivilDay collected_on);
};

// One chunk on its way in.
struct ChunkDraft {
  std::int32_t chunk = 0;
  std::string content_hash;
  std::int64_t first_row = 0;
  std::int64_t last_row = 0;
  std::int64_t rows_fen = 0;  // of all rows, as they were sent; clamped to 64 bits

  std::vector<PersonLookup> lookups;
  // For each row: the look-up of its beneficiary and its payee, or −1 where it was refused or has
  // no payee of its own.
  std::vector<std::int32_t> beneficiary_of;
  std::vector<std::int32_t> payee_of;

  std::vector<Rejection> rejections;
  std::vector<Candidate> candidates;  // by row
  std::vector<Claimant> claimants;    // one for each candidate
};

// What an upload is answered, and what stands in the database for it.
struct ChunkAnswer {
  std::int32_t chunk = 0;
  std::int32_t accepted = 0;
  std::int64_t accepted_fen = 0;
  std::vector<Rejection> rejections;
};

// Reads what stands in the rows themselves. CHUNK_INVALID, with the fault in the metadata, unless
// there are 1 to 2000 rows with consecutive ascending numbers from 1, and a chunk number from 1.
absl::StatusOr<ChunkDraft> ReadRows(const Roster& roster, std::int32_t chunk,
                                    std::string content_hash, std::span<const RosterRow> rows);

// Judges the rows that ReadRows let through. INVARIANT_BROKEN where `people` does not answer the
// look-ups.
absl::Status JudgeRows(const Roster& roster, std::span<const RosterRow> rows,
                       std::span<const ResolvedPerson> people, ChunkDraft& draft);

// The masked name under which an item is public. A child under fourteen is never named: the line
// names the guardian's masked name where the row has one.
std::string PublicName(std::string_view name, std::string_view payee_name, int age);

}  // namespace yikatong::dispatch

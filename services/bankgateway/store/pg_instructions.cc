#include "services/bankgateway/store/pg_instructions.h"

#include "common/crypto/merkle.h"
#include "common/crypto/sha256.h"
#include "common/postgres/bulk.h"
#include "common/status/status.h"
#include "services/bankgateway/domain/chunk.h"
#include "services/bankgateway/sql/queries.h"
#include "services/bankgateway/store/pg_directory.h"

namespace yikatong::bankgateway {
namespace {

using postgres::Row;
using postgres::Rows;
using postgres::Transaction;
using status::Reason;

absl::StatusOr<std::optional<int>> Find(Transaction& tx, const Chunk& chunk,
                                        const crypto::Digest& hash) {
  YKT_ASSIGN_OR_RETURN(const Rows rows, tx.Run(sql::kSubmissionFind, chunk.request_id));
  if (rows.empty()) return std::optional<int>();
  if (rows[0].Bytes(0) != crypto::BytesOf(hash)) return status::Refuse(Reason::kRequestIdReused);
  return std::optional<int>(rows[0].Int(1));
}

absl::Status CopyInstructions(Transaction& tx, const Chunk& chunk, std::int64_t submission_id) {
  YKT_ASSIGN_OR_RETURN(postgres::BinaryCopy copy,
                       postgres::BinaryCopy::Start(tx, sql::kInstructionCopy, 8));
  for (std::size_t i = 0; i < chunk.rows.size(); ++i) {
    const InstructionRow& row = chunk.rows[i];
    copy.Int32(chunk.district);
    copy.Int64(row.reference);
    copy.Int64(submission_id);
    copy.Int64(row.person_id);
    copy.Int64(row.account_version);
    copy.Int64(row.amount_fen);
    copy.Text(row.bank_code);
    copy.Int16(static_cast<std::int16_t>(LastFour(chunk.accounts[i].number)));
    YKT_RETURN_IF_ERROR(copy.EndRow());
  }
  return copy.Finish().status();
}

// An item is not paid again while an earlier attempt is paid: not even where dispatch has not heard
// yet that two persons decided so.
absl::Status CheckEarlierAttempts(Transaction& tx, const Chunk& chunk) {
  std::vector<std::int64_t> again;
  for (const InstructionRow& row : chunk.rows) {
    if (row.reference % 100 > 1) again.push_back(row.reference);
  }
  if (again.empty()) return absl::OkStatus();
  YKT_RETURN_IF_ERROR(tx.Run(sql::kBankHold).status());
  postgres::Columns columns;
  columns.Scalar(chunk.district).Int64s(again);
  YKT_ASSIGN_OR_RETURN(const Rows rows, tx.RunColumns(sql::kInstructionPaidBefore, columns));
  if (rows.empty()) return absl::OkStatus();
  return status::Refuse(Reason::kEarlierAttemptPaid, "",
                        {{"reference", std::to_string(rows[0].Int64(0))}});
}

}  // namespace

crypto::ColumnPlace AccountsPlace(std::string_view request_id) {
  return {"submission", "accounts", request_id};
}

absl::StatusOr<std::optional<int>> PgInstructionBook::FindChunk(const Chunk& chunk) {
  const crypto::Digest hash = ContentHash(chunk);
  std::optional<int> rows;
  YKT_RETURN_IF_ERROR(context_.database.Read("find_chunk", [&](Transaction& tx) -> absl::Status {
    YKT_ASSIGN_OR_RETURN(rows, Find(tx, chunk, hash));
    return absl::OkStatus();
  }));
  return rows;
}

absl::Status PgInstructionBook::StoreChunk(const identity::Caller& caller, const Chunk& chunk) {
  const crypto::Digest hash = ContentHash(chunk);
  const std::string accounts =
      context_.cipher.Encrypt(AccountsPlace(chunk.request_id), EncodePayments(chunk));
  std::vector<std::int64_t> references;
  references.reserve(chunk.rows.size());
  std::int64_t total_fen = 0;
  crypto::MerkleAccumulator leaves;
  for (const InstructionRow& row : chunk.rows) {
    references.push_back(row.reference);
    total_fen += row.amount_fen;
    leaves.Add(
        crypto::LeafHash(std::to_string(row.reference) + "|" + std::to_string(row.amount_fen)));
  }
  absl::Status stored =
      context_.database.Transact("store_chunk", [&](Transaction& tx) -> absl::Status {
        YKT_ASSIGN_OR_RETURN(const Rows agreements,
                             tx.Run(sql::kAgreementGet, chunk.agreement_no, true, "{}"));
        if (agreements.empty()) return status::Refuse(Reason::kAgreementUnknown);
        const Agreement agreement = AgreementOf(agreements[0]);
        YKT_RETURN_IF_ERROR(CheckAgreement(agreement, chunk, context_.today.Today()));
        postgres::Columns columns;
        columns.Scalar(chunk.request_id)
            .Scalar(postgres::Bytes{crypto::BytesOf(hash)})
            .Scalar(chunk.district)
            .Scalar(chunk.agreement_no)
            .Scalar(agreement.bank_code)
            .Scalar(chunk.summary)
            .Scalar(static_cast<std::int64_t>(chunk.rows.size()))
            .Scalar(total_fen)
            .Int64s(references)
            .Lone()
            .Scalar(postgres::Bytes{accounts});
        YKT_ASSIGN_OR_RETURN(const Rows rows, tx.RunColumns(sql::kSubmissionInsert, columns));
        if (rows.empty()) {
          // Another call with this id was faster: its answer is ours.
          YKT_ASSIGN_OR_RETURN(const std::optional<int> before, Find(tx, chunk, hash));
          YKT_INVARIANT(before.has_value(), "a submission that is taken is not there");
          return absl::OkStatus();
        }
        YKT_RETURN_IF_ERROR(CheckEarlierAttempts(tx, chunk));
        YKT_RETURN_IF_ERROR(CopyInstructions(tx, chunk, rows[0].Int64(0)));
        return Audit(context_, tx, &caller,
                     {.kind = "instructions.accepted",
                      .district = chunk.district,
                      .subject = "agreements/" + chunk.agreement_no,
                      .details = {{"rows", std::to_string(chunk.rows.size())},
                                  {"total_fen", std::to_string(total_fen)}},
                      .request_id = chunk.request_id,
                      .root = crypto::StringOf(leaves.Root()),
                      .leaves = static_cast<std::int64_t>(chunk.rows.size())});
      });
  if (status::ReasonOf(stored) == Reason::kDuplicateKey &&
      postgres::ConstraintOf(stored).starts_with("instruction")) {
    return status::Refuse(Reason::kReferenceReused);
  }
  return stored;
}

absl::StatusOr<Instruction> PgInstructionBook::Get(const identity::Scope& scope,
                                                   std::int64_t reference) {
  Instruction instruction;
  YKT_RETURN_IF_ERROR(
      context_.database.Read("get_instruction", [&](Transaction& tx) -> absl::Status {
        instruction = {};
        const std::int32_t district = DistrictOfReference(reference);
        YKT_ASSIGN_OR_RETURN(const Rows rows, tx.Run(sql::kInstructionGet, district, reference,
                                                     scope.all_districts, scope.districts));
        if (rows.empty()) return status::Refuse(Reason::kNotFound);
        const Row row = rows[0];
        instruction.reference = reference;
        instruction.district = row.Int(0);
        instruction.agreement_no = row.Text(1);
        instruction.amount_fen = row.Int64(2);
        instruction.file_id = row.Text(3);
        if (row.Int(4) <= static_cast<int>(FileState::kPacked)) {
          Agreement agreement;
          agreement.valid_from = row.Date(5);
          agreement.valid_to = row.Date(6);
          agreement.suspended = row.Bool(7);
          agreement.bank_suspended = row.Bool(8);
          instruction.waiting_reason = NotUsable(agreement, context_.today.Today());
        }
        YKT_ASSIGN_OR_RETURN(const Rows outcomes,
                             tx.Run(sql::kInstructionOutcomes, district, reference));
        for (const Row one : outcomes) {
          instruction.outcomes.push_back({reference, one.Int(0),
                                          static_cast<OutcomeState>(one.Int(1)), one.Text(2),
                                          one.MaybeDate(3), one.Int64(4)});
        }
        return absl::OkStatus();
      }));
  return instruction;
}

}  // namespace yikatong::bankgateway

#include "services/bankgateway/store/pg_directory.h"

#include <algorithm>

#include "common/base/dates.h"
#include "common/status/status.h"
#include "services/bankgateway/domain/cases.h"
#include "services/bankgateway/sql/queries.h"

namespace yikatong::bankgateway {
namespace {

using postgres::Row;
using postgres::Rows;
using postgres::Transaction;
using status::Reason;

Bank BankOf(const Row& row) {
  return {row.Text(0), row.Text(1), row.Text(2), row.Bool(3), row.Bool(4), row.Text(5)};
}

std::string_view Word(bool value) { return value ? "true" : "false"; }

absl::StatusOr<Bank> ReadBank(Transaction& tx, const std::string& bank_code) {
  YKT_ASSIGN_OR_RETURN(const Rows rows, tx.Run(sql::kBankGet, bank_code));
  if (rows.empty()) return status::Refuse(Reason::kBankNotRegistered);
  return BankOf(rows[0]);
}

absl::StatusOr<Agreement> ReadAgreement(Transaction& tx, const identity::Scope& scope,
                                        const std::string& agreement_no) {
  YKT_ASSIGN_OR_RETURN(const Rows rows, tx.Run(sql::kAgreementGet, agreement_no,
                                               scope.all_districts, scope.districts));
  if (rows.empty()) return status::Refuse(Reason::kAgreementUnknown);
  return AgreementOf(rows[0]);
}

}  // namespace

Agreement AgreementOf(const Row& row) {
  Agreement agreement;
  agreement.agreement_no = row.Text(0);
  agreement.district = row.Int(1);
  agreement.department_id = row.Text(2);
  agreement.bank_code = row.Text(3);
  agreement.valid_from = row.Date(4);
  agreement.valid_to = row.Date(5);
  agreement.credits_other_banks = row.Bool(6);
  agreement.with_identity = row.Bool(7);
  agreement.bank_notifies = row.Bool(8);
  agreement.refuses_duplicates = row.Bool(9);
  agreement.suspended = row.Bool(10);
  agreement.bank_suspended = row.Bool(11);
  return agreement;
}

absl::StatusOr<Bank> PgDirectory::CreateBank(const identity::Caller& caller,
                                             const std::string& request_id, const Bank& bank) {
  Bank made;
  YKT_RETURN_IF_ERROR(
      context_.database.Transact("create_bank", [&](Transaction& tx) -> absl::Status {
        YKT_ASSIGN_OR_RETURN(const bool before,
                             DoneBefore(tx, request_id,
                                        {"CreateBank", bank.bank_code, bank.name, bank.address,
                                         bank.tls_name, Word(bank.card_partner)}));
        if (!before) {
          YKT_ASSIGN_OR_RETURN(const Rows rows,
                               tx.Run(sql::kBankInsert, bank.bank_code, bank.name, bank.address,
                                      bank.tls_name, bank.card_partner));
          if (rows.affected() == 0) return status::Refuse(Reason::kAlreadyExists);
          YKT_RETURN_IF_ERROR(Audit(context_, tx, &caller,
                                    {.kind = "bank.created",
                                     .district = identity::kWholeCity,
                                     .subject = "banks/" + bank.bank_code,
                                     .request_id = request_id}));
        }
        YKT_ASSIGN_OR_RETURN(made, ReadBank(tx, bank.bank_code));
        return absl::OkStatus();
      }));
  return made;
}

absl::StatusOr<Bank> PgDirectory::SetBankState(const identity::Caller& caller,
                                               const std::string& request_id,
                                               const std::string& bank_code, bool suspended,
                                               const std::string& reason) {
  Bank changed;
  YKT_RETURN_IF_ERROR(
      context_.database.Transact("set_bank_state", [&](Transaction& tx) -> absl::Status {
        YKT_ASSIGN_OR_RETURN(
            const bool before,
            DoneBefore(tx, request_id, {"SetBankState", bank_code, Word(suspended), reason}));
        if (!before) {
          YKT_ASSIGN_OR_RETURN(const Rows rows,
                               tx.Run(sql::kBankSetState, bank_code, suspended, reason));
          if (rows.affected() == 0) return status::Refuse(Reason::kBankNotRegistered);
          YKT_RETURN_IF_ERROR(Audit(context_, tx, &caller,
                                    {.kind = suspended ? "bank.suspended" : "bank.resumed",
                                     .district = identity::kWholeCity,
                                     .subject = "banks/" + bank_code,
                                     .request_id = request_id}));
        }
        YKT_ASSIGN_OR_RETURN(changed, ReadBank(tx, bank_code));
        return absl::OkStatus();
      }));
  return changed;
}

absl::StatusOr<Bank> PgDirectory::SetBankAddress(
    const identity::Caller& caller, const std::string& request_id, const std::string& bank_code,
    const std::string& address, const std::string& tls_name, const std::string& reason) {
  Bank changed;
  YKT_RETURN_IF_ERROR(
      context_.database.Transact("set_bank_address", [&](Transaction& tx) -> absl::Status {
        YKT_ASSIGN_OR_RETURN(
            const bool before,
            DoneBefore(tx, request_id, {"SetBankAddress", bank_code, address, tls_name, reason}));
        if (!before) {
          YKT_ASSIGN_OR_RETURN(const Bank old, ReadBank(tx, bank_code));
          YKT_RETURN_IF_ERROR(tx.Run(sql::kBankSetAddress, bank_code, address, tls_name).status());
          YKT_RETURN_IF_ERROR(Audit(context_, tx, &caller,
                                    {.kind = "bank.moved",
                                     .district = identity::kWholeCity,
                                     .subject = "banks/" + bank_code,
                                     .details = {{"from", old.address},
                                                 {"to", address},
                                                 {"tls_name", tls_name},
                                                 {"reason", reason}},
                                     .request_id = request_id}));
        }
        YKT_ASSIGN_OR_RETURN(changed, ReadBank(tx, bank_code));
        return absl::OkStatus();
      }));
  return changed;
}

absl::StatusOr<std::vector<Bank>> PgDirectory::ListBanks(const std::string& after, int count) {
  std::vector<Bank> banks;
  YKT_RETURN_IF_ERROR(context_.database.Read("list_banks", [&](Transaction& tx) -> absl::Status {
    banks.clear();
    YKT_ASSIGN_OR_RETURN(const Rows rows, tx.Run(sql::kBankList, after, count));
    for (const Row row : rows) banks.push_back(BankOf(row));
    return absl::OkStatus();
  }));
  return banks;
}

absl::StatusOr<Agreement> PgDirectory::CreateAgreement(const identity::Caller& caller,
                                                       const std::string& request_id,
                                                       const Agreement& a) {
  Agreement made;
  YKT_RETURN_IF_ERROR(
      context_.database.Transact("create_agreement", [&](Transaction& tx) -> absl::Status {
        YKT_ASSIGN_OR_RETURN(
            const bool before,
            DoneBefore(tx, request_id,
                       {"CreateAgreement", a.agreement_no, std::to_string(a.district),
                        a.department_id, a.bank_code, base::FormatDate(a.valid_from),
                        base::FormatDate(a.valid_to), Word(a.credits_other_banks),
                        Word(a.with_identity), Word(a.bank_notifies), Word(a.refuses_duplicates)}));
        if (!before) {
          YKT_RETURN_IF_ERROR(ReadBank(tx, a.bank_code).status());
          YKT_ASSIGN_OR_RETURN(
              const Rows rows,
              tx.Run(sql::kAgreementInsert, a.agreement_no, a.district, a.department_id,
                     a.bank_code, a.valid_from, a.valid_to, a.credits_other_banks, a.with_identity,
                     a.bank_notifies, a.refuses_duplicates));
          if (rows.affected() == 0) return status::Refuse(Reason::kAlreadyExists);
          YKT_RETURN_IF_ERROR(Audit(context_, tx, &caller,
                                    {.kind = "agreement.created",
                                     .district = a.district,
                                     .subject = "agreements/" + a.agreement_no,
                                     .details = {{"bank", a.bank_code},
                                                 {"valid_from", base::FormatDate(a.valid_from)},
                                                 {"valid_to", base::FormatDate(a.valid_to)}},
                                     .request_id = request_id}));
        }
        YKT_ASSIGN_OR_RETURN(made, ReadAgreement(tx, {.all_districts = true}, a.agreement_no));
        return absl::OkStatus();
      }));
  return made;
}

absl::StatusOr<Agreement> PgDirectory::SetAgreementState(const identity::Caller& caller,
                                                         const std::string& request_id,
                                                         const std::string& agreement_no,
                                                         bool suspended,
                                                         const std::string& reason) {
  Agreement changed;
  YKT_RETURN_IF_ERROR(
      context_.database.Transact("set_agreement_state", [&](Transaction& tx) -> absl::Status {
        YKT_ASSIGN_OR_RETURN(changed, ReadAgreement(tx, identity::ScopeOf(caller), agreement_no));
        YKT_ASSIGN_OR_RETURN(const bool before, DoneBefore(tx, request_id,
                                                           {"SetAgreementState", agreement_no,
                                                            Word(suspended), reason}));
        if (!before) {
          YKT_RETURN_IF_ERROR(
              tx.Run(sql::kAgreementSetState, agreement_no, suspended, reason).status());
          YKT_RETURN_IF_ERROR(
              Audit(context_, tx, &caller,
                    {.kind = suspended ? "agreement.suspended" : "agreement.resumed",
                     .district = changed.district,
                     .subject = "agreements/" + agreement_no,
                     .request_id = request_id}));
        }
        YKT_ASSIGN_OR_RETURN(changed, ReadAgreement(tx, {.all_districts = true}, agreement_no));
        return absl::OkStatus();
      }));
  return changed;
}

absl::StatusOr<std::vector<Agreement>> PgDirectory::ListAgreements(const identity::Scope& scope,
                                                                   std::int32_t district,
                                                                   const std::string& after,
                                                                   int count) {
  std::vector<Agreement> agreements;
  YKT_RETURN_IF_ERROR(
      context_.database.Read("list_agreements", [&](Transaction& tx) -> absl::Status {
        agreements.clear();
        YKT_ASSIGN_OR_RETURN(const Rows rows, tx.Run(sql::kAgreementList, after, district,
                                                     scope.all_districts, scope.districts, count));
        for (const Row row : rows) agreements.push_back(AgreementOf(row));
        return absl::OkStatus();
      }));
  return agreements;
}

absl::StatusOr<std::vector<Agreement>> PgDirectory::CandidateAgreements(
    std::int32_t district, const std::string& department_id) {
  std::vector<Agreement> agreements;
  YKT_RETURN_IF_ERROR(
      context_.database.Read("resolve_agreements", [&](Transaction& tx) -> absl::Status {
        agreements.clear();
        YKT_ASSIGN_OR_RETURN(const Rows rows,
                             tx.Run(sql::kAgreementResolve, district, department_id));
        for (const Row row : rows) agreements.push_back(AgreementOf(row));
        return absl::OkStatus();
      }));
  return agreements;
}

absl::StatusOr<Statistics> PgDirectory::Count(std::int32_t district) {
  Statistics counts;
  YKT_RETURN_IF_ERROR(context_.database.Read("statistics", [&](Transaction& tx) -> absl::Status {
    YKT_ASSIGN_OR_RETURN(const Rows rows, tx.Run(sql::kStatistics, district));
    const Row row = rows[0];
    counts = {row.Int64(0), row.Int64(1), row.Int64(2), row.Int64(3), row.Int64(4),  row.Int64(5),
              row.Int64(6), row.Int64(7), row.Int64(8), row.Int64(9), row.Int64(10), row.Int64(11)};
    return absl::OkStatus();
  }));
  return counts;
}

absl::StatusOr<std::map<std::string, std::int64_t>> PgDirectory::AwaitedByBank() {
  std::map<std::string, std::int64_t> awaited;
  YKT_RETURN_IF_ERROR(context_.database.Read("bank_awaiting", [&](Transaction& tx) -> absl::Status {
    awaited.clear();
    YKT_ASSIGN_OR_RETURN(const Rows rows, tx.Run(sql::kBankAwaiting));
    for (const Row row : rows) awaited[row.Text(0)] = row.Int64(1);
    return absl::OkStatus();
  }));
  return awaited;
}

absl::StatusOr<QueueAges> PgDirectory::Ages(std::int64_t unknown) {
  QueueAges ages;
  YKT_RETURN_IF_ERROR(context_.database.Read("queue_ages", [&](Transaction& tx) -> absl::Status {
    YKT_ASSIGN_OR_RETURN(const Rows oldest, tx.Run(sql::kQueueAges));
    ages = {oldest[0].Int64(0), oldest[0].Int64(1), oldest[0].Int64(2), {}};
    for (const char* bucket : kAgeBuckets) ages.unknown[bucket] = 0;
    YKT_ASSIGN_OR_RETURN(const Rows told, tx.Run(sql::kUnknownAges, context_.today.Today()));
    std::int64_t late = 0;
    for (const Row row : told) {
      ages.unknown[AgeBucket(row.Int(0))] += row.Int64(1);
      late += row.Int64(1);
    }
    ages.unknown[AgeBucket(0)] += std::max<std::int64_t>(0, unknown - late);
    return absl::OkStatus();
  }));
  return ages;
}

}  // namespace yikatong::bankgateway

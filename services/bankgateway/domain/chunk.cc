#include "services/bankgateway/domain/chunk.h"

#include <charconv>
#include <set>
#include <unordered_set>

#include "common/base/utf8.h"
#include "common/crypto/wire.h"
#include "common/status/status.h"

namespace yikatong::bankgateway {
namespace {

using status::Reason;

constexpr std::int64_t kAttemptsPerItem = 100;
constexpr std::size_t kMaxSummaryCodePoints = 30;

absl::Status BadField(std::string_view field) {
  return status::Refuse(Reason::kFieldInvalid, "", {{"field", std::string(field)}});
}

// A bank's file is text of lines and bars.
bool FitsBankText(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == '|' || c == 0x7f) return false;
  }
  return base::IsUtf8(text);
}

bool ParseId(std::string_view text, std::int64_t& id) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  return error == std::errc() && end == text.data() + text.size() && id > 0;
}

}  // namespace

absl::Status CheckRows(const Chunk& chunk) {
  if (chunk.rows.empty()) return BadField("rows");
  if (chunk.rows.size() > static_cast<std::size_t>(kMaxChunkRows)) {
    return status::Refuse(Reason::kRowLimitExceeded, "",
                          {{"limit", std::to_string(kMaxChunkRows)}});
  }
  const std::optional<std::u32string> summary = base::DecodeUtf8(chunk.summary);
  if (!summary || summary->empty() || summary->size() > kMaxSummaryCodePoints ||
      !FitsBankText(chunk.summary)) {
    return BadField("summary");
  }
  std::unordered_set<std::int64_t> seen;
  seen.reserve(chunk.rows.size());
  for (std::size_t i = 0; i < chunk.rows.size(); ++i) {
    const InstructionRow& row = chunk.rows[i];
    const std::int64_t attempt = row.reference % kAttemptsPerItem;
    if (row.reference <= 0 || row.reference / kAttemptsPerItem != row.item_id || attempt < 1 ||
        DistrictOfReference(row.reference) != chunk.district ||
        !seen.insert(row.reference).second) {
      return status::Refuse(Reason::kReferenceInvalid, "", {{"row", std::to_string(i + 1)}});
    }
    if (row.amount_fen <= 0 || row.amount_fen > kMaxRowFen) {
      return status::Refuse(Reason::kAmountInvalid, "", {{"row", std::to_string(i + 1)}});
    }
  }
  return absl::OkStatus();
}

absl::Status OpenSeal(std::string_view sealed, const crypto::X25519PrivateKey& recipient,
                      const std::vector<crypto::Ed25519PublicKey>& signers, Chunk& chunk) {
  const auto refuse = [](std::string_view why) {
    return status::Refuse(Reason::kSealInvalid, "", {{"why", std::string(why)}});
  };
  absl::StatusOr<crypto::SealedChunk> decoded = crypto::DecodeSealedChunk(sealed);
  if (!decoded.ok()) return refuse("malformed");
  if (decoded->context != chunk.request_id) return refuse("sealed for another chunk");
  if (decoded->rows.size() != chunk.rows.size()) return refuse("other rows");
  absl::StatusOr<std::vector<crypto::SealedAccount>> opened =
      crypto::OpenChunk(*decoded, recipient, signers);
  if (!opened.ok()) return refuse("signature, recipient or content");
  chunk.accounts.clear();
  chunk.accounts.reserve(opened->size());
  for (std::size_t i = 0; i < opened->size(); ++i) {
    const crypto::SealedRowClear& clear = decoded->rows[i].clear;
    crypto::SealedAccount& account = (*opened)[i];
    InstructionRow& row = chunk.rows[i];
    if (clear.item_id != row.item_id) return refuse("other rows");
    if (!ParseId(clear.person_id, row.person_id) || clear.bank_code.size() != 12 ||
        account.account_number.size() < 8 || account.account_name.empty() ||
        !FitsBankText(clear.bank_code) || !FitsBankText(account.account_number) ||
        !FitsBankText(account.account_name)) {
      return refuse("a row is incomplete");
    }
    row.account_version = clear.account_version;
    row.bank_code = clear.bank_code;
    chunk.accounts.push_back({std::move(account.account_number), std::move(account.account_name),
                              std::move(account.id_number), std::move(account.phone)});
  }
  return absl::OkStatus();
}

std::string_view NotUsable(const Agreement& agreement, absl::CivilDay today) {
  if (today < agreement.valid_from || today > agreement.valid_to) {
    return status::ReasonName(Reason::kAgreementExpired);
  }
  if (agreement.suspended) return status::ReasonName(Reason::kAgreementSuspended);
  if (agreement.bank_suspended) return status::ReasonName(Reason::kBankSuspended);
  return {};
}

absl::Status CheckAgreement(const Agreement& agreement, const Chunk& chunk, absl::CivilDay today) {
  if (agreement.district != chunk.district) return status::Refuse(Reason::kAgreementUnknown);
  const std::string_view reason = NotUsable(agreement, today);
  if (!reason.empty()) return status::Refuse(*status::FindReason(reason));
  if (agreement.credits_other_banks) return absl::OkStatus();
  for (std::size_t i = 0; i < chunk.rows.size(); ++i) {
    if (chunk.rows[i].bank_code != agreement.bank_code) {
      return status::Refuse(Reason::kBankNotCovered, "", {{"row", std::to_string(i + 1)}});
    }
  }
  return absl::OkStatus();
}

crypto::Digest ContentHash(const Chunk& chunk) {
  std::string bytes = "yikatong submission v1\n";
  bytes.reserve(64 + 64 * chunk.rows.size());
  crypto::PutNumber(bytes, static_cast<std::uint32_t>(chunk.district));
  crypto::PutField(bytes, chunk.agreement_no);
  crypto::PutField(bytes, chunk.summary);
  for (const InstructionRow& row : chunk.rows) {
    crypto::PutNumber(bytes, static_cast<std::uint64_t>(row.reference));
    crypto::PutNumber(bytes, static_cast<std::uint64_t>(row.amount_fen));
    crypto::PutNumber(bytes, static_cast<std::uint64_t>(row.person_id));
    crypto::PutNumber(bytes, static_cast<std::uint64_t>(row.account_version));
    crypto::PutField(bytes, row.bank_code);
  }
  return crypto::Sha256(bytes);
}

std::string EncodePayments(const Chunk& chunk) {
  std::string bytes;
  bytes.reserve(96 * chunk.rows.size());
  for (std::size_t i = 0; i < chunk.rows.size(); ++i) {
    const PayeeAccount& account = chunk.accounts[i];
    crypto::PutNumber(bytes, static_cast<std::uint64_t>(chunk.rows[i].reference));
    crypto::PutNumber(bytes, static_cast<std::uint64_t>(chunk.rows[i].amount_fen));
    crypto::PutField(bytes, chunk.rows[i].bank_code);
    crypto::PutField(bytes, account.number);
    crypto::PutField(bytes, account.name);
    crypto::PutField(bytes, account.id_number);
    crypto::PutField(bytes, account.phone);
  }
  return bytes;
}

absl::Status DecodePayments(std::string_view bytes,
                            const std::function<absl::Status(const Payment&)>& take) {
  Payment payment;
  while (!bytes.empty()) {
    std::uint64_t reference = 0;
    std::uint64_t amount = 0;
    if (!crypto::TakeNumber(bytes, reference) || !crypto::TakeNumber(bytes, amount) ||
        !crypto::TakeField(bytes, payment.bank_code) ||
        !crypto::TakeField(bytes, payment.account.number) ||
        !crypto::TakeField(bytes, payment.account.name) ||
        !crypto::TakeField(bytes, payment.account.id_number) ||
        !crypto::TakeField(bytes, payment.account.phone)) {
      return absl::DataLossError("the stored payments of a chunk are not whole");
    }
    payment.reference = static_cast<std::int64_t>(reference);
    payment.amount_fen = static_cast<std::int64_t>(amount);
    YKT_RETURN_IF_ERROR(take(payment));
  }
  return absl::OkStatus();
}

int LastFour(std::string_view account_number) {
  int four = 0;
  if (account_number.size() > 4) account_number.remove_prefix(account_number.size() - 4);
  for (const char c : account_number) four = four * 10 + (c >= '0' && c <= '9' ? c - '0' : 0);
  return four;
}

}  // namespace yikatong::bankgateway

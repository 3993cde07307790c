#include "common/crypto/sealed_chunk.h"

#include <fmt/core.h>

#include <utility>

#include "common/crypto/aead.h"
#include "common/crypto/hmac.h"
#include "common/crypto/sha256.h"
#include "common/crypto/wire.h"

namespace yikatong::crypto {
namespace {

constexpr std::string_view kMagic = "YSC1";
constexpr std::string_view kPurpose = "yikatong sealed chunk v1";
constexpr std::size_t kKeyIdBytes = 8;
constexpr std::size_t kWrappedBytes = kAeadKeyBytes + kAeadTagBytes;

std::string FirstBytesOfHash(std::string_view raw_key) {
  const Digest digest = Sha256(raw_key);
  return std::string(BytesOf(digest).substr(0, kKeyIdBytes));
}

// Everything that is known before the data key is wrapped: what the wrapping is bound to.
std::string Header(const SealedChunk& chunk) {
  std::string bytes(kMagic);
  PutField(bytes, chunk.context);
  bytes += chunk.signer_id;
  bytes += chunk.recipient_id;
  bytes += chunk.ephemeral_public_key;
  return bytes;
}

void PutClear(std::string& out, const SealedRowClear& clear) {
  PutNumber(out, static_cast<std::uint64_t>(clear.item_id));
  PutNumber(out, static_cast<std::uint64_t>(clear.account_version));
  PutField(out, clear.person_id);
  PutField(out, clear.bank_code);
}

// All but the signature.
std::string Body(const SealedChunk& chunk) {
  std::string bytes = Header(chunk);
  bytes.reserve(bytes.size() + 160 * chunk.rows.size() + 128);
  bytes += chunk.wrapped_key;
  PutNumber(bytes, static_cast<std::uint32_t>(chunk.rows.size()));
  for (const SealedRow& row : chunk.rows) {
    PutClear(bytes, row.clear);
    PutField(bytes, row.ciphertext);
  }
  return bytes;
}

std::string ToSign(std::string_view body) {
  const Digest digest = Sha256(body);
  std::string message(kPurpose);
  message += '\n';
  message += BytesOf(digest);
  return message;
}

absl::StatusOr<Aead> KeyWrapper(const Secret& shared, std::string_view ephemeral_public_key,
                                std::string_view recipient_public_key) {
  std::string salt(ephemeral_public_key);
  salt += recipient_public_key;
  return Aead::Make(Secret(HkdfSha256(shared.Reveal(), salt, kPurpose, kAeadKeyBytes)));
}

bool Fits(std::string_view field) { return field.size() <= kMaxFieldBytes; }

absl::StatusOr<std::string> PlainRow(const SealedAccount& account) {
  std::string bytes;
  for (const std::string* field : {&account.account_number, &account.account_name,
                                   &account.last_four, &account.id_number, &account.phone}) {
    if (!Fits(*field)) return absl::InvalidArgumentError("a field of a row is too long to seal");
    PutField(bytes, *field);
  }
  if (!Fits(bytes)) return absl::InvalidArgumentError("a row is too long to seal");
  return bytes;
}

bool ParsePlainRow(std::string_view bytes, SealedAccount& account) {
  return TakeField(bytes, account.account_number) && TakeField(bytes, account.account_name) &&
         TakeField(bytes, account.last_four) && TakeField(bytes, account.id_number) &&
         TakeField(bytes, account.phone) && bytes.empty();
}

std::string Associated(const SealedRowClear& clear) {
  std::string bytes;
  PutClear(bytes, clear);
  return bytes;
}

bool TakeRow(std::string_view& in, SealedRow& row) {
  std::uint64_t item_id = 0;
  std::uint64_t account_version = 0;
  if (!TakeNumber(in, item_id) || !TakeNumber(in, account_version)) return false;
  row.clear.item_id = static_cast<std::int64_t>(item_id);
  row.clear.account_version = static_cast<std::int64_t>(account_version);
  return TakeField(in, row.clear.person_id) && TakeField(in, row.clear.bank_code) &&
         TakeField(in, row.ciphertext);
}

}  // namespace

std::string KeyId(const Ed25519PublicKey& key) { return FirstBytesOfHash(key.Raw()); }
std::string KeyId(const X25519PublicKey& key) { return FirstBytesOfHash(key.Raw()); }

absl::StatusOr<SealedChunk> SealChunk(std::string_view context, const std::vector<RowToSeal>& rows,
                                      const Ed25519PrivateKey& signer,
                                      const X25519PublicKey& recipient, RandomSource& random) {
  if (rows.size() > kMaxSealedRows) {
    return absl::InvalidArgumentError(fmt::format("a chunk has at most {} rows", kMaxSealedRows));
  }
  if (!Fits(context)) return absl::InvalidArgumentError("the context of a chunk is too long");
  const X25519PrivateKey ephemeral = X25519PrivateKey::Generate(random);
  SealedChunk chunk;
  chunk.context = context;
  chunk.signer_id = KeyId(signer.PublicKey());
  chunk.recipient_id = KeyId(recipient);
  chunk.ephemeral_public_key = ephemeral.PublicKey().Raw();

  const absl::StatusOr<Secret> shared = ephemeral.SharedSecret(recipient);
  if (!shared.ok()) return shared.status();
  const absl::StatusOr<Aead> wrapper =
      KeyWrapper(*shared, chunk.ephemeral_public_key, recipient.Raw());
  if (!wrapper.ok()) return wrapper.status();
  const Secret data_key(random.Bytes(kAeadKeyBytes));
  wrapper->Seal(CountingNonce(0), Header(chunk), data_key.Reveal(), chunk.wrapped_key);

  const absl::StatusOr<Aead> aead = Aead::Make(data_key);
  if (!aead.ok()) return aead.status();
  chunk.rows.reserve(rows.size());
  for (const RowToSeal& row : rows) {
    if (!Fits(row.clear.person_id) || !Fits(row.clear.bank_code)) {
      return absl::InvalidArgumentError("a field of a row is too long to seal");
    }
    const absl::StatusOr<std::string> plain = PlainRow(row.account);
    if (!plain.ok()) return plain.status();
    SealedRow& sealed = chunk.rows.emplace_back();
    sealed.clear = row.clear;
    // The data key lives for this chunk only, so the row's place is a nonce that never repeats.
    aead->Seal(CountingNonce(chunk.rows.size()), Associated(row.clear), *plain, sealed.ciphertext);
    if (!Fits(sealed.ciphertext)) return absl::InvalidArgumentError("a row is too long to seal");
  }
  const std::string body = Body(chunk);
  if (body.size() + kEd25519SignatureBytes > kMaxSealedChunkBytes) {
    return absl::InvalidArgumentError("the chunk is too long to seal");
  }
  chunk.signature = signer.Sign(ToSign(body));
  return chunk;
}

std::string EncodeSealedChunk(const SealedChunk& chunk) {
  std::string bytes = Body(chunk);
  bytes += chunk.signature;
  return bytes;
}

absl::StatusOr<SealedChunk> DecodeSealedChunk(std::string_view bytes) {
  const absl::Status malformed = absl::InvalidArgumentError("not a sealed chunk of version 1");
  if (bytes.size() > kMaxSealedChunkBytes) return malformed;
  SealedChunk chunk;
  std::string magic;
  std::uint32_t count = 0;
  if (!TakeBytes(bytes, kMagic.size(), magic) || magic != kMagic ||
      !TakeField(bytes, chunk.context) || !TakeBytes(bytes, kKeyIdBytes, chunk.signer_id) ||
      !TakeBytes(bytes, kKeyIdBytes, chunk.recipient_id) ||
      !TakeBytes(bytes, kX25519KeyBytes, chunk.ephemeral_public_key) ||
      !TakeBytes(bytes, kWrappedBytes, chunk.wrapped_key) || !TakeNumber(bytes, count) ||
      count > kMaxSealedRows) {
    return malformed;
  }
  chunk.rows.resize(count);
  for (SealedRow& row : chunk.rows) {
    if (!TakeRow(bytes, row)) return malformed;
  }
  if (!TakeBytes(bytes, kEd25519SignatureBytes, chunk.signature) || !bytes.empty()) {
    return malformed;
  }
  return chunk;
}

absl::Status VerifyChunk(const SealedChunk& chunk, const std::vector<Ed25519PublicKey>& signers) {
  for (const Ed25519PublicKey& signer : signers) {
    if (KeyId(signer) != chunk.signer_id) continue;
    if (signer.Verify(ToSign(Body(chunk)), chunk.signature)) return absl::OkStatus();
    return absl::PermissionDeniedError("the sealed chunk is not what its signer signed");
  }
  return absl::PermissionDeniedError("the sealed chunk is not signed by anybody who is trusted");
}

absl::StatusOr<std::vector<SealedAccount>> OpenChunk(const SealedChunk& chunk,
                                                     const X25519PrivateKey& recipient,
                                                     const std::vector<Ed25519PublicKey>& signers) {
  if (const absl::Status verified = VerifyChunk(chunk, signers); !verified.ok()) return verified;
  const X25519PublicKey own = recipient.PublicKey();
  if (chunk.recipient_id != KeyId(own)) {
    return absl::FailedPreconditionError("the chunk was sealed for another key");
  }
  const absl::StatusOr<X25519PublicKey> ephemeral =
      X25519PublicKey::FromRaw(chunk.ephemeral_public_key);
  if (!ephemeral.ok()) return absl::DataLossError("the chunk's ephemeral key is malformed");
  const absl::StatusOr<Secret> shared = recipient.SharedSecret(*ephemeral);
  if (!shared.ok()) return absl::DataLossError("the chunk's ephemeral key gives no secret");
  const absl::StatusOr<Aead> wrapper = KeyWrapper(*shared, chunk.ephemeral_public_key, own.Raw());
  if (!wrapper.ok()) return wrapper.status();
  absl::StatusOr<std::string> unwrapped =
      wrapper->Open(CountingNonce(0), Header(chunk), chunk.wrapped_key);
  if (!unwrapped.ok()) return absl::DataLossError("the chunk's data key cannot be unwrapped");
  const absl::StatusOr<Aead> aead = Aead::Make(Secret(*std::move(unwrapped)));
  if (!aead.ok()) return aead.status();

  std::vector<SealedAccount> accounts(chunk.rows.size());
  for (std::size_t i = 0; i < chunk.rows.size(); ++i) {
    const SealedRow& row = chunk.rows[i];
    absl::StatusOr<std::string> opened =
        aead->Open(CountingNonce(i + 1), Associated(row.clear), row.ciphertext);
    if (!opened.ok() || !ParsePlainRow(*opened, accounts[i])) {
      return absl::DataLossError(fmt::format("row {} of the chunk was not sealed there", i + 1));
    }
    const Secret wiped(*std::move(opened));
  }
  return accounts;
}

}  // namespace yikatong::crypto

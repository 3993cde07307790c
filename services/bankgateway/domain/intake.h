// What the gateway is asked: chunks of instructions, banks and agreements. Checks what a caller
// says, opens the seal, decides nothing about who is paid.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/crypto/ed25519.h"
#include "common/crypto/x25519.h"
#include "services/bankgateway/domain/ports.h"

namespace yikatong::bankgateway {

struct SealKeys {
  crypto::X25519PrivateKey recipient;                // ours
  std::vector<crypto::Ed25519PublicKey> registries;  // whose seals are taken
};

struct Resolved {
  std::vector<Agreement> usable;
  std::string reason;  // the most telling one where none is
};

// Thread safe. Everything that it is given must outlive it.
class Intake {
 public:
  Intake(InstructionBook& instructions, Directory& directory, const base::BusinessClock& today,
         SealKeys keys)
      : instructions_(instructions), directory_(directory), today_(today), keys_(std::move(keys)) {}

  // Takes a chunk whole, whose rows have their clear fields but those of the seal. How many rows
  // are durable.
  absl::StatusOr<int> SubmitChunk(const identity::Caller& caller, Chunk chunk,
                                  std::string_view sealed);

  // FIELD_INVALID, BANK_CODE_INVALID, BANK_NOT_PARTNER, ALREADY_EXISTS.
  absl::StatusOr<Bank> CreateBank(const identity::Caller& caller, const std::string& request_id,
                                  const Bank& bank);
  // FIELD_INVALID, BANK_NOT_REGISTERED.
  absl::StatusOr<Bank> SetBankAddress(const identity::Caller& caller, const std::string& request_id,
                                      const std::string& bank_code, const std::string& address,
                                      const std::string& tls_name, const std::string& reason);
  // FIELD_INVALID, PERIOD_INVALID, BANK_NOT_REGISTERED, ALREADY_EXISTS, PERMISSION_DENIED for
  // another district.
  absl::StatusOr<Agreement> CreateAgreement(const identity::Caller& caller,
                                            const std::string& request_id,
                                            const Agreement& agreement);
  absl::StatusOr<Resolved> Resolve(std::int32_t district, const std::string& department_id,
                                   absl::CivilDay day);
  absl::CivilDay Today() const { return today_.Today(); }

 private:
  InstructionBook& instructions_;
  Directory& directory_;
  const base::BusinessClock& today_;
  const SealKeys keys_;
};

}  // namespace yikatong::bankgateway

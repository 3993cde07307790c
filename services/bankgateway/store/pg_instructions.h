// Chunks of instructions over PostgreSQL. See domain/ports.h.
#pragma once

#include "services/bankgateway/domain/ports.h"
#include "services/bankgateway/store/context.h"

namespace yikatong::bankgateway {

class PgInstructionBook final : public InstructionBook {
 public:
  explicit PgInstructionBook(const StoreContext& context) : context_(context) {}

  absl::StatusOr<std::optional<int>> FindChunk(const Chunk& chunk) override;
  absl::Status StoreChunk(const identity::Caller& caller, const Chunk& chunk) override;
  absl::StatusOr<Instruction> Get(const identity::Scope& scope, std::int64_t reference) override;

 private:
  const StoreContext& context_;
};

// Where the accounts of a submission stand, for the column cipher.
crypto::ColumnPlace AccountsPlace(std::string_view request_id);

}  // namespace yikatong::bankgateway

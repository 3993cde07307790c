// Writing a file of payments in the form of proto/yikatong/bank/v1/agent_bank.proto, part by part.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/civil_time.h"
#include "common/crypto/sha256.h"
#include "services/bankgateway/domain/chunk.h"

namespace yikatong::bankgateway {

struct FileHeader {
  std::string file_id;
  std::string agreement_no;
  absl::CivilDay business_date;
  std::int64_t rows = 0;
  std::int64_t total_fen = 0;
};

// `120105-20260302-1-0000001`: district, day, restore epoch, number.
std::string MakeFileId(std::int32_t district, absl::CivilDay day, std::int64_t epoch,
                       std::int64_t number);

// Holds one part at a time. Not thread safe.
class BankFileWriter {
 public:
  // `sink` gets each part, in order, none above kMaxPartBytes.
  using Sink = std::function<absl::Status(std::int32_t part, std::string_view bytes)>;
  BankFileWriter(const FileHeader& header, Sink sink);

  absl::Status Add(const Payment& payment, std::string_view summary);
  // INVARIANT_BROKEN where the rows were not those of the header.
  absl::Status Finish();

  // After Finish.
  std::int64_t byte_size() const { return byte_size_; }
  std::int32_t parts() const { return parts_; }
  const crypto::Digest& sha256() const { return digest_; }

 private:
  absl::Status Flush();

  const FileHeader header_;
  const Sink sink_;
  std::string buffer_;
  crypto::Sha256Hasher hasher_;
  crypto::Digest digest_{};
  std::int64_t rows_ = 0;
  std::int64_t total_fen_ = 0;
  std::int64_t byte_size_ = 0;
  std::int32_t parts_ = 0;
};

}  // namespace yikatong::bankgateway

// Archive packages as files: a tar (ustar) that holds one bag, as common/archive/manifest.h says.
// Written from a stream and read as one, so that memory does not grow with the package.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "common/archive/manifest.h"

namespace yikatong::yktctl {

// Writes one package. The file has its name only once it is whole: until Finish it is `path`.part,
// and is taken away again where Finish never came. The same package gives the same bytes, its proof
// apart.
class BagWriter {
 public:
  // FIELD_INVALID where the file cannot be written, here and in every method.
  static absl::StatusOr<std::unique_ptr<BagWriter>> Create(const std::string& path,
                                                           std::string_view folder,
                                                           absl::CivilDay day);
  ~BagWriter();
  BagWriter(const BagWriter&) = delete;
  BagWriter& operator=(const BagWriter&) = delete;

  // One file of the bag; its bytes follow by Append, exactly as many as were announced.
  absl::Status Begin(std::string_view path, std::int64_t byte_size);
  absl::Status Append(std::string_view bytes);
  absl::Status Add(std::string_view path, std::string_view bytes);
  absl::Status Finish();

 private:
  BagWriter(std::string path, std::string folder, absl::CivilDay day);
  absl::Status Failed() const;
  absl::Status CheckWhole() const;

  const std::string path_;
  const std::string folder_;
  const std::int64_t mtime_;
  void* archive_;             // libarchive's writer
  std::int64_t missing_ = 0;  // bytes of the file that was begun last
  bool finished_ = false;
};

// A package that holds together.
struct Bag {
  archive::Manifest manifest;
  std::string manifest_text;
  std::string proof;  // audit.tlog-proof; empty where there is none
};

// Reads a package: every file has the hash of the list, the list and the counts are those of the
// manifest, nothing is missing and nothing is there besides. ARCHIVE_ALTERED, with the file and
// what is wrong; FIELD_INVALID where it cannot be read. It says nothing of who made it: that is the
// log's to say.
absl::StatusOr<Bag> ReadBag(const std::string& path);

}  // namespace yikatong::yktctl

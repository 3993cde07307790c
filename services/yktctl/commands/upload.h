// Sends a file's rows by a stream of chunks that are acknowledged one by one. After a broken stream
// the same command goes on: chunks that were acknowledged before get their first answer again.
#pragma once

#include <grpcpp/client_context.h>
#include <grpcpp/support/sync_stream.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "services/yktctl/output.h"
#include "services/yktctl/session.h"

namespace yikatong::yktctl {

inline constexpr int kRowsAChunk = 2'000;
inline constexpr std::size_t kBytesAChunk = 900'000;
inline constexpr int kChunksOnTheWay = 4;  // memory does not grow with the file

// One refused row, as both services report it.
struct Refused {
  std::int64_t row = 0;
  std::string reason;
  std::string detail;
};

struct Uploaded {
  std::int64_t chunks = 0;
  std::int64_t accepted = 0;
  std::vector<Refused> refused;
};

// `next` fills the next chunk and says whether there was one. `answered` takes one acknowledgement.
template <typename Request, typename Response>
absl::Status UploadChunks(grpc::ClientReaderWriter<Request, Response>& stream,
                          const std::function<absl::StatusOr<bool>(Request&)>& next,
                          const std::function<void(const Response&)>& answered) {
  std::mutex mutex;
  std::condition_variable changed;
  int on_the_way = 0;
  bool closed = false;
  std::thread reader([&] {
    Response response;
    while (stream.Read(&response)) {
      const std::lock_guard lock(mutex);
      answered(response);
      --on_the_way;
      changed.notify_one();
    }
    const std::lock_guard lock(mutex);
    closed = true;
    changed.notify_one();
  });
  absl::Status local;
  while (true) {
    Request request;
    absl::StatusOr<bool> more = next(request);
    if (!more.ok()) local = more.status();
    if (!more.ok() || !*more) break;
    {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return on_the_way < kChunksOnTheWay || closed; });
      if (closed) break;
      ++on_the_way;
    }
    if (!stream.Write(request)) break;
  }
  stream.WritesDone();
  reader.join();
  const absl::Status remote = rpc::FromGrpc(stream.Finish());
  return local.ok() ? remote : local;
}

// Prints what an upload did; the exit code says whether rows were refused.
int PrintUploaded(Session& session, const Uploaded& uploaded, std::size_t most_shown = 20);

}  // namespace yikatong::yktctl

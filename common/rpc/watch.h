// Watch… methods: server streams that tell progress and hold no thread and no connection.
//
// A hub keeps the watchers of a process, by key ("batch/<id>"). One thread of the service asks the
// record in turn (or is woken through Redis) and calls PollOnce; each watcher is sent the newest
// state that it was not sent yet. States between are dropped, so a slow reader costs the memory of
// one message.
//
//   // A sync service, but for the watch:
//   class BatchRpc
//       : public pb::BatchService::WithCallbackMethod_WatchBatch<pb::BatchService::Service> {
//     grpc::ServerWriteReactor<pb::BatchProgress>* WatchBatch(
//         grpc::CallbackServerContext* context, const pb::WatchBatchRequest* request) override {
//       return hub_.Watch(guard_, *context, kWatchBatch, request->name());
//     }
//     rpc::WatchHub<pb::BatchProgress> hub_;
//   };
//
//   // The poller, a few times a second:
//   hub.PollOnce(
//       [&](const std::string& key, const identity::Caller& who) { return MaySee(key, who); },
//       [&](const std::string& key) -> absl::StatusOr<Hub::State> { … {progress, is_last} … });
//
//   // Before Server::Drain:
//   hub.Close();
//
// This header includes grpcpp: include it only where a service class is written.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/identity/caller.h"
#include "common/rpc/call.h"
#include "common/rpc/wire_status.h"

namespace yikatong::rpc {

// Thread safe. Must outlive the server that serves its watchers.
template <typename Response>
class WatchHub {
 public:
  struct State {
    Response response;
    bool last = false;  // the watched thing reached its end: sent, then the stream closes with OK
  };
  // May this caller see this key? Asked once for each new watcher, on the poller's thread; a status
  // that is not OK ends the watcher.
  using Admit = std::function<absl::Status(const std::string& key, const identity::Caller& caller)>;
  // The state of a key now. UNAVAILABLE leaves its watchers waiting for the next poll; any other
  // error ends them.
  using Read = std::function<absl::StatusOr<State>(const std::string& key)>;

  explicit WatchHub(size_t max_watchers = 256) : max_watchers_(max_watchers) {}

  // The body of the callback method. Never blocks; refuses with what Guard::Admit says, or with
  // OVERLOADED above `max_watchers`, or UNAVAILABLE after Close.
  grpc::ServerWriteReactor<Response>* Watch(const Guard& guard,
                                            const grpc::CallbackServerContext& context,
                                            std::string_view method, std::string key);

  // The same for a caller whom somebody else admitted to the method.
  grpc::ServerWriteReactor<Response>* Attach(identity::Caller caller, std::string key);

  // Admits new watchers, reads each watched key once, sends what changed. From one thread.
  void PollOnce(const Admit& admit, const Read& read);

  // Ends all watchers with UNAVAILABLE, and every later one at once.
  void Close();

  size_t size() const {
    std::lock_guard lock(mutex_);
    return watchers_.size();
  }

 private:
  class Watcher;

  void Forget(Watcher* watcher) {
    std::lock_guard lock(mutex_);
    watchers_.erase(watcher);
  }

  const size_t max_watchers_;
  mutable std::mutex mutex_;
  bool closed_ = false;
  std::set<Watcher*> watchers_;  // each owns itself, and leaves in OnDone
};

// One stream. Its own lock orders offers of the poller against reactions of gRPC; gRPC never calls
// a reaction from within StartWrite or Finish.
template <typename Response>
class WatchHub<Response>::Watcher final : public grpc::ServerWriteReactor<Response> {
 public:
  Watcher(WatchHub* hub, std::string key, identity::Caller caller)
      : hub_(hub), key_(std::move(key)), caller_(std::move(caller)) {}

  const std::string& key() const { return key_; }
  const identity::Caller& caller() const { return caller_; }

  bool admitted = false;  // the poller's own

  void Offer(const Response& response, const std::string& bytes) {
    std::lock_guard lock(mutex_);
    if (ending_ || bytes == newest_bytes_) return;
    newest_bytes_ = bytes;
    waiting_ = response;
    WriteIfIdle();
  }

  void End(const grpc::Status& status) {
    std::lock_guard lock(mutex_);
    if (ending_) return;
    ending_ = status;
    WriteIfIdle();
  }

  void OnWriteDone(bool ok) override {
    std::lock_guard lock(mutex_);
    writing_ = false;
    if (!ok) {
      waiting_.reset();
      if (!ending_) ending_ = grpc::Status(grpc::StatusCode::CANCELLED, "the watcher went away");
    }
    WriteIfIdle();
  }

  void OnCancel() override {
    End(grpc::Status(grpc::StatusCode::CANCELLED, "the watcher went away"));
  }

  void OnDone() override {
    if (hub_ != nullptr) hub_->Forget(this);
    delete this;
  }

 private:
  void WriteIfIdle() {
    if (writing_ || finished_) return;
    if (waiting_) {
      sending_ = std::move(*waiting_);
      waiting_.reset();
      writing_ = true;
      this->StartWrite(&sending_);
    } else if (ending_) {
      finished_ = true;
      this->Finish(*ending_);
    }
  }

  WatchHub* const hub_;
  const std::string key_;
  const identity::Caller caller_;

  std::mutex mutex_;
  Response sending_;
  std::optional<Response> waiting_;
  std::string newest_bytes_;
  std::optional<grpc::Status> ending_;
  bool writing_ = false;
  bool finished_ = false;
};

template <typename Response>
grpc::ServerWriteReactor<Response>* WatchHub<Response>::Watch(
    const Guard& guard, const grpc::CallbackServerContext& context, std::string_view method,
    std::string key) {
  absl::StatusOr<identity::Caller> caller = guard.Admit(context, method);
  if (caller.ok()) return Attach(*std::move(caller), std::move(key));
  auto* refused = new Watcher(nullptr, std::move(key), {});
  refused->End(ToGrpc(caller.status()));
  return refused;
}

template <typename Response>
grpc::ServerWriteReactor<Response>* WatchHub<Response>::Attach(identity::Caller caller,
                                                               std::string key) {
  std::lock_guard lock(mutex_);
  if (closed_ || watchers_.size() >= max_watchers_) {
    auto* refused = new Watcher(nullptr, std::move(key), {});
    refused->End(ToGrpc(closed_ ? ShuttingDown() : TooManyWatchers(max_watchers_)));
    return refused;
  }
  auto* watcher = new Watcher(this, std::move(key), std::move(caller));
  watchers_.insert(watcher);
  return watcher;
}

template <typename Response>
void WatchHub<Response>::PollOnce(const Admit& admit, const Read& read) {
  // The record is asked without the hub's lock; a watcher that leaves meanwhile is not found again.
  std::vector<std::pair<Watcher*, std::pair<std::string, identity::Caller>>> fresh;
  std::set<std::string> keys;
  {
    std::lock_guard lock(mutex_);
    for (Watcher* watcher : watchers_) {
      if (!watcher->admitted) fresh.push_back({watcher, {watcher->key(), watcher->caller()}});
    }
  }
  std::map<Watcher*, absl::Status> answers;
  for (const auto& [watcher, asked] : fresh) {
    answers.emplace(watcher, admit(asked.first, asked.second));
  }
  {
    std::lock_guard lock(mutex_);
    for (const auto& [watcher, answer] : answers) {
      // A new watcher can have the address of one that left: it has not been asked about yet.
      const auto found = watchers_.find(watcher);
      if (found == watchers_.end()) continue;
      if (answer.ok()) {
        watcher->admitted = true;
      } else if (!absl::IsUnavailable(answer)) {
        watcher->End(ToGrpc(answer));
      }
    }
    for (Watcher* watcher : watchers_) {
      if (watcher->admitted) keys.insert(watcher->key());
    }
  }
  for (const std::string& key : keys) {
    const absl::StatusOr<State> state = read(key);
    if (absl::IsUnavailable(state.status())) continue;
    const std::string bytes = state.ok() ? state->response.SerializeAsString() : std::string();
    std::lock_guard lock(mutex_);
    for (Watcher* watcher : watchers_) {
      if (!watcher->admitted || watcher->key() != key) continue;
      if (!state.ok()) {
        watcher->End(ToGrpc(state.status()));
        continue;
      }
      watcher->Offer(state->response, bytes);
      if (state->last) watcher->End(grpc::Status::OK);
    }
  }
}

template <typename Response>
void WatchHub<Response>::Close() {
  std::lock_guard lock(mutex_);
  closed_ = true;
  for (Watcher* watcher : watchers_) {
    watcher->End(ToGrpc(ShuttingDown()));
  }
}

}  // namespace yikatong::rpc

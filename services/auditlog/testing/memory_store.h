// The log in memory, to the contract of the port, for tests of the domain; and bodies to put into
// it.
#pragma once

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "common/status/status.h"
#include "services/auditlog/domain/integrity.h"
#include "services/auditlog/domain/log_store.h"

namespace yikatong::auditlog {

inline std::string BodyOf(std::string_view service, std::string_view kind, int district,
                          std::string_view subject) {
  return fmt::format(
      "yikatong-audit-entry/v1\nservice: {}\nkind: {}\ndistrict: {}\nsubject: {}\nactor_org: "
      "civil.120105\nactor_person: p-1\nat: 2026-11-23T08:00:00.123Z\nbusiness_date: 2026-11-23\n"
      "request_id: r-1\n",
      service, kind, district, subject);
}

// Everything is public, so that a test can spoil it.
class MemoryStore : public LogStore {
 public:
  absl::Status Append(const std::function<absl::Status(AppendSession&)>& append) override {
    const std::lock_guard lock(appending_);
    Session session(*this);
    absl::Status done = append(session);
    if (!done.ok()) return done;
    entries.insert(entries.end(), session.entries.begin(), session.entries.end());
    for (const auto& [id, hash] : session.nodes) nodes[id] = hash;
    heads.insert(heads.end(), session.heads.begin(), session.heads.end());
    return commit;
  }

  absl::StatusOr<SourceState> StateOf(const Source& source) override {
    SourceState state;
    for (const StoredEntry& entry : entries) {
      if (entry.source.producer != source.producer) continue;
      state.newest_epoch = std::max(state.newest_epoch, entry.source.restore_epoch);
      if (entry.source == source) state.next_number = std::max(state.next_number, entry.number + 1);
    }
    return state;
  }
  absl::StatusOr<Ends> ReadEnds() override {
    Ends ends;
    if (!heads.empty()) ends.head = heads.back();
    ends.entries = entries.empty() ? 0 : entries.back().index + 1;
    return ends;
  }
  absl::StatusOr<std::optional<StoredEntry>> Find(const EntrySelector& selector) override {
    for (const StoredEntry& entry : entries) {
      if (Fits(entry, selector)) return std::optional<StoredEntry>(entry);
    }
    return std::optional<StoredEntry>();
  }
  absl::StatusOr<std::vector<StoredEntry>> List(const EntryFilter& filter,
                                                const identity::Scope& scope,
                                                std::uint64_t first_index, int limit) override {
    std::vector<StoredEntry> found;
    for (const StoredEntry& entry : entries) {
      const std::string district = std::to_string(entry.facts.district);
      if (entry.index < first_index || static_cast<int>(found.size()) >= limit) continue;
      if (!scope.all_districts && scope.districts.find(district) == std::string::npos) continue;
      if (filter.district != 0 && filter.district != entry.facts.district) continue;
      if (!filter.kind.empty() && filter.kind != entry.facts.kind) continue;
      if (!filter.subject.empty() && filter.subject != entry.facts.subject &&
          !entry.facts.subject.starts_with(filter.subject + "/")) {
        continue;
      }
      if (!filter.producer.empty() && filter.producer != entry.source.producer) continue;
      found.push_back(entry);
    }
    return found;
  }
  absl::StatusOr<std::vector<StoredEntry>> Range(std::uint64_t first, int limit) override {
    return List({}, identity::Scope{.all_districts = true, .all_fields = true}, first, limit);
  }
  absl::StatusOr<std::vector<TreeNode>> NodesCompletedBy(std::uint64_t first,
                                                         std::uint64_t last) override {
    std::vector<TreeNode> found;
    for (const auto& [id, hash] : nodes) {
      const std::uint64_t end = (id.index + 1) << id.level;
      if (end > first && end <= last) found.emplace_back(id, hash);
    }
    return found;
  }
  absl::StatusOr<std::vector<TreeHead>> HeadsBetween(std::uint64_t after,
                                                     std::uint64_t up_to) override {
    std::vector<TreeHead> found;
    for (const TreeHead& head : heads) {
      if (head.size > after && head.size <= up_to) found.push_back(head);
    }
    return found;
  }
  absl::StatusOr<std::vector<crypto::Digest>> Nodes(std::span<const crypto::NodeId> ids) override {
    std::vector<crypto::Digest> found;
    for (const crypto::NodeId& id : ids) {
      if (id.level == 0 && id.index < entries.size()) {
        found.push_back(entries[id.index].leaf_hash);
      } else if (const auto node = nodes.find(id); node != nodes.end()) {
        found.push_back(node->second);
      } else {
        return status::Refuse(status::Reason::kAuditLogAltered, "a stored hash is missing");
      }
    }
    return found;
  }

  std::vector<StoredEntry> entries;
  std::map<crypto::NodeId, crypto::Digest> nodes;
  std::vector<TreeHead> heads;
  absl::Status commit;  // what Append answers after it has written

 private:
  struct Session : AppendSession {
    explicit Session(MemoryStore& all) : store(all) {}

    absl::StatusOr<TreeHead> Head() override {
      return store.heads.empty() ? TreeHead() : store.heads.back();
    }
    absl::StatusOr<SourceState> StateOf(const Source& source) override {
      return store.StateOf(source);
    }
    absl::StatusOr<std::vector<crypto::Digest>> LeafHashes(const Source& source, std::int64_t first,
                                                           std::int64_t count) override {
      std::vector<crypto::Digest> found;
      for (const StoredEntry& entry : store.entries) {
        if (entry.source == source && entry.number >= first && entry.number < first + count) {
          found.push_back(entry.leaf_hash);
        }
      }
      return found;
    }
    absl::Status Write(std::span<const StoredEntry> new_entries,
                       std::span<const TreeNode> new_nodes, const TreeHead& head) override {
      entries.assign(new_entries.begin(), new_entries.end());
      nodes.assign(new_nodes.begin(), new_nodes.end());
      heads.push_back(head);
      return absl::OkStatus();
    }
    absl::StatusOr<std::vector<crypto::Digest>> Nodes(
        std::span<const crypto::NodeId> ids) override {
      return store.Nodes(ids);
    }

    MemoryStore& store;
    std::vector<StoredEntry> entries;
    std::vector<TreeNode> nodes;
    std::vector<TreeHead> heads;
  };

  static bool Fits(const StoredEntry& entry, const EntrySelector& selector) {
    if (const auto* by = std::get_if<ByNumber>(&selector)) {
      return entry.source == by->source && entry.number == by->number;
    }
    if (const auto* by = std::get_if<ByIndex>(&selector)) return entry.index == by->index;
    if (const auto* by = std::get_if<ByLeafHash>(&selector)) {
      return entry.leaf_hash == by->leaf_hash;
    }
    return entry.facts.subtree_root == std::get<BySubtreeRoot>(selector).root;
  }

  std::mutex appending_;
};

// Remembers in memory.
class MemoryCheckpoint : public CheckpointMemory {
 public:
  absl::StatusOr<std::optional<crypto::Checkpoint>> Recall() override { return remembered; }
  absl::Status Remember(const crypto::Checkpoint& checkpoint, std::string_view) override {
    if (!remembered || remembered->size < checkpoint.size) remembered = checkpoint;
    return absl::OkStatus();
  }

  std::optional<crypto::Checkpoint> remembered;
};

inline identity::Caller ServiceCaller(std::string_view name) {
  identity::Caller caller;
  caller.service = name;
  return caller;
}

inline identity::Caller PersonCaller(identity::RoleSet roles, std::vector<std::int32_t> districts) {
  identity::Caller caller;
  caller.organisation = "audit.120000";
  caller.person = "p-9";
  caller.roles = roles;
  caller.fields = {"*"};
  caller.districts = std::move(districts);
  return caller;
}

}  // namespace yikatong::auditlog

#include "services/auditlog/domain/integrity.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <utility>

#include "common/status/status.h"

namespace yikatong::auditlog {
namespace {

using crypto::Digest;
using crypto::NodeId;
using status::Reason;

constexpr int kPageEntries = 1000;
constexpr std::uint64_t kNewestEntries = 256;

void Add(VerifyReport& report, std::string what, std::optional<std::uint64_t> index = {}) {
  if (report.findings.size() < kMaxFindings) report.findings.push_back({std::move(what), index});
}

// What is wrong with one entry by itself; empty where nothing is.
std::string FaultOf(const StoredEntry& entry) {
  if (crypto::LeafHash(entry.body) != entry.leaf_hash) {
    return "the body does not hash to the leaf";
  }
  const absl::StatusOr<EntryFacts> facts = ReadFacts(entry.body);
  if (!facts.ok()) return "the body is not a canonical entry";
  if (*facts != entry.facts) return "the columns are not what the body says";
  if (facts->service != entry.source.producer) return "the body is of another producer";
  return "";
}

absl::StatusOr<std::optional<crypto::Checkpoint>> RecallFrom(CheckpointMemory* memory) {
  if (memory == nullptr) return std::optional<crypto::Checkpoint>();
  return memory->Recall();
}

// The walk over all entries, a page at a time.
class Walk {
 public:
  Walk(LogStore& store, const Ends& ends, std::optional<crypto::Checkpoint> remembered,
       VerifyReport& report)
      : store_(store), ends_(ends), remembered_(std::move(remembered)), report_(report) {}

  absl::Status Run(const Progress& progress) {
    CheckRemembered();
    while (tree_.size() < ends_.head.size) {
      if (progress && !progress(tree_.size(), ends_.head.size)) {
        return absl::CancelledError("the check of the whole log was stopped");
      }
      YKT_ASSIGN_OR_RETURN(const bool more, Page());
      if (!more) return absl::OkStatus();
    }
    if (progress) progress(tree_.size(), ends_.head.size);
    if (tree_.Root() != ends_.head.root)
      Add(report_, "the newest head is not the root of its leaves");
    return absl::OkStatus();
  }

 private:
  // False where the walk cannot go on: what follows a missing leaf says nothing.
  absl::StatusOr<bool> Page() {
    const std::uint64_t first = tree_.size();
    const auto limit =
        static_cast<int>(std::min<std::uint64_t>(kPageEntries, ends_.head.size - first));
    YKT_ASSIGN_OR_RETURN(const std::vector<StoredEntry> entries, store_.Range(first, limit));
    std::map<NodeId, Digest> expected;
    const auto keep = [&expected](NodeId id, const Digest& hash) {
      if (id.level > 0) expected.emplace(id, hash);
    };
    const std::uint64_t last = first + static_cast<std::uint64_t>(limit);
    YKT_ASSIGN_OR_RETURN(const std::vector<TreeHead> heads, store_.HeadsBetween(first, last));
    auto head = heads.begin();
    for (const StoredEntry& entry : entries) {
      if (entry.index != tree_.size()) break;
      CheckEntry(entry);
      // A wrong leaf hash shows at its nodes as well, as nothing else would when body and leaf were
      // both altered.
      tree_.Add(entry.leaf_hash, keep);
      CheckRemembered();
      for (; head != heads.end() && head->size <= tree_.size(); ++head) CheckHead(*head);
    }
    if (tree_.size() != last) {
      Add(report_, "the entry is missing", tree_.size());
      return false;
    }
    YKT_RETURN_IF_ERROR(CheckNodes(first, last, expected));
    return true;
  }

  void CheckEntry(const StoredEntry& entry) {
    ++report_.entries;
    const std::string fault = FaultOf(entry);
    if (!fault.empty()) Add(report_, fault, entry.index);
    std::int64_t& number = numbers_[entry.source];
    if (entry.number != number + 1) {
      Add(report_, "its number does not follow the one before of its producer", entry.index);
    }
    number = entry.number;
  }

  void CheckHead(const TreeHead& head) {
    ++report_.heads;
    if (head.root != tree_.Root()) {
      Add(report_, fmt::format("the head of size {} is not the root of its leaves", head.size),
          head.size - 1);
    }
  }

  absl::Status CheckNodes(std::uint64_t first, std::uint64_t last,
                          const std::map<NodeId, Digest>& expected) {
    YKT_ASSIGN_OR_RETURN(const std::vector<TreeNode> stored, store_.NodesCompletedBy(first, last));
    std::map<NodeId, Digest> left = expected;
    for (const auto& [id, hash] : stored) {
      ++report_.nodes;
      const auto node = left.find(id);
      if (node == left.end()) {
        Add(report_, fmt::format("the node {}/{} should not be there", id.level, id.index));
        continue;
      }
      if (node->second != hash) AddNode(id, "is not the hash of the leaves below it");
      left.erase(node);
    }
    for (const auto& [id, hash] : left) AddNode(id, "is missing");
    return absl::OkStatus();
  }

  void AddNode(NodeId id, std::string_view what) {
    Add(report_, fmt::format("the node {}/{} {}", id.level, id.index, what), id.index << id.level);
  }

  void CheckRemembered() {
    if (!remembered_ || remembered_->size != tree_.size()) return;
    if (remembered_->root != tree_.Root()) {
      Add(report_, fmt::format("the remembered checkpoint of size {} is of another tree",
                               remembered_->size));
    }
    remembered_.reset();
  }

  LogStore& store_;
  const Ends& ends_;
  std::optional<crypto::Checkpoint> remembered_;
  VerifyReport& report_;
  crypto::MerkleAccumulator tree_;
  std::map<Source, std::int64_t> numbers_;
};

// What can be said without walking: where head, entries and the remembered checkpoint end.
void CheckLengths(const Ends& ends, const std::optional<crypto::Checkpoint>& remembered,
                  VerifyReport& report) {
  if (ends.entries != ends.head.size) {
    Add(report,
        fmt::format("there are entries up to {}, but the newest head is of size {}", ends.entries,
                    ends.head.size),
        std::min(ends.entries, ends.head.size));
  }
  if (remembered && remembered->size > ends.head.size) {
    Add(report,
        fmt::format("a checkpoint of size {} is remembered, but the newest head is of size {}",
                    remembered->size, ends.head.size),
        ends.head.size);
  }
}

// A tree that does not have its own nodes is a finding; a database that does not answer is an
// error.
absl::StatusOr<std::optional<Digest>> RootIfReadable(LogStore& store, std::uint64_t size) {
  absl::StatusOr<Digest> root = crypto::RootAt(store, size);
  if (root.ok()) return std::optional<Digest>(*root);
  if (status::ReasonOf(root.status()) == Reason::kAuditLogAltered) return std::optional<Digest>();
  return root.status();
}

}  // namespace

absl::Status Integrity::Check() const {
  if (intact_) return absl::OkStatus();
  const std::lock_guard lock(mutex_);
  return status::Refuse(Reason::kAuditLogAltered, what_);
}

absl::Status Integrity::MarkAltered(std::string_view what) {
  {
    const std::lock_guard lock(mutex_);
    if (what_.empty()) what_ = what;
  }
  intact_ = false;
  return Check();
}

absl::StatusOr<VerifyReport> VerifyEnds(LogStore& store, CheckpointMemory* memory) {
  // The memory first: the log may grow meanwhile, and never shrinks.
  YKT_ASSIGN_OR_RETURN(const std::optional<crypto::Checkpoint> remembered, RecallFrom(memory));
  YKT_ASSIGN_OR_RETURN(const Ends ends, store.ReadEnds());
  VerifyReport report;
  report.size = ends.head.size;
  report.root = ends.head.root;
  CheckLengths(ends, remembered, report);
  YKT_ASSIGN_OR_RETURN(const std::optional<Digest> root, RootIfReadable(store, ends.head.size));
  if (root != ends.head.root) Add(report, "the newest head is not the root of its nodes");
  if (remembered && remembered->size <= ends.head.size) {
    YKT_ASSIGN_OR_RETURN(const std::optional<Digest> earlier,
                         RootIfReadable(store, remembered->size));
    if (earlier != remembered->root) {
      Add(report,
          fmt::format("the remembered checkpoint of size {} is of another tree", remembered->size));
    }
  }
  const std::uint64_t first = ends.head.size > kNewestEntries ? ends.head.size - kNewestEntries : 0;
  YKT_ASSIGN_OR_RETURN(const std::vector<StoredEntry> newest,
                       store.Range(first, static_cast<int>(ends.head.size - first)));
  for (const StoredEntry& entry : newest) {
    ++report.entries;
    const std::string fault = FaultOf(entry);
    if (!fault.empty()) Add(report, fault, entry.index);
  }
  if (newest.size() != ends.head.size - first) {
    Add(report, "entries are missing", first);
  }
  return report;
}

absl::StatusOr<VerifyReport> VerifyWhole(LogStore& store, CheckpointMemory* memory,
                                         const Progress& progress) {
  YKT_ASSIGN_OR_RETURN(const std::optional<crypto::Checkpoint> remembered, RecallFrom(memory));
  YKT_ASSIGN_OR_RETURN(const Ends ends, store.ReadEnds());
  VerifyReport report;
  report.size = ends.head.size;
  report.root = ends.head.root;
  CheckLengths(ends, remembered, report);
  YKT_RETURN_IF_ERROR(Walk(store, ends, remembered, report).Run(progress));
  return report;
}

}  // namespace yikatong::auditlog

#include "services/auditlog/store/postgres_log_store.h"

#include <bit>
#include <string_view>
#include <utility>

#include "common/postgres/bulk.h"
#include "common/status/status.h"
#include "services/auditlog/sql/queries.h"

namespace yikatong::auditlog {
namespace {

using crypto::Digest;
using crypto::NodeId;
using postgres::Columns;
using postgres::Param;
using postgres::Row;
using postgres::Rows;
using postgres::Transaction;
using status::Reason;

// A digest column of the schema has 32 bytes by its constraint; anything else was altered.
absl::StatusOr<Digest> DigestAt(const Row& row, int column) {
  const std::optional<std::string> bytes = row.MaybeBytes(column);
  const std::optional<Digest> digest = bytes ? crypto::DigestOf(*bytes) : std::nullopt;
  if (!digest) return status::Refuse(Reason::kAuditLogAltered, "a stored hash is missing");
  return *digest;
}

absl::StatusOr<StoredEntry> EntryOf(const Row& row) {
  StoredEntry entry;
  entry.index = static_cast<std::uint64_t>(row.Int64(0));
  entry.source = {row.Text(1), row.Int(2)};
  entry.number = row.Int64(3);
  YKT_ASSIGN_OR_RETURN(entry.leaf_hash, DigestAt(row, 4));
  entry.facts.service = entry.source.producer;
  entry.facts.district = row.Int(5);
  entry.facts.kind = row.Text(6);
  entry.facts.subject = row.Text(7);
  if (!row.IsNull(8)) {
    YKT_ASSIGN_OR_RETURN(entry.facts.subtree_root, DigestAt(row, 8));
  }
  entry.appended_at = row.Time(9);
  entry.body = row.Bytes(10);
  return entry;
}

absl::StatusOr<std::vector<StoredEntry>> EntriesOf(const Rows& rows) {
  std::vector<StoredEntry> entries;
  entries.reserve(static_cast<std::size_t>(rows.size()));
  for (const Row row : rows) {
    YKT_ASSIGN_OR_RETURN(StoredEntry entry, EntryOf(row));
    entries.push_back(std::move(entry));
  }
  return entries;
}

absl::StatusOr<TreeHead> HeadOf(const Row& row, int first_column) {
  TreeHead head;
  head.size = static_cast<std::uint64_t>(row.Int64(first_column));
  YKT_ASSIGN_OR_RETURN(head.root, DigestAt(row, first_column + 1));
  head.appended_at = row.Time(first_column + 2);
  return head;
}

absl::StatusOr<std::vector<Digest>> DigestsOf(const Rows& rows) {
  std::vector<Digest> digests;
  digests.reserve(static_cast<std::size_t>(rows.size()));
  for (const Row row : rows) {
    YKT_ASSIGN_OR_RETURN(const Digest digest, DigestAt(row, 0));
    digests.push_back(digest);
  }
  return digests;
}

absl::StatusOr<std::vector<Digest>> ReadNodes(Transaction& tx, std::span<const NodeId> ids) {
  if (ids.empty()) return std::vector<Digest>();
  std::vector<std::int16_t> levels;
  std::vector<std::int64_t> indexes;
  levels.reserve(ids.size());
  indexes.reserve(ids.size());
  for (const NodeId& id : ids) {
    levels.push_back(static_cast<std::int16_t>(id.level));
    indexes.push_back(static_cast<std::int64_t>(id.index));
  }
  Columns columns;
  columns.Int16s(levels).Int64s(indexes);
  YKT_ASSIGN_OR_RETURN(const Rows rows, tx.RunColumns(sql::kReadNodes, columns));
  return DigestsOf(rows);
}

absl::StatusOr<SourceState> ReadState(Transaction& tx, const Source& source) {
  YKT_ASSIGN_OR_RETURN(const Rows rows,
                       tx.Run(sql::kSourceState, source.producer, source.restore_epoch));
  return SourceState{rows[0].Int64(0) + 1, rows[0].Int(1)};
}

absl::Status InsertEntries(Transaction& tx, std::span<const StoredEntry> entries) {
  std::vector<std::int64_t> indexes, numbers;
  std::vector<std::string_view> leaf_hashes, kinds, subjects, bodies;
  std::vector<std::int32_t> districts;
  std::vector<std::optional<std::string>> roots;
  indexes.reserve(entries.size());
  numbers.reserve(entries.size());
  leaf_hashes.reserve(entries.size());
  kinds.reserve(entries.size());
  subjects.reserve(entries.size());
  bodies.reserve(entries.size());
  districts.reserve(entries.size());
  roots.reserve(entries.size());
  for (const StoredEntry& entry : entries) {
    indexes.push_back(static_cast<std::int64_t>(entry.index));
    numbers.push_back(entry.number);
    leaf_hashes.push_back(crypto::BytesOf(entry.leaf_hash));
    districts.push_back(entry.facts.district);
    kinds.push_back(entry.facts.kind);
    subjects.push_back(entry.facts.subject);
    roots.push_back(entry.facts.subtree_root
                        ? std::optional(crypto::StringOf(*entry.facts.subtree_root))
                        : std::nullopt);
    bodies.push_back(entry.body);
  }
  const StoredEntry& first = entries.front();
  Columns columns;
  columns.Scalar(first.source.producer)
      .Scalar(first.source.restore_epoch)
      .Scalar(first.appended_at)
      .Int64s(indexes)
      .Int64s(numbers)
      .ByteStrings(leaf_hashes)
      .Int32s(districts)
      .Texts(kinds)
      .Texts(subjects)
      .ByteStrings(roots)
      .ByteStrings(bodies);
  return tx.RunColumns(sql::kInsertEntries, columns).status();
}

absl::Status InsertNodes(Transaction& tx, std::span<const TreeNode> nodes) {
  if (nodes.empty()) return absl::OkStatus();
  std::vector<std::int16_t> levels;
  std::vector<std::int64_t> indexes;
  std::vector<std::string_view> hashes;
  levels.reserve(nodes.size());
  indexes.reserve(nodes.size());
  hashes.reserve(nodes.size());
  for (const auto& [id, hash] : nodes) {
    levels.push_back(static_cast<std::int16_t>(id.level));
    indexes.push_back(static_cast<std::int64_t>(id.index));
    hashes.push_back(crypto::BytesOf(hash));
  }
  Columns columns;
  columns.Int16s(levels).Int64s(indexes).ByteStrings(hashes);
  return tx.RunColumns(sql::kInsertNodes, columns).status();
}

class PostgresSession : public AppendSession {
 public:
  explicit PostgresSession(Transaction& tx) : tx_(tx) {}

  absl::StatusOr<TreeHead> Head() override {
    YKT_ASSIGN_OR_RETURN(const Rows rows, tx_.Run(sql::kNewestHead));
    if (rows.empty()) return TreeHead();
    return HeadOf(rows[0], 0);
  }
  absl::StatusOr<SourceState> StateOf(const Source& source) override {
    return ReadState(tx_, source);
  }
  absl::StatusOr<std::vector<Digest>> LeafHashes(const Source& source, std::int64_t first,
                                                 std::int64_t count) override {
    YKT_ASSIGN_OR_RETURN(const Rows rows, tx_.Run(sql::kSourceLeafHashes, source.producer,
                                                  source.restore_epoch, first, count));
    return DigestsOf(rows);
  }
  absl::Status Write(std::span<const StoredEntry> entries, std::span<const TreeNode> nodes,
                     const TreeHead& head) override {
    YKT_RETURN_IF_ERROR(InsertEntries(tx_, entries));
    YKT_RETURN_IF_ERROR(InsertNodes(tx_, nodes));
    return tx_
        .Run(sql::kInsertHead, static_cast<std::int64_t>(head.size),
             postgres::Bytes{crypto::BytesOf(head.root)}, head.appended_at)
        .status();
  }
  absl::StatusOr<std::vector<Digest>> Nodes(std::span<const NodeId> ids) override {
    return ReadNodes(tx_, ids);
  }

 private:
  Transaction& tx_;
};

absl::StatusOr<Rows> RunFind(Transaction& tx, const EntrySelector& selector) {
  struct Runner {
    Transaction& tx;
    absl::StatusOr<Rows> operator()(const ByNumber& by) const {
      return tx.Run(sql::kFindByNumber, by.source.producer, by.source.restore_epoch, by.number);
    }
    absl::StatusOr<Rows> operator()(const ByIndex& by) const {
      return tx.Run(sql::kFindByIndex, static_cast<std::int64_t>(by.index));
    }
    absl::StatusOr<Rows> operator()(const ByLeafHash& by) const {
      return tx.Run(sql::kFindByLeafHash, postgres::Bytes{crypto::BytesOf(by.leaf_hash)});
    }
    absl::StatusOr<Rows> operator()(const BySubtreeRoot& by) const {
      return tx.Run(sql::kFindBySubtreeRoot, postgres::Bytes{crypto::BytesOf(by.root)});
    }
  };
  return std::visit(Runner{tx}, selector);
}

}  // namespace

std::span<const postgres::Migration> LogMigrations() { return sql::kMigrations; }

absl::Status PostgresLogStore::Append(const std::function<absl::Status(AppendSession&)>& append) {
  return database_.Transact("append_entries", [&](Transaction& tx) -> absl::Status {
    YKT_RETURN_IF_ERROR(tx.Run(sql::kLockAppender).status());
    PostgresSession session(tx);
    return append(session);
  });
}

absl::StatusOr<SourceState> PostgresLogStore::StateOf(const Source& source) {
  SourceState state;
  YKT_RETURN_IF_ERROR(database_.Read("source_state", [&](Transaction& tx) -> absl::Status {
    YKT_ASSIGN_OR_RETURN(state, ReadState(tx, source));
    return absl::OkStatus();
  }));
  return state;
}

absl::StatusOr<Ends> PostgresLogStore::ReadEnds() {
  Ends ends;
  YKT_RETURN_IF_ERROR(database_.Read("read_ends", [&](Transaction& tx) -> absl::Status {
    YKT_ASSIGN_OR_RETURN(const Rows rows, tx.Run(sql::kReadEnds));
    ends = {};
    ends.entries = static_cast<std::uint64_t>(rows[0].Int64(0));
    if (rows[0].IsNull(1)) return absl::OkStatus();
    YKT_ASSIGN_OR_RETURN(ends.head, HeadOf(rows[0], 1));
    return absl::OkStatus();
  }));
  return ends;
}

absl::StatusOr<std::optional<StoredEntry>> PostgresLogStore::Find(const EntrySelector& selector) {
  std::optional<StoredEntry> entry;
  YKT_RETURN_IF_ERROR(database_.Read("find_entry", [&](Transaction& tx) -> absl::Status {
    YKT_ASSIGN_OR_RETURN(const Rows rows, RunFind(tx, selector));
    entry.reset();
    if (rows.empty()) return absl::OkStatus();
    YKT_ASSIGN_OR_RETURN(entry, EntryOf(rows[0]));
    return absl::OkStatus();
  }));
  return entry;
}

absl::StatusOr<std::vector<StoredEntry>> PostgresLogStore::List(const EntryFilter& filter,
                                                                const identity::Scope& scope,
                                                                std::uint64_t first_index,
                                                                int limit) {
  std::vector<Param> params = {static_cast<std::int64_t>(first_index),
                               scope.all_districts,
                               scope.districts,
                               filter.district,
                               filter.kind,
                               filter.producer,
                               limit};
  // The most selective filter decides by which index the list is read.
  const postgres::Query* query = &sql::kListEntries;
  if (!filter.subject.empty()) {
    query = &sql::kListEntriesOfSubject;
    params.emplace_back(filter.subject);
  } else if (!filter.kind.empty()) {
    query = &sql::kListEntriesOfKind;
    params.emplace_back(filter.kind);
  } else if (filter.district != 0) {
    query = &sql::kListEntriesOfDistrict;
    params.emplace_back(filter.district);
  }
  std::vector<StoredEntry> entries;
  YKT_RETURN_IF_ERROR(database_.Read("list_entries", [&](Transaction& tx) -> absl::Status {
    YKT_ASSIGN_OR_RETURN(const Rows rows, tx.RunParams(*query, params));
    YKT_ASSIGN_OR_RETURN(entries, EntriesOf(rows));
    return absl::OkStatus();
  }));
  return entries;
}

absl::StatusOr<std::vector<StoredEntry>> PostgresLogStore::Range(std::uint64_t first, int limit) {
  std::vector<StoredEntry> entries;
  YKT_RETURN_IF_ERROR(database_.Read("entries_range", [&](Transaction& tx) -> absl::Status {
    YKT_ASSIGN_OR_RETURN(const Rows rows,
                         tx.Run(sql::kEntriesRange, static_cast<std::int64_t>(first), limit));
    YKT_ASSIGN_OR_RETURN(entries, EntriesOf(rows));
    return absl::OkStatus();
  }));
  return entries;
}

absl::StatusOr<std::vector<TreeNode>> PostgresLogStore::NodesCompletedBy(std::uint64_t first,
                                                                         std::uint64_t last) {
  std::vector<std::int16_t> levels;
  std::vector<std::int64_t> firsts, lasts;
  for (int level = 1; (last >> level) > 0; ++level) {
    levels.push_back(static_cast<std::int16_t>(level));
    firsts.push_back(static_cast<std::int64_t>(first >> level));
    lasts.push_back(static_cast<std::int64_t>(last >> level));
  }
  std::vector<TreeNode> nodes;
  if (levels.empty()) return nodes;
  Columns columns;
  columns.Int16s(levels).Int64s(firsts).Int64s(lasts);
  YKT_RETURN_IF_ERROR(database_.Read("nodes_completed", [&](Transaction& tx) -> absl::Status {
    YKT_ASSIGN_OR_RETURN(const Rows rows, tx.RunColumns(sql::kNodesCompleted, columns));
    nodes.clear();
    nodes.reserve(static_cast<std::size_t>(rows.size()));
    for (const Row row : rows) {
      YKT_ASSIGN_OR_RETURN(const Digest hash, DigestAt(row, 2));
      nodes.emplace_back(NodeId{row.Int(0), static_cast<std::uint64_t>(row.Int64(1))}, hash);
    }
    return absl::OkStatus();
  }));
  return nodes;
}

absl::StatusOr<std::vector<TreeHead>> PostgresLogStore::HeadsBetween(std::uint64_t after,
                                                                     std::uint64_t up_to) {
  std::vector<TreeHead> heads;
  YKT_RETURN_IF_ERROR(database_.Read("heads_between", [&](Transaction& tx) -> absl::Status {
    YKT_ASSIGN_OR_RETURN(const Rows rows,
                         tx.Run(sql::kHeadsBetween, static_cast<std::int64_t>(after),
                                static_cast<std::int64_t>(up_to)));
    heads.clear();
    heads.reserve(static_cast<std::size_t>(rows.size()));
    for (const Row row : rows) {
      YKT_ASSIGN_OR_RETURN(const TreeHead head, HeadOf(row, 0));
      heads.push_back(head);
    }
    return absl::OkStatus();
  }));
  return heads;
}

absl::StatusOr<std::vector<Digest>> PostgresLogStore::Nodes(std::span<const NodeId> ids) {
  std::vector<Digest> nodes;
  YKT_RETURN_IF_ERROR(database_.Read("read_nodes", [&](Transaction& tx) -> absl::Status {
    YKT_ASSIGN_OR_RETURN(nodes, ReadNodes(tx, ids));
    return absl::OkStatus();
  }));
  return nodes;
}

}  // namespace yikatong::auditlog

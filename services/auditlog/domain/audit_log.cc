#include "services/auditlog/domain/audit_log.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include "common/status/status.h"

namespace yikatong::auditlog {
namespace {

using crypto::Digest;
using identity::Caller;
using identity::Role;
using status::Reason;

absl::Status InvalidField(const char* field) {
  return status::Refuse(Reason::kFieldInvalid, field, {{"field", field}});
}

absl::Status CheckProducer(const Caller& caller, const Source& source) {
  if (!caller.IsService() || caller.service != source.producer) {
    return status::Refuse(Reason::kPermissionDenied, "a service appends for itself only");
  }
  if (source.restore_epoch < 0 || source.restore_epoch > kMaxRestoreEpoch) {
    return InvalidField("restore_epoch");
  }
  return absl::OkStatus();
}

// The facts of every body, or the first fault with the number that it would have had.
absl::StatusOr<std::vector<EntryFacts>> ReadAll(const AppendRequest& request) {
  constexpr std::int64_t kLastNumber = std::numeric_limits<std::int64_t>::max();
  if (request.first_number < 1 || request.first_number > kLastNumber - kMaxEntriesOfAppend) {
    return InvalidField("first_number");
  }
  if (request.bodies.empty()) return InvalidField("bodies");
  if (request.bodies.size() > kMaxEntriesOfAppend) {
    return status::Refuse(Reason::kRowLimitExceeded, "",
                          {{"limit", std::to_string(kMaxEntriesOfAppend)}});
  }
  std::vector<EntryFacts> facts;
  facts.reserve(request.bodies.size());
  std::size_t bytes = 0;
  for (const std::string& body : request.bodies) {
    const status::Metadata place = {
        {"number", std::to_string(request.first_number + static_cast<std::int64_t>(facts.size()))}};
    absl::StatusOr<EntryFacts> read = ReadFacts(body);
    if (!read.ok()) return status::WithMetadata(read.status(), place);
    if (read->service != request.source.producer) {
      return status::Refuse(Reason::kAuditEntryMalformed, "it is of another service", place);
    }
    facts.push_back(*std::move(read));
    bytes += body.size();
  }
  if (bytes > kMaxBytesOfAppend) {
    return status::Refuse(Reason::kMessageTooLarge, "",
                          {{"limit_bytes", std::to_string(kMaxBytesOfAppend)}});
  }
  return facts;
}

// Compares what a request repeats with what is stored under those numbers.
absl::Status CheckRepeated(AppendSession& session, const AppendRequest& request,
                           std::int64_t repeated) {
  YKT_ASSIGN_OR_RETURN(const std::vector<Digest> stored,
                       session.LeafHashes(request.source, request.first_number, repeated));
  YKT_INVARIANT(static_cast<std::int64_t>(stored.size()) == repeated,
                "numbers below the next one are missing from the log");
  for (std::size_t i = 0; i < stored.size(); ++i) {
    if (crypto::LeafHash(request.bodies[i]) == stored[i]) continue;
    const std::int64_t number = request.first_number + static_cast<std::int64_t>(i);
    return status::Refuse(Reason::kAuditEntryDiffers, "", {{"number", std::to_string(number)}});
  }
  return absl::OkStatus();
}

// Those who look at the log as a whole. Services are let in by the rule table of the contract.
bool MayBrowse(const Caller& caller) { return caller.IsService() || caller.Has(Role::kAuditor); }

bool NamedByHash(const EntrySelector& selector) {
  return std::holds_alternative<ByLeafHash>(selector) ||
         std::holds_alternative<BySubtreeRoot>(selector);
}

absl::Status NoSuchEntry() { return status::Refuse(Reason::kNotFound, "entry"); }

// The token of a page: where it begins, and what ties it to its filter.
std::string PageToken(std::uint64_t next_index, const EntryFilter& filter) {
  const Digest tie = crypto::Sha256(fmt::format("{}\n{}\n{}\n{}\n{}", next_index, filter.district,
                                                filter.subject, filter.kind, filter.producer));
  return fmt::format("{}-{}", next_index, crypto::HexOf(tie).substr(0, 16));
}

absl::StatusOr<std::uint64_t> PageStart(const ListRequest& request) {
  if (request.page_token.empty()) return 0;
  const std::string& token = request.page_token;
  std::uint64_t index = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), index);
  if (error != std::errc() || PageToken(index, request.filter) != token) {
    return status::Refuse(Reason::kPageTokenInvalid);
  }
  return index;
}

}  // namespace

absl::StatusOr<Appended> AuditLog::Append(const Caller& caller, const AppendRequest& request) {
  YKT_RETURN_IF_ERROR(CheckProducer(caller, request.source));
  YKT_RETURN_IF_ERROR(integrity_.Check());
  YKT_ASSIGN_OR_RETURN(const std::vector<EntryFacts> facts, ReadAll(request));
  Appended appended;
  YKT_RETURN_IF_ERROR(store_.Append([&](AppendSession& session) -> absl::Status {
    YKT_RETURN_IF_ERROR(CheckBegun(session));
    return AppendIn(session, request, facts, appended);
  }));
  return appended;
}

absl::Status AuditLog::AppendOwn(const Source& source, std::string body) {
  YKT_RETURN_IF_ERROR(integrity_.Check());
  AppendRequest request{source, 1, {std::move(body)}};
  YKT_ASSIGN_OR_RETURN(const std::vector<EntryFacts> facts, ReadAll(request));
  return store_.Append([&](AppendSession& session) -> absl::Status {
    YKT_RETURN_IF_ERROR(CheckBegun(session));
    YKT_ASSIGN_OR_RETURN(const SourceState state, session.StateOf(source));
    request.first_number = state.next_number;
    Appended appended;
    return AppendIn(session, request, facts, appended);
  });
}

absl::Status AuditLog::AppendFirst(const Source& source, std::string body) {
  YKT_RETURN_IF_ERROR(integrity_.Check());
  const AppendRequest request{source, 1, {std::move(body)}};
  YKT_ASSIGN_OR_RETURN(const std::vector<EntryFacts> facts, ReadAll(request));
  return store_.Append([&](AppendSession& session) -> absl::Status {
    YKT_ASSIGN_OR_RETURN(const TreeHead head, session.Head());
    if (head.size > 0) {
      return status::Refuse(Reason::kAuditLogNotEmpty, "",
                            {{"tree_size", std::to_string(head.size)}});
    }
    Appended appended;
    return AppendIn(session, request, facts, appended);
  });
}

absl::Status AuditLog::CheckBegun(AppendSession& session) {
  if (beginning_ == Beginning::kAnyEntry) return absl::OkStatus();
  YKT_ASSIGN_OR_RETURN(const TreeHead head, session.Head());
  return head.size > 0 ? absl::OkStatus() : status::Refuse(Reason::kAuditLogNotBegun);
}

absl::Status AuditLog::AppendIn(AppendSession& session, const AppendRequest& request,
                                const std::vector<EntryFacts>& facts, Appended& appended) {
  YKT_ASSIGN_OR_RETURN(const SourceState state, session.StateOf(request.source));
  YKT_ASSIGN_OR_RETURN(TreeHead head, session.Head());
  if (request.first_number > state.next_number) {
    return status::Refuse(Reason::kAuditNumberWrong, "",
                          {{"next_number", std::to_string(state.next_number)}});
  }
  const auto count = static_cast<std::int64_t>(request.bodies.size());
  const std::int64_t repeated = std::min(count, state.next_number - request.first_number);
  if (repeated > 0) YKT_RETURN_IF_ERROR(CheckRepeated(session, request, repeated));
  appended = {state.next_number + count - repeated, head.size, static_cast<int>(count - repeated)};
  if (repeated == count) return absl::OkStatus();
  if (request.source.restore_epoch < state.newest_epoch) {
    return status::Refuse(Reason::kAuditEpochOver, "",
                          {{"restore_epoch", std::to_string(state.newest_epoch)}});
  }

  YKT_ASSIGN_OR_RETURN(crypto::MerkleAccumulator tree, ResumeTree(session, head));
  std::vector<StoredEntry> entries;
  entries.reserve(request.bodies.size());
  std::vector<TreeNode> nodes;
  const auto keep = [&nodes](crypto::NodeId id, const Digest& hash) {
    if (id.level > 0) nodes.emplace_back(id, hash);
  };
  head.appended_at = clock_.Now();
  for (auto i = static_cast<std::size_t>(repeated); i < request.bodies.size(); ++i) {
    StoredEntry& entry = entries.emplace_back();
    entry.index = tree.size();
    entry.source = request.source;
    entry.number = request.first_number + static_cast<std::int64_t>(i);
    entry.body = request.bodies[i];
    entry.leaf_hash = crypto::LeafHash(entry.body);
    entry.facts = facts[i];
    entry.appended_at = head.appended_at;
    tree.Add(entry.leaf_hash, keep);
  }
  head.size = tree.size();
  head.root = tree.Root();
  appended.tree_size = head.size;
  return session.Write(entries, nodes, head);
}

absl::StatusOr<crypto::MerkleAccumulator> AuditLog::ResumeTree(AppendSession& session,
                                                               const TreeHead& head) {
  const std::vector<crypto::NodeId> ids = crypto::FrontierNodes(head.size);
  absl::StatusOr<std::vector<Digest>> frontier = session.Nodes(ids);
  if (!frontier.ok()) {
    if (status::ReasonOf(frontier.status()) == Reason::kAuditLogAltered) {
      return integrity_.MarkAltered("nodes of the newest tree are missing");
    }
    return frontier.status();
  }
  YKT_ASSIGN_OR_RETURN(crypto::MerkleAccumulator tree,
                       crypto::MerkleAccumulator::Resume(head.size, *std::move(frontier)));
  if (tree.Root() != head.root) {
    return integrity_.MarkAltered("the newest head is not the root of its nodes");
  }
  return tree;
}

absl::StatusOr<std::int64_t> AuditLog::NextNumber(const Caller& caller, const Source& source) {
  YKT_RETURN_IF_ERROR(CheckProducer(caller, source));
  YKT_ASSIGN_OR_RETURN(const SourceState state, store_.StateOf(source));
  return state.next_number;
}

absl::StatusOr<SignedCheckpoint> AuditLog::NewestCheckpoint() {
  YKT_RETURN_IF_ERROR(integrity_.Check());
  std::optional<crypto::Checkpoint> remembered;
  if (memory_ != nullptr) {
    YKT_ASSIGN_OR_RETURN(remembered, memory_->Recall());
  }
  YKT_ASSIGN_OR_RETURN(const Ends ends, store_.ReadEnds());
  if (ends.entries != ends.head.size) {
    return integrity_.MarkAltered("entries and newest head end at different places");
  }
  YKT_RETURN_IF_ERROR(CheckRoot(ends.head.size, ends.head.root, "the newest head"));
  if (remembered) {
    if (remembered->size > ends.head.size) {
      return integrity_.MarkAltered("a checkpoint of a larger tree was given out before");
    }
    YKT_RETURN_IF_ERROR(
        CheckRoot(remembered->size, remembered->root, "a checkpoint that was given out before"));
  }
  SignedCheckpoint result;
  result.checkpoint.origin = verifier().name();
  result.checkpoint.size = ends.head.size;
  result.checkpoint.root = ends.head.root;
  YKT_ASSIGN_OR_RETURN(result.note, crypto::SignCheckpoint(result.checkpoint, signer_));
  // What was once given out must never be forgotten, so it is remembered before it is.
  if (memory_ != nullptr) {
    YKT_RETURN_IF_ERROR(memory_->Remember(result.checkpoint, result.note));
  }
  return result;
}

absl::Status AuditLog::CheckRoot(std::uint64_t size, const Digest& root, std::string_view what) {
  const absl::StatusOr<Digest> actual = crypto::RootAt(store_, size);
  if (!actual.ok() && status::ReasonOf(actual.status()) != Reason::kAuditLogAltered) {
    return actual.status();
  }
  if (actual.ok() && *actual == root) return absl::OkStatus();
  return integrity_.MarkAltered(fmt::format("{} is not the root of the stored nodes", what));
}

absl::StatusOr<Inclusion> AuditLog::ProveInclusion(const EntrySelector& selector,
                                                   std::optional<std::uint64_t> tree_size) {
  Inclusion proof;
  if (!tree_size) {
    YKT_ASSIGN_OR_RETURN(proof.checkpoint, NewestCheckpoint());
    proof.tree_size = proof.checkpoint->checkpoint.size;
  } else {
    YKT_ASSIGN_OR_RETURN(const Ends ends, store_.ReadEnds());
    if (*tree_size > ends.head.size) return InvalidField("tree_size");
    proof.tree_size = *tree_size;
  }
  YKT_ASSIGN_OR_RETURN(const std::optional<StoredEntry> entry, store_.Find(selector));
  if (!entry || entry->index >= proof.tree_size) return NoSuchEntry();
  proof.index = entry->index;
  proof.leaf_hash = entry->leaf_hash;
  YKT_ASSIGN_OR_RETURN(proof.path, crypto::InclusionProof(store_, proof.index, proof.tree_size));
  return proof;
}

absl::StatusOr<Consistency> AuditLog::ProveConsistency(std::uint64_t first_size,
                                                       std::optional<std::uint64_t> second_size) {
  Consistency proof;
  proof.first_size = first_size;
  if (!second_size) {
    YKT_ASSIGN_OR_RETURN(proof.checkpoint, NewestCheckpoint());
    proof.second_size = proof.checkpoint->checkpoint.size;
  } else {
    YKT_ASSIGN_OR_RETURN(const Ends ends, store_.ReadEnds());
    if (*second_size > ends.head.size) return InvalidField("second_size");
    proof.second_size = *second_size;
  }
  if (proof.first_size > proof.second_size) return InvalidField("first_size");
  YKT_ASSIGN_OR_RETURN(proof.hashes,
                       crypto::ConsistencyProof(store_, proof.first_size, proof.second_size));
  return proof;
}

absl::StatusOr<StoredEntry> AuditLog::FindEntry(const Caller& caller,
                                                const EntrySelector& selector) {
  if (!MayBrowse(caller) && !NamedByHash(selector)) return NoSuchEntry();
  YKT_ASSIGN_OR_RETURN(std::optional<StoredEntry> entry, store_.Find(selector));
  if (!entry || !caller.InDistrict(entry->facts.district)) return NoSuchEntry();
  return *std::move(entry);
}

absl::StatusOr<EntryPage> AuditLog::ListEntries(const Caller& caller, const ListRequest& request) {
  if (!MayBrowse(caller)) return status::Refuse(Reason::kPermissionDenied);
  if (request.page_size < 0 || request.page_size > kMaxPageSize) return InvalidField("page_size");
  YKT_ASSIGN_OR_RETURN(const std::uint64_t first, PageStart(request));
  const int wanted = request.page_size == 0 ? kDefaultPageSize : request.page_size;
  EntryFilter filter = request.filter;
  filter.subject = CutSubject(filter.subject);
  EntryPage page;
  // One more than wanted, to know whether there is a next page.
  YKT_ASSIGN_OR_RETURN(page.entries,
                       store_.List(filter, identity::ScopeOf(caller), first, wanted + 1));
  std::size_t kept = 0;
  for (std::size_t bytes = 0; kept < page.entries.size() && kept < static_cast<std::size_t>(wanted);
       ++kept) {
    bytes += page.entries[kept].body.size();
    if (kept > 0 && bytes > kMaxPageBytes) break;
  }
  if (kept < page.entries.size()) {
    page.next_page_token = PageToken(page.entries[kept].index, request.filter);
    page.entries.resize(kept);
  }
  return page;
}

absl::StatusOr<std::string> AuditLog::ReadTile(const TileId& id) {
  YKT_ASSIGN_OR_RETURN(const Ends ends, store_.ReadEnds());
  YKT_ASSIGN_OR_RETURN(const std::vector<crypto::NodeId> ids, NodesOfTile(id, ends.head.size));
  YKT_ASSIGN_OR_RETURN(const std::vector<Digest> nodes, store_.Nodes(ids));
  std::string data;
  for (const Digest& node : nodes) data += crypto::BytesOf(node);
  return data;
}

absl::StatusOr<std::string> AuditLog::ReadBundle(const Caller& caller, std::uint64_t index,
                                                 int width) {
  if (!MayBrowse(caller) || !caller.AllDistricts()) {
    return status::Refuse(Reason::kPermissionDenied, "a bundle shows all districts");
  }
  YKT_ASSIGN_OR_RETURN(const Ends ends, store_.ReadEnds());
  YKT_ASSIGN_OR_RETURN(const std::uint64_t first, FirstOfBundle(index, width, ends.head.size));
  YKT_ASSIGN_OR_RETURN(const std::vector<StoredEntry> entries, store_.Range(first, width));
  std::string data;
  for (const StoredEntry& entry : entries) AppendToBundle(data, entry.body);
  if (data.size() > kMaxBundleBytes) {
    return status::Refuse(Reason::kMessageTooLarge, "list the entries instead",
                          {{"limit_bytes", std::to_string(kMaxBundleBytes)}});
  }
  if (entries.size() != static_cast<std::size_t>(width)) {
    return integrity_.MarkAltered("entries below the newest head are missing");
  }
  return data;
}

}  // namespace yikatong::auditlog

// The public notice: freezing the list, objections, its end.
#include <fmt/format.h>

#include <charconv>
#include <string_view>
#include <system_error>

#include "common/base/dates.h"
#include "common/base/failpoint.h"
#include "common/crypto/merkle.h"
#include "common/postgres/bulk.h"
#include "common/status/status.h"
#include "services/dispatch/sql/queries.h"
#include "services/dispatch/store/intake_store.h"

namespace yikatong::dispatch {
namespace {

using status::Reason;

absl::StatusOr<Notice> FindNotice(postgres::Transaction& tx, const BatchRow& batch) {
  YKT_ASSIGN_OR_RETURN(const postgres::Rows rows,
                       tx.Run(sql::kNoticeFind, batch.district, batch.batch_id));
  if (rows.empty()) {
    return status::Refuse(Reason::kBatchState, "no notice was published",
                          {{"state", std::string(BatchStateName(batch.state))}});
  }
  return Notice{batch.batch_id,   rows[0].Date(0),  rows[0].Date(1),
                rows[0].Bytes(2), rows[0].Int64(3), rows[0].Bool(4)};
}

absl::Status AddException(postgres::Transaction& tx, const StoreContext& context,
                          const BatchRow& batch, std::int64_t item_id, Bucket bucket,
                          Reason reason) {
  postgres::Columns columns;
  const std::vector<std::int64_t> items = {item_id};
  const std::vector<std::int16_t> buckets = {static_cast<std::int16_t>(bucket)};
  const std::vector<std::string> reasons = {std::string(status::ReasonName(reason))};
  columns.Scalar(batch.district)
      .Scalar(batch.batch_id)
      .Int64s(items)
      .Int16s(buckets)
      .Texts(reasons)
      .Scalar(context.business.Today());
  return tx.RunColumns(sql::kExceptionInsert, columns).status();
}

std::string_view DecisionName(ObjectionState decision) {
  switch (decision) {
    case ObjectionState::kUpheld:
      return "upheld";
    case ObjectionState::kRejected:
      return "rejected";
    case ObjectionState::kWithdrawn:
      return "withdrawn";
    case ObjectionState::kOpen:
      break;
  }
  return "open";
}

// Whether the money of a batch in this state is reserved, or on its way.
bool IsFunded(BatchState state) {
  return state == BatchState::kFunded || state == BatchState::kPaying ||
         state == BatchState::kSettled;
}

struct Place {
  std::int64_t line = 0;  // last line that was read
  std::int64_t key = 0;   // its item, or its village
};

absl::StatusOr<Place> PlaceOf(std::string_view after) {
  Place place;
  if (after.empty()) return place;
  const char* const end = after.data() + after.size();
  const auto line = std::from_chars(after.data(), end, place.line);
  if (line.ec != std::errc() || line.ptr == end || *line.ptr != '.') {
    return status::Refuse(Reason::kPageTokenInvalid);
  }
  const auto key = std::from_chars(line.ptr + 1, end, place.key);
  if (key.ec != std::errc() || key.ptr != end || place.line < 0 || place.key < 0) {
    return status::Refuse(Reason::kPageTokenInvalid);
  }
  return place;
}

// The next lines of a notice behind `place`, at most `size`.
absl::StatusOr<std::vector<NoticeLine>> ReadLines(postgres::Transaction& tx, const BatchRow& batch,
                                                  bool aggregate_only, Place place, int size) {
  std::vector<NoticeLine> lines;
  if (aggregate_only) {
    YKT_ASSIGN_OR_RETURN(const postgres::Rows rows,
                         tx.Run(sql::kNoticeCells, batch.district, batch.batch_id, batch.first_item,
                                batch.last_item(), place.key, size));
    for (const postgres::Row row : rows) {
      lines.push_back(
          WithoutSmallCells({++place.line, "", row.Int64(0), row.Int64(2), row.Int64(1), 0}));
    }
    return lines;
  }
  const std::int64_t after = place.key == 0 ? batch.first_item - 1 : place.key;
  YKT_ASSIGN_OR_RETURN(
      const postgres::Rows rows,
      tx.Run(sql::kNoticeItems, batch.district, batch.batch_id, after, batch.last_item(), size));
  for (const postgres::Row row : rows) {
    lines.push_back({++place.line, row.Text(1), row.Int64(2), row.Int64(3), 1, row.Int64(0)});
  }
  return lines;
}

std::int64_t KeyOf(const NoticeLine& line) {
  return line.item_id != 0 ? line.item_id : line.village;
}

}  // namespace

absl::Status PgIntakeStore::FreezeList(postgres::Transaction& tx, const BatchRow& batch,
                                       Notice& notice) {
  crypto::MerkleAccumulator tree;
  Place place;
  while (true) {
    YKT_ASSIGN_OR_RETURN(const std::vector<NoticeLine> lines,
                         ReadLines(tx, batch, notice.aggregate_only, place, options_.notice_page));
    for (const NoticeLine& line : lines) tree.Add(crypto::LeafHash(NoticeLineBytes(line)));
    if (lines.size() < static_cast<std::size_t>(options_.notice_page)) break;
    place = {lines.back().line, KeyOf(lines.back())};
  }
  notice.lines = static_cast<std::int64_t>(tree.size());
  notice.root = crypto::StringOf(tree.Root());
  return absl::OkStatus();
}

absl::StatusOr<std::string> PgIntakeStore::PublishNotice(const identity::Caller& caller,
                                                         const Request& request,
                                                         std::int64_t batch_id,
                                                         const Encode<Notice>& encode) {
  return OnBatch(
      "publish_notice", caller, request, batch_id, false,
      [&](postgres::Transaction& tx, BatchRow& batch) -> absl::StatusOr<std::string> {
        YKT_RETURN_IF_ERROR(Next(batch.state, BatchEvent::kPublishNotice).status());
        YKT_ASSIGN_OR_RETURN(const postgres::Rows left,
                             tx.Run(sql::kBatchUnexplained, batch.district, batch.batch_id));
        if (left[0].Int64(0) > 0) {
          return status::Refuse(Reason::kDeparturesUnexplained, "",
                                {{"unexplained", std::to_string(left[0].Int64(0))}});
        }
        YKT_ASSIGN_OR_RETURN(const policy::PolicyRule rule, rules_.Decode(batch.rule));
        Notice notice;
        notice.batch_id = batch_id;
        notice.aggregate_only = rule.notice.aggregate_only;
        // The first day counts: a notice of seven days that begins on a Monday ends with the
        // Sunday.
        notice.from_date = context_.business.Today();
        notice.to_date = notice.from_date + rule.notice.calendar_days - 1;
        YKT_RETURN_IF_ERROR(FreezeList(tx, batch, notice));
        YKT_RETURN_IF_ERROR(tx.Run(sql::kNoticeInsert, batch.district, batch_id, notice.from_date,
                                   notice.to_date, postgres::Bytes{notice.root}, notice.lines,
                                   notice.aggregate_only)
                                .status());
        YKT_RETURN_IF_ERROR(Advance(tx, context_, batch, BatchEvent::kPublishNotice));
        YKT_RETURN_IF_ERROR(Audit(tx, context_, caller, batch,
                                  {"notice.published",
                                   request.request_id,
                                   notice.root,
                                   notice.lines,
                                   {{"from", base::FormatDate(notice.from_date)},
                                    {"to", base::FormatDate(notice.to_date)}},
                                   ""})
                                .status());
        return encode(notice);
      });
}

absl::StatusOr<std::string> PgIntakeStore::RaiseObjection(
    const identity::Caller& caller, const Request& request, std::int64_t batch_id,
    std::int64_t item_id, std::string_view text, const Encode<Objection>& encode) {
  return OnBatch(
      "raise_objection", caller, request, batch_id, false,
      [&](postgres::Transaction& tx, BatchRow& batch) -> absl::StatusOr<std::string> {
        YKT_ASSIGN_OR_RETURN(const Notice notice, FindNotice(tx, batch));
        const absl::CivilDay today = context_.business.Today();
        if (batch.state == BatchState::kNoticed && today > notice.to_date)
          return status::Refuse(Reason::kNoticeEnded);
        if (batch.state != BatchState::kNoticed) {
          return status::Refuse(
              batch.state == BatchState::kCancelled || batch.state == BatchState::kReturned
                  ? Reason::kBatchState
                  : Reason::kNoticeEnded,
              "", {{"state", std::string(BatchStateName(batch.state))}});
        }
        YKT_ASSIGN_OR_RETURN(const postgres::Rows item,
                             tx.Run(sql::kItemFind, batch.district, item_id, batch_id));
        if (item.empty()) return status::Refuse(Reason::kItemUnknown);
        YKT_ASSIGN_OR_RETURN(const postgres::Rows open,
                             tx.Run(sql::kExceptionOpenOfItem, batch.district, item_id));
        if (!open.empty()) {
          return status::Refuse(open[0].Int(0) == static_cast<int>(Bucket::kHeld)
                                    ? Reason::kObjectionOpen
                                    : Reason::kObjectionDecided);
        }
        Objection objection;
        objection.batch_id = batch_id;
        objection.item_id = item_id;
        objection.text = text;
        objection.raised_by = caller.person;
        YKT_ASSIGN_OR_RETURN(const postgres::Rows made,
                             tx.Run(sql::kObjectionInsert, batch.district, batch_id, item_id, text,
                                    caller.person, today));
        objection.objection_id = made[0].Int64(0);
        YKT_RETURN_IF_ERROR(
            AddException(tx, context_, batch, item_id, Bucket::kHeld, Reason::kObjectionOpen));
        YKT_RETURN_IF_ERROR(
            AppendMovements(tx, context_, batch,
                            {{Bucket::kWaiting,
                              Bucket::kHeld,
                              std::string(status::ReasonName(Reason::kObjectionOpen)),
                              {1, item[0].Int64(0)}}}));
        YKT_RETURN_IF_ERROR(Audit(tx, context_, caller, batch,
                                  {"objection.raised",
                                   request.request_id,
                                   "",
                                   0,
                                   {{"item", std::to_string(item_id)}},
                                   fmt::format("/objections/{}", objection.objection_id)})
                                .status());
        return encode(objection);
      });
}

absl::StatusOr<std::string> PgIntakeStore::DecideObjection(
    const identity::Caller& caller, const Request& request, std::int64_t batch_id,
    std::int64_t objection_id, ObjectionState decision, std::string_view reason,
    const Encode<Objection>& encode) {
  return OnBatch(
      "decide_objection", caller, request, batch_id, false,
      [&](postgres::Transaction& tx, BatchRow& batch) -> absl::StatusOr<std::string> {
        YKT_ASSIGN_OR_RETURN(const postgres::Rows rows,
                             tx.Run(sql::kObjectionFind, batch.district, batch_id, objection_id));
        if (rows.empty()) return status::Refuse(Reason::kObjectionUnknown);
        Objection objection{objection_id,
                            batch_id,
                            rows[0].Int64(0),
                            rows[0].Text(1),
                            static_cast<ObjectionState>(rows[0].Int(2)),
                            rows[0].Text(3),
                            std::string(reason)};
        if (objection.state != ObjectionState::kOpen)
          return status::Refuse(Reason::kObjectionDecided);
        if (batch.state == BatchState::kCancelled || batch.state == BatchState::kReturned ||
            batch.state == BatchState::kClosed) {
          return status::Refuse(Reason::kBatchState, "",
                                {{"state", std::string(BatchStateName(batch.state))}});
        }
        // Whoever raised it may take it back, and nothing else.
        if (decision != ObjectionState::kWithdrawn && objection.raised_by == caller.person) {
          return status::Refuse(Reason::kSamePerson, "", {{"earlier", "raised"}});
        }
        objection.state = decision;
        base::failpoint::Note("objection", "open", DecisionName(decision));
        YKT_ASSIGN_OR_RETURN(const postgres::Rows decided,
                             tx.Run(sql::kObjectionDecide, batch.district, batch_id, objection_id,
                                    static_cast<int>(decision), caller.person, reason));
        YKT_INVARIANT(decided.affected() == 1, "an objection was decided under our lock");
        YKT_ASSIGN_OR_RETURN(const postgres::Rows item,
                             tx.Run(sql::kItemFind, batch.district, objection.item_id, batch_id));
        YKT_INVARIANT(item.size() == 1, "an objection to no item");
        const std::int64_t amount_fen = item[0].Int64(0);
        YKT_ASSIGN_OR_RETURN(const postgres::Rows freed,
                             tx.Run(sql::kExceptionUnhold, batch.district, objection.item_id));
        YKT_INVARIANT(freed.affected() == 1, "an open objection that held nothing");

        const bool upheld = decision == ObjectionState::kUpheld;
        if (upheld) {
          YKT_RETURN_IF_ERROR(AddException(tx, context_, batch, objection.item_id, Bucket::kStopped,
                                           Reason::kObjectionUpheld));
        }
        YKT_RETURN_IF_ERROR(AppendMovements(
            tx, context_, batch,
            {{Bucket::kHeld,
              upheld ? Bucket::kStopped : Bucket::kWaiting,
              upheld ? std::string(status::ReasonName(Reason::kObjectionUpheld)) : std::string(),
              {1, amount_fen}}}));
        if (upheld && IsFunded(batch.state)) {
          YKT_RETURN_IF_ERROR(money_.ItemStopped(tx, caller, batch, objection.item_id, amount_fen));
        } else if (!upheld &&
                   (batch.state == BatchState::kPaying || batch.state == BatchState::kSettled)) {
          YKT_RETURN_IF_ERROR(money_.ItemFreed(tx, caller, batch, objection.item_id));
        }
        static constexpr std::string_view kDecisions[] = {"", "open", "upheld", "rejected",
                                                          "withdrawn"};
        YKT_RETURN_IF_ERROR(
            Audit(tx, context_, caller, batch,
                  {"objection.decided",
                   request.request_id,
                   "",
                   0,
                   {{"item", std::to_string(objection.item_id)},
                    {"decision", std::string(kDecisions[static_cast<std::size_t>(decision)])}},
                   fmt::format("/objections/{}", objection_id)})
                .status());
        return encode(objection);
      });
}

absl::StatusOr<std::string> PgIntakeStore::CloseNotice(const identity::Caller& caller,
                                                       const Request& request,
                                                       std::int64_t batch_id,
                                                       const Encode<Batch>& encode) {
  return OnBatch("close_notice", caller, request, batch_id, false,
                 [&](postgres::Transaction& tx, BatchRow& batch) -> absl::StatusOr<std::string> {
                   YKT_RETURN_IF_ERROR(Next(batch.state, BatchEvent::kCloseNotice).status());
                   YKT_ASSIGN_OR_RETURN(const Notice notice, FindNotice(tx, batch));
                   if (context_.business.Today() <= notice.to_date) {
                     return status::Refuse(Reason::kNoticeRunning, "",
                                           {{"to_date", base::FormatDate(notice.to_date)}});
                   }
                   if (!notice.aggregate_only) {
                     YKT_ASSIGN_OR_RETURN(
                         const postgres::Rows photo,
                         tx.Run(sql::kAttachmentHasKind, batch.district, batch_id, "notice_photo"));
                     if (!photo[0].Bool(0)) return status::Refuse(Reason::kNoticeEvidenceMissing);
                   }
                   YKT_RETURN_IF_ERROR(Advance(tx, context_, batch, BatchEvent::kCloseNotice));
                   YKT_ASSIGN_OR_RETURN(const policy::PolicyRule rule, rules_.Decode(batch.rule));
                   if (rule.review_steps.empty())
                     YKT_RETURN_IF_ERROR(Advance(tx, context_, batch, BatchEvent::kFinishReview));
                   YKT_RETURN_IF_ERROR(Audit(tx, context_, caller, batch,
                                             {"notice.closed", request.request_id, "", 0, {}, ""})
                                           .status());
                   return Answer(tx, batch, encode);
                 });
}

absl::StatusOr<IntakeStore::NoticePage> PgIntakeStore::ListNoticeLines(
    const identity::Caller& caller, std::int64_t batch_id, const Page& page) {
  NoticePage answer;
  YKT_RETURN_IF_ERROR(
      context_.database.Read("list_notice_lines", [&](postgres::Transaction& tx) -> absl::Status {
        answer = {};
        YKT_ASSIGN_OR_RETURN(const BatchRow batch, dispatch::FindBatch(tx, caller, batch_id));
        YKT_ASSIGN_OR_RETURN(answer.notice, FindNotice(tx, batch));
        YKT_ASSIGN_OR_RETURN(const Place place, PlaceOf(page.after));
        YKT_ASSIGN_OR_RETURN(answer.lines.rows,
                             ReadLines(tx, batch, answer.notice.aggregate_only, place, page.size));
        if (answer.lines.rows.size() == static_cast<std::size_t>(page.size) &&
            answer.lines.rows.back().line < answer.notice.lines) {
          answer.lines.next =
              fmt::format("{}.{}", answer.lines.rows.back().line, KeyOf(answer.lines.rows.back()));
        }
        return absl::OkStatus();
      }));
  return answer;
}

}  // namespace yikatong::dispatch

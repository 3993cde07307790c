"""What entries of the audit log say in words, beside the rows that they speak of: for each kind of entry the fields that count, and
the statement that gives the same of the rows. Both ways: an entry without its row is as wrong as a row without its entry."""

BATCH = "concat('batches/', district, '/', batch_id)"
LINE = "concat('budget-lines/', district, '/', line_id)"
ORDER_KINDS = "(ARRAY['transfer', 'lapse', 'carry_over', 'settle'])[kind]"

EVERY_SERVICE = "catalogue registry dispatch bankgateway"

# kind of entry -> (services, fields behind the subject, statement that gives subject and fields)
FACTS = {
    "service.restored": (EVERY_SERVICE, ("restore_id", "former_epoch", "kept_through"),
                         "SELECT concat('services/', current_database()), restore_id, epoch - 1, kept_through FROM restored"),
    "restore.finished": ("bankgateway", ("restore_id",),
                         "SELECT 'services/bankgateway', restore_id FROM restored WHERE finished_at IS NOT NULL"),
    "instructions.withheld": ("bankgateway", ("rows", "submission", "total_fen"),
                              "SELECT concat('agreements/', agreement_no), withheld, request_id, withheld_fen FROM submission "
                              "WHERE withheld > 0"),
    "policy.created": ("catalogue", ("department", "key_kind", "slot_unit"),
                       "SELECT concat('policies/', policy_id), department_id, key_kind, slot_unit FROM policy"),
    "version.published": ("catalogue", ("effective_from", "published_on"),
                          "SELECT concat('policies/', policy_id, '/versions/', version), effective_from, published_on "
                          "FROM policy_version WHERE state = 4"),
    "list.published": ("catalogue", ("entries", "sha256"), "SELECT concat('lists/', district, '/', edition), entry_count, "
                       "encode(sha256, 'hex') FROM published_list"),
    "exemption.requested": ("catalogue", ("field", "policy", "valid_from", "valid_to"),
                            "SELECT concat('exemptions/', exemption_id), field, coalesce(policy_id, ''), valid_from, valid_to "
                            "FROM exemption"),
    "people.loaded": ("registry", ("accepted",), "SELECT concat('loads/', load_id, '/', chunk), accepted FROM load_chunk"),
    "batch.created": ("dispatch", ("declared_count", "declared_fen", "period", "policy", "version"),
                      f"SELECT {BATCH}, declared_count, declared_fen, period, policy_id, policy_version FROM batch "
                      "WHERE NOT EXISTS (SELECT FROM batch_origin o WHERE o.district = batch.district "
                      "AND o.batch_id = batch.batch_id)"),
    "batch.reviewed": ("dispatch", ("step", "late"), f"SELECT {BATCH}, step, late FROM review"),
    "batch.funded": ("dispatch", ("amount_fen",), f"SELECT {BATCH}, sum(amount_fen) FROM reservation GROUP BY district, batch_id"),
    "archive.sealed": ("dispatch", ("files", "keep_until", "leaves", "manifest_sha256", "records", "root"),
                       f"SELECT concat({BATCH}, '/archives/', package_no), files, keep_until, 1, encode(manifest_sha256, 'hex'), "
                       "records, encode(sha256('\\x00'::bytea || manifest), 'hex') FROM archive"),
    "attachment.added": ("dispatch", ("kind", "sha256"), f"SELECT {BATCH}, kind, encode(sha256, 'hex') FROM attachment"),
    "notice.published": ("dispatch", ("from", "to", "root", "leaves"),
                         f"SELECT {BATCH}, from_date, to_date, encode(root, 'hex'), lines FROM notice"),
    "objection.raised": ("dispatch", ("item",), f"SELECT concat({BATCH}, '/objections/', objection_id), item_id FROM objection"),
    "objection.decided": ("dispatch", ("decision", "item"),
                          f"SELECT concat({BATCH}, '/objections/', objection_id), "
                          "(ARRAY['', 'upheld', 'rejected', 'withdrawn'])[state], item_id FROM objection WHERE state > 1"),
    "budget.line_created": ("dispatch", ("policy", "source", "year"), f"SELECT {LINE}, policy_id, source, year FROM budget_line"),
    "budget.appropriated": ("dispatch", ("amount_fen",), f"SELECT {LINE}, amount_fen FROM ledger WHERE step = 'appropriate'"),
    "budget.received": ("dispatch", ("amount_fen", "document", "from_level", "policy", "received_on", "source", "year"),
                        "SELECT concat('fund-receipts/', district, '/', receipt_id), amount_fen, document, from_level, policy_id, "
                        "received_on, source, year FROM fund_receipt"),
    "budget.passed_down": ("dispatch", ("amount_fen", "document", "line", "receipt"),
                           "SELECT concat('pass-downs/', district, '/', pass_down_id), amount_fen, document, "
                           "concat('budget-lines/', to_district, '/', line_id), "
                           "concat('fund-receipts/', district, '/', receipt_id) FROM pass_down"),
    "budget.pass_down_booked": ("dispatch", ("amount_fen", "pass_down"),
                                f"SELECT {LINE}, amount_fen, reason FROM ledger WHERE step = 'pass_down'"),
    "budget.order_requested": ("dispatch", ("document", "kind", "line"),
                               f"SELECT concat('budget-orders/', district, '/', order_id), document, {ORDER_KINDS}, line_id "
                               "FROM budget_order"),
    "budget.order_approved": ("dispatch", ("amount_fen", "kind", "line"),
                              f"SELECT concat('budget-orders/', district, '/', order_id), amount_fen, {ORDER_KINDS}, line_id "
                              "FROM budget_order WHERE state = 2"),
    "recovery.receive": ("dispatch", ("amount_fen", "item", "receipt"),
                         f"SELECT concat({BATCH}, '/recoveries/', recovery_id), amount_fen, item_id, receipt "
                         "FROM recovery_receipt"),
    "arrival.recorded": ("dispatch", ("amount_fen", "receipt"),
                         "SELECT concat('arrivals/', district, '/', arrival_id), amount_fen, receipt FROM arrival"),
    "bank.created": ("bankgateway", (), "SELECT concat('banks/', bank_code) FROM bank"),
    "agreement.created": ("bankgateway", ("bank", "valid_from", "valid_to"),
                          "SELECT concat('agreements/', agreement_no), bank_code, valid_from, valid_to FROM agreement"),
}
# Fields that stand in an entry by their own name; the others are details.
OWN_FIELDS = ("root", "leaves")


def stated(facts: dict) -> tuple:
    """What an entry says, as `rows_of` gives it: (kind, subject, fields)."""
    _, fields, _ = FACTS[facts["kind"]]
    return (facts["kind"], facts["subject"],
            *(facts.get(name if name in OWN_FIELDS else f"detail.{name}", "") for name in fields))


def rows_of(kind: str, rows) -> list:
    """The same of the rows; `rows` reads a statement of a database."""
    services, _, sql = FACTS[kind]
    return [(kind, *(str(one).lower() if isinstance(one, bool) else str(one) for one in row))
            for service in services.split() for row in rows(service, sql)]

"""What the checker must find: for each table of each database the row and the columns that a mutation touches.

A table that stands nowhere here fails the test, so that a new one cannot be forgotten.
"""

PLUS = "{} + 1"
OTHER_TEXT = "{} || 'x'"
MIGRATIONS = {"schema_migrations": ("number = 1", {"number": "{} + 100"})}
# Of each service that has entries for the log.
OUTBOX = {
    "outbox_number": ("number = 1", {"body": "{} || 'x'", "number": "{} + 100000", "producer": "'other/0'"}),
    "outbox_relay": ("true", {"last_number": "{} - 1", "acked_number": PLUS, "producer": "'other/0'"}),
    **MIGRATIONS,
}
# An entry that says of a step of a chunk what no row says.
OUTBOX_ROW = "INSERT INTO outbox SELECT 120105, gen_random_uuid(), now(), convert_to(E'yikatong-audit-entry/v1\nservice: dispatch\n" \
             "kind: chunk.submitted\nsubject: batches/120105/1/chunks/1\nroot: ' || encode(sha256('x'), 'hex') || E'\nleaves: 1\n', 'UTF8')"

# For each table: which row, and the columns that mean something, each with what it is changed to. What has no meaning for a
# payment is not here: instants, holders of leases, texts for people.
TABLES = {
    "dispatch": {
        "batch": ("state = 8", {"declared_count": PLUS, "declared_fen": PLUS, "district": PLUS, "department_id": OTHER_TEXT,
                                "field": "'NONE'", "policy_id": "'P999'", "period": "'1999-01'", "state": "5::smallint",
                                "policy_version": PLUS, "first_item": PLUS, "created_by": "released_by",
                                "salt_key": "sha256({})"}),
        "upload_chunk": ("accepted > 0 AND cardinality(claim_keys) > 0", {
            "rows": PLUS, "rows_fen": PLUS, "accepted": PLUS, "accepted_fen": PLUS, "first_row": PLUS, "last_row": PLUS,
            "first_item": PLUS, "last_item": "{} - 1", "claim_keys": "{}[2:]"}),
        "item": ("true", {"amount_fen": PLUS, "person_id": PLUS, "payee_id": PLUS, "village": PLUS, "masked_name": OTHER_TEXT,
                          "chunk": PLUS, "batch_id": PLUS, "item_id": "{} + 900000", "district": PLUS}),
        "rejection": ("amount_fen > 0", {"amount_fen": PLUS, "reason": OTHER_TEXT, "row_number": PLUS, "chunk": PLUS,
                                         "batch_id": PLUS}),
        "claim": ("owner > 0", {"owner": "1::bigint", "holders": PLUS, "claim_key": "gen_random_uuid()"}),
        "claim edge": ("owner < 0", {"holders": PLUS, "claim_key": "gen_random_uuid()"}),
        "movement": ("to_bucket = 6", {"items": PLUS, "amount_fen": PLUS, "to_bucket": "7::smallint",
                                       "from_bucket": "1::smallint",
                                       "batch_id": PLUS, "reason": OTHER_TEXT}),
        "chunk": ("NOT repair AND EXISTS (SELECT FROM batch b WHERE b.batch_id = chunk.batch_id AND b.state = 8)", {
            "first_item": PLUS, "last_item": "{} - 1", "stage": "2::smallint", "batch_id": PLUS, "chunk": "{} + 50",
            "repair": "true"}),
        "chunk of a repair": ("repair AND EXISTS (SELECT FROM attempt a WHERE a.batch_id = chunk.batch_id "
                              "AND a.chunk = chunk.chunk)", {"item_ids": "ARRAY[1, 2]::bigint[]", "stage": "9::smallint",
                                                             "chunk": "{} + 50"}),
        "exception": ("bucket = 4 AND NOT resolved", {"bucket": "3::smallint", "reason": OTHER_TEXT, "resolved": "true",
                                                      "batch_id": PLUS, "item_id": PLUS}),
        "exception that is resolved": ("bucket = 4 AND resolved", {"reason": OTHER_TEXT, "resolved": "false"}),
        "attempt": ("reference % 100 = 1", {"amount_fen": PLUS, "bank_code": PLUS, "account_version": PLUS,
                                            "social_card": "NOT {}", "chunk": PLUS, "submission_no": PLUS, "batch_id": PLUS,
                                            "reference": "{} + 1"}),
        "submission": ("refused = ''", {"rows": PLUS, "amount_fen": PLUS, "agreement_no": OTHER_TEXT, "request_id": OTHER_TEXT,
                                        "acknowledged": "false", "chunk": PLUS, "refused": "'X'"}),
        "outcome": ("state = 1", {"state": "2::smallint", "amount_fen": PLUS, "reason": OTHER_TEXT, "booked_on": PLUS,
                                  "outcome_no": PLUS, "applied_in": PLUS, "reference": PLUS}),
        "applied_chunk": ("cardinality(item_references) > 1", {
            "number": "{} + 100000", "district": PLUS, "item_references": "{}[2:]", "states": "array_fill(2::smallint, "
                                                                                              "ARRAY[cardinality({})])"}),
        "outcome_cursor": ("gateway = 'bankgateway'", {"applied": "{} - 1"}),
        "outcome_cursor of the registry": ("gateway = 'registry'", {"applied": "{} + 100000", "gateway": OTHER_TEXT}),
        "reservation": ("amount_fen > 0", {"amount_fen": PLUS, "line_id": PLUS, "batch_id": PLUS}),
        "budget_line": ("EXISTS (SELECT FROM reservation r WHERE r.district = budget_line.district "
                        "AND r.line_id = budget_line.line_id)", {"available_fen": PLUS, "policy_id": "'P999'", "year": PLUS,
                                                                 "source": "'fund2'", "line_id": "{} + 1000"}),
        **{f"ledger {step}": (f"step = '{step}'", {"amount_fen": PLUS, "debit": "6::smallint", "line_id": PLUS})
           for step in ("appropriate", "reserve", "submit", "paid", "failed", "returned", "release")},
        **{f"ledger {step} of a chunk": (f"step = '{step}'", {"chunk": PLUS, "batch_id": PLUS, "step": "'other'",
                                                              "credit": "6::smallint"})
           for step in ("submit", "paid", "failed", "returned")},
        "notice": ("NOT aggregate_only", {"root": "sha256({})", "lines": PLUS, "batch_id": PLUS}),
        "objection": ("state = 1", {"state": "2::smallint", "item_id": PLUS}),
        "review": ("step_no = 1", {"step": OTHER_TEXT, "approved": "false", "step_no": "{} + 5",
                                   "person": "(SELECT created_by FROM batch b WHERE b.batch_id = review.batch_id)"}),
        "attachment": ("kind = 'notice_photo'", {"kind": "'other'", "sha256": "sha256({})", "batch_id": PLUS}),
        "archive": ("true", {"files": PLUS, "records": PLUS, "bytes": PLUS, "manifest": "{} || 'x'",
                             "manifest_sha256": "sha256({})", "former_sha256": "sha256(manifest)", "run": PLUS, "batch_id": PLUS,
                             "package_no": PLUS}),
        "archive_file": ("part = 1", {"records": PLUS, "byte_size": PLUS, "part": "2::smallint", "file_no": "{} + 50",
                                      "sha256": "sha256({})", "batch_id": PLUS, "run": PLUS}),
        "archive_file that is kept": ("bytes IS NOT NULL", {"bytes": "{} || 'x'", "sha256": "sha256({})"}),
        "restore_epoch": ("true", {"epoch": PLUS}),
        "district_counter": ("district = 120105", dict.fromkeys(
            ("next_batch", "next_serial", "next_line", "next_document", "next_recovery", "district"), PLUS)),
        "request": ("method = 'FundBatch'", {"request_id": OTHER_TEXT}),
        "fund_receipt": ("true", {"amount_fen": PLUS, "passed_fen": PLUS, "policy_id": OTHER_TEXT, "year": PLUS, "source": "'fund'",
                                  "receipt_id": PLUS, "district": PLUS, "received_on": PLUS}),
        "pass_down": ("true", {"amount_fen": PLUS, "line_id": PLUS, "to_district": PLUS, "receipt_id": PLUS, "pass_down_id": PLUS}),
        "pass_down_booking": ("true", {"line_id": PLUS, "pass_down_id": PLUS, "from_district": PLUS, "district": PLUS}),
        "budget_order": ("true", {"amount_fen": PLUS, "kind": "2::smallint", "state": "3::smallint", "line_id": PLUS,
                                  "to_line_id": PLUS, "order_id": PLUS}),
        "recovery_case": ("true", {"case_id": "{} + 1000", "cause": "2::smallint", "person_id": PLUS}),
        "recovery": ("state = 3", {"due_fen": "{} + 100000000", "received_fen": PLUS, "state": "5::smallint", "item_id": PLUS,
                                   "batch_id": PLUS, "case_id": "{} + 1000", "cause": "2::smallint", "recovery_id": "{} + 1000"}),
        "recovery_receipt": ("true", {"amount_fen": PLUS, "receipt": OTHER_TEXT, "recovery_id": "{} + 1000", "item_id": PLUS,
                                      "batch_id": PLUS}),
        "arrival": ("true", {"amount_fen": PLUS, "receipt": OTHER_TEXT, "state": "1::smallint", "recovery_id": PLUS,
                             "arrival_id": "{} + 1000"}),
        **OUTBOX,
    },
    "bankgateway": {
        "submission": ("file_id IS NOT NULL", {"row_count": PLUS, "total_fen": PLUS, "agreement_no": OTHER_TEXT,
                                               "request_id": OTHER_TEXT, "item_references": "{}[2:]", "file_id": "'none'",
                                               "district": PLUS, "bank_code": "'999110000031'"}),
        "instruction": ("true", {"amount_fen": PLUS, "person_id": PLUS, "account_version": PLUS, "payee_bank": "'999110000031'",
                                 "last_four": "({} + 1) % 10000", "submission_id": PLUS, "reference": PLUS, "district": PLUS}),
        "file": ("state = 4", {"row_count": PLUS, "total_fen": PLUS, "sha256": "sha256({})", "state": "5::smallint",
                               "agreement_no": OTHER_TEXT, "bank_code": "'999110000031'", "part_count": PLUS,
                               "final_rows": "{} - 1", "file_id": OTHER_TEXT, "district": PLUS}),
        "file_part": ("true", {"part": "{} + 5", "file_id": OTHER_TEXT}),
        "outcome": ("state = 1", {"state": "2::smallint", "amount_fen": PLUS, "reason": "'X'", "booked_on": PLUS,
                                  "outcome_no": PLUS, "reference": PLUS}),
        "outcome_chunk": ("cardinality(item_references) > 1", {
            "number": "{} + 100000", "district": PLUS, "item_references": "{}[2:]", "outcome_nos": "array_fill(7::smallint, "
            "ARRAY[cardinality({})])", "paid": PLUS, "failed": PLUS, "unknown": PLUS, "returned": PLUS}),
        "outcome_head": ("true", {"number": PLUS}),
        "notification_batch": ("true", {"item_references": "{}[2:]",
                                        "amounts_fen": "array_fill(1::bigint, ARRAY[cardinality({})])",
                                        "last_fours": "array_fill(10000::smallint, ARRAY[cardinality({})])"}),
        "statement": ("lines > 0", {"lines": PLUS, "agreed": PLUS, "differences": PLUS, "debit_fen": PLUS, "credit_fen": PLUS,
                                    "complete": "false", "agreement_no": OTHER_TEXT, "day": "{} - 300"}),
        "statement_line": ("debit", {"amount_fen": PLUS, "debit": "NOT {}", "reference": PLUS, "statement_id": PLUS}),
        "book_day": ("matched > 0", {"reported": PLUS, "matched": PLUS, "debit": "NOT {}", "day": "{} - 300",
                                     "agreement_no": OTHER_TEXT}),
        "bank": ("address <> ''", {"result_cursor": "{} - 1", "bank_code": "'999110000031'", "suspended": "NOT {}"}),
        "agreement": ("reconciled_through IS NOT NULL", {
            "credits_other_banks": "NOT {}", "bank_code": "'999110000031'", "district": PLUS, "agreement_no": OTHER_TEXT,
            "department_id": OTHER_TEXT, "valid_to": PLUS, "reconciled_through": "{} - 1"}),
        "restore_epoch": ("true", {"epoch": PLUS}),
        "request": ("true", {"request_id": OTHER_TEXT}),
        "reconciliation_case": ("true", {"state": "2::smallint", "events": PLUS, "open_fen": PLUS, "bank_code": "'999110000031'",
                                         "agreement_no": OTHER_TEXT, "day": "{} - 300", "case_id": "{} + 1000", "subject": OTHER_TEXT}),
        "case_event": ("event_no = 2", {"event_no": "{} + 5", "from_state": "2::smallint", "to_state": "2::smallint",
                                        "case_id": "{} + 1000"}),
        **OUTBOX,
    },
    "catalogue": {
        "department": ("true", {"name": OTHER_TEXT, "district": PLUS, "fields": "ARRAY['NONE']", "department_id": OTHER_TEXT}),
        "division": ("level = 3", {"code": PLUS, "district": PLUS, "level": "2::smallint", "fictitious": "NOT {}"}),
        "policy": ("policy_id = 'P001'", {"name_zh": OTHER_TEXT, "field": "'NONE'", "department_id": "'finance.120101'",
                                          "district": "120101", "slot_unit": "'LIFE'", "key_kind": "'PLOT'", "basis": OTHER_TEXT,
                                          "latest_version": PLUS, "policy_id": "'P999'"}),
        "policy_version": ("policy_id = 'P001' AND version = 6", {
            "rules": "replace({}, '104500', '104600')", "effective_from": PLUS, "state": "3::smallint", "version": PLUS,
            "published_on": PLUS, "policy_id": "'P999'"}),
        "policy_version that is a draft": ("state = 1", {"state": "4::smallint"}),
        "exclusion": ("true", {"policy_a": "'P999'", "policy_b": "'P999'", "basis": OTHER_TEXT, "exclusion_id": OTHER_TEXT}),
        "published_list": ("true", {"entry_count": PLUS, "sha256": "sha256({})", "published_on": "{} - 20000", "edition": PLUS}),
        "published_entry": ("policy_id = 'P001'", {"version": "{} - 1", "policy_id": "'P002'", "edition": PLUS}),
        "rollout_stage": ("ordinal = 1", {"from_date": PLUS, "districts": "{}[2:]", "fields": "{}[2:]", "ordinal": "9"}),
        "exemption": ("true", {"district": PLUS, "field": "'NONE'", "policy_id": "'P001'", "valid_to": PLUS, "state": "3::smallint",
                               "exemption_id": OTHER_TEXT}),
        "performance_target": ("true", {"target_people": PLUS, "target_fen": PLUS, "approved": "NOT {}", "district": PLUS,
                                        "year": PLUS, "set_by": "approved_by"}),
        "business_date": ("true", {"today": PLUS}),
        "numbering": ("true", {"restore_epoch": PLUS}),
        "request": ("true", {"request_id": OTHER_TEXT}),
        **OUTBOX,
    },
    "registry": {
        "person": ("card_state = 2", {
            "born_on": PLUS, "died_on": "date '2026-01-01'", "village_code": PLUS, "district": PLUS, "household_id": PLUS,
            "account_version": PLUS, "card_state": "3::smallint", "card_bank_code": "'999110000031'", "household_role": "4::smallint",
            "person_id": "{} + 900000", "merged_into": "person_id + 1"}),
        "person who has died": ("EXISTS (SELECT FROM change c WHERE c.person_id = person.person_id AND c.kind = 5)",
                                {"died_on": "NULL"}),
        "person_key": ("true", {"person_id": "{} + 900000"}),
        "household": ("true", {"head_person_id": PLUS, "household_id": "{} + 900000"}),
        "account": ("card_state = 2 AND account_version = 1", {
            "card_state": "3::smallint", "card_bank_code": "'999110000031'", "card_last4": "'0000'", "account_version": "{} + 5",
            "legacy_kind": "2::smallint", "person_id": "{} + 900000"}),
        "person_event": ("kind = 0", {"kind": "1::smallint", "account_version": PLUS, "village_code": PLUS, "person_id": "{} + 900000"}),
        "person_event that was told": ("kind = 5", {"kind": "4::smallint", "happened_on": PLUS, "effective": "NOT {}"}),
        "load_chunk": ("true", {"accepted": PLUS, "chunk": PLUS, "load_id": OTHER_TEXT}),
        "applied_event": ("true", {"person_id": PLUS}),
        "change": ("kind = 5", {"number": "{} + 100000", "kind": "4::smallint", "person_id": PLUS, "happened_on": PLUS,
                                "account_version": PLUS, "other_person_id": PLUS}),
        "count_delta": ("people > 0", dict.fromkeys(("people", "living", "active_cards", "legacy_only", "district"), PLUS)),
        "numbering": ("true", {"last_change": PLUS, "restore_epoch": PLUS}),
        **OUTBOX,
    },
    "auditlog": {
        "entry": ("kind = 'chunk.submitted'", {"body": "{} || 'x'", "leaf_hash": "sha256({})", "subtree_root": "sha256({})",
                                               "kind": OTHER_TEXT, "subject": OTHER_TEXT, "district": PLUS,
                                               "number": "{} + 100000", "index": "{} + 100000", "producer": OTHER_TEXT}),
        "entry of an appropriation": ("kind = 'budget.appropriated'", {"body": "{} || 'x'"}),
        "entry of the newest": ("index = (SELECT max(index) FROM entry)", {"body": "{} || 'x'"}),
        "tree_head": ("true", {"root": "sha256({})", "size": "{} + 100000"}),
        "tree_node": ("true", {"hash": "sha256({})", "index": "{} + 100000"}),
        **MIGRATIONS,
    },
}
# One row is all that there ever is, and its number is read as the highest.
NOT_DOUBLED = {("dispatch", "outcome_cursor"), ("bankgateway", "outcome_head")}
# A case comes into being where a statement is late, which no demonstration can be sure of: one as the gateway would write it.
PREPARED = {
    ("bankgateway", "reconciliation_case"): [
        """INSERT INTO reconciliation_case (agreement_no, bank_code, district, kind, subject, reference, day, state, priority, opened_on,
                                            closed_on, occurrences, statement_fen, book_fen, events)
           SELECT agreement_no, bank_code, s.district, 'STATEMENT_MISSING', day::text, 0, day, 5, 1, day, day, 1, 0, 0, 2
           FROM statement s JOIN agreement USING (agreement_no) WHERE complete ORDER BY statement_id LIMIT 1""",
        """INSERT INTO case_event (case_id, event_no, on_day, what, from_state, to_state, actor)
           SELECT case_id, event_no, day, what, from_state, to_state, '' FROM reconciliation_case,
           (VALUES (1, 'opened', 0, 1), (2, 'settled', 1, 5)) AS e (event_no, what, from_state, to_state)"""],
}
PREPARED[("bankgateway", "case_event")] = PREPARED[("bankgateway", "reconciliation_case")]
FOUND = "INSERT INTO restored (restore_id, epoch, kept_through) VALUES ('day-1', 2, 0); "
# In a demonstration these are empty: a row that is there is wrong.
ADDED = {
    ("dispatch", "departure"):
        "INSERT INTO departure SELECT district, batch_id, person_id, masked_name, amount_fen, '' FROM item ORDER BY item_id LIMIT 1",
    ("dispatch", "batch_origin"):
        "INSERT INTO batch_origin SELECT district, max(batch_id), 1, min(batch_id) FROM batch WHERE state = 8 GROUP BY 1 LIMIT 1",
    ("dispatch", "top_up"):
        "INSERT INTO top_up SELECT district, max(item_id), max(batch_id), min(item_id), 1, 1 FROM item GROUP BY 1 LIMIT 1",
    ("dispatch", "merged_person"): "INSERT INTO merged_person VALUES (4097, 4098), (4098, 4097)",
    ("dispatch", "outbox"): OUTBOX_ROW, ("bankgateway", "outbox"): OUTBOX_ROW, ("catalogue", "outbox"): OUTBOX_ROW,
    ("registry", "outbox"): OUTBOX_ROW,
    ("registry", "merge_request"):
        "INSERT INTO merge_request SELECT 'x', '', min(person_id), max(person_id), now(), 'x' FROM person",
    ("bankgateway", "difference"):
        "INSERT INTO difference (agreement_no, district, day, line, reference, kind, statement_fen, book_fen) "
        "SELECT agreement_no, district, current_date, 1, 1, 'SECOND_DEBIT', 1, 1 FROM agreement LIMIT 1",
    ("bankgateway", "suspense_entry"):
        "INSERT INTO suspense_entry (agreement_no, district, day, debit, credit, amount_fen, step) "
        "SELECT agreement_no, district, day, 1, 2, 1, 'x' FROM statement LIMIT 1",
    ("bankgateway", "line_apart"):
        "INSERT INTO line_apart SELECT district, reference, statement_id, line FROM statement_line LIMIT 1",
    **{(service, "restored"): "INSERT INTO restored (restore_id, epoch, kept_through) VALUES ('day-1', 1, 0)"
       for service in ("dispatch", "bankgateway", "catalogue", "registry")},
    # Nothing can be found without a restore.
    ("bankgateway", "restored_bank"): FOUND + "INSERT INTO restored_bank SELECT 'day-1', min(bank_code) FROM bank",
    ("bankgateway", "found_reference"):
        FOUND + "INSERT INTO found_reference SELECT district, reference, '999110000015', 1, 'day-1', '', 2, amount_fen, NULL, '', '' "
                "FROM instruction LIMIT 1",
}
# What has nothing to say about a payment, with the reason.
UNCHECKED = {
    "archive_work": "how far a package is: empty at rest; a closed batch without package and without work is found by its archive",
    "worker_heartbeat": "life signs of processes; a payment waits for the next one where it is wrong, and nothing else follows",
}
JOURNAL_ROWS = {"C": (4, 5, 6, 2, 3), "X": (4, 5, 7, 3), "R": (4, 5, 2), "F": (2, 5, 6, 7, 8), "P": (3, 4), "N": (4,)}

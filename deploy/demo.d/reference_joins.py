"""What payments refer to, held against the input: the catalogue's policies and lists, the registry's people and accounts.

What names a person, a card or an account is encrypted there, under keys that a reader apart has not: people are compared by
village, as counts and sums of what stands in clear.
"""
import collections
import csv
import datetime
import json
import pathlib

from by_reference import MOST_PLACES, grouped
from rare_joins import raised

DATA = pathlib.Path(__file__).resolve().parents[1] / "data"
CITY_CODE = 120_000_000_000
CARD_STATES = ("", "NOT_ACTIVE", "ACTIVE", "LOST", "CANCELLED")
ROLES = ("", "HEAD", "SPOUSE", "CHILD", "PARENT")
KINDS = {"CARD_REPLACED": 1, "CARD_ACTIVATED": 4, "DEATH": 5}
FOLLOWED_AFTER = "5 minutes"
# Each restore epoch has numbers of its own, from 1.
CHANGES_OF_EPOCH = 10**12
VERSIONS_OF_EPOCH = 10**9
# What the enumerations of the contract put before their names.
PREFIXES = ("CALCULATION_TYPE_", "PAYEE_RULE_", "RESIDENCE_RULE_", "SLOT_UNIT_", "KEY_KIND_")

EPOCH = """SELECT concat(count(*), ' rows, epoch ', max(restore_epoch)) FROM numbering
           HAVING count(*) <> 1 OR max(restore_epoch) <> (SELECT count(*) FROM restored)
               OR bool_or(NOT EXISTS (SELECT FROM outbox_relay r WHERE split_part(r.producer, '/', 2)::smallint = restore_epoch))"""

CATALOGUE = {
    "numbering, not one row with the epoch that its entries carry": EPOCH,
    "restored, not one for each epoch": raised(0),
    "request, kept more than once":
        "SELECT request_id FROM request GROUP BY request_id HAVING count(*) > 1",
    "department, division, policy or exclusion, one that is there twice":
        """SELECT concat(what, ' ', id) FROM (
             SELECT 'department' AS what, department_id AS id FROM department UNION ALL SELECT 'division', code::text FROM division
             UNION ALL SELECT 'policy', policy_id FROM policy UNION ALL SELECT 'exclusion', exclusion_id FROM exclusion
             UNION ALL SELECT 'version', concat(policy_id, '/', version) FROM policy_version
             UNION ALL SELECT 'stage', ordinal::text FROM rollout_stage UNION ALL SELECT 'exemption', exemption_id FROM exemption
             UNION ALL SELECT 'target', concat(policy_id, '/', district, '/', year) FROM performance_target
             UNION ALL SELECT 'list', concat(district, '/', edition) FROM published_list
             UNION ALL SELECT 'entry', concat(district, '/', edition, '/', policy_id) FROM published_entry
             UNION ALL SELECT 'date', '1' FROM business_date) x
           GROUP BY what, id HAVING count(*) > 1""",
    "policy_version, one that is skipped, or not the newest of its policy":
        """SELECT policy_id FROM (SELECT policy_id, latest_version FROM policy) p
           FULL JOIN (SELECT policy_id, count(*) AS versions, max(version) AS last FROM policy_version GROUP BY 1) v
             USING (policy_id)
           WHERE p.latest_version IS NULL OR (v.versions, v.last) IS DISTINCT FROM (p.latest_version::bigint, p.latest_version)""",
    "published_entry, not the version that was public and in force when its list was published":
        """SELECT concat(district, ' edition ', edition, ' ', policy_id) FROM published_entry e
           FULL JOIN (SELECT l.district, l.edition, v.policy_id, (array_agg(v.version ORDER BY v.effective_from DESC))[1] AS version
                      FROM published_list l JOIN policy p USING (district) JOIN policy_version v USING (policy_id)
                      WHERE v.state = 4 AND v.published_on <= l.published_on AND v.effective_from <= l.published_on
                        AND (v.end_on IS NULL OR v.end_on >= l.published_on) GROUP BY 1, 2, 3) v
             USING (district, edition, policy_id)
           WHERE e.version IS DISTINCT FROM v.version""",
    "published_list, not as long as its entries":
        """SELECT concat(district, ' edition ', edition) FROM published_list l
           FULL JOIN (SELECT district, edition, count(*) AS entries FROM published_entry GROUP BY 1, 2) e USING (district, edition)
           WHERE l.entry_count IS DISTINCT FROM e.entries""",
}

REGISTRY = {
    "numbering, not one row with the epoch that its entries carry": EPOCH,
    "restored, not one for each epoch": raised(0),
    "numbering, not the number of the last change":
        f"""SELECT concat(min(number), ' to ', max(number)) FROM change GROUP BY number / {CHANGES_OF_EPOCH}
            HAVING count(*) <> max(number % {CHANGES_OF_EPOCH}) OR count(DISTINCT number) <> count(*)
            UNION ALL
            SELECT concat('the last ', max(last_change)) FROM numbering
            HAVING max(last_change) IS DISTINCT FROM (SELECT coalesce(max(number), 0) FROM change)""",
    "person_key, not one for each person":
        """SELECT concat('person ', person_id) FROM (SELECT person_id, count(*) AS times FROM person GROUP BY 1) p
           FULL JOIN (SELECT person_id, count(*) AS times FROM person_key GROUP BY 1) k USING (person_id)
           WHERE p.times IS DISTINCT FROM 1 OR k.times IS DISTINCT FROM 1""",
    "person, not with the newest of its accounts":
        """SELECT concat('person ', person_id) FROM (
             SELECT person_id, account_version, card_state, legacy_kind, card_bank_code, legacy_bank_code FROM person) p
           FULL JOIN (SELECT DISTINCT ON (person_id) person_id, account_version, card_state, legacy_kind, card_bank_code,
                             legacy_bank_code FROM account ORDER BY person_id, account_version DESC) a USING (person_id)
           WHERE (p.account_version, p.card_state, p.legacy_kind, p.card_bank_code, p.legacy_bank_code)
                 IS DISTINCT FROM (a.account_version, a.card_state, a.legacy_kind, a.card_bank_code, a.legacy_bank_code)""",
    "account, one that is skipped or there twice":
        f"""SELECT concat('person ', person_id) FROM account GROUP BY person_id, account_version / {VERSIONS_OF_EPOCH}
            HAVING count(*) <> max(account_version % {VERSIONS_OF_EPOCH}) OR count(DISTINCT account_version) <> count(*)""",
    "account, not made by one event":
        """SELECT concat('person ', person_id, ' version ', account_version) FROM (
             SELECT person_id, account_version, count(*) AS times FROM account GROUP BY 1, 2) a
           FULL JOIN (SELECT person_id, account_version, count(*) AS times FROM person_event WHERE account_version > 0
                      GROUP BY 1, 2) e USING (person_id, account_version)
           WHERE a.times IS DISTINCT FROM 1 OR e.times IS DISTINCT FROM 1""",
    "person_event, not one load of each person, or one that is there twice":
        """SELECT concat('person ', person_id) FROM (SELECT person_id FROM person) p
           FULL JOIN (SELECT person_id, count(*) AS events, count(DISTINCT event_no) AS kinds,
                             count(*) FILTER (WHERE kind = 0) AS loads FROM person_event GROUP BY 1) e USING (person_id)
           WHERE p.person_id IS NULL OR e.loads IS DISTINCT FROM 1 OR e.kinds <> e.events""",
    "person, not where and as their life left them":
        """SELECT concat('person ', p.person_id) FROM person p
           JOIN (SELECT person_id, (array_agg(village_code ORDER BY event_no DESC) FILTER (WHERE village_code <> 0))[1] AS village,
                        max(happened_on) FILTER (WHERE kind = 5 AND effective) AS died_on
                 FROM person_event GROUP BY 1) e USING (person_id)
           WHERE p.village_code <> e.village OR p.district <> p.village_code / 1000000 OR p.died_on <> e.died_on
              OR (p.died_on IS NULL) <> (e.died_on IS NULL AND p.died_on IS NULL)""",
    "change, not what happened to somebody":
        """SELECT concat('person ', person_id, ' kind ', kind) FROM (
             SELECT person_id, kind, happened_on, account_version, other_person_id, count(*) AS times FROM change
             GROUP BY 1, 2, 3, 4, 5) c
           FULL JOIN (SELECT person_id, kind, happened_on, account_version, other_person_id, count(*) AS times FROM person_event
                      WHERE kind > 0 AND effective GROUP BY 1, 2, 3, 4, 5) e
             USING (person_id, kind, happened_on, account_version, other_person_id)
           WHERE c.times IS DISTINCT FROM e.times""",
    "applied_event, not one for each that was told":
        """SELECT concat('person ', person_id) FROM (SELECT person_id, count(*) AS times, count(DISTINCT event_index) AS kinds
                                                     FROM applied_event GROUP BY 1) a
           FULL JOIN (SELECT person_id, count(*) AS times FROM person_event WHERE kind > 0 AND source <> 'merge' GROUP BY 1) e
             USING (person_id)
           WHERE a.times IS DISTINCT FROM e.times OR a.kinds <> a.times""",
    "household, without its head or its members":
        """SELECT concat('household ', household_id) FROM (
             SELECT household_id, count(*) AS times, max(head_person_id) AS head FROM household GROUP BY 1) h
           FULL JOIN (SELECT household_id, min(person_id) FILTER (WHERE household_role = 1) AS head FROM person
                      WHERE household_id IS NOT NULL GROUP BY 1) p USING (household_id)
           WHERE h.times IS DISTINCT FROM 1 OR h.head IS DISTINCT FROM p.head""",
    "count_delta, not how many people of each kind there are":
        """SELECT concat('district ', district) FROM (
             SELECT district, sum(people) AS people, sum(living) AS living, sum(active_cards) AS cards, sum(legacy_only) AS legacy
             FROM count_delta GROUP BY 1) c
           FULL JOIN (SELECT district, count(*) AS people, count(*) FILTER (WHERE died_on IS NULL) AS living,
                             count(*) FILTER (WHERE card_state = 2) AS cards,
                             count(*) FILTER (WHERE card_state = 0 AND legacy_kind <> 0) AS legacy
                      FROM person WHERE merged_into IS NULL GROUP BY 1) p USING (district)
           WHERE (c.people, c.living, c.cards, c.legacy) IS DISTINCT FROM (p.people, p.living, p.cards, p.legacy)""",
    "load_chunk, one that is skipped or there twice":
        """SELECT concat(count(*), ' chunks of a load') FROM load_chunk GROUP BY load_id
           HAVING count(*) <> max(chunk) OR count(DISTINCT chunk) <> count(*)""",
    "load_chunk, not as many people as there are":
        """SELECT concat(coalesce(sum(accepted), 0), ' accepted') FROM load_chunk
           HAVING coalesce(sum(accepted), 0) <> (SELECT count(*) FROM person)""",
    "merge_request, not whom it merged":
        """SELECT concat('person ', person_id) FROM (
             SELECT merged_person_id AS person_id, kept_person_id AS kept, count(*) AS times FROM merge_request GROUP BY 1, 2) m
           FULL JOIN (SELECT person_id, merged_into AS kept FROM person WHERE merged_into IS NOT NULL) p USING (person_id, kept)
           WHERE m.times IS DISTINCT FROM 1 OR p.kept IS NULL""",
}


def plain(value):
    """A rule without what says nothing: prefixes of enumerations, and fields that are empty."""
    if isinstance(value, dict):
        return {key: one for key, one in ((key, plain(one)) for key, one in value.items()) if one not in ("", 0, [], {}, None)}
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, str):
        return next((value.removeprefix(prefix) for prefix in PREFIXES if value.startswith(prefix)), value)
    return value


class Reference:
    """`rows` and `stream` read a statement of a database; `differ` compares two lists by their keys."""

    def __init__(self, rows, stream, find, differ, folder: pathlib.Path, plan: dict, rules: dict):
        self.rows, self.stream, self.find, self.differ = rows, stream, find, differ
        self.folder, self.plan, self.rules = folder, plan, rules

    # --- The catalogue --------------------------------------------------------------------------------------------------

    def catalogue(self) -> None:
        self._departments_and_divisions()
        self._policies()
        self._schedules()
        for bank, (times, suspended) in self._keyed("bankgateway", "SELECT bank_code, count(*), bool_or(suspended) FROM bank "
                                                    "GROUP BY 1").items():
            if (times, suspended) != next(((1, one["suspended"]) for one in self.plan["banks"] if one["bank_code"] == bank), None):
                self.find(f"bankgateway.bank, not what the plan says: {bank}")
        planned = {one["number"]: (one["district"], one["department_id"], one["bank_code"], one["credits_other_banks"])
                   for one in self.plan["agreements"]}
        if len(planned) != len(self.plan["agreements"]):
            self.find(f"the plan has an agreement twice among {len(self.plan['agreements'])}")
        self.differ("bankgateway.agreement, not what the plan says", self._keyed(
            "bankgateway", "SELECT agreement_no, district, department_id, bank_code, credits_other_banks FROM agreement"), planned)
        counted = self.rows("bankgateway", "SELECT count(*) FROM agreement")[0][0]
        if counted != len(planned):
            self.find(f"bankgateway.agreement, {counted} of {len(planned)}")
        # Every day that is over is reconciled; the newest of them is the day before this one.
        dates = self.rows("catalogue", "SELECT today::text FROM business_date")
        over = self.rows("bankgateway", "SELECT (max(reconciled_through) + 1)::text FROM agreement")
        if dates != over:
            self.find(f"catalogue.business_date, not the day after the last that is reconciled: {dates} and {over}")

    def _keyed(self, database: str, sql: str) -> dict:
        return {row[0]: row[1:] for row in self.rows(database, sql)}

    def _departments_and_divisions(self) -> None:
        listed = json.loads((DATA / "departments.json").read_text(encoding="utf-8"))["departments"]
        self.differ("catalogue.department and the input differ at", self._keyed(
            "catalogue", "SELECT department_id, name, district, fields FROM department"),
            {one["department_id"]: (one["name"], one["district"], one["fields"]) for one in listed})
        towns = {CITY_CODE: (120000, 1, False)}
        with (DATA / "divisions.csv").open(encoding="utf-8", newline="") as rows:
            for row in csv.DictReader(rows):
                district = int(row["district_code"])
                towns[district * 1_000_000] = (district, 2, False)
                towns[int(row["town_code_12"])] = (district, 3, False)
        with (self.folder / "villages.csv").open(encoding="utf-8", newline="") as rows:
            for row in csv.DictReader(rows):
                towns[int(row["code"])] = (int(row["district"]), 4, True)
        self.differ("catalogue.division and the input differ at", self._keyed(
            "catalogue", "SELECT code, district, level, fictitious FROM division"), towns)

    def _policies(self) -> None:
        with (DATA / "policies.csv").open(encoding="utf-8", newline="") as rows:
            listed = {row["policy_id"]: row for row in csv.DictReader(rows)}
        policies = {}
        for name, rule in self.rules.items():
            row = listed[name]
            policies[name] = (row["name_zh"], row["name_en"], row["domain"], row["level"], row["region"], row["basis_doc"],
                              row["confidence"], rule["department_id"], rule["district"], plain(rule["slot_unit"]),
                              plain(rule["key_kind"]))
        self.differ("catalogue.policy and the input differ at", self._keyed(
            "catalogue", "SELECT policy_id, name_zh, name_en, field, level, region, basis, confidence, department_id, district, "
            "slot_unit, key_kind FROM policy"), policies)
        versions = {}
        for name, rule in self.rules.items():
            for number, version in enumerate(rule["versions"], start=1):
                own = {key: value for key, value in version.items() if key != "effective_from"}
                versions[f"{name}/{number}"] = (version.get("effective_from") or None, plain(own), bool(rule.get("publish")))
        stored = self.rows("catalogue", "SELECT concat(policy_id, '/', version), effective_from::text, rules, state IN (3, 4) "
                                        "FROM policy_version")
        self.differ("catalogue.policy_version and the input differ at",
                    {name: (day, plain(json.loads(rules)), decided) for name, day, rules, decided in stored}, versions)
        excluded = json.loads((DATA / "exclusions.json").read_text(encoding="utf-8"))["exclusions"]
        self.differ("catalogue.exclusion and the input differ at", self._keyed(
            "catalogue", "SELECT concat(policy_a, '~', policy_b), exclusion_id, basis FROM exclusion"),
            {name: (name, one["basis"]) for one in excluded
             for name in ["~".join(sorted((one["policy_a"], one["policy_b"])))]})

    def _schedules(self) -> None:
        stages = json.loads((DATA / "rollout.json").read_text(encoding="utf-8"))["stages"]
        self.differ("catalogue.rollout_stage and the input differ at", self._keyed(
            "catalogue", "SELECT ordinal, from_date::text, districts, fields, basis FROM rollout_stage"),
            {number: (one["from_date"], one["districts"], one["fields"], one["basis"])
             for number, one in enumerate(stages, start=1)})
        one = self.plan["exemption"]
        self.differ("catalogue.exemption, not what the plan says", self._keyed(
            "catalogue", "SELECT concat(district, ' ', field), policy_id, reason, valid_from::text, valid_to::text, state "
            "FROM exemption"),
            {f"{one['district']} {one['field']}": (one["policy_id"], one["reason"], one["valid_from"], one["valid_to"], 2)})
        targets = {f"{batch['policy_id']} {batch['district']}": (int(self.plan["start"][:4]), self.plan["people"], True)
                   for batch in self.plan["batches"]}
        self.differ("catalogue.performance_target, not what the plan says", self._keyed(
            "catalogue", "SELECT concat(policy_id, ' ', district), year, target_people, approved FROM performance_target"), targets)
        unlike = self.rows("catalogue", "SELECT concat(policy_id, ' ', district) FROM performance_target "
                                        "WHERE target_fen <> (SELECT mode() WITHIN GROUP (ORDER BY target_fen) "
                                        "FROM performance_target) OR set_by = approved_by")
        for (place,) in unlike[:MOST_PLACES]:
            self.find(f"catalogue.performance_target, unlike the others or by one person: {place}")

    # --- The registry ---------------------------------------------------------------------------------------------------

    def registry(self) -> None:
        people, accounts, dead = self._input_people()
        stored = {village: tuple(int(one) for one in sums) for village, *sums in self.rows(
            "registry", "SELECT e.village_code, count(*), sum(p.born_on - date '1900-01-01'), sum(p.household_role), "
            "sum(coalesce(nullif(a.card_last4, ''), '0')::integer), sum(coalesce(nullif(a.legacy_last4, ''), '0')::integer), "
            "sum((p.household_id IS NOT NULL)::integer) "
            "FROM person_event e JOIN person p USING (person_id) JOIN account a USING (person_id) "
            "WHERE e.kind = 0 AND a.account_version = 1 GROUP BY 1")}
        self.differ("registry.person and the input differ in village", stored, people)
        stored = {row[:5]: row[5] for row in self.rows(
            "registry", "SELECT e.village_code, a.card_state, coalesce(a.card_bank_code, ''), a.legacy_kind <> 0, "
            "coalesce(a.legacy_bank_code, ''), count(*) FROM person_event e JOIN account a USING (person_id) "
            "WHERE e.kind = 0 AND a.account_version = 1 GROUP BY 1, 2, 3, 4, 5")}
        self.differ("registry.account and the input differ at (village, card, bank, older account, its bank)", stored, accounts)
        changes = self._input_changes()
        told = dict(self.rows("registry", "SELECT kind, count(*) FROM change GROUP BY 1"))
        self.differ("registry.change and the input differ in kind", told, changes)
        now_dead = self.rows("registry", "SELECT count(*) FROM person WHERE died_on IS NOT NULL")[0][0]
        if now_dead != dead + changes.get(KINDS["DEATH"], 0):
            self.find(f"registry.person, {now_dead} have died; {dead} were loaded as dead, {changes} were told")

    def _input_people(self) -> tuple:
        """Of each village: how many and sums; how many accounts of each kind; and how many are dead from the beginning."""
        sums = collections.defaultdict(lambda: [0] * 6)
        accounts = collections.Counter()
        dead = 0
        with (self.folder / "people.csv").open(encoding="utf-8", newline="") as rows:
            for row in csv.DictReader(rows):
                village, born = int(row["village_code"]), row["id_no"][6:14]
                born = datetime.date(int(born[:4]), int(born[4:6]), int(born[6:]))
                own = sums[village]
                for place, more in enumerate((1, (born - datetime.date(1900, 1, 1)).days, ROLES.index(row["household_role"]),
                                              int(row["card_account_no"][-4:] or 0), int(row["legacy_account_no"][-4:] or 0),
                                              int(bool(row["household_no"])))):
                    own[place] += more
                accounts[(village, CARD_STATES.index(row["card_state"]), row["card_bank_code"], bool(row["legacy_kind"]),
                          row["legacy_bank_code"])] += 1
                dead += bool(row["died_on"])
        return {village: tuple(own) for village, own in sums.items()}, dict(accounts), dead

    def _input_changes(self) -> dict:
        """How many changes of each kind were told; a change that says what is so already makes none."""
        told = collections.Counter()
        for name in ("deaths.csv", "cards.csv", "corrections.csv"):
            path = self.folder / name
            if path.exists():
                with path.open(encoding="utf-8", newline="") as rows:
                    told.update(KINDS[row["kind"]] for row in csv.DictReader(rows))
        # Not every file is told in every course: what nobody applied is none.
        taken = self.rows("registry", "SELECT count(*) FROM applied_event")[0][0]
        return dict(told) if taken else {}

    def people_of_items(self) -> None:
        """Whoever stands in a list or is paid is somebody whom the registry has."""
        wrong = 0
        for person, (known, named) in grouped(
                self.stream("registry", "SELECT person_id FROM person ORDER BY 1"),
                self.stream("dispatch", "SELECT person_id FROM item UNION SELECT payee_id FROM item ORDER BY 1")):
            if named and not known and wrong < MOST_PLACES:
                wrong += 1
                self.find(f"dispatch.item, of a person whom the registry does not have: {person}")
        # A change is followed once it is a while old, so that what it is about has been committed.
        last, due = self.rows("registry", "SELECT coalesce(max(number), 0), coalesce(max(number) FILTER (WHERE recorded_at < "
                                          f"now() - interval '{FOLLOWED_AFTER}'), 0) FROM change")[0]
        for (applied,) in self.rows("dispatch", "SELECT applied FROM outcome_cursor WHERE gateway = 'registry'"):
            if not due <= applied <= last:
                self.find(f"dispatch.outcome_cursor, at change {applied} of the registry's {last}, of which {due} are due")
        merged = {(person, other) for person, other in self.rows("dispatch", "SELECT person_id, other_id FROM merged_person")}
        pairs = self.rows("registry", "SELECT person_id, merged_into FROM person WHERE merged_into IS NOT NULL")
        expected = {pair for one in pairs for pair in (one, one[::-1])}
        for pair in sorted(merged ^ expected)[:MOST_PLACES]:
            self.find(f"dispatch.merged_person and registry.person differ at {pair}")

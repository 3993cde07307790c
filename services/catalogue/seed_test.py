#!/usr/bin/env python3
"""Checks the seed of deploy/data against the published list: usage: seed_test.py DATA_DIR."""
import csv
import hashlib
import json
import pathlib
import re
import sys
import unittest

DATA = pathlib.Path(sys.argv.pop(1)) if len(sys.argv) > 1 else pathlib.Path("deploy/data")
CITY = 120000


def load(name):
    return json.loads((DATA / name).read_text(encoding="utf-8"))


def date_of(text):
    """The rule of SOURCES.md, written down a second time."""
    day = re.search(r"(?<!\d)\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?!\d)", text)
    if day:
        return day.group(0)
    month = re.search(r"(?<!\d)\d{4}-(?:0[1-9]|1[0-2])(?!\d)", text)
    if month:
        return month.group(0) + "-01"
    year = re.search(r"(?<!\d)\d{4}(?!\d)", text)
    if not year:
        return ""
    return f"{int(year.group(0)) + text.startswith('after')}-01-01"


class SeedTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with (DATA / "policies.csv").open(encoding="utf-8") as file:
            cls.rows = {row["policy_id"]: row for row in csv.DictReader(file)}
        with (DATA / "divisions.csv").open(encoding="utf-8") as file:
            cls.divisions = list(csv.DictReader(file))
        cls.seed = {entry["policy_id"]: entry for entry in load("policies.rules.json")["policies"]}
        cls.departments = {d["department_id"]: d for d in load("departments.json")["departments"]}
        cls.districts = {int(row["district_code"]) for row in cls.divisions}

    def test_the_two_lists_are_those_that_sources_names(self):
        sources = (DATA / "SOURCES.md").read_text(encoding="utf-8")
        for name in ("policies.csv", "divisions.csv"):
            digest = hashlib.sha256((DATA / name).read_bytes()).hexdigest()
            self.assertIn(f"| `{name}` |", sources)
            self.assertIn(digest, sources, name)

    def test_sixteen_districts_and_299_towns(self):
        self.assertEqual(len(self.districts), 16)
        self.assertEqual(len(self.divisions), 299)

    def test_every_policy_has_rules_and_no_other(self):
        self.assertEqual(len(self.rows), 76)
        self.assertEqual(list(self.seed), list(self.rows))

    def test_published_are_those_of_the_city_with_date_amount_and_source(self):
        for policy, row in self.rows.items():
            amount = int(row["amount_min_fen"]) > 0 or int(row["amount_max_fen"]) > 0
            wanted = ("天津" in row["region"] and date_of(row["effective_from"]) != "" and amount
                      and row["confidence"] in ("A", "B"))
            self.assertEqual(self.seed[policy]["publish"], wanted, policy)
        self.assertEqual(sum(entry["publish"] for entry in self.seed.values()), 42)

    def test_dates_follow_the_rule_and_versions_rise(self):
        examples = {"in force 2025-09 (unchanged by that notice)": "2025-09-01", "as stated 2024": "2024-01-01",
                    "2013-2014 season": "2013-01-01", "after 2016 (100/150/200 in 2016)": "2017-01-01",
                    "2025/2026 graduates": "2025-01-01", "2006-07": "2006-07-01", "2024-07-01": "2024-07-01",
                    "-": "", "2019-2025": "2019-01-01"}
        for text, date in examples.items():
            self.assertEqual(date_of(text), date)
        for policy, entry in self.seed.items():
            dates = [version["effective_from"] for version in entry["versions"]]
            self.assertEqual(dates[-1], date_of(self.rows[policy]["effective_from"]), policy)
            self.assertEqual(dates, sorted(set(dates)), policy)

    def test_figures_lie_within_the_bounds_of_the_list(self):
        for policy, entry in self.seed.items():
            row = self.rows[policy]
            low, high = int(row["amount_min_fen"]), int(row["amount_max_fen"])
            calc = entry["versions"][-1]["calculation"]
            kind = calc["type"].removeprefix("CALCULATION_TYPE_")
            rate, cap = calc.get("rate_fen", 0), calc.get("cap_fen", 0)
            with self.subTest(policy=policy, kind=kind):
                if kind in ("FIXED", "PER_AREA", "TOP_UP"):
                    self.assertEqual(rate, high)
                elif kind in ("TIERED", "TIERED_AGE"):
                    rates = [tier["rate_fen"] for tier in calc["tiers"]]
                    self.assertEqual((min(rates), max(rates)), (low, high))
                elif kind == "FIXED_BY_DISTRICT":
                    rates = [one["rate_fen"] for one in calc["district_rates"]] + [rate]
                    self.assertEqual((min(rates), max(rates)), (low, high))
                    self.assertLessEqual({one["district"] for one in calc["district_rates"]}, self.districts)
                elif kind == "PER_UNIT_CAP":
                    self.assertEqual(rate * calc["cap_quantity"], high)
                elif kind == "PERCENT_CAP":
                    self.assertEqual(cap, high)
                elif kind == "PRO_RATA":
                    self.assertEqual((rate // 12, rate), (low, high))
                elif kind == "PER_SERVICE_YEAR":
                    self.assertEqual(rate, low)
                elif kind == "PER_MONTH_COUNT":
                    self.assertEqual((rate, cap), (low, high))
                elif kind == "CATALOG":
                    self.assertEqual((cap, calc["percent_bp"]), (high, 3000))
                    self.assertLessEqual(max(tier["rate_fen"] for tier in calc["tiers"]), high)
                elif kind == "ASSESSED":
                    self.assertEqual((calc.get("min_fen", 0), cap), (low, high))
                else:
                    # The list has no sum for a mere percentage.
                    self.assertEqual((kind, low, high), ("PERCENT", 0, 0))

    def test_the_surest_rates_are_those_of_the_domain_facts(self):
        def rate(policy):
            return self.seed[policy]["versions"][-1]["calculation"].get("rate_fen")
        wanted = {"P001": 104500, "P002": 31400, "P003": 187000, "P005": 153000, "P026": 173000, "P027": 169000,
                  "P006": 30000, "P007": 16000, "P008": 20000, "P023": 30700, "P042": 562, "P043": 15600, "P053": 360000}
        self.assertEqual({policy: rate(policy) for policy in wanted}, wanted)
        history = [(v["effective_from"], v["calculation"]["rate_fen"]) for v in self.seed["P001"]["versions"]]
        self.assertEqual(history, [("2015-01-01", 70500), ("2016-01-01", 78000), ("2017-01-01", 86000),
                                   ("2018-04-01", 92000), ("2020-01-01", 101000), ("2025-09-01", 104500)])

    def test_every_version_is_complete(self):
        for policy, entry in self.seed.items():
            self.assertIn(entry["department_id"], self.departments, policy)
            department = self.departments[entry["department_id"]]
            self.assertIn(self.rows[policy]["domain"], department["fields"], policy)
            self.assertEqual(department["district"], entry["district"], policy)
            for version in entry["versions"]:
                self.assertEqual(sum(share["share_bp"] for share in version["funding"]), 10000, policy)
                self.assertGreaterEqual(version["notice"]["calendar_days"], 1)
                steps = [step["step"] for step in version["review_steps"]]
                self.assertEqual(len(steps), len(set(steps)))
                self.assertGreaterEqual(len(steps), 2)
                self.assertIn(version["cadence"], ("monthly", "quarterly", "yearly", "once"))
                self.assertTrue(version["description"])

    def test_a_slot_can_hold_the_periods_of_its_cadence(self):
        fits = {"monthly": {"MONTH"}, "quarterly": {"MONTH"}, "yearly": {"YEAR"}, "once": {"MONTH", "YEAR", "LIFE"}}
        for policy, entry in self.seed.items():
            for version in entry["versions"]:
                self.assertIn(entry["slot_unit"].removeprefix("SLOT_UNIT_"), fits[version["cadence"]], policy)

    def test_departments_cover_city_and_districts(self):
        kinds = {department_id.split(".")[0] for department_id in self.departments}
        self.assertEqual(len(kinds), 13)
        for kind in kinds:
            for district in self.districts | {CITY}:
                self.assertEqual(self.departments[f"{kind}.{district}"]["district"], district)

    def test_exclusions_join_policies_whose_keys_can_be_compared(self):
        human = {"KEY_KIND_PERSON", "KEY_KIND_CHILD", "KEY_KIND_HOUSEHOLD"}
        edges = load("exclusions.json")["exclusions"]
        names = [(edge["policy_a"], edge["policy_b"]) for edge in edges]
        self.assertEqual(len(names), len(set(names)))
        for edge in edges:
            self.assertLess(edge["policy_a"], edge["policy_b"])
            kinds = {self.seed[edge[side]]["key_kind"] for side in ("policy_a", "policy_b")}
            self.assertTrue(len(kinds) == 1 or kinds <= human, edge)
            self.assertTrue(edge["basis"])

    def test_the_rollout_is_that_of_the_notice(self):
        stages = load("rollout.json")["stages"]
        self.assertEqual([stage["from_date"] for stage in stages], ["2021-12-31", "2022-12-31", "2023-12-31"])
        self.assertEqual(stages[0]["districts"], [120105, 120115])
        for stage in stages[:2]:
            self.assertEqual(set(stage["fields"]), {"AGRI", "HRSS", "CIVIL"})
        self.assertEqual((stages[1]["districts"], stages[2]["districts"], stages[2]["fields"]), ([], [], []))


if __name__ == "__main__":
    unittest.main()

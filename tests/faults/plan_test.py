#!/usr/bin/python3
"""The harness itself: what a seed does is fixed by the seed, and in a row of seeds everything has its turn."""
import collections
import pathlib
import re
import sys
import unittest

SOURCE = pathlib.Path(sys.argv[1]).resolve()
sys.path[:0] = [str(SOURCE / part) for part in ("deploy/demo.d", "deploy/local.d", "tests/faults")]
import faults  # noqa: E402
import points  # noqa: E402
from checks import Checks  # noqa: E402
from city import DETOURS, detours_of, transitions_of  # noqa: E402


def plan_of(seed: int, disk=pathlib.Path("/nowhere")):
    return faults.Faults(None, None, seed, disk)


class Plan(unittest.TestCase):
    def test_a_seed_has_the_same_faults_each_time(self):
        for seed in (1, 7, 4711):
            self.assertEqual(plan_of(seed).plan, plan_of(seed).plan)
            self.assertEqual(plan_of(seed).points, plan_of(seed).points)
        self.assertNotEqual(plan_of(1).plan, plan_of(2).plan)

    def test_in_a_row_of_seeds_every_kind_has_its_turn_and_every_seed_at_least_three(self):
        kinds = collections.Counter()
        for seed in range(1, 21):
            own = [kind for _, _, kind, _ in plan_of(seed).plan]
            self.assertGreaterEqual(len(own), 3)
            kinds.update(own)
        self.assertEqual({"kill_one", "kill_both", "kill_bank", "kill_postgres", "cut", "freeze", "redis_stop", "redis_flush",
                          "redis_slow", "redis_full", "outage", "locks", "clock", "disk_full", "long_outage"}, set(kinds))

    def test_every_kind_is_something_that_can_be_done(self):
        for seed in range(1, 50):
            for stage, _, kind, _ in plan_of(seed).plan:
                self.assertTrue(callable(getattr(faults.Faults, kind)), kind)
                self.assertIn(stage, faults.STAGES)

    def test_without_a_file_system_of_its_own_no_disk_is_full(self):
        for seed in range(1, 60):
            self.assertNotIn("disk_full", [kind for _, _, kind, _ in plan_of(seed, None).plan])

    def test_every_moment_is_aimed_at_often_in_two_hundred_seeds(self):
        aimed = collections.Counter(point for seed in range(1, 201) for _, point, _ in points.chosen(seed))
        for _, point in points.transitions():
            self.assertGreaterEqual(aimed[point], 3, point)

    def test_few_deaths_of_a_seed_count_against_a_chunk(self):
        for seed in range(1, 201):
            counted = [point for _, point, action in points.chosen(seed)
                       if point.startswith(points.COUNTED) and action != points.CONFLICT]
            self.assertLessEqual(len([one for one in counted if not one.endswith(".in_commit")]), points.MOST_COUNTED, seed)

    def test_nothing_is_refused_after_a_commit(self):
        for seed in range(1, 201):
            for _, point, action in points.chosen(seed):
                self.assertFalse(point.endswith(points.AFTER) and action.startswith("fail"), point)

    def test_batches_leave_from_every_state_that_has_a_way_out(self):
        before_cancel = {path[-2] if len(path) > 1 else "open" for path in DETOURS}
        self.assertEqual({"open", "seal", "notice", "close", "review", "fund", "return", "correct"}, before_cancel)

    def test_a_seed_takes_the_detour_that_its_failpoint_waits_on(self):
        for name in points.BATCH:
            state, step = name.split(".")
            if step in ("return", "cancel", "correct"):
                for seed in range(1, 23):
                    taken = set().union(*(transitions_of(path) for path in detours_of(seed, {name})))
                    self.assertIn(name, taken, seed)
        self.assertNotEqual(detours_of(1, set()), detours_of(2, set()))


class Table(unittest.TestCase):
    """The table is written by hand: it must have what the services note."""

    def test_batch_transitions_are_those_of_the_service(self):
        text = (SOURCE / "services/dispatch/domain/batch.cc").read_text(encoding="utf-8")
        names = dict(re.findall(r'case S::(k\w+):\s+return "(\w+)"', text))
        events = dict(re.findall(r'case E::(k\w+):\s+return "(\w+)"', text))
        theirs = {f"{names[state]}.{events[event]}" for state, event in
                  re.findall(r"\{S::(k\w+), E::(k\w+), S::k\w+\}", text)}
        self.assertGreater(len(theirs), 20)
        self.assertEqual(theirs - {"CANCELLED.cancel"}, set(points.BATCH))

    def test_recovery_transitions_are_those_of_the_service(self):
        text = (SOURCE / "services/dispatch/domain/recovery.cc").read_text(encoding="utf-8")
        names = dict(re.findall(r'case S::(k\w+):\s+return "(\w+)"', text))
        theirs = {f"{names[state]}.{re.sub('(?<!^)(?=[A-Z])', '_', event).lower()}" for state, event in
                  re.findall(r"\{S::(k\w+), E::k(\w+), S::k\w+\}", text)}
        self.assertEqual(theirs, set(points.RECOVERY))

    def test_every_step_is_a_transaction_or_a_method_of_a_service(self):
        code = "\n".join(path.read_text(encoding="utf-8") for folder in ("services", "common")
                         for path in (SOURCE / folder).rglob("*.cc") if "_test" not in path.name)
        contracts = "\n".join(path.read_text(encoding="utf-8") for path in (SOURCE / "proto").rglob("*.proto"))
        for names in points.STEPS.values():
            for name in names:
                self.assertIn(f'"{name}"', code)
        for names in points.REPLIES.values():
            for name in names:
                self.assertRegex(contracts, rf"rpc {name}\(")
        for names in points.SENDS.values():
            for name in names:
                self.assertIn(f'"{name}"', code)


class Sorting(unittest.TestCase):
    def test_a_finding_is_counted_as_what_it_means(self):
        checks = Checks.__new__(Checks)
        checks.found = {kind: [] for kind in ("lost", "paid_twice", "ledger_differences", "audit_differences", "stuck")}
        checks.sort(["p001-105, row 3, reference 1: credited 2 times", "line 120105/4: paid 3 fen in the ledger, 2 in the items",
                     "p001-105, row 3: accepted, and nothing has become of it", "reference 7: an outcome without an attempt",
                     "p001-105, row 9: sent again although attempt 5 has not failed"])
        self.assertEqual({"lost": 1, "paid_twice": 2, "ledger_differences": 1, "audit_differences": 0, "stuck": 1},
                         {kind: len(found) for kind, found in checks.found.items()})


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]], verbosity=2)

"""What is asked of a demonstration's report, and what of it must be the same wherever the programs ran."""
import copy
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "deploy" / "demo.d"))
from report import told_apart, wrong_in  # noqa: E402

WHERE = ("in containers", "as processes")
WHOLE = {
    "seed": 1, "batches": {"p001-105": 17}, "payments": {"paid": 3, "failed": 1}, "fen": {"paid": 450, "failed": 20},
    "reasons": {"BANK_FUNDS": 1}, "bank_journal": {"credits": 3, "fen": 450, "references_credited_twice": 0},
    "ledger": {"balanced": True, "lines": 2}, "differences": [],
    "audit": {"entries": 20, "verified": True, "inclusion_checked": 4, "consistency_checked": 1},
    "archives": {"closed": 1, "sealed": 1, "records": 3, "verified": True},
    "stages_s": {"pay": 2.0}, "wall_s": 9.0, "payments_per_s": 100.0, "peak_rss_mib": {"dispatch": 40.0}}


def altered(*path, to) -> dict:
    report = copy.deepcopy(WHOLE)
    part = report
    for key in path[:-1]:
        part = part[key]
    assert part.get(path[-1]) != to
    part[path[-1]] = to
    return report


class Reports(unittest.TestCase):
    def test_a_whole_report_has_nothing_wrong(self):
        self.assertEqual([], wrong_in(WHOLE))

    def test_whatever_does_not_hold_is_wrong(self):
        for report, said in (
                (altered("differences", to=["reference 7: credited 2 times"]), "reference 7: credited 2 times"),
                (altered("ledger", "balanced", to=False), "the ledger is not balanced"),
                (altered("audit", "verified", to=False), "the audit log does not verify"),
                (altered("archives", "verified", to=False), "the exported archive does not verify"),
                (altered("bank_journal", "references_credited_twice", to=2), "the bank credited 2 references twice")):
            with self.subTest(said):
                self.assertEqual([said], wrong_in(report))

    def test_what_is_wrong_does_not_become_part_of_the_report(self):
        report = altered("differences", to=["one"])
        wrong_in(report).append("another")
        self.assertEqual(["one"], report["differences"])

    def test_each_figure_that_differs_is_named_with_both(self):
        for path, to in ((("payments", "paid"), 4), (("fen", "failed"), 21), (("reasons", "BANK_FUNDS"), 2), (("reasons", "BANK_OTHER"), 1),
                         (("bank_journal", "credits"), 4), (("bank_journal", "fen"), 451), (("ledger", "lines"), 3),
                         (("audit", "verified"), False), (("archives", "verified"), False)):
            with self.subTest(path):
                (said,) = told_apart(WHOLE, altered(*path, to=to), WHERE)
                self.assertTrue(said.startswith(path[0]), said)
                for place in WHERE:
                    self.assertIn(place, said)

    def test_two_figures_that_differ_are_both_named(self):
        other = altered("bank_journal", "fen", to=451)
        other["payments"]["paid"] = 4
        self.assertEqual(["payments: {'paid': 3, 'failed': 1} in containers, {'paid': 4, 'failed': 1} as processes",
                          "bank_journal: {'credits': 3, 'fen': 450, 'references_credited_twice': 0} in containers, "
                          "{'credits': 3, 'fen': 451, 'references_credited_twice': 0} as processes"], told_apart(WHOLE, other, WHERE))

    def test_ids_counts_of_entries_and_times_may_differ(self):
        other = copy.deepcopy(WHOLE)
        other["batches"]["p001-105"] = 18
        other["audit"]["entries"] = 21
        other["archives"]["records"] = 4
        other |= {"stages_s": {"pay": 5.0}, "wall_s": 20.0, "payments_per_s": 40.0, "peak_rss_mib": {"dispatch": 60.0}}
        self.assertEqual([], told_apart(WHOLE, other, WHERE))


if __name__ == "__main__":
    unittest.main()

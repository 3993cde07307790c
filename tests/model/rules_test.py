"""The rules of the model by examples that were reckoned by hand, and how two answers are compared."""
import dataclasses
import datetime
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.dont_write_bytecode = True
import rules  # noqa: E402
from model import Model  # noqa: E402
from state import Batch, Item, Line, OneOf, PAYING  # noqa: E402
from rules import Period, Policy  # noqa: E402

DAY = datetime.date
FLAT = Policy("P", "CIVIL", "civil.120000", rules.CITY, "MONTH", "PERSON", "FIXED", "monthly", "SELF", "DISTRICT", rate=30_001)


class Rules(unittest.TestCase):
    def test_the_check_character_is_that_of_the_standard(self):
        # The example of GB 11643.
        self.assertEqual("X", rules.check_character("11010519491231002"))
        self.assertEqual("", rules.id_fault("11010519491231002X", DAY(2026, 3, 2)))

    def test_what_is_wrong_with_a_number_is_asked_in_order(self):
        for text, fault in (("1101051949123100?X", "ID_NUMBER_CHARACTER_WRONG"), ("11010519491231002", "ID_NUMBER_LENGTH_WRONG"),
                            ("99010519491231002X", "ID_NUMBER_AREA_UNKNOWN"),
                            ("11010519491331002X", "ID_NUMBER_BIRTH_DATE_WRONG"),
                            ("110105194912310021", "ID_NUMBER_CHECK_DIGIT_WRONG")):
            self.assertEqual(fault, rules.id_fault(text, DAY(2026, 3, 2)), text)

    def test_a_card_number_gets_its_luhn_digit(self):
        self.assertEqual("79927398713", rules.with_luhn("7992739871"))

    def test_a_quarter_holds_three_months_and_follows_the_one_before(self):
        quarter = Period.parse("2026-Q1")
        self.assertEqual(["2026-01", "2026-02", "2026-03"], quarter.slots("MONTH"))
        self.assertEqual("2025-Q4", quarter.previous().text())
        self.assertEqual((DAY(2026, 1, 1), DAY(2026, 3, 31)), (quarter.first_day(), quarter.last_day()))
        self.assertEqual([None] * 6, [Period.parse(text) for text in ("2026-13", "2026-Q5", "26-01", "", "1900", "2026-")])

    def test_amounts_are_what_the_standard_gives(self):
        month, quarter = Period.parse("2026-02"), Period.parse("2026-Q1")
        of = lambda policy, row, age=40, period=month: rules.standard(policy, {"amount_fen": 1, **row}, age, period)
        top_up = dataclasses.replace(FLAT, calculation="TOP_UP", rate=104_500)
        self.assertEqual(("", 133_500), of(top_up, {"members": 3, "income_fen": 180_000}))
        self.assertEqual("CALCULATION_INPUT", of(top_up, {"members": 0})[0])
        self.assertEqual(("", 90_003), of(FLAT, {}, period=quarter))
        area = dataclasses.replace(FLAT, calculation="PER_AREA", rate=562)
        # 5.62 is half up 6, and 2.5 is 3.
        self.assertEqual([("", 6), ("", 562)], [of(area, {"quantity": hundredths}) for hundredths in (1, 100)])
        self.assertEqual(3, rules.half_up(5, 2))
        share = dataclasses.replace(FLAT, calculation="PRO_RATA", rate=100)
        self.assertEqual(("", 8), of(share, {"quantity": 1}))
        ages = dataclasses.replace(FLAT, calculation="TIERED_AGE", tiers=((60, 12_500), (70, 13_500)))
        self.assertEqual([("", 12_500), ("", 13_500)], [of(ages, {}, age) for age in (69, 70)])
        self.assertEqual("STANDARD_MISSING", of(ages, {}, 59)[0])
        tiers = dataclasses.replace(FLAT, calculation="TIERED", tiers=(("full", 90_000), ("half", 45_000)))
        self.assertEqual([("", 45_000), ("STANDARD_MISSING", 0)], [of(tiers, {"tier": name}) for name in ("half", "none")])

    def test_shares_leave_the_remainder_to_the_first(self):
        self.assertEqual([15_001, 15_000], rules.split(30_001, (("city", 5_000), ("district", 5_000))))

    def test_the_dead_are_paid_within_their_grace_alone(self):
        grace = dataclasses.replace(FLAT, grace_months=2)
        ask = lambda policy, period: rules.ineligible(policy, DAY(1950, 5, 5), DAY(2026, 1, 31), 120105, 120105,
                                                      Period.parse(period), DAY(2026, 5, 1))
        self.assertEqual("", ask(grace, "2026-03"))
        self.assertEqual("PERSON_DECEASED", ask(grace, "2026-04"))
        self.assertEqual("PERSON_DECEASED", ask(FLAT, "2026-02"))

    def test_money_that_moves_keeps_its_sum(self):
        line = Line(120105, "P", 2026, "city")
        line.move("available", "appropriation", 500)
        line.move("reserved", "available", 200)
        self.assertEqual((500, 300, 200), tuple(line.view()[name] for name in ("appropriated", "available", "reserved")))
        self.assertEqual(0, sum(line.accounts.values()))

    def test_a_batch_settles_once_nothing_moves(self):
        batch = Batch(0, 120105, "civil.120105", FLAT, Period.parse("2026-02"), 1, 1, "a", None, state=PAYING)
        batch.items[1] = Item(1, 0, 0, 1, [], [])
        batch.settle()
        self.assertEqual(PAYING, batch.state)
        batch.items[1].state = "unknown"
        batch.settle()
        self.assertNotEqual(PAYING, batch.state)
        self.assertFalse(Model._repairable(batch.items[1]))

    def test_one_of_several_names_is_as_good_as_another(self):
        self.assertEqual(OneOf(("policy=A", "policy=B")), "policy=B")
        self.assertNotEqual(OneOf(("policy=A", "policy=B")), "policy=C")


if __name__ == "__main__":
    unittest.main(verbosity=2)

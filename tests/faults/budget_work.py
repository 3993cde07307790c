"""What becomes of a line's money beside paying it: from above and down, between lines, over the year's end."""
from run import YEAR


class BudgetWork:
    def __init__(self, city):
        self.city = city
        self.ctl = city.ctl

    def run(self) -> None:
        batch, line, other = self.city.draw.choice(self._pairs())
        district = batch["district"]
        self.city.each((lambda: self._transfers(district, line, other), lambda: self._year_end(batch, line),
                        lambda: self._from_above(district, line)), lambda work: work())

    def _pairs(self) -> list:
        """(batch, line of its policy, line of another policy of the same district and source)."""
        pairs, lines = [], {}
        for batch in self.city.live():
            district, policy = batch["district"], batch["policy_id"]
            if district not in lines:
                listed = self.ctl("auditor-1", "budget", "list", "--district", district, "--page-size", "200")["lines"]
                lines[district] = [line for line in listed if int(line["year"]) == YEAR]
            pairs += [(batch, line, other) for line in lines[district] if line["policy_id"] == policy
                      for other in lines[district] if other["policy_id"] != policy and other["source"] == line["source"]]
        return pairs

    def _order(self, district: int, kind: str, line: dict, to: dict, *more) -> str:
        return self.ctl(f"finance-operator-{district}-1", "budget", "request", "--kind", kind, "--district", district, "--line",
                        line["line_id"], "--to-line", to["line_id"], "--document", "调剂文件", "--reason", "资金调剂",
                        *more)["order_id"]

    def _transfers(self, district: int, line: dict, other: dict) -> None:
        orders = [self._order(district, "transfer", line, other, "--amount", f"{number}00.01") for number in (1, 2, 3)]
        reviewer = f"finance-reviewer-{district}-1"
        self.ctl(reviewer, "budget", "decide", "--district", district, "--order", orders[0], "--approve", "yes")
        self.ctl(reviewer, "budget", "decide", "--district", district, "--order", orders[1], "--approve", "no", "--reason",
                 "依据不足")
        self.ctl(f"finance-operator-{district}-1", "budget", "withdraw", "--district", district, "--order", orders[2],
                 "--reason", "重复申请")

    def _year_end(self, batch: dict, line: dict) -> None:
        """A line of last year is carried over whole, which closes it."""
        district, policy, source = batch["district"], line["policy_id"], line["source"]
        last = YEAR - 1
        self.ctl(self.city.officer(batch, "operator"), "policy", "target", "set", "--policy", policy, "--district", district, "--year",
                 last, "--people", "100", "--amount", "1000.00", "--goal", "结转")
        self.ctl(f"finance-reviewer-{district}-1", "policy", "target", "approve", "--policy", policy, "--district", district,
                 "--year", last)
        finance = f"finance-operator-{district}-1"
        old = self.ctl(finance, "budget", "create", "--district", district, "--policy", policy, "--year", last, "--source",
                       source)
        self.ctl(finance, "budget", "appropriate", "--district", district, "--line", old["line_id"], "--amount", "1000.00",
                 "--basis", f"津财指〔{last}〕结转")
        order = self._order(district, "carry_over", old, line)
        self.ctl(f"finance-reviewer-{district}-1", "budget", "decide", "--district", district, "--order", order, "--approve",
                 "yes")

    def _from_above(self, district: int, line: dict) -> None:
        """The city passes central money down to a line of the district; another receipt is cancelled."""
        today = self.ctl("auditor-1", "clock", "show")["date"]

        def receipt(amount: str) -> str:
            return self.ctl("city-finance-1", "budget", "receive", "--district", "120000", "--from", "central", "--document",
                            f"津财预 {amount}", "--policy", line["policy_id"], "--year", YEAR, "--source", line["source"], "--amount",
                            amount, "--received-on", today)["receipt_id"]

        passed, cancelled = receipt("5000.00"), receipt("1.00")
        for amount in ("3000.01", "1999.99"):
            self.ctl("city-finance-1", "budget", "pass-down", "--district", "120000", "--receipt", passed, "--to-district",
                     district, "--line", line["line_id"], "--amount", amount, "--document", "下达文件")
        self.ctl("city-finance-1", "budget", "cancel-receipt", "--district", "120000", "--receipt", cancelled, "--reason",
                 "登记有误")

"""Cases of the gateway: what a bank debits or credits beside its payments, and what officers make of it until the bank has
corrected it."""
import collections

import journal

# What officers do with the cases that they find, one path a case. What is left open, and what is proposed and not decided,
# the bank settles. A match needs another case of the other sign.
PATHS = (("match", "assign", "turn down", "match"), ("await", "assign", "await"), ("assign", "assign", "match", "confirm"),
         ("match", "confirm"), ("await", "match", "turn down"), ("assign", "await"), ("assign",), (), ("match",))
MOST_WALKED = 6 * len(PATHS)  # more would only be more of the same


def odd_lines(path) -> list:
    """(day, agreement, fen: below 0 a credit, whether it corrects an earlier one) of the journal at `path`."""
    found = []
    for group in journal.groups(path):
        for fields in group:
            if fields[0] == "D":
                fen = int(fields[4]) if fields[5] == "DEBIT" else -int(fields[4])
                found.append((fields[1], fields[2], fen, fields[6] == "CORRECTION"))
    return found


class Cases:
    def __init__(self, city):
        self.city = city
        self.ctl = city.ctl

    def run(self) -> None:
        found = self.ctl("bank-admin-1", "bank", "case", "list", "--page-size", "1000")["cases"]
        groups = collections.defaultdict(list)
        odd = [one for one in found if one["kind"] != "STATEMENT_MISSING"]
        for turn, one in enumerate(odd, start=self.city.seed):
            path = PATHS[turn % len(PATHS)] if turn - self.city.seed < MOST_WALKED else ()
            groups[one["agreement_no"]].append((one, path))
        # The cases of one agreement one after the other: a match changes two.
        self.city.each(groups.values(), lambda group: [self._walk(one, path, group) for one, path in group])

    def _show(self, case_id: str) -> dict:
        return self.ctl("auditor-1", "bank", "case", "show", "--id", case_id)["current"]

    def _walk(self, one: dict, path: tuple, group: list) -> None:
        operator, reviewer = (f"finance-{role}-{one['district']}-1" for role in ("operator", "reviewer"))
        case = ("--id", one["case_id"])
        for step in path:
            now = self._show(one["case_id"])
            proposed = now["state"].endswith("PROPOSED")
            # Ended, or waiting for a second person since the last time.
            if int(now["open_fen"]) == 0 or (proposed and step in ("await", "match")):
                return
            if step == "assign":
                self.ctl(operator, "bank", "case", "assign", *case)
            elif step == "await":
                self.ctl(operator, "bank", "case", "decide", *case, "--decision",
                         "CLAIM_ON_BANK" if int(now["open_fen"]) > 0 else "OWED_TO_BANK", "--reason", "已通知银行更正")
            elif step == "match":
                other = self._match_of(now, group)
                if other is None:
                    return
                self.ctl(operator, "bank", "case", "decide", *case, "--decision", "MATCH_CASE", "--other", other, "--reason",
                         "一借一贷，互相抵销")
            elif proposed:
                self.ctl(reviewer, "bank", "case", "confirm", *case, "--decision", "MATCH_CASE", "--approve",
                         "yes" if step == "confirm" else "no", "--reason", "经核对")

    def _match_of(self, one: dict, group: list) -> str | None:
        """Another case of the agreement whose money cancels this one's."""
        own = int(one["open_fen"])
        fits = lambda case: own * int(case["open_fen"]) < 0 and abs(own) <= abs(int(case["open_fen"]))
        # What is open of a case only becomes less: who did not fit when all were listed is not asked about again.
        return next((other["case_id"] for other, _ in group if fits(other) and fits(self._show(other["case_id"]))), None)

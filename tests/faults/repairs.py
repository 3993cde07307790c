"""Wrong payments that are taken back, money that is given back, and missed amounts: every path of their states, each on a
paid item of its own."""
import csv
import json

from run import yuan

# From open to the end of a recovery; `part` and `rest` are receipts.
PATHS = (
    ("cancel",), ("approve", "cancel"), ("approve", "part", "rest"), ("approve", "notify", "cancel"),
    ("approve", "notify", "part", "ask", "refuse", "rest"), ("approve", "notify", "ask", "part", "grant"),
    ("approve", "notify", "ask", "rest"), ("arrive", "confirm"), ("arrive", "refuse arrival"))
# What is recovered whole although it was right is paid anew, as a missed amount.
TOPPED_UP = ("approve", "part", "rest")
# Flat amounts, so that a missed amount needs no figures.
FLAT = ("p008-105", "p008-116")


class Repairs:
    def __init__(self, city):
        self.city = city
        self.ctl = city.ctl

    def run(self) -> None:
        """Recoveries and arrivals of one batch side by side, then what was wrongly recovered is topped up."""
        key = self.city.draw.choice(FLAT)
        batch = next(one for one in self.city.live() if one["key"] == key)
        own = self.city.batches[key]
        paid = self.ctl(self.city.officer(batch, "operator"), "batch", "items", "--id", own, "--state", "paid", "--page-size",
                        "50")["items"]
        # Where fewer were paid than there are paths, each seed begins with another.
        first = self.city.seed % len(PATHS)
        turn = PATHS[first:] + PATHS[:first]
        today = self.ctl("auditor-1", "clock", "show")["date"]
        chosen = list(zip(turn, sorted(paid, key=lambda item: int(item["item_id"]))))
        self.city.each(chosen, lambda pair: self._walk(batch, own, pair[0], pair[1], today))
        missed = [item for path, item in chosen if path == TOPPED_UP]
        if missed:
            self._top_up(batch, own, missed[0])

    def _walk(self, batch: dict, own: int, path: tuple, item: dict, today: str) -> None:
        operator, reviewer = self.city.officer(batch, "operator"), self.city.officer(batch, "reviewer")
        finance = self.city.officer(batch, "finance")
        amount = int(item["amount_fen"])
        part, receipt = amount // 3, f"R{self.city.seed}-{item['item_id']}"
        if path[0] == "arrive":
            arrived = self.ctl(finance, "repair", "arrived", "--district", batch["district"], "--receipt", receipt, "--amount",
                               yuan(part), "--arrived-on", today)["arrival_id"]
            if path[1] == "confirm":
                self.ctl(operator, "repair", "confirm", "--arrival", arrived, "--id", own, "--item", item["item_id"],
                         "--reason", "本人主动退回")
            else:
                self.ctl(operator, "repair", "refuse", "--arrival", arrived, "--reason", "不是补贴款")
            return
        opened = self.ctl(operator, "repair", "open", "--id", own, "--item", item["item_id"], "--cause", "NOT_ENTITLED",
                          "--reason", "核查发现不符合条件")
        recovery = ("--recovery", opened["recoveries"][0]["recovery_id"])
        taken = 0
        for step in path:
            if step in ("part", "rest"):
                fen = part if step == "part" else amount - taken
                taken += fen
                self.ctl(finance, "repair", "receive", *recovery, "--receipt", f"{receipt}-{step}", "--amount", yuan(fen),
                         "--received-on", today)
            elif step == "approve":
                self.ctl(reviewer, "repair", "approve", *recovery)
            elif step == "notify":
                self.ctl(operator, "repair", "notify", *recovery, "--notice", "追回通知书")
            elif step == "ask":
                self.ctl(operator, "repair", "ask-write-off", *recovery, "--document", "核销申请", "--reason", "无力退还")
            elif step in ("grant", "refuse"):
                self.ctl(reviewer, "repair", "decide-write-off", *recovery, "--approve", "yes" if step == "grant" else "no",
                         "--reason", "经核实")
            else:
                self.ctl(operator, "repair", "cancel", *recovery, "--reason", "原发放正确")

    def _top_up(self, batch: dict, own: int, item: dict) -> None:
        """The batch of a missed amount goes the way of any batch, and is one of the plan from then on."""
        fen = int(item["amount_fen"])
        file = "top-up.csv"
        with (self.city.input / file).open("w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out)
            writer.writerow(["row", "item_id", "amount"])
            writer.writerow([1, item["item_id"], yuan(fen)])
        made = self.ctl(self.city.officer(batch, "operator"), "repair", "top-up", "--id", own, "--reason", "追回有误，补发",
                        self.city.input / file)
        described = batch | {"key": "top-up", "file": file, "declared_count": 1, "declared_fen": fen, "expected_accepted": 1,
                             "expected_reasons": {}, "after": ""}
        self.city.plan["batches"].append(described)
        (self.city.input / "plan.json").write_text(json.dumps(self.city.plan, ensure_ascii=False), encoding="utf-8")
        top_up = int(made["batch_id"])
        self.city.batches["top-up"] = top_up
        self.city.pay_one(described, top_up)

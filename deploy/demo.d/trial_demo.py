"""The demonstration on a trial in a cluster: all that people do, over forwarded ports; see deploy/kubernetes-demo."""
import argparse
import json
import pathlib
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "local.d")]
from ctl import DemoError  # noqa: E402
from kubernetes_people import Trial, binaries_of  # noqa: E402
from run import Demo  # noqa: E402
from stack import Stack, StackError, end_what_was_started, say  # noqa: E402


class NoJournal:
    """In place of the bank's own journal, which only its pod can read: what the gateway knows is taken for all there is."""

    references = returned = frozenset()

    def read(self) -> None:
        pass

    def overdue(self, _today: str) -> bool:
        return False


class TrialDemo(Demo):
    """`trial`: any stack whose folder has an endpoints file; all is done and asked through it."""

    late_is_asked_about = False  # this bank is never late, see `bank_faults`
    poll_s = 0.5

    def __init__(self, arguments, trial: Stack):
        super().__init__(arguments, trial)
        self.input = trial.state / "input"
        self.journal = NoJournal()
        self.endpoints = json.loads((trial.state / "endpoints.json").read_text(encoding="utf-8"))

    def bank_faults(self, faults: dict, *bank) -> None:
        """None: without the bank's journal nobody could tell a fault of ours from one of these."""

    def run(self) -> dict:
        for name, step in (("generate", self.prepare), ("policies", self.list_policies), ("banks", self.agree_with_banks),
                           ("budget", self.appropriate), ("people", self.load_people), ("collect", self.collect),
                           ("publish", self.publish), ("review", self.review), ("fund", self.fund), ("pay", self.pay),
                           ("statements", self.close_days)):
            with self.stage(name):
                step()
        with self.stage("verify"):
            audit = self.verify()
        totals = self.totals()
        return {"totals": totals, "audit": audit, "differences": self.differences(totals, audit)}

    def load_people(self) -> None:
        self.ctl("card-office-1", "person", "load", self.input / "people.csv")

    def pay(self) -> None:
        self.release(set(self.batches))
        self.wait_until_quiet("last day")

    def close_days(self) -> None:
        """The statements of the day on which everything was sent are compared on the next."""
        self.pass_days(2)

    def differences(self, totals: dict, audit: dict) -> list:
        """Whatever is not as it should be, of what can be seen from outside."""
        wrong = [f"{totals[state]} payments are {state}" for state in ("waiting", "in_transit", "unknown") if totals[state]]
        bank = self.by_outcome(self.ctl("bank-admin-1", "bank", "statistics"))
        wrong += [f"{totals[state]} payments {state}, the gateway knows of {bank[state]}" for state in bank if totals[state] != bank[state]]
        if not totals["paid"]:
            wrong.append("nobody was paid")
        wrong += [f"statement: {one}" for one in self.ctl("bank-admin-1", "bank", "differences")["differences"]]
        if not audit["verified"]:
            wrong.append("the audit log does not verify")
        return wrong


def main() -> int:
    parser = argparse.ArgumentParser(prog="deploy/kubernetes-demo")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--payments", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--release", default="yikatong")
    parser.add_argument("--binaries", type=pathlib.Path)
    arguments = parser.parse_args()
    if not 500 <= arguments.payments <= 1_000_000:
        parser.error("--payments is from 500 to 1000000")
    end_what_was_started()
    began = time.monotonic()
    demo = None
    try:
        if not (arguments.folder / "endpoints.json").exists():
            raise StackError(f"{arguments.folder} has no endpoints.json: run deploy/kubernetes-people first")
        demo = TrialDemo(arguments, Trial(arguments.folder, binaries_of(arguments.binaries), arguments.release))
        report = demo.run()
    except (DemoError, StackError, OSError) as error:
        say(f"failed: {error}")
        return 1
    finally:
        if demo is not None:
            demo.ctl.close()
    for state, payments in report["totals"].items():
        print(f"{state:18} {payments:>12,}")
    audit = report["audit"]
    print(f"audit log          {audit['entries']:,} entries, {audit['inclusion_checked']} inclusion and {audit['consistency_checked']} "
          f"consistency proofs hold\n{time.monotonic() - began:.0f} s")
    for one in report["differences"]:
        print(f"DIFFERENCE: {one}")
    print("IT DOES NOT HOLD" if report["differences"] else "all of it holds")
    return 1 if report["differences"] else 0


if __name__ == "__main__":
    sys.exit(main())

"""A rolling upgrade of every service while batches are collected and paid: nothing is lost, and nobody's call fails.

    /usr/bin/python3 tests/e2e/upgrade_test.py . build/release [--payments N] [--seed S] [--old FOLDER]

Two replicas of each service run the old release: the binaries in FOLDER, or the same ones where none are named. While rosters are
uploaded the new release's migrations run, as the chart's Job does it, and the second replica of each service is ended by SIGTERM and
started from the new binaries; so old and new work on the same batches until a tenth of them is paid, when the first replicas follow.
The officers' commands are those of the demonstration, from the old release to the end, and the client library retries by itself:
a command that fails ends the test. Afterwards the report must hold as if nothing had happened.
"""
import argparse
import contextlib
import os
import pathlib
import signal
import sys
import threading
import time

SOURCE = pathlib.Path(sys.argv[1]).resolve()
BUILD = pathlib.Path(sys.argv[2]).resolve()
sys.path[:0] = [str(SOURCE / "deploy" / "demo.d"), str(SOURCE / "deploy" / "local.d")]
from run import Demo, end_what_was_started, show  # noqa: E402
from stack import WITH_DATABASE, Stack, say  # noqa: E402
from whole_demo import own_stack, wait_for_credits, wrong_in  # noqa: E402

PAID_BEFORE = 0.1
DRAIN_S = 20  # the setting drain_deadline: whoever needs that long has cut somebody's call


class UpgradedDemo(Demo):
    def __init__(self, arguments, stack: Stack, new: pathlib.Path):
        super().__init__(arguments, stack)
        self.new = new
        self.credits_at = []  # what the bank had credited when a replica was ended while batches were paid
        self.upgraded = []

    def collect(self) -> None:
        with self.rolling(1):
            super().collect()

    def wait_until_quiet(self, what: str) -> dict:
        if what != "pay" or len(self.upgraded) == 2 * len(WITH_DATABASE):
            return super().wait_until_quiet(what)
        wait_for_credits(self.journal, round(PAID_BEFORE * self.plan["expected"]["accepted"]))
        with self.rolling(0):
            return super().wait_until_quiet(what)

    @contextlib.contextmanager
    def rolling(self, replica: int):
        """Upgrades this replica of each service beside what is done meanwhile."""
        failed = []

        def roll() -> None:
            try:
                for service in WITH_DATABASE:
                    self.upgrade(self.stack.replicas_of(service)[replica], service)
            except Exception as error:  # told by who waits for the thread
                failed.append(error)

        thread = threading.Thread(target=roll)
        thread.start()
        try:
            yield
        finally:
            thread.join()
        if failed:
            raise failed[0]

    def upgrade(self, process: str, service: str) -> None:
        old, self.stack.binaries = self.stack.binaries, self.new
        try:
            if process != service:  # the first of this service
                self.stack.migrate(service)
            child = next(one for one in self.stack.processes if one.pid == self.stack.children[process])
            begun = time.monotonic()
            os.kill(child.pid, signal.SIGTERM)
            code = child.wait(timeout=3 * DRAIN_S)
            drained = time.monotonic() - begun
            assert code == 0 and drained < DRAIN_S, f"{process} ended with {code} in {drained:.1f} s on SIGTERM"
            if process == service:
                self.credits_at.append(len(self.journal.references))
            self.stack.start_process(process, service)
            self.stack.await_ready(process, service)
        finally:
            self.stack.binaries = old
        self.upgraded.append(process)
        say(f"    {process} upgraded: {drained:.1f} s to drain, {time.monotonic() - begun - drained:.1f} s to be ready")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--payments", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--old", type=pathlib.Path, default=BUILD / "bin", help="binaries of the old release")
    arguments = parser.parse_args(sys.argv[3:])
    end_what_was_started()
    with own_stack("yikatong-upgrade-", arguments.old, replicas=2) as stack:
        demo = UpgradedDemo(arguments, stack, BUILD / "bin")
        try:
            report = demo.run()
        finally:
            demo.ctl.close()
    show(report)
    wrong = wrong_in(report)
    if len(demo.upgraded) != 2 * len(WITH_DATABASE):
        wrong.append(f"not every replica was upgraded, only {demo.upgraded}")
    elif demo.credits_at[0] >= report["bank_journal"]["credits"]:
        wrong.append("everything was paid before the first replicas were upgraded")
    print(f"first replicas ended at {demo.credits_at} credits of {report['bank_journal']['credits']}")
    for one in wrong:
        print(f"WRONG: {one}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

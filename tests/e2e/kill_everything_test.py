"""kill -9 of everything, PostgreSQL included, while payments are under way; `deploy/local/up` on the same state finishes them.

    /usr/bin/python3 tests/e2e/kill_everything_test.py . build/release [--payments N] [--seed S]

The whole demonstration is run, and while it pays every process is killed three times: when about a tenth, a third and two thirds
of the payments have been credited. Afterwards the report must hold as if nothing had happened.
"""
import argparse
import contextlib
import os
import pathlib
import signal
import subprocess
import sys

SOURCE = pathlib.Path(sys.argv[1]).resolve()
BUILD = pathlib.Path(sys.argv[2]).resolve()
sys.path[:0] = [str(SOURCE / "deploy" / "demo.d"), str(SOURCE / "deploy" / "local.d")]
from run import Ctl, Demo, show  # noqa: E402
from stack import Stack, say  # noqa: E402
from whole_demo import own_stack, wait_for_credits, wrong_in  # noqa: E402

SHARES = (0.1, 0.33, 0.66)


class KilledDemo(Demo):
    def __init__(self, arguments, stack: Stack):
        super().__init__(arguments, stack)
        self.killed_at = []  # payments that the bank had credited

    def wait_until_quiet(self, what: str) -> dict:
        if what == "pay":
            for share in SHARES:
                self.kill_everything(round(share * self.plan["expected"]["accepted"]))
        return super().wait_until_quiet(what)

    def kill_everything(self, credits: int) -> None:
        self.killed_at.append(wait_for_credits(self.journal, credits))
        self.ctl.close()
        postmaster = int((self.stack._data_folder / "postmaster.pid").read_text().split("\n", 1)[0])
        backends = pathlib.Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        for pid in [*self.stack._read("pids.json", {}).values(), postmaster, *map(int, backends)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for process in self.stack.processes:
            process.wait()
        self.stack.processes.clear()
        say(f"    all killed with {self.killed_at[-1]} credited")
        up = subprocess.run([str(SOURCE / "deploy" / "local" / "up"), "--state", str(self.stack.state)], capture_output=True,
                            text=True, check=False)
        assert up.returncode == 0, up.stdout + up.stderr
        self.ctl = Ctl(self.stack)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--payments", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=3)
    arguments = parser.parse_args(sys.argv[3:])
    with own_stack("yikatong-kill-", BUILD / "bin") as stack:
        demo = KilledDemo(arguments, stack)
        try:
            report = demo.run()
        finally:
            demo.ctl.close()
    show(report)
    wrong = wrong_in(report)
    if demo.killed_at[0] >= report["bank_journal"]["credits"] or len(set(demo.killed_at)) < 2:
        wrong.append(f"nothing was under way when everything was killed, at {demo.killed_at} credits")
    print(f"killed at {demo.killed_at} credits of {report['bank_journal']['credits']}")
    for one in wrong:
        print(f"WRONG: {one}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

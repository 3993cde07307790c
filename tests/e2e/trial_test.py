#!/usr/bin/python3
"""What deploy/kubernetes-demo does with a trial ends well, and it notices what does not.

    trial_test.py SOURCE-FOLDER BUILD-FOLDER
"""
import argparse
import pathlib
import sys

SOURCE, BUILD = (pathlib.Path(one) for one in sys.argv[1:3])
sys.path[:0] = [str(SOURCE / "deploy" / "demo.d"), str(SOURCE / "deploy" / "local.d"), str(SOURCE / "tests" / "e2e")]
from trial_demo import TrialDemo  # noqa: E402
from whole_demo import own_stack  # noqa: E402


def main() -> int:
    with own_stack("yikatong-trial-", BUILD / "bin") as stack:
        stack.up()
        demo = TrialDemo(argparse.Namespace(payments=1_000, seed=1), stack)
        try:
            report = demo.run()
            wrong = list(report["differences"])
            lost = {**report["totals"], "paid": report["totals"]["paid"] - 1, "unknown": 1}
            if len(demo.differences(lost, report["audit"])) != 2:
                wrong.append(f"a payment that is lost is not noticed: {demo.differences(lost, report['audit'])}")
            if not demo.differences(report["totals"], {**report["audit"], "verified": False}):
                wrong.append("a log that does not verify is not noticed")
        finally:
            demo.ctl.close()
    print(f"{report['totals']['paid']} of {report['totals']['accepted']} paid, {report['audit']['entries']} entries of the log", *wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

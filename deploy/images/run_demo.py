"""The demonstration of deploy/demo, every program of the suite in its container; see deploy/images/test."""
import argparse
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "deploy" / "demo.d"), str(ROOT / "deploy" / "local.d"), str(ROOT / "deploy" / "images")]
from containers import ARCHIVES, ContainerStack, Podman  # noqa: E402
from report import told_apart, wrong_in  # noqa: E402
from rosters import TODAY  # noqa: E402
from run import DATA, Demo, end_what_was_started, show  # noqa: E402
from stack import Stack, say  # noqa: E402
from trial import wrong_in_trial  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(prog="deploy/images/test", description=__doc__)
    parser.add_argument("--payments", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=pathlib.Path, metavar="DIR",
                        help="binaries to compare with: as processes they must end with the same report")
    arguments = parser.parse_args()
    end_what_was_started()
    folder = ARCHIVES / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    podman = Podman()
    podman.load()
    wrong = wrong_in_trial(podman, folder / "trial")
    state = folder / "containers" / "state"
    report = run(arguments, ContainerStack(state, folder / "bin", TODAY.isoformat(), podman, [state.parent / "input", DATA]))
    wrong += wrong_in(report)
    if podman.running():
        wrong.append(f"{len(podman.running())} containers did not end")
    show(report)
    if arguments.processes:
        other = run(arguments, Stack(folder / "processes" / "state", arguments.processes, TODAY.isoformat()))
        wrong += wrong_in(other)
        wrong += told_apart(report, other, ("in containers", "as processes"))
    for one in wrong:
        print(f"WRONG: {one}")
    if not wrong:
        print("containers pay what processes pay" if arguments.processes else "all of it holds in containers")
    return 1 if wrong else 0


def run(arguments, stack: Stack) -> dict:
    """One demonstration on a state of its own."""
    say(f"running in {stack.state.parent}")
    stack.down()
    stack.forget()
    demo = Demo(arguments, stack)
    demo.input.mkdir(parents=True, exist_ok=True)
    try:
        return demo.run()
    finally:
        demo.ctl.close()
        stack.down()


if __name__ == "__main__":
    sys.exit(main())

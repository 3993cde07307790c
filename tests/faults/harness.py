"""The fault harness; `run` beside it says how it is called, README.md what it does."""
import argparse
import collections
import concurrent.futures
import fcntl
import hashlib
import json
import pathlib
import queue
import random
import re
import subprocess
import sys
import threading
import time
import traceback

import psycopg2

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT / "deploy" / "demo.d"), str(ROOT / "deploy" / "local.d"), str(HERE)]
import mutations  # noqa: E402
import points  # noqa: E402
from checks import KINDS, Checks, on_their_way  # noqa: E402
from city import City, Stuck  # noqa: E402
from faults import Faults, Keeper  # noqa: E402
from run import DATA, DemoError  # noqa: E402
from slot import Slot  # noqa: E402
from stack import SERVICES, StackError, build, end_what_was_started, say  # noqa: E402

UP_TIMEOUT_S = 120
LOG_TIMEOUT_S = 120  # a relay, or an archive's maker, that was refused asks again within half a minute


class Harness:
    def __init__(self, arguments, binaries: pathlib.Path):
        self.arguments = arguments
        self.binaries = binaries
        self.work = arguments.work.resolve()
        self.work.mkdir(parents=True, exist_ok=True)
        self.results_path = self.work / "results.jsonl"
        self.commit = commit()
        self.told = threading.Lock()  # results, and what is printed of them

    # --- One seed -------------------------------------------------------------------------------------------------

    def _template_key(self) -> str:
        parts = [self.binaries / name for name in (*SERVICES, "yktctl", "provision")]
        parts += sorted(path for path in (ROOT / "deploy").rglob("*")
                        if path.is_file() and "__pycache__" not in path.parts)
        parts += [HERE / "slot.py", HERE / "city.py"]
        seen = [f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in parts]
        return hashlib.sha256("\n".join(seen).encode()).hexdigest()

    def run_seed(self, seed: int, slot: Slot) -> dict:
        started = time.monotonic()
        stack = slot.fill()
        keeper = Keeper(stack, random.Random(f"keeper-{seed}"))
        faults = Faults(stack, keeper, seed, slot.path if slot.mounted else None)
        city = City(stack, seed, self.arguments.payments, faults)
        found = {kind: [] for kind in KINDS}
        problem = ""
        payments = {}
        try:
            city.prepare()
            endpoints = stack.resume()
            faults.arm()
            keeper.start()
            try:
                city.work(lambda: self._until_up(faults, keeper))
                payments = self._check(city, endpoints, found)
                if self.arguments.check_the_checks and not any(found.values()):
                    keeper.hold_all()
                    self._check_the_checks(city, endpoints)
            except Stuck as error:
                self._until_up(faults, keeper)
                found["stuck"] += [str(error)] * error.items
            faults.end()
            problem = "; ".join(faults.problems)
        except (DemoError, StackError, OSError, ValueError, LookupError, psycopg2.Error,
                subprocess.SubprocessError) as error:
            problem = f"{type(error).__name__}: {error}"
            traceback.print_exc(file=(self.work / "problems.log").open("a", encoding="utf-8"))
        finally:
            faults.end()  # none is in the middle of something when the stack ends
            keeper.done.set()
            if keeper.is_alive():
                keeper.join()
            for kind in ("held", "frozen"):
                getattr(keeper, kind).clear()
            city.end()
            if self.arguments.keep_running:
                say(f"  left running in {stack.state}")
            else:
                stack.down()
        return {"seed": seed, "commit": self.commit, "rows": self.arguments.payments, "payments": payments,
                "faults": [list(one) for one in faults.started], "points": [list(one) for one in faults.fired()], "plan": [list(one) for one in faults.plan],
                "armed": [list(one) for one in faults.points], "restarts": keeper.restarts, "calls": city.ctl.calls,
                "repeated": city.ctl.repeated, "stages_s": city.stages, "took_s": round(time.monotonic() - started, 1),
                **{kind: len(what) for kind, what in found.items()},
                "findings": [f"{kind}: {one}" for kind, what in found.items() for one in what][:100], "problem": problem}

    def _until_up(self, faults: Faults, keeper: Keeper) -> None:
        faults.end()
        deadline = time.monotonic() + UP_TIMEOUT_S
        while not keeper.all_up():
            if time.monotonic() > deadline:
                raise StackError("not everything has started again")
            time.sleep(0.05)

    def _check(self, city: City, endpoints: dict, found: dict) -> dict:
        # What is on its way is no difference; what never arrives is, and stuck besides.
        deadline = time.monotonic() + LOG_TIMEOUT_S
        while on_their_way(endpoints["database_socket"]) and time.monotonic() < deadline:
            time.sleep(0.1)
        problem = ""
        try:
            audit = city.verify()
            if not audit["verified"]:
                problem = "the proofs do not hold"
        except DemoError as error:
            problem = f"the proofs: {error}"
        if problem:
            found["audit_differences"].append(problem)
        journal = pathlib.Path(endpoints["bank_journal"])
        checks, report = self._reckon(city, endpoints, journal, city.ctl.acknowledged)
        for kind in KINDS:
            found[kind] += checks.found[kind]
        return report["payments"]

    def _check_the_checks(self, city: City, endpoints: dict) -> None:
        def count(journal, more) -> dict:
            checks, _ = self._reckon(city, endpoints, journal, city.ctl.acknowledged + more)
            return {kind: len(what) for kind, what in checks.found.items()}

        missed = mutations.overlooked(endpoints, city.input, count)
        if missed:
            raise StackError(f"the checks overlook: {', '.join(missed)}")

    @staticmethod
    def _reckon(city: City, endpoints: dict, journal: pathlib.Path, acknowledged: list) -> tuple:
        checks = Checks(endpoints["database_socket"], journal, city.input, DATA / "policies.rules.json", city.detours,
                        acknowledged)
        report = checks.everything(city.batches)
        city.check_expectations(report)
        checks.sort(report["differences"])
        return checks, report

    # --- All seeds ------------------------------------------------------------------------------------------------

    def done_before(self) -> dict:
        """What stands as good: seed -> its line. One that failed is run again, since it may have been mended."""
        results = {}
        if self.results_path.exists() and not self.arguments.again:
            for line in self.results_path.read_text(encoding="utf-8").split("\n"):
                if line:
                    one = json.loads(line)
                    results[one["seed"]] = one
        return {seed: one for seed, one in results.items()
                if self.arguments.first <= seed <= self.arguments.last and good(one) and one["rows"] >= self.arguments.payments}

    def run(self) -> int:
        results = self.done_before()
        missing = [seed for seed in range(self.arguments.first, self.arguments.last + 1) if seed not in results]
        with (self.work / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise StackError(f"another run works in {self.work}; give --work another folder") from error
            slots = [Slot(self.work, number, self.binaries)
                     for number in range(1, min(self.arguments.jobs, len(missing)) + 1)]
            try:
                self._open(slots)
                self._run_seeds(missing, slots, results)
            finally:
                if not self.arguments.keep_running:
                    for slot in slots:
                        slot.close()
        return self.conclude(results, any(slot.mounted for slot in slots))

    def _open(self, slots: list) -> None:
        """Each slot has a state that all seeds begin with; one of an earlier run of the same binaries and scripts if it can."""
        key = self._template_key()
        for slot in slots:
            slot.open()
        # Those that are there first, so that nobody else is given their ports.
        for slot in [slot for slot in slots if not slot.has_template(key)]:
            say("  policies, banks and budget, once for all seeds")
            slot.make_template(key, lambda stack: City(stack, 1, self.arguments.payments).found())

    def _run_seeds(self, missing: list, slots: list, results: dict) -> None:
        todo = queue.SimpleQueue()
        for seed in missing:
            todo.put(seed)
        stop = threading.Event()

        def work(slot: Slot) -> None:
            while not stop.is_set():
                try:
                    seed = todo.get_nowait()
                except queue.Empty:
                    return
                try:
                    result = self.run_seed(seed, slot)
                    results[seed] = result
                    self._tell(seed, result, slot)
                except BaseException:
                    stop.set()
                    raise
                if self.arguments.stop_at_first and not good(result):
                    stop.set()

        if slots:
            with concurrent.futures.ThreadPoolExecutor(len(slots)) as pool:
                try:
                    for done in [pool.submit(work, slot) for slot in slots]:
                        done.result()
                except KeyboardInterrupt:
                    stop.set()
                    say("ending after the seeds that run")
                    raise

    def _tell(self, seed: int, result: dict, slot: Slot) -> None:
        folder = self.work / "failed" / f"seed-{seed}"
        if not good(result):
            slot.keep(folder)
        with self.told:
            with self.results_path.open("a", encoding="utf-8") as out:
                out.write(json.dumps(result, ensure_ascii=False) + "\n")
            print(line_of(result), flush=True)
            if good(result):
                return
            for finding in [result["problem"], *result["findings"]]:
                if finding:
                    print(f"    {finding}"[:600], flush=True)
            print(f"    kept in {folder}; again: tests/faults/run --seeds {seed}..{seed} --payments "
                  f"{self.arguments.payments}", flush=True)

    def conclude(self, results: dict, mounted: bool) -> int:
        fired = [(point, action) for one in results.values() for _, point, action in one["points"]]
        hits = collections.Counter(point for point, action in fired if action != points.CONFLICT)
        conflicts = len(fired) - sum(hits.values())
        kinds = collections.Counter(kind for one in results.values() for _, kind in one["faults"])
        print("\n" + "\n".join(points.table(hits)))
        print("\nother points hit: " + ", ".join(f"{point} {times}" for point, times in sorted(hits.items())
                                                 if point not in {name for _, name in points.transitions()}))
        print(f"serialization failures: {conflicts}, in {len({point for point, _ in fired} - hits.keys())} other transactions")
        print("faults done: " + ", ".join(f"{kind} {times}" for kind, times in sorted(kinds.items())))
        print("left out of the table:")
        for what, why in points.LEFT_OUT.items():
            print(f"  {what}: {why}")
        missing = points.missing(hits)
        uncovered = len(results) >= self.arguments.covered_from and bool(missing)
        print(f"\n{len(points.transitions()) - len(missing)} of {len(points.transitions())} moments hit"
              + (f"; never: {', '.join(missing)}" if missing else ""))
        summary = {
            "commits": sorted({one["commit"] for one in results.values()}), "seeds": len(results), "faults": sum(len(one["faults"]) + len(one["points"]) for one in results.values()),
            "payments": sum(one["payments"].get("declared", 0) for one in results.values()),
            **{kind: sum(one[kind] for one in results.values()) for kind in KINDS},
            "problems": sum(bool(one["problem"]) for one in results.values()),
            "failed_seeds": sorted(seed for seed, one in results.items() if not good(one)),
            "moments": len(points.transitions()), "moments_never_hit": missing,
            "fault_kinds": dict(sorted(kinds.items())), "serialization_failures": conflicts, "disk_can_be_full": mounted or "disk_full" in kinds,
            "restarts": sum(one["restarts"] for one in results.values()),
            "calls_repeated": sum(one["repeated"] for one in results.values()),
            "least_faults_a_seed": min((len(one["faults"]) + len(one["points"]) for one in results.values()), default=0)}
        text = json.dumps(summary, ensure_ascii=False, indent=1)
        print(text)
        if self.arguments.report:
            self.arguments.report.parent.mkdir(parents=True, exist_ok=True)
            self.arguments.report.write_text(text + "\n", encoding="utf-8")
        wrong = [kind for kind in (*KINDS, "problems") if summary[kind]]
        if uncovered:
            wrong.append("coverage")
        print("it holds" if not wrong else f"IT DOES NOT HOLD: {', '.join(wrong)}")
        return 1 if wrong else 0


def good(result: dict) -> bool:
    return not result["problem"] and not any(result[kind] for kind in KINDS)


def line_of(result: dict) -> str:
    figures = ", ".join(f"{kind} {result[kind]}" for kind in KINDS)
    faults = ", ".join(f"{stage}:{kind}" for stage, kind in result["faults"])
    fired = ", ".join(f"{point}={action.split()[0]}" for _, point, action in result["points"])
    return (f"seed {result['seed']}: {'ok' if good(result) else 'FAILED'} in {result['took_s']} s, "
            f"{result['payments'].get('declared', 0)} payments, {len(result['faults'])} faults ({faults}), "
            f"{len(result['points'])} points ({fired}), {result['restarts']} restarts, {result['repeated']} of "
            f"{result['calls']} calls repeated; {figures}")


def commit() -> str:
    """The commit that is tried, with a plus where the tree has changed since; empty outside of a repository."""
    def git(*words):
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()

    return git("rev-parse", "--short=12", "HEAD") + ("+" if git("status", "--porcelain") else "")


def seeds(text: str) -> tuple:
    match = re.fullmatch(r"([0-9]+)(?:\.\.([0-9]+))?", text)
    if not match or int(match[1]) > int(match[2] or match[1]):
        raise argparse.ArgumentTypeError("seeds are A..B, or one")
    return int(match[1]), int(match[2] or match[1])


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests/faults/run")
    parser.add_argument("--seeds", type=seeds, default=(1, 10), help="A..B (1..10)")
    parser.add_argument("--payments", type=int, default=2_000, help="rows of each seed (2000)")
    parser.add_argument("--report", type=pathlib.Path, help="where the summary goes as JSON")
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "build" / "faults", help="results and failed seeds")
    parser.add_argument("--binaries", type=pathlib.Path, help="what is built already; otherwise it is built first")
    parser.add_argument("--again", action="store_true", help="run seeds that were done before")
    parser.add_argument("--covered-from", type=int, default=200, metavar="N",
                        help="with so many seeds, a transition that was never hit is a failure (200)")
    parser.add_argument("--check-the-checks", action="store_true",
                        help="alter one row in each store after each good seed: the checks must fail")
    parser.add_argument("--stop-at-first", action="store_true", help="end at the first seed that fails")
    parser.add_argument("--keep-running", action="store_true", help="leave the last seed's stack running, to look at it")
    parser.add_argument("--jobs", type=int, default=2, help="seeds side by side, each with a stack of its own (2)")
    arguments = parser.parse_args()
    if not 500 <= arguments.payments <= 100_000:
        parser.error("--payments is from 500 to 100000")
    if not 1 <= arguments.jobs <= 16 or (arguments.keep_running and arguments.jobs > 1):
        parser.error("--jobs is from 1 to 16, and 1 with --keep-running")
    arguments.first, arguments.last = arguments.seeds
    end_what_was_started()
    try:
        binaries = arguments.binaries or build(2)
        return Harness(arguments, binaries).run()
    except StackError as error:
        say(f"failed: {error}")
        return 1
    except KeyboardInterrupt:
        return 130  # seeds that were done stand in results.jsonl


if __name__ == "__main__":
    sys.exit(main())

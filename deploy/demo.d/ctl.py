"""yktctl for a script that acts as many people: processes that stay open and take command after command."""
import contextlib
import json
import subprocess
import threading

from stack import Stack


class DemoError(Exception):
    """What went wrong, in words."""


class Ctl:
    """Runs commands as one of the people of the stack. Thread safe: each command has a process for itself while it runs, and one
    that is idle serves the next, by preference one that has an open connection of that person."""

    def __init__(self, stack: Stack):
        self.command = [str(stack.binaries / "yktctl"), "lines"]
        self.options = ["--endpoints", str(stack.state / "endpoints.json"), "--json", "--timeout", "120"]
        self.processes = []
        self.idle = []  # the last used last
        self.known = {}  # the people that a process has served, by its pid
        self.lock = threading.Lock()

    @contextlib.contextmanager
    def _process(self, person: str):
        with self.lock:
            best = next((one for one in reversed(self.idle) if person in self.known[one.pid]), self.idle[-1] if self.idle else None)
            if best:
                self.idle.remove(best)
        if not best:
            best = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")
            with self.lock:
                self.processes.append(best)
                self.known[best.pid] = set()
        self.known[best.pid].add(person)
        yield best
        with self.lock:  # not after an exception: it may be in the middle of an answer
            self.idle.append(best)

    def __call__(self, person: str, *arguments, accept=(0,)):
        """The last object that the command printed; DemoError where its exit code is not one of `accept`."""
        words = [*self.options, "--as", person, *(str(one) for one in arguments)]
        with self._process(person) as process:
            answer, end = self._command(process, words)
        if end["exit"] not in accept:
            raise DemoError(f"yktctl --as {person} {' '.join(words[7:])}: exit {end['exit']}\n{end['error'].strip()}")
        return answer

    def _command(self, process, words: list) -> tuple:
        process.stdin.write(json.dumps(words) + "\n")
        process.stdin.flush()
        answer = {}
        for line in process.stdout:
            if not line.startswith("{"):
                continue
            said = json.loads(line)
            if set(said) == {"exit", "error"}:
                return answer, said
            answer = said
        raise DemoError(f"yktctl ended in the middle of {' '.join(words[7:])}")

    def close(self) -> None:
        for process in self.processes:
            process.stdin.close()
            process.stdout.close()
            process.wait()
        self.processes.clear()
        self.idle.clear()
        self.known.clear()

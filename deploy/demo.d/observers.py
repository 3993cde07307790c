"""What can be seen of a running stack from outside, while a demonstration goes on."""
import contextlib
import datetime
import pathlib
import threading


class Watcher(threading.Thread):
    """Samples each process's own memory (RssAnon), four times a second."""

    def __init__(self, pids: dict):
        super().__init__(daemon=True)
        self.pids = pids
        self.peak_kib = dict.fromkeys(pids, 0)
        self.done = threading.Event()

    def run(self):
        while not self.done.wait(0.25):
            for name, pid in self.pids.items():
                with contextlib.suppress(OSError, StopIteration):
                    status = pathlib.Path(f"/proc/{pid}/status").read_text()
                    line = next(one for one in status.split("\n") if one.startswith("RssAnon:"))
                    self.peak_kib[name] = max(self.peak_kib[name], int(line.split()[1]))


class JournalTail:
    """What the bank has done and reported so far, read on from where the last look ended."""

    def __init__(self, path: pathlib.Path, late_days: int):
        """`late_days`: how long the bank puts off what it does late."""
        self.path = path
        self.late_days = late_days
        self.offset = 0
        self.references = set()
        self.returned = set()
        self.due = {}  # (what, reference) -> day on which the bank does it

    def read(self) -> None:
        with self.path.open("rb") as journal:
            journal.seek(self.offset)
            for line in journal:
                if not line.endswith(b"\n"):
                    break
                self.offset += len(line)
                fields = line.split(b"|", 6)
                kind = fields[0]
                if kind == b"L":
                    self.due[(fields[3], fields[2])] = fields[1].decode()
                elif kind in (b"C", b"X", b"R", b"N"):
                    done = {b"C": b"CREDIT", b"R": b"RETURN", b"N": b"REPORT"}.get(kind)
                    self.due.pop((done, fields[4]), None)
                    if kind == b"N" or fields[1] != b"0":
                        self.references.add(fields[4])
                    if kind == b"R":
                        self.returned.add(fields[4])

    def late_since(self, day: datetime.date) -> int:
        """Rows sent after that day whose credit or report the bank has put off."""
        due = (day + datetime.timedelta(days=self.late_days)).isoformat()
        return sum(what != b"RETURN" and when > due for (what, _), when in self.due.items())

    def overdue(self, today: str) -> int:
        """What the bank should have done by today and has not."""
        return sum(day <= today for day in self.due.values())

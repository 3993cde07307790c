"""A whole demonstration on a stack of its own, for tests that disturb it while it runs."""
import contextlib
import pathlib
import shutil
import tempfile
import time

from report import wrong_in  # noqa: F401: what must not be in a report, however its demonstration was disturbed
from rosters import TODAY
from stack import Stack

PATIENCE_S = 600


@contextlib.contextmanager
def own_stack(prefix: str, binaries: pathlib.Path, replicas: int = 1):
    """A stack in a folder of its own; at the end nothing of it is left."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix=prefix))
    folder.chmod(0o755)
    stack = Stack(folder / "state", binaries, TODAY.isoformat(), replicas)
    try:
        yield stack
    finally:
        stack.down()
        stack.forget()
        shutil.rmtree(folder, ignore_errors=True)


def wait_for_credits(journal, wanted: int) -> int:
    """Until the bank has credited that many; how many they are then. `journal`: a JournalTail."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        journal.read()
        if len(journal.references) >= wanted:
            return len(journal.references)
        assert time.monotonic() < deadline, f"the bank has credited {len(journal.references)} and no more"
        time.sleep(0.005)

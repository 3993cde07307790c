#!/usr/bin/python3
"""What the local stack takes for its own: deploy/local/down must never end another's process."""
import os
import pathlib
import subprocess
import sys
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "deploy" / "local.d"))
from stack import alive, ended  # noqa: E402


class Processes(unittest.TestCase):
    def test_a_program_is_known_by_its_own_name_and_not_by_its_arguments(self):
        sleeper = subprocess.Popen(["/usr/bin/sleep", "300"], stdin=subprocess.DEVNULL)
        reader = subprocess.Popen(["/usr/bin/tail", "-f", "/dev/null", "--pid", str(os.getpid())], stdin=subprocess.DEVNULL)
        named = subprocess.Popen(["redis-server *:0", "300"], executable="/usr/bin/sleep", stdin=subprocess.DEVNULL)
        try:
            # A process has its own name a moment after it was started.
            deadline = time.monotonic() + 10
            for process, program in ((sleeper, "sleep"), (reader, "tail"), (named, "redis-server")):
                while not alive(process.pid, program):
                    self.assertLess(time.monotonic(), deadline, program)
            self.assertTrue(alive(sleeper.pid, ""))
            self.assertFalse(alive(sleeper.pid, "300"))
            self.assertFalse(alive(sleeper.pid, "usr"))
            self.assertFalse(alive(reader.pid, "null"))
        finally:
            for process in (sleeper, reader, named):
                process.kill()
        # A zombie is no more, though its number is still taken.
        os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
        self.assertFalse(alive(sleeper.pid, "sleep"))
        self.assertTrue(ended(sleeper.pid))
        for process in (sleeper, reader, named):
            process.wait()
        self.assertFalse(alive(sleeper.pid, ""))


if __name__ == "__main__":
    unittest.main()

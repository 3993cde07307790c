"""A short set of histories agrees, and a model that is wrong in one rule does not: what finds nothing would prove nothing."""
import contextlib
import datetime
import importlib.machinery
import importlib.util
import io
import pathlib
import sys
import unittest
from unittest import mock

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(sys.argv[1]).resolve()
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True


def load_run():
    """The command beside this file, as a module."""
    loader = importlib.machinery.SourceFileLoader("model_run", str(HERE / "run"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("model_run", loader))
    loader.exec_module(module)
    return module


run = load_run()
import model  # noqa: E402
import rules  # noqa: E402
import state  # noqa: E402
from history import Coverage, Disagreement  # noqa: E402

SEEDS, OPERATIONS = (1, 2, 3), 250
# A wrong rule is found within this many operations of the same seed.
SOON = 250


def share_to_the_last(fen, funding):
    parts = [fen * share // 10_000 for _, share in funding]
    parts[-1] = fen - sum(parts[:-1])
    return parts


WRONG = {
    "the remainder goes to the last source": mock.patch.object(rules, "split", share_to_the_last),
    "a sealed batch cannot be cancelled": mock.patch.dict(
        state.NEXT["cancel"], {state.COLLECTING: state.CANCELLED}, clear=True),
    "a notice ends on its last day": mock.patch.object(
        model.Model, "notice_view", lambda self, batch, right=model.Model.notice_view: {
            **right(self, batch), "to": (batch.notice[1] - datetime.timedelta(days=1)).isoformat()}),
    "whoever entered a batch may do anything": mock.patch.object(rules.Caller, "may", lambda self, operation: True),
    "claims are never taken": mock.patch.object(model.Model, "_claim", lambda self, batch, item: ("", "")),
}


class Histories(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.rig = run.Rig(BUILD / "bin", run.START_DATE)
        cls.addClassCleanup(cls.rig.end)
        cls.runs = 0

    def history(self, seed: int, coverage=None):
        type(self).runs += 1
        return self.rig.history(seed, self.runs, coverage or Coverage())

    def test_short_histories_agree(self):
        coverage = Coverage()
        for seed in SEEDS:
            with self.subTest(seed=seed):
                self.history(seed, coverage).play(OPERATIONS)
        run.print_coverage(coverage)
        self.assertEqual(len(SEEDS) * OPERATIONS, coverage.operations())
        # The histories go all the way: money was paid, and many things were refused.
        self.assertGreater(coverage.done["release"], 0)
        self.assertGreater(len(coverage.refused), 50)
        self.assertGreater(coverage.repeated, 0)

    def test_a_model_that_is_wrong_in_one_rule_disagrees(self):
        for what, wrong in WRONG.items():
            with self.subTest(what), wrong, contextlib.redirect_stdout(io.StringIO()):
                with self.assertRaises(Disagreement) as found:
                    self.history(SEEDS[0]).play(SOON)
                self.assertIn("the model says", str(found.exception))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]], verbosity=2)

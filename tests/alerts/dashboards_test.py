"""The dashboards ask for what the services have; that every panel shows something is tests/watch."""
import json
import pathlib
import re
import tempfile
import unittest

from alerts_test import OF_THE_TARGET, ROOT, USED, declared, promtool

DASHBOARDS = sorted((ROOT / "helm" / "yikatong" / "dashboards").glob("*.json"))


def queries():
    """(dashboard, panel, query, legend) of every panel."""
    for path in DASHBOARDS:
        for panel in json.loads(path.read_text(encoding="utf-8"))["panels"]:
            for target in panel.get("targets", []):
                yield path.stem, panel["title"], target["expr"].replace("$service", "dispatch"), target["legendFormat"]


class Dashboards(unittest.TestCase):
    def test_prometheus_takes_every_query(self):
        rules = [{"record": f"panel:{number}", "expr": query} for number, (_, _, query, _) in enumerate(queries())]
        self.assertGreater(len(rules), 35)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "rules.json"
            path.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}), encoding="utf-8")
            done = promtool("check", "rules", path)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_every_metric_and_label_is_one_that_the_services_have(self):
        there = declared()
        for dashboard, panel, query, legend in queries():
            used = USED.findall(query)
            with self.subTest(dashboard, panel=panel):
                self.assertTrue(used or "up" in query)
                if not used:
                    self.assertIn('up{suite="yikatong"', query, "the cluster's Prometheus reads others, too")
                labels = set(re.findall(r"\{\{(\w+)\}\}", legend))
                for metric, matchers in used:
                    self.assertIn(metric, there)
                    named = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers))
                    self.assertEqual(named - there[metric] - OF_THE_TARGET, set())
                    self.assertEqual(labels - there[metric] - OF_THE_TARGET, set(), "a legend without its label")

    def test_no_two_panels_of_a_dashboard_lie_on_each_other(self):
        for path in DASHBOARDS:
            taken = set()
            for panel in json.loads(path.read_text(encoding="utf-8"))["panels"]:
                at = panel["gridPos"]
                cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
                with self.subTest(path.stem, panel=panel["title"]):
                    self.assertEqual(cells & taken, set())
                    self.assertLessEqual(at["x"] + at["w"], 24)
                taken |= cells


if __name__ == "__main__":
    unittest.main()

"""The alerts: rules that Prometheus takes, over metrics that the services have, each with a runbook and with cases.

An alert is helm/yikatong/alerts/<Name>.yaml, its runbook helm/yikatong/runbooks/<Name>.md, its cases <Name>.yaml here: series, a
time, and the labels with which it fires there (an empty list: it must not).
"""
import json
import pathlib
import re
import subprocess
import tempfile
import unittest

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
ALERTS = ROOT / "helm" / "yikatong" / "alerts"
RUNBOOKS = ROOT / "helm" / "yikatong" / "runbooks"
CASES = ROOT / "tests" / "alerts"
HEADINGS = ["What it means", "What people feel", "Where to look", "What to do", "When it is over", "What not to do"]
DECLARED = re.compile(r'(Counters|Gauges|Histograms)\(\s*"(yikatong_\w+)",\s*(?:"(?:[^"\\]|\\.)*"\s*)+(?:,\s*\{([^{}]*)\})?')
BY_HAND = re.compile(r'ClientMetric metric;(.*?)\.name = "(yikatong_\w+)"', re.S)
METHOD = re.compile(r"\brpc (\w+)\s*\(\s*(stream )?[\w.]+\s*\)\s*returns\s*\(\s*(stream )?")
USED = re.compile(r"\b(yikatong_\w+)(?:\{([^}]*)\})?")
# What the scrape adds, see the chart's PodMonitor.
OF_THE_TARGET = {"suite", "service", "pod", "instance", "job"}
ADDED = {"Counters": [""], "Gauges": [""], "Histograms": ["_bucket", "_sum", "_count"]}


def rule_of(path: pathlib.Path) -> dict:
    (group,) = yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
    (rule,) = group["rules"]
    return rule


RULES = {path.stem: rule_of(path) for path in sorted(ALERTS.glob("*.yaml"))}


def sources():
    for folder in ("common", "services"):
        for path in sorted((ROOT / folder).rglob("*.cc")):
            if not path.name.endswith("_test.cc") and not {"testing", "bench"} & set(path.parts):
                yield path.read_text(encoding="utf-8")


def declared() -> dict:
    """Series that the services export: name -> labels."""
    found = {}
    for text in sources():
        for kind, name, labels in DECLARED.findall(text):
            for added in ADDED[kind]:
                found[name + added] = set(re.findall(r'"(\w+)"', labels)) | ({"le"} if added == "_bucket" else set())
        found |= {name: set(re.findall(r'\{"(\w+)", ', made)) for made, name in BY_HAND.findall(text)}
    return found


def promtool(*words) -> subprocess.CompletedProcess:
    return subprocess.run(["promtool", *map(str, words)], capture_output=True, text=True, check=False)


class Rules(unittest.TestCase):
    def test_prometheus_takes_them(self):
        done = promtool("check", "rules", *sorted(ALERTS.glob("*.yaml")))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_each_has_a_name_a_severity_words_and_a_runbook(self):
        self.assertGreater(len(RULES), 20)
        for name, rule in RULES.items():
            with self.subTest(name):
                self.assertEqual(rule["alert"], name)
                self.assertIn(rule["labels"]["severity"], ("critical", "warning"))
                self.assertEqual(set(rule["annotations"]), {"summary", "summary_zh", "runbook"})
                self.assertEqual(rule["annotations"]["runbook"], f"helm/yikatong/runbooks/{name}.md")
                self.assertNotIn("{{", json.dumps(rule["annotations"]), "what varies is a label")

    def test_every_metric_is_one_that_the_services_have_with_its_labels(self):
        there = declared()
        self.assertGreater(len(there), 30)
        for name, rule in RULES.items():
            used = USED.findall(rule["expr"])
            with self.subTest(name):
                if name not in ("ServiceDown", "ReplicaDown"):
                    self.assertTrue(used)
                for metric, matchers in used:
                    self.assertIn(metric, there)
                    labels = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers))
                    self.assertEqual(labels - there[metric] - OF_THE_TARGET, set(), metric)
                grouped = {one.strip() for group in re.findall(r"\bby \(([^)]*)\)", rule["expr"]) for one in group.split(",")}
                every = set().union(*(there[metric] for metric, _ in used)) if used else set()
                self.assertEqual(grouped - every - OF_THE_TARGET, set())

    def test_what_is_slow_leaves_out_every_stream_and_nothing_else(self):
        streams, others = set(), set()
        for path in sorted((ROOT / "proto").rglob("*.proto")):
            for name, takes, gives in METHOD.findall(path.read_text(encoding="utf-8")):
                (streams if takes or gives else others).add(name)
        self.assertGreater(len(others), 100)
        # That of reflection comes with the library; its contract is not in the tree.
        streams.add("ServerReflectionInfo")
        left_out = re.search(r'method!~"\.\*/\(([^)]*)\)"', RULES["CallsSlow"]["expr"])[1].split("|")
        self.assertEqual(sorted(left_out), sorted(streams))
        self.assertEqual(streams & others, set(), "a name that is a stream here and none there")


class Runbooks(unittest.TestCase):
    def test_every_alert_has_one_under_the_fixed_headings_and_none_is_left_over(self):
        self.assertEqual({path.stem for path in RUNBOOKS.glob("*.md")}, set(RULES))
        for name, rule in RULES.items():
            text = (RUNBOOKS / f"{name}.md").read_text(encoding="utf-8")
            with self.subTest(name):
                self.assertTrue(text.startswith(f"# {name}: "))
                self.assertIn(rule["annotations"]["summary_zh"], text)
                self.assertEqual(re.findall(r"^## (.*)$", text, re.M), HEADINGS)
                for part in re.split(r"^## .*$", text, flags=re.M)[1:]:
                    self.assertGreater(len(part.strip()), 5)

    def test_alerts_metrics_and_log_events_that_they_name_are_there(self):
        there = declared()
        events = {one for text in sources() for one in re.findall(r'Log::\w+\(\s*(?:[^"();]*,\s*)?"(\w+)"', text)}
        self.assertIn("worker_failed", events)
        for name in RULES:
            text = " ".join((RUNBOOKS / f"{name}.md").read_text(encoding="utf-8").split())
            with self.subTest(name):
                for metric, _ in USED.findall(text):
                    self.assertTrue({metric, f"{metric}_bucket"} & set(there), metric)
                for searched in re.findall(r"\| grep (?:-E )?('[^']*'|\w+)", text):
                    for word in re.findall(r"[a-z]+(?:_[a-z]+)+", searched):
                        self.assertIn(word, events)
                for other in re.findall(r"\b([A-Z][a-z]+(?:[A-Z][a-z]+)+)\b", text):
                    if other not in ("PostgreSQL",):
                        self.assertIn(other, set(RULES) | {"NotReady"}, "an alert that is not there")


class Cases(unittest.TestCase):
    def cases(self, name: str) -> list:
        return yaml.safe_load((CASES / f"{name}.yaml").read_text(encoding="utf-8"))

    def test_each_alert_has_one_that_fires_and_one_that_must_not(self):
        self.assertEqual({path.stem for path in CASES.glob("*.yaml")}, set(RULES))
        for name in RULES:
            fires = {bool(case["fires"]) for case in self.cases(name)}
            self.assertEqual(fires, {True, False}, name)

    def test_the_series_are_of_metrics_that_the_services_have(self):
        there = declared() | {"up": set()}
        for name in RULES:
            for case in self.cases(name):
                for series in case["series"]:
                    metric, matchers = re.fullmatch(r"(\w+)(?:\{(.*)\})?", series).groups()
                    labels = set(re.findall(r'(\w+)="', matchers or ""))
                    with self.subTest(name, series=series):
                        self.assertIn(metric, there)
                        self.assertEqual(labels - there[metric] - OF_THE_TARGET, set())
                        self.assertEqual(there[metric] - labels, set(), "labels that the service always gives")

    def test_they_fire_where_they_should_and_nowhere_else(self):
        with tempfile.TemporaryDirectory() as folder:
            files = []
            for name, rule in RULES.items():
                tests = [{"interval": "1m", "name": case["case"],
                          "input_series": [{"series": series, "values": values} for series, values in case["series"].items()],
                          "alert_rule_test": [{"eval_time": case["at"], "alertname": name, "exp_alerts": [
                              {"exp_labels": {**rule["labels"], **labels}, "exp_annotations": rule["annotations"]}
                              for labels in case["fires"]]}]} for case in self.cases(name)]
                path = pathlib.Path(folder) / f"{name}.json"
                path.write_text(json.dumps({"rule_files": [str(ALERTS / f"{name}.yaml")], "evaluation_interval": "1m",
                                            "tests": tests}), encoding="utf-8")
                files.append(path)
            done = promtool("test", "rules", *files)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()

"""The chart as the tests see it: rendered over a matrix of values, and checked against Kubernetes' own schemas."""
import functools
import json
import os
import pathlib
import subprocess
import zipfile

import jsonschema
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHART = ROOT / "helm" / "yikatong"
EXAMPLES = CHART / "examples"
TOOLS = pathlib.Path(os.environ.get("YIKATONG_TOOLS", ROOT / "build" / "tools"))
HELM = TOOLS / "helm"
SETTINGS = json.loads((ROOT / "helm" / "settings.json").read_text(encoding="utf-8"))
SCHEMA = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
OLDEST, NEWEST = "1.27.0", "1.37.0"  # the oldest that Chart.yaml admits
WORKLOADS = ("Deployment", "StatefulSet", "Job", "Pod")
DATABASES = ("auditlog", "catalogue", "registry", "bankgateway", "dispatch")

# What is rendered: a name, files of values, values.
MATRIX = {
    "defaults": ([], {}),
    "trial": (["trial"], {}),
    "external-database": (["external-database"], {}),
    "cloudnative-pg": (["cloudnative-pg"], {}),
    "bare": ([], {"networkPolicy": {"enabled": False}, "migrations": {"enabled": False}, "priority": {"create": False}}),
    "restored": (["cloudnative-pg", "cloudnative-pg-restored"], {}),
    "renamed": ([], {"fullnameOverride": "subsidies", "nameOverride": "card", "labels": {"team": "finance"}, "tokenIssuers": "issuers",
                     "priority": {"name": "money"}, "image": {"registry": "", "tag": "7", "pullPolicy": "Always"}}),
    "no-tls-database": ([], {"database": {"sslMode": "require", "port": 6432}, "redis": {"address": "cache:6380"}}),
    "ipv6": (["trial"], {"listenHost": "[::]", "services": {"dispatch": {"expose": {"type": "NodePort", "nodePort": 30443}}}}),
    "few-services": ([], {"services": {name: {"enabled": False} for name in ("dispatch", "bankgateway", "registry")}}),
    "each-its-own": ([], {
        "serviceDefaults": {"ports": {"grpc": 9443}, "nodeSelector": {"pool": "money"}, "maxUnavailable": 2,
                            "tolerations": [{"key": "money", "operator": "Exists", "effect": "NoSchedule"}]},
        "redis": {"address": "cache:6379", "secret": "cache"},
        "services": {
            "auditlog": {"autoscaling": {"enabled": True}, "storage": {"class": "fast", "size": "2Gi"},
                         "settings": {"origin": "audit.example", "check_whole_every": "2h"}},
            "registry": {"databaseHost": "registry-db", "redisAddress": "other:6390", "ports": {"grpc": 7443},
                         "secrets": {"tls": "r-tls", "keys": "r-keys", "database": "r-db", "redis": "r-redis"}},
            "bankgateway": {"redis": False, "settings": {"rate_limit": 1000000, "senders": 4}},
            "banksim": {"enabled": True, "settings": {"open_agreements": False}},
            "dispatch": {"expose": {"type": "ClusterIP", "from": [{"namespaceLabels": {"a": "b"}, "podLabels": {"c": "d"}}]}}}}),
}


def helm(*words: str, values: dict | None = None) -> subprocess.CompletedProcess:
    command = [str(HELM), *words]
    if values is not None:
        command += ["--values", "-"]
    return subprocess.run(command, input=json.dumps(values) if values is not None else None, capture_output=True, text=True,
                          check=False, cwd=CHART)


def words_of(case: str) -> tuple:
    files, values = MATRIX[case]
    words = []
    for name in files:
        words += ["--values", str(EXAMPLES / f"{name}.yaml")]
    return words, values


class Loader(yaml.CSafeLoader):
    """Refuses a key that stands twice, as the API server does."""

    def construct_mapping(self, node, deep=False):
        keys = [key.value for key, _ in node.value if key.value != "<<"]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice:
            raise yaml.YAMLError(f"given twice: {sorted(twice)}{node.start_mark}")
        return super().construct_mapping(node, deep)


def read_all(text: str) -> list:
    return [one for one in yaml.load_all(text, Loader) if one]  # noqa: S506 (a safe loader)


@functools.lru_cache(None)
def rendered(case: str, release: str = "yikatong") -> tuple:
    """The manifests of one case of the matrix, hooks included."""
    words, values = words_of(case)
    done = helm("template", release, str(CHART), "--namespace", "pay", *words, values=values)
    if done.returncode != 0:
        raise AssertionError(f"{case}: {done.stderr}")
    return tuple(read_all(done.stdout))


def of_kind(case: str, *kinds: str) -> list:
    return [one for one in rendered(case) if one["kind"] in kinds]


def named(case: str, kind: str, name: str) -> dict:
    found = [one for one in of_kind(case, kind) if one["metadata"]["name"] == name]
    assert len(found) == 1, f"{case}: {len(found)} {kind} {name}"
    return found[0]


def pod_of(workload: dict) -> dict:
    return workload["spec"] if workload["kind"] == "Pod" else workload["spec"]["template"]["spec"]


def pod_labels(workload: dict) -> dict:
    return workload["metadata"]["labels"] if workload["kind"] == "Pod" else workload["spec"]["template"]["metadata"]["labels"]


def component(workload: dict) -> str:
    return pod_labels(workload)["app.kubernetes.io/component"]


def containers(workload: dict) -> list:
    pod = pod_of(workload)
    return [*pod.get("initContainers", []), *pod["containers"]]


def selected(selector: dict, labels: dict) -> bool:
    """Whether a label selector of the forms that the chart writes takes these labels."""
    for one in selector.get("matchExpressions", []):
        assert one["operator"] == "In", one
        if labels.get(one["key"]) not in one["values"]:
            return False
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())


def settings_of(config_map: dict) -> dict:
    """Of a service.conf; a key that stands twice is an error, as it is to the service."""
    found = {}
    for line in config_map["data"]["service.conf"].splitlines():
        if not line.strip():
            continue
        key, _, value = line.partition(" = ")
        assert key not in found, f"{config_map['metadata']['name']}: {key} stands twice"
        found[key] = value
    return found


# --- Schemas ------------------------------------------------------------------------------------------------------------

class Schemas:
    """The strict schemas of one Kubernetes version (unknown fields are errors), and ours of the custom resources."""

    def __init__(self, version: str):
        self.folder = f"kubernetes_validate/kubernetes-json-schema/v{version}-local-strict/"
        (wheel,) = TOOLS.glob("kubernetes_validate-*.whl")
        self.archive = zipfile.ZipFile(wheel)
        self.custom = json.loads((ROOT / "tests" / "chart" / "custom_resources.json").read_text(encoding="utf-8"))
        self.definitions = self._read("_definitions.json")
        self.validators = {}

    def _read(self, name: str) -> dict:
        return json.loads(self.archive.read(self.folder + name))

    def _validator(self, manifest: dict) -> jsonschema.Draft202012Validator:
        which = f"{manifest['kind']}/{manifest['apiVersion']}"
        if which not in self.validators:
            if which in self.custom:
                schema = self.custom[which]
            else:
                version = manifest["apiVersion"].replace(".k8s.io", "").replace("/", "-")
                schema = self._read(f"{manifest['kind']}-{version}.json".lower())
            resolver = jsonschema.RefResolver.from_schema(schema, store={self.definitions["$id"]: self.definitions})
            self.validators[which] = jsonschema.Draft202012Validator(schema, resolver=resolver)
        return self.validators[which]

    def faults(self, manifest: dict) -> list:
        where = f"{manifest['kind']} {manifest['metadata']['name']}"
        return [f"{where}: {'.'.join(map(str, one.absolute_path))}: {one.message[:300]}"
                for one in self._validator(manifest).iter_errors(manifest)]


@functools.lru_cache(None)
def schemas(version: str) -> Schemas:
    return Schemas(version)

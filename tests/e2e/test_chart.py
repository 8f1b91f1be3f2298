"""The Helm chart: what it makes of values, and which values it refuses.

Needs helm, which tests/nodes/k8s/programs builds out of Go modules; `make check` does not."""

import json
import os
import pathlib
import subprocess

import pytest

from support import ROOT

CHART = ROOT / "deploy" / "helm" / "shardlift"
CACHE = pathlib.Path(os.environ.get("SHARDLIFT_CACHE", pathlib.Path.home() / ".cache/shardlift"))
HELM = CACHE / "nodes" / "k8s-node-1.34.1" / "bin" / "helm"
VALUES = sorted(CHART.glob("values-*.yaml"))

needs_helm = pytest.mark.skipif(
    not HELM.exists(), reason=f"helm is not in {HELM.parent}: tests/nodes/k8s/programs builds it")


def helm(*words):
    return subprocess.run([str(HELM), *map(str, words)], capture_output=True, text=True,
                          timeout=120, check=False)


def rendered(*words):
    """kind -> objects, by helm's own reading of its YAML."""
    result = helm("template", "r", CHART, "--namespace", "ma", *words)
    assert result.returncode == 0, result.stderr
    read = subprocess.run(["/usr/bin/python3", "-c", "import json, sys, yaml\n"
                           "json.dump(list(filter(None, yaml.safe_load_all(sys.stdin))), sys.stdout)"],
                          input=result.stdout, capture_output=True, text=True, timeout=60, check=True)
    objects = {}
    for one in json.loads(read.stdout):
        objects.setdefault(one["kind"], []).append(one)
    return objects


def refused(*words):
    result = helm("template", "r", CHART, *words)
    assert result.returncode != 0
    return result.stderr


def test_the_schema_knows_every_value():
    schema = json.loads((CHART / "values.schema.json").read_text())
    named = {line.split(":")[0] for line in (CHART / "values.yaml").read_text().splitlines()
             if line[:1].isalpha()}
    assert named == set(schema["properties"]) - {"global"}
    assert schema["additionalProperties"] is False


@needs_helm
@pytest.mark.parametrize("values", [None, *VALUES], ids=lambda path: path.stem if path else "plain")
def test_lint(values):
    result = helm("lint", "--strict", CHART, *(["--values", values] if values else []))
    assert result.returncode == 0, result.stdout + result.stderr


@needs_helm
def test_one_pod_with_engine_and_console_and_no_rights():
    objects = rendered("--set", "platform=local", "--set", "rbac.create=false")
    assert set(objects) == {"StatefulSet", "Service", "ConfigMap", "ServiceAccount", "NetworkPolicy"}
    (one,) = objects["StatefulSet"]
    assert one["metadata"] == {**one["metadata"], "name": "migration-console", "namespace": "ma"}
    pod = one["spec"]["template"]["spec"]
    assert one["spec"]["replicas"] == 1 and pod["shareProcessNamespace"]
    assert not pod["automountServiceAccountToken"]
    assert pod["securityContext"]["runAsNonRoot"]
    console, engine = pod["containers"]
    assert (console["name"], engine["name"]) == ("console", "engine")
    assert one["spec"]["template"]["metadata"]["annotations"][
        "kubectl.kubernetes.io/default-container"] == "console"
    for container in (console, engine):
        assert container["securityContext"] == {"allowPrivilegeEscalation": False,
                                                "readOnlyRootFilesystem": True,
                                                "capabilities": {"drop": ["ALL"]}}
    for probe in ("readinessProbe", "livenessProbe"):
        assert engine[probe]["exec"]["command"] == ["shardlift", "engine", "--health"]
    (policy,) = objects["NetworkPolicy"]
    assert policy["spec"]["ingress"] == []


@needs_helm
def test_the_role_has_what_is_called_and_no_more():
    objects = rendered()
    (role,) = objects["Role"]
    rules = {(rule["apiGroups"][0], resource): set(rule["verbs"])
             for rule in role["rules"] for resource in rule["resources"]}
    assert rules == {
        ("", "pods"): {"get", "list"}, ("", "pods/log"): {"get"}, ("", "events"): {"list"},
        ("", "secrets"): {"get", "list", "create", "patch", "delete"},
        ("batch", "jobs"): {"get", "list", "create", "delete"},
        ("", "services"): {"get", "list", "create", "delete"},
        ("apps", "deployments"): {"get", "list", "create", "update", "delete"},
        ("apps", "deployments/scale"): {"patch"}}
    pod = objects["StatefulSet"][0]["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"]
    for container in pod["containers"]:
        environment = {one["name"]: one for one in container["env"]}
        assert environment["SHARDLIFT_PLATFORM"]["value"] == "kubernetes"
        assert environment["SHARDLIFT_POD"]["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.name"


@needs_helm
def test_rules_make_a_role_and_mount_its_token():
    objects = rendered("--set", "rbac.create=false", "--set-json",
                       'rbac.rules=[{"apiGroups":[""],"resources":["pods"],"verbs":["get"]}]')
    assert objects["Role"][0]["rules"] == [{"apiGroups": [""], "resources": ["pods"],
                                            "verbs": ["get"]}]
    assert objects["RoleBinding"][0]["subjects"][0]["name"] == "shardlift"
    assert objects["StatefulSet"][0]["spec"]["template"]["spec"]["automountServiceAccountToken"]


@needs_helm
def test_metrics_are_served_by_the_engine_alone():
    objects = rendered("--set", "serviceMonitor.enabled=true")
    assert objects["ServiceMonitor"][0]["spec"]["endpoints"][0]["port"] == "metrics"
    console, engine = objects["StatefulSet"][0]["spec"]["template"]["spec"]["containers"]
    names = [[v["name"] for v in one["env"]] for one in (console, engine)]
    assert "SHARDLIFT_METRICS_PORT" in names[1] and "SHARDLIFT_METRICS_PORT" not in names[0]
    assert objects["NetworkPolicy"][0]["spec"]["ingress"][0]["ports"][0]["port"] == 9464


@needs_helm
def test_credentials_are_files_of_the_secret_s_name():
    objects = rendered("--set-json", 'credentials=[{"secretName":"source-login"}]')
    volumes = {v["name"]: v for v in objects["StatefulSet"][0]["spec"]["template"]["spec"]["volumes"]}
    assert volumes["credentials"]["projected"]["sources"] == [
        {"secret": {"name": "source-login",
                    "items": [{"key": "credentials", "path": "source-login"}]}}]


@needs_helm
@pytest.mark.parametrize("setting,told", [
    ("engine.environmnt.A=1", "environmnt"),
    ("image.pullPolicy=Sometimes", "pullPolicy"),
    ("persistence.size=big", "size"),
    ("serviceMonitor.port=70000", "port"),
    ("replicas=3", "replicas"),
    ("platform=docker", "platform"),
])
def test_a_value_that_there_is_not_is_refused_by_name(setting, told):
    assert told in refused("--set", setting)

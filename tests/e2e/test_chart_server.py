"""What helm makes of the chart, what a step becomes, and what is exported for Argo, given to a real API
server that has no nodes: it accepts each object as it is.

Needs root and the programs of `tests/nodes/k8s-node prepare`; its start takes a minute where others are at work."""

import json
import os
import subprocess

import pytest

from capture_support import wait_for
from support import OK, ROOT
from test_chart import CHART, HELM, VALUES

PROGRAMS = HELM.parent
NEEDED = [name for name in ("helm", "kubectl", "kube-apiserver", "kube-controller-manager")
          if not (PROGRAMS / name).exists()]
CEILING = 300

pytestmark = [
    pytest.mark.skipif(bool(NEEDED), reason=f"{', '.join(NEEDED)}: not in {PROGRAMS}; "
                       "tests/nodes/k8s-node prepare builds them"),
    pytest.mark.skipif(os.getuid() != 0, reason="network and mount namespaces need root")]

ROLE = "system:serviceaccount:ma:shardlift"
CONFIGURATION = """
sourceClusters:
  source:
    endpoint: http://old:9200
    version: ES 7.10.2
    snapshotInfo:
      repos: {default: {repoPathUri: "s3://backups/repo", awsRegion: us-east-1}}
      snapshots: {snap1: {repoName: default, config: {createSnapshotConfig: {}}}}
targetClusters: {target: {endpoint: "http://new:9200", authConfig: {basic: {secretName: login}}}}
snapshotMigrationConfigs:
  - fromSource: source
    toTarget: target
    perSnapshotConfig:
      snap1: [{metadataMigrationConfig: {}, documentBackfillConfig: {podReplicas: 3}, verifyConfig: {}}]
"""


class Server:
    def __init__(self, folder):
        self.folder = folder

    def node(self, *words, stdin=None, check=True):
        ran = subprocess.run([str(ROOT / "tests/nodes/k8s-node"), words[0], "--data",
                              str(self.folder), *map(str, words[1:])], input=stdin, text=True,
                             capture_output=True, timeout=CEILING, check=False)
        assert not check or ran.returncode == 0, f"{words}: {ran.stdout}{ran.stderr}"
        return ran

    def run(self, *words, **options):
        return self.node("exec", *words, **options)

    def start(self):
        # Without pipes, which its programs would keep open.
        with open(self.folder / "start.log", "wb") as log:
            started = subprocess.run([str(ROOT / "tests/nodes/k8s-node"), "start", "--data",
                                      str(self.folder), "--no-kubelet"], stdin=subprocess.DEVNULL,
                                     stdout=log, stderr=log, timeout=CEILING, check=False)
        if started.returncode:  # a container may lack namespaces, or etcd
            told = (self.folder / "start.log").read_text().splitlines()
            pytest.skip(f"no control plane starts here: {told[-1] if told else 'it says nothing'}")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    found = Server(tmp_path_factory.mktemp("control-plane"))
    found.start()
    try:
        found.run("kubectl", "create", "namespace", "ma")
        yield found
    finally:
        found.node("stop")


@pytest.mark.parametrize("values", [None, *VALUES], ids=lambda path: path.stem if path else "plain")
def test_the_server_accepts_the_chart(server, values):
    made = server.run("helm", "template", "r", CHART, "--namespace", "ma",
                      *(["--values", values] if values else [])).stdout
    told = server.run("kubectl", "-n", "ma", "apply", "--dry-run=server", "-f", "-", stdin=made).stdout
    for kind in ("statefulset.apps", "service", "configmap", "serviceaccount", "networkpolicy",
                 "role.rbac", "rolebinding.rbac"):
        assert kind in told, told
    assert told.count("(server dry run)") == len(told.splitlines()), told


@pytest.fixture(scope="module")
def release(server):
    """The chart's objects, without its pods: nothing runs here."""
    made = server.run("helm", "template", "r", CHART, "--namespace", "ma").stdout
    server.run("kubectl", "-n", "ma", "apply", "-f", "-", stdin=made)
    return server


# namespace, group, resource, verb
RIGHTS = [("ma", "", "pods", "get"), ("ma", "", "pods", "list"), ("ma", "", "pods/log", "get"),
          ("ma", "", "events", "list"), ("ma", "batch", "jobs", "create"),
          ("ma", "batch", "jobs", "delete"), ("ma", "apps", "deployments", "create"),
          ("ma", "apps", "deployments", "delete"), ("ma", "apps", "deployments/scale", "patch"),
          ("ma", "apps", "deployments", "update"), ("ma", "", "services", "create"),
          ("ma", "", "secrets", "create")]
NO_RIGHTS = [("ma", "", "pods", "create"), ("ma", "", "pods/exec", "create"),
             ("ma", "rbac.authorization.k8s.io", "roles", "create"), ("", "", "nodes", "list"),
             ("default", "", "pods", "list"), ("default", "", "secrets", "get")]


def review(namespace, group, resource, verb):
    name, _, subresource = resource.partition("/")
    return {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": {
        "user": ROLE, "resourceAttributes": {"namespace": namespace, "group": group, "verb": verb,
                                             "resource": name, "subresource": subresource}}}


def test_the_role_gives_the_engine_its_rights_and_no_others(release):
    # Who decides hears of a new Role a moment later.
    wait_for(lambda: said(release, RIGHTS[:1]) == {RIGHTS[0]: True}, "the Role")
    assert said(release, RIGHTS + NO_RIGHTS) == {**dict.fromkeys(RIGHTS, True),
                                                 **dict.fromkeys(NO_RIGHTS, False)}


def said(server, rights):
    answer = server.run("kubectl", "create", "-o", "json", "-f", "-", stdin=json.dumps(
        {"apiVersion": "v1", "kind": "List", "items": [review(*right) for right in rights]}))
    return dict(zip(rights, (json.loads(one)["status"]["allowed"] for one in objects(answer.stdout))))


def objects(text):
    """kubectl writes one object after another, or a list of them."""
    decoder, found = json.JSONDecoder(), []
    while text.strip():
        one, end = decoder.raw_decode(text.lstrip())
        found += one.get("items", [one])
        text = text.lstrip()[end:]
    return [json.dumps(one) for one in found]


def test_the_server_accepts_what_is_exported_for_argo(server, shardlift):
    crds = PROGRAMS / "argo-crds.yaml"
    if not crds.exists():
        pytest.skip(f"{crds} is not there; tests/nodes/k8s-node prepare --argo builds it")
    assert shardlift("workflow", "configure", "edit", "--stdin",
                     input=CONFIGURATION.encode()).code == OK
    made = shardlift("workflow", "export", "--format", "argo", "--image", "img:1")
    assert made.code == OK, made
    server.run("kubectl", "apply", "--server-side", "-f", crds)
    server.run("kubectl", "wait", "--for=condition=Established", "--timeout=120s", "crd", "--all")
    wait_for(lambda: "workflow.argoproj.io" in server.run(  # a kind is served a moment after it is known
        "kubectl", "-n", "ma", "create", "--dry-run=server", "-f", "-", stdin=made.out,
        check=False).stdout, "the export to be accepted")

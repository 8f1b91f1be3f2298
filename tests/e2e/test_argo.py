"""The plan of a backfill as a workflow of Argo, run by its real controller on a real Kubernetes: each
gate waits until it is opened, and the documents arrive.

Needs what kubernetes_support needs, and `tests/nodes/k8s-node prepare --argo`."""

import json
import os
import subprocess

import pytest
import test_kubernetes

from kubernetes_support import (CACHE, DOCUMENTS, IMAGE, OBJECTS, OPENSEARCH, image_name, make_secret, node,
                                servers, snapshot, upload, wait_until)  # noqa: F401
from support import PROGRAM

PROGRAMS = CACHE / "nodes" / "k8s-node-1.34.1"

pytestmark = pytest.mark.skipif(
    not IMAGE or os.getuid() != 0 or not (PROGRAMS / "argoexec.tar").exists(),
    reason="Argo on a real Kubernetes: only in make check-long, with its programs and an image")

SETTINGS = """
apiVersion: v1
kind: ConfigMap
metadata: {name: workflow-controller-configmap}
data:
  executor: |
    imagePullPolicy: IfNotPresent
    resources: {requests: {cpu: 10m, memory: 16Mi}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: executor}
rules:
- {apiGroups: [argoproj.io], resources: [workflowtaskresults], verbs: [create, patch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: executor}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: executor}
subjects: [{kind: ServiceAccount, name: default}]
"""
CONFIGURATION = test_kubernetes.CONFIGURATION.replace("    skipApprovals: true\n", "").replace(
    "podReplicas: 1", "podReplicas: 2")


@pytest.fixture
def cluster(tmp_path, snapshot):  # noqa: F811
    with node(tmp_path) as found, servers(found, tmp_path, OPENSEARCH, OBJECTS):
        found.launch("load", PROGRAMS / "argoexec.tar")
        upload(found, snapshot)
        found.run("kubectl", "create", "namespace", "ma")
        found.run("kubectl", "create", "-f", PROGRAMS / "bin" / "argo-crds.yaml")
        found.run("kubectl", "wait", "--for=condition=Established", "--timeout=120s", "crd",
                  "--all")
        found.kubectl("apply", "-f", "-", stdin=SETTINGS)
        make_secret(found, "target-credentials", username="u", password="p")
        found.background(
            "env", "LEADER_ELECTION_DISABLE=true", "ARGO_NAMESPACE=ma", "workflow-controller",
            "--kubeconfig", found.folder / "run" / "kubeconfig", "--namespaced",
            "--namespace", "ma", "--managed-namespace", "ma",
            "--executor-image", "localhost/argoexec:dev",
            "--executor-image-pull-policy", "IfNotPresent")
        yield found


def export(home, image):
    environment = {**os.environ, "SHARDLIFT_HOME": str(home)}
    subprocess.run([PROGRAM, "workflow", "configure", "edit", "--stdin"], input=CONFIGURATION,
                   text=True, env=environment, check=True, capture_output=True)
    printed = subprocess.run([PROGRAM, "workflow", "export", "--format", "argo", "--image", image],
                             text=True, env=environment, check=True, capture_output=True)
    manifest = json.loads(printed.stdout)
    for template in manifest["spec"]["templates"]:
        # There is no registry, no cloud, and two processors.
        if "container" in template:
            template["container"]["imagePullPolicy"] = "Never"
            template["container"]["resources"]["requests"] = {"cpu": "10m", "memory": "64Mi"}
            template["container"]["env"] += [
                {"name": "AWS_ACCESS_KEY_ID", "value": "a"},
                {"name": "AWS_SECRET_ACCESS_KEY", "value": "a"},
                {"name": "AWS_EC2_METADATA_DISABLED", "value": "true"}]
    return manifest


def workflow(cluster):
    return json.loads(cluster.kubectl("get", "workflows", "-o", "json").stdout)["items"][0]


def nodes(found, phase, kind):
    return [node for node in found.get("status", {}).get("nodes", {}).values()
            if node["type"] == kind and node["phase"] == phase]


def open_gate(cluster, name, node):
    """What `argo resume` does."""
    cluster.kubectl("patch", "workflow", name, "--type=merge", "-p", json.dumps(
        {"status": {"nodes": {node["id"]: {"phase": "Succeeded"}}}}))


def test_argo_runs_the_plan_and_waits_at_each_gate(cluster, tmp_path):
    manifest = export(tmp_path / "home", image_name())
    gates = sum(task["template"] == "gate"
                for task in manifest["spec"]["templates"][-1]["dag"]["tasks"])
    assert gates >= 3
    cluster.kubectl("create", "-f", "-", stdin=json.dumps(manifest))
    opened = []
    for _ in range(gates):
        def waits():
            found = workflow(cluster)
            assert found.get("status", {}).get("phase") not in ("Failed", "Error"), \
                cluster.kubectl("get", "workflows", "-o", "yaml").stdout
            return [node for node in nodes(found, "Running", "Suspend") if node["id"] not in opened]

        gate = wait_until(waits, "a gate")[0]
        opened.append(gate["id"])
        open_gate(cluster, workflow(cluster)["metadata"]["name"], gate)
    wait_until(lambda: workflow(cluster)["status"]["phase"] == "Succeeded", "the end")
    backfills = [node for node in nodes(workflow(cluster), "Succeeded", "Pod")
                 if "documentbackfill" in node["displayName"]]
    assert len(backfills) == 2
    for name in "logs-1", "logs-2":
        assert cluster.target(f"/{name}/_count")["count"] == DOCUMENTS

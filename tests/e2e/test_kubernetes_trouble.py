"""What gets in the way of a workflow on a real Kubernetes: each is one line in `workflow status`, and the
migration goes on once it is mended, with no document lost or doubled.

Needs what kubernetes_support needs."""

import json
import os
import re
import signal
import subprocess

from kubernetes_support import (DOCUMENTS, IMAGE, backfill_runs, make_secret, needs_kubernetes, phase,
                                snapshot, submit, wait_until)  # noqa: F401
from test_kubernetes import CONFIGURATION, cluster  # noqa: F401

pytestmark = needs_kubernetes

QUOTA = """
apiVersion: v1
kind: ResourceQuota
metadata: {name: little}
spec: {hard: {count/jobs.batch: "0"}}
"""
SMALL = CONFIGURATION.replace(
    "{podReplicas: 1}",
    "{podReplicas: 1, resources: {requests: {cpu: 10m, memory: 8Mi}, limits: {cpu: 1000m, memory: 14Mi}}}")


def says(cluster, words):
    """Until the status has these, in one line."""
    seen = []

    def look():
        seen[:] = cluster.console("workflow", "status", check=False).stdout.splitlines()
        return next((line for line in seen if re.search(words, line)), None)
    try:
        line = wait_until(look, words)
    except AssertionError:
        raise AssertionError(f"never said: {words}\n" + "\n".join(seen)) from None
    print(line.strip())
    return line


def image_of(cluster):
    return json.loads(cluster.kubectl("get", "pod", "migration-console-0", "-o", "json").stdout)[
        "spec"]["containers"][0]["image"]


def forget_image(cluster, name):
    """Containers that run keep what they have."""
    pid = (cluster.folder / "run" / "pid").read_text().strip()
    subprocess.run(["nsenter", "-t", pid, "-n", "-m", "-p", "--", "ctr", "-a",
                    "/run/containerd/containerd.sock", "-n", "k8s.io", "images", "rm", "--sync", name],
                   check=True, capture_output=True, timeout=120)


def api_server(cluster):
    """The process of this cluster's own."""
    parent = (cluster.folder / "run" / "pid").read_text().strip()
    children = subprocess.run(["pgrep", "-P", parent, "-x", "kube-apiserver"], capture_output=True,
                              text=True, check=True).stdout.split()
    assert len(children) == 1
    return int(children[0])


def without_right(cluster, group, resource, verb):
    role = json.loads(cluster.kubectl("get", "role", "shardlift", "-o", "json").stdout)
    for rule in role["rules"]:
        if group in rule["apiGroups"] and resource in rule["resources"]:
            rule["verbs"].remove(verb)
    cluster.kubectl("replace", "-f", "-", stdin=json.dumps(role))


def with_all_rights(cluster, former):
    former = json.loads(former)
    former["metadata"].pop("resourceVersion")
    cluster.kubectl("replace", "-f", "-", stdin=json.dumps(former))


def login(cluster, *keys):
    cluster.kubectl("delete", "secret", "target-credentials", "--ignore-not-found")
    make_secret(cluster, "target-credentials", **{key: "x" for key in keys})


def before_the_first_pod(cluster):
    """All at once; mended one after another, as each is told of."""
    role = cluster.kubectl("get", "role", "shardlift", "-o", "json").stdout
    image = image_of(cluster)
    without_right(cluster, "batch", "jobs", "create")
    cluster.kubectl("apply", "-f", "-", stdin=QUOTA)
    forget_image(cluster, image)
    cluster.console("workflow", "configure", "edit", "--stdin", stdin=SMALL)
    refused = cluster.console("workflow", "submit", check=False)
    assert refused.returncode == 2 and "secret 'target-credentials' is not there" in refused.stderr
    login(cluster, "username", "password")
    cluster.console("workflow", "submit")
    cluster.kubectl("delete", "secret", "target-credentials")
    line = says(cluster, r"forbids to create jobs")
    assert 'apiGroups: ["batch"]' in line and "verbs: [create]" in line, line
    with_all_rights(cluster, role)
    says(cluster, r"quota of the namespace is reached.*raise the quota")
    cluster.kubectl("delete", "resourcequota", "little")
    says(cluster, r"has no image.*image\.repository")
    cluster.launch("load", IMAGE)
    says(cluster, r"waits for a secret.*target-credentials.*kubectl create secret")
    login(cluster, "user", "pass")
    says(cluster, r"waits for a secret.*key")
    login(cluster, "username", "password")


def too_little_memory(cluster):
    """The steps before run as they are; what is mended is the configuration."""
    says(cluster, r"more memory than its limit 14Mi \(started again \d+ times?\); raise resources\.limits")
    submit(cluster, CONFIGURATION)


def taken_off(cluster, pod):
    """As a drain does it: by the eviction that a budget may forbid."""
    cluster.run("kubectl", "create", "--raw", f"/api/v1/namespaces/ma/pods/{pod}/eviction", "-f", "-",
                stdin=json.dumps({"apiVersion": "policy/v1", "kind": "Eviction",
                                  "metadata": {"name": pod, "namespace": "ma"}}))


def node_lost(cluster):
    """All pods have to leave, the engine's too, and nothing takes them until it is back."""
    cluster.run("kubectl", "taint", "node", "node1", "gone=yes:NoExecute")
    wait_until(lambda: not backfill_runs(cluster) or any(
        "finds no node" in line for line in
        cluster.console("workflow", "status", check=False).stdout.splitlines()), "no worker")
    cluster.run("kubectl", "taint", "node", "node1", "gone-")
    cluster.run("kubectl", "-n", "ma", "wait", "--for=condition=Ready", "--timeout=600s",
                "pod/migration-console-0")


def server_away(cluster, seconds):
    """It takes connections and answers none."""
    server = api_server(cluster)
    os.kill(server, signal.SIGSTOP)
    try:
        # Nothing to wait for: that it is away for so long is the case.
        subprocess.run(["sleep", str(seconds)], check=True)
    finally:
        os.kill(server, signal.SIGCONT)


def test_each_trouble_is_told_in_a_line_and_gone_on_after(cluster):  # noqa: F811
    before_the_first_pod(cluster)
    too_little_memory(cluster)
    wait_until(lambda: [pod for pod in backfill_runs(cluster)], "a worker")
    second = cluster.console("timeout", "60", "shardlift", "engine", "--stay", check=False)
    assert second.returncode not in (0, 124), second
    told = [line for line in second.stderr.splitlines() if not line.startswith("command terminated")]
    assert len(told) == 1 and "engine" in told[0], second.stderr
    print(told[0])
    taken_off(cluster, wait_until(lambda: backfill_runs(cluster), "a worker")[0])
    server_away(cluster, 60)
    node_lost(cluster)
    wait_until(lambda: phase(cluster) in ("Succeeded", "Failed", "CompletedWithErrors"), "the end")
    status = cluster.console("workflow", "status").stdout
    assert phase(cluster) == "Succeeded", status
    assert "forbids" not in status and "quota" not in status, status
    assert re.search(r"Document Backfill.*100%", status), status
    for name in "logs-1", "logs-2":
        assert cluster.target(f"/{name}/_count")["count"] == DOCUMENTS
    log = cluster.console("workflow", "log", "all").stdout
    assert re.search(r"Kubernetes API", log), "nothing of the server that was away"

"""A workflow on a real Kubernetes of one node: the chart installed by helm, commands in the console's
pod, a snapshot of Elasticsearch 7.10 on an S3 server, to OpenSearch 2.19; workers are scaled and pods
deleted at random meanwhile.

Needs what kubernetes_support needs. SHARDLIFT_POD_KILLS: how many (30)."""

import os
import random
import time

import pytest

from kubernetes_support import (DOCUMENTS, OBJECTS, OPENSEARCH, backfill_runs, install, make_secret,
                                needs_kubernetes, node, phase, plan_clusters, plan_migration, servers,
                                snapshot, submit, upload, wait_until)  # noqa: F401

pytestmark = needs_kubernetes

KILLS = int(os.environ.get("SHARDLIFT_POD_KILLS", "30"))
CONFIGURATION = plan_clusters("big") + plan_migration("verifyConfig: {}")


@pytest.fixture
def cluster(tmp_path, snapshot):  # noqa: F811
    with node(tmp_path) as found, servers(found, tmp_path, OPENSEARCH, OBJECTS):
        upload(found, snapshot)
        install(found, tmp_path)
        yield found


def scale(cluster, number):
    cluster.console("console", "backfill", "scale", number)
    wait_until(lambda: len(backfill_runs(cluster)) == int(number), f"{number} workers")


def kill_pods(cluster, seed):
    chosen = random.Random(seed)
    for _ in range(KILLS):
        pods = cluster.pods()
        if pods:
            cluster.kubectl("delete", "pod", chosen.choice(sorted(pods)), "--wait=false", check=False)
        time.sleep(chosen.random() * 4)  # any moment is as good as another


def test_a_migration_in_pods_survives_their_deletion(cluster):
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    make_secret(cluster, "target-credentials", username="u", password="p")
    submit(cluster, CONFIGURATION)
    wait_until(lambda: backfill_runs(cluster), "a worker")
    for number in "3", "0", "2":
        scale(cluster, number)
    kill_pods(cluster, seed)
    wait_until(lambda: phase(cluster) in ("Succeeded", "Failed", "CompletedWithErrors"), "the end")
    assert phase(cluster) == "Succeeded", cluster.console("workflow", "status").stdout
    for name in "logs-1", "logs-2":
        assert cluster.target(f"/{name}/_count")["count"] == DOCUMENTS
    log = cluster.console("workflow", "log", "all").stdout
    assert "info backfill session" in log
    assert cluster.kubectl("get", "jobs,deployments", "-o", "name").stdout == ""

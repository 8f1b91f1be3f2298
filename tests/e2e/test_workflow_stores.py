"""`workflow` with what others keep: a snapshot in S3, records of live traffic in Kafka."""

import json
import os
import pathlib

import pytest

import s3_support
from support import OK, expected_documents
from test_workflow import gates, wait_until
from test_workflow_live import (Load, assert_has_last_writes, free_port, phase, source,  # noqa: F401
                                workflow)

LONG = pytest.mark.skipif("SHARDLIFT_LONG" not in os.environ, reason="only in make check-long")
REPLAY = "front-target-mirror"
FIXTURE, SNAPSHOT = "es-7.10.2", "snap2"
CONFIGURATION = """
kafkaClusterConfiguration:
  default: {{existing: {{kafkaConnection: "{kafka}", kafkaTopic: workflow-stores}}}}
sourceClusters:
  source:
    endpoint: {source}
    version: ES 7.10.2
    snapshotInfo:
      repos:
        backups:
          repoPathUri: s3://backups/repo
          awsRegion: us-east-1
          endpoint: {s3}
      snapshots:
        first: {{repoName: backups, config: {{externallyManagedSnapshotName: {snapshot}}}}}
targetClusters:
  target: {{endpoint: {target}}}
snapshotMigrationConfigs:
  - fromSource: source
    toTarget: target
    perSnapshotConfig:
      first:
        - metadataMigrationConfig: {{indexAllowlist: [books]}}
          documentBackfillConfig: {{indexAllowlist: [books]}}
          verifyConfig: {{}}
traffic:
  proxies:
    front:
      source: source
      proxyConfig: {{listenPort: {port}, listenHost: 127.0.0.1, tls: {{mode: plaintext}}}}
  replayers:
    mirror:
      fromCapturedTraffic: front
      toTarget: target
      dependsOnSnapshotMigrations: [{{source: source, snapshot: first}}]
      cutOver: true
      replayerConfig: {{speedupFactor: 1000}}
"""


@pytest.fixture
def s3(tmp_path):
    node = s3_support.S3Node(tmp_path / "s3", os.getpid())
    yield node
    node.stop()


def arguments_of(pid):
    return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")


@LONG
def test_a_snapshot_in_s3_and_traffic_in_kafka(workflow, source, opensearch, kafka, s3, repository,
                                               tmp_path):
    s3.upload(repository(FIXTURE), "backups", "repo/")
    port = free_port()
    text = CONFIGURATION.format(kafka=kafka.address, source=source.url, s3=s3.url, port=port,
                                target=opensearch.url, snapshot=SNAPSHOT)
    assert workflow("configure", "edit", "--stdin", input=text.encode()).code == OK
    keys = {"AWS_ACCESS_KEY_ID": s3.access, "AWS_SECRET_ACCESS_KEY": s3.secret,
            "AWS_EC2_METADATA_DISABLED": "true"}
    assert workflow("submit", env=keys).code == OK
    wait_until(lambda: gates(workflow).get("captureproxysetup.front") == "waiting", "the proxy")
    load = Load(f"http://127.0.0.1:{port}", tmp_path, "--rate", "8", "--only", "index,create,auto")
    assert workflow("approve", "*", "--pre-approve").code == OK
    wait_until(lambda: phase(workflow) == "Succeeded", "the cut-over", seconds=300)
    before = load.writes()
    wait_until(lambda: load.writes() > before + 50, "writes at the target")
    ended = load.ended()
    assert ended["failed"] == 0, ended
    assert_has_last_writes(opensearch, load.journal)
    assert (int(opensearch.client.count(index="books")["count"]) ==
            len(expected_documents(FIXTURE, SNAPSHOT)["books"]))
    status = json.loads(workflow.program("capture", "control", "front", "status").out)
    assert status["destination"] == opensearch.url and not status["capturing"], status
    # Nobody who lists processes sees a key.
    for path in (workflow.state_dir / "run").glob("*.pid"):
        words = arguments_of(json.loads(path.read_text())["pid"])
        assert not any(s3.secret.encode() in word for word in words), words

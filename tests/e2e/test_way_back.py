"""After a cut-over, what clients write to the target is replayed to the source: docs/guides/way-back.yaml."""

import json
import os
import re

import pytest

from support import OK, ROOT
from test_workflow import gates, wait_until
from test_workflow_live import (Load, free_port, phase, source, submitted,  # noqa: F401
                                workflow)

CONFIGURATION = ROOT / "docs" / "guides" / "way-back.yaml"
FORWARD, BACKWARD = "front-target-forward", "back-old-backward"
FIRST = "source-target-first-migration-0"


def filled(**values):
    return re.sub(r"\$([A-Z]+)\b", lambda m: str(values.get(m[1], m[0])), CONFIGURATION.read_text())


def is_at_the_end(workflow, proxy, replayer):
    status = json.loads((workflow.state_dir / "run" / f"{replayer}.status").read_text())
    proxy = json.loads(workflow.program("capture", "control", proxy, "status").out)
    return (status["caught_up"] and status["outstanding"] == 0 and
            proxy["logBufferedBytes"] == 0 and status["next_offset"] >= proxy["logEnd"])


def versions(node):
    node.api("POST", "/load-*,old/_refresh")
    hits = node.client.search(index="load-*,old", version=True, size=10000, _source=False)["hits"]
    return {(h["_index"], h["_id"]): int(h["_version"]) for h in hits["hits"]}


@pytest.mark.skipif("SHARDLIFT_LONG" not in os.environ, reason="only in make check-long")
def test_the_source_stays_current_after_the_cut_over(workflow, source, opensearch,  # noqa: F811
                                                     tmp_path):
    ports = free_port(), free_port()
    for n in range(20):
        source.api("PUT", f"/old/_doc/{n}?refresh=true", {"n": n})
    # Ids that come back must not begin at version 1 again, on neither side.
    for index in ("load-0", "load-1"):
        source.api("PUT", f"/{index}", {"settings": {"gc_deletes": "31d", "number_of_replicas": 0}})
    submitted(workflow, filled(SOURCE=source.url, TARGET=opensearch.url, FRONT=ports[0],
                               BACK=ports[1], REPO=source.repositories / "live"))
    wait_until(lambda: gates(workflow).get("captureproxysetup.front") == "waiting", "the proxies")
    load = Load(f"http://127.0.0.1:{ports[0]}", tmp_path, "--rate", "10", "--ids", "60")
    wait_until(lambda: load.writes() > 20, "writes before the snapshot")
    approved = workflow("approve", "captureproxysetup.front", f"evaluatemetadata.{FIRST}",
                        "--pre-approve")
    assert approved.code == OK, approved
    wait_until(lambda: gates(workflow).get(f"cutover.{FORWARD}") == "waiting", "the gate")
    opensearch.api("PUT", "/_all/_settings", {"index.gc_deletes": "31d"})
    assert workflow("approve", f"cutover.{FORWARD}").code == OK
    wait_until(lambda: phase(workflow) == "Succeeded", "the cut-over")
    before = load.writes()
    wait_until(lambda: load.writes() > before + 60, "writes at the target")
    # What was written before the cut-over is written again, deleted, and made without an id.
    through = type(source.client)(f"http://127.0.0.1:{ports[0]}")
    through.delete(index="old", id="3")
    through.index(index="old", id="4", body={"n": 1004})
    made = through.index(index="old", body={"n": 1005})["_id"]
    ended = load.ended()
    assert ended["failed"] == 0, ended
    wait_until(lambda: is_at_the_end(workflow, "back", BACKWARD), "the end of the way back")
    assert versions(source) == versions(opensearch)
    assert int(source.client.get(index="old", id=made)["_source"]["n"]) == 1005
    assert int(source.client.get(index="old", id="4")["_source"]["n"]) == 1004
    assert not source.client.exists(index="old", id="3")
    result = workflow.program("verify", "--from", source.url, "--to", opensearch.url,
                              "--index-allowlist", "old,load-0,load-1", "--only", "documents")
    assert result.code == OK, result
    # Clients do not come to the target but through the proxy that records.
    status = json.loads(workflow.program("capture", "control", "front", "status").out)
    assert status["destination"] == f"http://127.0.0.1:{ports[1]}", status
    assert not status["capturing"], status

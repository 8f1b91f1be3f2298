"""Every fixture repository, migrated into real nodes, is told equal to what came out of it, mappings
and settings included; what cannot be compared is said to be so."""

import json
import os

import pytest

import support

EVERY = bool(os.environ.get("SHARDLIFT_EVERY_NODE"))
FIXTURES = (
    [(name, snapshot) for name in ("es-1.7.6", "es-2.4.6", "es-5.6.16", "es-6.8.23", "es-7.10.2",
                                   "es-8.19.21") for snapshot in ("snap1", "snap2")] +
    [(name, snapshot) for name in ("os-1.3.14", "os-2.19.6", "os-3.8.0")
     for snapshot in ("snap-1", "snap-2")])
CASES = [(*fixture, version) for version in ("2.19", "3.8") for fixture in FIXTURES]
BRIEF = [("es-2.4.6", "snap2", "2.19"), ("es-7.10.2", "snap2", "2.19")]


@pytest.mark.parametrize(("fixture", "snapshot", "version"), CASES if EVERY else BRIEF)
def test_what_a_fixture_became_is_equal(shardlift, repository, pool, fixture, snapshot, version):
    node = pool.get("os-node", version)
    node.clear()
    source = f"{repository(fixture)}#{snapshot}"
    moved = shardlift("migrate", "--from", source, "--to", node.url, "--number-of-replicas", "0",
                      "--json", "true")
    assert moved.code in (support.OK, support.ERRORS), moved
    whole = [row["index"] for row in moved.json()["indices"]
             if row.get("agrees") and not row.get("failed")]
    assert whole, moved
    result = shardlift("verify", "--from", source, "--to", node.url, "--index-allowlist",
                       ",".join(whole), "--generated-queries", "20", "--json", "true")
    told = result.json()
    assert {row["source_index"]: row["verdict"] for row in told["indices"]} == \
        dict.fromkeys(whole, "equal"), json.dumps(told, indent=1)
    assert told["metadata"]["differences"] == [], json.dumps(told["metadata"], indent=1)
    assert told["metadata"]["compared"] == len(whole)
    assert told["queries"]["differences"] == [], json.dumps(told["queries"], indent=1)
    assert result.code == support.OK, result

"""A whole run with work items of the Java tool's kind."""

import support
from support import OK, assert_same, expected_documents

FIXTURE, SNAPSHOT, INDICES = "os-1.3.14", "snap-1", ["books", "logs-2026.01", "qa"]


def test_a_run_with_work_items_of_the_java_tool(shardlift, repository, opensearch):
    command = ["migrate", "--repo-uri", repository(FIXTURE), "--snapshot-name", SNAPSHOT,
               "--target-host", opensearch.url, "--index-allowlist", ",".join(INDICES),
               "--coordinator-host", "target", "--coordinator-compat", "java",
               "--max-range-size", "4KiB", "--documents-per-bulk-request", "10", "--json"]
    result = shardlift(*command)
    assert result.code == OK, result
    report = result.json()
    assert report["agrees"] is True and report["resumed"] is False, result
    for index in INDICES:
        assert_same(opensearch.documents(index), expected_documents(FIXTURE, SNAPSHOT)[index], index)

    opensearch.api("POST", "/.migrations_working_state/_refresh")
    hits = opensearch.api("GET", "/.migrations_working_state/_search?size=100")["hits"]["hits"]
    # Who tunes the target is no item; it is complete from its first day, so no worker takes it up.
    items = [hit for hit in hits if hit["_id"] not in ("shard_setup", "shardlift_tuning")]
    assert items and all(hit["_id"].endswith("__0") for hit in items), hits
    for hit in hits:
        assert hit["_source"]["scriptVersion"] == "3.0" and hit["_source"]["completedAt"], hit

    again = shardlift(*command)
    assert again.code == OK and "finished before" in again.err, again
    assert again.json()["totals"]["sent"] == report["totals"]["sent"], again
    begun_anew = shardlift(*command, "--restart")
    assert begun_anew.code == OK, begun_anew
    assert begun_anew.json()["totals"]["sent"] == report["totals"]["sent"], begun_anew

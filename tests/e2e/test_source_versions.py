"""What a backfill does to documents that are on the target already, and to data streams."""

import json

import pytest

from support import ERRORS, OK, USAGE

COUNT = 300


def bulk(node, index, lines, **parameters):
    answer = node.client.bulk("".join(json.dumps(line) + "\n" for line in lines), index=index,
                              **parameters)
    assert not answer["errors"], answer


@pytest.fixture(scope="module")
def written(pool):
    """A repository with the snapshot `all` of `items` and `logs`: each document has a version of 2,
    the one with id 7 a version of 5."""
    node = pool.get("os-node", "2.19")
    node.clear()
    for index in ("items", "logs"):
        node.api("PUT", f"/{index}", {"settings": {"number_of_shards": 2, "number_of_replicas": 0}})
        for time in range(5):
            ids = range(COUNT) if time < 2 else [7]
            bulk(node, index, [line for i in ids for line in (
                {"index": {"_id": str(i)}},
                {"@timestamp": "2026-01-01T00:00:00Z", "n": i, "time": time})], refresh="true")
    location = node.repositories / "versions"
    node.api("PUT", "/_snapshot/versions", {"type": "fs", "settings": {"location": str(location)}})
    node.api("PUT", "/_snapshot/versions/all?wait_for_completion=true")
    node.clear()
    return location


def backfill(shardlift, location, node, index, *more):
    return shardlift("backfill", "--repo-uri", location, "--snapshot-name", "all", "--target-host",
                     node.url, "--index-allowlist", index, "--json", *more)


def put(node, index, identity, source, **parameters):
    return node.client.index(index=index, id=identity, body=source, refresh="true", **parameters)


def get(node, index, identity):
    return node.client.get(index=index, id=identity)


def test_what_is_newer_on_the_target_stays(shardlift, written, opensearch):
    opensearch.api("PUT", "/items", {"settings": {"number_of_replicas": 0}})
    client = {"from": "client"}
    put(opensearch, "items", "1", client, version=3, version_type="external")  # newer
    put(opensearch, "items", "2", client, version=2, version_type="external")  # as new
    put(opensearch, "items", "7", client, version=4, version_type="external")  # older
    result = backfill(shardlift, written, opensearch, "items", "--source-versions", "true")
    assert result.code == OK, result
    row, = result.json()["indices"]
    assert (row["documents"], row["sent"], row["superseded"]) == (COUNT, COUNT, 1), result
    assert get(opensearch, "items", "1")["_source"] == client
    for identity, version in (("2", "2"), ("3", "2"), ("7", "5")):
        found = get(opensearch, "items", identity)
        assert (f"{found['_version']}", f"{found['_source']['n']}") == (version, identity), found

    # A session is of one way to send.
    name = result.json()["session"]
    other = backfill(shardlift, written, opensearch, "items", "--session-name", name)
    assert other.code == USAGE and "source versions" in other.err, other


def test_a_digest_stands_for_the_snapshot_in_a_comparison(shardlift, written, opensearch):
    opensearch.api("PUT", "/items", {"settings": {"number_of_replicas": 0}})
    assert backfill(shardlift, written, opensearch, "items", "--digest", "true", "--session-name",
                    "digests", "--max-range-size", "1").code == OK
    verify = ("verify", "--from", f"{written}#all", "--to", opensearch.url, "--index-allowlist",
              "items", "--digest-from", "digests", "--only", "documents", "--json")
    equal = shardlift(*verify)
    assert equal.code == OK and "is read" not in equal.err, equal
    compared, = equal.json()["indices"]
    assert compared["source_documents"] == COUNT, equal

    put(opensearch, "items", "5", {"from": "client"})
    opensearch.client.delete(index="items", id="6", refresh="true")
    different = shardlift(*verify)
    assert different.code == ERRORS, different
    compared, = different.json()["indices"]
    assert (compared["missing"], compared["changed"]) == (1, 1), different

    of_delta = backfill(shardlift, written, opensearch, "items", "--digest", "true",
                              "--previous-snapshot-name", "all")
    assert of_delta.code == USAGE and "--digest" in of_delta.err, of_delta


def test_op_type_create_leaves_alone_what_is_there(shardlift, written, opensearch):
    opensearch.api("PUT", "/items", {"settings": {"number_of_replicas": 0}})
    client = {"from": "client"}
    put(opensearch, "items", "1", client)
    result = backfill(shardlift, written, opensearch, "items", "--op-type", "create")
    assert result.code == OK, result
    row, = result.json()["indices"]
    assert (row["sent"], row["target_documents"]) == (COUNT, COUNT), result
    assert get(opensearch, "items", "1")["_source"] == client
    assert f"{get(opensearch, 'items', '2')['_source']['n']}" == "2"


def test_a_data_stream_is_added_to(shardlift, written, opensearch):
    opensearch.api("PUT", "/_index_template/logs", {
        "index_patterns": ["logs"], "data_stream": {},
        "template": {"settings": {"number_of_replicas": 0}}})
    opensearch.api("PUT", "/_data_stream/logs")
    result = backfill(shardlift, written, opensearch, "logs", "--source-versions", "true")
    assert result.code == OK, result
    row, = result.json()["indices"]
    assert (row["sent"], row["failed"], row["target_documents"]) == (COUNT, 0, COUNT), result
    # Again: what is there is not there twice.
    again = backfill(shardlift, written, opensearch, "logs", "--restart")
    assert again.code == OK and again.json()["indices"][0]["target_documents"] == COUNT, again

    delta = backfill(shardlift, written, opensearch, "logs", "--previous-snapshot-name", "all")
    assert delta.code == ERRORS, delta
    assert "takes neither updates nor deletes" in delta.json()["indices"][0]["note"], delta


def test_ids_that_the_target_makes_are_its_own(shardlift, written, opensearch):
    opensearch.api("PUT", "/items", {"settings": {"number_of_replicas": 0}})
    result = backfill(shardlift, written, opensearch, "items", "--server-generated-ids", "always")
    assert result.code == OK, result
    found = opensearch.documents("items")
    assert len(found) == COUNT and all(len(d.id) >= 15 for d in found), found[:3]
    for more in (["--server-generated-ids", "always"], ["--op-type", "create"],
                 ["--delta-mode", "all"]):
        delta = backfill(shardlift, written, opensearch, "items", "--previous-snapshot-name", "all",
                         *more)
        assert delta.code == USAGE, delta

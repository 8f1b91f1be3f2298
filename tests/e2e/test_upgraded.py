"""Indices that were upgraded in place, so that one shard holds segments of several Lucene versions."""

import shutil

import pytest

from support import OK, assert_same, written_documents


def bulk(node, index, rows, op="index"):
    """rows: (type, id, routing, source); a source of None deletes."""
    body = []
    for type_, id_, routing, source in rows:
        action = {"_index": index, "_type": type_, "_id": id_}
        if routing is not None:
            action["routing"] = routing
        body += [{"delete": action}] if source is None else [{op: action}, source]
    answer = node.client.bulk(body=body)
    assert answer["errors"] is False, answer
    # Each batch a segment of its own.
    node.api("POST", f"/{index}/_flush?force=true&wait_if_ongoing=true")


def rows(type_, numbers, text):
    return [(type_, f"{type_} ü {n}", "r%d" % (n % 3) if n % 2 else None,
             {"n": n, "price": n / 4, "text": f"{text} {n}", "tags": [text] * (n % 5)})
            for n in numbers]


def gone(of):
    return [(type_, id_, routing, None) for type_, id_, routing, _ in of]


def snapshot(node, repository, name):
    node.api("PUT", f"/_snapshot/{repository}", {"type": "fs", "settings": {
        "location": str(node.repositories / repository), "compress": True}})
    taken = node.api("PUT", f"/_snapshot/{repository}/{name}?wait_for_completion=true",
                     {"indices": "several,single"})
    assert taken["snapshot"]["state"] == "SUCCESS", taken


def fill_5_6(node):
    settings = {"number_of_shards": 1, "number_of_replicas": 0, "refresh_interval": -1}
    node.api("PUT", "/several", {"settings": settings})
    node.api("PUT", "/single", {"settings": {**settings, "mapping.single_type": True}})
    for index, types in (("several", ("book", "author")), ("single", ("event",))):
        for type_ in types:
            bulk(node, index, rows(type_, range(150), "large"))
        bulk(node, index, [(types[0], "huge", None, {"text": "x" * 300_000})])
        for start in (1000, 1010):
            bulk(node, index, rows(types[-1], range(start, start + 4), "small"))
        bulk(node, index, gone(rows(types[0], range(0, 150, 7), "large")))


def go_on_6_8(node):
    for index, first, last in (("several", "book", "author"), ("single", "event", "event")):
        # New versions of old documents, which are deleted in the old segments.
        bulk(node, index, rows(first, range(1, 60, 7), "changed"))
        bulk(node, index, rows(last, range(2000, 2090), "new"))
        bulk(node, index, gone(rows(last, range(2, 150, 14), "large")))
        bulk(node, index, rows(last, range(3000, 3003), "small"))
        before = segments_of(node, index)
        node.api("POST", f"/{index}/_forcemerge?max_num_segments=4")
        node.api("POST", f"/{index}/_flush?force=true&wait_if_ongoing=true")
        assert len(segments_of(node, index)) < len(before), before


def segments_of(node, index):
    node.api("POST", f"/{index}/_refresh")
    shard = node.api("GET", f"/{index}/_segments")["indices"][index]["shards"]["0"][0]
    return {name: segment["version"] for name, segment in shard["segments"].items()}


@pytest.fixture(scope="module")
def upgraded(pool):
    """The node of 6.8 after it went on with the indices of 5.6; its repository is "upgraded"."""
    old = pool.get("es-node", "5.6")
    old.clear()
    fill_5_6(old)
    snapshot(old, "upgraded", "on-5.6")
    old.clear()

    node = pool.get("es-node", "6.8")
    node.clear()
    shutil.copytree(old.repositories / "upgraded", node.repositories / "upgraded")
    node.api("PUT", "/_snapshot/upgraded", {"type": "fs", "settings": {
        "location": str(node.repositories / "upgraded")}})
    node.api("POST", "/_snapshot/upgraded/on-5.6/_restore?wait_for_completion=true",
             {"indices": "several,single"})
    go_on_6_8(node)
    snapshot(node, "upgraded", "on-6.8")
    yield node
    node.clear()
    shutil.rmtree(node.repositories / "upgraded")


@pytest.mark.parametrize("index", ["several", "single"])
def test_an_index_of_5_6_that_went_on_in_6_8_is_exact(shardlift, upgraded, tmp_path, index):
    writers = set(segments_of(upgraded, index).values())
    assert any(v.startswith("6.6.") for v in writers) and any(v.startswith("7.7.") for v in writers)
    uri = upgraded.repositories / "upgraded"
    shown = shardlift("snapshot", "show", "--repo-uri", uri, "--snapshot-name", "on-6.8", "--json")
    assert shown.code == OK, shown
    told = next(row for row in shown.json()["indices"] if row["index"] == index)
    assert all(version in str(told) for version in writers), told

    result = shardlift("backfill", "--repo-uri", uri, "--snapshot-name", "on-6.8", "--target-host",
                       f"dir:{tmp_path / 'out'}", "--index-allowlist", index)
    assert result.code == OK, result
    assert_same(written_documents(tmp_path / "out")[index], upgraded.documents(index), index,
                types=True)


def test_the_snapshot_of_before_is_still_read(shardlift, upgraded, tmp_path):
    """In the same repository, now written on by 6.8."""
    result = shardlift("backfill", "--repo-uri", upgraded.repositories / "upgraded",
                       "--snapshot-name", "on-5.6", "--target-host", f"dir:{tmp_path / 'out'}")
    assert result.code == OK, result
    written = written_documents(tmp_path / "out")
    alive = [n for n in range(150) if n % 7]
    assert len(written["several"]) == len(alive) + 150 + 1 + 8
    assert len(written["single"]) == len(alive) + 1 + 8

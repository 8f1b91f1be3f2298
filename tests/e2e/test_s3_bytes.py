"""How much of a shard is read, and in how many requests: the stored fields, and little else."""

import base64
import json
import os
import random

import pytest

import s3_support
from s3_support import PREFIX, Caller, Proxy
from support import OK

DOCUMENTS = 2000
SEED = 20261122
BUCKET = "bytes"
REPOSITORY = "bytes"


def fill(node, index, compound):
    """One segment. Most of it are the terms of a text that is indexed in several ways."""
    rng = random.Random(SEED)
    ways = {name: {"type": "text", "index_options": "offsets"} for name in "abcdef"}
    node.api("PUT", f"/{index}", {
        "settings": {"number_of_shards": 1, "number_of_replicas": 0, "refresh_interval": "-1",
                     "compound_format": compound},
        "mappings": {"properties": {
            "words": {"type": "text", "fields": ways},
            "payload": {"type": "keyword", "index": False, "doc_values": False}}}})
    for start in range(0, DOCUMENTS, 500):
        lines = []
        for number in range(start, start + 500):
            words = " ".join("%x" % rng.randrange(1 << 24) for _ in range(60))
            payload = base64.b64encode(rng.randbytes(900)).decode()
            lines += [json.dumps({"index": {"_index": index, "_id": str(number)}}),
                      json.dumps({"words": words, "payload": payload})]
        assert not node.client.bulk("\n".join(lines) + "\n")["errors"]
        node.api("POST", f"/{index}/_refresh")
    node.api("POST", f"/{index}/_forcemerge?max_num_segments=1&flush=true")


@pytest.fixture(scope="module")
def source(pool):
    """A node with the indices, and a snapshot of them."""
    node = pool.get("os-node", "2.19")
    node.clear()
    fill(node, "plain", False)
    fill(node, "compound", True)
    node.api("PUT", f"/_snapshot/{REPOSITORY}", {"type": "fs", "settings": {
        "location": str(node.repositories / REPOSITORY)}})
    taken = node.api("PUT", f"/_snapshot/{REPOSITORY}/s?wait_for_completion=true",
                     {"indices": "plain,compound"})
    assert taken["snapshot"]["state"] == "SUCCESS", taken
    return node


@pytest.fixture(scope="module")
def node(tmp_path_factory, source):
    node = s3_support.S3Node(tmp_path_factory.mktemp("s3"), os.getpid())
    node.upload(source.repositories / REPOSITORY, BUCKET, PREFIX)
    yield node
    node.stop()


@pytest.mark.parametrize("index", ["plain", "compound"])
def test_reads_the_stored_fields_and_little_else(shardlift, node, source, tmp_path, index):
    settings = source.api("GET", f"/{index}/_settings/index.uuid")[index]["settings"]
    folder, = source.folder.glob(f"**/indices/{settings['index']['uuid']}/0/index")
    segments = shardlift("inspect", "lucene", folder, "--segments", "--json").json()
    stored = sum(segment["stored_bytes"] for segment in segments)
    whole = sum(file.stat().st_size for file in folder.iterdir())
    assert len(segments) == 1 and segments[0]["compound"] == (index == "compound"), segments
    assert stored < whole / 2, (stored, whole)

    call = Caller(shardlift, node, tmp_path)
    with Proxy(node.url, lambda *_: None) as proxy:
        result = call("backfill", "--repo-uri", f"s3://{BUCKET}/{PREFIX}", "--snapshot-name", "s",
                      "--index-allowlist", index, "--to", "null:", "--json", endpoint=proxy.url)
    assert result.code == OK and result.json()["totals"]["documents"] == DOCUMENTS, result
    sizes = [size for (_, path), size in zip(proxy.requests, proxy.sizes)
             if "/indices/" in path and "/meta-" not in path]
    assert stored <= sum(sizes) <= 1.05 * stored, (stored, sizes)
    # What tells where things are, and then ranges of 1 MiB.
    assert len(sizes) <= 12 + stored // (1 << 20) + 2, sizes

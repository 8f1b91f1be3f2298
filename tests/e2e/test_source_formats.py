"""Sources that clients did not send as plain JSON: real nodes keep them as they came, and show them
as JSON. What is extracted is what the node shows."""

import gzip
import json
import urllib.request
import zlib

import pytest

from support import ERRORS, OK, ROOT, Document, assert_same, canonical, parse, written_documents

GOLDENS = ROOT / "tests" / "unit" / "documents" / "sources"
TYPES = {"smile": "application/smile", "cbor": "application/cbor", "yaml": "application/yaml",
         "json": "application/json"}


def send(node, method, path, body=None, kind="json"):
    request = urllib.request.Request(node.url + path, body, {"Content-Type": TYPES[kind]},
                                     method=method)
    with urllib.request.urlopen(request) as answer:
        return answer.read()


def shown(node, index):
    """The documents as the node's search shows them, digits kept."""
    send(node, "POST", f"/{index}/_refresh")
    hits = parse(send(node, "GET", f"/{index}/_search?size=1000").decode())["hits"]["hits"]
    return [Document("_doc", h["_id"], None, canonical(h["_source"])) for h in hits]


def golden_sources():
    """(name, format, bytes) of what Jackson wrote."""
    return [(path.name, path.suffix[1:], path.read_bytes())
            for path in sorted(GOLDENS.iterdir()) if path.suffix[1:] in TYPES and
            path.suffix != ".json"]


def snapshot(node, name):
    location = node.repositories / name
    send(node, "PUT", f"/_snapshot/{name}", json.dumps(
        {"type": "fs", "settings": {"location": str(location)}}).encode())
    send(node, "PUT", f"/_snapshot/{name}/all?wait_for_completion=true")
    return location


def backfill(shardlift, location, target, *more):
    return shardlift("backfill", "--repo-uri", location, "--snapshot-name", "all", "--target-host",
                     target, *more)


def recorded_failures(shardlift):
    recorded = []
    for path in (shardlift.state_dir / "failed-documents").rglob("*.ndjson.gz"):
        with gzip.open(path, "rt") as lines:
            recorded += [json.loads(line) for line in lines]
    return recorded


@pytest.fixture
def elasticsearch(pool):
    node = pool.get("es-node", "7.10")
    node.clear()
    # Kept and not indexed: a document may hold anything then.
    for index in ("formats", "odd"):
        node.api("PUT", f"/{index}", {"mappings": {"enabled": False}})
    return node


def test_smile_cbor_and_yaml_become_what_the_node_shows(shardlift, elasticsearch, tmp_path):
    sources = golden_sources()
    assert len(sources) > 20
    for name, kind, body in sources:
        send(elasticsearch, "PUT", f"/formats/_doc/{name}", body, kind)
    expected = shown(elasticsearch, "formats")
    assert len(expected) == len(sources)
    location = snapshot(elasticsearch, "formats")
    result = backfill(shardlift, location, f"dir:{tmp_path / 'out'}")
    assert result.code == OK, result
    assert_same(written_documents(tmp_path / "out")["formats"], expected, "formats")


# What such a node shows is not always JSON, so here is what each means.
ODD = [
    ("mark", "json", b'\xef\xbb\xbf{"a":1.10}', '{"a":1.10}'),
    ("utf16", "json", '{"a":"\u0a0a \U0001f600"}'.encode("utf-16-le"),
     '{"a":"\u0a0a \U0001f600"}'),
    ("utf32", "json", '{"a":"\u0a0a \U0001f600"}'.encode("utf-32-le"),
     '{"a":"\u0a0a \U0001f600"}'),
    ("deflated", "json", b"DFL\0" + zlib.compress(b'{"a":1.10}', wbits=-15), '{"a":1.10}'),
    ("deflated-yaml", "yaml", b"DFL\0" + zlib.compress(b"---\na: yes\n", wbits=-15), '{"a":true}'),
    ("spaces", "json", b"  \n  {\n\"a\" : 1.10 }\r\n", '{"a":1.10}'),
    ("alias", "yaml", b"---\na: &x {b: 1}\nc: *x\n", '{"a":{"b":1},"c":"x"}'),
    ("digits", "yaml", b"---\na: 1.10\nb: 12345678901234567890.5\n",
     '{"a":1.10,"b":12345678901234567890.5}'),
    ("negative", "cbor", bytes.fromhex("a16161c349010000000000000000"),
     '{"a":-18446744073709551616}'),
    ("names", "cbor", bytes.fromhex("d9d9f7a2010241610a"), '{"1":2,"a":10}'),
]


def test_other_encodings_and_odd_forms(shardlift, elasticsearch, tmp_path):
    for name, kind, body, _ in ODD:
        send(elasticsearch, "PUT", f"/odd/_doc/{name}", body, kind)
    location = snapshot(elasticsearch, "odd")
    result = backfill(shardlift, location, f"dir:{tmp_path / 'out'}")
    assert result.code == OK, result
    expected = [Document("_doc", name, None, canonical(parse(text))) for name, _, _, text in ODD]
    assert_same(written_documents(tmp_path / "out")["odd"], expected, "odd")


def test_comments_pass_or_end_as_failed_documents(shardlift, pool, opensearch):
    """A line in a bulk has no room for a comment that ends with its line: what is behind it would
    be lost with it, the closing brace too, so that the target refuses the document."""
    node = pool.get("es-node", "7.10")
    node.clear()
    node.api("PUT", "/comments", {"mappings": {"enabled": False}})
    bodies = {"block": b'{"a":1, /* one */ "b":2}', "url": b'{\n"a":"http://x"\n}',
              "behind": b'{"a":1} // }\n', "line": b'{"a":1, // one\n"b":2}',
              "last": b'{"a":1 // one\n}', "brace": b'{"a":1 // }\n}',
              "trailing": b'{"a":1} // one\n'}
    for name, body in bodies.items():
        send(node, "PUT", f"/comments/_doc/{name}", body)
    opensearch.api("PUT", "/comments", {"mappings": {"enabled": False}})
    result = backfill(shardlift, snapshot(node, "comments"), opensearch.url, "--json")
    assert result.code == ERRORS, result
    failed = {line["requestItem"]["operation"]["_id"] for line in recorded_failures(shardlift)}
    assert failed == {"line", "last", "brace", "trailing"}, recorded_failures(shardlift)
    opensearch.client.indices.refresh(index="comments")
    hits = opensearch.client.search(index="comments", params={"_source": "false"})["hits"]["hits"]
    assert {hit["_id"] for hit in hits} == {"block", "url", "behind"}


@pytest.fixture
def ancient(pool):
    node = pool.get("es-node", "1.7")
    for index, options in (("lzf", {"compress": True}),
                           ("threshold", {"compress_threshold": "1k"}),
                           ("smile", {"compress": True, "format": "smile"})):
        send(node, "PUT", f"/{index}", json.dumps({
            "settings": {"number_of_shards": 1, "number_of_replicas": 0},
            "mappings": {"t": {"enabled": False, "_source": options}}}).encode())
    yield node
    send(node, "DELETE", "/lzf,threshold,smile")


@pytest.mark.parametrize("index", ["lzf", "threshold", "smile"])
def test_sources_that_elasticsearch_1_compressed(shardlift, ancient, index, tmp_path):
    for number in range(50):
        body = {"n": number, "text": "the same again and again " * number, "f": 1.5}
        send(ancient, "PUT", f"/{index}/t/{number}", json.dumps(body).encode())
    for name, kind, body in golden_sources():
        # It shows binary from YAML with the line breaks that it came in.
        if name.startswith(("structures", "repeats", "bytes")) and name != "bytes.yaml":
            send(ancient, "PUT", f"/{index}/t/{name}", body, kind)
    expected = shown(ancient, index)
    assert len(expected) > 50
    location = snapshot(ancient, f"ancient-{index}")
    assert any(b"ZV\x01" in path.read_bytes() for path in location.rglob("__*"))
    result = backfill(shardlift, location, f"dir:{tmp_path / 'out'}", "--index-allowlist", index)
    assert result.code == OK, result
    assert_same(written_documents(tmp_path / "out")[index], expected, index)

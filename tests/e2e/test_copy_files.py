"""copy --from file: and --to file:, from and to a real node."""

import gzip
import json
import random
import signal
import subprocess

import pytest

import support
from gated_target import GatedTarget

PER_BULK, CONNECTIONS = 20, 2


def packed(text, packing):
    if packing == "gzip":
        half = len(text) // 2
        return gzip.compress(text[:half]) + gzip.compress(text[half:])
    if packing == "zstd":
        return subprocess.run(["zstd", "-q", "-c"], input=text, stdout=subprocess.PIPE,
                              check=True).stdout
    return text


def in_index(node, index):
    """id -> (routing, source)"""
    return {d.id: (d.routing, json.loads(d.source)) for d in node.documents(index)}


def bulk_bodies(seed, operations):
    """Lines, and what an index holds once they were taken in their order."""
    print("seed", seed)
    dice = random.Random(seed)
    lines, left = [], {"books": {}, "logs": {}}
    for n in range(operations):
        index, id = dice.choice(["books", "logs"]), f"id-{dice.randrange(operations // 4)}"
        if dice.random() < 0.2:
            lines.append({"delete": {"_index": index, "_id": id}})
            left[index].pop(id, None)
            continue
        lines += [{"index": {"_index": index, "_id": id}}, {"n": n, "text": "ü" * dice.randrange(50)}]
        left[index][id] = (None, lines[-1])
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines), left


@pytest.mark.parametrize("packing", ["none", "gzip", "zstd"])
def test_bulk_bodies_are_taken_in_their_order_also_after_kills(shardlift, opensearch, tmp_path,
                                                               packing):
    folder = tmp_path / "bodies"
    folder.mkdir()
    text, left = bulk_bodies(7, 1200)
    lines = text.splitlines(keepends=True)
    cut = next(i for i in range(700, len(lines)) if lines[i].startswith(b'{"index"'))
    (folder / "part-2.ndjson").write_bytes(packed(b"".join(lines[:cut]), packing))
    (folder / "part-10.ndjson").write_bytes(packed(b"".join(lines[cut:]), "none"))
    target = GatedTarget(opensearch.url)
    command = ["copy", "--from", f"file:{folder}", "--to", target.url,
               "--documents-per-bulk-request", str(PER_BULK),
               "--max-connections", str(CONNECTIONS)]
    try:
        for held_after in (100, 700):
            target.hold_after(held_after)
            run = subprocess.Popen([str(support.PROGRAM), *command], env=shardlift.environment,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                target.wait_until_held()
            finally:
                run.send_signal(signal.SIGKILL)
                run.communicate(timeout=120)
            target.drop()
        result = shardlift(*command, "--json")
        assert result.code == support.OK, result
        assert result.json()["resumed"] is True, result
        assert result.json()["totals"]["sent"] == 1200, result
    finally:
        target.drop()
        target.shutdown()
        target.server_close()
    assert {index: in_index(opensearch, index) for index in left} == left


def test_documents_with_ids_of_a_field_and_without_any(shardlift, opensearch, tmp_path):
    path = tmp_path / "people.ndjson.gz"
    documents = [{"key": {"id": n, "of": "x"}, "n": n, "where": f"r{n % 3}"} for n in range(200)]
    path.write_bytes(gzip.compress("\n".join(json.dumps(d) for d in documents).encode()))
    result = shardlift("copy", "--from", f"file:{path}", "--to", opensearch.url,
                       "--id-field", "key.id", "--remove-id-field", "--routing-field", "where")
    assert result.code == support.OK, result
    for document in documents:
        del document["key"]["id"]
    assert in_index(opensearch, "people") == {
        str(d["n"]): (d["where"], d) for d in documents}

    command = ["copy", "--from", f"file:{path}", "--to", opensearch.url, "--index", "unnamed"]
    assert shardlift(*command).code == support.OK
    assert shardlift(*command, "--restart").code == support.OK  # the same ids again
    assert len(in_index(opensearch, "unnamed")) == 200

    path = tmp_path / "piped"
    path.write_bytes(b"".join(json.dumps(d).encode() + b"\n" for d in documents))
    with open(path, "rb") as lines:
        result = shardlift("copy", "--from", "file:-", "--to", opensearch.url, "--index", "piped",
                           input=None, stdin=lines)
    assert result.code == support.OK and "cannot be read again" in result.err, result
    assert sorted(d["n"] for _, d in in_index(opensearch, "piped").values()) == list(range(200))


def test_damaged_lines_are_named_and_kept_skipped_or_the_end(shardlift, opensearch, tmp_path):
    path = tmp_path / "bad.ndjson"
    good = '{"index":{"_index":"bad","_id":"%d"}}\n{"n":%d}\n'
    long = '{"n":"%s"}' % ("x" * 2000)
    path.write_text(good % (1, 1)
                    + '{"index":{"_index":"bad"\n{"n":2}\n' + good % (3, 3)
                    + '{"index":{"_index":"bad","_id":"4"}}\n{"n":4\n'
                    + '{"update":{"_index":"bad","_id":"1"}}\n{"doc":{"n":5}}\n'
                    + '{"index":{"_index":"bad","_id":"6"}}\n' + long + "\n" + good % (7, 7)
                    + '{"index":{"_index":"bad","_id":"8"}}')
    command = ["copy", "--from", f"file:{path}", "--to", opensearch.url, "--max-line", "1KiB"]
    result = shardlift(*command)
    assert result.code == support.ERRORS, result
    assert set(in_index(opensearch, "bad")) == {"1", "3", "7"}
    kept = "".join(gzip.open(f, "rt").read() for f in
                   shardlift.state_dir.rglob("failed-document-stream-*.gz"))
    for line, why in ((3, "no action of a bulk body"), (8, "not JSON"), (9, "it is an update"),
                      (12, "longer than --max-line"), (15, "cut off")):
        assert f"line {line} of '{path}': " in kept and why in kept, kept

    result = shardlift(*command, "--on-bad-line", "skip", "--session-name", "skip")
    assert result.code == support.OK and f"skipped: line 9 of '{path}'" in result.err, result
    result = shardlift(*command, "--on-bad-line", "fail", "--session-name", "fail")
    assert result.code not in (support.OK, support.ERRORS), result
    assert f"line 3 of '{path}'" in result.err and "--on-bad-line" in result.err, result


def test_what_is_not_read_is_named_with_what_to_do(shardlift, tmp_path):
    for name, line, words in (
            ("m.json", {"books": {"mappings": {"properties": {}}}}, "mappings of an index"),
            ("s.json", {"books": {"settings": {"index": {"x": 1}}}}, "settings of an index"),
            ("a.json", {"books": {"aliases": {"b": {}}}}, "aliases of an index"),
            ("t.json", {"t": {"index_patterns": ["a*"], "settings": {}}}, "templates")):
        path = tmp_path / name
        path.write_text(json.dumps(line) + "\n")
        result = shardlift("copy", "--from", f"file:{path}", "--to", "null:")
        assert result.code not in (support.OK, support.ERRORS), result
        assert words in result.err + result.out and "elasticdump" in result.err + result.out, result
    (tmp_path / "zdata.json").write_text('{"n":1}\n')
    result = shardlift("copy", "--from", f"file:{tmp_path}", "--to", "null:", "--json")
    assert result.code == support.OK and result.json()["totals"]["sent"] == 1, result
    assert "is passed over" in result.err, result
    result = shardlift("copy", "--from", f"file:{tmp_path}/none", "--to", "null:")
    assert result.code not in (support.OK, support.ERRORS) and "none" in result.err, result
    result = shardlift("copy", "--from", "file:x", "--to", "null:", "--query", "{}")
    assert result.code == support.USAGE and "--query" in result.err, result


def fill_index(node):
    body = []
    for n in range(300):
        action = {"_index": "books", "_id": f"b/{n} ü"}
        if n % 5 == 0:
            action["routing"] = f"r {n}"
        body += [{"index": action}, {"n": n, "big": 1234567890123456789 + n, "t": "a\n\u2028ü"}]
    answer = node.client.bulk("".join(json.dumps(line) + "\n" for line in body), refresh=True)
    assert not answer["errors"], answer
    return in_index(node, "books")


@pytest.mark.parametrize("lines", ["bulk", "elasticdump", "ndjson"])
def test_what_is_exported_reads_back_exactly(shardlift, opensearch, tmp_path, lines):
    documents = fill_index(opensearch)
    folder = tmp_path / "out"
    result = shardlift("copy", "--from", opensearch.url, "--to", f"file:{folder}", "--include",
                       "books", "--format", lines, "--compress", "zstd")
    assert result.code == support.OK, result
    if lines == "bulk":
        result = shardlift("verify", "--from", opensearch.url, "--to", f"dir:{folder}",
                           "--index-allowlist", "books")
        assert result.code == support.OK, result
    opensearch.clear()
    result = shardlift("copy", "--from", f"file:{folder}", "--to", opensearch.url)
    assert result.code == support.OK, result
    back = in_index(opensearch, "books")
    if lines == "ndjson":  # without ids and routing
        assert sorted(d["n"] for _, d in back.values()) == list(range(300))
        documents = {n: (None, d[1]) for n, d in enumerate(sorted(
            documents.values(), key=lambda d: d[1]["n"]))}
        back = {d["n"]: (None, d) for _, d in back.values()}
    assert back == documents

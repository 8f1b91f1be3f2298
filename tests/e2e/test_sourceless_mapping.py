"""Documents without a source of an index whose mapping is not what it was when they were written: what does not
fit is counted and named, and no document comes emptier than it was."""

import json
import os
import random

import pytest

from support import ERRORS, OK, SOURCE, written_documents

FLAG = "--enable-sourceless-migrations"
DOCUMENTS = 60
KEYWORD = {"raw": {"type": "keyword"}}
# Two mappings of the same fields: as the documents were written, and as the index has it afterwards.
BEFORE = {"n": {"type": "long"}, "d": {"type": "keyword"}, "p": {"type": "integer", "doc_values": False},
          "b": {"type": "long"}, "same": {"type": "keyword"}, "t": {"type": "text"}}
AFTER = {"n": {"type": "keyword"}, "d": {"type": "date"}, "p": {"type": "integer"}, "b": {"type": "byte"},
         "same": {"type": "keyword"}, "t": {"type": "text", "fields": KEYWORD}}
# Of which there are documents that do not fit: another kind of doc values, and numbers beyond the type's.
UNFIT = {"n": "keyword", "d": "date", "b": "byte"}


def fill(node, index, documents):
    lines = []
    for number, document in documents.items():
        lines += [{"index": {"_index": index, "_id": number}}, document]
    result = node.client.bulk(body="".join(json.dumps(line) + "\n" for line in lines), refresh=True)
    assert not result["errors"], result


def create(node, index, properties):
    node.api("PUT", f"/{index}", {"settings": {"number_of_shards": 1, "number_of_replicas": 0},
                                  "mappings": {"_source": {"enabled": False}, "dynamic": "strict",
                                               "properties": properties}})


def snapshot_of(node, name, index):
    node.api("PUT", f"/_snapshot/repo/{name}?wait_for_completion=true", {"indices": index})


def exchange_metadata(location):
    """The index of the first snapshot has the metadata of the second from now on."""
    first, second = sorted((location / "indices").glob("*/meta-*.dat"), key=lambda file: file.stat().st_mtime_ns)
    assert first.parent == second.parent
    first.write_bytes(second.read_bytes())


def rebuilt(shardlift, tmp_path, location, snapshot):
    out = tmp_path / snapshot
    result = shardlift("backfill", "--repo-uri", str(location), "--snapshot-name", snapshot,
                       "--target-host", f"dir:{out}", FLAG)
    documents = [document for _, found in written_documents(out).items() for document in found]
    return result, {document.id: json.loads(document.source) for document in documents}


def document_of(rng, number):
    document = {"same": f"s{number}", "p": number, "t": f"word{number} and more"}
    for name, value in (("n", number), ("d", f"day {number}"), ("b", number if number % 2 else 1000 + number)):
        if rng.random() < 0.3:
            document[name] = value
    return document


def is_unfit(document):
    return "n" in document or "d" in document or document.get("b", 0) > 127


@pytest.fixture
def node(pool):
    node = pool.get("os-node", "2.19")
    node.clear()
    return node


def test_values_of_another_type_are_counted_and_their_documents_fail(node, shardlift, tmp_path):
    seed = random.randrange(2**32)
    print("seed", seed)
    rng = random.Random(seed)
    location = node.repositories / f"changed-{seed}"
    node.api("PUT", "/_snapshot/repo", {"type": "fs", "settings": {"location": str(location)}})
    sent = {str(number): document_of(rng, number) for number in range(DOCUMENTS)}
    index = f"changed-{seed}"
    create(node, index, BEFORE)
    fill(node, index, sent)
    snapshot_of(node, "first", index)
    node.api("DELETE", f"/{index}")
    create(node, index, AFTER)
    snapshot_of(node, "second", index)
    exchange_metadata(location)

    result, got = rebuilt(shardlift, tmp_path, location, "first")
    assert got == {number: document for number, document in sent.items() if not is_unfit(document)}
    for name, kind in UNFIT.items():
        count = sum(name in document and (name != "b" or document[name] > 127) for document in sent.values())
        if count:
            assert f"'{name}' ({kind}) in {count} documents" in result.out, result
    assert result.code == ERRORS, result


@pytest.mark.skipif(not os.environ.get("SHARDLIFT_EVERY_NODE"), reason="a node of its own")
def test_doc_values_of_a_format_that_is_not_read_are_refused_by_name(pool, shardlift, tmp_path):
    """logsdb has columns of Elasticsearch's own."""
    node = pool.get("es-node", "8.19")
    node.clear()
    location = node.repositories / f"logs-{random.randrange(2**32)}"
    node.api("PUT", "/_snapshot/repo", {"type": "fs", "settings": {"location": str(location)}})
    node.api("PUT", "/logs", {"settings": {"number_of_shards": 1, "number_of_replicas": 0, "index.mode": "logsdb"},
                              "mappings": {"properties": {"@timestamp": {"type": "date"}, "k": {"type": "keyword"}}}})
    fill(node, "logs", {"1": {"@timestamp": "2026-01-01T00:00:00Z", "k": "x"}})
    snapshot_of(node, "snap", "logs")
    result, got = rebuilt(shardlift, tmp_path, location, "snap")
    assert result.code == SOURCE and not got, result
    assert "TSDB" in result.err + result.out, result


# Of which the index holds nothing that was sent.
LOST = {"completion": ["one", "two"], "rank_feature": 7.5, "rank_features": {"a": 3.5}, "search_as_you_type": "quick fox",
        "token_count": "three more words", "geo_shape": {"type": "point", "coordinates": [1.0, 2.0]},
        "percolator": {"match": {"k": "x"}}}


def test_types_of_which_nothing_comes_back_are_named_before(node, shardlift, tmp_path):
    location = node.repositories / f"lost-{random.randrange(2**32)}"
    node.api("PUT", "/_snapshot/repo", {"type": "fs", "settings": {"location": str(location)}})
    properties = {f"f_{name}": {"type": name} for name in LOST} | {"k": {"type": "keyword"}}
    properties["f_token_count"]["analyzer"] = "standard"
    create(node, "lost", properties)
    fill(node, "lost", {"1": {"k": "x"} | {f"f_{name}": value for name, value in LOST.items()}})
    snapshot_of(node, "snap", "lost")
    result, got = rebuilt(shardlift, tmp_path, location, "snap")
    assert result.code == OK and got == {"1": {"k": "x"}}, result
    for name in LOST:
        assert f"'f_{name}' ({name}) not at all: " in result.out, result


def test_text_whose_keyword_is_younger_comes_from_its_tokens(node, shardlift, tmp_path):
    location = node.repositories / f"younger-{random.randrange(2**32)}"
    node.api("PUT", "/_snapshot/repo", {"type": "fs", "settings": {"location": str(location)}})
    create(node, "younger", {"t": {"type": "text"}, "l": {"type": "long"}})
    fill(node, "younger", {"old": {"t": "One two", "l": 1}, "none": {"l": 2}})
    node.api("PUT", "/younger/_mapping", {"properties": {"t": {"type": "text", "fields": KEYWORD}}})
    fill(node, "younger", {"new": {"t": "One two", "l": 3}})
    snapshot_of(node, "snap", "younger")
    result, got = rebuilt(shardlift, tmp_path, location, "snap")
    assert result.code == OK, result
    assert got == {"old": {"t": "one two", "l": 1}, "none": {"l": 2}, "new": {"t": "One two", "l": 3}}

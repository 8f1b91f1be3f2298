"""The zoos of all versions into Elasticsearch 9 and OpenSearch Serverless, which are stubs that
enforce their refusals; sources are the bodies as answers show them. Nothing here needs a node."""

import pathlib
import sys

import pytest

from support import ERRORS, OK

sys.path.insert(0, str(pathlib.Path(__file__).parent / "metadata"))
import proofs  # noqa: E402
import strict_targets  # noqa: E402
import zoo  # noqa: E402

# OpenSearch's own types need plugins, which a stub does not know.
SOURCES = [version for version in zoo.VERSIONS if version.startswith("ES")]


@pytest.fixture
def elasticsearch_9():
    stub = strict_targets.Elasticsearch("9.1.0")
    yield stub
    stub.stop()


@pytest.fixture
def serverless():
    stub = strict_targets.Serverless()
    yield stub
    stub.stop()


@pytest.fixture
def source_of():
    stubs = []

    def start(version):
        stubs.append(strict_targets.ZooSource(version))
        return stubs[-1]
    yield start
    for stub in stubs:
        stub.stop()


def migrate(shardlift, source, target, *more):
    return shardlift("metadata", "migrate", "--from", source.url, "--to", target.url, "--json",
                     *more)


def rows(result):
    return [row for group in result.json()["items"].values() if isinstance(group, list)
            for row in group]


def move(shardlift, source, target, version):
    """Moves a zoo; returns the rules that changed what was taken."""
    result = migrate(shardlift, source, target)
    wrong = {row["name"]: (row["outcome"], row.get("failure")) for row in rows(result)
             if row["outcome"] not in ("written", "reported")}
    assert wrong.keys() <= zoo.BLOCKED, (version, wrong)
    assert result.code == (ERRORS if wrong else OK), result
    taken = {f"/{name}" for name in zoo.indices(version)} - {f"/{name}" for name in zoo.BLOCKED}
    assert target.kept.keys() >= taken
    notes = [(note.get("rule"), row["name"], note["text"]) for row in rows(result)
             for note in row.get("notes", []) if row["name"] not in wrong]
    # All by rules, before anything was refused.
    assert [note for note in notes if note[0] == "repair"] == [], version
    target.kept.clear()
    return {rule for rule, _, _ in notes} & set(proofs.rules())


def test_elasticsearch_9_takes_each_zoo(shardlift, source_of, elasticsearch_9):
    noted = {rule for version in SOURCES
             for rule in move(shardlift, source_of(version), elasticsearch_9, version)}
    assert sorted(noted) == sorted(proofs.STRICT["ES 9"])


def test_serverless_takes_each_zoo(shardlift, source_of, serverless):
    noted = {rule for version in SOURCES
             for rule in move(shardlift, source_of(version), serverless, version)}
    assert sorted(noted) == sorted(proofs.STRICT["AOSS"])


def test_vectors_become_those_of_serverless(shardlift, source_of, serverless):
    source = source_of("ES 8.19")
    source.indices = {"vectors": {"aliases": {}, "settings": {"index": {"number_of_shards": "1"}},
                                  "mappings": {"properties": {"v": {
                                      "type": "dense_vector", "dims": 3, "similarity": "cosine",
                                      "index_options": {"type": "hnsw", "m": 8}}}}}}
    result = migrate(shardlift, source, serverless, "--kind", "index")
    assert result.code == OK, result
    assert serverless.kept["/vectors"]["mappings"]["properties"]["v"] == {
        "type": "knn_vector", "dimension": 3, "method": {
            "name": "hnsw", "engine": "faiss", "space_type": "cosinesimil",
            "parameters": {"m": 8, "ef_construction": 100}}}
    assert serverless.kept["/vectors"]["settings"]["index.knn"] is True


def test_policies_are_not_for_serverless(shardlift, source_of, serverless):
    source = source_of("ES 8.19")
    source.policies = {"mine": {"phases": {"delete": {"min_age": "1d",
                                                      "actions": {"delete": {}}}}}}
    result = migrate(shardlift, source, serverless, "--kind", "lifecycle-policy")
    assert result.code == ERRORS, result
    assert {row["name"]: row["outcome"] for row in rows(result)} == {"mine": "blocked"}
    assert serverless.changes() == []

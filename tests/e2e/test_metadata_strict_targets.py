"""The zoos of all versions into Elasticsearch 9 and OpenSearch Serverless, which are stubs that
enforce their refusals; sources are the bodies as answers show them. Nothing here needs a node."""

import pathlib
import sys

import pytest

from support import ERRORS, OK

sys.path.insert(0, str(pathlib.Path(__file__).parent / "metadata"))
import strict_targets  # noqa: E402
import zoo  # noqa: E402

TARGETS = {"ES 9": strict_targets.Elasticsearch, "AOSS": strict_targets.Serverless}
# OpenSearch's own, which Elasticsearch has nothing for; nor does a stub know their plugins.
SOURCES = [version for version in zoo.VERSIONS if version.startswith("ES")]


@pytest.fixture(params=TARGETS)
def target(request):
    stub = TARGETS[request.param]()
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


@pytest.mark.parametrize("version", SOURCES)
def test_a_zoo_is_taken_by_what_refuses_early_ways(shardlift, source_of, target, version):
    source = source_of(version)
    result = migrate(shardlift, source, target)
    wrong = {row["name"]: (row["outcome"], row.get("failure")) for row in rows(result)
             if row["outcome"] not in ("written", "reported")}
    assert wrong.keys() <= zoo.BLOCKED, wrong
    assert result.code == (ERRORS if wrong else OK), result
    taken = {f"/{name}" for name in zoo.indices(version)} - {f"/{name}" for name in zoo.BLOCKED}
    assert target.kept.keys() >= taken
    # All by rules, before anything was refused.
    repaired = [(row["name"], note["text"]) for row in rows(result)
                for note in row.get("notes", []) if note.get("rule") == "repair"]
    assert repaired == []

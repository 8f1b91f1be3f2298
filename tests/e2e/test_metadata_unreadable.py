"""A cluster that lets nobody see one of its endpoints: that is told, and all else goes on."""

import pytest

import lifecycle_stub
from support import ERRORS, OK

INDEX = {"kept": {"aliases": {"also": {}}, "mappings": {}, "settings": {"index": {
    "number_of_shards": "1", "number_of_replicas": "0"}}}}
# What `metadata` asks each source for.
ALWAYS = ["/_cluster/settings", "/_template", "/_cat/indices", "/*"]
COMPOSABLE = ["/_component_template", "/_index_template", "/_data_stream"]
SOURCES = {
    "ES 2.4.6": [*ALWAYS, "/.scripts/_search"],
    "ES 6.8.23": [*ALWAYS, "/_xpack/security/role", "/_ilm/policy", "/_ingest/pipeline",
                  "/_cluster/state/metadata"],
    "ES 8.19.21": [*ALWAYS, *COMPOSABLE, "/_security/role", "/_slm/policy", "/_ilm/policy",
                   "/_ingest/pipeline", "/_cluster/state/metadata"],
    "OS 2.19.6": [*ALWAYS, *COMPOSABLE, "/_plugins/_security/api/roles",
                  "/_plugins/_sm/policies", "/_plugins/_ism/policies", "/_ingest/pipeline",
                  "/_cluster/state/metadata"],
}
# What it asks each target for before it creates anything.
TARGET = ["/_cat/indices", "/_cat/aliases", "/_component_template", "/_cat/plugins",
          "/_cluster/settings"]


class Cluster(lifecycle_stub.Stub):
    """Of one index and one template; `closed` is the path that nobody may see."""

    def __init__(self, version, closed=None):
        super().__init__()
        flavour, number = version.split()
        self.closed = closed
        self.root = {"name": "n", "cluster_name": "c", "version": {"number": number}}
        if flavour == "OS":
            self.root["version"]["distribution"] = "opensearch"
        self.typed = int(number.split(".")[0]) < 7 and flavour == "ES"

    def answer(self, method, path, query, body):
        if path == "/":
            return 200, self.root
        if path == self.closed:
            return 403, {"error": {"type": "security_exception", "reason": "no permissions"},
                         "status": 403}
        if method == "PUT":
            return 200, {"acknowledged": True}
        if path.endswith(("/kept/_settings", "/_template/plain")):
            return lifecycle_stub.NOT_FOUND
        return 200, {"/*": INDEX, "/_template": {"plain": {
            "template": "p-*", "settings": {}, "mappings": {}}}}.get(path, {})


@pytest.fixture
def start():
    stubs = []

    def start(*arguments):
        stubs.append(Cluster(*arguments))
        return stubs[-1]
    yield start
    for stub in stubs:
        stub.stop()


def run(shardlift, command, source, target, *more):
    return shardlift("metadata", command, "--from", source.url, "--to", target.url, *more)


def outcomes(result):
    return {row["name"]: row["outcome"] for rows in result.json()["items"].values()
            if isinstance(rows, list) for row in rows}


WHOLE = {"kept": "written", "also": "written", "plain": "written"}
LOST = {"/*": {"kept", "also"}, "/_template": {"plain"}}


def assert_told(result, text, asked):
    [error] = result.json()["errors"]
    assert error.startswith(f"not readable: GET {asked}") and "status 403" in error, result
    assert f"      WARN - not readable: GET {asked}" in text.out, text


# Each once, with the newest that has it.
@pytest.mark.parametrize("path, version", {path: version for version, paths in SOURCES.items()
                                           for path in paths}.items())
def test_an_endpoint_of_the_source_that_is_not_readable_is_told(shardlift, start, path, version):
    source, target = start(version, path), start("OS 2.19.6")
    text = run(shardlift, "evaluate", source, target)
    assert text.code == OK, text
    result = run(shardlift, "migrate", source, target, "--json")
    assert result.code == OK, result
    assert_told(result, text, source.url + path)
    assert outcomes(result) == {name: outcome for name, outcome in WHOLE.items()
                                if name not in LOST.get(path, ())}, result
    assessed = shardlift("assess", "--from", source.url, "--target-version", "OS 2.19", "--json")
    told = [row["touches"] for row in assessed.json()["findings"] if row["id"] == "BX07"]
    assert len(told) == 1 and source.url + path in str(told), assessed


@pytest.mark.parametrize("path", TARGET)
def test_an_endpoint_of_the_target_that_is_not_readable_is_told(shardlift, start, path):
    source, target = start("ES 8.19.21"), start("OS 2.19.6", path)
    text = run(shardlift, "evaluate", source, target)
    assert text.code == OK, text
    result = run(shardlift, "migrate", source, target, "--json")
    assert result.code == OK, result
    assert_told(result, text, target.url + path)
    assert outcomes(result) == WHOLE, result


# Aliases go with their indices.
@pytest.mark.parametrize("path, lost", [("/kept/_settings", {"kept", "also"}),
                                        ("/_template/plain", {"plain"})])
def test_an_item_that_may_not_be_looked_at_fails_alone(shardlift, start, path, lost):
    source, target = start("ES 8.19.21"), start("OS 2.19.6", path)
    result = run(shardlift, "migrate", source, target, "--json")
    assert result.code == ERRORS, result
    assert {key for key, outcome in outcomes(result).items() if outcome == "failed"} == lost


@pytest.mark.parametrize("version", SOURCES)
def test_no_other_endpoint_is_asked_for(shardlift, start, version):
    source, target = start(version), start("OS 2.19.6")
    result = run(shardlift, "evaluate", source, target, "--json")
    assert result.code == OK and result.json()["errors"] == [], result
    assert {path for _, path in source.requests} == {"/", *SOURCES[version]}
    assert {path for _, path in target.requests} == {"/", *TARGET, "/kept/_settings",
                                                     "/_template/plain"}

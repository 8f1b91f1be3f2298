"""The zoo of each version, moved between real nodes: every item is taken, and then a document of
each index, and of an index of each template, is found. SHARDLIFT_EVERY_NODE=1 takes all pairs;
SHARDLIFT_ZOO_RESULTS=FILE writes the table of them."""

import os
import pathlib
import subprocess
import sys

import pytest

from support import ERRORS, OK, ROOT

sys.path.insert(0, str(pathlib.Path(__file__).parent / "metadata"))
import proofs  # noqa: E402
import zoo  # noqa: E402

EVERY = bool(os.environ.get("SHARDLIFT_EVERY_NODE"))
OPENSEARCH = ["OS 1.3", "OS 2.19", "OS 3.8"]
PAIRS = {version: OPENSEARCH for version in ("ES 1.7", "ES 2.4", "ES 5.6", "ES 6.8", "ES 7.10",
                                             "ES 8.19")}
PAIRS |= {version: [*OPENSEARCH, "ES 8.19"] for version in ("ES 6.8", "ES 7.10")}
PAIRS |= {"OS 1.3": ["OS 3.8"], "OS 2.19": ["ES 7.10"]}
IN_CHECK = {"ES 5.6": ["OS 2.19"], "ES 7.10": ["OS 3.8"]}
CHOSEN = PAIRS if EVERY else IN_CHECK


class Results:
    def __init__(self):
        self.rows, self.pairs = [], {}  # of the table; rule -> [(from, to)]

    def text(self):
        commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, text=True,
                                capture_output=True, check=True).stdout.strip()
        table = [f"| {commit} | {' | '.join(map(str, row))} |\n" for row in self.rows]
        rules = [f"| `{rule}` | {proofs.pairs_text(pairs)} |\n"
                 for rule, pairs in sorted(self.pairs.items())]
        return HEAD + "".join(table) + RULES_HEAD + "".join(rules)


@pytest.fixture(scope="module")
def results():
    results = Results()
    yield results
    path = os.environ.get("SHARDLIFT_ZOO_RESULTS")
    if path:
        pathlib.Path(path).write_text(results.text())


HEAD = """# The zoo, moved between real nodes

By `SHARDLIFT_EVERY_NODE=1 SHARDLIFT_ZOO_RESULTS=FILE pytest tests/e2e/test_metadata_zoo.py -k moves`.
Planted are indices + templates (with their components); accepted what the target created of them;
searched the documents that were indexed and found, one an index and one an index made from each
template. What is planted and blocked on purpose is counted apart.

| commit | from | to | planted | accepted | blocked on purpose | searched |
|---|---|---|---|---|---|---|
"""
RULES_HEAD = """
## Rules that changed what was taken

| rule | pairs |
|---|---|
"""


def node_of(pool, version):
    flavour, digits = version.split()
    return pool.get("es-node" if flavour == "ES" else "os-node", digits)


def empty(node):
    if node.version.startswith("8."):  # refuses to delete by a wildcard otherwise
        node.api("PUT", "/_cluster/settings", {"persistent": {
            "action.destructive_requires_name": False}})
    node.clear()
    for path in ("/_ingest/pipeline/zoo-*", "/_scripts/zoo-script"):
        node.client.transport.perform_request("DELETE", path, params={"ignore": (400, 404, 405)})


class Planted:
    """A node with the zoo of its version, as far as `other` can hold it."""

    def __init__(self, pool, version):
        self.pool, self.version, self.now = pool, version, None

    def node(self, other=None):
        node = node_of(self.pool, self.version)
        other = other if other in zoo.NO_ANALYSIS or other in zoo.LACKS else None
        if self.now != (node, other):
            empty(node)
            zoo.plant(node, self.version, other)
            self.now = node, other
        return node


@pytest.fixture(scope="module")
def planted(pool, request):
    return Planted(pool, request.param)


def each(versions):
    return pytest.mark.parametrize("planted", list(versions), indirect=True, scope="module")


def outcomes(result):
    return {(kind, row["name"]): row for kind, rows in result.json()["items"].items()
            if isinstance(rows, list) for row in rows}


def move(shardlift, source, target):
    """Returns the names of what was blocked; all else was taken."""
    empty(target)
    result = shardlift("metadata", "migrate", "--from", source.url, "--to", target.url, "--json",
                       timeout=500)
    told = outcomes(result)
    blocked = {name for _, name in told if name in zoo.BLOCKED}
    others = {key: (row["outcome"], row.get("failure")) for key, row in told.items()
              if row["outcome"] not in ("written", "reported") and key[1] not in blocked}
    assert not others, (target.version, others)
    assert result.code == (ERRORS if blocked else OK), result
    taken = {name: row for (_, name), row in told.items() if name not in blocked}
    return taken, blocked


def rules_of(taken):
    """The rules that changed what was taken."""
    noted = {note["rule"] for row in taken.values() for note in row.get("notes", [])}
    silent = {rule for rule, names in proofs.SILENT.items()
              if names is None or names & taken.keys()}
    return (noted | silent) & set(proofs.rules())


@each(CHOSEN)
def test_a_zoo_moves(shardlift, pool, planted, results):
    version = planted.version
    for other in CHOSEN[version]:
        source, target = planted.node(other), node_of(pool, other)
        taken, blocked = move(shardlift, source, target)
        indices, templates = zoo.indices(version, other), zoo.templates(version, other)
        assert taken.keys() | blocked >= indices.keys() | templates.keys(), other
        probes = {name: one[1:3] for name, one in indices.items() if name not in blocked}
        probes |= {template.index: template[2:4] for template in templates.values()}
        assert zoo.prove(target, probes) == {}, other
        items = len(indices) + sum(len(template.puts) for template in templates.values())
        results.rows.append((version, other, f"{len(indices)} + {items - len(indices)}",
                             items - len(blocked), len(blocked), len(probes)))
        rules = rules_of(taken)
        for rule in rules:
            results.pairs.setdefault(rule, []).append((version, other))
        # What docs/metadata-proofs.md says of this pair.
        assert {rule for rule, pairs in proofs.on_nodes().items()
                if (version, other) in proofs.pairs_of(pairs)} <= rules


def comparable(report):
    """Without the header of the source, and what only one of the two knows."""
    report["clusters"].pop("source")
    for row in report["items"]["indexes"]:
        row.get("after", {"settings": {}})["settings"].pop("number_of_routing_shards", None)
    return report


@each(PAIRS if EVERY else ["ES 5.6"])
def test_a_live_zoo_and_its_snapshot_give_the_same_report(shardlift, pool, planted):
    version = planted.version
    source = planted.node()
    target = node_of(pool, "OS 3.8" if version == "OS 2.19" else "OS 2.19")
    empty(target)
    folder = source.repositories / f"zoo-{version.replace(' ', '-')}"
    source.api("PUT", "/_snapshot/zoo", {"type": "fs", "settings": {"location": str(folder)}})
    # Closed indices are in snapshots from 7.2 on alone.
    source.api("POST", "/closed/_open")
    source.api("PUT", "/_snapshot/zoo/all?wait_for_completion=true", {
        "indices": "*", "include_global_state": True,
        **({"expand_wildcards": "all"} if zoo.number(version) >= 7007 else {})})
    live = shardlift("metadata", "evaluate", "--from", source.url, "--to", target.url, "--json")
    stored = shardlift("metadata", "evaluate", "--from", f"{folder}#all", "--to", target.url,
                       "--json")
    source.api("POST", "/closed/_close")
    source.api("DELETE", "/_snapshot/zoo")
    assert live.code == stored.code, (live, stored)
    assert comparable(live.json()) == comparable(stored.json())


@each(version for version in CHOSEN if version.startswith("ES"))
@pytest.mark.parametrize("target", ["OS 2.19", "OS 3.8", "ES 8.19"])
def test_assess_flags_what_the_zoo_plants_and_nothing_else(shardlift, planted, target):
    source, version = planted.node(), planted.version
    result = shardlift("assess", "--from", source.url, "--target-version", target, "--json")
    told = {(row["id"], touch.get("name")) for row in result.json()["findings"]
            for touch in row["touches"]
            # BX: what no list of breaking changes names.
            if not row["id"].startswith("BX")}
    expected = zoo.assessed(version, target)
    if zoo.breaks("BF02", version, target) and zoo.number(version) >= 7011:
        expected.add(("BF02", None))
    counts = {row["id"]: row["count"] for row in result.json()["findings"]}
    whole = {change for change, count in counts.items() if count <= 100}
    missing = {pair for pair in expected - told if pair[0] in whole or pair[0] not in counts}
    assert (missing, told - expected) == (set(), set())


if EVERY:
    @each(PAIRS)
    def test_documents_fit_their_bodies_on_the_source_too(planted):
        assert zoo.prove_on_source(planted.node(), planted.version) == {}
        planted.now = None  # documents change mappings

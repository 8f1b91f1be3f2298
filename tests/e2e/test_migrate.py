"""`migrate` into a real OpenSearch, read back by its official client."""

import collections
import json

import pytest

import support
from support import ERRORS, OK, USAGE, assert_same, expected_documents

OWN_MAPPINGS = [("es-6.8.23", "snap1"), ("es-6.8.23", "snap2"), ("es-7.10.2", "snap1"),
                ("es-7.10.2", "snap2"), ("os-1.3.14", "snap-1"), ("os-1.3.14", "snap-2"),
                ("os-2.19.6", "snap-1"), ("os-2.19.6", "snap-2")]


def migrate(shardlift, uri, snapshot, node, *more, **how):
    return shardlift("migrate", "--repo-uri", uri, "--snapshot-name", snapshot, "--target-host",
                     node.url, *more, **how)


def stored(documents):
    return {name: found for name, found in documents.items() if found is not None}


def assert_target_holds(node, documents, what):
    for name, found in documents.items():
        assert_same(node.documents(name), found, f"{what} {name}")


@pytest.mark.parametrize("fixture,snapshot", OWN_MAPPINGS)
def test_indices_arrive_with_their_own_mappings(shardlift, repository, opensearch, fixture, snapshot):
    documents = expected_documents(fixture, snapshot)
    result = migrate(shardlift, repository(fixture), snapshot, opensearch, "--index-allowlist",
                     "regex:[^.].*", "--json")
    visible = {name: found for name, found in documents.items() if not name.startswith(".")}
    assert result.code == ERRORS, result  # an index that stores no _source is in each
    assert_target_holds(opensearch, stored(visible), fixture)
    report = {row["index"]: row for row in result.json()["indices"]}
    for name, found in visible.items():
        if found is None:
            assert report[name]["agrees"] is False and "_source" in report[name]["note"], result
        else:
            assert report[name]["documents"] == len(found), result
            assert report[name]["target_documents"] == len(found), result
            assert report[name]["failed"] == 0 and report[name]["agrees"] is True, result


def test_mappings_settings_and_aliases_come_along(shardlift, repository, opensearch):
    meta = support.parse((support.FIXTURES / "es-7.10.2.meta.json").read_text())["snap1"]
    result = migrate(shardlift, repository("es-7.10.2"), "snap1", opensearch, "--index-allowlist",
                     "books")
    assert result.code == OK, result
    assert "books" in result.out, result
    got = opensearch.api("GET", "/books")["books"]
    assert got["mappings"] == meta["/_mapping"]["books"]["mappings"]
    assert got["aliases"] == meta["/_alias"]["books"]["aliases"]
    source = meta["/_settings"]["books"]["settings"]["index"]
    assert got["settings"]["index"]["number_of_shards"] == source["number_of_shards"]
    assert got["settings"]["index"]["analysis"] == source["analysis"]


def test_a_source_only_snapshot_arrives_with_the_mappings_it_hides(shardlift, repository,
                                                                   opensearch):
    result = migrate(shardlift, repository("es-7.10.2.source-only"), "snap-1", opensearch)
    assert result.code == OK, result
    got = opensearch.api("GET", "/books")["books"]
    assert {k: v["type"] for k, v in got["mappings"]["properties"].items()} == {
        "n": "integer", "nest": "nested", "t": "text"}
    assert "enabled" not in got["mappings"] and got["aliases"] == {"shelf": {}}
    assert_target_holds(opensearch, expected_documents("es-7.10.2.source-only", "snap-1"),
                        "source only")


def test_replicas_can_be_overridden(shardlift, repository, opensearch):
    result = migrate(shardlift, repository("os-2.19.6"), "snap-1", opensearch, "--index-allowlist",
                     "qa", "--number-of-replicas", "0")
    assert result.code == OK, result
    settings = opensearch.api("GET", "/qa/_settings")["qa"]["settings"]["index"]
    assert settings["number_of_replicas"] == "0"


def test_another_session_needs_to_be_allowed(shardlift, repository, opensearch):
    arguments = (repository("os-2.19.6"), "snap-2", opensearch, "--index-allowlist", "books,types")
    documents = expected_documents("os-2.19.6", "snap-2")
    chosen = {name: documents[name] for name in ("books", "types")}
    assert migrate(shardlift, *arguments).code == OK
    assert migrate(shardlift, *arguments).code == OK  # nothing was left to do
    arguments = (*arguments, "--session-name", "another")
    refused = migrate(shardlift, *arguments)
    assert refused.code == ERRORS and "books" in refused.err + refused.out, refused
    assert "--allow-existing-indexes" in refused.err + refused.out, refused
    again = migrate(shardlift, *arguments, "--allow-existing-indexes")
    assert again.code == OK, again
    assert_target_holds(opensearch, chosen, "second run")


def test_the_longest_way_round_gives_the_same(shardlift, repository, opensearch):
    """Bulks of one document or a few bytes, many senders, little memory, no compression."""
    documents = expected_documents("es-7.10.2", "snap1")
    for more in (("--documents-per-bulk-request", "1"),
                 ("--documents-size-per-bulk-request", "2000", "--max-connections", "7"),
                 ("--disable-compression", "--max-connections", "1")):
        opensearch.clear()
        result = migrate(shardlift, repository("es-7.10.2"), "snap1", opensearch,
                         "--index-allowlist", "books,family", "--restart", *more)
        assert result.code == OK, result
        assert_target_holds(opensearch, {n: documents[n] for n in ("books", "family")}, str(more))


@pytest.mark.parametrize("fixture,snapshot", [
    ("es-1.7.6", "snap1"), ("es-2.4.6", "snap2"), ("es-5.6.16", "snap1"), ("es-5.6.16", "snap2"),
    ("es-8.19.21", "snap1"), ("es-8.19.21", "snap2")])
def test_documents_go_into_indices_that_are_there(shardlift, repository, opensearch, fixture,
                                                  snapshot):
    """Up to 5.6 there are types, in 8.19 mappings that OpenSearch does not know: documents only."""
    documents = stored(expected_documents(fixture, snapshot))
    for name in documents:
        opensearch.api("PUT", f"/{name}", {"settings": {"number_of_replicas": 0},
                                           "mappings": {"enabled": False}})
    result = shardlift("backfill", "--repo-uri", repository(fixture), "--snapshot-name", snapshot,
                       "--target-host", opensearch.url, "--index-allowlist", ",".join(documents))
    clashes = {name: ids_of_several_types(found) for name, found in documents.items()}
    assert result.code == (ERRORS if any(clashes.values()) else OK), result
    for name, found in documents.items():
        got = opensearch.documents(name)
        assert_same([d for d in got if d.id not in clashes[name]],
                    [d for d in found if d.id not in clashes[name]], f"{fixture} {name}")
        assert {d.id for d in got} == {d.id for d in found}
        assert {(d.id, d.source) for d in got} <= {(d.id, d.source) for d in found}


def ids_of_several_types(documents):
    """Where two types share an id, an index without types has room for one of the documents only:
    that is a run that completed with errors."""
    ids = collections.Counter(d.id for d in documents if d.routing is None)
    return {name for name, count in ids.items() if count > 1}


def test_from_and_to_are_short_for_the_long_flags(shardlift, repository, opensearch):
    result = shardlift("migrate", "--from", f"{repository('os-1.3.14')}#snap-1", "--to",
                       opensearch.url, "--index-allowlist", "types")
    assert result.code == OK, result
    assert_target_holds(opensearch, {"types": expected_documents("os-1.3.14", "snap-1")["types"]},
                        "types")


def test_flags_come_from_inline_json_too(shardlift, repository, opensearch):
    inline = json.dumps({"repoUri": str(repository("os-1.3.14")), "snapshotName": "snap-1",
                         "targetHost": opensearch.url, "indexAllowlist": ["types"]})
    assert shardlift("migrate", "---INLINE-JSON", inline).code == OK
    assert shardlift("migrate").code == USAGE

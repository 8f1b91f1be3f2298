"""`metadata evaluate` and `metadata migrate` into a real OpenSearch."""

import pathlib
import sys

import pytest

from answering_proxy import AnsweringProxy
from recording_proxy import RecordingProxy
from support import ERRORS, OK, USAGE, Number, expected_documents

sys.path.insert(0, str(pathlib.Path(__file__).parent / "metadata"))
import zoo_es7  # noqa: E402

FIXTURES = [("es-1.7.6", "snap1"), ("es-2.4.6", "snap1"), ("es-5.6.16", "snap1"),
            ("es-6.8.23", "snap1"), ("es-7.10.2", "snap1"), ("es-8.19.21", "snap1"),
            ("os-1.3.14", "snap-1")]


def run(shardlift, command, source, target, *more):
    return shardlift("metadata", command, "--from", source, "--to", target.url, "--json", *more)


def source_of(repository, fixture, snapshot):
    return f"{repository(fixture)}#{snapshot}"


def outcomes(result, *keys):
    """name -> outcome of all items, or of those under these keys."""
    items = result.json()["items"]
    lists = [items[key] for key in keys] if keys else [v for v in items.values()
                                                       if isinstance(v, list)]
    return {row["name"]: row["outcome"] for rows in lists for row in rows}


@pytest.fixture
def target(opensearch):
    """An OpenSearch 2.19 without the pipelines and scripts of other tests, too."""
    opensearch.api("DELETE", "/_ingest/pipeline/*")
    scripts = opensearch.api("GET", "/_cluster/state/metadata?filter_path=metadata.stored_scripts")
    for script in scripts.get("metadata", {}).get("stored_scripts", {}):
        opensearch.api("DELETE", f"/_scripts/{script}")
    return opensearch


def assert_takes_and_finds(node, index, body, query):
    node.client.transport.perform_request(
        "PUT", f"/{index}/_doc/probe", params={"refresh": "true", "routing": "r"}, body=body)
    found = node.api("POST", f"/{index}/_search", {"query": query})["hits"]["hits"]
    assert [hit["_id"] for hit in found] == ["probe"], index


@pytest.mark.parametrize("fixture,snapshot", FIXTURES)
def test_what_each_version_knows_is_created(shardlift, repository, target, fixture, snapshot):
    result = run(shardlift, "migrate", source_of(repository, fixture, snapshot), target)
    told = outcomes(result, "indexes")
    # The node has no k-NN plugin, and that is told before anything is created.
    blocked = {"books"} if fixture == "es-8.19.21" else set()
    assert result.code == (ERRORS if blocked else OK), result
    assert {name for name, outcome in told.items() if outcome != "written"} == blocked, result
    others = set(outcomes(result, "indexTemplates", "componentTemplates", "pipelines", "scripts",
                          "dataStreams").values())
    assert others <= {"written"}, result
    documents = expected_documents(fixture, snapshot)
    for index in told.keys() - blocked:
        example = documents.get(index)
        assert_takes_and_finds(target, index, example[0].source if example else "{}",
                               {"ids": {"values": ["probe"]}})


def comparable(result):
    """The items but for what only one of the two sources knows."""
    items = result.json()["items"]
    for row in items["indexes"]:
        row["after"]["settings"].pop("number_of_routing_shards", None)
    return items


def test_a_live_cluster_and_its_snapshot_give_the_same(shardlift, pool, target):
    source = pool.get("es-node", "7.10")
    source.clear()
    zoo_es7.plant(source)
    folder = source.repositories / "zoo"
    source.api("PUT", "/_snapshot/zoo", {"type": "fs", "settings": {"location": str(folder)}})
    source.api("PUT", "/_snapshot/zoo/all?wait_for_completion=true",
               {"indices": "*", "expand_wildcards": "all", "include_global_state": True})
    live = run(shardlift, "evaluate", source.url, target)
    stored = run(shardlift, "evaluate", f"{folder}#all", target)
    assert live.code == OK and stored.code == OK, (live, stored)
    assert comparable(live) == comparable(stored)
    result = run(shardlift, "migrate", source.url, target)
    assert result.code == OK, result
    told = outcomes(result, "indexes")
    assert told == dict.fromkeys(zoo_es7.INDICES, "written"), result
    for name, (_, document, query) in zoo_es7.INDICES.items():
        assert_takes_and_finds(target, name, document, query)
    assert_zoo_stands(target)


def assert_zoo_stands(target):
    aliases = target.api("GET", "/_alias")
    assert aliases["multi"]["aliases"] == {"both": {"is_write_index": True}}
    assert aliases["chained"]["aliases"] == {"both": {"is_write_index": False}}
    assert aliases["range"]["aliases"]["some"] == {
        "filter": {"range": {"f": {"gte": Number("2")}}}, "index_routing": "1",
        "search_routing": "1,2"}
    settings = target.api("GET", "/settings,hidden/_settings?expand_wildcards=all")
    assert settings["settings"]["settings"]["index"]["codec"] == "best_compression"
    assert settings["hidden"]["settings"]["index"]["hidden"] == "true"
    template = target.api("GET", "/_index_template/zoo")["index_templates"][0]["index_template"]
    assert template["composed_of"] == ["zoo-base"] and template["_meta"] == {"owner": "me"}
    assert target.api("GET", "/_template/old-zoo")["old-zoo"]["aliases"]["old-zoos"]
    assert target.api("GET", "/_ingest/pipeline/stamp-zoo")["stamp-zoo"]["description"] == "d"
    assert target.api("GET", "/_scripts/zoo-script")["script"]["lang"] == "painless"


def test_evaluate_writes_nothing(shardlift, repository, target):
    proxy = RecordingProxy(target.url)
    before = target.api("GET", "/_cluster/state/metadata")["metadata"]
    result = run(shardlift, "evaluate", source_of(repository, "es-7.10.2", "snap1"), proxy)
    assert result.code == OK, result
    assert set(outcomes(result).values()) == {"ready", "reported"}, result
    books = next(row for row in result.json()["items"]["indexes"] if row["name"] == "books")
    assert books["before"]["mappings"] and books["after"]["mappings"]
    assert {method for method, _ in proxy.requests} == {"GET"}
    after = target.api("GET", "/_cluster/state/metadata")["metadata"]
    assert after["indices"] == before["indices"] and after["templates"] == before["templates"]


def test_the_same_again_leaves_what_is_there(shardlift, repository, target):
    source = source_of(repository, "os-1.3.14", "snap-1")
    first = run(shardlift, "migrate", source, target)
    assert first.code == OK, first
    created = target.api("GET", "/_settings")
    again = run(shardlift, "migrate", source, target, "--allow-existing-indexes")
    assert again.code == OK, again
    assert set(outcomes(again).values()) == {"existed"}, again
    refused = run(shardlift, "migrate", source, target)
    assert refused.code == ERRORS, refused
    assert set(outcomes(refused, "indexes").values()) == {"failed"}, refused
    assert "--allow-existing-indexes" in refused.out
    assert target.api("GET", "/_settings") == created


def test_a_run_that_stopped_half_way_is_finished(shardlift, repository, target):
    source = source_of(repository, "es-6.8.23", "snap1")
    assert run(shardlift, "migrate", source, target, "--index-allowlist", "books").code == OK
    result = run(shardlift, "migrate", source, target, "--allow-existing-indexes")
    assert result.code == OK, result
    told = outcomes(result, "indexes")
    assert told.pop("books") == "existed" and set(told.values()) == {"written"}, result


def test_a_run_that_is_cut_off_is_finished_by_the_same_command(shardlift, repository, target):
    source = source_of(repository, "es-6.8.23", "snap1")
    created = []

    def refuse_after_two(method, path, _):
        if method != "PUT" or "wait_for_active_shards" not in path:
            return None
        created.append(path)
        return (403, {"error": {"type": "security_exception"}}) if len(created) > 2 else None

    proxy = AnsweringProxy(target.url, refuse_after_two)
    try:
        result = run(shardlift, "migrate", source, proxy)
        assert result.code != OK, result
        proxy.answer = lambda *_: None
        result = run(shardlift, "migrate", source, proxy)
        assert result.code == OK, result
        told = list(outcomes(result, "indexes").values())
        assert told.count("existed") == 2 and set(told) == {"existed", "written"}, result
        # Now it is done, and what is there may be somebody else's.
        result = run(shardlift, "migrate", source, proxy)
        assert result.code == ERRORS, result
        assert "already exists on the target" in result.out
    finally:
        proxy.close()


def test_only_what_is_named_is_moved(shardlift, repository, target):
    source = source_of(repository, "es-7.10.2", "snap1")
    result = run(shardlift, "evaluate", source, target, "--index-allowlist", "regex:logs-.*,books",
                 "--index-template-allowlist", "logs", "--component-template-allowlist", "base")
    assert result.code == OK, result
    assert outcomes(result, "indexes").keys() == {"books", "logs-2020.01", "logs-2020.02"}
    assert outcomes(result, "indexTemplates").keys() == {"logs"}
    assert outcomes(result, "componentTemplates").keys() == {"base"}
    kinds = run(shardlift, "evaluate", source, target, "--kind", "pipeline", "--kind", "script")
    assert outcomes(kinds) == {"stamp": "ready", "add-one": "ready"}, kinds
    both = run(shardlift, "evaluate", source, target, "--show-excluded", "--kind",
               "legacy-template")
    assert outcomes(both) == {"logs": "excluded"}, both


def test_a_missing_component_is_named_before_anything_is_created(shardlift, repository, target):
    proxy = RecordingProxy(target.url)
    result = run(shardlift, "migrate", source_of(repository, "es-7.10.2", "snap1"), proxy, "--kind",
                 "index-template")
    assert result.code == ERRORS, result
    assert "component template 'base'" in result.out
    assert {method for method, _ in proxy.requests} == {"GET"}


@pytest.mark.parametrize("wrong", [
    ("--index-allowlist", "regex:("), ("--index-allowlist", "regex:"), ("--kind", "dreams"),
    ("--rename", "books")])
def test_what_cannot_be_meant_is_refused_before_any_request(shardlift, repository, target, wrong):
    proxy = RecordingProxy(target.url)
    result = run(shardlift, "migrate", source_of(repository, "es-7.10.2", "snap1"), proxy, *wrong)
    assert result.code == USAGE, result
    assert wrong[0] in result.err, result
    assert proxy.requests == []


def test_names_replicas_and_zones_as_the_user_wants_them(shardlift, repository, target):
    source = source_of(repository, "es-7.10.2", "snap1")
    result = run(shardlift, "migrate", source, target, "--index-allowlist", "books,family",
                 "--rename", "books=volumes", "--cluster-awareness-attributes", "3", "--kind",
                 "index")
    assert result.code == OK, result
    settings = target.api("GET", "/_settings")
    assert settings.keys() >= {"volumes", "family"} and "books" not in settings
    assert settings["volumes"]["settings"]["index"]["number_of_replicas"] == "2"
    result = run(shardlift, "migrate", source, target, "--index-allowlist", "empty",
                 "--number-of-replicas", "1")
    assert result.code == OK, result
    empty = target.api("GET", "/empty/_settings")["empty"]["settings"]["index"]
    assert empty["number_of_replicas"] == "1"


def test_closed_indices_can_be_left_out(shardlift, pool, target):
    source = pool.get("es-node", "7.10")
    source.clear()
    source.api("PUT", "/open", {})
    source.api("PUT", "/shut", {})
    source.api("POST", "/shut/_close")
    every = run(shardlift, "evaluate", source.url, target, "--kind", "index")
    assert outcomes(every, "indexes") == {"open": "ready", "shut": "ready"}, every
    assert "close it after the backfill" in every.out
    only = run(shardlift, "evaluate", source.url, target, "--kind", "index", "--open-only")
    assert outcomes(only, "indexes") == {"open": "ready"}, only

"""`metadata evaluate`, `metadata migrate` and `migrate` with transformers for indices and templates."""

import json

import pytest

from support import ERRORS, OK, USAGE, assert_same, expected_documents

TYPED, TYPED_SNAPSHOT = "es-5.6.16", "snap2"
# Books and authors have ids in common, which one index without types has no room for.
ROUTES = {"books": {"book": "novels", "author": "authors"},
          "family": {"parent": "relations", "child": "relations"}}
ROUTER = {"TypeMappingSanitizationTransformerProvider": {
    "sourceProperties": {"version": {"major": 5, "minor": 6}}, "staticMappings": ROUTES}}


def script(body):
    return {"JsonJSTransformerProvider": {
        "initializationScript": f"(() => (item) => {{ {body}; return item; }})"}}


def rows(result, key="indexes"):
    return {row.get("targetName", row["name"]): row for row in result.json()["items"][key]}


def routed():
    """target index -> the documents of the fixture that go there."""
    targets = {}
    for index, types in ROUTES.items():
        for document in expected_documents(TYPED, TYPED_SNAPSHOT)[index]:
            if document.type in types:
                targets.setdefault(types[document.type], []).append(document)
    return targets


@pytest.fixture
def source(repository):
    return f"{repository(TYPED)}#{TYPED_SNAPSHOT}"


def test_one_command_splits_and_unites_indices_of_many_types(shardlift, source, opensearch):
    steps = json.dumps([ROUTER, script("item.body.settings.number_of_replicas = 0")])
    result = shardlift("migrate", "--from", source, "--to", opensearch.url, "--json",
                       "--index-allowlist", ",".join(ROUTES), "--indices-only", "true",
                       "--transformer-config", steps,
                       "--doc-transformer-config", json.dumps([ROUTER]))
    assert result.code == OK, result
    expected = routed()
    assert set(expected) == {"novels", "authors", "relations"}
    for index, documents in expected.items():
        assert_same(opensearch.documents(index), documents, index)
        settings = opensearch.api("GET", f"/{index}/_settings")[index]["settings"]["index"]
        assert settings["number_of_replicas"] == "0"
    assert not opensearch.client.indices.exists(index="books,family")
    novels = opensearch.api("GET", "/novels/_mapping")["novels"]["mappings"]["properties"]
    authors = opensearch.api("GET", "/authors/_mapping")["authors"]["mappings"]["properties"]
    assert novels != authors


def test_evaluate_tells_what_a_script_would_change(shardlift, source, opensearch):
    change = script("if (item.type !== 'index') return item;"
                    "item.name = 'new-' + item.name;"
                    "item.body.mappings.properties.added = {type: 'keyword'}")
    result = shardlift("metadata", "evaluate", "--from", source, "--to", opensearch.url,
                       "--index-allowlist", "family", "--transformer-config", json.dumps(change))
    assert result.code == OK, result
    assert "family -> new-family" in result.out
    assert 'mappings.properties.added: added: {"type":"keyword"}' in result.out
    assert not opensearch.client.indices.exists(index="new-family")


@pytest.mark.parametrize("body,reason", [
    ("throw new Error('not this one')", "Error: not this one"),
    ("for (;;);", "stopped after"),
    ("const all = []; for (;;) all.push(new Array(10000).fill(1))", "took more than"),
    ("return 7", "the script returned a number"),
    ("return {type: item.type, body: item.body}", "left it without a 'name'"),
    ("item.body = null", "left it without a 'body'"),
])
def test_an_item_that_a_script_cannot_do_is_named_and_not_written(
        shardlift, source, opensearch, body, reason):
    config = script(f"if (item.name === 'books') {{ {body} }}")
    result = shardlift("metadata", "migrate", "--from", source, "--to", opensearch.url, "--json",
                       "--index-allowlist", ",".join(ROUTES), "--kind", "index",
                       "--script-timeout", "2s", "--script-memory", "256MiB",
                       "--transformer-config", json.dumps(config))
    assert result.code == ERRORS, result
    told = rows(result)
    assert told["books"]["outcome"] == "blocked", told
    assert reason in told["books"]["failure"]["message"], told
    assert told["family"]["outcome"] == "written"
    assert not opensearch.client.indices.exists(index="books")


def test_what_a_script_drops_is_left_out(shardlift, source, opensearch):
    result = shardlift("metadata", "migrate", "--from", source, "--to", opensearch.url, "--json",
                       "--index-allowlist", ",".join(ROUTES), "--kind", "index",
                       "--show-excluded", "true", "--transformer-config",
                       json.dumps(script("if (item.name === 'books') return []")))
    assert result.code == OK, result
    assert rows(result)["books"]["failure"]["message"] == "the transformers drop it"
    assert not opensearch.client.indices.exists(index="books")
    assert opensearch.client.indices.exists(index="family")


@pytest.mark.parametrize("flags", [
    ("--transformer-config", '{"JsonJSTransformerProvder": {}}'),
    ("--transformer-config-file", "/nowhere/steps.json"),
    ("--transformer-config-base64", "%%%"),
    ("--transformer-config", "Noop", "--transformer-config-base64", "Tm9vcA=="),
])
def test_a_wrong_configuration_is_refused_before_any_request(shardlift, source, flags):
    result = shardlift("metadata", "migrate", "--from", source, "--to", "http://127.0.0.1:1",
                       *flags)
    assert result.code == USAGE, result

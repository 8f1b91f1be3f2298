"""Indices of Elasticsearch 5.6 that hold several types, split, united and thinned out by the type
router: their mappings, documents and requests, by one configuration."""

import json

import pytest

from support import FIXTURES, OK, assert_same, expected_documents, written_documents

FIXTURE, SNAPSHOT = "es-5.6.16", "snap2"
# Books and authors have ids in common, which one index without types has no room for.
ROUTES = {"books": {"book": "novels", "author": "authors"},
          "family": {"parent": "relations", "child": "relations"}}


def config(routes):
    return json.dumps([{"TypeMappingSanitizationTransformerProvider": {
        "sourceProperties": {"version": {"major": 5, "minor": 6}}, "staticMappings": routes}}])


def routed(routes):
    """target index -> the documents of the fixture that go there."""
    targets = {}
    for index, types in routes.items():
        for document in expected_documents(FIXTURE, SNAPSHOT)[index]:
            if document.type in types:
                targets.setdefault(types[document.type], []).append(document)
    return targets


@pytest.fixture
def backfill(shardlift, repository):
    def run(target, routes, *flags):
        return shardlift("backfill", "--repo-uri", repository(FIXTURE), "--snapshot-name", SNAPSHOT,
                         "--to", target, "--index-allowlist", ",".join(routes),
                         "--doc-transformer-config", config(routes), *flags)
    return run


@pytest.fixture
def attempt(shardlift, tmp_path):
    """What `transform try` makes of messages."""
    def run(kind, messages):
        steps = tmp_path / "steps.json"
        steps.write_text(config(ROUTES))
        result = shardlift("transform", "try", "--config", steps, "--kind", kind, "--json",
                           input="\n".join(map(json.dumps, messages)).encode())
        assert result.code == OK, result
        return [json.loads(line)["after"] for line in result.out.splitlines()]
    return run


def test_types_go_to_files_of_their_own_or_nowhere(backfill, tmp_path):
    routes = {"books": {"book": "novels"}, "family": ROUTES["family"], "logs-2020.01": {}}
    result = backfill(f"dir:{tmp_path / 'out'}", routes)
    assert result.code == OK, result
    written = written_documents(tmp_path / "out")
    expected = routed(routes)
    assert set(written) == set(expected) == {"novels", "relations"}
    for index, documents in expected.items():
        assert_same(written[index], documents, index)


def test_indices_are_split_and_united_in_a_cluster(backfill, attempt, opensearch):
    mappings = json.loads((FIXTURES / f"{FIXTURE}.meta.json").read_text())[SNAPSHOT]["/_mapping"]
    made = attempt("metadata", [{"type": "index", "name": name, "body": mappings[name]}
                                for name in ROUTES])
    items = [item for one in made for item in (one if isinstance(one, list) else [one])]
    assert {item["name"] for item in items} == {"novels", "authors", "relations"}
    for item in items:
        # That OpenSearch has no _parent is for the rules of metadata to know.
        item["body"]["mappings"].pop("_parent", None)
        opensearch.api("PUT", f"/{item['name']}", {
            **item["body"], "settings": {"number_of_replicas": 0}})

    # No index is there by its source's name.
    result = backfill(opensearch.url, ROUTES)
    assert result.code == OK, result
    expected = routed(ROUTES)
    assert {d.id for d in expected["novels"]} & {d.id for d in expected["authors"]}
    for index, documents in expected.items():
        assert_same(opensearch.documents(index), documents, index)
    assert not opensearch.client.indices.exists(index="books,family")

    requests = attempt("request", [
        {"method": "GET", "URI": f"/{path}/_count?q=*", "headers": {}}
        for path in ("books/author", "books/book,author", "family/child", "books")])
    counts = [int(opensearch.api(r["method"], r["URI"])["count"]) for r in requests]
    authors, novels, relations = (len(expected[i]) for i in ("authors", "novels", "relations"))
    assert counts == [authors, novels + authors, relations, novels + authors]

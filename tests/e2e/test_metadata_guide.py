"""The three tasks of Alibaba Cloud's migration guide in one command, with the guide's requests that
check them; and what its scripts, and those of Aiven's guide, get wrong."""

import pathlib
import sys

import pytest

import lifecycle_stub
from support import ERRORS, OK, Number

sys.path.insert(0, str(pathlib.Path(__file__).parent / "metadata"))
import strict_targets  # noqa: E402

PRODUCT = {"phases": {
    "hot": {"min_age": "0ms", "actions": {"rollover": {"max_size": "1GB", "max_age": "1d",
                                                       "max_docs": 1000}}},
    "delete": {"min_age": "2h", "actions": {"delete": {}}}}}
ANALYSIS = {"analyzer": {"names": {"tokenizer": "standard", "filter": ["lowercase", "short"]}},
            "filter": {"short": {"type": "edge_ngram", "min_gram": 1, "max_gram": 9}}}
NAMES = {"type": "text", "analyzer": "names", "search_analyzer": "standard"}
INDICES = {
    "product_info": {"settings": {"number_of_shards": 3, "number_of_replicas": 2,
                                  "analysis": ANALYSIS, "max_result_window": 20000},
                     "mappings": {"properties": {"name": NAMES, "price": {"type": "double"}}},
                     "aliases": {"products": {"filter": {"range": {"price": {"gte": 1}}}}}},
    "logs-2024-09-21": {"settings": {"number_of_shards": 2, "number_of_replicas": 0},
                        "mappings": {"properties": {"day": {"type": "date"}}}},
    "shut": {"settings": {"number_of_shards": 1, "number_of_replicas": 0}},
}
TEMPLATES = {
    "/_template/product": {"index_patterns": ["product-*"], "order": 1, "settings": {
        "number_of_shards": 3, "number_of_replicas": 2}, "mappings": {"properties": {
            "name": {"type": "keyword"}}}},
    "/_component_template/parts": {"template": {"settings": {"number_of_shards": 1}}},
    "/_index_template/orders": {"index_patterns": ["orders-*"], "composed_of": ["parts"],
                                "priority": 3},
    # Of the system and of tools.
    "/_template/.monitoring-es": {"index_patterns": [".monitoring-es-*"]},
    "/_template/ilm-history": {"index_patterns": ["ilm-history-2*"], "settings": {
        "number_of_shards": 1}},
    "/_index_template/.slm-history": {"index_patterns": [".slm-history-*"]},
}


def fill(node):
    for path, body in TEMPLATES.items():
        node.api("PUT", path, body)
    for name, body in INDICES.items():
        node.api("PUT", f"/{name}", body)
    node.api("POST", "/shut/_close")


def migrate(shardlift, source, target, *more):
    return shardlift("metadata", "migrate", "--from", source.url, "--to", target.url, "--json",
                     "--number-of-replicas", "0", *more)


@pytest.fixture
def clusters(pool):
    """Two Elasticsearch 7.10; the first holds the guide's items."""
    source = pool.get("es-node", "7.10")
    target = pool.get("es-node", "7.10", "--setting", "node.attr.side=target")
    source = pool.get("es-node", "7.10")
    for node in source, target:
        node.clear()
        for path in ("/_ingest/pipeline/*", "/_scripts/add-one", "/_scripts/zoo-script"):
            node.client.transport.perform_request("DELETE", path, params={"ignore": (404,)})
    fill(source)
    return source, target


def test_templates_and_indices_of_the_guide(shardlift, clusters):
    source, target = clusters
    result = migrate(shardlift, source, target)
    assert result.code == OK, result
    # What the guide asks of the target.
    product = target.api("GET", "/_template/product")["product"]
    assert product["index_patterns"] == ["product-*"]
    assert product["settings"]["index"] == {"number_of_shards": "3", "number_of_replicas": "0"}
    listed = target.api("GET", "/_cat/indices/product_info?format=json&h=index,pri,rep,status")
    assert listed == [{"index": "product_info", "pri": "3", "rep": "0", "status": "open"}]
    assert target.api("GET", "/product_info/_mapping") == source.api("GET",
                                                                     "/product_info/_mapping")
    # Its scripts keep two settings, so that mappings name analyzers that are not there.
    settings = target.api("GET", "/product_info/_settings")["product_info"]["settings"]["index"]
    assert settings["analysis"]["analyzer"]["names"]["filter"] == ["lowercase", "short"]
    assert settings["max_result_window"] == "20000"
    target.api("PUT", "/product_info/_doc/1?refresh=true", {"name": "Keyboard", "price": 5})
    found = target.api("POST", "/products/_search", {"query": {"match": {"name": "keyb"}}})
    assert found["hits"]["total"]["value"] == Number("1")
    # They ignore aliases, closed indices and composable templates.
    assert target.api("GET", "/_alias/products")["product_info"]["aliases"]["products"]["filter"]
    assert target.client.indices.exists("shut") and "close it after the backfill" in result.out
    orders = target.api("GET", "/_index_template/orders")["index_templates"][0]
    assert orders["index_template"]["composed_of"] == ["parts"]
    # They copy what the system and tools have for themselves.
    names = target.api("GET", "/_template").keys() | {
        row["name"] for row in target.api("GET", "/_index_template")["index_templates"]}
    assert not names & {".monitoring-es", "ilm-history", ".slm-history"}
    # Aiven's creates an index with default shards, and can do one index at a time.
    logs = target.api("GET", "/logs-2024-09-21")["logs-2024-09-21"]
    assert logs["settings"]["index"]["number_of_shards"] == "2"
    assert logs["mappings"] == {"properties": {"day": {"type": "date"}}}


def test_a_refusal_is_told_and_fails_the_command(shardlift, clusters):
    source, target = clusters
    target.api("PUT", "/_index_template/mine", {"index_patterns": ["orders-*"], "priority": 3})
    result = migrate(shardlift, source, target)
    assert result.code == ERRORS, result
    failed = [row for row in result.json()["items"]["indexTemplates"]
              if row["outcome"] == "failed"]
    assert [row["name"] for row in failed] == ["orders"]
    assert "mine" in failed[0]["failure"]["message"]


@pytest.fixture
def policies():
    source, target = lifecycle_stub.IlmSource("7.10.1"), strict_targets.Elasticsearch("7.10.1")
    source.policies = {"product": PRODUCT, "7-days-default": PRODUCT}
    source.add_index("product_info", {"name": "product"})
    yield source, target
    source.stop()
    target.stop()


def test_the_policy_of_the_guide(shardlift, policies):
    source, target = policies
    result = migrate(shardlift, source, target)
    assert result.code == OK, result
    # The guide's script sends what the source wrote around it; the target would refuse.
    assert target.kept["/_ilm/policy/product"] == {"policy": PRODUCT}
    assert "/_ilm/policy/7-days-default" not in target.kept
    changes = [path for _, path in target.changes()]
    assert changes.index("/_ilm/policy/product") < changes.index("/product_info")
    assert target.kept["/product_info"]["settings"]["index.lifecycle.name"] == "product"


def test_a_policy_that_is_refused_is_told(shardlift, policies):
    source, target = policies
    source.policies["archive"] = {"phases": {"cold": {"actions": {
        "searchable_snapshot": {"snapshot_repository": "far"}}}}}
    result = migrate(shardlift, source, target)
    assert result.code == ERRORS, result
    assert "no such repository [far]" in result.out
    assert "/_ilm/policy/product" in target.kept and "/_ilm/policy/archive" not in target.kept

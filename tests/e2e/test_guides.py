"""docs/guides, each followed as it stands; its end is looked at by another client."""

import re
import shutil

import pytest

import support
from guide_support import GUIDES, follow

LOOPBACK = "127.0.0.1:*"


@pytest.fixture
def source(pool):
    node = pool.get("es-node", "7.10")
    node.clear()
    yield node
    node.clear()


@pytest.fixture
def target(pool):
    """An OpenSearch 2.19 that accepts sources on this machine."""
    node = pool.get("os-node", "2.19", "--setting", f"reindex.remote.allowlist={LOOPBACK}")
    node.clear()
    yield node
    node.clear()


def fill(node, **indices):
    """40 documents for each name, with the aliases given; names spell '-' as '_'."""
    for name, aliases in indices.items():
        name = name.replace("_", "-")
        node.api("PUT", f"/{name}", {
            "settings": {"number_of_shards": 2, "number_of_replicas": 0},
            "mappings": {"properties": {"text": {"type": "keyword"}}},
            "aliases": {alias: {} for alias in aliases}})
        lines = "".join(f'{{"index":{{"_id":"{n}"}}}}\n{{"n":{n},"text":"{n} ü"}}\n' for n in range(40))
        answer = node.api("POST", f"/{name}/_bulk?refresh=true", lines)
        assert not answer["errors"], answer


def assert_moved(source, target, *names):
    for name in names:
        expected = source.documents(name)
        assert expected, name
        support.assert_same(target.documents(name), expected, name)


def aliases_of(node, index):
    return set(node.api("GET", f"/{index}/_alias")[index]["aliases"])


def test_remote_reindex(shardlift, source, target, tmp_path):
    fill(source, logs_2024_09_21=[], logs_2024_09_22=[], books=["shelf"], orders=[])
    result = follow("reindex.md", shardlift, tmp_path, SOURCE=source.url, TARGET=target.url)
    names = ("logs-2024-09-21", "logs-2024-09-22", "books", "orders")
    assert_moved(source, target, *names)
    assert aliases_of(target, "books") == {"shelf"}
    assert aliases_of(target, "orders") == {"orders-now"}
    assert target.api("GET", "/books/_mapping")["books"]["mappings"]["properties"]["text"] == {
        "type": "keyword"}
    assert "clients of orders-now go to http" in result.out, result
    blocked = {name: source.api("GET", f"/{name}/_settings")[name]["settings"]["index"].get("blocks")
               for name in names}
    assert blocked == {**dict.fromkeys(names), "orders": {"write": "true"}}
    assert "blocks" not in target.api("GET", "/books/_settings")["books"]["settings"]["index"]


def test_what_guides_refer_to_is_there():
    for guide in GUIDES.glob("*.md"):
        for link in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", guide.read_text()):
            if "://" not in link:
                assert (guide.parent / link).exists(), f"{guide.name}: {link}"

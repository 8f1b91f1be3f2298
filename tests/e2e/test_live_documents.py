"""verify reads what old live clusters hold by scroll: the same as what lies in their snapshots."""

import os

import pytest

import support

# Elasticsearch 1.7 starts fastest and differs most; the others are of the long run.
VERSIONS = [("1.7", "es-1.7.6"), ("2.4", "es-2.4.6"), ("5.6", "es-5.6.16"), ("6.8", "es-6.8.23")]
EVERY = bool(os.environ.get("SHARDLIFT_EVERY_NODE"))


@pytest.mark.parametrize(("version", "fixture"), VERSIONS if EVERY else VERSIONS[:1])
def test_a_live_index_is_equal_to_its_snapshot_and_every_change_is_named(
        shardlift, tmp_path, version, fixture):
    node = support.Node("es-node", version, tmp_path / "node")
    try:
        folder = support.unpack(fixture, node.repositories)
        snapshot = "snap2"
        node.api("PUT", "/_snapshot/old", {"type": "fs", "settings": {"location": str(folder)}})
        names = sorted(name for name, documents in
                       support.expected_documents(fixture, snapshot).items()
                       if documents and not name.startswith("."))
        node.api("POST", f"/_snapshot/old/{snapshot}/_restore?wait_for_completion=true",
                 {"indices": ",".join(names), "include_global_state": False,
                  "index_settings": {"index.number_of_replicas": 0}})
        arguments = ("--from", node.url, "--to", f"{folder}#{snapshot}", "--page-size", "16KiB",
                     "--index-allowlist", ",".join(names), "--json", "true")
        result = shardlift("verify", *arguments)
        assert result.code == support.OK, result
        assert {i["source_index"]: i["verdict"] for i in result.json()["indices"]} == \
            dict.fromkeys(names, "equal")
        assert sum(i["source_documents"] for i in result.json()["indices"]) > 300

        changed = node.api("GET", "/books/_search?size=1")["hits"]["hits"][0]
        node.api("PUT", f"/books/{changed['_type']}/only-here?refresh=true", {"a": 1})
        result = shardlift("verify", *arguments)
        assert result.code == support.ERRORS, result
        [books] = [i for i in result.json()["indices"] if i["source_index"] == "books"]
        assert [(d["kind"], d["id"]) for d in books["differences"]] == [("missing", "only-here")]
    finally:
        node.stop()

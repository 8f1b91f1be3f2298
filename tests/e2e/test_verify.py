"""verify: what a migration wrote is equal to where it came from, and every change is named."""

import gzip
import json
import os
import time

import opensearchpy
import pytest

import support
from recording_proxy import RecordingProxy


def verify(shardlift, *arguments, **how):
    return shardlift("verify", *arguments, "--json", "true", **how)


def index_of(result, name):
    return next(i for i in result.json()["indices"] if i["source_index"] == name)


def differences(result, name):
    return {(d["kind"], d["id"]) for d in index_of(result, name)["differences"]}


def migrated(shardlift, repository, snapshot, node):
    result = shardlift("migrate", "--from", f"{repository}#{snapshot}", "--to", node.url,
                       "--number-of-replicas", "0")
    assert result.code in (support.OK, support.ERRORS), result
    return f"{repository}#{snapshot}"


def test_what_was_migrated_is_equal(shardlift, repository, opensearch):
    source = migrated(shardlift, repository("es-7.10.2"), "snap2", opensearch)
    result = shardlift("verify", "--from", source, "--to", opensearch.url,
                       "--index-allowlist", "books,logs-2020.01,family")
    assert result.code == support.OK, result
    assert "Equal: 3 of 3 indices are equal" in result.out


def test_every_change_on_the_target_is_named(shardlift, repository, opensearch):
    source = migrated(shardlift, repository("es-7.10.2"), "snap2", opensearch)
    documents = opensearch.documents("books")
    changed, removed = documents[3], documents[5]
    client = opensearchpy.OpenSearch(opensearch.url, timeout=60)
    hit = client.get(index="books", id=changed.id, routing=changed.routing)
    client.index(index="books", id=changed.id, routing=changed.routing,
                 body={**hit["_source"], "added_by_test": [1, 2]}, refresh=True)
    client.delete(index="books", id=removed.id, routing=removed.routing, refresh=True)
    client.index(index="books", id="only-here", body={"a": 1}, refresh=True)
    result = verify(shardlift, "--from", source, "--to", opensearch.url, "--index-allowlist", "books")
    assert result.code == support.ERRORS, result
    assert differences(result, "books") == {("changed", changed.id), ("missing", removed.id),
                                            ("extra", "only-here")}
    paths = [d.get("paths") for d in index_of(result, "books")["differences"]
             if d["kind"] == "changed"]
    assert paths == ["added_by_test (only on the target)"]


def test_two_clusters_are_compared_under_other_names(shardlift, opensearch):
    client = opensearch.connect()
    for i in range(300):
        client.index(index="old", id=str(i), body={"n": i, "price": 1.5}, routing=str(i % 3))
    client.indices.refresh(index="old")
    client.reindex(body={"source": {"index": "old"}, "dest": {"index": "new"}}, refresh=True)
    arguments = ("--from", opensearch.url, "--to", opensearch.url, "--index-allowlist", "old",
                 "--rename", "old=new")
    result = verify(shardlift, *arguments)
    assert result.code == support.OK, result
    assert index_of(result, "old")["target_documents"] == 300
    client.update(index="new", id="7", routing="1", body={"doc": {"n": 8}}, refresh=True)
    result = verify(shardlift, *arguments)
    assert result.code == support.ERRORS, result
    assert differences(result, "old") == {("changed", "7")}
    # It rests: waiting for live traffic does not take it away.
    result = verify(shardlift, *arguments, "--settle", "1s")
    assert result.code == support.ERRORS, result
    assert differences(result, "old") == {("changed", "7")}


@pytest.mark.parametrize("shards", [1, 2, 3] if os.environ.get("SHARDLIFT_EVERY_NODE") else [1])
def test_shards_are_read_in_points_in_time_and_aliases_by_scroll(shardlift, opensearch, shards):
    client, total = opensearch.connect(), 20000 * shards
    for name in ("old", "new", "newer"):
        client.indices.create(index=name, body={"settings": {"number_of_shards": shards}})
    for name in ("old", "new"):
        for at in range(0, total, 10000):
            bulk(opensearch, [line for i in range(at, at + 10000) for line in (
                {"index": {"_index": name, "_id": str(i)}}, {"n": i})])
    for name in ("new", "newer"):
        client.indices.put_alias(index=name, name="all")
    proxy = RecordingProxy(opensearch.url)
    arguments = ("--from", opensearch.url, "--to", proxy.url, "--index-allowlist", "old",
                 "--only", "documents")
    result = verify(shardlift, *arguments, "--rename", "old=new")
    assert result.code == support.OK, result
    assert index_of(result, "old")["target_documents"] == total
    opened = [path for _, path in proxy.requests if "point_in_time?" in path]
    closed = [path for method, path in proxy.requests if method == "DELETE"]
    assert len(opened) == len(closed) == 4 * shards, proxy.requests  # four slices a shard
    assert not [path for _, path in proxy.requests if "scroll" in path]
    # Its indices have the same sequence numbers.
    bulk(opensearch, [line for i in range(3) for line in (
        {"index": {"_index": "newer", "_id": f"extra{i}"}}, {"n": i})])
    proxy.requests.clear()
    result = verify(shardlift, *arguments, "--rename", "old=all", "--page-size", "64KiB")
    assert result.code == support.ERRORS, result
    assert differences(result, "old") == {("extra", f"extra{i}") for i in range(3)}
    assert not [path for _, path in proxy.requests if "point_in_time" in path]


def test_an_index_missing_on_the_target_is_different(shardlift, repository, opensearch):
    result = verify(shardlift, "--from", f"{repository('es-7.10.2')}#snap2", "--to", opensearch.url,
                    "--index-allowlist", "books")
    assert result.code == support.ERRORS, result
    assert "has no index 'books'" in index_of(result, "books")["reason"]


def test_two_snapshots_are_compared(shardlift, repository):
    folder = repository("es-7.10.2")
    result = verify(shardlift, "--from", f"{folder}#snap2", "--to", f"{folder}#snap2",
                    "--index-allowlist", "books")
    assert result.code == support.OK, result


@pytest.mark.parametrize("compress", ["none", "gzip", "zstd"])
def test_bulk_lines_are_compared_with_the_snapshot(shardlift, repository, tmp_path, compress):
    source = f"{repository('es-7.10.2')}#snap2"
    out = tmp_path / "out"
    result = shardlift("backfill", "--from", source, "--to", f"dir:{out}", "--index-allowlist",
                       "books,logs-2020.01", "--compress", compress)
    assert result.code == support.OK, result
    arguments = ("--from", source, "--to", f"file:{out}", "--index-allowlist", "books,logs-2020.01")
    result = verify(shardlift, *arguments)
    assert result.code == support.OK, result
    assert result.json()["metadata"]["skipped"], result
    [first, *_] = sorted((out / "books").iterdir())
    if compress != "none":
        first.write_bytes(first.read_bytes()[:-9])
        result = verify(shardlift, *arguments)
        assert result.code == support.ERRORS, result
        assert index_of(result, "books")["verdict"] == "not compared"
        assert first.name in index_of(result, "books")["reason"]
        return
    lines = first.read_text("utf-8").splitlines(keepends=True)
    removed = json.loads(lines[0])["index"]["_id"]
    first.write_text("".join(lines[2:]), "utf-8")
    result = verify(shardlift, *arguments)
    assert result.code == support.ERRORS, result
    assert differences(result, "books") == {("missing", removed)}
    first.write_text("".join(lines)[:-2], "utf-8")
    reason = index_of(verify(shardlift, *arguments), "books")["reason"]
    assert f"line {len(lines)} of" in reason and first.name in reason
    first.write_text("".join(lines[:-1]), "utf-8")
    assert "the file is cut off" in index_of(verify(shardlift, *arguments), "books")["reason"]
    first.write_text("".join(lines) + '{"delete":{"_index":"books","_id":"1"}}\n', "utf-8")
    assert "deletes document '1'" in index_of(verify(shardlift, *arguments), "books")["reason"]
    first.write_text("".join(lines).replace('"books"', '"others"', 1), "utf-8")
    assert "of index 'others'" in index_of(verify(shardlift, *arguments), "books")["reason"]


@pytest.mark.parametrize(("form", "compress"), [("elasticdump", "gzip"), ("ndjson", "none")])
def test_exports_of_other_forms_are_compared_too(shardlift, repository, tmp_path, form, compress):
    source = f"{repository('es-7.10.2')}#snap2"
    out = tmp_path / "out"
    result = shardlift("backfill", "--from", source, "--to", f"file:{out}", "--index-allowlist",
                       "books,logs-2020.01", "--format", form, "--compress", compress)
    assert result.code == support.OK, result
    arguments = ("--from", source, "--to", f"file:{out}", "--index-allowlist", "books,logs-2020.01")
    result = verify(shardlift, *arguments)
    if form == "ndjson":  # nothing says their ids
        assert result.code == support.ERRORS, result
        assert "--ignore-ids" in index_of(result, "books")["reason"]
        arguments = (*arguments, "--ignore-ids")
        result = verify(shardlift, *arguments)
    assert result.code == support.OK, result
    assert index_of(result, "books")["verdict"] == "equal"
    [first, *_] = sorted((out / "books").iterdir())
    pack = gzip.open if compress == "gzip" else open
    with pack(first, "rt", encoding="utf-8") as lines:
        lines = lines.readlines()
    document = json.loads(lines[0])
    (document["_source"] if form == "elasticdump" else document)["added_by_test"] = 1
    with pack(first, "wt", encoding="utf-8") as out:
        out.writelines([json.dumps(document) + "\n", *lines[1:]])
    result = verify(shardlift, *arguments)
    assert result.code == support.ERRORS, result
    assert index_of(result, "books")["verdict"] == "different"
    if form == "elasticdump":
        assert differences(result, "books") == {("changed", document["_id"])}


def test_what_stores_no_source_is_never_called_equal(shardlift, repository):
    folder = repository("es-7.10.2")
    result = verify(shardlift, "--from", f"{folder}#snap2", "--to", f"{folder}#snap2",
                    "--index-allowlist", "metrics")
    assert result.code == support.ERRORS, result
    assert index_of(result, "metrics")["verdict"] == "not compared"


def test_a_bad_sample_is_refused(shardlift, repository):
    folder = repository("es-7.10.2")
    result = shardlift("verify", "--from", f"{folder}#snap2", "--to", f"{folder}#snap2", "--sample", "0")
    assert result.code == support.USAGE, result
    assert "--sample '0'" in result.err


def test_the_source_passes_through_the_transformers(shardlift, repository, opensearch):
    """Two indices become one, and each document gets a field on its way."""
    script = """b => d => {
        for (const one of d) {
            one.operation.set('_id', one.operation.get('_index') + one.operation.get('_id'));
            one.operation.set('_index', 'all');
            one.document.set('touched', 1);
        }
        return d;
    }"""
    config = json.dumps([{"JsonJSTransformerProvider": {"initializationScript": script}}])
    source = f"{repository('es-7.10.2')}#snap2"
    opensearch.api("PUT", "/all", {"mappings": {"enabled": False}})
    both = ("--index-allowlist", "books,logs-2020.01", "--doc-transformer-config", config)
    result = shardlift("migrate", "--from", source, "--to", opensearch.url,
                       "--number-of-replicas", "0", *both)
    assert result.code == support.OK, result
    arguments = ("--from", source, "--to", opensearch.url, *both)
    result = verify(shardlift, *arguments)
    assert result.code == support.OK, result
    [index] = result.json()["indices"]
    assert (index["source_index"], index["target_index"]) == ("books, logs-2020.01", "all")
    assert index["source_documents"] == len(opensearch.documents("all"))
    changed = min(opensearch.documents("all"))
    opensearch.connect().index(index="all", id=changed.id, routing=changed.routing,
                               body={"touched": 2}, refresh=True)
    result = verify(shardlift, *arguments)
    assert result.code == support.ERRORS, result
    [index] = result.json()["indices"]
    assert [(d["kind"], d["id"]) for d in index["differences"]] == [("changed", changed.id)]
    without = verify(shardlift, "--from", source, "--to", opensearch.url,
                     "--index-allowlist", "books")
    assert without.code == support.ERRORS, without


def test_an_index_asked_for_by_name_and_not_there_is_told_of(shardlift, repository):
    folder = repository("es-7.10.2")
    result = verify(shardlift, "--from", f"{folder}#snap2", "--to", f"{folder}#snap2",
                    "--index-allowlist", "books,typo")
    assert result.code == support.ERRORS, result
    assert "has no index 'typo'" in index_of(result, "typo")["reason"]


def test_a_script_that_fails_leaves_nothing_equal(shardlift, repository):
    script = "b => d => { throw new Error('no'); }"
    config = json.dumps([{"JsonJSTransformerProvider": {"initializationScript": script}}])
    folder = repository("es-7.10.2")
    result = verify(shardlift, "--from", f"{folder}#snap2", "--to", f"{folder}#snap2",
                    "--index-allowlist", "books", "--doc-transformer-config", config)
    assert result.code == support.ERRORS, result
    assert not result.json()["equal"] and result.json()["transformed"]["failed"] > 0


def test_the_report_is_also_a_page(shardlift, repository, tmp_path):
    folder = repository("es-7.10.2")
    page = tmp_path / "report.html"
    result = verify(shardlift, "--from", f"{folder}#snap1", "--to", f"{folder}#snap2",
                    "--index-allowlist", "books,<script>", "--report", f"html={page}",
                    "--progress", "always")
    assert result.code == support.ERRORS, result
    text = page.read_text("utf-8")
    assert text.startswith("<!DOCTYPE html>") and text.endswith("</html>\n")
    assert "<script" not in text and "&lt;script&gt;" in text and "src=" not in text
    assert "ETA" in result.err


def test_mappings_and_settings_that_differ_are_named(shardlift, repository, opensearch):
    source = f"{repository('es-7.10.2')}#snap2"
    result = shardlift("migrate", "--from", source, "--to", opensearch.url, "--index-allowlist",
                       "books", "--number-of-replicas", "0")
    assert result.code == support.OK, result
    arguments = ("--from", source, "--to", opensearch.url, "--index-allowlist", "books")
    result = verify(shardlift, *arguments)
    assert result.code == support.OK and result.json()["metadata"]["compared"] == 1, result
    opensearch.api("PUT", "/books/_settings", {"index": {"refresh_interval": "7s"}})
    opensearch.api("PUT", "/books/_mapping", {"properties": {"by_test": {"type": "keyword"}}})
    result = verify(shardlift, *arguments)
    assert result.code == support.ERRORS and not result.json()["equal"], result
    assert index_of(result, "books")["verdict"] == "equal"
    assert {d["where"] for d in result.json()["metadata"]["differences"]} == {
        "settings.refresh_interval", "mappings.properties.by_test"}
    result = verify(shardlift, *arguments, "--number-of-replicas", "1", "--only", "metadata")
    assert "settings.number_of_replicas" in {
        d["where"] for d in result.json()["metadata"]["differences"]}, result
    assert result.json()["indices"] == []
    result = verify(shardlift, *arguments, "--only", "documents")
    assert result.code == support.OK and "metadata" not in result.json(), result


def test_queries_that_find_something_else_are_named(shardlift, opensearch, tmp_path):
    client = opensearch.connect()
    for name in ("old", "new"):
        client.indices.create(index=name, body={"mappings": {"properties": {
            "k": {"type": "keyword"}, "n": {"type": "long"}, "t": {"type": "text"}}}})
        bulk(opensearch, [line for i in range(200) for line in (
            {"index": {"_index": name, "_id": str(i)}},
            {"k": f"key{i % 5}", "n": i, "t": f"the number {i}"})])
    queries = tmp_path / "queries.ndjson"
    queries.write_text("".join(json.dumps({"index": "old", "body": body}) + "\n" for body in (
        {"query": {"term": {"k": "key3"}}, "sort": [{"n": "desc"}], "size": 3},
        {"query": {"range": {"n": {"lt": 5}}}, "aggs": {"a": {"terms": {"field": "k"}}}},
        {"query": {"no_such": {}}})))
    arguments = ("--from", opensearch.url, "--to", opensearch.url, "--index-allowlist", "old",
                 "--rename", "old=new", "--only", "queries", "--queries", str(queries),
                 "--generated-queries", "30")
    result = verify(shardlift, *arguments)
    told = result.json()["queries"]
    assert result.code == support.ERRORS, result  # one could not be asked
    assert (told["different"], told["not_compared"]) == (0, 1) and told["compared"] > 20, result
    assert "no_such" in told["differences"][0]["where"]
    client.delete(index="new", id="3", refresh=True)
    result = verify(shardlift, *arguments)
    told = [d for d in result.json()["queries"]["differences"] if "expected" in d]
    assert {"40 hits", "5 hits"} <= {d["expected"] for d in told}, result
    assert {"39 hits; missing 3", "4 hits; missing 3"} <= {d["found"] for d in told}, result
    queries.write_text('{"index": "old"}\n')
    result = shardlift("verify", *arguments)
    assert result.code == support.USAGE and "line 1" in result.err, result


def test_documents_of_a_snapshot_are_found_by_generated_queries(shardlift, repository, opensearch):
    source = migrated(shardlift, repository("es-7.10.2"), "snap2", opensearch)
    arguments = ("--from", source, "--to", opensearch.url, "--index-allowlist", "books",
                 "--generated-queries", "40", "--only", "queries")
    result = verify(shardlift, *arguments)
    assert result.code == support.OK and result.json()["queries"]["compared"] > 5, result
    opensearch.api("POST", "/books/_delete_by_query?refresh=true", {"query": {"match_all": {}}})
    result = verify(shardlift, *arguments)
    told = result.json()["queries"]
    assert result.code == support.ERRORS and told["different"] == told["compared"], result


def bulk(node, actions):
    answer = node.api("POST", "/_bulk?refresh=true",
                      "".join(json.dumps(line) + "\n" for line in actions))
    assert not answer["errors"], answer


def test_only_what_changed_since_a_snapshot_is_looked_for(shardlift, opensearch):
    where = opensearch.repositories / "since"
    opensearch.api("PUT", "/diary", {"settings": {"number_of_shards": 2, "number_of_replicas": 0}})
    opensearch.api("PUT", "/_snapshot/since", {"type": "fs", "settings": {"location": str(where)}})
    bulk(opensearch, [line for i in range(300) for line in (
        {"index": {"_index": "diary", "_id": f"d{i}"}}, {"n": i})])
    opensearch.api("PUT", "/_snapshot/since/one?wait_for_completion=true", {"indices": "diary"})
    bulk(opensearch, [line for i in range(20) for line in (
        {"index": {"_index": "diary", "_id": f"d{i}"}}, {"n": i, "again": True})] + [
        {"delete": {"_index": "diary", "_id": f"d{i}"}} for i in range(30, 35)])
    opensearch.api("PUT", "/_snapshot/since/two?wait_for_completion=true", {"indices": "diary"})
    arguments = ("--from", f"{where}#two", "--to", opensearch.url, "--since-snapshot", "one")
    result = verify(shardlift, *arguments)
    assert result.code == support.OK and result.json()["since_snapshot"] == "one", result
    assert index_of(result, "diary")["source_documents"] >= 20, result
    bulk(opensearch, [
        {"index": {"_index": "diary", "_id": "d3"}}, {"n": 3, "again": False},
        {"delete": {"_index": "diary", "_id": "d4"}},
        {"index": {"_index": "diary", "_id": "d31"}}, {"n": 31}])
    result = verify(shardlift, *arguments)
    assert result.code == support.ERRORS, result
    assert differences(result, "diary") == {("changed", "d3"), ("missing", "d4"), ("extra", "d31")}
    assert {d.get("paths") for d in index_of(result, "diary")["differences"]} == {None, "again"}
    result = shardlift("verify", *arguments, "--settle", "1s")
    assert result.code == support.USAGE, result
    result = verify(shardlift, "--from", f"{where}#two", "--to", opensearch.url, "--settle", "1s",
                    "--only", "documents")
    assert result.code == support.ERRORS and result.json()["settle_ms"] == 1000, result
    assert differences(result, "diary") == {("changed", "d3"), ("missing", "d4"), ("extra", "d31")}


def test_what_a_target_made_ids_for_is_compared_without_them(shardlift, repository, opensearch):
    source = f"{repository('es-7.10.2')}#snap2"
    result = shardlift("migrate", "--from", source, "--to", opensearch.url, "--index-allowlist",
                       "books", "--number-of-replicas", "0", "--server-generated-ids", "always")
    assert result.code in (support.OK, support.ERRORS), result
    arguments = ("--from", source, "--to", opensearch.url, "--index-allowlist", "books",
                 "--only", "documents")
    assert verify(shardlift, *arguments).code == support.ERRORS
    result = verify(shardlift, *arguments, "--ignore-ids")
    assert result.code == support.OK and result.json()["ids_compared"] is False, result
    assert "Ids and routings were not compared" in shardlift("verify", *arguments,
                                                             "--ignore-ids").out


def test_without_the_transformers_nothing_is_called_equal(shardlift, repository, opensearch):
    script = "b => d => { for (const one of d) one.document.set('touched', 1); return d; }"
    config = json.dumps([{"JsonJSTransformerProvider": {"initializationScript": script}}])
    source = f"{repository('es-7.10.2')}#snap2"
    result = shardlift("migrate", "--from", source, "--to", opensearch.url, "--index-allowlist",
                       "books", "--number-of-replicas", "0", "--doc-transformer-config", config)
    assert result.code == support.OK, result
    arguments = ("--from", source, "--to", opensearch.url, "--index-allowlist", "books",
                 "--only", "documents")
    result = verify(shardlift, *arguments)
    assert result.code == support.ERRORS, result
    index = index_of(result, "books")
    assert index["changed"] == index["source_documents"] > 0
    assert verify(shardlift, *arguments, "--doc-transformer-config", config).code == support.OK


def note(text):
    """Into the summary of a long run."""
    if os.environ.get("SHARDLIFT_RESULTS"):
        with open(os.environ["SHARDLIFT_RESULTS"], "a", encoding="utf-8") as out:
            out.write(text + "\n")


def change(node, changed, removed, added):
    bulk(node, [line for i in changed for line in (
        {"update": {"_index": "proof", "_id": f"d{i}", "routing": str(i % 11)}},
        {"doc": {"price": i / 8 + 0.125}})] + [
        {"delete": {"_index": "proof", "_id": f"d{i}", "routing": str(i % 11)}}
        for i in removed] + [line for i in added for line in (
            {"index": {"_index": "proof", "_id": f"new{i}"}}, {"n": i})])


def test_exactly_what_was_changed_after_a_migration_is_named(shardlift, pool, opensearch):
    """20,000 documents; as many as SHARDLIFT_VERIFY_DOCUMENTS says in the long run, which come out
    of an Elasticsearch 7.10."""
    total = int(os.environ.get("SHARDLIFT_VERIFY_DOCUMENTS", "20000"))
    timeout = 120 + total // 1000
    node = opensearch if total == 20000 else pool.get("es-node", "7.10")
    where = node.repositories / f"proof-{total}"
    node.api("PUT", "/proof", {"settings": {"number_of_shards": 3, "number_of_replicas": 0}})
    for start in range(0, total, 5000):
        bulk(node, [line for i in range(start, min(start + 5000, total)) for line in (
            {"index": {"_index": "proof", "_id": f"d{i}", "routing": str(i % 11)}},
            {"n": i, "price": i / 8, "tags": ["a", "b"], "text": f"document {i} " + "x" * (i % 90)})])
    node.api("PUT", "/_snapshot/proof", {"type": "fs", "settings": {"location": str(where)}})
    node.api("PUT", "/_snapshot/proof/all?wait_for_completion=true", {"indices": "proof"})
    node.api("DELETE", "/proof")
    began = time.monotonic()
    result = shardlift("migrate", "--from", f"{where}#all", "--to", opensearch.url, timeout=timeout)
    assert result.code == support.OK, result
    note(f"- {total:,} documents of Elasticsearch 7.10 migrated to OpenSearch 2.19 in "
         f"{time.monotonic() - began:.1f} s")
    arguments = ("--from", f"{where}#all", "--to", opensearch.url, "--max-named", "10000")
    began = time.monotonic()
    result = verify(shardlift, *arguments, timeout=timeout)
    assert result.code == support.OK, result
    assert index_of(result, "proof")["target_documents"] == total
    note(f"  - verified in {time.monotonic() - began:.1f} s: equal")

    expected, free = set(), iter(range(0, total, 5))
    for count in (1, 10, 1000):
        changed, removed, added = ([next(free) for _ in range(count)] for _ in range(3))
        change(opensearch, changed, removed, added)
        expected |= {("changed", f"d{i}") for i in changed}
        expected |= {("missing", f"d{i}") for i in removed}
        expected |= {("extra", f"new{i}") for i in added}
        began = time.monotonic()
        result = verify(shardlift, *arguments, timeout=timeout)
        assert result.code == support.ERRORS, result
        index = index_of(result, "proof")
        assert differences(result, "proof") == expected
        assert (index["missing"], index["extra"], index["changed"], index["doubled"]) == \
            (len(expected) // 3,) * 3 + (0,)
        assert not index["counted_in_part"]
        assert {d.get("paths") for d in index["differences"] if d["kind"] == "changed"} == {"price"}
        note(f"  - {count:,} each changed, removed and added, {len(expected):,} differences in all: "
             f"exactly these named, in {time.monotonic() - began:.1f} s")

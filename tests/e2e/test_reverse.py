"""From OpenSearch back to Elasticsearch 8, read by Elasticsearch's own client, in an environment of its own: its
name is that of clients for other versions."""

import json
import os
import subprocess
import sys
import venv

import pytest

import support

EVERY = bool(os.environ.get("SHARDLIFT_EVERY_NODE"))
CLIENT = "elasticsearch==8.19.0"
READ = """
import json, sys
from elasticsearch import Elasticsearch, helpers
es = Elasticsearch(sys.argv[1])
index = sys.argv[2]
hits = [[h["_id"], h.get("_routing"), h["_source"]]
        for h in helpers.scan(es, index=index, query={"query": {"match_all": {}}})]
print(json.dumps({"hits": sorted(hits), "total": es.count(index=index)["count"],
                  "mapping": es.indices.get_mapping(index=index).body[index]["mappings"],
                  "settings": es.indices.get_settings(index=index).body[index]["settings"],
                  "found": es.search(index=index, query={"term": {"labels.team": "red"}},
                                     track_total_hits=True)["hits"]["total"]["value"]}))
"""
MAPPING = {"properties": {
    "n": {"type": "integer"}, "name": {"type": "keyword"}, "at": {"type": "date"},
    "where": {"type": "geo_point"}, "labels": {"type": "flat_object"},
    "parts": {"type": "nested", "properties": {"size": {"type": "long"}}}}}


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """client(url, index): what elasticsearch-py 8 reads of it."""
    folder = tmp_path_factory.mktemp("elasticsearch-py")
    venv.create(folder, with_pip=True)
    subprocess.run([folder / "bin" / "pip", "install", "--quiet", CLIENT], check=True,
                   stdout=sys.stderr)

    def read(url, index):
        run = subprocess.run([folder / "bin" / "python", "-c", READ, url, index], check=True,
                             capture_output=True, timeout=300)
        return json.loads(run.stdout)

    return read


@pytest.mark.skipif(not EVERY, reason="of the long run")
def test_plain_mappings_of_opensearch_come_to_elasticsearch_8(shardlift, pool, client):
    source, target = pool.get("os-node", "2.19"), pool.get("es-node", "8.19")
    source.clear()
    target.clear()
    source.api("PUT", "/things", {"mappings": MAPPING, "settings": {
        "number_of_shards": 2, "number_of_replicas": 0, "refresh_interval": "7s"}})
    documents, lines = [], []
    for n in range(200):
        document = {"n": n, "name": f"it is {n}", "at": "2026-01-02T03:04:05Z",
                    "where": {"lat": 1.5, "lon": n % 90}, "parts": [{"size": n}, {"size": 2 ** 40}],
                    "labels": {"team": "red" if n % 4 == 0 else "blue", "deep": {"x": "y"}}}
        routing = f"r{n % 5}" if n % 7 == 0 else None
        documents.append([f"id-{n}", routing, document])
        action = {"_index": "things", "_id": f"id-{n}", **({"routing": routing} if routing else {})}
        lines += [json.dumps({"index": action}), json.dumps(document)]
    answer = source.api("POST", "/_bulk?refresh=true", "\n".join(lines) + "\n")
    assert not answer["errors"], answer

    result = shardlift("copy", "--from", source.url, "--to", target.url, "--include", "things",
                       "--json")
    assert result.code == support.OK, result
    got = client(target.url, "things")
    assert got["hits"] == sorted(documents) and got["total"] == 200
    types = {name: field["type"] for name, field in got["mapping"]["properties"].items()
             if "type" in field}
    assert types == {"n": "integer", "name": "keyword", "at": "date", "where": "geo_point",
                     "labels": "flattened", "parts": "nested"}, got["mapping"]
    assert got["found"] == 50
    assert got["settings"]["index"]["number_of_shards"] == "2"
    assert got["settings"]["index"]["refresh_interval"] == "7s"
    verified = shardlift("verify", "--from", source.url, "--to", target.url,
                         "--index-allowlist", "things", "--json")
    assert verified.code == support.OK, verified

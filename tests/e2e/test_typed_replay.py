"""A client of Elasticsearch 5.6, whose requests have types, is recorded, and replayed without types into
OpenSearch: each type in an index of its own ends with the same documents and versions."""

import http.client
import json
import random
import signal
import threading

from capture_support import CEILING, proxy
from support import OK
from zero_support import LONG, SEED, STOPPED, Command, catch_up, killer, load

SECONDS = 60 if LONG else 0  # 0: until all requests are sent
REQUESTS = () if LONG else ("--requests", "400")
TYPES = {"TypeMappingSanitizationTransformerProvider": {
    "sourceProperties": {"version": {"major": 5, "minor": 6}},
    "regexMappings": [{"sourceIndexPattern": "(.+)", "sourceTypePattern": "(.+)",
                       "targetIndexPattern": "$1_$2"}]}}
SCRIPT = {"script": {"source": "ctx._source.touched = true", "lang": "painless"}}


def by_query(port, calls):
    """One client, one connection: what it finds is what it had refreshed before."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=CEILING)
    for path, body in calls:
        client.request("POST", path, body and json.dumps(body), {"Content-Type": "application/json"})
        answer = client.getresponse()
        text = answer.read()
        assert answer.status == 200, (path, answer.status, text)
    client.close()


def documents(node, key):
    hits = node.client.search(index="load-*", version=True, size=10000)["hits"]["hits"]
    return {(key(h), h["_id"]): (str(h["_version"]), h["_source"]) for h in hits}


def test_typed_requests_are_replayed_without_types(shardlift, tmp_path, pool, opensearch):
    print(f"SHARDLIFT_SEED={SEED}")
    chance, stop, killers = random.Random(SEED), threading.Event(), []
    source = pool.get("es-node", "5.6")
    source.clear()
    for index in "load-0", "load-1":
        source.api("PUT", f"/{index}", {"settings": {"gc_deletes": "1d", "number_of_replicas": 0,
                                                     "number_of_shards": 1}})
    with proxy(shardlift, source.url, name="zero") as through:
        replay = Command(shardlift, "replay", "--input", shardlift.state_dir / "capture" / "zero",
                         "--group", "zero", "--follow", "--source-versions", "--speedup-factor",
                         "1000", "--target-uri", opensearch.url, "--transformer-config",
                         json.dumps(TYPES))
        try:
            if LONG:
                killers = [killer([replay], chance, stop)]
            with load(tmp_path, through.port, SEED, SECONDS, "--types", "item,part",
                      *REQUESTS) as (clients, _):
                out, _ = clients.communicate(timeout=SECONDS + 2 * CEILING)
            stop.set()
            for one in killers:
                one.join()
            assert json.loads(out)["failed"] == 0, out
            # By-query requests come after all else, so that both ends have refreshed the same.
            catch_up(replay)
            by_query(through.port, [
                ("/load-*/_refresh", None),
                ("/load-0/item/_update_by_query?refresh=true",
                 {"query": {"range": {"group": {"lt": 25}}}, **SCRIPT}),
                ("/load-0,load-1/part/_delete_by_query?refresh=true",
                 {"query": {"range": {"count": {"gte": 500}}}})])
            catch_up(replay)
            replay.process.send_signal(signal.SIGTERM)
            assert replay.process.wait(CEILING) == STOPPED, replay.said()
            print("kills:", replay.kills, replay.said()[-1500:])
        finally:
            stop.set()
            for one in killers:
                one.join()
            replay.end()
    for node in source, opensearch:
        node.api("POST", "/load-*/_refresh")
    here = documents(source, lambda hit: f"{hit['_index']}_{hit['_type']}")
    there = documents(opensearch, lambda hit: hit["_index"])
    different = [[*key, here.get(key), there.get(key)] for key in sorted(here.keys() | there.keys())
                 if here.get(key) != there.get(key)]
    (tmp_path / "different.json").write_text(json.dumps(different, indent=1))
    assert not different, (len(different), different[:5])
    assert {index for index, _ in here} == {f"load-{n}_{t}" for n in "01" for t in ("item", "part")}
    assert any("touched" in kept for _, kept in here.values())
    result = shardlift("verify", "--from", source.url, "--to", opensearch.url, "--index-allowlist",
                       "load-0,load-1", "--only", "documents", "--doc-transformer-config",
                       json.dumps(TYPES), "--json")
    assert result.code == OK, result

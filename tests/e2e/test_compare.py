"""Verdicts on recorded answers: shardlift compare."""

import copy
import gzip
import http.server
import json
import random
import threading

import pytest

from support import ERRORS as DIFFERENT, FIXTURES, OK, SOURCE, USAGE

SAMPLES = FIXTURES / "traffic" / "tuples-basic.jsonl"

PLANTED = ["status", "missing hit", "extra hit", "document field", "score", "total of hits",
           "bulk item status", "bulk item error type", "missing bucket", "aggregation value",
           "missing field", "no target response"]


def message(body, status=200, ms=5):
    return {"Content-Type": ["application/json"], "HTTP-Version": "HTTP/1.1",
            "Status-Code": status, "Reason-Phrase": "OK", "response_time_ms": ms,
            "payload": {"inlinedJsonBody": body}}


def request(method, uri, body=None):
    payload = {"inlinedTextBody": ""} if body is None else {"inlinedJsonBody": body}
    return {"Host": ["x"], "Request-URI": uri, "Method": method, "HTTP-Version": "HTTP/1.1",
            "payload": payload}


def tuple_of(number, asked, source, target):
    return {"sourceRequest": asked, "sourceResponse": source, "targetRequest": asked,
            "targetResponses": [] if target is None else [target], "connectionId": f"c.{number}",
            "numRequests": 1, "numErrors": 0}


def shards(rng):
    return {"total": rng.randint(1, 9), "successful": rng.randint(1, 9), "skipped": 0, "failed": 0}


def search(rng):
    """Hits with ties, and aggregations with buckets of equal counts."""
    hits = [{"_index": "books", "_type": "_doc", "_id": str(i), "_score": 9.0 - i // 3,
             "_source": {"n": i, "took": i, "price": 1.5 * i, "tags": ["a", "b"],
                         "in": {"deep": [1, {"x": i}]}}}
            for i in range(9)]
    return {"took": rng.randint(1, 99), "timed_out": False, "_shards": shards(rng),
            "hits": {"total": {"value": 57, "relation": "eq"}, "max_score": 9.0, "hits": hits},
            "aggregations": {
                "authors": {"doc_count_error_upper_bound": 0, "sum_other_doc_count": 3, "buckets": [
                    {"key": name, "doc_count": count, "mean": {"value": 1.25 * count}}
                    for name, count in (("le guin", 7), ("lem", 5), ("banks", 5), ("vinge", 2))]},
                "sum": {"value": 1234.5}}}


def bulk(rng):
    items = []
    for i in range(5):
        item = {"_index": "books", "_type": "_doc", "_id": str(i), "_version": 1,
                "_seq_no": rng.randint(0, 10 ** 6), "_primary_term": rng.randint(1, 9),
                "_shards": shards(rng), "status": 201, "result": "created"}
        items.append({"index": item})
    for i in (5, 6):
        items.append({"create": {
            "_index": "books", "_id": str(i), "status": 409, "error": {
                "type": "version_conflict_engine_exception",
                "reason": f"[{i}]: seqNo [{rng.randint(1, 9)}]"}}})
    return {"took": rng.randint(1, 99), "errors": True, "items": items}


def document(rng):
    return {"_index": "books", "_type": "_doc", "_id": "7", "_version": 3,
            "_seq_no": rng.randint(0, 10 ** 6), "_primary_term": rng.randint(1, 9), "found": True,
            "_source": {"title": "Solaris", "year": 1961}}


def vary(body, rng):
    """The same answer of another cluster: what may differ does."""
    if "hits" in body:
        hits = body["hits"]["hits"]
        for first in (0, 3, 6):
            group = hits[first:first + 3]
            rng.shuffle(group)
            hits[first:first + 3] = group
        for hit in hits:
            del hit["_type"]
            hit["_score"] *= 1 + rng.uniform(-2e-5, 2e-5)
        body["hits"]["max_score"] = hits[0]["_score"]
        buckets = body["aggregations"]["authors"]["buckets"]
        if rng.random() < 0.5:
            buckets[1], buckets[2] = buckets[2], buckets[1]
        body["aggregations"]["authors"]["doc_count_error_upper_bound"] = rng.randint(0, 3)
        body["aggregations"]["sum"]["value"] *= 1 + rng.choice((0, 1e-15, -1e-15))
    return body


def plant(kind, body, rng):
    """Changes the target's answer; returns the path that must be named."""
    if kind in ("missing hit", "extra hit", "document field", "score"):
        hits = body["hits"]["hits"]
        n = rng.randrange(9)
        at = next(i for i, hit in enumerate(hits) if hit["_id"] == str(n))
        if kind == "missing hit":
            del hits[at]
            return f"hits.hits[{n}]"
        if kind == "extra hit":
            extra = copy.deepcopy(hits[at])
            extra["_id"] = "new"
            hits.insert(at, extra)
            return f"hits.hits[{at}]"
        if kind == "document field":
            change = rng.randrange(4)
            if change == 0:
                hits[at]["_source"]["took"] += 1
                return f"hits.hits[{n}]._source.took"
            if change == 1:
                hits[at]["_source"]["in"]["deep"][1]["x"] = "other"
                return f"hits.hits[{n}]._source.in.deep[1].x"
            if change == 2:
                del hits[at]["_source"]["price"]
                return f"hits.hits[{n}]._source.price"
            hits[at]["_source"]["added"] = 1
            return f"hits.hits[{n}]._source.added"
        hits[at]["_score"] *= 1.001
        return f"hits.hits[{n}]._score"
    if kind == "total of hits":
        body["hits"]["total"]["value"] += rng.choice((1, -1))
        return "hits.total"
    buckets = body.get("aggregations", {}).get("authors", {}).get("buckets")
    if kind == "missing bucket":
        names = ["le guin", "lem", "banks", "vinge"]
        gone = buckets.pop(rng.randrange(4))
        return f"aggregations.authors.buckets[{names.index(gone['key'])}]"
    if kind == "aggregation value":
        change = rng.randrange(3)
        if change == 0:
            body["aggregations"]["sum"]["value"] += 0.001
            return "aggregations.sum.value"
        if change == 1:
            body["aggregations"]["authors"]["sum_other_doc_count"] += 1
            return "aggregations.authors.sum_other_doc_count"
        buckets[3]["mean"]["value"] += 0.25
        return "aggregations.authors.buckets[3].mean.value"
    if kind == "bulk item status":
        n = rng.randrange(7)
        (name, item), = body["items"][n].items()
        item["status"] = 500
        return f"items[{n}].{name}.status"
    if kind == "bulk item error type":
        n = rng.choice((5, 6))
        body["items"][n]["create"]["error"]["type"] = "mapper_parsing_exception"
        return f"items[{n}].create.error.type"
    if kind == "missing field":
        name = rng.choice(("_version", "found", "_id"))
        del body[name]
        return name
    raise AssertionError(kind)


def planted_traffic(rng, count, differences):
    """The lines of tuples, and what differs in them by kind: sets of (connection, path)."""
    where = dict(zip(rng.sample(range(count), differences),
                     (PLANTED[i % len(PLANTED)] for i in range(differences))))
    expected = {kind: set() for kind in PLANTED}
    lines = []
    for number in range(count):
        kind = where.get(number)
        makers = {"bulk": (bulk, request("POST", "/_bulk", [])),
                  "search": (search, request("POST", f"/books-{number % 9}/_search", {})),
                  "document": (document, request("GET", f"/books/_doc/{number}"))}
        chosen = rng.choice(tuple(makers))
        if kind is not None and kind not in ("status", "no target response"):
            chosen = "bulk" if "bulk" in kind else \
                "document" if kind == "missing field" else "search"
        make, asked = makers[chosen]
        source = make(rng)
        target = vary(make(rng), rng)
        status, path = 200, ""
        if kind == "status":
            status = rng.choice((201, 404, 503))
        elif kind is not None and kind != "no target response":
            path = plant(kind, target, rng)
        if kind is not None:
            expected[kind].add((f"c.{number}", path))
        answer = None if kind == "no target response" else message(target, status,
                                                                   rng.randint(1, 30))
        lines.append(json.dumps(tuple_of(number, asked, message(source, 200, rng.randint(1, 30)),
                                         answer)))
    return lines, expected


def test_a_planted_difference_is_found_and_nothing_else(shardlift, tmp_path):
    seed = 12
    print("seed", seed)
    lines, expected = planted_traffic(random.Random(seed), 20000, 1000)
    path = tmp_path / "tuples.log.gz"
    path.write_bytes(gzip.compress(("\n".join(lines) + "\n").encode(), 1))
    result = shardlift("compare", "--tuples", path, "--json", "--max-named", "1000",
                       "--report", f"html={tmp_path / 'page.html'}")
    assert result.code == DIFFERENT, result.err
    report = json.loads(result.out)
    assert (report["requests"], report["compared"], report["different"]) == (20000, 20000, 1000)
    found = {kind["kind"]: {(example["connectionId"], example["path"])
                            for example in kind["examples"]}
             for kind in report["differences"]}
    assert found == expected
    assert sum(kind["differences"] for kind in report["differences"]) == 1000
    assert {row["endpoint"] for row in report["endpoints"]} == \
        {"POST /_bulk", "POST /INDEX/_search", "GET /INDEX/_doc/ID"}
    page = (tmp_path / "page.html").read_text()
    assert "<svg" in page and "<script" not in page and "://" not in page


def write(path, *tuples):
    path.write_text("".join(json.dumps(one) + "\n" for one in tuples))
    return path


def test_the_java_replayers_own_tuples_are_equal(shardlift):
    result = shardlift("compare", "--tuples", SAMPLES, "--json")
    assert result.code == OK, result.out + result.err
    report = json.loads(result.out)
    assert (report["compared"], report["different"]) == (3, 0)
    endpoint = {row["endpoint"]: row for row in report["endpoints"]}["POST /INDEX/_doc"]
    assert endpoint["statuses"] == [{"source": 200, "target": 200, "count": 1}]
    assert endpoint["latency"]["source_ms"]["p50"] == pytest.approx(20, rel=0.01)


def test_damaged_lines_are_counted_and_named(shardlift, tmp_path):
    path = tmp_path / "tuples.log"
    path.write_text(SAMPLES.read_text() + '{"sourceRequest":\n\n[1]\n' + SAMPLES.read_text())
    result = shardlift("compare", "--tuples", path)
    assert result.code == SOURCE
    assert "could not be read: 2" in result.out
    assert "'%s' line 4 is no tuple" % path in result.out
    assert "'%s' line 6 is no tuple" % path in result.out
    cut = tmp_path / "cut.log.gz"
    cut.write_bytes(gzip.compress(SAMPLES.read_bytes() * 50)[:-20])
    result = shardlift("compare", "--tuples", cut)
    assert result.code == SOURCE and "is it truncated?" in result.out


def test_folders_are_read_to_the_bottom(shardlift, tmp_path):
    deep = tmp_path / "2026" / "11"
    deep.mkdir(parents=True)
    (deep / "tuples-0.log.gz").write_bytes(gzip.compress(SAMPLES.read_bytes()))
    (deep / ".tuples-1.log.gz.part").write_bytes(b"not yet")
    (tmp_path / "tuples-1.log").write_bytes(SAMPLES.read_bytes())
    report = json.loads(shardlift("compare", "--tuples", tmp_path, "--json").out)
    assert (report["files"], report["requests"], report["damaged_lines"]) == (2, 6, 0)


def test_places_can_be_ignored(shardlift, tmp_path):
    source = {"a": {"uuid": 1, "x": 1.0}, "list": [{"at": 1}, {"at": 2}]}
    target = {"a": {"uuid": 2, "x": 1}, "list": [{"at": 3}, {"at": 4}]}
    path = write(tmp_path / "t", tuple_of(1, request("GET", "/"), message(source),
                                          message(target)))
    assert shardlift("compare", "--tuples", path).code == DIFFERENT
    assert shardlift("compare", "--tuples", path, "--ignore", "**.uuid").code == DIFFERENT
    assert shardlift("compare", "--tuples", path, "--ignore", "**.uuid",
                     "--ignore", "list[*].at").code == OK


def test_limits_of_latency_and_errors(shardlift, tmp_path):
    asked = request("GET", "/i/_doc/1")
    path = write(tmp_path / "t", *(tuple_of(i, asked, message({}, ms=10), message({}, ms=15))
                                   for i in range(200)))
    assert shardlift("compare", "--tuples", path).code == OK
    assert shardlift("compare", "--tuples", path, "--max-p99-ratio", "1.6").code == OK
    result = shardlift("compare", "--tuples", path, "--max-p99-ratio", "1.4")
    assert result.code == DIFFERENT
    assert "the p99 of GET /INDEX/_doc/ID is 1.50 times the source's" in result.out
    path = write(tmp_path / "t", *(tuple_of(i, asked, message({}), message({"a": i} if i else {}))
                                   for i in range(2)))
    assert shardlift("compare", "--tuples", path, "--max-mismatch", "50%").code == OK
    assert shardlift("compare", "--tuples", path, "--max-mismatch", "49.9%").code == DIFFERENT
    path = write(tmp_path / "t", tuple_of(1, asked, message({}), message({}, 503)))
    assert shardlift("compare", "--tuples", path, "--max-mismatch", "100%").code == OK
    assert shardlift("compare", "--tuples", path, "--max-mismatch", "100%",
                     "--max-errors", "0").code == DIFFERENT


def test_what_cannot_be_judged_is_refused(shardlift, tmp_path):
    assert shardlift("compare").code == USAGE
    assert shardlift("compare", "--tuples", tmp_path / "none").code == SOURCE
    assert shardlift("compare", "--tuples", tmp_path).code == SOURCE
    assert shardlift("compare", "--tuples", SAMPLES, "--max-mismatch", "many").code == USAGE
    lone = tuple_of(1, request("GET", "/"), None, message({}))
    result = shardlift("compare", "--tuples", write(tmp_path / "t", lone))
    assert result.code == DIFFERENT and "nothing was compared" in result.out
    (tmp_path / "t").write_text("{\n")
    assert shardlift("compare", "--tuples", tmp_path / "t").code == SOURCE


def test_two_targets_are_compared_on_the_same_requests(shardlift, tmp_path):
    asked = request("GET", "/i/_doc/1")
    first = write(tmp_path / "first", *(tuple_of(i, asked, message({"v": 0}), message({"v": i}))
                                        for i in range(6)))
    second = write(tmp_path / "second", *(tuple_of(i, asked, message({"v": 0}),
                                                   message({"v": 9 if i == 3 else i}))
                                          for i in (7, 5, 4, 3, 2, 1)))
    result = shardlift("compare", "--tuples", first, "--against", second, "--json")
    assert result.code == DIFFERENT, result.err
    report = json.loads(result.out)
    assert (report["compared"], report["different"]) == (5, 1)
    assert (report["only_first"], report["only_second"]) == (1, 1)
    (example,) = report["differences"][0]["examples"]
    assert (example["connectionId"], example["path"], example["source"], example["target"]) == \
        ("c.3", "v", "3", "9")


class Answers(http.server.BaseHTTPRequestHandler):
    """An OpenSearch that finds what the test says."""
    protocol_version = "HTTP/1.1"

    def answer(self, body):
        text = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_GET(self):
        self.answer({"version": {"number": "2.19.1", "distribution": "opensearch"}})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, body))
        self.answer(self.server.found(body))

    def log_message(self, *_):
        pass


@pytest.fixture
def cluster():
    servers = []

    def start(found):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        server.asked, server.found = [], found
        server.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever).start()
        servers.append(server)
        return server
    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_queries_are_asked_of_both(shardlift, tmp_path, cluster):
    def hits(count):
        return {"took": 1, "hits": {"total": {"value": count, "relation": "eq"}, "hits": [
            {"_index": "i", "_id": str(i), "_score": 1.0} for i in range(count)]}}
    source = cluster(lambda body: hits(body["size"]))
    target = cluster(lambda body: hits(body["size"] + (body["size"] == 3)))
    queries = tmp_path / "q.ndjson"
    # The last line does without an end.
    queries.write_text("\n".join(json.dumps({"index": "i", "body": {"size": size}})
                                 for size in (1, 2, 3)))
    result = shardlift("compare", "queries", "--file", queries, "--from", source.url,
                       "--to", target.url, "--rounds", "2", "--rate", "1000", "--json")
    assert result.code == DIFFERENT, result.err
    report = json.loads(result.out)
    assert (report["compared"], report["different"]) == (6, 2)
    assert report["latency"]["answers"] == 6
    assert {kind["kind"]: kind["differences"] for kind in report["differences"]} == \
        {"total of hits": 2, "extra hit": 2}
    assert [example["connectionId"] for example in report["differences"][0]["examples"]] == \
        ["query 3, round 1", "query 3, round 2"]
    assert source.asked == target.asked == [("/i/_search", {"size": n}) for n in (1, 2, 3)] * 2
    assert shardlift("compare", "queries", "--file", queries, "--from", source.url,
                     "--to", source.url).code == OK

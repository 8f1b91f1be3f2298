"""shardlift replay: recorded requests to a target, and the tuples of what came of it."""

import base64
import gzip
import http.server
import json
import os
import random
import resource
import signal
import subprocess
import threading

import pytest

from support import ERRORS, FIXTURES, LOCAL_IO, OK, PROGRAM, USAGE
from traffic_writer import Conversation, field, observation

SAMPLES = FIXTURES / "traffic"


class Target:
    """Answers everything as the recorded source did, and remembers what it was asked."""

    def __init__(self):
        self.requests = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                outer.requests.append((self.command, self.path, dict(self.headers), body))
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                                 b"Content-Length: 11\r\n\r\n")
                if self.command != "HEAD":
                    self.wfile.write(b'{"ok":true}')

            do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = answer

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def target():
    target = Target()
    yield target
    target.server.shutdown()
    target.server.server_close()


def tuples_in(folder):
    found = []
    for path in sorted(folder.glob("tuples-*.log.gz")):
        found += [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    return found


def without_times(value):
    if isinstance(value, dict):
        return {k: without_times(v) for k, v in value.items() if k != "response_time_ms"}
    if isinstance(value, list):
        return [without_times(v) for v in value]
    return value


def replay(shardlift, tmp_path, source, url, *flags, code=OK):
    folder = tmp_path / "tuples"
    result = shardlift("replay", "--input", source, "--target-uri", url, "--tuples", folder,
                       "--speedup-factor", "1000000", *flags)
    assert result.code == code, result
    return tuples_in(folder)


def test_the_recorded_conversation_gives_the_tuples_of_the_java_replayer(shardlift, tmp_path,
                                                                         target):
    got = {t["connectionId"]: t for t in replay(shardlift, tmp_path, SAMPLES, target.url)}
    assert len(got) == 5
    for line in (SAMPLES / "tuples-basic.jsonl").read_text().splitlines():
        expected = json.loads(line)
        mine = got[expected["connectionId"]]
        assert without_times(mine) == without_times(expected)
        assert list(mine) == list(expected)
        for part in ("sourceRequest", "sourceResponse", "targetRequest"):
            assert list(mine[part]) == list(expected[part])
        assert mine["sourceResponse"]["response_time_ms"] == \
            pytest.approx(expected["sourceResponse"]["response_time_ms"], abs=1)


def test_expect_is_answered_by_the_final_response(shardlift, tmp_path, target):
    """The Java replayer takes the 100 for the answer, and is off by one from there on."""
    got = replay(shardlift, tmp_path, SAMPLES / "in_A.txt", target.url)
    assert [(t["targetRequest"]["Request-URI"], t["sourceResponse"]["Status-Code"],
             [r["Status-Code"] for r in t["targetResponses"]]) for t in got] == [
        ("/e1/_doc", 200, [200]), ("/after1", 200, [200]), ("/after2", 200, [200])]
    assert target.requests[0][3] == b'{"a":1}'


def test_head_has_no_body(shardlift, tmp_path, target):
    """The Java replayer waits for the body until its timeout."""
    got = replay(shardlift, tmp_path, SAMPLES / "in_B.txt", target.url)
    assert [(t["targetRequest"]["Method"], t["targetResponses"][0]["payload"],
             t["sourceResponse"]["payload"]) for t in got] == [
        ("HEAD", {"inlinedTextBody": ""}, {"inlinedTextBody": ""}),
        ("GET", {"inlinedJsonBody": {"ok": True}}, {"inlinedJsonBody": {"ok": True}})]


def test_a_filter_leaves_the_rest_of_the_connection(shardlift, tmp_path, target):
    got = replay(shardlift, tmp_path, SAMPLES / "in_A.txt", target.url, "--include-path",
                 "after[2]")
    assert [t["connectionId"] for t in got] == ["connA.2"]
    assert [path for _, path, _, _ in target.requests] == ["/after2"]


def test_basic_authentication_is_sent_and_not_written_down(shardlift, tmp_path, target):
    got = replay(shardlift, tmp_path, SAMPLES / "in_B.txt", target.url, "--target-username", "u",
                 "--target-password", "p")
    assert {headers["Authorization"] for _, _, headers, _ in target.requests} == {"Basic dTpw"}
    assert {t["targetRequest"]["Authorization"][0] for t in got} == {"REDACTED"}


def test_a_group_goes_on_where_it_ended(shardlift, tmp_path, target):
    log = tmp_path / "log"
    assert shardlift("traffic", "import", SAMPLES, log).code == OK
    assert len(replay(shardlift, tmp_path, log, target.url, "--group", "r")) == 5
    assert len(target.requests) == 5
    replay(shardlift, tmp_path, log, target.url, "--group", "r")
    assert len(target.requests) == 5
    status = json.loads((shardlift.state_dir / "run" / "replay.status").read_text())
    assert (status["state"], status["lag"]) == ("done", 0)


def little_room():
    """8 KiB a file: one that would be longer finds its disk full."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


def one_conversation(path, request, answer):
    """A file of one record: a connection with that request and answer."""
    ms = 1_700_000_000_000
    record = (field(1, b"c") + field(5, b"node") + observation(ms, 4, field(1, request))
              + observation(ms, 15, b"") + observation(ms, 8, field(1, answer))
              + observation(ms, 11, b"") + field(4, 1))
    path.write_text(base64.b64encode(record).decode() + "\n")
    return path


def test_a_full_disk_for_tuples_commits_nothing(shardlift, tmp_path, target):
    noise = random.Random(1)
    body = "".join(noise.choice("0123456789abcdefghijklmnopqrstuv") for _ in range(100000))
    request = f"POST /a HTTP/1.1\r\nContent-Length: 100000\r\n\r\n{body}"
    lines = one_conversation(tmp_path / "lines", request.encode(),
                             b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    log, tuples = tmp_path / "log", tmp_path / "tuples"
    assert shardlift("traffic", "import", lines, log).code == OK
    result = shardlift("replay", "--input", log, "--group", "r", "--target-uri", target.url,
                       "--tuples", tuples, preexec_fn=little_room)
    assert result.code == LOCAL_IO, result
    assert f"writing tuples to '{tuples}'; nothing more is committed until there is room" \
        in result.err
    for path in tuples.iterdir():
        path.unlink()
    # With room it is replayed, since it was not committed.
    assert [t["connectionId"] for t in replay(shardlift, tmp_path, log, target.url, "--group", "r")] \
        == ["c.0"]
    assert len(target.requests) == 2


def test_the_verdict_comes_with_the_replay(shardlift, tmp_path, target):
    page = tmp_path / "verdict.html"
    lines = one_conversation(tmp_path / "lines", b"GET /a/_search HTTP/1.1\r\n\r\n",
                             b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                             b'Content-Length: 12\r\n\r\n{"ok":false}')
    flags = ["replay", "--input", lines, "--target-uri", target.url, "--speedup-factor", "1e6",
             "--compare", "--report", f"html={page}"]
    result = shardlift(*flags, "--tuples", tmp_path / "tuples")
    assert result.code == ERRORS, result
    # As of the tuples afterwards, but for times: those are of the same span here.
    told = shardlift("compare", "--tuples", tmp_path / "tuples")
    assert told.code == ERRORS
    assert "TO THE FIRST BYTE" in result.out and "TO THE FIRST BYTE" not in told.out
    assert "--tuple-latency-spans" in told.out and "--tuple-latency-spans" not in result.out
    for verdict in told.out, result.out:
        assert "1 of 1 compared answers differ" in verdict, (result, told)
    (line,) = tuples_in(tmp_path / "tuples")
    assert "last_byte_ms" not in line["sourceResponse"], line
    assert "<svg" in page.read_text()
    assert shardlift(*flags, "--no-tuples", "--max-mismatch", "100%").code == OK
    assert shardlift(*flags, "--max-mismatch", "much").code == USAGE


def test_dump_modes_show_records(shardlift):
    shown = shardlift("traffic", "show", SAMPLES, "--mode", "http").out
    assert shardlift("replay", "--mode", "dump-http", "--input", SAMPLES).out == shown


def write_documents(talk, rounds, seed):
    """Writes of every kind by crossing connections; some are refused by the source."""
    chance = random.Random(seed)
    print("seed", seed)
    for round_number in range(rounds):
        c = chance.randrange(4)
        doc = f"d{chance.randrange(6)}"
        kind = chance.choice(["put", "auto", "update", "upsert", "script", "delete", "create",
                              "bulk", "read"])
        if kind == "put":
            talk.request(c, "PUT", f"/books/_doc/{doc}", {"n": round_number})
        elif kind == "auto":
            assert talk.request(c, "POST", "/books/_doc", {"auto": round_number})[0] == 201
        elif kind == "update":
            talk.request(c, "POST", f"/books/_update/{doc}", {"doc": {"u": round_number}})
        elif kind == "upsert":
            talk.request(c, "POST", f"/books/_update/{doc}",
                         {"doc": {"u": round_number}, "doc_as_upsert": True})
        elif kind == "script":
            talk.request(c, "POST", f"/books/_update/{doc}",
                         {"script": "ctx._source.c = (ctx._source.c == null ? 0 : ctx._source.c) + 1"})
        elif kind == "delete":
            talk.request(c, "DELETE", f"/books/_doc/{doc}")
        elif kind == "create":
            talk.request(c, "PUT", f"/books/_create/{doc}", {"created": round_number})
        elif kind == "read":
            talk.request(c, "GET", f"/books/_doc/{doc}")
        else:
            other = f"d{chance.randrange(6)}"
            talk.request(c, "POST", "/_bulk?refresh=false", [
                {"index": {"_index": "books", "_id": doc}}, {"b": round_number},
                {"update": {"_index": "books", "_id": doc}}, {"doc": {"bu": round_number}},
                {"create": {"_index": "books"}}, {"bulk_auto": round_number},
                {"create": {"_index": "books", "_id": other}}, {"bulk_created": round_number},
                {"delete": {"_index": "books", "_id": other}}])


def documents_and_versions(node, index="books"):
    node.client.indices.refresh(index=index)
    found = node.client.search(index=index, size=10000, version=True)
    return {h["_id"]: (int(h["_version"]), h["_source"]) for h in found["hits"]["hits"]}


@pytest.fixture
def recorded(opensearch, tmp_path):
    """A log of writes to the node, which is empty again; and what was in it."""
    talk = Conversation(opensearch.url, 4)
    write_documents(talk, 150, seed=20261122)
    expected = documents_and_versions(opensearch)
    talk.close()
    opensearch.clear()
    return talk.write(tmp_path / "recorded"), expected


@pytest.mark.skipif(not os.environ.get("SHARDLIFT_LONG"), reason="takes its time")
def test_a_log_replayed_twice_duplicates_nothing(shardlift, tmp_path, opensearch, recorded):
    path, expected = recorded
    replay(shardlift, tmp_path, path, opensearch.url, "--source-versions")
    assert documents_and_versions(opensearch) == expected
    replay(shardlift, tmp_path, path, opensearch.url, "--source-versions")
    assert documents_and_versions(opensearch) == expected


@pytest.mark.skipif(not os.environ.get("SHARDLIFT_LONG"), reason="takes its time")
def test_a_killed_replay_goes_on_to_the_same_documents(shardlift, tmp_path, opensearch, recorded):
    path, expected = recorded
    log = tmp_path / "log"
    assert shardlift("traffic", "import", path, log).code == OK
    # Ten milliseconds a request: killed by what has arrived, not by the clock.
    process = subprocess.Popen(
        [str(PROGRAM), "replay", "--input", str(log), "--group", "r", "--target-uri",
         opensearch.url, "--source-versions", "--speedup-factor", "0.1", "--tuples",
         str(tmp_path / "tuples")], env=shardlift.environment, stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL)
    while process.poll() is None:
        if opensearch.client.indices.exists(index="books"):
            opensearch.client.indices.refresh(index="books")
            if int(opensearch.client.count(index="books")["count"]) >= 10:
                break
    if process.poll() is None:
        os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert shardlift("replay", "--input", log, "--group", "r", "--target-uri", opensearch.url,
                     "--source-versions", "--speedup-factor", "1000000").code == OK
    assert documents_and_versions(opensearch) == expected


def test_tuples_pass_through_their_transformers(shardlift, tmp_path, target):
    script = {"script": "{id: connectionId, status: sourceResponse.\"Status-Code\"}"}
    got = replay(shardlift, tmp_path, SAMPLES / "in_B.txt", target.url,
                 "--tuple-transformer-config",
                 json.dumps([{"JsonJMESPathTransformerProvider": script}]))
    assert [set(t) for t in got] == [{"id", "status"}] * 2, got
    assert {t["status"] for t in got} == {200}


def test_latencies_of_both_sides_are_over_the_same_span(shardlift, tmp_path, target):
    got = replay(shardlift, tmp_path, SAMPLES / "in_B.txt", target.url, "--tuple-latency-spans",
                 "--max-requests-per-second", "100")
    for one in got:
        for response in (one["sourceResponse"], one["targetResponses"][0]):
            assert 0 <= response["first_byte_ms"] <= response["last_byte_ms"]
    verdict = json.loads(shardlift("compare", "--tuples", tmp_path / "tuples", "--json").out)
    assert verdict["same_span"] == verdict["latency"]["answers"] == len(got)
    assert verdict["latency"]["first_byte"]["answers"] == len(got)

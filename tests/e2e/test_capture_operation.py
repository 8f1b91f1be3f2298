"""`shardlift capture` in the hands of those who run it: holds that expire, gaps, the access log."""

import json
import signal
import socket

from capture_support import Stub, finish, proxy, response, sent, wait_for
from test_capture import post, stub  # pylint: disable=unused-import


def test_a_hold_that_expired_is_not_switched(shardlift, stub):
    with Stub() as target, proxy(shardlift, stub.url, "--hold-limit", "100ms") as one:
        one.control("hold")
        wait_for(lambda: one.control("status")["lastHold"] == "timed-out", "the hold to expire")
        refused = one.control("switch", target.url)
        assert refused["ok"] is False and "ended by itself" in refused["error"]
        client = one.connect()
        client.sendall(post("/i/_doc", b"{}"))
        assert response(client).startswith(b"HTTP/1.1 200 ")
        client.close()
        assert one.control("status")["destination"] == stub.url
        assert target.targets() == []


def test_a_gap_is_marked_where_the_records_are(shardlift, stub, tmp_path):
    trace = tmp_path / "trace"
    with proxy(shardlift, stub.url, "--trace-directory", trace,
               "--on-capture-failure", "forward") as one:
        trace.rmdir()
        client = one.connect()
        client.sendall(post("/i/_doc", b"{}"))
        assert response(client).startswith(b"HTTP/1.1 200 ")
        client.close()
        trace.mkdir()
        wait_for(lambda: list(trace.glob("*_1.protocap")), "the mark")
    shown = shardlift("traffic", "show", trace)
    assert "shardlift gap: 1 went to the source without a record" in shown.out, shown.out
    assert one.log.count("went on without a record") == 1


def test_each_request_is_a_line_of_the_access_log(shardlift, stub, tmp_path):
    path = tmp_path / "access.log"

    def lines(file=path):
        return [json.loads(line) for line in file.read_text().splitlines()]

    with proxy(shardlift, stub.url, "--access-log", path) as one:
        client = one.connect()
        said = post("/i/_doc?api_key=secret", b"{}", "Authorization: Basic c2VjcmV0")
        client.sendall(said)
        heard = response(client)
        client.sendall(b"GET http://user:secret@x/_cat?v HTTP/1.1\r\nHost: x\r\n\r\n")
        response(client)
        wait_for(lambda: len(lines()) == 2, "two lines")
        path.rename(tmp_path / "old.log")
        one.process.send_signal(signal.SIGHUP)
        wait_for(path.exists, "the file anew")
        client.sendall(b"GET /after HTTP/1.1\r\nHost: x\r\n\r\n")
        response(client)
        finish(client)
        wait_for(lambda: len(lines()) == 1, "a line")
    first, second = lines(tmp_path / "old.log")
    host, port = client_name = first["client"].rsplit(":", 1)
    assert client_name == [host, port] and host == "127.0.0.1"
    assert (first["method"], first["path"], first["status"]) == ("POST", "/i/_doc", 200)
    assert (first["requestBytes"], first["bytes"]) == (len(said), len(heard))
    assert first["heldMs"] > 0 and first["totalMs"] >= first["sourceMs"]
    assert (second["method"], second["path"], second["heldMs"]) == ("GET", "/_cat", 0)
    assert lines()[0]["path"] == "/after"
    assert "secret" not in (tmp_path / "old.log").read_text()


def test_a_client_that_sends_no_more_has_its_answers(shardlift, stub):
    messages = [post(f"/{number}", b"x" * number) for number in range(5)]
    with proxy(shardlift, stub.url) as one:
        client = one.connect()
        client.sendall(b"".join(messages))
        client.shutdown(socket.SHUT_WR)
        heard = b""
        while more := client.recv(65536):
            heard += more
        client.close()
    assert heard.count(b"HTTP/1.1 200 OK") == len(messages)
    (observations,) = one.records().values()
    assert sent(observations, "read") == b"".join(messages)
    assert sent(observations, "write") == heard

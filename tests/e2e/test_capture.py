"""`shardlift capture`: requests go through as they came, and every byte is found again."""

import socket

import pytest

from capture_support import Stub, finish, proxy, receive, response, sent, wait_for


@pytest.fixture
def stub():
    with Stub() as one:
        yield one


def post(target, body, *headers):
    lines = [f"POST {target} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def test_every_byte_is_in_the_record(shardlift, stub):
    with proxy(shardlift, stub.url) as one:
        client = one.connect()
        said, heard = b"", b""
        for message in (b"GET /_cat/indices HTTP/1.1\r\nHost: x\r\n\r\n",
                        post("/i/_doc", b'{"a":1}'),
                        post("/i/_search", b"{}"),
                        post("/i/_bulk", b"x" * 3_000_000)):
            client.sendall(message)
            said += message
            heard += response(client)
        heard += finish(client)
    assert stub.targets() == ["/_cat/indices", "/i/_doc", "/i/_search", "/i/_bulk"]
    (observations,) = one.records().values()
    assert sent(observations, "read") == said
    assert sent(observations, "write") == heard
    assert [kind for kind, _ in observations] == ["read", "eom", "write"] * 4 + ["close"]


def test_pipelined_requests_are_told_apart(shardlift, stub):
    messages = [b"GET /1 HTTP/1.1\r\nHost: x\r\n\r\n", post("/2", b"two"),
                b"HEAD /3 HTTP/1.1\r\nHost: x\r\n\r\n",
                b"POST /4 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                b"3;a=b\r\nabc\r\n0\r\nTrailer: x\r\n\r\n",
                b"GET /5 HTTP/1.1\r\nHost: x\r\n\r\n"]
    with proxy(shardlift, stub.url) as one:
        client = one.connect()
        client.sendall(b"".join(messages))
        heard = finish(client)
    assert stub.targets() == ["/1", "/2", "/3", "/4", "/5"]
    assert heard.count(b"HTTP/1.1 200 OK") == 5
    (observations,) = one.records().values()
    assert [data for kind, data in observations if kind == "read"] == messages
    assert sent(observations, "write") == heard
    assert [kind for kind, _ in observations] == ["read", "eom", "write"] * 5 + ["close"]


def test_a_request_that_expects_a_word_is_one_request(shardlift, stub):
    with proxy(shardlift, stub.url) as one:
        client = one.connect()
        head, body = b"PUT /i/_doc/1 HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n" \
                     b"Content-Length: 5\r\n\r\n", b"hello"
        client.sendall(head)
        heard = receive(client, lambda b: b.endswith(b"\r\n\r\n"))
        assert heard == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(body)
        heard += response(client)
        heard += finish(client)
    (observations,) = one.records().values()
    assert sent(observations, "read") == head + body
    assert sent(observations, "write") == heard
    assert [kind for kind, _ in observations].count("eom") == 1


@pytest.mark.parametrize("message,status", [
    (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
    (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    (b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
    (b"GET / HTTP/1.1\r\nA: b\r\n c: d\r\n\r\n", 400),
    (b"\x16\x03\x01 what is this\r\n\r\n", 400),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    (b"CONNECT x:443 HTTP/1.1\r\n\r\n", 501),
    (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", 431),
    (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
])
def test_what_cannot_be_read_one_way_is_refused(shardlift, stub, message, status):
    with proxy(shardlift, stub.url) as one:
        client = one.connect()
        client.sendall(message)
        assert finish(client).startswith(b"HTTP/1.1 %d " % status)
    assert stub.requests == []


def test_garbage_goes_through_where_the_policy_says_so(shardlift, tmp_path):
    echo = socket.create_server(("127.0.0.1", 0))
    with proxy(shardlift, f"http://127.0.0.1:{echo.getsockname()[1]}",
               "--on-capture-failure", "forward") as one:
        client = one.connect()
        client.sendall(b"\x01\x02 no HTTP\n")
        server, _ = echo.accept()
        assert receive(server, lambda b: b.endswith(b"\n")) == b"\x01\x02 no HTTP\n"
        server.sendall(b"answer")
        assert receive(client, lambda b: len(b) >= 6) == b"answer"
        assert one.control("status")["gaps"] == 1
        client.shutdown(socket.SHUT_WR)
        assert server.recv(1) == b""
        server.close()
        assert receive(client, lambda _: False) == b""
    (observations,) = one.records().values()
    assert sent(observations, "read") == b"\x01\x02 no HTTP\n"
    assert sent(observations, "write") == b"answer"
    echo.close()


def test_a_source_that_is_not_there_is_told(shardlift):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with proxy(shardlift, f"http://127.0.0.1:{taken.getsockname()[1]}") as one:
            client = one.connect()
            client.sendall(post("/i/_doc", b"{}"))
            heard = finish(client)
    assert heard.startswith(b"HTTP/1.1 502 ") and b"Connection refused" in heard
    (observations,) = one.records().values()
    assert sent(observations, "write") == heard


def test_connections_beyond_the_limit_are_told(shardlift, stub):
    with proxy(shardlift, stub.url, "--max-connections", 1) as one:
        first = one.connect()
        first.sendall(b"GET /1 HTTP/1.1\r\nHost: x\r\n\r\n")
        assert response(first).startswith(b"HTTP/1.1 200 ")
        second = one.connect()
        assert finish(second).startswith(b"HTTP/1.1 503 ")
        first.sendall(b"GET /2 HTTP/1.1\r\nHost: x\r\n\r\n")
        assert response(first).startswith(b"HTTP/1.1 200 ")
        first.close()
    assert stub.targets() == ["/1", "/2"]


def test_reads_are_in_the_log_soon(shardlift, stub):
    with proxy(shardlift, stub.url) as one:
        client = one.connect()
        client.sendall(b"GET /soon HTTP/1.1\r\nHost: x\r\n\r\n")
        response(client)
        wait_for(lambda: any(b"/soon" in sent(o, "read") for o in one.records().values()),
                 "the record of a read")
        client.close()


def test_what_is_under_way_is_answered_before_the_end(shardlift):
    import threading
    go = threading.Event()

    def answer(*request):
        go.wait(60)
        return Stub.plain(*request)

    with Stub(answer) as stub, proxy(shardlift, stub.url) as one:
        idle = one.connect()
        client = one.connect()
        message = post("/i/_doc", b"{}")
        client.sendall(message)
        wait_for(stub.targets, "the request to arrive")
        one.process.terminate()
        assert receive(idle, lambda _: False) == b""
        go.set()
        heard = receive(client, lambda _: False)
        assert heard.startswith(b"HTTP/1.1 200 ")
        assert one.process.wait(60) == 0
    said = {sent(o, "read"): sent(o, "write") for o in one.records().values()}
    assert said == {message: heard, b"": b""}

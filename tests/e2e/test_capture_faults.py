"""`shardlift capture` among clients and sources that misbehave."""

import os
import resource
import socket
import struct
import threading

import pytest

from capture_support import Stub, finish, proxy, receive, response, sent, wait_for

GET = b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n"


def reset(client):
    """Closes with a reset instead of an end."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


class Source:
    """Accepts connections; a function in a thread of its own does what it likes with each."""

    def __init__(self, behaviour):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.behaviour = behaviour
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(60)
                try:
                    self.behaviour(connection)
                except OSError:
                    pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()


def take_request(connection):
    return receive(connection, lambda b: b"\r\n\r\n" in b)


@pytest.mark.parametrize("end", [socket.socket.close, reset])
def test_a_client_may_vanish_at_any_byte(shardlift, end):
    message = b"POST /i/_doc HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" \
              b"2\r\n{}\r\n0\r\n\r\n"
    with Stub() as stub, proxy(shardlift, stub.url) as one:
        for length in range(len(message) + 1):
            client = one.connect()
            client.sendall(message[:length])
            end(client)
        wait_for(lambda: one.control("status")["connections"] == 0, "connections to end")
        client = one.connect()
        client.sendall(GET)
        assert response(client).startswith(b"HTTP/1.1 200 ")
        client.close()
    said = [sent(o, "read") for o in one.records().values()]
    assert all(message.startswith(bytes) for bytes in said if bytes != GET)
    assert GET in said


def test_a_source_that_resets_is_told(shardlift):
    def behaviour(connection):
        take_request(connection)
        reset(connection)

    with Source(behaviour) as source, proxy(shardlift, source.url) as one:
        client = one.connect()
        client.sendall(GET)
        assert finish(client).startswith(b"HTTP/1.1 502 ")


def test_half_an_answer_is_no_answer(shardlift):
    half = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf"

    def behaviour(connection):
        take_request(connection)
        connection.sendall(half)

    with Source(behaviour) as source, proxy(shardlift, source.url) as one:
        client = one.connect()
        client.sendall(GET)
        try:
            heard = receive(client, lambda _: False)
        except ConnectionResetError:
            heard = half
        assert half.startswith(heard)
        client.close()
    (observations,) = one.records().values()
    assert sent(observations, "write") == half


def test_an_answer_may_end_with_the_connection(shardlift):
    whole = b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1_000_000

    def behaviour(connection):
        take_request(connection)
        connection.sendall(whole)

    with Source(behaviour) as source, proxy(shardlift, source.url) as one:
        client = one.connect()
        client.sendall(GET)
        assert receive(client, lambda _: False) == whole
        client.close()
    (observations,) = one.records().values()
    assert sent(observations, "write") == whole


@pytest.mark.parametrize("end", [b"connection: close\r\n", b""])
@pytest.mark.parametrize("options", [(), ("--set-header", "X-A:b")])
def test_an_early_answer_comes_through(shardlift, end, options):
    early = b"HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n" + end + b"\r\n"

    def behaviour(connection):
        take_request(connection)
        connection.sendall(early)
        connection.shutdown(socket.SHUT_WR)
        receive(connection, lambda _: False)

    with Source(behaviour) as source, proxy(shardlift, source.url, *options) as one:
        client = one.connect()
        client.sendall(b"POST /i/_bulk HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n{}")
        assert receive(client, lambda _: False) == early
        client.close()


@pytest.mark.parametrize("answer", [
    b"no HTTP at all\r\n\r\n",
    b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n"])
def test_an_answer_that_is_not_understood_is_a_bad_gateway(shardlift, answer):
    def behaviour(connection):
        take_request(connection)
        connection.sendall(answer)
        receive(connection, lambda _: False)

    with Source(behaviour) as source, proxy(shardlift, source.url) as one:
        client = one.connect()
        client.sendall(GET)
        assert finish(client).startswith(b"HTTP/1.1 502 ")


def test_a_client_that_reads_nothing_stops_the_source(shardlift):
    """All of a large answer is not in the proxy: the source cannot get rid of it."""
    size, gone = 200_000_000, threading.Event()
    sent_bytes = [0]

    def behaviour(connection):
        take_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size)
        connection.settimeout(2)  # nothing was taken for this long
        try:
            while sent_bytes[0] < size:
                sent_bytes[0] += connection.send(b"x" * 65536)
        except TimeoutError:
            pass
        gone.set()

    with Source(behaviour) as source, proxy(shardlift, source.url, "--no-capture") as one:
        client = one.connect()
        client.sendall(GET)
        assert gone.wait(60)
        assert sent_bytes[0] < size
        reset(client)


def test_connections_wait_where_no_file_descriptor_is_free(shardlift):
    with Stub() as stub, proxy(shardlift, stub.url) as one:
        pid = one.process.pid
        soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE,
                         (len(os.listdir(f"/proc/{pid}/fd")), hard))
        clients = [one.connect() for _ in range(10)]
        for client in clients:
            client.sendall(GET)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
        for client in clients:
            # Where one was left for the client, but none for the source, it is told so.
            assert response(client).startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 502 "))
            client.close()
        client = one.connect()
        client.sendall(GET)
        assert response(client).startswith(b"HTTP/1.1 200 ")
        client.close()


def test_a_slow_head_is_answered(shardlift):
    with Stub() as stub, proxy(shardlift, stub.url, "--header-timeout", "200ms") as one:
        client = one.connect()
        client.sendall(b"GET / HTTP/1.1\r\n")
        assert receive(client, lambda _: False).startswith(b"HTTP/1.1 408 ")
        client.close()


def test_idle_connections_end(shardlift):
    with Stub() as stub, proxy(shardlift, stub.url, "--idle-timeout", "200ms") as one:
        client = one.connect()
        assert receive(client, lambda _: False) == b""
        client.close()


def test_a_source_that_closed_between_requests_is_asked_anew(shardlift):
    def behaviour(connection):
        take_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

    with Source(behaviour) as source, proxy(shardlift, source.url) as one:
        for _ in range(20):
            client = one.connect()
            client.sendall(GET)
            assert receive(client, lambda _: False).startswith(b"HTTP/1.1 200 ")
            client.close()

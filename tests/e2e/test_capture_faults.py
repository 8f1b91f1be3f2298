"""`shardlift capture` among clients and sources that misbehave."""

import os
import resource
import signal
import socket
import ssl
import struct
import subprocess
import threading

import pytest

from capture_support import Stub, finish, proxy, receive, response, sent, wait_for

GET = b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n"
PUT = b"PUT /i/_doc/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


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


def fill(listener):
    """Connections that nobody accepts, until the system takes no more of them."""
    clients = []
    for _ in range(4):
        clients.append(socket.socket())
        clients[-1].setblocking(False)
        clients[-1].connect_ex(listener.getsockname())
    return clients


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("request_", [GET, PUT], ids=["read", "write"])
def test_a_source_that_does_not_connect_is_told(shardlift, scheme, request_):
    """Its queue is full, or it says nothing to a TLS handshake."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        clients = fill(listener) if scheme == "http" else []
        with proxy(shardlift, f"{scheme}://127.0.0.1:{listener.getsockname()[1]}",
                   "--connect-timeout", "300ms") as one:
            client = one.connect()
            client.sendall(request_)
            heard = finish(client)
            client.close()
        for each in clients:
            each.close()
    assert heard.startswith(b"HTTP/1.1 504 "), heard
    (observations,) = one.records().values()
    assert sent(observations, "write") == heard
    # The source never got it: a write is no request to replay.
    kinds = [kind for kind, _ in observations]
    assert request_ == GET or "dropped" in kinds[kinds.index("eom"):], kinds


@pytest.mark.parametrize("request_", [GET, PUT], ids=["read", "write"])
def test_a_client_may_give_up_a_source_that_stalls(shardlift, request_):
    asked, gone = threading.Event(), threading.Event()

    def behaviour(connection):
        take_request(connection)
        asked.set()
        receive(connection, lambda _: False)
        gone.set()

    with Source(behaviour) as source, proxy(shardlift, source.url) as one:
        client = one.connect()
        client.sendall(request_)
        assert asked.wait(60)
        assert one.control("status")["connections"] == 1
        reset(client)
        wait_for(lambda: one.control("status")["connections"] == 0, "the connection to end")
        assert gone.wait(60)
    (observations,) = one.records().values()
    # The source has all of it, and may have done it.
    assert observations == [("read", request_), ("eom", b""), ("close", b"")]


def test_a_source_that_takes_nothing_stops_the_client(shardlift):
    """All of a large request is not in the proxy, nor in its records."""
    size, taken, over = 200_000_000, [0], threading.Event()

    def behaviour(connection):
        connection.settimeout(None)
        over.wait()

    with Source(behaviour) as source, \
            proxy(shardlift, source.url, "--idle-timeout", "1h") as one:
        client = one.connect()
        try:
            client.sendall(b"POST /i/_bulk HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size)
            client.settimeout(2)  # nothing was taken for this long
            try:
                while taken[0] < size:
                    taken[0] += client.send(b"x" * 65536)
            except TimeoutError:
                pass
            assert taken[0] < size
            reset(client)
            wait_for(lambda: one.control("status")["connections"] == 0, "the connection to end")
        finally:
            over.set()
    (observations,) = one.records().values()
    assert [kind for kind, _ in observations] == ["read", "close"]
    assert len(sent(observations, "read")) < size


def test_a_client_may_vanish_amid_its_answer(shardlift):
    whole = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n" + b"x" * 1_000_000

    def behaviour(connection):
        take_request(connection)
        connection.sendall(whole)
        receive(connection, lambda _: False)

    with Source(behaviour) as source, proxy(shardlift, source.url) as one:
        for length in (1, 10, 1000, 100_000, 900_000):
            client = one.connect()
            client.sendall(GET)
            assert len(receive(client, lambda b, n=length: len(b) >= n)) >= length
            reset(client)
            wait_for(lambda: one.control("status")["connections"] == 0, "the connection to end")
    for observations in one.records().values():
        assert sent(observations, "read") == GET
        assert whole.startswith(sent(observations, "write"))
    assert len(one.records()) == 5


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


def test_a_head_that_comes_byte_by_byte_is_answered(shardlift):
    """Each of its bytes comes in time, all of it does not."""
    with Stub() as stub, proxy(shardlift, stub.url, "--header-timeout", "1s") as one:
        client = one.connect()
        client.sendall(b"GET / HTTP/1.1\r\nA: ")
        answered = threading.Event()

        def drip():
            while not answered.wait(0.01):
                try:
                    client.sendall(b"a")
                except OSError:
                    return

        dripping = threading.Thread(target=drip)
        dripping.start()
        try:
            assert client.recv(65536).startswith(b"HTTP/1.1 408 ")
        finally:
            answered.set()
            dripping.join()
        client.close()
        assert stub.requests == []


def test_a_body_that_does_not_come_ends_its_connection(shardlift):
    """The source does not take it for a whole one, and neither does the record."""
    half = b"POST /i/_doc HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf"
    heard = []

    with Source(lambda c: heard.append(receive(c, lambda _: False))) as source, \
            proxy(shardlift, source.url, "--idle-timeout", "5s") as one:
        client = one.connect()
        client.sendall(half)
        assert receive(client, lambda _: False) == b""
        client.close()
        wait_for(lambda: heard, "the source's connection to end")
    assert half.startswith(heard[0])
    (observations,) = one.records().values()
    assert observations == [("read", half), ("close", b"")]


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


class LeavingSource(Source):
    """Answers a GET, takes so many bytes more, and leaves when it is told; then it serves another
    request."""

    def __init__(self, takes=0, tls=None, other=PUT, resets=False):
        self.takes, self.tls, self.other, self.resets = takes, tls, other, resets
        self.heard = []  # on each connection
        self.has_taken, self.told, self.left = (threading.Event() for _ in range(3))
        super().__init__(self.serve_one)
        if tls:
            self.url = self.url.replace("http:", "https:")

    def serve_one(self, plain):
        with self.tls.wrap_socket(plain, server_side=True) if self.tls else plain as connection:
            connection.settimeout(60)
            first = not self.heard
            self.heard.append(b"")
            self.take(connection, GET if first else self.other)
            connection.sendall(OK)
            if not first:
                self.heard[-1] += receive(connection, lambda _: False)
                return
            if self.takes:
                self.take(connection, self.other[:self.takes])
            self.has_taken.set()
            self.told.wait(60)
            if self.resets:
                reset(connection)
                wait_for(self.is_left, "the reset to arrive")
            else:
                connection.shutdown(socket.SHUT_WR)
                wait_for(lambda: self.end_is_known(connection), "the end to arrive")
        self.left.set()

    def take(self, connection, message):
        self.heard[-1] += receive(connection, lambda b: len(b) >= len(message))

    @staticmethod
    def end_is_known(connection):
        """Its state is neither ESTABLISHED nor FIN_WAIT1."""
        return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] not in (1, 4)

    def is_left(self):
        port = f":{self.listener.getsockname()[1]:04X}"
        with open("/proc/net/tcp", encoding="ascii") as sockets:
            return not any(line.split()[2].endswith(port) for line in sockets)

    def leave(self):
        self.told.set()
        assert self.left.wait(60)


ASKED_ANEW = [("read", GET), ("eom", b""), ("write", OK),
              ("read", PUT), ("eom", b""), ("write", OK), ("close", b"")]


def test_a_source_that_leaves_amid_a_hold_is_asked_anew(shardlift):
    with LeavingSource() as source, \
            proxy(shardlift, source.url, "--hold-limit", "10m") as one:
        client = one.connect()
        client.sendall(GET)
        assert response(client) == OK
        one.control("hold")
        client.sendall(PUT)
        wait_for(lambda: one.control("status")["parkedRequests"] == 1, "the request to be held")
        source.leave()
        assert one.control("release")["ok"]
        assert response(client) == OK
        client.close()
    assert source.heard == [GET, PUT]
    (observations,) = one.records().values()
    assert observations == ASKED_ANEW


@pytest.mark.parametrize("request_", [GET, PUT], ids=["read", "write"])
@pytest.mark.parametrize("leaves_first", [False, True], ids=["asked", "left"])
def test_a_request_that_meets_a_reset_is_sent_anew(shardlift, request_, leaves_first):
    with LeavingSource(other=request_, resets=True) as source, \
            proxy(shardlift, source.url) as one:
        client = one.connect()
        client.sendall(GET)
        assert response(client) == OK
        assert source.has_taken.wait(60)
        one.process.send_signal(signal.SIGSTOP)
        os.waitpid(one.process.pid, os.WUNTRACED)
        if leaves_first:
            source.leave()
        client.sendall(request_)
        if not leaves_first:
            source.leave()
        one.process.send_signal(signal.SIGCONT)
        assert response(client) == OK
        client.close()
    assert source.heard == [GET, request_]
    (observations,) = one.records().values()
    assert sent(observations, "read") == GET + request_
    assert sent(observations, "write") == OK + OK


@pytest.fixture
def source_tls(tmp_path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=source",
                    "-days", "2", "-keyout", "key.pem", "-out", "cert.pem"],
                   cwd=tmp_path, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    return context


@pytest.mark.parametrize("takes", [0, len(PUT) - 1], ids=["nothing", "part"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_only_a_write_of_which_nothing_was_sent_is_sent_anew(shardlift, source_tls, scheme, takes):
    """The source leaves before the record is stored: the proxy stands still meanwhile."""
    with LeavingSource(takes, source_tls if scheme == "https" else None) as source, \
            proxy(shardlift, source.url, "--insecure-destination") as one:
        client = one.connect()
        client.sendall(GET)
        assert response(client) == OK
        client.sendall(PUT[:takes])
        assert source.has_taken.wait(60)
        one.process.send_signal(signal.SIGSTOP)
        os.waitpid(one.process.pid, os.WUNTRACED)
        client.sendall(PUT[takes:])
        source.leave()
        one.process.send_signal(signal.SIGCONT)
        heard = response(client)
        client.close()
    (observations,) = one.records().values()
    assert sent(observations, "write") == OK + heard
    if takes:
        assert heard.startswith(b"HTTP/1.1 502 ")
        assert source.heard == [GET + PUT[:takes]]
    else:
        assert heard == OK
        assert source.heard == [GET, PUT]
        assert observations == ASKED_ANEW

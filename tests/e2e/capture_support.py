"""A proxy that runs, a source that is a stub, and what the records say."""

import base64
import collections
import contextlib
import http.client
import json
import os
import re
import socket
import socketserver
import subprocess
import threading
import time

from support import PROGRAM

CEILING = 90  # seconds that anything here may take on a loaded machine


def wait_for(condition, what, seconds=CEILING):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"waited in vain for {what}")


class Proxy:
    """`shardlift capture` as a child; `log` is what it wrote to standard error."""

    def __init__(self, shardlift, destination, *options, name="test", program=PROGRAM,
                 launcher=(), pass_fds=(), environment=None):
        self.shardlift, self.name = shardlift, name
        self.state = shardlift.state_dir
        self.error = open(f"{self.state}.{name}.stderr", "ab+")
        self.error_from = self.error.seek(0, os.SEEK_END)
        arguments = [*launcher, str(program), "capture", "--name", name, "--to", destination,
                     "--listen-host", "127.0.0.1", "--listen-port", "0", "--num-threads", "2",
                     *map(str, options)]
        self.process = subprocess.Popen(arguments, env={**shardlift.environment, **(environment or {})},
                                        stdin=subprocess.DEVNULL, stderr=self.error,
                                        pass_fds=pass_fds)
        try:
            self.port = int(wait_for(self.listens, "the proxy to listen").group(1))
        except AssertionError:
            self.process.kill()
            self.process.wait()
            raise

    def listens(self):
        assert self.process.poll() is None, self.log
        return re.search(r"listening on \S+ port (\d+) for ", self.log)

    @property
    def log(self):
        with open(self.error.name, encoding="utf-8") as file:
            return file.read()[self.error_from:]

    def control(self, *words):
        result = self.shardlift("capture", "control", self.name, *words)
        return json.loads(result.out)

    def connect(self):
        client = socket.create_connection(("127.0.0.1", self.port), timeout=CEILING)
        return client

    def terminate(self):
        if self.process.poll() is None:
            self.process.terminate()
        code = self.process.wait(CEILING)
        assert "ERROR: " not in self.log and "runtime error" not in self.log, self.log
        return code

    def kill(self):
        self.process.kill()
        self.process.wait()

    def records(self):
        return records(self.shardlift, self.state / "capture" / self.name)


@contextlib.contextmanager
def proxy(shardlift, destination, *options, **more):
    one = Proxy(shardlift, destination, *options, **more)
    try:
        yield one
        assert one.terminate() == 0, one.log
    finally:
        if one.process.poll() is None:
            one.kill()
        one.error.close()


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7f) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def fields(data):
    """(number, value) of a protobuf message; bytes or an integer."""
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        if tag & 7 == 0:
            value, at = varint(data, at)
        else:
            length, at = varint(data, at)
            value, at = data[at:at + length], at + length
        yield tag >> 3, value


KINDS = {4: "read", 5: "read", 8: "write", 9: "write", 11: "close", 12: "exception", 14: None,
         15: "eom", 16: "dropped"}


def records(shardlift, *where):
    """connection id -> [(kind, bytes)], neighbours of a kind joined; decoded here, not by us.
    `where`: a log's folder, or the flags of a topic."""
    exported = shardlift("traffic", "export", *where, "--lines", "bare")
    assert exported.code == 0, exported.err
    connections = collections.defaultdict(list)
    for line in exported.out.splitlines():
        stream = list(fields(base64.b64decode(line)))
        observations = connections[dict(stream)[1].decode()]
        for _, observation in (field for field in stream if field[0] == 2):
            for number, value in fields(observation):
                if number == 1 or KINDS[number] is None:
                    continue
                data = b"".join(v for _, v in fields(value)) if number in (4, 5, 8, 9) else b""
                if observations and observations[-1][0] == KINDS[number] != "eom":
                    observations[-1] = (KINDS[number], observations[-1][1] + data)
                else:
                    observations.append((KINDS[number], data))
    return dict(connections)


def sent(observations, kind):
    return b"".join(data for one, data in observations if one == kind)


class Stub:
    """A source. `answer(method, target, headers, body)` gives the bytes of an answer."""

    def __init__(self, answer=None, tls=None):
        stub = self
        self.answer = answer or self.plain
        self.requests = []
        self.lock = threading.Lock()

        class Handler(socketserver.StreamRequestHandler):
            def setup(self):
                if tls:
                    self.request = tls.wrap_socket(self.request, server_side=True)
                super().setup()

            def handle(self):
                while self.one():
                    pass

            def one(self):
                line = self.rfile.readline()
                if not line:
                    return False
                headers = http.client.parse_headers(self.rfile)
                if headers.get("Expect"):
                    self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                body = self.body(headers)
                if body is None:
                    return False
                method, target, _ = line.decode("latin-1").split()
                with stub.lock:
                    stub.requests.append((method, target, headers, body))
                answer = stub.answer(method, target, headers, body)
                if answer is None:
                    return False
                self.wfile.write(answer)
                return True

            def body(self, headers):
                if headers.get("Transfer-Encoding"):
                    whole = b""
                    while size := int(self.rfile.readline().split(b";")[0], 16):
                        whole += self.rfile.read(size)
                        self.rfile.readline()
                    while self.rfile.readline().strip():
                        pass
                    return whole
                length = int(headers.get("Content-Length", 0))
                body = self.rfile.read(length)
                return body if len(body) == length else None

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            request_queue_size = 256

            def handle_error(self, request, client_address):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()

    @staticmethod
    def plain(method, target, headers, body):
        text = json.dumps({"method": method, "target": target, "length": len(body)}).encode()
        head = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(text)
        return head + (b"" if method == "HEAD" else text)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def targets(self):
        with self.lock:
            return [target for _, target, _, _ in self.requests]


def receive(client, until):
    """Bytes until `until` of them are there as a function says; "" ends it."""
    got = b""
    while not until(got):
        more = client.recv(65536)
        if not more:
            break
        got += more
    return got


def response(client, head_only=False):
    got = receive(client, lambda b: b"\r\n\r\n" in b)
    head, _, rest = got.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head, re.I)
    wanted = 0 if head_only or not length else int(length.group(1))
    return got + receive(client, lambda b: len(rest) + len(b) >= wanted)


def finish(client):
    """What still comes, until the proxy has closed."""
    client.shutdown(socket.SHUT_WR)
    return receive(client, lambda _: False)

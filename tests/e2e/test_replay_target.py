"""How a replayed request gets to its target: who is let in by what, and what goes with the body;
and what becomes of requests when the replayer is stopped."""

import base64
import contextlib
import gzip
import http.server
import json
import signal
import ssl
import subprocess
import threading

import pytest

import signed_target
from capture_support import wait_for
from support import INTERRUPTED, OK, PROGRAM, UNREACHABLE
from test_replay import tuples_in
from traffic_writer import field, observation

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
HEAD = (b"POST /i/_doc/1?routing=a%2Fb HTTP/1.1\r\nHost: old:9200\r\nUser-Agent: client\r\n"
        b"Authorization: Basic b2xk\r\nConnection: close\r\nContent-Type: application/json\r\n")
BODY = b'{"a":1.10}'
PLAIN = HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n4\r\n{\"a\"\r\n6\r\n:1.10}\r\n0\r\n\r\n"
PACKED = gzip.compress(BODY)
GZIP = HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(PACKED) + PACKED
TRANSFORM = json.dumps([{"JsonJMESPathTransformerProvider": {
    "script": "{method: method, URI: URI, protocol: protocol, headers: headers, "
              "payload: {inlinedJsonBody: {b: payload.inlinedJsonBody}}}"}}])
CHANGED = b'{"b":{"a":1.10}}'


def written(path, *requests, seconds=0):
    """Each request on a connection and in a record of its own, `seconds` apart."""
    with open(path, "wb") as file:
        for number, request in enumerate(requests):
            ms = 1_700_000_000_000 + number * seconds * 1000
            record = (field(1, b"c%d" % number) + field(5, b"node")
                      + observation(ms, 4, field(1, request)) + observation(ms, 15, b"")
                      + observation(ms, 8, field(1, ANSWER)) + observation(ms, 11, b"")
                      + field(4, 1))
            file.write(base64.b64encode(record) + b"\n")
    return path


class Target(http.server.ThreadingHTTPServer):
    """Keeps what it is asked; answers when `gate` is open."""
    daemon_threads = True

    def __init__(self, tls=None):
        self.asked, self.peers, self.gate = [], [], threading.Event()
        self.gate.set()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if tls:
                    outer.peers.append(self.connection.getpeercert())
                outer.asked.append((self.path, dict(self.headers), body))
                outer.gate.wait()
                self.wfile.write(ANSWER)

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.server_port}"

    def handle_error(self, *_):
        """Who is not let in is no matter of ours."""


@contextlib.contextmanager
def serving(target):
    threading.Thread(target=target.serve_forever, daemon=True).start()
    try:
        yield target
    finally:
        target.gate.set()
        target.shutdown()
        target.server_close()


@pytest.mark.parametrize("flags,expected", [
    ((), "Basic b2xk"),
    (("--remove-auth-header",), None),
    (("--target-username", "u", "--target-password", "p"), "Basic dTpw"),
    (("--target-api-key", "KEY"), "ApiKey KEY"),
], ids=["as-it-was", "none", "basic", "api-key"])
def test_what_lets_a_request_in(shardlift, tmp_path, flags, expected):
    with serving(Target()) as target:
        result = shardlift("replay", "--input", written(tmp_path / "in", PLAIN), "--target-uri",
                           f"{target.url}/below", "--user-agent", "moved", "--no-tuples", *flags)
    assert result.code == OK, result
    ((path, headers, body),) = target.asked
    assert headers.get("Authorization") == expected
    # The name without the port, as the Java replayer's; whether our connection goes on is our matter.
    assert (path, headers["Host"], headers["User-Agent"], headers.get("Connection"), body) == (
        "/below/i/_doc/1?routing=a%2Fb", "127.0.0.1", "client; moved", None, BODY)


@pytest.mark.parametrize("body,kind", [
    (b":)\n\xff\xfe\x00", "application/smile"), (b"a=1&b=%20&b=+", "application/x-www-form-urlencoded"),
    (b'{"big":123456789012345678901,"price":1.10}', "application/json"), (b'{"index":{}}\n{"a":1}\n',
                                                                    "application/x-ndjson"),
], ids=["binary", "form", "numbers", "one-line-bulk"])
def test_a_body_that_no_script_touches_comes_as_it_was(shardlift, tmp_path, body, kind):
    """The Java replayer empties forms, loses the last line end, and digits."""
    path = "/_bulk" if "ndjson" in kind else "/i/_doc/1"
    request = (f"POST {path} HTTP/1.1\r\nContent-Type: {kind}\r\n"
               f"Content-Length: {len(body)}\r\n\r\n").encode() + body
    script = "(() => m => { m.get('headers').set('x-new', ['1']); return m; })"
    with serving(Target()) as target:
        result = shardlift("replay", "--input", written(tmp_path / "in", request), "--target-uri",
                           target.url, "--no-tuples", "--transformer-config", json.dumps(
                               [{"JsonJSTransformerProvider": {"initializationScript": script,
                                                               "bindingsObject": "{}"}}]))
    assert result.code == OK, result
    ((_, headers, sent),) = target.asked
    assert (headers["x-new"], headers["content-type"], sent) == ("1", kind, body)


@pytest.mark.parametrize("service", ["es", "aoss"])
@pytest.mark.parametrize("flags", [(), ("--transformer-config", TRANSFORM)],
                         ids=["as-it-was", "transformed"])
def test_the_signature_is_that_of_the_body_that_is_sent(shardlift, tmp_path, service, flags):
    bodies = []

    class Handler(signed_target.Handler):
        def own_answer(self, body):
            bodies.append((self.headers.get("Content-Encoding"), body))
            return b"{}"

    target = signed_target.SignedTarget(service)
    target.RequestHandlerClass = Handler
    result = shardlift("replay", "--input", written(tmp_path / "in", PLAIN, CHUNKED, GZIP),
                       "--target-uri", target.url, "--sigv4-auth-header-service-region",
                       f"{service},{signed_target.REGION}", "--no-tuples", *flags,
                       env=signed_target.ENVIRONMENT)
    assert result.code == OK, result
    assert (target.taken, target.refused) == (3, 0)
    assert sorted(bodies, key=str) == ([(None, CHANGED)] * 3 if flags else sorted(
        [(None, BODY), (None, BODY), ("gzip", PACKED)], key=str))


def test_a_target_that_wants_a_certificate_gets_it(shardlift, tmp_path):
    for name in ("target", "client"):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}", "-days", "2",
                        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", f"{name}.key", "-out",
                        f"{name}.pem"], cwd=tmp_path, check=True, capture_output=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "target.pem", tmp_path / "target.key")
    tls.load_verify_locations(tmp_path / "client.pem")
    tls.verify_mode = ssl.CERT_REQUIRED
    source = written(tmp_path / "in", PLAIN)
    with serving(Target(tls)) as target:
        flags = ("replay", "--input", source, "--target-uri", target.url, "--no-tuples",
                 "--target-retry-time", "100ms")
        result = shardlift(*flags, "--target-cacert", tmp_path / "target.pem",
                           "--target-client-cert", tmp_path / "client.pem",
                           "--target-client-cert-key", tmp_path / "client.key")
        assert result.code == OK, result
        (peer,) = target.peers
        assert ((("commonName", "client"),),) == peer["subject"]
        # Nobody is told of it who is not who the certificate says.
        result = shardlift(*flags)
        assert result.code == UNREACHABLE and "certificate" in result.err, result
        assert len(target.asked) == 1


def test_what_is_at_the_target_ends_before_a_stopped_replay_does(shardlift, tmp_path):
    """The second request is due in a day: it is left to the next run, the first is not."""
    log, tuples = tmp_path / "log", tmp_path / "tuples"
    source = written(tmp_path / "in", PLAIN, PLAIN.replace(b"_doc/1", b"_doc/2"), seconds=86400)
    assert shardlift("traffic", "import", source, log).code == OK
    flags = ["replay", "--input", log, "--group", "g", "--tuples", tuples, "--max-gap", "0",
             "--lookahead-time-window", "1000000"]
    with serving(Target()) as target:
        target.gate.clear()
        process = subprocess.Popen(
            [str(PROGRAM), *map(str, flags), "--target-uri", target.url, "--grace", "1h"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            env=shardlift.environment)
        wait_for(lambda: target.asked or process.poll() is not None, "a request")
        process.send_signal(signal.SIGTERM)
        with process.stderr:
            told = next(line for line in process.stderr if b"interrupted" in line)
            target.gate.set()
            process.stderr.read()
        assert process.wait(60) == INTERRUPTED, told
        assert [t["connectionId"] for t in tuples_in(tuples)] == ["c0.0"]
        result = shardlift(*flags, "--target-uri", target.url, "--speedup-factor", "1e9")
        assert result.code == OK, result
    assert [path for path, _, _ in target.asked] == ["/i/_doc/1?routing=a%2Fb",
                                                     "/i/_doc/2?routing=a%2Fb"]


def test_what_the_target_does_not_answer_in_its_grace_is_replayed(shardlift, tmp_path):
    log = tmp_path / "log"
    assert shardlift("traffic", "import", written(tmp_path / "in", PLAIN), log).code == OK
    flags = ["replay", "--input", log, "--group", "g", "--no-tuples"]
    with serving(Target()) as target:
        target.gate.clear()
        process = subprocess.Popen(
            [str(PROGRAM), *map(str, flags), "--target-uri", target.url, "--grace", "10ms"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=shardlift.environment)
        wait_for(lambda: target.asked or process.poll() is not None, "a request")
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == INTERRUPTED
        target.gate.set()
        result = shardlift(*flags, "--target-uri", target.url)
        assert result.code == OK and "1 requests: 1 answered" in result.out, result
    assert len(target.asked) == 2

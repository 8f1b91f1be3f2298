"""Runs that are stopped, and targets that do not answer: never a hang, never a false success."""

import http.server
import signal
import subprocess
import threading

import pytest

import support
from support import INTERRUPTED, TIMEOUT, UNREACHABLE


class Stuck(http.server.BaseHTTPRequestHandler):
    """A cluster that says who it is and then answers no bulk until the test is over."""

    protocol_version = "HTTP/1.1"
    root = (b'{"name":"n","cluster_name":"c","version":{"distribution":"opensearch",'
            b'"number":"2.19.6"},"tagline":""}')

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(self.root)))
        self.end_headers()
        self.wfile.write(self.root)

    def do_POST(self):
        self.server.asked.set()
        self.server.over.wait()
        self.close_connection = True

    def log_message(self, *_):
        pass


@pytest.fixture
def stuck():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stuck)
    server.asked, server.over = threading.Event(), threading.Event()
    server.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.over.set()
    server.shutdown()


def arguments(repository, server, *more):
    return ["backfill", "--repo-uri", str(repository("os-1.3.14")), "--snapshot-name", "snap-1",
            "--target-host", server.url, "--index-allowlist", "books", *more]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_and_says_so(shardlift, repository, stuck, number):
    process = subprocess.Popen([str(support.PROGRAM), *arguments(repository, stuck, "--grace", "200ms")],
                               env=shardlift.environment, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    assert stuck.asked.wait(60)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == INTERRUPTED, (out, err)
    assert b"interrupted" in err and b"Sanitizer" not in err, err


def test_a_target_that_never_answers_is_given_up(shardlift, repository, stuck):
    result = shardlift(*arguments(repository, stuck, "--target-request-timeout", "500ms",
                                  "--target-retry-time", "1s"), timeout=60)
    assert result.code in (TIMEOUT, UNREACHABLE), result
    assert str(stuck.server_port) in result.err and "--target-request-timeout" in result.err, result


class Overloaded(Stuck):
    """A coordinator that says who it is, and to all else "not now"."""

    def do_GET(self):
        if self.path == "/":
            super().do_GET()
        else:
            self.answer(404 if self.path.startswith("/_cat") else 503)

    def answer(self, status):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(b"{}")
        if status == 503:
            self.server.asked.set()

    def do_POST(self):
        self.answer(503)

    do_PUT = do_HEAD = do_DELETE = do_POST


def test_a_coordinator_that_is_overloaded_does_not_keep_a_run_that_is_to_end(shardlift, repository):
    """It would be asked for ten minutes otherwise."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Overloaded)
    server.asked = threading.Event()
    server.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    process = subprocess.Popen(
        [str(support.PROGRAM), "backfill", "--repo-uri", str(repository("os-1.3.14")),
         "--snapshot-name", "snap-1", "--target-host", "null:", "--index-allowlist", "books",
         "--session-name", "s", "--coordinator-host", server.url, "--grace", "1s",
         "--target-retry-time", "10m"], env=shardlift.environment, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert server.asked.wait(120)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=120)
    finally:
        process.kill()
        server.shutdown()
    assert process.returncode == INTERRUPTED, out + err

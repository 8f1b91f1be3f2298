"""What goes wrong on the way to S3 is survived with the exact documents, or told in one line."""

import contextlib
import http.server
import json
import os
import socket
import subprocess
import threading
import time

import pytest

import s3_support
from s3_support import PREFIX, Caller, Proxy, assert_documents, assert_refused
from support import OK, PROGRAM, SOURCE, TIMEOUT, UNREACHABLE

FIXTURE, SNAPSHOT = "es-7.10.2", "snap2"
URI = "s3://es-7-10-2/" + PREFIX
PUT_BLOB = PROGRAM.parent / "tests" / "unit" / "store" / "put_blob"
PART = 8 << 20


@pytest.fixture(scope="module")
def node(tmp_path_factory, repository):
    node = s3_support.S3Node(tmp_path_factory.mktemp("s3"), os.getpid())
    node.upload(repository(FIXTURE), "es-7-10-2", PREFIX)
    yield node
    node.stop()


@pytest.fixture
def call(shardlift, node, tmp_path):
    return Caller(shardlift, node, tmp_path)


@contextlib.contextmanager
def server(handle):
    """Answers (status, JSON) of handle(path, body, headers)."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, text = handle(self.path, body, self.headers)
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PUT = do_CONNECT = answer

        def log_message(self, *_):
            pass

    listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listening.daemon_threads = True
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    try:
        yield "http://127.0.0.1:%d" % listening.server_port
    finally:
        listening.shutdown()
        listening.server_close()


def survives(call, node, decide, *arguments, **env):
    with Proxy(node.url, decide) as proxy:
        result = call.backfill(FIXTURE, SNAPSHOT, "books", *arguments, endpoint=proxy.url, **env)
    assert_documents(call, result, FIXTURE, SNAPSHOT, ["books"])
    return proxy


def test_survives_a_storm_of_slow_down(call, node):
    refused = {}

    def decide(method, path, _number):
        refused[path] = refused.get(path, 0) + 1
        return s3_support.SLOW_DOWN if method == "GET" and refused[path] <= 2 else None

    survives(call, node, decide)
    assert len(refused) > 20, refused


def test_survives_connections_that_are_killed_in_the_middle_of_every_object(call, node):
    killed = set()

    def decide(_method, path, _number):
        if "/__" not in path or path in killed:
            return None
        killed.add(path)
        return 20

    survives(call, node, decide)
    assert killed


def test_survives_latency_of_200_ms(call, node):
    survives(call, node, lambda *_: time.sleep(0.2))


def test_survives_a_connection_that_stays_open_and_silent(call, node):
    stalled = []

    def decide(_method, path, _number):
        if "/__" in path and not stalled:
            stalled.append(path)
            return s3_support.STALL
        return None

    survives(call, node, decide, "--s3-request-timeout", "2s")
    assert stalled


def test_tells_a_server_that_is_always_silent(call, node):
    def decide(_method, path, _number):
        return s3_support.STALL if "/index-" in path else None

    with Proxy(node.url, decide) as proxy:
        result = call.list(URI, "--s3-request-timeout", "1s", "--s3-retry-time", "1s",
                           endpoint=proxy.url)
    assert_refused(result, "gave up after", "--s3-request-timeout", code=TIMEOUT)


def test_fetches_another_token_when_one_expires_in_the_middle(call, node):
    keys = [(node.access, node.secret), node.user("second", s3_support.EVERYTHING)]
    handed_out = []

    def hand_out(*_):
        access, secret = keys[min(len(handed_out), 1)]
        handed_out.append(access)
        return 200, json.dumps({"AccessKeyId": access, "SecretAccessKey": secret}).encode()

    def decide(_method, _path, number):
        expired = 400, b"<Error><Code>ExpiredToken</Code></Error>", {}
        return expired if number >= 12 and proxy.keys[number] == keys[0][0] else None

    with server(hand_out) as endpoint, Proxy(node.url, decide) as proxy:
        result = call.backfill(FIXTURE, SNAPSHOT, "books", endpoint=proxy.url,
                               AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="",
                               AWS_CONTAINER_CREDENTIALS_FULL_URI=endpoint + "/role")
    assert_documents(call, result, FIXTURE, SNAPSHOT, ["books"])
    assert handed_out == [keys[0][0], keys[1][0]]


def assume(node, name):
    trust = {"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
    iam = node.connect("iam")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    iam.put_role_policy(RoleName=name, PolicyName="p",
                        PolicyDocument=json.dumps(s3_support.EVERYTHING))
    return role["Arn"]


def test_takes_on_a_role(call, node):
    arn = assume(node, "reader")
    with Proxy(node.url, lambda *_: None) as proxy:
        result = call.list(URI, "--s3-role-arn", arn, "--s3-external-id", "x", "--sts-endpoint",
                           node.url, endpoint=proxy.url)
    assert result.code == OK and "snap1" in result.out, result
    assert proxy.keys and node.access not in proxy.keys, proxy.keys


def test_tells_a_role_that_may_not_be_taken_on(call):
    with server(lambda *_: (403, b"<E><Error><Code>AccessDenied</Code></Error></E>")) as sts:
        result = call.list(URI, "--s3-role-arn", "arn:aws:iam::1:role/r", "--sts-endpoint", sts)
    assert_refused(result, "role arn:aws:iam::1:role/r", "trust policy", code=UNREACHABLE)


def test_tells_an_object_that_is_shorter_than_it_should_be(call, node):
    key = max((o for o in node.client.get_paginator("list_objects_v2").paginate(
        Bucket="es-7-10-2", Prefix=PREFIX).search("Contents")
        if "/__" in o["Key"] and o["Key"].endswith(".part0")), key=lambda o: o["Size"])["Key"]
    whole = node.client.get_object(Bucket="es-7-10-2", Key=key)["Body"].read()
    node.client.put_object(Bucket="es-7-10-2", Key=key, Body=whole[:-1])
    try:
        result = call.backfill(FIXTURE, SNAPSHOT, "books")
    finally:
        node.client.put_object(Bucket="es-7-10-2", Key=key, Body=whole)
    assert_refused(result, key.rpartition("/")[2], "truncated", code=SOURCE)


def test_goes_through_the_proxy_of_the_environment(call, node):
    with Proxy(node.url, lambda *_: None) as proxy:
        result = call.list(URI, no_proxy="", http_proxy=proxy.url)
    assert result.code == OK and "snap1" in result.out, result
    assert proxy.requests


def test_names_the_proxy_that_is_not_there(call):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        proxy = "127.0.0.1:%d" % taken.getsockname()[1]
        result = call.list(URI, "--s3-retry-time", "1s", no_proxy="",
                           http_proxy=f"http://user:secret@{proxy}")
    assert_refused(result, f"the proxy http://{proxy} (http_proxy)", "no_proxy", code=UNREACHABLE)
    assert "secret" not in result.err, result


def test_names_the_proxy_that_refuses(call):
    with server(lambda *_: (403, b"not here")) as proxy:
        result = call.list(URI, endpoint="https://127.0.0.1:1", no_proxy="", https_proxy=proxy)
        assert_refused(result, f"the proxy {proxy} (https_proxy)", "response 403",
                       code=UNREACHABLE)
        result = call.list(URI, no_proxy="", http_proxy=proxy)
        assert_refused(result, f"the proxy {proxy} (http_proxy)", "answers 403", code=UNREACHABLE)


def put(call, endpoint, name, size):
    return subprocess.run([str(PUT_BLOB), URI, endpoint, name, str(size)], capture_output=True,
                          text=True, timeout=300, check=False,
                          env={**call.shardlift.environment, **call.env,
                               "AWS_REGION": s3_support.REGION})


def bytes_put(size):
    return bytes(i * 31 % 251 for i in range(251)) * (size // 251) + bytes(
        i * 31 % 251 for i in range(size % 251))


@pytest.mark.parametrize("size", [0, 1000, 2 * PART + 12345])
def test_puts_objects_whole(call, node, size):
    done = put(call, node.url, "outputs/a b.ndjson", size)
    assert done.returncode == 0, done.stderr
    got = node.client.get_object(Bucket="es-7-10-2", Key=PREFIX + "outputs/a b.ndjson")
    assert got["Body"].read() == bytes_put(size)


def test_puts_parts_again_and_aborts_what_fails_for_good(call, node):
    tried = []

    def decide(method, path, _number):
        if "partNumber=2" not in path:
            return None
        tried.append(path)
        if not whole:
            return 403, b"<Error><Code>AccessDenied</Code></Error>", {}
        return s3_support.SLOW_DOWN if len(tried) == 1 else None

    whole = True
    with Proxy(node.url, decide) as proxy:
        done = put(call, proxy.url, "outputs/parts", 2 * PART + 5)
        assert done.returncode == 0, done.stderr
        whole = False
        done = put(call, proxy.url, "outputs/never", 2 * PART + 5)
    assert done.returncode == UNREACHABLE and "s3:PutObject" in done.stderr, done.stderr
    got = node.client.get_object(Bucket="es-7-10-2", Key=PREFIX + "outputs/parts")
    assert got["Body"].read() == bytes_put(2 * PART + 5)
    assert not node.client.list_multipart_uploads(Bucket="es-7-10-2").get("Uploads")


def test_tells_that_nothing_may_be_written(call, node):
    call.env["AWS_ACCESS_KEY_ID"], call.env["AWS_SECRET_ACCESS_KEY"] = node.getter
    done = put(call, node.url, "outputs/no", 10)
    assert done.returncode == UNREACHABLE and "allow them s3:PutObject" in done.stderr, done.stderr

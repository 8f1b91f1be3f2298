"""`shardlift capture`: requests go through as they came, and every byte is found again."""

import itertools
import random
import re
import signal
import socket
import ssl
import subprocess
import threading
import urllib.request

import opensearchpy
import pytest

from capture_support import (CEILING, Proxy, Stub, finish, proxy, receive, records, response, sent,
                             wait_for)


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
    (b"GET / HTTP/1.1\r\nA: " + b"a" * 70_000 + b"\r\n\r\n", 431),
    (b"a" * 70_000, 400),
    (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 12_000 + b"\r\n", 431),
], ids=lambda value: value[:40] if isinstance(value, bytes) else str(value))
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
    observations, mark = sorted(one.records().values(), key=len, reverse=True)
    assert [kind for kind, _ in mark] == ["exception", "close"]
    assert sent(observations, "read") == b"\x01\x02 no HTTP\n"
    assert sent(observations, "write") == b"answer"
    echo.close()


def test_credentials_in_garbage_are_not_recorded_either(shardlift):
    garbage = b"\x01\nAuthorization: Basic c2VjcmV0\n"
    echo = socket.create_server(("127.0.0.1", 0))
    with proxy(shardlift, f"http://127.0.0.1:{echo.getsockname()[1]}", "--redact-auth",
               "--on-capture-failure", "forward") as one:
        client = one.connect()
        client.sendall(garbage)
        server, _ = echo.accept()
        assert receive(server, lambda b: len(b) >= len(garbage)) == garbage
        server.close()
        assert finish(client) == b""
    assert all(sent(o, "read") == b"" for o in one.records().values())
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
    # The source never got it: it is no request to replay.
    kinds = [kind for kind, _ in observations]
    assert "eom" not in kinds or "dropped" in kinds[kinds.index("eom"):]


def test_what_the_source_never_got_is_not_replayed(shardlift, stub, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with proxy(shardlift, f"http://127.0.0.1:{taken.getsockname()[1]}") as one:
            client = one.connect()
            client.sendall(post("/i/_close", b"{}"))
            assert finish(client).startswith(b"HTTP/1.1 502 ")
    result = shardlift("replay", "--input", shardlift.state_dir / "capture" / "test",
                       "--target-uri", stub.url, "--tuples", tmp_path / "tuples",
                       "--speedup-factor", "1000000")
    assert result.code == 0, result
    assert stub.requests == []


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
        wait_for(lambda: one.control("status")["connections"] == 2, "both connections")
        one.process.terminate()
        assert receive(idle, lambda _: False) == b""
        go.set()
        heard = receive(client, lambda _: False)
        assert heard.startswith(b"HTTP/1.1 200 ")
        assert one.process.wait(60) == 0
    said = {sent(o, "read"): sent(o, "write") for o in one.records().values()}
    assert said == {message: heard, b"": b""}


def test_a_hold_switches_without_a_failed_request(shardlift, stub):
    with Stub() as target, proxy(shardlift, stub.url, "--hold-limit", "10m") as one:
        before = one.connect()
        before.sendall(post("/before", b"{}"))
        assert response(before).startswith(b"HTTP/1.1 200 ")
        assert one.control("hold")["state"] == "holding"
        assert one.control("hold")["ok"] is False
        clients = [one.connect() for _ in range(3)] + [before]
        for number, client in enumerate(clients):
            client.sendall(post(f"/held/{number}", b"{}"))
        wait_for(lambda: one.control("status")["parkedRequests"] == 4, "requests to be held")
        reader = one.connect()
        reader.sendall(post("/i/_search", b"{}"))
        assert response(reader).startswith(b"HTTP/1.1 200 ")
        assert one.control("status")["writesInFlight"] == 0
        assert one.control("switch", target.url)["destination"] == target.url
        assert one.control("release")["state"] == "open"
        for client in clients:
            assert response(client).startswith(b"HTTP/1.1 200 ")
            client.close()
        reader.sendall(b"GET /after HTTP/1.1\r\nHost: x\r\n\r\n")
        assert response(reader).startswith(b"HTTP/1.1 200 ")
        status = one.control("status")
        assert (status["parkedBytes"], status["capturing"]) == (0, False)
        reader.close()
    assert stub.targets() == ["/before", "/i/_search"]
    assert sorted(target.targets()) == ["/after", *(f"/held/{n}" for n in range(4))]
    # What went to the target itself is not to be replayed to it.
    assert b"/held/" not in b"".join(sent(o, "read") for o in one.records().values())


def test_a_hold_that_is_not_released_goes_to_the_source(shardlift, stub):
    with proxy(shardlift, stub.url, "--hold-limit", "100ms") as one:
        one.control("hold")
        client = one.connect()
        client.sendall(post("/i/_doc", b"{}"))
        assert response(client).startswith(b"HTTP/1.1 200 ")
        wait_for(lambda: "not released within --hold-limit" in one.log, "the warning")
        assert one.control("status")["lastHold"] == "timed-out"
        assert one.control("release")["ok"] is False
        client.close()
    assert stub.targets() == ["/i/_doc"]


def test_drain_is_a_command(shardlift, stub):
    with proxy(shardlift, stub.url) as one:
        assert one.control("drain")["ok"] is True
        assert one.process.wait(60) == 0
    result = shardlift("capture", "control", "test", "status")
    assert result.code != 0 and "no proxy answers" in result.err


@pytest.mark.parametrize("policy,status", [("block", 503), ("forward", 200)])
def test_a_request_without_a_record_follows_the_policy(shardlift, stub, tmp_path, policy, status):
    trace = tmp_path / "trace"
    with proxy(shardlift, stub.url, "--trace-directory", trace,
               "--on-capture-failure", policy) as one:
        trace.rmdir()
        client = one.connect()
        client.sendall(post("/i/_doc", b"{}"))
        assert response(client).startswith(b"HTTP/1.1 %d " % status)
        client.close()
        other = one.connect()
        other.sendall(b"GET /read HTTP/1.1\r\nHost: x\r\n\r\n")
        assert response(other).startswith(b"HTTP/1.1 200 ")
        other.close()
        assert one.control("status")["gaps"] == (policy == "forward")
        assert f"--on-capture-failure is {policy}" in one.log
    assert stub.targets() == (["/read"] if policy == "block" else ["/i/_doc", "/read"])


def test_a_trace_folder_has_a_file_for_each_record(shardlift, stub, tmp_path):
    trace = tmp_path / "trace"
    message = post("/i/_doc", b"{}")
    with proxy(shardlift, stub.url, "--trace-directory", trace) as one:
        client = one.connect()
        client.sendall(message)
        response(client)
        finish(client)
    assert len(list(trace.glob("*_1.protocap"))) == 1
    (observations,) = records(shardlift, trace).values()
    assert sent(observations, "read") == message


def test_rules_leave_requests_out(shardlift, stub):
    with proxy(shardlift, stub.url, "--suppress-capture-for-uri-path", "/_cat/.*",
               "--suppressCaptureForMethod", "OPTIONS",
               "--suppressCaptureForHeaderMatch", "X-Probe", "y.*") as one:
        client = one.connect()
        for message in (b"GET /_cat/nodes?v HTTP/1.1\r\nHost: x\r\n\r\n",
                        b"OPTIONS / HTTP/1.1\r\nHost: x\r\n\r\n",
                        b"GET /probe HTTP/1.1\r\nHost: x\r\nx-probe: yes\r\n\r\n",
                        b"GET /kept HTTP/1.1\r\nHost: x\r\n\r\n"):
            client.sendall(message)
            assert response(client).startswith(b"HTTP/1.1 200 ")
        finish(client)
    assert len(stub.targets()) == 4
    (observations,) = one.records().values()
    assert sent(observations, "read") == b"GET /kept HTTP/1.1\r\nHost: x\r\n\r\n"
    assert sent(observations, "write").count(b"HTTP/1.1") == 1


def test_headers_change_on_the_way_and_not_in_the_record(shardlift, stub):
    messages = [post("/1", b"Host: body\n", "Expect: 100-continue"), post("/2", b"two")]
    with proxy(shardlift, stub.url, "--setHeader", "Host", "source:9200",
               "--set-header", "X-New: a b") as one:
        client = one.connect()
        client.sendall(b"".join(messages))
        finish(client)
    assert [(headers["Host"], headers.get_all("X-New"), body)
            for _, _, headers, body in stub.requests] == [
                ("source:9200", ["a b"], b"Host: body\n"), ("source:9200", ["a b"], b"two")]
    (observations,) = one.records().values()
    assert sent(observations, "read") == b"".join(messages)


def test_credentials_can_be_left_out_of_the_record(shardlift, stub):
    with proxy(shardlift, stub.url, "--redact-auth") as one:
        client = one.connect()
        client.sendall(post("/1", b"body", "Authorization: Basic c2VjcmV0"))
        finish(client)
    assert stub.requests[0][2]["Authorization"] == "Basic c2VjcmV0"
    (observations,) = one.records().values()
    assert sent(observations, "read") == \
        post("/1", b"body", "Authorization: REDACTED")


def test_metrics_are_served(shardlift, stub):
    with proxy(shardlift, stub.url, "--metrics-port", "0") as one:
        client = one.connect()
        client.sendall(post("/1", b"body"))
        response(client)
        url = wait_for(lambda: re.search(r"metrics at (http://\S+)", one.log), "metrics").group(1)
        text = urllib.request.urlopen(url, timeout=60).read().decode()
        client.close()
        wait_for(lambda: "\nremoved_total 1\n" in
                 (end := urllib.request.urlopen(url, timeout=60).read().decode()) and
                 all(f"\n{name} 1\n" in end for name in (
                     "captureConnectionCount_total", "unregistered_total",
                     "captureConnectionDuration_milliseconds_count")), "the end of the connection")
    for stage in ("gatheringRequest", "blocked", "waitingForResponse", "gatheringResponse"):
        assert f"\n{stage}Count_total 1\n" in text
        assert f"\n{stage}ExceptionCount_total 0\n" in text
        assert f"\n{stage}Duration_milliseconds_bucket{{le=\"+Inf\"}} 1\n" in text
    assert "\ncaptureConnectionCount_total 0\n" in text
    assert re.search(r"\nkafkaCommitCount_total [1-9]", text)
    assert "blockingRequest_total 1" in text and "fullRequest_total 1" in text
    assert "activeConnection 1" in text and "shardlift_capture_gaps_total 0" in text
    assert re.search(r"shardlift_capture_log_free_bytes [1-9]", text)


def test_what_was_acknowledged_is_in_the_log_after_a_kill(shardlift, stub):
    """Twenty kills, each in the midst of writes of four clients."""
    acknowledged, lock = [], threading.Lock()

    def write(port, numbers):
        try:
            client = socket.create_connection(("127.0.0.1", port), timeout=60)
            while True:
                number = next(numbers)
                client.sendall(post(f"/i/_doc/{number}", b"{}"))
                if not response(client).startswith(b"HTTP/1.1 200 "):
                    return
                with lock:
                    acknowledged.append(number)
        except OSError:
            return

    numbers = itertools.count()
    seed = random.randrange(1 << 30)
    print("seed", seed)
    chance = random.Random(seed)
    for _ in range(20):
        one = Proxy(shardlift, stub.url)
        enough = len(acknowledged) + chance.randrange(1, 40)
        threads = [threading.Thread(target=write, args=(one.port, numbers)) for _ in range(4)]
        for thread in threads:
            thread.start()
        wait_for(lambda: len(acknowledged) >= enough, "writes")
        one.kill()
        for thread in threads:
            thread.join()
    said = b"".join(sent(o, "read") for o in one.records().values())
    recorded = set(map(int, re.findall(rb"/i/_doc/(\d+) ", said)))
    reached = {int(target.rsplit("/", 1)[1]) for target in stub.targets()}
    assert set(acknowledged) <= recorded
    assert reached <= recorded


def authority(folder):
    """ca.pem, and name.pem with name.key for 127.0.0.1, signed by it."""
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=ca", "-days", "2",
            "-keyout", "ca.key", "-out", "ca.pem")
    for name, address in (("proxy", "127.0.0.1"), ("next", "127.0.0.1"), ("source", "127.0.0.1"),
                          ("elsewhere", "127.0.0.9"), ("client", "127.0.0.1")):
        (folder / f"{name}.ext").write_text(f"subjectAltName=IP:{address}\n")
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}",
                "-keyout", f"{name}.key", "-out", f"{name}.csr")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                "-CAcreateserial", "-days", "2", "-extfile", f"{name}.ext",
                "-out", f"{name}.pem")
    return folder


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return authority(tmp_path_factory.mktemp("ca"))


def server_side(certificates, name):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / f"{name}.pem", certificates / f"{name}.key")
    return context


def test_tls_and_client_certificates_on_both_sides(shardlift, certificates):
    source = server_side(certificates, "source")
    source.load_verify_locations(certificates / "ca.pem")
    source.verify_mode = ssl.CERT_REQUIRED
    chain = certificates / "chain.pem"
    chain.write_bytes((certificates / "proxy.pem").read_bytes())
    key = certificates / "chain.key"
    key.write_bytes((certificates / "proxy.key").read_bytes())
    trusting = ssl.create_default_context(cafile=certificates / "ca.pem")
    trusting.set_alpn_protocols(["h2", "http/1.1"])
    trusting.load_cert_chain(certificates / "client.pem", certificates / "client.key")
    message = post("/i/_doc", b"x" * 500_000)

    def ask():
        client = trusting.wrap_socket(one.connect(), server_hostname="127.0.0.1")
        client.sendall(message)
        assert response(client).startswith(b"HTTP/1.1 200 ")
        assert client.selected_alpn_protocol() == "http/1.1"
        subject = client.getpeercert()["subject"][0][0][1]
        client.close()
        return subject

    with Stub(tls=source) as stub, proxy(
            shardlift, stub.url, "--ssl-cert-chain-file", chain, "--ssl-key-file", key,
            "--ssl-trust-cert-file", certificates / "ca.pem", "--require-client-auth",
            "--destination-cacert", certificates / "ca.pem",
            "--destination-client-cert", certificates / "client.pem",
            "--destination-client-key", certificates / "client.key") as one:
        assert ask() == "proxy"
        chain.write_bytes((certificates / "next.pem").read_bytes())
        key.write_bytes((certificates / "next.key").read_bytes())
        one.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "certificates read anew" in one.log, "the new certificate")
        assert ask() == "next"
        nobody = ssl.create_default_context(cafile=certificates / "ca.pem")
        with pytest.raises(OSError):
            client = nobody.wrap_socket(one.connect(), server_hostname="127.0.0.1")
            client.sendall(message)
            assert not client.recv(1)
            raise ConnectionResetError
    assert [sent(o, "read") for o in one.records().values() if sent(o, "read")] == [message] * 2


@pytest.mark.parametrize("name,option,status", [
    ("source", None, 502), ("elsewhere", "ca", 502), ("source", "ca", 200),
    ("elsewhere", "insecure", 200)])
def test_the_certificate_of_the_source_is_checked(shardlift, certificates, name, option, status):
    options = {"ca": ["--destination-cacert", certificates / "ca.pem"],
               "insecure": ["--insecure-destination"], None: []}[option]
    with Stub(tls=server_side(certificates, name)) as stub, \
            proxy(shardlift, stub.url, *options) as one:
        client = one.connect()
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        heard = finish(client)
    assert heard.startswith(b"HTTP/1.1 %d " % status)
    assert (b"its certificate is refused" in heard) == (status == 502)


@pytest.mark.parametrize("options,reason", [
    (["--kafka-brokers", "x:9092", "--log", "a"], "exclude one another"),
    (["--kafka-brokers", "x:9092", "--kafka-password", "geheim"], "need --kafka-sasl-mechanism"),
    (["--on-capture-failure", "spool"], "needs --kafka-brokers"),
    (["--spool", "a"], "needs --kafka-brokers"),
    (["--log", "a", "--no-capture"], "exclude one another"),
    (["--ssl-key-file", "a"], "need one another"),
    (["--require-client-auth"], "needs --ssl-cert-chain-file"),
    (["--suppress-capture-for-method", "a("], "the expression 'a('"),
    (["--set-header", "name"], "nothing after it"),
    (["surplus"], "'surplus' is not expected"),
    (["--name", "../x"], "the name '../x'"),
    (["--to", "http://u:geheim@x:1"], "path, user or password"),
])
def test_what_does_not_go_together_is_refused(shardlift, options, reason):
    result = shardlift("capture", "--to", "http://127.0.0.1:1", "--listen-port", "0",
                       "--listen-host", "127.0.0.1", *options)
    assert result.code == 2 and reason in result.err, result
    assert "geheim" not in result.err


def test_the_settings_of_the_java_proxy_are_understood(shardlift, stub, tmp_path):
    trace = tmp_path / "trace"
    shardlift.environment.update(CAPTURE_PROXY_TRACE_DIRECTORY=str(trace),
                                 CAPTURE_PROXY_KAFKA_PASSWORD="geheim",
                                 CAPTURE_PROXY_SUPPRESS_CAPTURE_FOR_METHOD="GET")
    with proxy(shardlift, stub.url, "--destinationConnectionPoolSize", "4",
               "--enableMSKAuth", "--otelTraceCollectorEndpoint", "http://x:4317") as one:
        client = one.connect()
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" + post("/1", b"body"))
        finish(client)
        assert "are not used" in one.log and "geheim" not in one.log
    (observations,) = records(shardlift, trace).values()
    assert sent(observations, "read") == post("/1", b"body")


def test_an_official_client_works_through_it(shardlift, opensearch):
    with proxy(shardlift, opensearch.url) as one:
        client = opensearchpy.OpenSearch(f"http://127.0.0.1:{one.port}", timeout=CEILING)
        client.indices.create(index="captured", body={"settings": {"number_of_replicas": 0}})
        for number in range(20):
            client.index(index="captured", id=number, body={"n": number})
        helpers_done, errors = opensearchpy.helpers.bulk(
            client, ({"_index": "captured", "_id": f"b{n}", "n": n} for n in range(2000)))
        assert (helpers_done, errors) == (2000, [])
        client.update(index="captured", id=1, body={"doc": {"m": 1}})
        client.delete(index="captured", id=2)
        client.indices.refresh(index="captured")
        assert client.exists(index="captured", id=3)
        assert client.count(index="captured")["count"] == 2019
        found = opensearchpy.helpers.scan(client, index="captured", size=500)
        assert len({hit["_id"] for hit in found}) == 2019
        client.close()
    observations = list(one.records().values())
    said = b"".join(sent(o, "read") for o in observations)
    assert said.count(b"PUT /captured/_doc/") == 20
    assert sum(1 for o in observations for kind, _ in o if kind == "eom") == \
        sum(1 for o in observations for kind, _ in o if kind == "write")
    assert {int(n) for n in re.findall(rb'"_id":"b(\d+)"', said)} == set(range(2000))
    shown = shardlift("traffic", "show", one.state / "capture" / "test", "--mode", "http")
    assert shown.code == 0 and shown.out.count(" REQ ") == shown.out.count(" RSP ")

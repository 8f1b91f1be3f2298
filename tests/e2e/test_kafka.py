"""Records in Kafka: captured into a real broker's topic, through its deaths, and replayed."""

import base64
import collections
import http.client
import http.server
import json
import os
import random
import re
import signal
import subprocess
import threading

import pytest

import support
from capture_support import CEILING, Proxy, Stub, fields, proxy, response, sent, wait_for
from support import INTERRUPTED, OK, PROGRAM, UNREACHABLE, USAGE, Broker

LONG = pytest.mark.skipif(not os.environ.get("SHARDLIFT_LONG"), reason="takes its time")


class Target:
    """Answers all alike; `requests` has (thread's number, path) in the order they came."""

    def __init__(self):
        self.paths = []
        self.lock = threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                with outer.lock:
                    outer.paths.append(self.path)
                self.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")

            do_GET = do_POST = do_PUT = do_DELETE = answer

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def seen(self):
        with self.lock:
            return list(self.paths)


@pytest.fixture
def stub():
    with Stub() as one:
        yield one


@pytest.fixture
def target():
    with Target() as one:
        yield one


@pytest.fixture
def topic(request):
    """Another one for a test that is run again."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower())
    return f"{name}-{random.randrange(1 << 30)}"


def to_kafka(broker, topic):
    return "--kafka-brokers", broker.address, "--kafka-topic", topic


def exported(shardlift, broker, topic, *flags):
    """(key, record) of all that is in the topic."""
    result = shardlift("traffic", "export", *to_kafka(broker, topic), *flags)
    assert result.code == OK, result
    for line in result.out.splitlines():
        key, _, record = line.partition("|")
        yield key, base64.b64decode(record)


REQUEST = re.compile(rb"(?:PUT|POST) (/\S+) HTTP/1\.1\r\n")


def written_paths(shardlift, broker, topic):
    """connection id -> the paths of PUT and POST in its records, in the topic's order; a record
    that is there twice counts once."""
    connections, seen = collections.defaultdict(bytes), set()
    for key, record in exported(shardlift, broker, topic):
        stream = list(fields(record))
        number = next(value for field, value in stream if field in (3, 4))
        if (key, number) in seen:
            continue
        seen.add((key, number))
        for _, observation in (field for field in stream if field[0] == 2):
            for kind, value in fields(observation):
                if kind in (4, 5):
                    connections[key] += b"".join(v for _, v in fields(value))
    return {key: [path.decode() for path in REQUEST.findall(sent_bytes)]
            for key, sent_bytes in connections.items()}


class Writer(threading.Thread):
    """Writes /w/NAME/0, 1, ... over one connection until stopped; `acknowledged` has the paths
    that were answered with 200, `refused` how often the proxy said 503."""

    def __init__(self, port, name):
        super().__init__()
        self.port, self.name_, self.acknowledged, self.refused = port, name, [], 0
        self.stopping = threading.Event()
        self.error = None

    def run(self):
        try:
            connection, number = None, 0
            while not self.stopping.is_set():
                connection = connection or http.client.HTTPConnection("127.0.0.1", self.port,
                                                                      timeout=CEILING)
                path = f"/w/{self.name_}/{number}"
                connection.request("PUT", path, body=b'{"a":1}')
                answer = connection.getresponse()
                answer.read()
                if answer.status == 200:
                    self.acknowledged.append(path)
                else:
                    self.refused += 1
                number += 1
                if answer.getheader("connection") == "close":
                    connection.close()
                    connection = None
        except Exception as error:  # told by the test's thread
            self.error = error

    def stop(self):
        self.stopping.set()
        self.join()
        if self.error:
            raise self.error


def writers(port, count):
    all_of_them = [Writer(port, name) for name in range(count)]
    for one in all_of_them:
        one.start()
    return all_of_them


def more_acknowledged(all_of_them, count):
    """Each of them gets `count` further writes acknowledged."""
    wanted = [len(one.acknowledged) + count for one in all_of_them]
    wait_for(lambda: all(one.error or len(one.acknowledged) >= least
                         for one, least in zip(all_of_them, wanted)), "writes to be acknowledged")


def numbers(paths):
    return [int(path.rpartition("/")[2]) for path in paths]


def assert_all_there(found, all_of_them):
    """No acknowledged write is missing, and those of a connection are in order."""
    everywhere = {path for paths in found.values() for path in paths}
    missing = [path for one in all_of_them for path in one.acknowledged if path not in everywhere]
    assert not missing, (len(missing), missing[:5])
    for paths in found.values():
        assert numbers(paths) == sorted(numbers(paths)), paths


def kafka_status(one):
    return one.control("status")["kafka"]


class Replayer:
    """`shardlift replay` of a topic as a child, until stopped."""

    def __init__(self, shardlift, broker, topic, url, *flags, name="replay"):
        self.status_file = shardlift.state_dir / "run" / f"{name}.status"
        self.error = open(f"{shardlift.state_dir}.{name}.stderr", "ab+")
        self.process = subprocess.Popen(
            [str(PROGRAM), "replay", *to_kafka(broker, topic), "--target-uri", url, "--name", name,
             "--no-tuples", "--speedup-factor", "1000000", "--settle-time", "200ms", *flags],
            env=shardlift.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=self.error)

    def status(self):
        assert self.process.poll() is None, open(self.error.name).read()
        try:
            return json.loads(self.status_file.read_text())
        except FileNotFoundError:
            return {}

    def has_caught_up(self):
        return self.status().get("caught_up")

    def stop(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(CEILING)
        text = open(self.error.name).read()
        self.error.close()
        assert "ERROR: " not in text and "runtime error" not in text, text
        return code


def test_what_is_captured_into_a_topic_is_replayed_from_it(shardlift, stub, target, kafka, topic):
    with proxy(shardlift, stub.url, *to_kafka(kafka, topic)) as one:
        client = one.connect()
        body = b"x" * 3_000_000
        said = b"PUT /w/0/0 HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        client.sendall(said)
        assert b"200 OK" in response(client)
        all_of_them = writers(one.port, 4)
        more_acknowledged(all_of_them, 20)
        for writer in all_of_them:
            writer.stop()
        client.close()
    found = written_paths(shardlift, kafka, topic)
    assert_all_there(found, all_of_them)
    assert len(found) == 5

    shown = shardlift("traffic", "show", *to_kafka(kafka, topic), "--mode", "http")
    assert shown.code == OK and "/w/3/0" in shown.out, shown

    # Sent by one run, committed, and not sent again by the next.
    first = Replayer(shardlift, kafka, topic, target.url)
    wait_for(first.has_caught_up, "the replay to catch up")
    status = first.status()
    assert first.stop() == INTERRUPTED
    wanted = sorted(path for paths in found.values() for path in paths)
    assert sorted(target.seen()) == wanted
    assert status["lag"] == 0 and status["next_offset"] == status["log_end"] > 0
    second = Replayer(shardlift, kafka, topic, target.url, name="second")
    wait_for(second.has_caught_up, "the second replay to catch up")
    second.stop()
    assert len(target.seen()) == len(wanted)


def test_nothing_is_missing_when_the_broker_dies_under_load(shardlift, stub, kafka, topic):
    """spool: writes go on; block: they are refused; forward: they go on, and are counted."""
    names = {policy: f"{topic}-{policy}" for policy in ("spool", "block", "forward")}
    def started(policy, name, ends=True):
        return (proxy if ends else Proxy)(shardlift, stub.url, *to_kafka(kafka, names[policy]),
                                          "--on-capture-failure", policy, "--capture-timeout",
                                          "2s", name=name)

    with (started("block", name="block") as block, started("forward", name="forward") as forward):
        spool = started("spool", name="spool", ends=False)
        try:
            spooled = writers(spool.port, 4)
            blocked, forwarded = writers(block.port, 2), writers(forward.port, 2)
            more_acknowledged(spooled + blocked + forwarded, 10)
            kafka.kill()

            more_acknowledged(spooled, 30)
            status = wait_for(lambda: (s := kafka_status(spool))["spoolRecords"] > 0 and s,
                              "records in the spool")
            assert status["spooling"] and status["brokers"] == "away", status
            wait_for(lambda: all(one.refused for one in blocked), "refused writes")
            more_acknowledged(forwarded, 1)
            wait_for(lambda: forward.control("status")["gaps"] > 0, "gaps to be counted")
            # What is in the spool is still there when the proxy is killed.
            for one in spooled:
                one.stop()
        finally:
            spool.kill()
        with started("spool", name="spool") as spool:
            assert kafka_status(spool)["spoolRecords"] > 0
            again = writers(spool.port, 2)
            for number, one in enumerate(again):
                one.name_ = 100 + number
            more_acknowledged(again, 10)
            kafka.start()
            wait_for(lambda: not kafka_status(spool)["spooling"], "the spool to be in Kafka")
            assert kafka_status(spool)["spoolRecords"] == 0
            more_acknowledged(again, 10)
            more_acknowledged(blocked, 10)
            for one in again + blocked + forwarded:
                one.stop()
    found = written_paths(shardlift, kafka, names["spool"])
    assert_all_there(found, spooled + again)
    assert_all_there(written_paths(shardlift, kafka, names["block"]), blocked)


def connections_in_order(paths):
    """Whether what came of each writer may be an order of at-least-once: a number may come again
    from an earlier one on (another replayer went on), but none is left out."""
    newest = {}
    for path in paths:
        _, _, name, number = path.split("/")
        expected = newest.get(name, -1) + 1
        if int(number) > expected:
            return False
        newest[name] = int(number)
    return True


@LONG
def test_two_replayers_share_a_topic_and_one_goes_on_alone(shardlift, stub, target, kafka, topic):
    with proxy(shardlift, stub.url, *to_kafka(kafka, topic)) as one:
        all_of_them = writers(one.port, 8)
        more_acknowledged(all_of_them, 10)
        first = Replayer(shardlift, kafka, topic, target.url, name="first")
        try:
            wait_for(lambda: len(target.seen()) > 20, "the first replayer to send")
            second = Replayer(shardlift, kafka, topic, target.url, name="second")
            try:
                # Partitions go to the second while it is written and sent.
                wait_for(lambda: second.status().get("requests", 0) > 0, "the second to read")
                more_acknowledged(all_of_them, 10)
                assert first.stop() == INTERRUPTED
                more_acknowledged(all_of_them, 10)
                for writer in all_of_them:
                    writer.stop()
                wanted = {path for writer in all_of_them for path in writer.acknowledged}
                wait_for(lambda: wanted <= set(target.seen()), "all to be sent")
                wait_for(second.has_caught_up, "the second to catch up")
            finally:
                second.stop()
        finally:
            first.stop()
    assert connections_in_order(target.seen())


@LONG
def test_brokers_that_ask_who_we_are(shardlift, stub, target, tmp_path, topic):
    broker = Broker(tmp_path / "broker", "4.1", *support.PARTITIONS, "--security", "we:pass word",
                    "--tls", "yes")
    tls = "--kafka-ca-cert", tmp_path / "broker" / "config" / "cert.pem"
    plain = "--kafka-sasl-mechanism", "PLAIN", "--kafka-username", "we"
    properties = tmp_path / "properties"
    properties.write_text(
        "# as the Java client's\nsecurity.protocol=SASL_SSL\nsasl.mechanism=PLAIN\n"
        "sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required "
        'username="we" password="pass word";\nkey.serializer=x.y.Z\n'
        f"ssl.ca.location={tls[1]}\n")
    try:
        shardlift.environment["SHARDLIFT_KAFKA_PASSWORD"] = "pass word"
        with proxy(shardlift, stub.url, *to_kafka(broker, topic), *tls, *plain) as one:
            (writer,) = writers(one.port, 1)
            more_acknowledged([writer], 5)
            writer.stop()
            assert "pass word" not in one.log
        del shardlift.environment["SHARDLIFT_KAFKA_PASSWORD"]
        shown = shardlift("traffic", "show", *to_kafka(broker, topic), "--mode", "http",
                          "--kafka-config-file", properties)
        assert shown.code == OK and writer.acknowledged[-1] in shown.out, shown
        for flags, reason in (
                ([*tls, *plain, "--kafka-password", "wrong"], "refuse these credentials"),
                ([*tls, "--kafka-auth-type", "scram-sha-512", "--kafka-username", "we",
                  "--kafka-password", "pass word"], "SCRAM never works with Kafka 4"),
                (["--kafka-tls"], "TLS with the brokers")):
            refused = shardlift("traffic", "show", *to_kafka(broker, topic), *flags)
            assert refused.code == UNREACHABLE and reason in refused.err, refused
            assert "pass word" not in refused.err
    finally:
        broker.stop()


@LONG
def test_a_replayer_that_is_killed_loses_nothing(shardlift, stub, target, kafka, topic, tmp_path):
    quick = tmp_path / "properties"
    quick.write_text("session.timeout.ms=6000\nheartbeat.interval.ms=1000\n")
    flags = "--kafka-config-file", quick
    with proxy(shardlift, stub.url, *to_kafka(kafka, topic)) as one:
        all_of_them = writers(one.port, 8)
        second = None
        first = Replayer(shardlift, kafka, topic, target.url, *flags, name="first")
        try:
            wait_for(lambda: len(target.seen()) > 20, "the first replayer to send")
            second = Replayer(shardlift, kafka, topic, target.url, *flags, name="second")
            wait_for(lambda: second.status().get("requests", 0) > 0, "the second to read")
            first.stop(signal.SIGKILL)
            more_acknowledged(all_of_them, 50)
            for writer in all_of_them:
                writer.stop()
            wanted = {path for writer in all_of_them for path in writer.acknowledged}
            wait_for(lambda: wanted <= set(target.seen()), "all to be sent")
        finally:
            if second:
                second.stop()
            first.stop(signal.SIGKILL)
    assert connections_in_order(target.seen())


def test_records_go_into_a_topic_and_out_of_it(shardlift, stub, kafka, topic):
    """traffic import and export, with the key and the bytes of each record."""
    with proxy(shardlift, stub.url) as one:
        all_of_them = writers(one.port, 3)
        more_acknowledged(all_of_them, 20)
        for writer in all_of_them:
            writer.stop()
    log = shardlift.state_dir / "capture" / "test"
    imported = shardlift("traffic", "import", log, *to_kafka(kafka, topic))
    assert imported.code == OK, imported
    lines = shardlift("traffic", "export", log).out.splitlines()
    back = list(exported(shardlift, kafka, topic))
    assert sorted(back) == sorted((key, base64.b64decode(record)) for key, _, record in
                                  (line.partition("|") for line in lines))
    for key in {key for key, _ in back}:
        of_log = [line.partition("|")[2] for line in lines if line.startswith(key)]
        assert [base64.b64encode(r).decode() for k, r in back if k == key] == of_log
    missing = shardlift("traffic", "export", "--kafka-brokers", "127.0.0.1:1", timeout=CEILING)
    assert missing.code == UNREACHABLE and "no Kafka broker of 127.0.0.1:1" in missing.err, missing
    both = shardlift("traffic", "export", log, *to_kafka(kafka, topic))
    assert both.code == USAGE, both

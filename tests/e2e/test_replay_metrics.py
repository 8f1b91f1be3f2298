"""The numbers that a replay serves: each name that the Java replayer has for them, and what they say of
a recording whose requests are known."""

import json
import re
import signal
import subprocess
import urllib.request

import pytest

import support
from capture_support import CEILING, wait_for
from support import INTERRUPTED, OK, PROGRAM, ROOT
from test_replay_target import ANSWER, Target, serving, written

# What the Java replayer calls them (capture-and-replay, 3.11), but for what there is none of here:
# waitForNextBackPressureCheck, touch and kafkaPoll are its own way of waiting.
ACTIVITIES = """channel tcpConnection recordLifetime trafficStreamLifetime httpTransaction
    accumulatingRequest accumulatingResponse transformation scheduled targetTransaction
    requestConnecting requestSending waitingForResponse receivingResponse comparingResults
    readNextTrafficStreamChunk backPressureBlock commit kafkaCommit""".split()
COUNTERS = """kafkaRecordsRead kafkaBytesRead trafficStreamsRead parsedHeader parsedPayload
    parsedPayloadSuccess transformedJsonRequired transformedJsonSucceeded transformedTextSucceeded
    transformedTextFailed transformedPayloadBinary originalPayloadBytesIn uncompressedBytesIn
    uncompressedBytesOut finalPayloadBytesOut transformSuccess transformSkipped transformError
    transformBytesIn transformBytesOut transformChunksIn transformChunksOut numRetriedRequests
    nonRetryableConnectionFailures connectionsOpened connectionsClosedCount bytesWrittenToTarget
    bytesReadFromTarget tupleComparison partitionsAssigned partitionsRevoked""".split()
GAUGES = """scheduleLag lagBetweenSourceAndTargetRequests activeReplayerChannels
    activeTargetConnections numPartitionsAssigned""".split()


def request(method, path, body, kind="application/json"):
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}"
    return f"{head}\r\n\r\n".encode() + body


JSON, TEXT, BINARY = b'{"a":1}', b"plain words", b"\xff\xfe\x00\x01"
REQUESTS = [request("POST", "/json", JSON), request("POST", "/text", TEXT, "text/plain"),
            request("POST", "/binary", BINARY, "application/smile"),
            request("POST", "/lost", JSON)]
# Changes what is asked for as /json, and nothing else.
TRANSFORM = json.dumps([{"JsonConditionalTransformerProvider": [
    {"JsonJMESPathPredicateProvider": {"script": "URI == '/json'"}},
    [{"JsonJMESPathTransformerProvider": {
        "script": "{method: method, URI: '/changed', protocol: protocol, headers: headers, "
                  "payload: payload}"}}]]}])


def parse(text):
    """Values by sample as it is written, and the type of each metric."""
    samples = dict(re.findall(r"(?m)^([A-Za-z_:][\w:]*(?:\{[^}]*\})?) (\S+)$", text))
    return ({name: float(value) for name, value in samples.items()},
            dict(re.findall(r"(?m)^# TYPE (\S+) (\S+)$", text)))


class Losing(Target):
    """Has nothing at /lost."""

    def __init__(self):
        super().__init__()
        handler = self.RequestHandlerClass

        class Handler(handler):
            def do_POST(self):
                if self.path != "/lost":
                    super().do_POST()
                    return
                self.rfile.read(int(self.headers["Content-Length"]))
                self.wfile.write(ANSWER.replace(b"200 OK", b"404 Not Found"))

        self.RequestHandlerClass = Handler


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """What is told when all four requests are done: samples and types."""
    folder = tmp_path_factory.mktemp("metrics")
    shardlift = support.Program(folder / "state")
    log, errors = folder / "log", folder / "stderr"
    assert shardlift("traffic", "import", written(folder / "in", *REQUESTS), log).code == OK
    with serving(Losing()) as target, open(errors, "wb") as file:
        process = subprocess.Popen(
            [str(PROGRAM), "replay", "--input", log, "--group", "g", "--follow", "--target-uri",
             target.url, "--max-attempts", "2", "--transformer-config", TRANSFORM,
             "--metrics-port", "0"], env=shardlift.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=file)
        try:
            url = wait_for(lambda: re.search(r"http://\S+/metrics", errors.read_text()), "a port")[0]

            def all_done():
                with urllib.request.urlopen(url, timeout=CEILING) as answer:
                    found = parse(answer.read().decode())
                return found[0]["httpTransactionCount_total"] == len(REQUESTS) and found

            found = wait_for(all_done, "all requests to be done")
            process.send_signal(signal.SIGTERM)
            assert process.wait(CEILING) == INTERRUPTED
        finally:
            process.kill()
            process.wait()
    return found


def test_every_name_of_the_java_replayer_is_there(served):
    samples, types = served
    for name in ACTIVITIES:
        assert types.get(f"{name}Count_total") == "counter", name
        assert types.get(f"{name}ExceptionCount_total") == "counter", name
        assert types.get(f"{name}Duration_milliseconds") == "histogram", name
        assert samples[f"{name}Duration_milliseconds_count"] == samples[f"{name}Count_total"]
        assert samples[f'{name}Duration_milliseconds_bucket{{le="+Inf"}}'] == \
            samples[f"{name}Count_total"]
    assert [name for name in COUNTERS if types.get(f"{name}_total") != "counter"] == []
    assert [name for name in GAUGES if types.get(name) != "gauge"] == []


def test_documents_name_what_is_served(served):
    _, types = served
    text = (ROOT / "docs" / "metrics.md").read_text().partition("## Replay")[2].partition("\n## ")[0]
    named = set(re.findall(r"`([A-Za-z_]+)(?:\{[^`]*\})?`", text))
    bare = {name.removesuffix("_total") for name in types}
    assert named <= bare | set(types) | set(ACTIVITIES), named - bare - set(types) - set(ACTIVITIES)
    assert set(ACTIVITIES + COUNTERS + GAUGES) <= {name.removesuffix("_total") for name in named}


def test_what_is_counted_is_what_was_recorded(served):
    samples, _ = served
    bodies = sum(map(len, (JSON, TEXT, BINARY, JSON)))
    expected = {
        "trafficStreamsRead_total": 4, "kafkaRecordsRead_total": 4,
        "readNextTrafficStreamChunkCount_total": 4, "accumulatingRequestCount_total": 4,
        "accumulatingResponseCount_total": 4, "parsedHeader_total": 4, "parsedPayload_total": 4,
        "transformationCount_total": 4, "transformationExceptionCount_total": 0,
        "transformedJsonRequired_total": 2, "transformedJsonSucceeded_total": 2,
        "transformedPayloadBinary_total": 1, "transformSuccess_total": 1,
        "transformSkipped_total": 3, "transformError_total": 0,
        "originalPayloadBytesIn_total": bodies, "uncompressedBytesIn_total": bodies,
        "uncompressedBytesOut_total": bodies, "finalPayloadBytesOut_total": bodies,
        "transformBytesIn_total": sum(map(len, REQUESTS)), "transformChunksIn_total": 4,
        "transformChunksOut_total": 4, "scheduledCount_total": 4,
        "targetTransactionCount_total": 4, "targetTransactionExceptionCount_total": 0,
        "httpTransactionCount_total": 4, "recordLifetimeCount_total": 4,
        "comparingResultsCount_total": 4, "numRetriedRequests_total": 1,
        "requestSendingCount_total": 5, "waitingForResponseCount_total": 5,
        "receivingResponseCount_total": 5, "requestConnectingCount_total": 4,
        "requestConnectingExceptionCount_total": 0, "connectionsOpened_total": 4,
        "shardlift_replay_outstanding": 0, "partitionsAssigned_total": 0,
    }
    assert {name: samples[name] for name in expected} == expected
    # What was captured and what went out are one but for the Host and the changed path.
    assert samples["transformBytesOut_total"] > samples["transformBytesIn_total"]
    assert samples["commitCount_total"] >= 1
    assert samples["process_resident_memory_bytes"] > 1e6
    compared = {name: value for name, value in samples.items() if name.startswith("tupleComparison")}
    assert compared == {
        'tupleComparison_total{statusCodesMatch="true",sourceStatusCode="200",'
        'targetStatusCode="200",method="POST"}': 3,
        'tupleComparison_total{statusCodesMatch="false",sourceStatusCode="200",'
        'targetStatusCode="400",method="POST"}': 1,
        'tupleComparison_total{statusCodesMatch="true",sourceStatusCode="200",'
        'targetStatusCode="200",method="GET"}': 0,
        'tupleComparison_total{statusCodesMatch="false",sourceStatusCode="200",'
        'targetStatusCode="400",method="GET"}': 0}

"""What the tests lean on: the program under test, JSON with its digits, fixtures, real nodes."""

import collections
import gzip
import json
import os
import pathlib
import random
import re
import signal
import socket
import subprocess
import tarfile
import time

import opensearchpy
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "fixtures"
PROGRAM = pathlib.Path(os.environ.get("SHARDLIFT_PROGRAM", ROOT / "build-asan" / "shardlift"))

# src/base/err.h
OK, ERRORS, USAGE, UNREACHABLE, BLOCKED, SOURCE, LOCAL_IO, TIMEOUT, INTERRUPTED = range(9)

SANITIZER_EXIT = 99
SANITIZER_REPORT = re.compile(r"Sanitizer|runtime error:|shardlift: bug", re.IGNORECASE)


def free_port():
    """One that nobody asks the kernel for: it is outside the range of those that are given out."""
    low = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.randrange(low - 8000, low - 1)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


class Number(str):
    """A JSON number as it was written: 1, 1.0 and 1e0 are three."""

    def __eq__(self, other):
        return isinstance(other, Number) and str.__eq__(self, other)

    __hash__ = str.__hash__


def parse(text):
    return json.loads(text, parse_int=Number, parse_float=Number)


def canonical(value):
    """A text that two JSON values share when they are equal: members in order, digits as written."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        return "{%s}" % ",".join(f"{json.dumps(k)}:{canonical(value[k])}" for k in sorted(value))
    if isinstance(value, list):
        return "[%s]" % ",".join(map(canonical, value))
    return json.dumps(value)


Document = collections.namedtuple("Document", "type id routing source")


class Result:
    def __init__(self, arguments, process):
        self.arguments = arguments
        self.code = process.returncode
        self.out = process.stdout.decode()
        self.err = process.stderr.decode()

    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return (f"{' '.join(self.arguments)}\nexit code {self.code}\n"
                f"--- standard output\n{self.out[-4000:]}\n--- standard error\n{self.err[-4000:]}")


class Program:
    """Runs the program under test with a state directory of its own."""

    def __init__(self, state_dir):
        self.state_dir = state_dir
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("SHARDLIFT_")}
        self.environment.update(
            SHARDLIFT_HOME=str(state_dir),
            ASAN_OPTIONS=f"exitcode={SANITIZER_EXIT}:detect_stack_use_after_return=1",
            UBSAN_OPTIONS=f"exitcode={SANITIZER_EXIT}:halt_on_error=1:print_stacktrace=1",
        )

    def __call__(self, *arguments, timeout=120, env=None, **popen):
        arguments = [str(a) for a in arguments]
        if "input" not in popen:
            popen["stdin"] = subprocess.DEVNULL
        process = subprocess.run([str(PROGRAM), *arguments], capture_output=True, timeout=timeout,
                                 env={**self.environment, **(env or {})}, **popen)
        result = Result(arguments, process)
        assert OK <= result.code <= INTERRUPTED, result
        assert not SANITIZER_REPORT.search(result.err), result
        return result


def unpack(name, folder):
    """The repository of fixture `name` ("es-7.10.2", "os-3.8.0.chunked") below `folder`."""
    with tarfile.open(FIXTURES / f"{name}.tar.gz") as tar:
        tar.extractall(folder)
    return pathlib.Path(folder) / "repo"


def expected_documents(name, snapshot):
    """index -> the documents that `name` holds in `snapshot`; None for those that store no _source.

    Synthetic sources are left out with the disabled ones: no segment stores them."""
    indices = collections.defaultdict(list)
    with gzip.open(FIXTURES / f"{name}.expected.ndjson.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            row = parse(line)
            if row["snapshot"] != snapshot:
                continue
            source = row.get("_source", row.get("source"))
            if source is None or row["index"] == "synthetic":
                indices[row["index"]] = None
            else:
                indices[row["index"]].append(Document(row.get("type", "_doc"), row["id"],
                                                      row.get("routing"), canonical(source)))
    return dict(indices)


def written_documents(folder):
    """index -> the documents in the bulk lines below a `dir:` target; types as far as written."""
    indices = {}
    for path in sorted(pathlib.Path(folder).glob("*/*")):
        opener = gzip.open if path.suffix == ".gz" else open
        assert ".ndjson" in path.suffixes, f"{path} should not be there"
        with opener(path, "rt", encoding="utf-8", newline="\n") as lines:
            for action in lines:
                action = parse(action)["index"]
                source = canonical(parse(next(lines)))
                indices.setdefault(action["_index"], []).append(
                    Document(action.get("_type", "_doc"), action["_id"], action.get("routing"),
                             source))
    return indices


def assert_same(got, expected, what, types=False):
    """Both are lists of documents; the message shows the first few that differ."""
    if not types:
        got = [d._replace(type="_doc") for d in got]
        expected = [d._replace(type="_doc") for d in expected]
    got, expected = collections.Counter(got), collections.Counter(expected)
    missing, surplus = expected - got, got - expected
    assert not missing and not surplus, (
        f"{what}: {missing.total()} missing, {surplus.total()} surplus of {expected.total()}\n"
        f"missing: {list(missing)[:2]}\nsurplus: {list(surplus)[:2]}"[:3000])


class DigitsSerializer(opensearchpy.serializer.JSONSerializer):
    def loads(self, text):
        return parse(text)


# What a launcher ends with where this machine cannot run such a node.
MISSING = 77


class Node:
    """A real node; `client` speaks to it and keeps the digits of what comes back."""

    def __init__(self, kind, version, folder, *options):
        self.launcher = ROOT / "tests" / "nodes" / kind
        self.kind, self.version, self.folder = kind, version, folder
        self.repositories = folder / "repositories"
        command = [str(self.launcher), version, "--data", str(folder), "--owner", str(os.getpid()),
                   "--repo", str(self.repositories), *options]
        started = subprocess.run(command, capture_output=True, text=True, timeout=590)
        if started.returncode == MISSING:
            pytest.skip(started.stderr.strip())
        if started.returncode:
            raise NodeError(started.stderr)
        self.url = started.stdout.strip()
        self.client = self.connect()

    def connect(self, **options):
        return opensearchpy.OpenSearch(self.url, serializer=DigitsSerializer(), timeout=60,
                                       **options)

    def api(self, method, path, body=None):
        return self.client.transport.perform_request(method, path, body=body)

    def documents(self, index):
        """All documents of an index, by a scroll."""
        self.client.indices.refresh(index=index)
        page = self.client.search(index=index, scroll="1m", size=1000,
                                  body={"query": {"match_all": {}}})
        found = []
        while page["hits"]["hits"]:
            found += [Document(h.get("_type", "_doc"), h["_id"], h.get("_routing"),
                               canonical(h["_source"])) for h in page["hits"]["hits"]]
            page = self.client.scroll(body={"scroll_id": page["_scroll_id"], "scroll": "1m"})
        self.client.clear_scroll(body={"scroll_id": [page["_scroll_id"]]})
        return found

    def clear(self):
        """As if just started: no indices, templates or repositories."""
        for path in ("/_data_stream/*", "/*?expand_wildcards=all", "/_template/*",
                     "/_index_template/*", "/_component_template/*", "/_snapshot/*"):
            try:
                self.api("DELETE", path)
            except opensearchpy.exceptions.TransportError as error:
                if error.status_code not in (400, 404, 405):  # nothing there, or no such thing yet
                    raise

    def stop(self):
        subprocess.run([str(self.launcher), "stop", "--data", str(self.folder)], check=True)


class NodeError(Exception):
    pass


# Topics are made when they are first asked for.
PARTITIONS = ("--setting", "num.partitions=3")


class Broker:
    """A real Kafka broker; `address` is what clients connect to."""

    LAUNCHER = ROOT / "tests" / "nodes" / "kafka-node"

    def __init__(self, folder, version="4.1", *options):
        self.folder, self.version, self.options, self.port = folder, version, options, None
        self.start()

    def start(self):
        """Again on the same port with the same topics, when it was there before."""
        command = [str(self.LAUNCHER), self.version, "--data", str(self.folder),
                   "--owner", str(os.getpid()), *self.options]
        if self.port:
            command += ["--port", self.port]
        started = subprocess.run(command, capture_output=True, text=True, timeout=590)
        if started.returncode:
            raise NodeError(started.stderr)
        self.address = started.stdout.strip()
        self.port = self.address.rpartition(":")[2]

    @property
    def pid(self):
        return int((self.folder / "pid").read_text())

    def is_alive(self):
        """A process that was killed has no command line, even while nobody took its end."""
        try:
            return pathlib.Path(f"/proc/{self.pid}/cmdline").read_bytes() != b""
        except FileNotFoundError:
            return False

    def kill(self):
        """At once, with nothing written that was not."""
        os.kill(self.pid, signal.SIGKILL)
        while self.is_alive():
            time.sleep(0.05)

    def tool(self, name, *arguments):
        """A class of org.apache.kafka.tools, that speaks to this broker."""
        result = subprocess.run(
            [str(self.LAUNCHER), "tool", self.version, f"org.apache.kafka.tools.{name}",
             "--bootstrap-server", self.address, *arguments],
            capture_output=True, text=True, timeout=300)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    def stop(self):
        subprocess.run([str(self.LAUNCHER), "stop", "--data", str(self.folder)], check=True)


class NodePool:
    """Nodes by kind and version, started when first asked for and kept for the whole run.

    At most three run at once: the one that was asked for longest ago makes room."""

    LIMIT = 3

    def __init__(self, folder):
        self.folder = folder
        self.nodes = collections.OrderedDict()

    def get(self, kind, version, *options):
        key = (kind, version, *options)
        if key not in self.nodes:
            if len(self.nodes) == self.LIMIT:
                self.nodes.popitem(last=False)[1].stop()
            folder = self.folder / f"{kind}-{version}-{len(list(self.folder.iterdir()))}"
            self.nodes[key] = Node(kind, version, folder, *options)
        self.nodes.move_to_end(key)
        return self.nodes[key]

    def stop(self):
        for node in self.nodes.values():
            node.stop()

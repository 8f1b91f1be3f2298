"""Three moves that faults are put into: a backfill, live traffic through the capture proxy, and a replay
of such traffic. Each is driven until it is done, however often it stops, and then compared."""

import contextlib
import json
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

import support
from live_store import LiveStore
from support import OK, Document, canonical, parse
from wire import Wire

CEILING = 120   # seconds, for one step
MOST_STARTS = 6
HOUR, YEAR = 3600, 365 * 86400
FIXTURE, SNAPSHOT, INDICES = "es-7.10.2", "snap1", ["logs-2020.01", "logs-2020.02", "books"]
LOAD = support.ROOT / "tests" / "load" / "load"
# What a run may end with when something is in its way, and what it then says.
STOPS = {support.ERRORS, support.UNREACHABLE, support.SOURCE, support.LOCAL_IO, support.TIMEOUT,
         support.INTERRUPTED}
NAMED = re.compile(r"^(?:shardlift: .*|\S+Z error .*)$", re.M)


class Stopped:
    """How one start of the program ended."""

    def __init__(self, code, said):
        self.code, self.said = code, said
        found = NAMED.findall(said)
        self.name = found[-1].strip() if found else ""


class Scenario:
    """`begin` starts it, at `moments` faults happen, `finish` goes on with the same command until it is
    done, `check` compares."""

    program = support.PROGRAM
    restarts_itself = False  # what ends is started anew at once, as by a service manager
    kill_expected = False
    loses_answers = False  # the fault may take an answer away that nobody records
    storm_length = 7
    clock_jumps = [30, HOUR, YEAR]
    result = None          # of check, where the fault had to do it

    def __init__(self, shardlift, folder):
        self.shardlift, self.folder = shardlift, pathlib.Path(folder)
        self.state = shardlift.state_dir
        self.state.mkdir(parents=True, exist_ok=True)
        self.store = LiveStore()
        self.wire = Wire(self.store.server_port)
        self.stops = []
        self.process = None
        self.starts = 0
        self.environment, self.launcher = {}, []
        self.options = []

    def launch(self, command):
        self.starts += 1
        self.said = self.folder / f"stderr-{self.starts}"
        with open(self.said, "wb") as err:
            self.process = subprocess.Popen(
                [*self.launcher, str(self.program), *map(str, command), *map(str, self.options)],
                env={**self.shardlift.environment, **self.environment}, stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=err)

    def pid(self):
        """Of the process that a fault is for."""
        return self.process.pid

    def signal(self, number):
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)

    def kill(self):
        self.kill_expected = True
        self.signal(signal.SIGKILL)

    def pause(self, seconds):
        self.signal(signal.SIGSTOP)
        time.sleep(seconds)
        self.signal(signal.SIGCONT)

    def ended(self):
        """The process has: notes how."""
        code, said = self.process.wait(CEILING), self.said.read_text(errors="replace")
        stopped = Stopped(code, said)
        assert code != support.SANITIZER_EXIT, said
        assert not re.search(r"Sanitizer|runtime error:", said), said
        if code == -signal.SIGKILL and self.kill_expected:
            self.kill_expected = False
            stopped.name = "killed"
        elif code == -signal.SIGABRT:
            assert "out of memory" in said, (code, said)
        elif code != OK:
            assert code in STOPS and stopped.name, (code, said)
        self.stops.append(stopped)
        return stopped

    def end(self):
        if self.process and self.process.poll() is None:
            self.signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()
        self.wire.stop()
        self.store.stop()

    def names(self):
        """The errors that it stopped with, in short."""
        return [s.name for s in self.stops if s.code != OK]


class Runs(Scenario):
    """A program that ends by itself."""

    def begin(self):
        self.launch(self.command())

    def run_once(self):
        self.begin()
        return self.ended()

    def finish(self):
        """The fault was met, the program runs or has ended: the same command until all is done."""
        if not self.stops or self.process.poll() is None:
            self.ended()
        while self.stops[-1].code != OK:
            assert self.starts < MOST_STARTS, [(s.code, s.said) for s in self.stops]
            self.run_once()


def assert_fixture(documents):
    """Those of a LiveStore are those of the fixture's indices; returns how many."""
    got = {}
    for (index, id), (_, routing, source) in documents.items():
        got.setdefault(index, []).append(Document("_doc", id, routing, canonical(parse(source))))
    expected = support.expected_documents(FIXTURE, SNAPSHOT)
    for index in INDICES:
        support.assert_same(got.pop(index, []), expected[index], index)
    assert not got, f"indices that nobody asked for: {list(got)}"
    return sum(len(expected[index]) for index in INDICES)


class Backfill(Runs):
    name = "backfill"
    writes = 35  # about so many bulks

    def __init__(self, shardlift, folder, repository, recorded):
        super().__init__(shardlift, folder)
        self.repository = self.folder / "repository"
        shutil.copytree(repository(FIXTURE), self.repository)

    def command(self):
        return ["backfill", "--repo-uri", self.repository, "--snapshot-name", SNAPSHOT,
                "--target-host", self.wire.url, "--index-allowlist", ",".join(INDICES),
                "--session-name", "s", "--documents-per-bulk-request", 10, "--max-connections", 2,
                "--max-range-size", "64KiB", "--tune-target", "false", "--target-request-timeout", "3s",
                "--target-retry-time", "20s", "--initial-lease-duration", "3s"]

    def state_files(self):
        return sorted((self.state / "work").glob("*.db*"))

    def check(self):
        return assert_fixture(self.store.documents.alive())


class Recorded:
    """Traffic of the load generator, recorded once, and what it made of the source."""

    requests = 150

    def __init__(self, log, documents, writes):
        self.log, self.documents, self.writes = log, documents, writes


def compare(got, expected, what):
    """key -> version, routing, source; both of LiveStores."""
    def plain(documents):
        return {key: (version, routing, json.loads(source))
                for key, (version, routing, source) in documents.items()}
    got, expected = plain(got), plain(expected)
    missing = [key for key in expected if key not in got]
    surplus = [key for key in got if key not in expected]
    other = [(key, got[key], expected[key]) for key in got
             if key in expected and got[key] != expected[key]]
    assert not missing and not surplus and not other, (
        f"{what}: of {len(expected)} {len(missing)} missing, {len(surplus)} surplus, {len(other)} "
        f"differ\n{missing[:3]}\n{surplus[:3]}\n{other[:2]}"[:3000])
    return len(expected)


class Replay(Runs):
    name = "replay"

    def __init__(self, shardlift, folder, repository, recorded):
        super().__init__(shardlift, folder)
        self.recorded = recorded()
        self.disk = self.folder / "disk"
        self.disk.mkdir()
        self.log, self.tuples = self.disk / "log", self.disk / "tuples"
        self.writes = self.recorded.writes
        self.copy_log()

    def copy_log(self):
        shutil.copytree(self.recorded.log, self.log)

    def command(self):
        return ["replay", "--input", self.log, "--group", "g", "--target-uri", self.wire.url,
                "--source-versions", "--speedup-factor", 10**9, "--tuples", self.tuples,
                "--target-retry-time", "20s", "--target-response-timeout", 3]

    def state_files(self):
        return [self.log / "groups" / "g", *sorted(self.tuples.glob("*.gz"))]

    def check(self):
        return compare(self.store.documents.alive(), self.recorded.documents, "replay")


def replay_into_new(shardlift, log, folder):
    """What a replay of the log makes of an empty cluster."""
    store = LiveStore()
    try:
        result = shardlift("replay", "--input", log, "--target-uri", store.url, "--source-versions",
                           "--speedup-factor", 10**9, "--tuples", folder / "tuples-of-check")
        assert result.code in (OK, support.ERRORS), result
        return store.documents.alive()
    finally:
        store.stop()


class Capture(Scenario):
    """The load generator -> `clients` -> proxy -> `wire` -> source. A proxy that ends is started anew,
    as a service manager does."""

    name = "capture"
    restarts_itself = True
    requests, connections = 120, 4

    def __init__(self, shardlift, folder, repository, recorded):
        super().__init__(shardlift, folder)
        self.disk = self.folder / "disk"
        self.disk.mkdir()
        self.log = self.disk / "log"
        self.clients = Wire()
        self.journal = self.folder / "journal"
        self.writes = self.requests // 2
        self.load = self.nurse = None
        self.seed = 1
        self.over = False
        # No reads: a replay asks again when a document is not there yet, or no more.
        self.only = "index,create,auto,bulk,update,upsert,delete"

    def command(self):
        return ["capture", "--name", "c", "--to", self.wire.url, "--listen-host", "127.0.0.1",
                "--listen-port", 0, "--num-threads", 2, "--log", self.log, "--sync", "always",
                "--capture-timeout", "10s"]

    def start_proxy(self):
        """False: it ended before it listened."""
        self.launch(self.command())
        end = time.monotonic() + CEILING
        while time.monotonic() < end:
            found = re.search(r"listening on \S+ port (\d+) for ", self.said.read_text(errors="replace"))
            if found:
                self.clients.to = int(found.group(1))
                return True
            if self.process.poll() is not None:
                self.ended()
                return False
            time.sleep(0.01)
        raise AssertionError(f"the proxy does not listen:\n{self.said.read_text()}")

    def begin(self):
        while not self.start_proxy():
            assert self.starts < MOST_STARTS, self.names()
            self.after_end()
        self.start_load()
        self.nurse = threading.Thread(target=self.start_again)
        self.nurse.start()

    def start_load(self):
        independent = ["--ids", 10**12] if self.loses_answers else ["--ids", 40]
        self.load = subprocess.Popen(
            [sys.executable, str(LOAD), "--url", self.clients.url, "--requests", str(self.requests),
             "--connections", str(self.connections), "--seed", str(self.seed), "--no-scripts",
             "--only", "index,create" if self.loses_answers else self.only, *map(str, independent),
             "--timeout", "30", "--journal", str(self.journal)], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def start_again(self):
        self.trouble = None
        try:
            while not self.is_written():
                if self.process.poll() is not None:
                    self.ended()
                    assert self.starts < MOST_STARTS, self.names()
                    self.after_end()
                    self.start_proxy()
                    if self.was_refused():
                        self.start_load()
                time.sleep(0.01)
        except BaseException as error:  # told by finish
            self.trouble = error
            self.load.kill()

    def was_refused(self):
        return self.load.poll() is not None and self.load.returncode != 0 and not self.acknowledged()

    def is_written(self):
        """The load has ended. One whose first request was refused comes again, to another proxy."""
        if self.was_refused() and self.starts < MOST_STARTS:
            self.restart_broken()
            self.process.wait(CEILING)
            return False
        return self.load.poll() is not None

    def restart_broken(self):
        """A service manager's or a human's, when the proxy can store nothing any more."""
        self.signal(signal.SIGTERM)

    def after_end(self):
        """Between the end of a proxy and the start of the next."""

    def finish(self):
        self.nurse.join(CEILING)
        if self.trouble:
            raise self.trouble
        said, _ = self.load.communicate(timeout=CEILING)
        assert self.load.returncode == 0, said
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        self.ended()
        # One that cannot store anything any more ends with an error; the next is fine.
        while self.stops[-1].code != OK:
            assert self.starts < MOST_STARTS, self.names()
            self.after_end()
            if self.start_proxy():
                self.signal(signal.SIGTERM)
                self.ended()

    def acknowledged(self):
        lines = self.journal.read_text().splitlines() if self.journal.exists() else []
        return [line for line in map(json.loads, lines) if line["kind"] == "write"]

    def check(self):
        """All that a client was told is at the source, and the log makes the same of an empty cluster."""
        source = self.store.documents.alive()
        acknowledged = self.acknowledged()
        assert acknowledged, "no write was acknowledged"
        got = replay_into_new(self.shardlift, self.log, self.folder)
        if not self.loses_answers:
            compare(got, source, "capture and replay")
            return len(acknowledged)
        # A write whose answer was lost may be in the log alone: it is there when the client does not know.
        told = {(line["index"], line["id"]) for line in acknowledged if line["result"] != "deleted"}
        assert told <= set(source), f"acknowledged, and not at the source: {list(told - set(source))[:3]}"
        compare({key: got[key] for key in got if key in source}, source, "capture and replay")
        surplus = [key for key in got if key not in source]
        assert len(surplus) <= self.connections * self.starts, surplus
        return len(acknowledged)

    def state_files(self):
        return sorted(self.log.glob("*.segment"))[-1:]

    def end(self):
        if self.load and self.load.poll() is None:
            self.load.kill()
            self.load.wait()
        if self.nurse:
            self.nurse.join()
        self.clients.stop()
        super().end()


def record(shardlift, folder):
    """A Recorded: the capture scenario without a fault."""
    capture = Capture(shardlift, folder, None, None)
    try:
        capture.requests, capture.seed = Recorded.requests, 7
        capture.begin()
        capture.finish()
        documents, writes = capture.store.documents.alive(), capture.store.writes
        assert len(capture.stops) == 1
        return Recorded(capture.log, documents, writes)
    finally:
        capture.end()

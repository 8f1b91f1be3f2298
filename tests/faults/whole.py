"""The fourth move: a whole migration without downtime, as `workflow` carries it out. Clients write
through a proxy while a snapshot is backfilled and what they write is replayed; then they are cut
over to the target. An engine that ends is started anew, as a service manager does."""

import contextlib
import json
import os
import pathlib
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import support
from live_store import LiveStore
from scenarios import CEILING, FIXTURE, HOUR, INDICES, LOAD, MOST_STARTS, SNAPSHOT, Scenario, assert_fixture
from wire import Wire

PROXY, REPLAYER = "front", "front-target-mirror"
GATE = f"cutover.{REPLAYER}"
PATIENCE = 4 * CEILING  # steps that failed are tried again after 10, 20 and 40 s
LONGEST = 30 * 60  # of a run, on a machine with a load of 50
MOST_SUBMITS = 4
CONFIGURATION = """
sourceClusters:
  source:
    endpoint: {source}
    version: ES 7.10.2
    snapshotInfo:
      repos:
        backups: {{repoPathUri: "file://{repository}"}}
      snapshots:
        first: {{repoName: backups, config: {{externallyManagedSnapshotName: {snapshot}}}}}
targetClusters:
  target: {{endpoint: {target}}}
snapshotMigrationConfigs:
  - fromSource: source
    toTarget: target
    skipApprovals: true
    perSnapshotConfig:
      first:
        - documentBackfillConfig:
            {{podReplicas: 2, indexAllowlist: [{indices}], documentsPerBulkRequest: 10,
             maxConnections: 2, initialLeaseDuration: PT3S}}
traffic:
  proxies:
    front:
      source: source
      skipApproval: true
      proxyConfig: {{listenPort: {port}, listenHost: 127.0.0.1, tls: {{mode: plaintext}}}}
  replayers:
    mirror:
      fromCapturedTraffic: front
      toTarget: target
      dependsOnSnapshotMigrations: [{{source: source, snapshot: first}}]
      cutOver: true
      replayerConfig:
        {{speedupFactor: 1000, targetServerResponseTimeoutSeconds: 3}}
"""


def children_of(pid):
    with contextlib.suppress(OSError):
        return [int(child) for task in pathlib.Path(f"/proc/{pid}/task").iterdir()
                for child in (task / "children").read_text().split()]
    return []


class Workflow(Scenario):
    name = "workflow"
    restarts_itself = True
    # The replay keeps the pace of the capture's clock, 1000 times as fast: of a year it makes 9 hours.
    clock_jumps = [30, HOUR]
    writes = 80  # bulks of the backfill, and what is replayed and written at the target

    def __init__(self, shardlift, folder, repository, recorded):
        super().__init__(shardlift, folder)
        self.repository = repository(FIXTURE)
        self.source = LiveStore()
        self.source_wire, self.target_wire = Wire(self.source.server_port), self.wire
        self.journal = self.folder / "journal"
        self.log = self.state / "capture" / PROXY
        self.port = support.free_port()
        self.load = self.nurse = self.trouble = None
        self.over = self.may_start = False
        self.victim = None
        self.status = ""
        self.submits = 0

    @property
    def seed(self):
        return self.seed_of_load

    @seed.setter
    def seed(self, seed):
        """Also which process, and which network, the fault is for."""
        self.seed_of_load = seed
        chance = random.Random(seed)
        self.victim = chance.choice(["engine", PROXY, REPLAYER, "backfill", "all"])
        self.wire = chance.choice([self.source_wire, self.target_wire])

    # --- Processes ---

    def live(self, name):
        """The process of a proxy or a replayer, [] when it is not there."""
        with contextlib.suppress(OSError, ValueError, KeyError):
            pid = json.loads((self.state / "run" / f"{name}.pid").read_text())["pid"]
            if support.PROGRAM.name in pathlib.Path(f"/proc/{pid}/cmdline").read_text():
                return [pid]
        return []

    def victims(self):
        """Those that the fault is for; the engine, where one is not there yet, or no more."""
        engine = [self.process.pid] if self.process.poll() is None else []
        live = {name: self.live(name) for name in (PROXY, REPLAYER)}
        outlive = {pid for pids in live.values() for pid in pids}
        steps = [pid for pid in children_of(self.process.pid) if pid not in outlive]
        if self.victim == "all":
            return engine + steps + sorted(outlive)
        return {"backfill": steps[:1], **live}.get(self.victim) or engine

    def pid(self):
        return self.victims()[0]

    def signal(self, number):
        for pid in self.victims():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def pause(self, seconds):
        stopped = self.victims()
        for number in (signal.SIGSTOP, signal.SIGCONT):
            for pid in stopped:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
            if number == signal.SIGSTOP:
                time.sleep(seconds)

    def restart_broken(self):
        """A human's, when nothing can be stored any more."""
        self.victim = "all"
        self.signal(signal.SIGTERM)

    def start_engine(self):
        self.launch(["engine", "--stay"])

    def after_end(self):
        """Between the end of an engine and the start of the next."""

    def look(self):
        """What a human does who reads the status, before a run that failed is submitted again."""

    def start_again(self):
        try:
            while not self.over:
                if self.process.poll() is not None:
                    assert self.starts < MOST_STARTS, self.names()
                    self.kill_expected = self.kill_expected or self.process.returncode == -signal.SIGKILL
                    # `workflow submit` starts one where none is: it was quicker.
                    if "there can be one only" in self.ended().said:
                        self.starts -= 1
                        time.sleep(1)
                    self.after_end()
                    self.start_engine()
                time.sleep(0.05)
        except BaseException as error:  # told by wait_until
            self.trouble = error

    # --- What a user does ---

    def workflow(self, *arguments, text=""):
        return subprocess.run(
            [str(support.PROGRAM), "workflow", *arguments], input=text.encode(), capture_output=True,
            env={**self.shardlift.environment, **self.environment}, timeout=CEILING, check=False)

    def must(self, *arguments, text=""):
        """A command that a fault may stand in the way of is given again."""
        end = time.monotonic() + CEILING
        while (result := self.workflow(*arguments, text=text)).returncode != support.OK:
            assert result.returncode != support.USAGE and time.monotonic() < end, (arguments, result)
            time.sleep(0.5)
        return result.stdout.decode()

    def phase(self):
        self.status = self.workflow("status").stdout.decode()
        found = re.search(r"Phase: (\w+)", self.status)
        return found.group(1) if found else ""

    def wait_until(self, condition, what):
        end = time.monotonic() + PATIENCE
        while not condition():
            if self.trouble:
                raise self.trouble
            assert time.monotonic() < end, f"never came: {what}\n{self.workflow('status')}"
            time.sleep(0.1)

    def listens(self):
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
            return True
        return False

    def submit_again(self):
        self.submits += 1
        assert self.submits < MOST_SUBMITS, self.status
        self.note_failed()
        self.must("submit")

    def comes_up(self):
        """The proxy; a run may have failed before it did."""
        if not self.listens() and self.phase() == "Failed":
            self.look()
            self.submit_again()
        return self.listens()

    def begin(self):
        self.must("configure", "edit", "--stdin", text=CONFIGURATION.format(
            source=self.source_wire.url, target=self.target_wire.url, repository=self.repository,
            snapshot=SNAPSHOT, indices=", ".join(INDICES), port=self.port))
        self.start_engine()
        self.nurse = threading.Thread(target=self.start_again)
        self.nurse.start()
        # The fault is for what comes then: the engine only begins once it is submitted.
        self.must("submit")
        self.wait_until(self.comes_up, "the proxy")
        self.start_load()

    def start_load(self):
        ids = 10**12 if self.loses_answers else 40
        self.load = subprocess.Popen(
            [sys.executable, str(LOAD), "--url", f"http://127.0.0.1:{self.port}", "--connections", "2",
             "--rate", "6", "--seed", str(self.seed), "--ids", str(ids), "--only",
             "index,create,auto", "--timeout", "60", "--journal", str(self.journal)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def finish(self):
        approved = False
        end = time.monotonic() + LONGEST
        while (phase := self.phase()) != "Succeeded" or self.store.moments:
            self.wait_until(lambda: True, "")
            assert time.monotonic() < end, f"it does not come to its end:\n{self.status}"
            self.look()
            if phase == "Failed":
                self.submit_again()
            elif not approved and self.store.writes > self.writes * 0.7:
                approved = '"waiting"' in self.must("approve", "--list", "--output", "json") and \
                    self.workflow("approve", GATE).returncode == support.OK
            if self.load.poll() is not None:  # its first request was refused; clients come again
                assert not self.journal.exists() or not self.journal.read_text()
                self.start_load()
            time.sleep(0.2)
        written = self.store.writes
        self.wait_until(lambda: self.store.writes > written + 10, "writes at the target")
        self.load.send_signal(signal.SIGTERM)
        self.said_of_load, _ = self.load.communicate(timeout=CEILING)
        assert self.load.returncode == 0, self.said_of_load

    def state_files(self):
        return [self.state / "state.db", *sorted((self.state / "work").glob("*.db")),
                *sorted((self.state / "run").glob("*.pid")), self.log / "lives",
                *sorted((self.log / "groups").glob("*"))]

    def note_failed(self):
        """A run that ended Failed has stopped as well, and says at which step and why."""
        named = re.findall(r"^.*\(Failed\).*$", self.status, re.M)
        assert named, self.status
        self.failed_steps = [*getattr(self, "failed_steps", []), named[0].strip()]

    def names(self):
        return super().names() + getattr(self, "failed_steps", [])

    # --- What came of it ---

    def check(self):
        """Nothing is lost, nothing is doubled, and nothing is there that nobody wrote."""
        target, source = self.store.documents.alive(), self.source.documents.alive()
        ours = {key: found for key, found in target.items() if key[0].startswith("load-")}
        assert_fixture({key: found for key, found in target.items() if key not in ours})
        lines = [json.loads(line) for line in self.journal.read_text().splitlines()]
        failed = {line["token"] for line in lines if line["kind"] == "failed"}
        last = {}
        for line in lines:
            key = line.get("index"), line.get("id")
            if line["kind"] == "write" and (key not in last or line["version"] > last[key]["version"]):
                last[key] = line
        tokens = {key: json.loads(text)["write"] for key, (_, _, text) in ours.items()}
        assert len(set(tokens.values())) == len(tokens), "a write made two documents"
        there = set(tokens.values())
        for key, line in last.items():
            if self.has_another_id(key, line, ours):
                assert line["token"] in there, f"acknowledged, and not at the target: {line}"
                continue
            assert key in ours, f"acknowledged, and not at the target: {line}"
            assert tokens[key] in failed | {line["token"]}, (key, line, ours[key])
            assert tokens[key] in failed or ours[key][0] == line["version"], (line, ours[key])
        nobodys = there - failed - {line["token"] for line in last.values()}
        assert not nobodys, f"at the target, and nobody wrote it: {list(nobodys)[:3]}"
        for key, (version, _, text) in source.items():
            if self.has_another_id(key, {"operation": "auto"}, ours):
                assert json.loads(text)["write"] in there, f"not at the target: {key}"
                continue
            assert key in ours, f"at the source, and not at the target: {key}"
            assert (ours[key][0] > version or
                    (ours[key][0], json.loads(ours[key][2])) == (version, json.loads(text))), key
        return len(target)

    def has_another_id(self, key, line, ours):
        """A document whose id the source made, where the log lost the answer that says so."""
        return (self.loses_answers and key not in ours and line["operation"] == "auto" and
                key[1].startswith("made-"))

    def end(self):
        self.over = True
        if self.load and self.load.poll() is None:
            self.load.kill()
            self.load.wait()
        if self.nurse:
            self.nurse.join()
        self.source_wire.open.set()
        self.target_wire.open.set()
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            try:
                self.process.wait(CEILING)
            finally:
                self.process.kill()
        for name in (PROXY, REPLAYER):
            for pid in self.live(name):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        for wire in (self.source_wire, self.target_wire):
            wire.stop()
        self.source.stop()
        self.store.stop()

"""Scenario 3 (backfill, replay and cut-over under writes) through SIGKILLs of the engine, of what it started, and
of both: at every step, not only at the longest."""

import collections
import contextlib
import json
import os
import random
import signal
import sqlite3
import time

import pytest

from support import OK, assert_same
from test_workflow import engine_pid, wait_until
from test_workflow_live import (BOTH, CUT_OVER, REPLAY, REPLAYER, Load, assert_has_last_writes, free_port,
                                kill_engine, phase, pid_of, source, start_engine, workflow)  # noqa: F401

LONG = pytest.mark.skipif("SHARDLIFT_LONG" not in os.environ, reason="only in make check-long")
KILLS = int(os.environ.get("SHARDLIFT_ENGINE_KILLS", 40))
MIGRATION = "source-target-first-migration-0"
# In the order in which they come; where in each the engine can be told to die for certain.
AT_ALL = ("started", "effect", "marked", "done")
STEPS = {
    "checkconnection.source-target": AT_ALL,
    "captureproxy.front": AT_ALL,
    "createsnapshot.source-first": ("started", "created", "effect", "marked", "done"),
    f"evaluatemetadata.{MIGRATION}": AT_ALL,
    f"migratemetadata.{MIGRATION}": AT_ALL,
    f"documentbackfill.{MIGRATION}": AT_ALL,
    f"verify.{MIGRATION}": AT_ALL,
    f"trafficreplay.{REPLAY}": AT_ALL,
    f"cutover.{REPLAY}": ("held", "switched", "released", "effect", "marked", "done"),
}
GATES = {
    "captureproxy.front": "captureproxysetup.front",
    f"evaluatemetadata.{MIGRATION}": f"evaluatemetadata.{MIGRATION}",
    f"migratemetadata.{MIGRATION}": f"migratemetadata.{MIGRATION}",
    f"documentbackfill.{MIGRATION}": f"documentbackfill.{MIGRATION}",
    f"verify.{MIGRATION}": f"verify.{MIGRATION}",
    f"trafficreplay.{REPLAY}": f"cutover.{REPLAY}",
}
# As src/workflow/state.h has them.
PENDING, WAITING, RUNNING, SUCCEEDED, SKIPPED, FAILED = range(6)
# A step whose children died as often is not tried again.
MOST_CHILDREN = 3


class Killer:
    def __init__(self, workflow, chance):
        self.workflow, self.chance = workflow, chance
        self.hits = collections.Counter()
        self.engine = None

    def step(self, name):
        """Phase, child, message."""
        with contextlib.closing(sqlite3.connect(self.workflow.state_dir / "state.db", timeout=60)) as state:
            rows = list(state.execute("SELECT phase, child, message FROM step WHERE name = ? ORDER BY run DESC LIMIT 1",
                                      (name,)))
        return rows[0] if rows else (PENDING, "", "")

    def is_over(self, name):
        found, _, message = self.step(name)
        assert found != FAILED, (name, message)
        return found in (SUCCEEDED, SKIPPED)

    def child(self, name):
        """Of the step; 0 while there is none."""
        kind, _, rest = name.partition(".")
        if kind in ("captureproxy", "trafficreplay"):
            return pid_of(self.workflow, rest)
        if kind == "cutover":
            return pid_of(self.workflow, REPLAY)
        child = self.step(name)[1]
        return json.loads(child)["pid"] if child else 0

    def go_on(self, death=""):
        if self.engine:
            wait_until(lambda: self.engine.poll() is not None, "the end of the engine before")
        self.engine = start_engine(self.workflow, death)

    def kill(self, name, pid, what):
        with contextlib.suppress(ProcessLookupError):
            if pid:
                os.kill(pid, signal.SIGKILL)
                self.hits[f"{what} at {name.partition('.')[0]}"] += 1

    def kill_at_once(self, name, victims):
        """At any moment of the step."""
        self.go_on()
        wait_until(lambda: self.is_over(name) or (self.step(name)[0] == RUNNING and self.child(name)), name)
        time.sleep(self.chance.uniform(0, 0.4))
        child = 0 if self.is_over(name) else self.child(name)
        if "engine" in victims:
            self.kill(name, engine_pid(self.workflow.state_dir), "engine")
        if "child" in victims:
            self.kill(name, child, "child")
        if victims == ["child"]:
            # So that the step waits until it is tried again, in which the engine dies too.
            wait_until(lambda: self.is_over(name) or self.child(name) != child or self.step(name)[2] != "",
                       f"{name} after its child")
            self.kill(name, engine_pid(self.workflow.state_dir), "engine")
        wait_until(lambda: engine_pid(self.workflow.state_dir) == 0, "the engine's death")

    def kill_at_point(self, name, point):
        """Between what the step does and what is written of it."""
        self.go_on(f"{name}:{point}")
        wait_until(lambda: self.engine.poll() is not None, f"the death at {name}:{point}", 300)
        assert self.engine.returncode == -signal.SIGKILL, (name, point, self.step(name))
        self.hits[f"engine at {name.partition('.')[0]}"] += 1

    def kill_in_step(self, name, rounds):
        children = 0
        for _ in range(rounds):
            victims = self.chance.choice((["engine"], ["engine", "child"], ["child"]))
            if victims == ["child"]:
                children += 1
                if children > MOST_CHILDREN:
                    victims = ["engine", "child"]
            self.kill_at_once(name, victims)
        # What is done is not done again: from here on each is another moment.
        # A step that is marked is not begun again to be done.
        without = self.chance.choice(("marked", "done"))
        points = [point for point in STEPS[name] if point != without]
        for point in sorted(self.chance.sample(points, 2), key=points.index):
            if not self.is_over(name):
                self.kill_at_point(name, point)

    def kill_at_gate(self, gate):
        self.go_on()
        wait_until(lambda: self.status_of(gate) == "waiting", gate, 300)
        self.kill(gate, engine_pid(self.workflow.state_dir), "engine at the gate")
        wait_until(lambda: engine_pid(self.workflow.state_dir) == 0, "the engine's death")
        assert self.workflow("approve", gate).code == OK

    def status_of(self, gate):
        listed = json.loads(self.workflow("approve", "--list", "--output", "json").out)
        return {g["name"]: g["status"] for g in listed}.get(gate)


def quiet_kill_of_the_proxy(killer, name):
    """With no request under way, so that no client may rightly see it."""
    front = pid_of(killer.workflow, "front")
    killer.kill(name, front, "proxy")
    killer.kill(name, engine_pid(killer.workflow.state_dir), "engine")
    killer.go_on()
    wait_until(lambda: pid_of(killer.workflow, "front") != front, "another proxy")
    wait_until(lambda: killer.workflow.program("capture", "control", "front", "status").code == OK, "its answer")
    kill_engine(killer.workflow)


@LONG
def test_kills(workflow, source, opensearch, tmp_path):  # noqa: F811
    seed = int(os.environ.get("SHARDLIFT_SEED", random.randrange(2**31)))
    print(f"SHARDLIFT_SEED={seed}")
    killer = Killer(workflow, random.Random(seed))
    rounds = max(1, (KILLS - len(GATES)) // len(STEPS))
    port = free_port()
    for n in range(0, 3000, 500):
        lines = "".join(f'{{"index":{{"_id":"{i}"}}}}\n{{"n":{i}}}\n' for i in range(n, n + 500))
        source.api("POST", "/old/_bulk", lines)
    text = (BOTH + REPLAYER).format(source=source.url, target="target", target_url=opensearch.url, port=port,
                                    name="mirror", repository=source.repositories / "live", more=CUT_OVER)
    text = text.replace("skipApprovals: true", "skipApprovals: false").replace("skipApproval: true", "")
    for part in ("metadataMigrationConfig: {", "documentBackfillConfig: {"):
        text = text.replace(part, part + "indexAllowlist: [old], ")
    text = text.replace("podReplicas: 2}", "podReplicas: 2}\n          verifyConfig: {}")
    assert workflow("configure", "edit", "--stdin", input=text.encode()).code == OK
    first = next(iter(STEPS))
    submitted = workflow.program("workflow", "submit", env={"SHARDLIFT_ENGINE_DIES_AT": f"{first}:started"})
    assert submitted.code == OK, submitted
    wait_until(lambda: engine_pid(workflow.state_dir) == 0, "the first death")
    killer.hits["engine at checkconnection"] += 1
    loads = []

    def start_load():
        folder = tmp_path / str(len(loads))
        folder.mkdir()
        loads.append(Load(f"http://127.0.0.1:{port}", folder, "--rate", "5", "--only", "index,create,auto",
                          "--seed", str(len(loads))))

    for name in STEPS:
        killer.kill_in_step(name, rounds)
        if name == "captureproxy.front":
            start_load()
        if name.startswith("documentbackfill"):
            ended = loads[-1].ended()
            assert ended["failed"] == 0, ended
            quiet_kill_of_the_proxy(killer, name)
            start_load()
        if name in GATES:
            killer.kill_at_gate(GATES[name])
    killer.go_on()
    wait_until(lambda: phase(workflow) == "Succeeded", "the end", seconds=300)
    before = loads[-1].writes()
    wait_until(lambda: loads[-1].writes() > before + 50, "writes at the target")
    ended = loads[-1].ended()
    print(sum(killer.hits.values()), dict(killer.hits), ended)
    assert ended["failed"] == 0, ended
    assert sum(killer.hits.values()) >= KILLS
    for name in STEPS:
        assert killer.hits[f"engine at {name.partition('.')[0]}"] > 0, killer.hits
    # Nothing lost, nothing done twice.
    assert_same(opensearch.documents("old"), source.documents("old"), "old")
    journal = tmp_path / "journal"
    journal.write_text("".join(load.journal.read_text() for load in loads))
    assert_has_last_writes(opensearch, journal)
    assert len(source.api("GET", "/_snapshot/backups/_all")["snapshots"]) == 1
    indices = {i["index"] for i in opensearch.client.cat.indices(format="json") if not i["index"].startswith(".")}
    assert indices == {"old", "load-0", "load-1"}
    equal = workflow.program("verify", "--from", source.url, "--to", opensearch.url, "--index-allowlist", "old")
    assert equal.code == OK, equal

"""`workflow` with live traffic: proxies and replayers that outlive the engine, and the cut-over."""

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import threading

import pytest

from support import OK, PROGRAM, ROOT, assert_same, free_port
from test_workflow import engine_pid, gates, stop_engine, wait_until

LOAD = ROOT / "tests" / "load" / "load"
REPLAY = "front-target-mirror"

TRAFFIC = """
traffic:
  proxies:
    front:
      source: source
      skipApproval: true
      proxyConfig: {{listenPort: {port}, listenHost: 127.0.0.1, tls: {{mode: plaintext}}}}
  replayers:
"""
REPLAYER = """
    {name}:
      fromCapturedTraffic: front
      toTarget: {target}
      {more}
      replayerConfig: {{speedupFactor: 1000}}
"""
BOTH = """
sourceClusters:
  source:
    endpoint: {source}
    version: ES 7.10.2
    snapshotInfo:
      repos:
        backups: {{repoPathUri: "file://{repository}"}}
      snapshots:
        first: {{repoName: backups, config: {{createSnapshotConfig: {{}}}}}}
targetClusters:
  target: {{endpoint: {target_url}}}
snapshotMigrationConfigs:
  - fromSource: source
    toTarget: target
    skipApprovals: true
    perSnapshotConfig:
      first:
        - metadataMigrationConfig: {{}}
          documentBackfillConfig: {{podReplicas: 2}}
""" + TRAFFIC
ONLY_REPLAY = """
sourceClusters:
  source: {{endpoint: {source}, version: ES 7.10.2}}
targetClusters:
  target: {{endpoint: {target_url}}}
snapshotMigrationConfigs: []
""" + TRAFFIC
CUT_OVER = ("dependsOnSnapshotMigrations: [{source: source, snapshot: first}]\n"
            "      cutOver: true")


@pytest.fixture
def source(pool):
    node = pool.get("es-node", "7.10")
    node.clear()
    shutil.rmtree(node.repositories / "live", ignore_errors=True)
    yield node
    node.clear()


@pytest.fixture
def workflow(shardlift):
    """workflow(...): the command; what it started is gone at the end."""
    def run(*arguments, **how):
        return shardlift("workflow", *arguments, **how)

    run.state_dir = shardlift.state_dir
    run.program = shardlift
    yield run
    for load in Load.running:
        load.process.kill()
        load.process.wait()
    Load.running.clear()
    stop_engine(shardlift.state_dir)
    reset = run("reset", "--all", "--include-proxies", "--cascade")
    assert reset.code == OK, reset
    assert not list((shardlift.state_dir / "run").glob("*.pid"))


class Load:
    """The load generator; `ended` stops it and gives its last line."""

    running = []

    def __init__(self, url, folder, *options):
        self.running.append(self)
        self.journal = folder / "journal"
        self.process = subprocess.Popen(
            [sys.executable, str(LOAD), "--url", url, "--journal", str(self.journal),
             "--seed", "7", "--connections", "2", *options], stdout=subprocess.PIPE, text=True)

    def writes(self):
        if not self.journal.exists():
            return 0
        return self.journal.read_text().count('"kind":"write"')

    def ended(self):
        self.process.send_signal(signal.SIGTERM)
        out, _ = self.process.communicate(timeout=120)
        return json.loads(out.splitlines()[-1])


class Visitors:
    """A client that connects anew for each write, one after the other; `ended` tells what became of them."""

    def __init__(self, port):
        self.port, self.answers, self.stop = port, [], threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.stop.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
            try:
                connection.request("PUT", f"/visits/_doc/{len(self.answers)}", '{"v":1}',
                                   {"Content-Type": "application/json", "Connection": "close"})
                self.answers.append(connection.getresponse().status)
            except (OSError, http.client.HTTPException) as error:
                self.answers.append(repr(error))
            connection.close()
            self.stop.wait(0.1)

    def more(self, count):
        wanted = len(self.answers) + count
        wait_until(lambda: len(self.answers) >= wanted, "more visits")

    def ended(self):
        self.stop.set()
        self.thread.join(120)
        return self.answers


def submitted(workflow, text):
    result = workflow("configure", "edit", "--stdin", input=text.encode())
    assert result.code == OK, result
    result = workflow("submit")
    assert result.code == OK, result


def phase(workflow):
    status = workflow("status")
    assert "Phase: Failed" not in status.out, status
    return status.out.split("Phase: ")[1].split()[0]


def pid_of(workflow, name):
    path = workflow.state_dir / "run" / f"{name}.pid"
    return json.loads(path.read_text())["pid"] if path.exists() else 0


def replay_is_at_the_end(workflow, name):
    try:
        status = json.loads((workflow.state_dir / "run" / f"{name}.status").read_text())
    except FileNotFoundError:
        return False
    proxy = json.loads(workflow.program("capture", "control", "front", "status").out)
    return (status["caught_up"] and status["outstanding"] == 0 and
            status["next_offset"] >= proxy["logEnd"])


def kill_engine(workflow):
    pid = engine_pid(workflow.state_dir)
    if pid:
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: engine_pid(workflow.state_dir) != pid, "the engine's death")


def start_engine(workflow, death=""):
    """One that goes on with the run, as a service manager would start it."""
    engine = subprocess.Popen([str(PROGRAM), "engine"], stdin=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, start_new_session=True,
                              env={**workflow.program.environment,
                                   "SHARDLIFT_ENGINE_DIES_AT": death})
    wait_until(lambda: engine_pid(workflow.state_dir) or engine.poll() is not None, "an engine")
    return engine


def last_writes(journal):
    """(index, id) -> the acknowledged write with the greatest version; without deletes it only grows."""
    last = {}
    for line in journal.read_text().splitlines():
        entry = json.loads(line)
        if entry["kind"] != "write":
            continue
        key = entry["index"], entry["id"]
        if key not in last or entry["version"] > last[key]["version"]:
            last[key] = entry
    return last


def assert_has_last_writes(node, journal):
    last = last_writes(journal)
    assert last
    node.client.indices.refresh(index="load-*")
    for index in {index for index, _ in last}:
        found = {}
        page = node.client.search(index=index, scroll="1m", size=1000, version=True,
                                  body={"query": {"match_all": {}}})
        while page["hits"]["hits"]:
            found.update({h["_id"]: h for h in page["hits"]["hits"]})
            page = node.client.scroll(body={"scroll_id": page["_scroll_id"], "scroll": "1m"})
        wanted = {id: entry for (name, id), entry in last.items() if name == index}
        assert set(found) == set(wanted)
        for id, entry in wanted.items():
            assert found[id]["_source"]["write"] == entry["token"], (entry, found[id])
            assert int(found[id]["_version"]) == entry["version"], (entry, found[id])


def test_live(workflow, source, opensearch, tmp_path):
    """Backfill, replay and cut-over under writes, through deaths of the engine: no request fails, and
    the target has every write that was acknowledged."""
    port = free_port()
    for n in range(50):
        source.api("PUT", f"/old/_doc/{n}?refresh=true", {"n": n})
    text = (BOTH + REPLAYER).format(
        source=source.url, target="target", target_url=opensearch.url, port=port, name="mirror",
        repository=source.repositories / "live", more=CUT_OVER)
    submitted(workflow, text)
    wait_until(lambda: pid_of(workflow, "front"), "the proxy")
    front = pid_of(workflow, "front")
    kill_engine(workflow)
    start_engine(workflow)
    wait_until(lambda: f"cutover.{REPLAY}" in gates(workflow), "the gate")
    load = Load(f"http://127.0.0.1:{port}", tmp_path, "--rate", "8",
                "--only", "index,create,auto")
    wait_until(lambda: gates(workflow).get(f"cutover.{REPLAY}") == "waiting", "the gate, reached")
    mirror = pid_of(workflow, REPLAY)
    wait_until(lambda: load.writes() > 60, "writes")
    kill_engine(workflow)
    assert workflow("approve", f"cutover.{REPLAY}").code == OK
    for point in ("held", "switched", "released"):
        engine = start_engine(workflow, f"cutover.{REPLAY}:{point}")
        wait_until(lambda: engine.poll() is not None or phase(workflow) == "Succeeded", point)
        assert engine.returncode == -signal.SIGKILL, point
    start_engine(workflow)
    wait_until(lambda: phase(workflow) == "Succeeded", "the cut-over")
    assert (pid_of(workflow, "front"), pid_of(workflow, REPLAY)) == (front, mirror)
    before = load.writes()
    wait_until(lambda: load.writes() > before + 50, "writes at the target")
    ended = load.ended()
    assert ended["failed"] == 0, ended
    assert_same(opensearch.documents("old"), source.documents("old"), "old")
    assert_has_last_writes(opensearch, load.journal)
    status = json.loads(workflow.program("capture", "control", "front", "status").out)
    assert status["destination"] == opensearch.url and not status["capturing"], status
    assert len(source.api("GET", "/_snapshot/backups/_all")["snapshots"]) == 1
    # Neither another submit nor an edit undoes it, and nobody sees the proxy replaced.
    visitors = Visitors(port)
    visitors.more(5)
    submitted(workflow, text.replace("listenPort", "numThreads: 2, listenPort"))
    wait_until(lambda: pid_of(workflow, "front") not in (0, front), "another proxy")
    wait_until(lambda: phase(workflow) == "Succeeded", "the run after the edit")
    visitors.more(5)
    answers = visitors.ended()
    assert set(answers) == {201}, answers
    status = json.loads(workflow.program("capture", "control", "front", "status").out)
    assert status["destination"] == opensearch.url and not status["capturing"], status
    assert not source.client.indices.exists("visits")
    assert int(opensearch.client.count(index="visits")["count"]) <= len(answers)
    assert len(source.api("GET", "/_snapshot/backups/_all")["snapshots"]) == 1
    assert pid_of(workflow, REPLAY) == mirror  # it ended with the cut-over, and none came after it


def test_replay(workflow, source, opensearch, tmp_path):
    """Two replayers on what one proxy records; what dies is started again, by any engine."""
    port = free_port()
    form = ONLY_REPLAY + REPLAYER + REPLAYER.replace("{name}", "{other}")
    text = form.format(source=source.url, target="target", port=port, more="", target_url=opensearch.url,
                       name="one", other="two")
    submitted(workflow, text)
    wait_until(lambda: phase(workflow) == "Succeeded", "proxy and replayers")
    names = "front", "front-target-one", "front-target-two"
    pids = [pid_of(workflow, name) for name in names]
    kill_engine(workflow)
    start_engine(workflow)
    load = Load(f"http://127.0.0.1:{port}", tmp_path, "--requests", "150",
                "--only", "index,create,auto")
    out, _ = load.process.communicate(timeout=120)
    assert json.loads(out.splitlines()[-1])["failed"] == 0, out
    assert [pid_of(workflow, name) for name in names] == pids
    os.kill(pids[1], signal.SIGKILL)
    wait_until(lambda: pid_of(workflow, names[1]) != pids[1], "the first replayer, again")
    for name in names[1:]:
        wait_until(lambda name=name: replay_is_at_the_end(workflow, name), name)
    for index in ("load-0", "load-1"):
        assert_same(opensearch.documents(index), source.documents(index), index)
    groups = sorted(p.name for p in (workflow.state_dir / "capture" / "front" / "groups").iterdir())
    assert groups == ["replayer-" + name for name in names[1:]]
    # An edit of the proxy that must be approved: then it is replaced, and nobody sees it.
    visitors = Visitors(port)
    visitors.more(5)
    submitted(workflow, text.replace("listenPort", "maxTrafficBufferSize: 100000, listenPort"))
    gate = "captureproxy.front.vapretry"
    wait_until(lambda: gates(workflow).get(gate) == "waiting", gate)
    assert pid_of(workflow, "front") == pids[0]
    assert workflow("approve", "change", "captureproxy.front").code == OK
    wait_until(lambda: pid_of(workflow, "front") not in (0, pids[0]), "another proxy")
    wait_until(lambda: phase(workflow) == "Succeeded", "the run after the edit")
    visitors.more(5)
    answers = visitors.ended()
    assert set(answers) == {201}, answers
    assert pid_of(workflow, names[2]) == pids[2]  # it went on
    pids[0] = pid_of(workflow, "front")
    for name in names[1:]:
        wait_until(lambda name=name: replay_is_at_the_end(workflow, name), name)
    assert_same(opensearch.documents("visits"), source.documents("visits"), "visits")
    os.kill(pids[0], signal.SIGKILL)
    wait_until(lambda: pid_of(workflow, "front") != pids[0], "the proxy, again")
    wait_until(lambda: "not running" not in workflow("status").out, "what status tells")

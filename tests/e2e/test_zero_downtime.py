"""Clients write through the proxy while a snapshot of the source is taken, backfilled and the rest is
replayed, in whatever order: the target ends with the same documents."""

import contextlib
import datetime
import json
import os
import random
import signal
import subprocess
import threading
import time

import pytest

from capture_support import CEILING, proxy, wait_for
from support import ERRORS, FIXTURES, OK, PROGRAM, ROOT

SEED = int(os.environ.get("SHARDLIFT_SEED") or random.SystemRandom().randrange(1 << 30))
STOPPED = 8
INDICES = "load-0,load-1"
LONG = bool(os.environ.get("SHARDLIFT_LONG"))
SECONDS = int(os.environ.get("SHARDLIFT_SECONDS") or (60 if LONG else 12))
# Of a command: what is killed for ever does not end, and leases grow when nothing is done in them.
MOST_KILLS = 6 if LONG else 3
# Documents a second: so slow that what is killed was at work.
PACE = 40 if LONG else 100


LOAD = [str(ROOT / "tests/load/load"), "--connections", "6", "--ids", "400", "--padding", "60"]


def fill(tmp_path, url, seed):
    """What was written before anybody captured: only the snapshot has it."""
    subprocess.run([*LOAD, "--url", url, "--requests", "500", "--seed", str(seed + 1), "--journal",
                    str(tmp_path / "before"), "--only", "index,bulk,update,delete"], check=True,
                   stdout=subprocess.DEVNULL)


@contextlib.contextmanager
def load(tmp_path, port, seed, seconds, *options):
    """The load generator; ends by itself, or with the block."""
    journal = tmp_path / "journal"
    journal.touch()
    process = subprocess.Popen(
        [*LOAD, "--url", f"http://127.0.0.1:{port}", "--seconds", str(seconds), "--seed", str(seed),
         "--rate", "150", "--journal", str(journal), *options],
        stdout=subprocess.PIPE, text=True)
    try:
        yield process, journal
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


class Command:
    """A command that is started again whenever it was killed."""

    def __init__(self, shardlift, *arguments):
        self.shardlift = shardlift
        self.arguments = [str(PROGRAM), *map(str, arguments)]
        self.log = open(f"{shardlift.state_dir}.{arguments[0]}.log", "ab+")
        self.kills = 0
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.arguments, env=self.shardlift.environment,
                                        stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=self.log)

    def kill(self):
        if self.process.poll() is None and self.kills < MOST_KILLS:
            self.process.kill()
            self.process.wait()
            self.kills += 1
            self.start()

    def has_ended(self):
        """By itself; a backfill with ERRORS, where others wrote more documents meanwhile."""
        code = self.process.poll()
        assert code in (None, OK, ERRORS, -signal.SIGKILL), self.said()
        return code in (OK, ERRORS)

    def said(self):
        with open(self.log.name, errors="replace") as file:
            return file.read()[-6000:]

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.log.close()


def killer(commands, chance, stop):
    """Kills one of them now and then, until the event is set."""
    def run():
        while not stop.wait(chance.uniform(0.5, 3)):
            chance.choice(commands).kill()
    thread = threading.Thread(target=run)
    thread.start()
    return thread


def status(shardlift):
    path = shardlift.state_dir / "run" / "replay.status"
    return json.loads(path.read_text()) if path.exists() else {}


def catch_up(replay):
    """Until a status that was begun after this call says that nothing is left."""
    def later_than(time):
        assert replay.process.poll() is None, replay.said()
        now = status(replay.shardlift)
        return now.get("pid") == replay.process.pid and now["time"] > time and now

    def nothing_is_left():
        now = later_than(first["time"])
        return now and now["caught_up"] and now["lag"] == 0

    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
    first = wait_for(lambda: later_than(now.replace("+00:00", "Z")), "a status of the replay")
    wait_for(nothing_is_left, "the replay to catch up", 5 * CEILING)


def migrate(shardlift, tmp_path, source, target, seed, seconds, *load_options, kills=True,
            backfill_first=False):
    """Returns the load's own summary."""
    chance = random.Random(seed)
    repository = source.repositories / f"zero-{seed}-{backfill_first}-{os.getpid()}-{random.randrange(1 << 30)}"
    source.clear()
    target.clear()
    source.api("PUT", "/_snapshot/zero", {"type": "fs", "settings": {"location": str(repository)}})
    fill(tmp_path, source.url, seed)
    # An id that comes back later than that would begin at version 1 again (docs/replay.md).
    source.api("PUT", "/load-*/_settings", {"index.gc_deletes": "1d"})
    commands, killers, stop = [], [], threading.Event()
    with proxy(shardlift, source.url, name="zero") as through, \
            load(tmp_path, through.port, seed, seconds, *load_options) as (clients, journal):
        try:
            enough = chance.randrange(50, 600)
            wait_for(lambda: journal.read_bytes().count(b"\n") > enough or clients.poll() is not None,
                     "writes")
            source.api("PUT", "/_snapshot/zero/all?wait_for_completion=true",
                       {"indices": "load-*"})
            for index in INDICES.split(","):
                target.api("PUT", f"/{index}", {"settings": {"number_of_replicas": 0}})

            def start_backfill():
                commands.append(Command(
                    shardlift, "backfill", "--repo-uri", repository, "--snapshot-name", "all",
                    "--target-host", target.url, "--index-allowlist", INDICES,
                    "--source-versions", "true", "--session-name", "zero", "--max-range-size",
                    "20KiB", "--max-docs-per-second", PACE,
                    # Those that are killed are not waited for, nor do they speak against the work.
                    "--initial-lease-duration", "3s", "--max-lease-failures", "1000"))

            def start_replay():
                commands.append(Command(
                    shardlift, "replay", "--input", shardlift.state_dir / "capture" / "zero",
                    "--group", "zero", "--follow", "--source-versions", "--backfill-session",
                    "zero", "--speedup-factor", "1000", "--target-uri", target.url))

            def killer_of_all():
                return [killer(list(commands), chance, stop)] if kills else []

            if backfill_first:
                start_backfill()
                killers = killer_of_all()
                wait_for(commands[0].has_ended, "the backfill", 5 * CEILING)
                stop.set()
                for one in killers:
                    one.join()
                stop.clear()
                start_replay()
            else:
                start_replay()
                # Some updates have to wait for the documents that come now.
                wait_for(lambda: status(shardlift).get("updates_waiting", 0) > 0 or
                         clients.poll() is not None, "an update that waits")
                start_backfill()
            killers += killer_of_all()
            out, _ = clients.communicate(timeout=seconds + 90)
            replay, = [c for c in commands if c.arguments[1] == "replay"]
            for one in commands:
                if one is not replay:
                    wait_for(one.has_ended, "the backfill", 5 * CEILING)
                    assert " 0 failed" in one.said(), one.said()
            stop.set()
            for one in killers:
                one.join()
            catch_up(replay)
            replay.process.send_signal(signal.SIGTERM)
            assert replay.process.wait(90) == STOPPED, replay.said()
            print("kills:", [c.kills for c in commands])
            print(replay.said()[-1500:])
        finally:
            stop.set()
            for one in killers:
                one.join()
            for one in commands:
                one.end()
    return json.loads(out)


def documents(node):
    """(index, id) -> version and source."""
    hits = node.client.search(index="load-*", version=True, size=10000)["hits"]["hits"]
    return {(h["_index"], h["_id"]): (str(h["_version"]), h["_source"]) for h in hits}


def compare(shardlift, tmp_path, source, target):
    for node in (source, target):
        node.api("POST", "/load-*/_refresh")
    here, there = documents(source), documents(target)
    different = [[*key, here.get(key), there.get(key)] for key in sorted(here.keys() | there.keys())
                 if here.get(key) != there.get(key)]
    (tmp_path / "different.json").write_text(json.dumps(different, indent=1))
    assert not different, (len(different), different[:5])
    result = shardlift("verify", "--from", source.url, "--to", target.url, "--index-allowlist",
                       INDICES, "--only", "documents", "--json")
    assert result.code == OK, result
    return len(here)


@pytest.mark.parametrize("seed", range(SEED, SEED + int(os.environ.get("SHARDLIFT_ROUNDS", 1))))
@pytest.mark.parametrize("backfill_first", [
    pytest.param(False, id="beside"), pytest.param(True, id="after")])
@pytest.mark.skipif(not LONG, reason="takes its time")
def test_the_target_has_what_clients_wrote_meanwhile(shardlift, tmp_path, pool, opensearch,
                                                     backfill_first, seed):
    print(f"SHARDLIFT_SEED={seed}")
    source = pool.get("es-node", "7.10")
    summary = migrate(shardlift, tmp_path, source, opensearch, seed, SECONDS,
                      backfill_first=backfill_first)
    assert summary["failed"] == 0, summary
    assert compare(shardlift, tmp_path, source, opensearch) > 0
    settings = opensearch.api("GET", "/load-*/_settings/index.gc_deletes?flat_settings=true")
    assert "gc_deletes" not in json.dumps(settings), settings


def test_deletes_are_forgotten_again_as_soon_as_all_is_done(shardlift, tmp_path, repository,
                                                            opensearch):
    """The backfill ends between the replay's last look at it and the replay's own end."""
    name, session = "gc_deletes", shardlift.state_dir / "work" / "zero.db"
    opensearch.api("PUT", "/kept", {"settings": {"number_of_replicas": 0, name: "2m"}})
    backfill = shardlift("backfill", "--repo-uri", repository("es-7.10.2"), "--snapshot-name",
                         "snap1", "--index-allowlist", "books", "--to", "null:",
                         "--session-name", "zero")
    assert backfill.code == OK, backfill
    hidden = [(path, path.with_name("hidden-" + path.name))
              for path in session.parent.glob("zero.db*")]
    for path, aside in hidden:
        path.rename(aside)
    log = tmp_path / "log"
    assert shardlift("traffic", "import", FIXTURES / "traffic", log).code == OK
    replay = Command(shardlift, "replay", "--input", log, "--group", "zero", "--follow",
                     "--source-versions", "--backfill-session", "zero", "--speedup-factor", "1000",
                     "--target-uri", opensearch.url)
    try:
        catch_up(replay)
        assert opensearch.api("GET", "/kept/_settings")["kept"]["settings"]["index"][name] == "30d"
        for path, aside in hidden:
            aside.rename(path)
        replay.process.send_signal(signal.SIGTERM)
        assert replay.process.wait(CEILING) == STOPPED, replay.said()
    finally:
        replay.end()
    settings = opensearch.api("GET", "/kept/_settings")["kept"]["settings"]["index"]
    assert settings[name] == "2m", replay.said()

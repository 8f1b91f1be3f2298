"""Clients that write through a proxy, commands that are killed, and what both ends hold afterwards."""

import contextlib
import datetime
import json
import os
import random
import shutil
import signal
import subprocess
import threading
import time

from capture_support import CEILING, wait_for
from support import ERRORS, OK, PROGRAM, ROOT

SEED = int(os.environ.get("SHARDLIFT_SEED") or random.SystemRandom().randrange(1 << 30))
STOPPED = 8
INDICES = "load-0,load-1"
LONG = bool(os.environ.get("SHARDLIFT_LONG"))
# Of a command: what is killed for ever does not end, and leases grow when nothing is done in them.
MOST_KILLS = 6 if LONG else 3
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
        self.name = arguments[arguments.index("--name") + 1] if "--name" in arguments else arguments[0]
        self.log = open(f"{shardlift.state_dir}.{self.name}.log", "ab+")
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


def status(shardlift, name="replay"):
    path = shardlift.state_dir / "run" / f"{name}.status"
    return json.loads(path.read_text()) if path.exists() else {}


def evidence(one):
    """What a command that does not get on does, while it lives; a core beside its log with SHARDLIFT_CORES."""
    pid, found = str(one.process.pid), [json.dumps(status(one.shardlift, one.name), indent=1)]
    if shutil.which("gdb"):
        stacks = subprocess.run(["gdb", "-batch", "-p", pid, "-ex", "thread apply all backtrace"],
                                capture_output=True, text=True, timeout=CEILING)
        found.append(stacks.stdout[-6000:])
    if os.environ.get("SHARDLIFT_CORES"):
        subprocess.run(["gcore", "-o", f"{one.log.name}.core", pid], check=True, timeout=CEILING)
    return "\n".join([*found, one.said()])


def answered(status):
    return status.get("answered", 0) + status.get("skipped", 0)


def catch_up(replay, is_all=lambda status: True):
    """Until a status that was begun after this call says that nothing is left, and `is_all` does. However
    slow the target is, but never without a request that ends."""
    def later_than(time):
        assert replay.process.poll() is None, replay.said()
        now = status(replay.shardlift, replay.name)
        return now.get("pid") == replay.process.pid and now["time"] > time and now

    def nothing_is_left():
        now = later_than(first["time"])
        return now and now["caught_up"] and now["lag"] == 0 and is_all(now)

    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
    first = wait_for(lambda: later_than(now.replace("+00:00", "Z")), "a status of the replay")
    began = moved = time.monotonic()
    done = None
    while not nothing_is_left():
        if (now := answered(status(replay.shardlift, replay.name))) != done:
            done, moved = now, time.monotonic()
        assert time.monotonic() < moved + 2 * CEILING, f"no request more was done\n{evidence(replay)}"
        time.sleep(0.05)
    print(f"{replay.name} caught up after {time.monotonic() - began:.0f} s")


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

"""The kinds of fault that tests/faults/test_suite.py puts into scenarios. Each is a function
(scenario, chance) that drives it from its start to its end, and says in a word what was special.

A fault happens while the write of a random number is under way: so the program is there and at work,
whatever the machine does meanwhile."""

import os
import pathlib
import re
import resource
import signal
import threading

import support
from disturb import Disturb, small_disk
from power_cut import PowerCut

LIBRARIES = support.PROGRAM.parent / "tests" / "faults"
# The sanitizers want to be the first library, and need more address space than any limit leaves.
PRELOADED = "verify_asan_link_order=0:exitcode=99:detect_stack_use_after_return=1"
PLAIN_PROGRAM = support.ROOT / "build" / "shardlift"


class NotHere(Exception):
    """This machine does not let us make the fault."""


def preload(scenario, *libraries):
    """Environment that loads these beside each other."""
    scenario.environment["LD_PRELOAD"] = ":".join(map(str, libraries))
    scenario.environment["ASAN_OPTIONS"] = PRELOADED


def disturb(scenario):
    switches = Disturb(LIBRARIES / "disturb.so", scenario.folder / "switches")
    scenario.environment.update(switches.environment)
    preload(scenario, LIBRARIES / "disturb.so")
    return switches


def moment(scenario, chance, last=0.8):
    return chance.randrange(1, max(2, int(scenario.writes * last)))


def act_at(scenario, chance, act, times=1, last=0.8):
    """`act` while a write is under way; `times` of them."""
    for _ in range(times):
        scenario.store.at(moment(scenario, chance, last), act)


def drive(scenario):
    scenario.begin()
    scenario.finish()


def forget(scenario):
    """The fault is over for processes that start from now on."""
    scenario.environment, scenario.launcher = {}, []


# --- The process ---

def kill(scenario, chance):
    scenario.loses_answers = True
    act_at(scenario, chance, scenario.kill)
    drive(scenario)


def kill_twice(scenario, chance):
    scenario.loses_answers = True
    scenario.store.at(chance.randrange(1, scenario.writes // 3), scenario.kill)
    scenario.store.at(chance.randrange(scenario.writes // 2, scenario.writes * 4 // 5), scenario.kill)
    drive(scenario)


def terminate(scenario, chance):
    """SIGTERM or SIGINT."""
    scenario.loses_answers = True
    number = chance.choice([signal.SIGTERM, signal.SIGINT])
    act_at(scenario, chance, lambda: scenario.signal(number))
    drive(scenario)


def pause(scenario, chance):
    """SIGSTOP, and SIGCONT after what may be longer than a lease."""
    seconds = chance.choice([0.2, 0.5, 1, 3.5])
    act_at(scenario, chance, lambda: scenario.pause(seconds))
    drive(scenario)


# --- The disk ---

def power_cut(scenario, chance):
    scenario.loses_answers = True
    disk = getattr(scenario, "disk", scenario.state)
    power = PowerCut(LIBRARIES / "power_cut.so", disk, scenario.folder / "memory")
    power.remember_all()
    scenario.environment.update(
        {name: value for name, value in power.environment.items() if name.startswith("POWER_CUT")})
    preload(scenario, LIBRARIES / "power_cut.so")

    def restore():
        scenario.process.wait()
        power.restore()
        forget(scenario)
    scenario.after_end = restore
    scenario.victim = "all"
    act_at(scenario, chance, scenario.kill)
    scenario.begin()
    if not scenario.restarts_itself:
        scenario.ended()
        restore()
        scenario.run_once()
    scenario.finish()


def full_disk(scenario, chance):
    """Nothing more can be written for a while, then there is space again."""
    folder = scenario.disk if hasattr(scenario, "disk") else scenario.state
    with small_disk(folder, "8m") as filler:
        if filler is None:
            raise NotHere("no tmpfs may be mounted")
        if scenario.name == "replay":
            scenario.copy_log()
        try:
            act_at(scenario, chance, filler.fill)
            if scenario.restarts_itself:
                scenario.loses_answers = True
                free_later(scenario, filler)
                drive(scenario)
            else:
                scenario.begin()
                scenario.ended()
                filler.free()
                if scenario.stops[-1].code:
                    scenario.finish()
            scenario.result = scenario.check()
        finally:
            scenario.end()


def free_later(scenario, filler):
    """When clients were refused a few times."""
    fill = {number: act for number, act in scenario.store.moments.items() if act == filler.fill}
    for number in fill:
        def fill_and_wait():
            filler.fill()
            threading.Timer(0.5, filler.free).start()
        scenario.store.moments[number] = fill_and_wait


def slow_disk(scenario, chance):
    switches = disturb(scenario)
    ms = chance.choice([20, 50, 150])
    act_at(scenario, chance, lambda: switches.set_sync_later(ms), last=0.3)
    scenario.store.at(int(scenario.writes * 0.6), lambda: switches.set_sync_later(0))
    drive(scenario)


def failing_disk(scenario, chance):
    """fsync and fdatasync fail with EIO from a moment on; the next process has another disk."""
    scenario.loses_answers = True
    switches = disturb(scenario)
    scenario.after_end = lambda: switches.set_sync_fails(False)

    def fail():
        switches.set_sync_fails(True)
        if scenario.restarts_itself:
            threading.Timer(0.4, scenario.restart_broken).start()
    act_at(scenario, chance, fail)
    scenario.begin()
    if not scenario.restarts_itself:
        scenario.ended()
        switches.set_sync_fails(False)
        if scenario.stops[-1].code == 0:
            return
    scenario.finish()


# --- The clock ---

def clock_jumps(scenario, chance, seconds):
    switches = disturb(scenario)
    act_at(scenario, chance, lambda: switches.set_clock_ahead(seconds), last=0.4)
    if chance.random() < 0.5:
        scenario.store.at(scenario.writes // 2, lambda: switches.set_clock_ahead(0))
    drive(scenario)


def clock_forward(scenario, chance):
    clock_jumps(scenario, chance, chance.choice(scenario.clock_jumps))


def clock_back(scenario, chance):
    clock_jumps(scenario, chance, -chance.choice(scenario.clock_jumps))


def clock_between(scenario, chance):
    """Another time of day after a kill: leases and tuples are of the future, or long ago."""
    scenario.loses_answers = True
    switches = disturb(scenario)
    seconds = chance.choice([-1, 1]) * chance.choice(scenario.clock_jumps[1:])
    scenario.after_end = lambda: switches.set_clock_ahead(seconds)
    act_at(scenario, chance, scenario.kill)
    scenario.begin()
    if not scenario.restarts_itself:
        scenario.ended()
        scenario.after_end()
        scenario.run_once()
    scenario.finish()


# --- The network ---

def partition(scenario, chance):
    """Nothing passes between the program and the cluster, and nobody is told."""
    seconds = chance.choice([0.3, 1, 4])  # beyond the timeout of requests

    def part():
        threading.Thread(target=scenario.wire.part, args=(seconds,), daemon=True).start()
    act_at(scenario, chance, part)
    drive(scenario)


def resets(scenario, chance):
    scenario.loses_answers = True
    act_at(scenario, chance, scenario.wire.reset, times=3)
    drive(scenario)


def half_closed(scenario, chance):
    scenario.loses_answers = True
    act_at(scenario, chance, scenario.wire.half_close, times=2)
    drive(scenario)


def trickle(scenario, chance):
    """Bytes come a few at a time."""
    def begin():
        scenario.wire.trickles = True
    act_at(scenario, chance, begin, last=0.3)

    def end():
        scenario.wire.trickles = False
    scenario.store.at(int(scenario.writes * 0.7), end)
    drive(scenario)


def clients_reset(scenario, chance):
    """Of the capture proxy."""
    scenario.loses_answers = True
    act_at(scenario, chance, scenario.clients.reset, times=3)
    drive(scenario)


def clients_half_close(scenario, chance):
    scenario.loses_answers = True
    act_at(scenario, chance, scenario.clients.half_close_server, times=3)
    drive(scenario)


# --- The cluster ---

def storm(scenario, chance, status):
    scenario.store.storm_status = status

    def begin():
        scenario.store.storm = scenario.storm_length
    act_at(scenario, chance, begin)
    drive(scenario)


def storm_429(scenario, chance):
    storm(scenario, chance, 429)


def storm_503(scenario, chance):
    storm(scenario, chance, 503)


# --- What was written before ---

def damage(path, chance):
    """Cut, overwritten in the middle, or emptied."""
    content = path.read_bytes()
    how = chance.choice(["cut", "overwritten", "emptied"])
    at = chance.randrange(max(1, len(content)))
    if how == "cut":
        path.write_bytes(content[:at])
    elif how == "emptied":
        path.write_bytes(b"")
    else:
        noise = bytes(chance.randrange(256) for _ in range(min(4096, len(content) - at)))
        path.write_bytes(content[:at] + noise + content[at + len(noise):])
    return how


def damaged_records(scenario, chance):
    """Of a workflow whose machine died. What cannot go on says so, and a human puts the file back."""
    scenario.loses_answers = True
    scenario.victim = "all"
    kept = {}

    def siblings(path):
        return {p for p in path.parent.iterdir() if p.is_file() and p.name.startswith(path.stem)}

    def spoil():
        path = chance.choice([path for path in scenario.state_files() if path.exists()])
        kept.update({p: p.read_bytes() for p in siblings(path)})
        print(f"{damage(path, chance)}: {path.name}")
        scenario.after_end = lambda: put_back(path)

    def put_back(path):
        for p in siblings(path) - set(kept):
            p.unlink()
        for p, content in kept.items():
            p.write_bytes(content)
        scenario.after_end = scenario.look = lambda: None

    def look():
        if kept and re.search(r"not running: code|\(Failed\)", scenario.status):
            scenario.failed_steps = re.findall(r"^.*(?:not running: code|\(Failed\)).*$", scenario.status, re.M)
            scenario.restart_broken()
            scenario.process.wait()
    scenario.after_end, scenario.look = spoil, look
    act_at(scenario, chance, scenario.kill)
    drive(scenario)


def damaged_state(scenario, chance):
    """Of a run that was killed, a file is damaged. The next goes on, or says so and goes on when the
    file is as it was."""
    if scenario.restarts_itself:
        damaged_records(scenario, chance)
        return
    act_at(scenario, chance, scenario.kill)
    scenario.begin()
    scenario.ended()
    files = [path for path in scenario.state_files() if path.exists()]
    if not files:
        scenario.finish()
        return
    path = chance.choice(files)
    kept = {p: p.read_bytes() for p in path.parent.iterdir() if p.is_file()}
    damage(path, chance)
    if scenario.run_once().code not in (0, support.ERRORS):
        for p in set(path.parent.iterdir()) - set(kept):
            if p.is_file():
                p.unlink()
        for p, content in kept.items():
            p.write_bytes(content)
        scenario.run_once()
    scenario.finish()


def damaged_tail(scenario, chance):
    """Of the log: bytes that a write under way may leave behind its last whole entry."""
    scenario.loses_answers = True

    def tear():
        path = scenario.state_files()[0]
        with open(path, "ab") as file:
            file.write(bytes(chance.randrange(256) for _ in range(chance.randrange(1, 3000))))
    scenario.after_end = tear
    act_at(scenario, chance, scenario.kill)
    drive(scenario)


def damaged_log(scenario, chance):
    """A segment is damaged in the middle: the replay says where and stops; it goes on with the segment
    as it was."""
    path = sorted(scenario.log.glob("*.segment"))[0]
    content = path.read_bytes()
    at = chance.randrange(len(content) // 3, len(content) * 2 // 3)
    path.write_bytes(content[:at] + bytes(b ^ 0x5a for b in content[at:at + 64]) + content[at + 64:])
    stopped = scenario.run_once()
    assert stopped.code not in (0, support.INTERRUPTED), stopped.said
    assert path.name in stopped.said or str(path.parent) in stopped.said, stopped.said
    path.write_bytes(content)
    scenario.finish()


def removed_files(scenario, chance):
    """Files of the snapshot disappear in the middle, and come back."""
    away = scenario.folder / "away"
    files = [p for p in scenario.repository.rglob("*")
             if p.is_file() and p.parent.name == "0" and p.name.startswith("__")]

    def remove():
        away.mkdir()
        for path in files:
            path.rename(away / str(files.index(path)))
    act_at(scenario, chance, remove, last=0.5)
    scenario.begin()
    scenario.ended()
    for number, path in enumerate(files):
        (away / str(number)).rename(path)
    if scenario.stops[-1].code:
        scenario.finish()


# --- What the system gives ---

def out_of_memory(scenario, chance):
    """From a moment on the address space may grow a little, or not at all."""
    if not PLAIN_PROGRAM.exists():
        raise NotHere(f"needs {PLAIN_PROGRAM}, a build without sanitizers")
    scenario.program = PLAIN_PROGRAM
    scenario.loses_answers = True
    more = chance.choice([0, 0, 64 << 10, 512 << 10, 4 << 20])

    def limit():
        pid = scenario.pid()
        pages = int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[0])
        bytes = pages * os.sysconf("SC_PAGE_SIZE") + more
        resource.prlimit(pid, resource.RLIMIT_AS, (bytes, bytes))
    # A human gives it more, who reads why the run failed: an engine's children have its limit.
    scenario.look = lambda: "(Failed)" in scenario.status and scenario.restart_broken()
    act_at(scenario, chance, limit, last=0.5)
    drive(scenario)


def few_descriptors(scenario, chance):
    scenario.launcher = ["prlimit", f"--nofile={chance.randrange(6, 60)}"]
    scenario.loses_answers = True
    scenario.after_end = lambda: forget(scenario)
    if scenario.restarts_itself:
        # A human gives it more, who reads why the run failed.
        scenario.look = lambda: "(Failed)" in scenario.status and scenario.restart_broken()
        drive(scenario)
        return
    scenario.begin()
    if scenario.ended().code != 0:
        forget(scenario)
        scenario.run_once()
        scenario.finish()


EVERYWHERE = ["backfill", "capture", "replay", "workflow"]
KINDS = {
    "kill": (kill, EVERYWHERE),
    "two kills": (kill_twice, EVERYWHERE),
    "SIGTERM or SIGINT": (terminate, EVERYWHERE),
    "pause (SIGSTOP, SIGCONT)": (pause, EVERYWHERE),
    "power cut": (power_cut, EVERYWHERE),
    "full disk": (full_disk, EVERYWHERE),
    "slow disk": (slow_disk, EVERYWHERE),
    "failing disk (EIO)": (failing_disk, EVERYWHERE),
    "clock jumps forward": (clock_forward, EVERYWHERE),
    "clock jumps back": (clock_back, EVERYWHERE),
    "another clock after a kill": (clock_between, EVERYWHERE),
    "partition": (partition, EVERYWHERE),
    "connections reset": (resets, EVERYWHERE),
    "half-closed connections": (half_closed, EVERYWHERE),
    "a trickle of bytes": (trickle, EVERYWHERE),
    "clients reset": (clients_reset, ["capture"]),
    "clients half-close": (clients_half_close, ["capture"]),
    "storm of 429": (storm_429, EVERYWHERE),
    "storm of 503": (storm_503, EVERYWHERE),
    "damaged state": (damaged_state, ["backfill", "replay", "workflow"]),
    "torn tail of the log": (damaged_tail, ["capture"]),
    "damaged segment": (damaged_log, ["replay"]),
    "snapshot files removed": (removed_files, ["backfill"]),
    "out of memory": (out_of_memory, EVERYWHERE),
    "few file descriptors": (few_descriptors, EVERYWHERE),
}

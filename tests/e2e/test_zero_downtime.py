"""Clients write through the proxy while a snapshot of the source is taken, backfilled and the rest is
replayed, in whatever order: the target ends with the same documents."""

import json
import os
import random
import signal
import threading

import pytest

from capture_support import CEILING, proxy, wait_for
from support import FIXTURES, OK
from zero_support import (INDICES, LONG, SEED, STOPPED, Command, catch_up, compare, fill, killer, load,
                          status)

SECONDS = int(os.environ.get("SHARDLIFT_SECONDS") or (60 if LONG else 12))
# Documents a second: so slow that what is killed was at work.
PACE = 40 if LONG else 100


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
                target.api("PUT", f"/{index}", {"settings": {"number_of_replicas": 0,
                                                            "translog.durability": "async"}})

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
            if kills:
                wait_for(lambda: replay.kills >= 3, "the replay to be killed")
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
    assert "gc_deletes" not in str(settings), settings


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

"""Clients write through the proxy into a Kafka topic, and two replayers of one group send it on while
they come, go and are killed, with a backfill beside them: the target ends with the same documents."""

import os
import random
import signal
import threading

import pytest

from capture_support import CEILING, proxy, wait_for
from zero_support import (INDICES, LONG, SEED, STOPPED, Command, catch_up, compare, fill, killer, load,
                          status)

SECONDS = int(os.environ.get("SHARDLIFT_SECONDS") or (60 if LONG else 6))
REPLAYERS = "one", "two"


def to_kafka(kafka, topic):
    return "--kafka-brokers", kafka.address, "--kafka-topic", topic


class Members:
    """Two replayers; the second leaves and comes back, either may be killed."""

    def __init__(self, shardlift, tmp_path, kafka, topic, url, *options):
        quick = tmp_path / "properties"
        quick.write_text("session.timeout.ms=6000\nheartbeat.interval.ms=1000\n")
        self.shardlift = shardlift
        self.arguments = [*to_kafka(kafka, topic), "--kafka-config-file", quick, "--source-versions",
                          "--speedup-factor", "1000", "--settle-time", "1s",
                          "--tuple-max-buffer-seconds", "1", "--target-uri", url, *options]
        self.running = {}
        self.all = []

    def start(self, name):
        tuples = self.shardlift.state_dir / "tuples" / name
        one = Command(self.shardlift, "replay", "--name", name, "--tuples", tuples, *self.arguments)
        self.running[name] = one
        self.all.append(one)

    def sends(self, name):
        return status(self.shardlift, name).get("requests", 0) > 0

    def leave(self, name):
        one = self.running.pop(name)
        one.process.send_signal(signal.SIGTERM)
        assert one.process.wait(CEILING) == STOPPED, one.said()

    def end(self):
        for one in self.all:
            one.end()


def records_in(shardlift, kafka, topic):
    exported = shardlift("traffic", "export", *to_kafka(kafka, topic))
    assert exported.code == 0, exported
    return exported.out.count("\n")


def migrate(shardlift, tmp_path, source, target, kafka, seed, seconds, kills):
    chance = random.Random(seed)
    topic = f"zero-{seed}-{random.randrange(1 << 30)}"
    repository = source.repositories / topic
    source.clear()
    target.clear()
    source.api("PUT", f"/_snapshot/{topic}", {"type": "fs", "settings": {"location": str(repository)}})
    fill(tmp_path, source.url, seed)
    source.api("PUT", "/load-*/_settings", {"index.gc_deletes": "1d"})
    stop, killers = threading.Event(), []
    members = Members(shardlift, tmp_path, kafka, topic, target.url, "--backfill-session", "zero")
    with proxy(shardlift, source.url, *to_kafka(kafka, topic), name="zero") as through, \
            load(tmp_path, through.port, seed, seconds, "--connections", "12") as (clients, journal):
        try:
            wait_for(lambda: journal.read_bytes().count(b"\n") > 100, "writes")
            source.api("PUT", f"/_snapshot/{topic}/all?wait_for_completion=true",
                       {"indices": "load-*"})
            for index in INDICES.split(","):
                target.api("PUT", f"/{index}", {"settings": {"number_of_replicas": 0,
                                                            "translog.durability": "async"}})
            members.start("one")
            wait_for(lambda: members.sends("one"), "the first to read")
            backfill = shardlift("backfill", "--repo-uri", repository, "--snapshot-name", "all",
                                 "--target-host", target.url, "--index-allowlist", INDICES,
                                 "--source-versions", "true", "--session-name", "zero")
            assert backfill.code in (0, 1) and " 0 failed" in backfill.out, backfill
            members.start("two")
            wait_for(lambda: members.sends("two"), "the second to read")
            if kills:
                killers = [killer(list(members.running.values()), chance, stop)]
            clients.communicate(timeout=seconds + CEILING)
            stop.set()
            for one in killers:
                one.join()
            # The second leaves, with whatever it has under way, and comes back.
            members.leave("two")
            members.start("two")
            wait_for(lambda: status(shardlift, "two").get("pid") ==
                     members.running["two"].process.pid, "the second to come back")
            members.leave("two")
            records = records_in(shardlift, kafka, topic)
            catch_up(members.running["one"], lambda now: now["next_offset"] >= records)
            members.leave("one")
            for one in members.all:
                print(one.name, "kills:", one.kills, one.said()[-1500:])
        finally:
            stop.set()
            for one in killers:
                one.join()
            members.end()


@pytest.mark.parametrize("seed", range(SEED, SEED + int(os.environ.get("SHARDLIFT_ROUNDS", 1))))
@pytest.mark.skipif(not LONG, reason="takes its time")
def test_two_replayers_of_a_group_bring_what_clients_wrote(shardlift, tmp_path, pool, opensearch, kafka,
                                                           seed):
    print(f"SHARDLIFT_SEED={seed}")
    source = pool.get("es-node", "7.10")
    migrate(shardlift, tmp_path, source, opensearch, kafka, seed, SECONDS, kills=True)
    assert compare(shardlift, tmp_path, source, opensearch) > 0

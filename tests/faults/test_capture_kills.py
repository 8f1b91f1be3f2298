"""The capture proxy, killed at random moments, and its disk after a power cut at such a moment: what
the source acknowledged is in the log, or the topic, and so is all that reached the source."""

import itertools
import os
import random
import re
import socket
import threading
import time

import pytest

import support
from capture_support import CEILING, Proxy, Stub, records, response, sent, wait_for
from power_cut import PowerCut

KILLS = int(os.environ.get("SHARDLIFT_CAPTURE_KILLS", 8))
KAFKA_KILLS = int(os.environ.get("SHARDLIFT_KAFKA_KILLS", 3))
CLIENTS = 4
LATER = 0.02  # seconds at most from a write's answer to the kill


class Writers:
    """Clients that write, each a number of its own, until their connections break."""

    def __init__(self):
        self.numbers = itertools.count()
        self.acknowledged = set()

    def write(self, port, sizes):
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=CEILING) as client:
                while True:
                    number, body = next(self.numbers), b"x" * sizes.randrange(5000)
                    client.sendall(b"PUT /i/_doc/%d HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" %
                                   (number, len(body), body))
                    if not response(client).startswith(b"HTTP/1.1 200 "):
                        return
                    self.acknowledged.add(number)
        except OSError:
            return

    def until_killed(self, one, chance, before=lambda: None):
        """`before` is called right before the kill, while requests are under way."""
        enough = len(self.acknowledged) + chance.randrange(1, 60)
        threads = [threading.Thread(target=self.write, args=(one.port, random.Random(chance.random())))
                   for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        wait_for(lambda: len(self.acknowledged) >= enough, "writes")
        time.sleep(chance.random() * LATER)
        before()
        one.kill()
        for thread in threads:
            thread.join()


def numbers_in(shardlift, *where):
    said = b"".join(sent(o, "read") for o in records(shardlift, *where).values())
    return set(map(int, re.findall(rb"PUT /i/_doc/(\d+) ", said)))


def reached(stub):
    return {int(target.rsplit("/", 1)[1]) for target in stub.targets()}


def test_what_the_source_acknowledged_is_in_the_log_after_kills(shardlift, tmp_path, seed, survived):
    chance, writers, log = random.Random(seed), Writers(), tmp_path / "log"
    with Stub() as stub:
        for _ in range(KILLS):
            writers.until_killed(Proxy(shardlift, stub.url, "--log", log), chance)
        there = numbers_in(shardlift, log)
        assert writers.acknowledged <= reached(stub) <= there
    survived("SIGKILL of the capture proxy", KILLS,
             f"{len(writers.acknowledged)} acknowledged writes, all in the log")


def test_what_the_source_acknowledged_is_in_the_log_after_power_cuts(shardlift, tmp_path, seed, survived):
    chance, writers = random.Random(seed), Writers()
    disk = tmp_path / "disk"
    disk.mkdir()
    library = support.PROGRAM.parent / "tests" / "faults" / "power_cut.so"
    with Stub() as stub:
        for cut in range(KILLS):
            power = PowerCut(library, disk, tmp_path / f"memory-{cut}")
            if cut:
                power.remember_all()
            writers.until_killed(Proxy(shardlift, stub.url, "--log", disk / "log",
                                       environment=power.environment), chance)
            power.restore()
            there = numbers_in(shardlift, disk / "log")
            assert writers.acknowledged <= reached(stub) <= there, f"after cut {cut}"
    survived("power cut under the capture proxy", KILLS,
             f"{len(writers.acknowledged)} acknowledged writes, all in the log")


def kafka_status(one):
    return one.control("status")["kafka"]


@pytest.mark.skipif("SHARDLIFT_KAFKA_KILLS" not in os.environ, reason="only in make check-long")
@pytest.mark.parametrize("policy", ["spool", "block"])
def test_what_the_source_acknowledged_is_in_kafka_after_kills(shardlift, kafka, seed, survived, policy):
    """The broker dies beside every tenth kill; with a spool it is away at the next one, too."""
    chance, writers = random.Random(seed), Writers()
    topic = f"kills-{policy}-{random.randrange(1 << 30)}"
    where = "--kafka-brokers", kafka.address, "--kafka-topic", topic
    dies_at, comes_at, broker_deaths = (0, 2, 0) if policy == "spool" else (5, 6, 0)
    with Stub() as stub:
        def started():
            return Proxy(shardlift, stub.url, *where, "--on-capture-failure", policy,
                         "--capture-timeout", "2s", name=policy)

        for kill in range(KAFKA_KILLS):
            if kill % 10 == comes_at and not kafka.is_alive():
                kafka.start()
            dies = kill % 10 == dies_at
            broker_deaths += dies
            writers.until_killed(started(), chance, kafka.kill if dies else lambda: None)
        if not kafka.is_alive():
            kafka.start()
        last = started()
        try:
            wait_for(lambda: not (s := kafka_status(last))["spooling"] and s["brokers"] == "there",
                     "what the spool had to be in Kafka")
            assert last.terminate() == 0, last.log
        finally:
            last.kill()
        there = numbers_in(shardlift, *where)
        assert writers.acknowledged <= reached(stub) <= there
    survived(f"SIGKILL of the capture proxy, Kafka, {policy}", KAFKA_KILLS,
             f"{len(writers.acknowledged)} acknowledged writes, all in the topic; "
             f"{broker_deaths} deaths of the broker")

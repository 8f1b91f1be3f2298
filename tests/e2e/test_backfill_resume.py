"""Runs that are killed, stopped and shared, and what the next run makes of them."""

import re
import shutil
import signal
import socket
import subprocess

import pytest

import support
from gated_target import GatedTarget
from support import ERRORS, INTERRUPTED, OK, UNREACHABLE, USAGE, assert_same, expected_documents

FIXTURE, SNAPSHOT, INDICES = "os-1.3.14", "snap-1", ["books", "logs-2026.01", "qa"]
PER_BULK, CONNECTIONS = 10, 2
LEASE_LOST, NO_WORK, ALL_LEASED, UNREADABLE = 2, 3, 4, 5  # of --one-item


@pytest.fixture
def gated():
    targets = []

    def start(node_url=None):
        targets.append(GatedTarget(node_url))
        return targets[-1]
    yield start
    for target in targets:
        target.drop()
        target.shutdown()
        target.server_close()


def arguments(command, repository, target, *more, indices=INDICES):
    return [command, "--repo-uri", str(repository(FIXTURE)), "--snapshot-name", SNAPSHOT,
            "--target-host", target.url, "--index-allowlist", ",".join(indices),
            "--documents-per-bulk-request", str(PER_BULK), "--max-connections", str(CONNECTIONS),
            *more]


class Started:
    """A run in the background."""

    def __init__(self, shardlift, arguments):
        self.process = subprocess.Popen([str(support.PROGRAM), *arguments],
                                        env=shardlift.environment, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)

    def signal(self, number):
        self.process.send_signal(number)

    def end(self):
        out, err = self.process.communicate(timeout=120)
        assert not support.SANITIZER_REPORT.search(err.decode()), err.decode()
        return self.process.returncode, err.decode()


@pytest.fixture
def start(shardlift):
    runs = []

    def begin(arguments):
        runs.append(Started(shardlift, arguments))
        return runs[-1]
    yield begin
    for run in runs:
        if run.process.poll() is None:
            run.process.kill()
            run.process.communicate()


def count(indices=INDICES):
    return sum(len(expected_documents(FIXTURE, SNAPSHOT)[index]) for index in indices)


@pytest.mark.parametrize("coordinator", ["local", "target"])
def test_a_migrate_that_is_killed_goes_on_and_ends_exactly(shardlift, repository, opensearch, gated,
                                                           start, coordinator):
    target = gated(opensearch.url)
    command = arguments("migrate", repository, target, "--max-range-size", "4KiB",
                        "--coordinator-host", coordinator)
    kills = 0
    for documents in (120, 360, 640):
        target.hold_after(documents)
        run = start(command)
        target.wait_until_held()
        run.signal(signal.SIGKILL)
        run.end()
        target.drop()
        kills += 1
    result = shardlift(*command, "--json")
    assert result.code == OK, result
    report = result.json()
    assert report["resumed"] is True and report["agrees"] is True, result
    assert report["totals"]["sent"] == report["totals"]["documents"] == count(), result
    assert target.sent_again() <= kills * CONNECTIONS * PER_BULK
    for index in INDICES:
        assert_same(opensearch.documents(index), expected_documents(FIXTURE, SNAPSHOT)[index], index)

    before = target.times.total()
    again = shardlift(*command, "--json")
    assert again.code == OK and "finished before" in again.err, again
    assert again.json()["totals"]["sent"] == count() and target.times.total() == before, again


def test_an_index_of_somebody_else_is_not_taken_for_ours(shardlift, repository, opensearch, gated):
    target = gated(opensearch.url)
    opensearch.api("PUT", "/qa", {"settings": {"number_of_replicas": 0}})
    command = arguments("migrate", repository, target, indices=["books", "qa"])
    for _ in range(2):
        result = shardlift(*command, "--json")
        assert result.code == ERRORS, result
        rows = {row["index"]: row for row in result.json()["indices"]}
        assert rows["qa"]["creation"] == "failed" and rows["books"]["agrees"] is True, result
        assert opensearch.documents("qa") == []
    opensearch.api("DELETE", "/qa")
    result = shardlift(*command)
    assert result.code == OK, result
    assert target.sent_again() == 0


def test_an_index_that_is_gone_is_not_believed_to_be_full(shardlift, repository, opensearch):
    command = arguments("migrate", repository, opensearch, indices=["qa"])
    assert shardlift(*command).code == OK
    opensearch.api("DELETE", "/qa")
    for _ in range(2):  # the first one does not take it for its own
        result = shardlift(*command)
        assert result.code == USAGE and "--restart" in result.err, result
    result = shardlift(*command, "--restart")
    assert result.code == OK, result
    assert len(opensearch.documents("qa")) == count(["qa"])


def test_a_signal_hands_work_back_and_the_same_command_goes_on(shardlift, repository, gated, start):
    target = gated()
    command = arguments("backfill", repository, target, "--max-range-size", "4KiB", "--grace",
                        "10m")
    target.hold_after(200)
    run = start(command)
    target.wait_until_held()
    run.signal(signal.SIGTERM)
    # What is in flight is answered, and nothing is sent twice.
    target.let_pass()
    code, err = run.end()
    assert code == INTERRUPTED and "the same command again" in err, err
    assert 0 < target.times.total() < count()
    result = shardlift(*command, "--json")
    assert result.code == OK, result
    assert result.json()["totals"]["sent"] == count(), result
    assert target.sent_again() == 0 and len(target.times) == count()


def test_what_is_still_in_flight_after_the_grace_is_cut_off(shardlift, repository, gated, start):
    target = gated()
    command = arguments("backfill", repository, target, "--grace", "100ms")
    target.hold_after(50)
    run = start(command)
    target.wait_until_held()
    run.signal(signal.SIGTERM)
    code, err = run.end()
    assert code == INTERRUPTED, err
    target.drop()
    assert shardlift(*command).code == OK
    assert target.sent_again() <= CONNECTIONS * PER_BULK and len(target.times) == count()


def test_another_worker_takes_over_from_a_dead_one(shardlift, repository, gated, start):
    target = gated()
    command = arguments("backfill", repository, target, "--max-range-size", "4KiB",
                        "--initial-lease-duration", "1h")
    target.hold_after(100)
    dead = start(command)
    target.wait_until_held()
    alive = start(command)
    dead.signal(signal.SIGKILL)
    dead.end()
    target.let_pass()
    code, err = alive.end()
    assert code == OK, err
    assert len(target.times) == count()
    assert target.sent_again() <= CONNECTIONS * PER_BULK


def test_a_session_that_somebody_works_on_is_not_begun_anew(shardlift, repository, gated, start):
    target = gated()
    command = arguments("backfill", repository, target)
    target.hold_after(0)
    run = start(command)
    target.wait_until_held()
    result = shardlift(*command, "--restart")
    assert result.code == USAGE and "is at work" in result.err, result
    target.let_pass()
    assert run.end()[0] == OK
    assert shardlift(*command, "--restart").code == OK
    assert target.times.total() == 2 * count()


def one_item(shardlift, command):
    process = subprocess.run([str(support.PROGRAM), *command, "--one-item"], capture_output=True,
                             timeout=120, env=shardlift.environment, stdin=subprocess.DEVNULL)
    assert not support.SANITIZER_REPORT.search(process.stderr.decode()), process.stderr.decode()
    return process.returncode


def items_until_no_work(shardlift, command):
    """How many were done; waits while others have what is left."""
    done = 0
    while (code := one_item(shardlift, command)) != NO_WORK:
        assert code in (0, ALL_LEASED)
        done += code == 0
    return done


@pytest.fixture
def shards(shardlift, repository):
    """Of the index qa, each with documents."""
    return items_until_no_work(shardlift, [
        "backfill", "--repo-uri", str(repository(FIXTURE)), "--snapshot-name", SNAPSHOT,
        "--target-host", "null:", "--index-allowlist", "qa", "--session-name", "measure"])


def test_one_item_ends_with_the_codes_of_the_containers(shardlift, repository, gated, start, shards):
    target = gated()
    command = arguments("backfill", repository, target, "--initial-lease-duration", "1h",
                        indices=["qa"])
    target.hold_after(0)
    slow = [start([*command, "--one-item"]) for _ in range(shards)]
    with target.changed:
        assert target.changed.wait_for(lambda: target.held >= shards * CONNECTIONS, 120)
    # All that is left is theirs, and stays theirs while they are alive.
    assert one_item(shardlift, command) == ALL_LEASED
    slow[0].signal(signal.SIGKILL)
    slow[0].end()
    target.let_pass()
    assert [run.end()[0] for run in slow[1:]] == [0] * (shards - 1)
    assert one_item(shardlift, command) == 0
    assert one_item(shardlift, command) == NO_WORK
    assert len(target.times) == count(["qa"])


def test_one_item_whose_lease_ran_out_is_left_to_the_other(shardlift, repository, gated, start,
                                                           shards):
    target = gated()
    command = arguments("backfill", repository, target, "--initial-lease-duration", "1s",
                        indices=["qa"])
    target.hold_after(0)
    slow = start([*command, "--one-item"])
    target.wait_until_held()
    slow.signal(signal.SIGSTOP)
    target.drop()
    assert items_until_no_work(shardlift, command) == shards
    slow.signal(signal.SIGCONT)
    assert slow.end()[0] == LEASE_LOST
    assert len(target.times) == count(["qa"])


def test_one_item_that_cannot_be_read_says_so(shardlift, repository, gated, tmp_path):
    damaged = tmp_path / "repo"
    shutil.copytree(repository(FIXTURE), damaged)
    blobs = sorted(damaged.glob("indices/*/*/__*"), key=lambda path: path.stat().st_size)
    for blob in blobs:
        blob.write_bytes(b"")
    command = arguments("backfill", lambda _: damaged, gated(), indices=["qa"])
    assert one_item(shardlift, command) == UNREADABLE


def test_one_item_tells_other_errors_from_the_ends_of_work(shardlift, repository):
    with socket.socket() as nobody:  # bound, and not listening
        nobody.bind(("127.0.0.1", 0))
        command = ["backfill", "--repo-uri", str(repository(FIXTURE)), "--snapshot-name", SNAPSHOT,
                   "--target-host", f"http://127.0.0.1:{nobody.getsockname()[1]}",
                   "--target-retry-time", "0s"]
        assert shardlift(*command).code == UNREACHABLE
        assert one_item(shardlift, command) == ERRORS
    assert one_item(shardlift, [*command, "--session-name", "a/b"]) == ERRORS
    assert one_item(shardlift, [*command, "--no-such-flag", "x"]) == ERRORS


def test_null_keeps_a_session_only_under_a_name(shardlift, repository):
    command = ["backfill", "--repo-uri", str(repository(FIXTURE)), "--snapshot-name", SNAPSHOT,
               "--target-host", "null:", "--index-allowlist", "qa", "--json"]
    for _ in range(2):
        result = shardlift(*command)
        assert result.code == OK and result.json()["resumed"] is False, result
    assert not (shardlift.state_dir / "work").exists()
    assert shardlift(*command, "--session-name", "mine").json()["resumed"] is False
    result = shardlift(*command, "--session-name", "mine")
    assert result.json()["resumed"] is True and re.search("'mine' was finished", result.err), result
    other = [a if a != "qa" else "books" for a in command]
    result = shardlift(*other, "--session-name", "mine")
    assert result.code == USAGE and "mine" in result.err, result

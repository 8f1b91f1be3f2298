"""What a run does for its target: checks, tuned settings, a full disk, pauses and rates."""

import contextlib
import signal
import subprocess
import threading
import time

import pytest

import support
from support import BLOCKED, OK, USAGE, assert_same, expected_documents

FIXTURE, SNAPSHOT = "os-2.19.6", "snap-2"
CEILING = 120  # seconds


@pytest.fixture
def source(repository):
    return repository(FIXTURE)


def documents(index):
    return expected_documents(FIXTURE, SNAPSHOT)[index]


def arguments(command, source, node, *more):
    return [command, "--repo-uri", str(source), "--snapshot-name", SNAPSHOT, "--target-host",
            node.url, "--index-allowlist", "books", *more]


def wait_for(condition, what):
    end = time.monotonic() + CEILING
    while not (found := condition()):
        assert time.monotonic() < end, what
        time.sleep(0.05)
    return found


class Running:
    """The program, running; `said` is its standard error so far."""

    def __init__(self, shardlift, log, command):
        self.log = log
        with open(log, "wb") as err:
            self.process = subprocess.Popen([str(support.PROGRAM), *command],
                                            env=shardlift.environment, stderr=err,
                                            stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)

    def said(self):
        return self.log.read_text(encoding="utf-8")

    def wait_until_said(self, text):
        wait_for(lambda: text in self.said() or self.process.poll() is not None, text)
        assert text in self.said(), self.said()

    def wait(self):
        code = self.process.wait(CEILING)
        assert not support.SANITIZER_REPORT.search(self.said()), self.said()
        return code

    def kill(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def start(shardlift, tmp_path):
    with contextlib.ExitStack() as stack:
        def start(*command):
            running = Running(shardlift, tmp_path / "stderr", [str(c) for c in command])
            stack.callback(running.kill)
            return running
        yield start


def settings(node, index="books"):
    found = node.api("GET", f"/{index}/_settings?flat_settings=true")[index]["settings"]
    return found.get("index.refresh_interval"), found["index.number_of_replicas"]


def set_setting(node, name, value, index="books"):
    node.api("PUT", f"/{index}/_settings", {name: value})


def start_paused(shardlift, start, *command):
    """A run that has done all that comes before the first document, and waits."""
    assert shardlift("backfill", "pause", "--session-name", "s").code == OK
    running = start(*command, "--session-name", "s")
    running.wait_until_said("is paused")
    return running


def test_settings_are_tuned_for_the_load_and_put_back(shardlift, start, source, opensearch):
    running = start_paused(shardlift, start, *arguments(
        "migrate", source, opensearch, "--number-of-replicas", "1"))
    assert settings(opensearch) == ("-1", "0")
    assert shardlift("backfill", "resume", "--session-name", "s").code == OK
    assert running.wait() == OK, running.said()
    assert settings(opensearch) == (None, "1")
    assert_same(opensearch.documents("books"), documents("books"), "books")
    assert not list(shardlift.state_dir.glob("tuning/*.json"))


def test_replicas_of_an_index_that_was_there_stay(shardlift, start, source, opensearch):
    opensearch.api("PUT", "/books", {"settings": {"number_of_replicas": 1,
                                                  "refresh_interval": "7s"}})
    running = start_paused(shardlift, start, *arguments("backfill", source, opensearch))
    assert settings(opensearch) == ("-1", "1")
    running.process.send_signal(signal.SIGTERM)
    assert running.wait() == support.INTERRUPTED, running.said()
    assert settings(opensearch) == ("7s", "1")


def test_nothing_is_tuned_unless_wanted(shardlift, start, source, opensearch):
    running = start_paused(shardlift, start, *arguments("migrate", source, opensearch,
                                                        "--tune-target", "false"))
    assert settings(opensearch)[0] is None
    running.kill()


def crash(shardlift, start, source, node):
    """A run is killed when settings are tuned; they stay so."""
    running = start_paused(shardlift, start, *arguments("migrate", source, node,
                                                        "--number-of-replicas", "1"))
    running.kill()
    assert settings(node) == ("-1", "0")
    assert list(shardlift.state_dir.glob("tuning/*.json"))
    assert shardlift("backfill", "resume", "--session-name", "s").code == OK


def test_after_a_crash_the_next_run_puts_settings_back(shardlift, start, source, opensearch):
    crash(shardlift, start, source, opensearch)
    again = shardlift(*arguments("migrate", source, opensearch, "--number-of-replicas", "1",
                                 "--session-name", "s"))
    assert again.code == OK, again
    assert settings(opensearch) == (None, "1")
    assert_same(opensearch.documents("books"), documents("books"), "books")
    assert not list(shardlift.state_dir.glob("tuning/*.json"))


def test_after_a_crash_restore_settings_puts_them_back(shardlift, start, source, opensearch):
    crash(shardlift, start, source, opensearch)
    restored = shardlift("restore-settings", "--target-host", opensearch.url, "--json")
    assert restored.code == OK and restored.json() == {"restored": 1, "kept": 0}, restored
    assert settings(opensearch) == (None, "1")
    assert shardlift("restore-settings", "--target-host", opensearch.url).code == OK


def test_what_somebody_changed_after_a_crash_stays(shardlift, start, source, opensearch):
    crash(shardlift, start, source, opensearch)
    set_setting(opensearch, "index.refresh_interval", "3s")
    restored = shardlift("restore-settings", "--target-host", opensearch.url)
    assert restored.code == OK, restored
    assert settings(opensearch) == ("3s", "1")


def test_of_several_hosts_the_first_tunes_and_another_puts_back_what_a_dead_one_left(
        shardlift, start, source, opensearch, tmp_path):
    command = arguments("migrate", source, opensearch, "--number-of-replicas", "1",
                        "--coordinator-host", "target", "--session-name", "several")
    assert shardlift("backfill", "pause", "--session-name", "several").code == OK
    first = start(*command)
    first.wait_until_said("tuned for the load")
    other = support.Program(tmp_path / "another host")
    second = Running(other, tmp_path / "another.log", [*command, "--allow-existing-indexes"])
    try:
        second.wait_until_said("another worker of session 'several' tunes the target")
        first.kill()
        assert second.wait() == OK, second.said()
    finally:
        second.kill()
    assert "settings of 1 index are as they were" in second.said(), second.said()
    assert settings(opensearch) == (None, "1")
    assert_same(opensearch.documents("books"), documents("books"), "books")


def test_a_full_disk_pauses_the_run_until_there_is_room(start, shardlift, source, opensearch):
    opensearch.api("PUT", "/books", {})
    block = "index.blocks.read_only_allow_delete"
    seen = threading.Event()

    def fill():  # a node lifts what it did not set itself, now and then
        while not seen.wait(0.1):
            set_setting(opensearch, block, True)

    set_setting(opensearch, block, True)
    thread = threading.Thread(target=fill)
    thread.start()
    try:
        running = start(*arguments("backfill", source, opensearch))
        running.wait_until_said("paused: the target takes no writes, its disk is full")
    finally:
        seen.set()
        thread.join()
    set_setting(opensearch, block, None)
    assert running.wait() == OK, running.said()
    assert "the target takes writes again" in running.said()
    assert_same(opensearch.documents("books"), documents("books"), "books")


def test_a_disk_that_stays_full_stops_the_run_and_loses_nothing(shardlift, source, opensearch):
    opensearch.api("PUT", "/_cluster/settings",
                   {"persistent": {"cluster.blocks.read_only_allow_delete": None}})
    opensearch.api("PUT", "/books", {})
    try:
        opensearch.api("PUT", "/_cluster/settings",
                       {"persistent": {"cluster.blocks.read_only_allow_delete": True}})
        stopped = shardlift(*arguments("backfill", source, opensearch, "--target-pause-time", "1s",
                                       "--target-retry-time", "1s"))
    finally:
        opensearch.api("PUT", "/_cluster/settings",
                       {"persistent": {"cluster.blocks.read_only_allow_delete": None}})
    assert stopped.code == support.UNREACHABLE, stopped
    assert "free space there and run the same command again" in stopped.err, stopped
    again = shardlift(*arguments("backfill", source, opensearch))
    assert again.code == OK, again
    assert_same(opensearch.documents("books"), documents("books"), "books")


def test_a_missing_index_stops_the_run_with_the_next_step(shardlift, source, opensearch):
    stopped = shardlift(*arguments("backfill", source, opensearch))
    assert stopped.code == BLOCKED, stopped
    assert "index 'books' is not on the target" in stopped.err, stopped
    assert "--allow-missing-indexes" in stopped.err, stopped
    allowed = shardlift(*arguments("backfill", source, opensearch, "--allow-missing-indexes"))
    assert allowed.code == OK, allowed
    assert_same(opensearch.documents("books"), documents("books"), "books")


@pytest.mark.parametrize("block,unblock,words", [
    (("POST", "/books/_close", None), ("POST", "/books/_open", None), "is closed"),
    (("PUT", "/books/_settings", {"index.blocks.write": True}),
     ("PUT", "/books/_settings", {"index.blocks.write": None}), "index.blocks.write"),
])
def test_an_index_that_takes_no_writes_stops_the_run(shardlift, source, opensearch, block, unblock,
                                                     words):
    opensearch.api("PUT", "/books", {})
    opensearch.api(*block)
    stopped = shardlift(*arguments("backfill", source, opensearch))
    assert stopped.code == BLOCKED and words in stopped.err, stopped
    opensearch.api(*unblock)
    assert shardlift(*arguments("backfill", source, opensearch)).code == OK


def test_fields_of_other_types_are_named(shardlift, source, opensearch):
    opensearch.api("PUT", "/books", {"mappings": {"properties": {
        "n": {"type": "keyword"}, "tag": {"type": "keyword"},
        "reviews": {"type": "nested", "properties": {"stars": {"type": "keyword"}}}}}})
    result = shardlift(*arguments("backfill", source, opensearch))
    assert result.code == OK, result
    assert "n (integer, there keyword)" in result.err, result
    assert "reviews.stars (byte, there keyword)" in result.err, result
    assert "tag (" not in result.err, result


def test_rates_are_changed_while_it_runs(shardlift, start, source, opensearch):
    """At its own rate the run would take four minutes."""
    running = start_paused(shardlift, start, *arguments(
        "migrate", source, opensearch, "--documents-per-bulk-request", "1",
        "--max-docs-per-second", "1"))
    changed = shardlift("backfill", "rate", "--session-name", "s", "--max-docs-per-second", "0")
    assert changed.code == OK, changed
    running.wait_until_said("sends 0 documents")
    assert shardlift("backfill", "resume", "--session-name", "s").code == OK
    assert running.wait() == OK, running.said()
    assert not list(shardlift.state_dir.glob("work/*.control"))
    assert_same(opensearch.documents("books"), documents("books"), "books")


def test_a_rate_is_needed_and_a_session_has_a_name(shardlift):
    nothing = shardlift("backfill", "rate", "--session-name", "s")
    assert nothing.code == USAGE and "--max-docs-per-second" in nothing.err, nothing
    assert shardlift("backfill", "pause", "--session-name", "../s").code == USAGE
    assert shardlift("backfill", "pause").code == USAGE


def test_a_bulk_above_what_the_node_takes_is_split(shardlift, source, pool):
    node = pool.get("os-node", "2.19", "--setting", "http.max_content_length=16kb")
    node.clear()
    result = shardlift(*arguments("migrate", source, node))
    assert result.code == OK, result
    assert_same(node.documents("books"), documents("books"), "books")

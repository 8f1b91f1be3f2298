"""docs/guides/use-the-solution.md, run as it stands on a terminal, `workflow manage` included."""

import re
import shutil

import pytest

import gated_target
from guide_support import GUIDES, blocks, command
from terminal import Terminal
from test_workflow import stop_engine, wait_until

GUIDE = "use-the-solution.md"
DOCUMENTS = 30
MIGRATION = "source-target-snap1-migration-0"
WAITS = "waits for you: a approves"

AT_THE_GATE = """\
migration-workflow  run 1700000000000  Running  (engine at work)
────────────────────────────────────────────────────────────────────────────────
  ✓ Check Connection                                                   Succeeded
▾ ✓ Snapshot source-snap1                                              1/1 steps
    ✓ Create Snapshot                                                  Succeeded
▾ ⟳ Backfill source-target-snap1-migration-0                           1/8 steps
    ✓ Evaluate Metadata                                                Succeeded
    ⟳ Approve Evaluate Metadata                        waits for you: a approves
    ○ Migrate Metadata                                                   Pending
    ○ Approve Migrate Metadata                                           Pending
    ○ Document Backfill                                                  Pending
    ○ Approve Document Backfill                                          Pending
    ○ Verify                                                             Pending
    ○ Approve Verify                                                     Pending





────────────────────────────────────────────────────────────────────────────────
waiting for approval: evaluatemetadata.source-target-snap1-migration-0


l log  f follow  o output  a approve  r reset  left/right fold  ? help  q quit"""

NARROW = """\
migration-workflow  run 1700000000000  Running  (engine at w
────────────────────────────────────────────────────────────
  ✓ Check Connection                               Succeeded
▾ ✓ Snapshot source-snap1                          1/1 steps
    ✓ Create Snapshot                              Succeeded
▾ ⟳ Backfill source-target-snap1-migration-0       1/8 steps
    ✓ Evaluate Metadata                            Succeeded
    ⟳ Approve Evaluate Metadata    waits for you: a approves
    ○ Migrate Metadata                               Pending
────────────────────────────────────────────────────────────
waiting for approval:
evaluatemetadata.source-target-snap1-migration-0

l log  f follow  o output  a approve  r reset  left/right f"""
HALF_WAY = """\
migration-workflow  run 1700000000000  Running  (engine at work)
────────────────────────────────────────────────────────────────────────────────
  ✓ Check Connection                                                   Succeeded
▾ ✓ Snapshot source-snap1                                              1/1 steps
    ✓ Create Snapshot                                                  Succeeded
▾ ▶ Backfill source-target-snap1-migration-0                           4/8 steps
    ✓ Evaluate Metadata                                                Succeeded
    ✓ Approve Evaluate Metadata                                         Approved
    ✓ Migrate Metadata                                                 Succeeded
    ✓ Approve Migrate Metadata                                          Approved
    ▶ Document Backfill [##########..........] 50%
    ○ Approve Document Backfill                                          Pending
    ○ Verify                                                             Pending
    ○ Approve Verify                                                     Pending





────────────────────────────────────────────────────────────────────────────────
50%, 30 documents, shards 1/2 done, 1 in progress, 0
waiting

l log  f follow  o output  a approve  r reset  left/right fold  ? help  q quit"""


@pytest.fixture
def source(pool):
    node = pool.get("es-node", "7.10")
    node.clear()
    shutil.rmtree(node.repositories / "guide", ignore_errors=True)
    for index in ("books", "films"):
        node.api("PUT", f"/{index}", {"settings": {"number_of_replicas": 0}})
        lines = "".join(f'{{"index":{{"_id":"{n}"}}}}\n{{"n":{n}}}\n' for n in range(DOCUMENTS))
        assert not node.api("POST", f"/{index}/_bulk?refresh=true", lines)["errors"]
    yield node
    node.clear()


def shown(screen):
    """What is on it, less what is of this run: its number, sizes and times."""
    text = re.sub(r"run \d{13}", "run 1700000000000", screen.screen())
    text = re.sub(r" *\[#+\.+\] *\d\d% ETA [0-9:-]+", " [##########..........] 50%", text)
    text = re.sub(r"\b[45]\d%, ", "50%, ", text)
    return re.sub(r", ETA [0-9:-]+|, [\d.]+ KiB of [\d.]+ KiB", "", text).rstrip()


def see(screen, *texts):
    """Waits until all of these are on it."""
    screen.wait(lambda text: all(one in text for one in texts), texts, 300)


def see_screen(screen, expected):
    screen.wait(lambda _: shown(screen) == expected, expected, 300)


def at_gate(screen, title):
    """Until the gate waits; then it is the row that keys are about."""
    screen.wait(lambda text: any(title in line and WAITS in line for line in text.splitlines()),
                title, 300)
    row(screen, title)


def row(screen, title):
    lines = screen.screen().splitlines()[2:]
    number = next(n for n, line in enumerate(lines) if f" {title} " in line)
    screen.type("Home", *["Down"] * number)


def approve(screen, gate):
    screen.type("a")
    see(screen, f"Gate {gate}.{MIGRATION}", "y approves it")
    screen.type("y")
    see(screen, f"✓ Approved {gate}.{MIGRATION}")


def read(screen, key, text):
    """A report or a log, to its end."""
    screen.type(key)
    see(screen, "q back")
    screen.type("End")
    see(screen, text)
    screen.type("q")
    see(screen, "q quit")


def migrate_on_the_screen(screen, target):
    see(screen, "q quit")
    at_gate(screen, "Approve Evaluate Metadata")
    see_screen(screen, AT_THE_GATE)
    screen.resize(60, 14)
    see_screen(screen, NARROW)
    screen.resize(80, 24)
    see_screen(screen, AT_THE_GATE)
    read(screen, "o", "0 issue(s) detected")
    approve(screen, "evaluatemetadata")
    at_gate(screen, "Approve Migrate Metadata")
    # One of the two indices arrives, the other is held: there is time to look.
    target.hold_after(target.times.total() + 1)
    approve(screen, "migratemetadata")
    screen.wait(lambda text: re.search(r"\[#+\.+\]", text), "progress", 300)
    row(screen, "Document Backfill")
    see_screen(screen, HALF_WAY)
    read(screen, "l", "info backfill session 'rfs-")
    target.let_pass()
    at_gate(screen, "Approve Document Backfill")
    approve(screen, "documentbackfill")
    at_gate(screen, "Approve Verify")
    approve(screen, "verify")
    see(screen, "  Succeeded  (engine")
    screen.type("q")


def test_the_quick_start_can_be_followed_command_by_command(shardlift, source, opensearch, tmp_path):
    target = gated_target.GatedTarget(opensearch.url)
    words, environment = command(
        GUIDE, shardlift, tmp_path, SOURCE=source.url, TARGET=target.url, PILOT="books",
        SOURCE_LOGIN="admin:secret", TARGET_LOGIN="admin:secret",
        REPOSITORY=f"file://{source.repositories}/guide")
    more = {key: environment[key] for key in environment.keys() - shardlift.environment.keys()}
    screen = Terminal(tmp_path, words, environment, **more)
    try:
        migrate_on_the_screen(screen, target)
        wait_until(lambda: "ended with" in screen.said, "the end of the guide")
        said = screen.said
    finally:
        screen.close()
        stop_engine(shardlift.state_dir)
    assert "ended with 0" in said, said + screen.errors.read_text()
    assert "secret" not in re.sub("secretName", "", said), said
    assert said.count('"value":60') == 3 and said.count('"value":30') == 1, said
    assert not opensearch.client.indices.exists("books")


def test_the_screen_of_the_guide_is_the_programs_own():
    assert blocks(GUIDE, "screen") == [f"{AT_THE_GATE}\n"]


def test_every_line_of_kubectl_has_the_two_other_forms():
    rows = [line for line in (GUIDES / GUIDE).read_text().splitlines() if "kubectl" in line]
    assert len(rows) >= 5
    for line in rows:
        _, _, here, container, _ = re.split(r"(?<!\\)\|", line)
        assert "kubectl" not in here + container and here.strip(), line
        assert "docker exec" in container or container.strip() == "the same", line


def test_paths_that_a_shell_would_take_apart_are_quoted():
    for line in (GUIDES / GUIDE).read_text().splitlines():
        for word in re.findall(r"(?<!')/\S*&\S*", line):
            assert "'" in line.split(word)[0], line

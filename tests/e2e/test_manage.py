"""`workflow manage` in a real terminal (tmux): the screen is compared as text, keys are typed.

The state directory is prepared: a run that stands still, so that no screen depends on time. What
an engine does to it is in test_workflow.py, and on a screen in test_use_the_solution.py."""

import json
import re
import sqlite3
import time

import pytest

from support import OK, PROGRAM, USAGE
from terminal import Terminal

RUN = 1700000000000
MIGRATION = "old-new-first-migration-0"
GATE = f"evaluatemetadata.{MIGRATION}"
PENDING, WAITING, RUNNING, SUCCEEDED, SKIPPED, FAILED = range(6)

SCREEN = """\
migration-workflow  run 1700000000000  Running  (engine not running)
────────────────────────────────────────────────────────────────────────────────
▾ ✓ Snapshot old-first                                                 1/1 steps
    ✓ Create Snapshot                                                  Succeeded
▾ ⟳ Backfill old-new-first-migration-0                                 1/4 steps
    ✓ Evaluate Metadata                                                Succeeded
    ⟳ Approve Evaluate Metadata                        waits for you: a approves
    ▶ Document Backfill                    [##########..........]  50% ETA --:--
    ○ Verify                                                             Pending










────────────────────────────────────────────────────────────────────────────────
the report of an earlier try


l log  f follow  o output  a approve  r reset  left/right fold  ? help  q quit"""

DIALOG = """\
+--------------------------------------------------------------------------+
| Gate evaluatemetadata.old-new-first-migration-0                          |
|                                                                          |
| Indices, templates and aliases are then made on the target, as the       |
| evaluation says; key o shows its report.                                 |
|                                                                          |
| The evaluation is to be read                                             |
|                                                                          |
| y approves it, n does not                                                |
+--------------------------------------------------------------------------+"""

NARROW = """\
migration-workflow  run 1700000000000  R
────────────────────────────────────────
▾ ✓ Snapshot old-first         1/1 steps
    ✓ Create Snapshot          Succeeded
▾ ⟳ Backfill old-new-first-mi  1/4 steps
    ✓ Evaluate Metadata        Succeeded
    ⟳ Approve Eval  waits for you: a app
────────────────────────────────────────
the report of an earlier try


l log  f follow  o output  a approve  r"""


def step(name, title, resource, position, phase, **more):
    row = {"run": RUN, "name": name, "grouped": resource.partition(".")[2], "title": title,
           "resource": resource, "position": position, "phase": phase, "attempt": 1,
           "started_ms": 0, "finished_ms": 0, "message": "", "progress": "", "log": "",
           "child": ""}
    return {**row, **more}


def insert(database, table, row):
    database.execute(f"INSERT INTO {table} ({', '.join(row)}) "
                     f"VALUES ({', '.join('?' * len(row))})", list(row.values()))


def resource(kind, name, depends_on=(), **status):
    return {"kind": kind, "name": name, "uid": "1_a", "spec": "{}",
            "depends_on": json.dumps(depends_on), "checksum": "0", "converged": "",
            "phase": "Ready", "status": json.dumps(status), "created_ms": 1, "updated_ms": 1}


@pytest.fixture
def prepared(shardlift, repository, tmp_path):
    """A run whose gate waits while documents are half way."""
    state = shardlift.state_dir
    backfill = shardlift("backfill", "--repo-uri", repository("es-7.10.2"), "--snapshot-name",
                         "snap1", "--target-host", "null:", "--session-name", "rfs-1",
                         "--index-allowlist", "family")
    assert backfill.code == OK, backfill
    with sqlite3.connect(state / "work" / "rfs-1.db") as work:
        work.execute("DELETE FROM work_items WHERE id > 1")
        work.execute("UPDATE work_items SET bytes = 4096, state = 2, documents = 7")
        work.execute("INSERT INTO work_items (index_name, shard, first_doc, end_doc, bytes, "
                     "next_doc) VALUES ('zoo', 0, 0, 100, 4096, 0)")
    assert shardlift("workflow", "configure", "sample", "--load").code == OK
    migration = f"snapshotmigration.{MIGRATION}"
    log = f"logs/{RUN}/documentbackfill.{MIGRATION}.1.log"
    with sqlite3.connect(state / "state.db") as database:
        insert(database, "run", {"id": RUN, "workflow": "migration-workflow", "config": "",
                                 "phase": 1, "started_ms": 1, "message": ""})
        insert(database, "resource", resource("datasnapshot", "old-first"))
        insert(database, "resource", resource("snapshotmigration", MIGRATION,
                                              ["datasnapshot.old-first"], workSession="rfs-1"))
        for row in (
                step("createsnapshot.old-first", "Create Snapshot", "datasnapshot.old-first", 0,
                     SUCCEEDED, message="the report of an earlier try"),
                step(f"evaluatemetadata.{MIGRATION}", "Evaluate Metadata", migration, 1, SUCCEEDED),
                step(f"approve.{GATE}", "Approve Evaluate Metadata", migration, 2, WAITING,
                     attempt=0),
                step(f"documentbackfill.{MIGRATION}", "Document Backfill", migration, 3, RUNNING,
                     log=log),
                step(f"verify.{MIGRATION}", "Verify", migration, 4, PENDING, attempt=0)):
            insert(database, "step", row)
        insert(database, "gate", {"workflow": "migration-workflow", "name": GATE, "category": 0,
                                  "status": 1, "resource": migration,
                                  "reason": "The evaluation is to be read", "prerequisite": "",
                                  "run": RUN, "updated_ms": 1})
    (state / log).parent.mkdir(parents=True)
    (state / log).write_text("2026-11-21T10:24:00.123Z first words\n")
    report = state / "outputs" / "snapshotmigration" / MIGRATION / "1_a"
    report.mkdir(parents=True)
    (report / GATE).write_text("what the evaluation \x1b[2J said\n")
    shardlift.log = state / log
    return shardlift


@pytest.fixture
def terminal(tmp_path):
    """terminal(program, **environment): `workflow manage` on a screen of its own."""
    opened = []

    def make(program, **environment):
        opened.append(Terminal(tmp_path, [PROGRAM, "workflow", "manage"], program.environment,
                               **environment))
        return opened[-1]
    yield make
    for one in opened:
        one.close()


def gate_status(program):
    listed = program("workflow", "approve", "--list", "--output", "json").json()
    return {gate["name"]: gate["status"] for gate in listed}[GATE]


def test_it_waits_for_the_first_run(shardlift, terminal):
    screen = terminal(shardlift)
    screen.wait_for("Waiting. `workflow configure sample --load`")
    assert shardlift("workflow", "configure", "sample", "--load").code == OK
    screen.wait_for("Waiting for `workflow submit`")
    with sqlite3.connect(shardlift.state_dir / "state.db") as database:
        insert(database, "run", {"id": RUN, "workflow": "migration-workflow", "config": "",
                                 "phase": 0, "message": ""})
    screen.wait_for(f"migration-workflow  run {RUN}  Pending")
    screen.end()


def test_progress_is_seen_and_a_gate_is_approved(prepared, terminal):
    screen = terminal(prepared)
    screen.wait_for_screen(SCREEN)
    with sqlite3.connect(prepared.state_dir / "state.db") as database:
        database.execute("UPDATE step SET started_ms = ? WHERE phase = ?",
                         (int(time.time() * 1000) - 600000, RUNNING))
    screen.wait(lambda text: re.search(r"50% ETA \d+:\d\d", text), "a time left")
    screen.type("Down", "Down", "Down", "Down", "a")
    screen.wait(lambda text: all(line in text for line in DIALOG.splitlines()), DIALOG)
    screen.type("n")
    screen.wait(lambda text: "y approves it" not in text, "the dialog's end")
    assert gate_status(prepared) == "waiting"
    screen.type("a")
    screen.wait_for("y approves it")
    screen.type("y")
    screen.wait_for(f"✓ Approved {GATE}")
    assert gate_status(prepared) == "approved"
    screen.type("a")
    screen.wait_for("it is approved already")
    screen.end()


def test_logs_and_reports_are_read_and_followed(prepared, terminal):
    screen = terminal(prepared)
    screen.wait_for_screen(SCREEN)
    screen.type("End", "l")
    screen.wait_for("nothing has a log here yet")
    screen.type("Up", "f")
    screen.wait_for("first words")
    with open(prepared.log, "a") as log:
        log.writelines(f"2026-11-21T10:24:01.123Z line {n}\n" for n in range(100))
    screen.wait(lambda text: "line 99" in text and "first words" not in text, "the log's end")
    screen.type("Home")
    screen.wait_for("first words")
    screen.type("q")
    screen.wait_for("Document Backfill")
    screen.type("Up", "Up", "o")
    screen.wait_for("what the evaluation ?[2J said")
    screen.type("q")
    screen.wait_for_screen(SCREEN.replace("the report of an earlier try", ""))
    screen.end()


def test_it_survives_other_sizes(prepared, terminal):
    screen = terminal(prepared)
    screen.wait_for_screen(SCREEN)
    screen.resize(40, 12)
    screen.wait_for_screen(NARROW)
    screen.resize(2, 2)
    screen.resize(80, 24)
    screen.wait_for_screen(SCREEN)
    screen.end()


def test_folded_rows_tell_the_progress_below_them(prepared, terminal):
    screen = terminal(prepared)
    screen.wait_for_screen(SCREEN)
    screen.type("Down", "Down", "Down", "Left")
    screen.wait(lambda text: re.search(r"▸ ⟳ Backfill .*50%", text) and "Verify" not in text,
                "a folded row")
    screen.type("Right")
    screen.wait_for("Verify")
    screen.end()


def test_a_reset_lists_what_goes_and_asks(prepared, terminal):
    screen = terminal(prepared)
    screen.wait_for_screen(SCREEN)
    screen.type("r")
    screen.wait(lambda text: f"snapshotmigration.{MIGRATION}  (Ready)" in text
                and "datasnapshot.old-first  (Ready)" in text, "what would be reset")
    screen.type("n")
    screen.wait_for_screen(SCREEN)
    screen.type("r")
    screen.wait_for("y resets them")
    screen.type("y")
    screen.wait_for("✓ Reset datasnapshot.old-first")
    listed = prepared("workflow", "reset", "--list")
    assert "There is nothing to reset." in listed.out, listed
    screen.type("q")
    screen.end()


def test_colours_are_left_out_by_no_color(prepared, terminal):
    screen = terminal(prepared, NO_COLOR="1")
    screen.wait_for_screen(SCREEN)
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]", screen.tmux("capture-pane", "-p", "-e"))
    screen.end()


def test_colours_are_those_of_the_marks(prepared, terminal):
    screen = terminal(prepared)
    screen.wait_for_screen(SCREEN)
    assert "\x1b[32m✓" in screen.tmux("capture-pane", "-p", "-e")
    screen.end()


def test_another_alphabet_gets_plain_marks(prepared, terminal):
    screen = terminal(prepared, LC_ALL="C")
    screen.wait_for("- @ Backfill old-new-first-migration-0")
    screen.wait_for("> Document Backfill")
    screen.end()


def test_without_a_terminal_it_says_so(prepared):
    result = prepared("workflow", "manage")
    assert result.code == USAGE, result
    assert "`workflow manage` needs a terminal" in result.err, result


def test_status_tells_the_same_progress(prepared):
    status = prepared("workflow", "status")
    assert ("[50%, 4.0 KiB of 8.0 KiB, 7 documents, shards 1/2 done, 0 in progress, 1 waiting]"
            in status.out), status
    assert prepared("workflow", "status", "--live-status", "false").out.count("50%") == 0
    steps = {s["name"]: s for s in prepared("workflow", "status", "--json").json()["steps"]}
    progress = steps[f"documentbackfill.{MIGRATION}"]["progress"]
    assert (progress["percent"], progress["eta_ms"]) == (50, None), progress
    view = prepared("workflow", "status", "--resource-view")
    assert "▶ " in view.out and "50%" in view.out, view


def test_logs_take_what_kubectl_takes(prepared):
    lines = "".join(f"2026-11-21T10:24:01.{n:03}Z line {n}\n" for n in range(20))
    prepared.log.write_text(lines + "2999-01-01T00:00:00.000Z still to come\n")
    log = prepared("workflow", "log", "all", "--", "--tail", "2", "--container", "main")
    assert log.out == "line 19\nstill to come\n", log
    log = prepared("workflow", "log", "all", "--namespace", "ma", "--", "--since=1m")
    assert log.out == "still to come\n", log
    assert prepared("workflow", "log", "all", "--workflow-name", "other").code != OK
    log = prepared("workflow", "log", "all", "--workflow-name", "other", "--all-workflows")
    assert log.out.count("line") == 20, log
    for wrong in ("--tail=x", "--since=x", "--lines=1", "--tail"):
        assert prepared("workflow", "log", "all", "--", wrong).code == USAGE, wrong

"""`workflow` where its machine is at fault: the disk of the state directory is full, the clock jumps."""

import os
import signal
import subprocess
import sys

import pytest

from support import LOCAL_IO, OK, PROGRAM, ROOT, assert_same
from test_workflow import (MIGRATION, configured, engine_pid, source,  # noqa: F401
                           wait_for_end, wait_for_gate, wait_until, workflow)

sys.path.insert(0, str(ROOT / "tests" / "faults"))
from disturb import Disturb, small_disk  # noqa: E402

ONE_GATE = b"requireBeginApproval: true\nsourceClusters: {}\ntargetClusters: {}\nsnapshotMigrationConfigs: []\n"


def test_a_full_disk_is_waited_for(shardlift, tmp_path):
    with small_disk(shardlift.state_dir, "4m") as disk:
        if disk is None:
            pytest.skip("no right to mount a small disk")
        assert shardlift("workflow", "configure", "edit", "--stdin", input=ONE_GATE).code == OK
        said = tmp_path / "said"
        with open(said, "wb") as file:
            engine = subprocess.Popen([str(PROGRAM), "engine", "--stay"], stderr=file, stdin=subprocess.DEVNULL,
                                      env=shardlift.environment)
        try:
            wait_until(lambda: engine_pid(shardlift.state_dir) == engine.pid, "the engine")
            assert shardlift("workflow", "submit").code == OK
            wait_until(lambda: "waiting" in shardlift("workflow", "approve", "--list").out, "the gate")
            # So that it has something to write once there is no space.
            engine.send_signal(signal.SIGSTOP)
            assert shardlift("workflow", "approve", "begin").code == OK
            disk.fill()
            refused = shardlift("workflow", "configure", "edit", "--stdin", input=ONE_GATE * 2000)
            assert refused.code == LOCAL_IO and "no space is left" in refused.err, refused
            assert len(refused.err.splitlines()) == 1, refused
            engine.send_signal(signal.SIGCONT)
            wait_until(lambda: b"no space is left" in said.read_bytes(), "what the engine says")
            disk.free()
            wait_until(lambda: "Phase: Succeeded" in shardlift("workflow", "status").out, "the end")
            assert engine.poll() is None
            assert said.read_bytes().count(b"\n") == 1, said.read_text()
            assert shardlift("workflow", "configure", "view").out.encode() == ONE_GATE
        finally:
            engine.send_signal(signal.SIGCONT)
            engine.terminate()
            engine.wait(120)


@pytest.mark.skipif("SHARDLIFT_LONG" not in os.environ, reason="only in make check-long")
def test_a_clock_that_jumps_hinders_nothing(workflow, source, opensearch, tmp_path):  # noqa: F811
    disturb = Disturb(PROGRAM.parent / "tests" / "faults" / "disturb.so", tmp_path / "switches")
    os.environ.get("LD_PRELOAD") and pytest.skip("something is preloaded already")
    workflow.program.environment.update(disturb.environment)
    workflow.program.environment["ASAN_OPTIONS"] += ":verify_asan_link_order=0"
    configured(workflow, source, opensearch)
    assert workflow("submit").code == OK
    for gate, ahead in (("evaluatemetadata", 6 * 3600), ("migratemetadata", -30 * 3600),
                        ("documentbackfill", 24 * 3600), ("verify", -3600)):
        wait_for_gate(workflow, f"{gate}.{MIGRATION}")
        disturb.set_clock_ahead(ahead)
        assert workflow("approve", f"{gate}.{MIGRATION}").code == OK
    wait_for_end(workflow)
    for index in ("books", "films"):
        assert_same(opensearch.documents(index), source.documents(index), index)
    assert len(source.api("GET", "/_snapshot/backups/_all")["snapshots"]) == 1
    # A run of an earlier time than the one before it is the newer one all the same.
    disturb.set_clock_ahead(-50 * 3600)
    again = workflow("submit", "--wait", "--timeout", "120", "--wait-interval", "1")
    assert again.code == OK and "Skipped" in workflow("status").out, again

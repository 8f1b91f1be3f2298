"""copy by pull between real nodes of every line: killed, taken up again, and read back."""

import os
import signal
import subprocess

import pytest

import support
from copy_support import INDICES, assert_copied, fill
from gated_target import GatedTarget

EVERY = bool(os.environ.get("SHARDLIFT_EVERY_NODE"))
OLD = ["1.7", "2.4", "5.6", "6.8", "8.19"]
PAIRS = [("es-node", version, "os-node", target) for target in ("2.19", "3.8") for version in OLD]
PAIRS += [("os-node", "2.19", "es-node", version) for version in ("7.17", "8.19")]
# The other way round is of every check.
BRIEF = [("os-node", "2.19", "es-node", "7.10")]


@pytest.mark.parametrize("pair", PAIRS + BRIEF if EVERY else BRIEF, ids=lambda p: "-".join(p))
def test_the_exact_documents_arrive_though_the_copy_is_killed(shardlift, pool, pair):
    source, node = pool.get(*pair[:2]), pool.get(*pair[2:])
    source.clear()
    node.clear()
    documents = fill(source)
    target = GatedTarget(node.url)
    command = ["copy", "--from", source.url, "--to", target.url, "--include", ",".join(INDICES),
               "--documents-per-bulk-request", "20", "--max-connections", "2"]
    try:
        target.hold_after(200)
        run = subprocess.Popen([str(support.PROGRAM), *command], env=shardlift.environment,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            target.wait_until_held()
        finally:
            run.send_signal(signal.SIGKILL)
            run.communicate(timeout=120)
        target.drop()
        result = shardlift(*command, "--json")
    finally:
        target.drop()
        target.shutdown()
        target.server_close()
    assert result.code == support.OK, result
    assert result.json()["resumed"] is True, result
    assert result.json()["totals"]["sent"] == documents, result
    assert_copied(source, node, "-".join(pair))

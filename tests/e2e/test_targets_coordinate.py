"""Coordinators that the nodes of test_targets.py can be: after it, while these still run."""

import pytest

from test_coordinator_cluster import assert_every_promise, node_of


@pytest.mark.parametrize("kind,version", [("es-node", "7.10"), ("os-node", "1.3"), ("os-node", "3.8")])
def test_every_promise_of_a_coordinator(pool, kind, version):
    assert_every_promise(node_of(pool, kind, version), brief=True)

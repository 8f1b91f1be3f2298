"""No rule of metadata is without a proof, and each proof is there."""

import pathlib
import sys

from support import ROOT

sys.path.insert(0, str(pathlib.Path(__file__).parent / "metadata"))
import proofs  # noqa: E402
import zoo  # noqa: E402


def test_the_table_is_what_its_sources_say():
    told = (ROOT / "docs" / "metadata-proofs.md").read_text()
    assert told == proofs.table(), "run tests/e2e/metadata/proofs.py > docs/metadata-proofs.md"


def test_no_rule_is_without_a_proof():
    rules = proofs.rules()
    assert len(rules) > 80
    nodes, stubs, bodies = proofs.on_nodes(), proofs.on_stubs(), proofs.in_bodies()
    assert [rule for rule in rules if rule not in bodies] == []
    assert (nodes.keys() | stubs.keys() | bodies.keys()) - set(rules) == set()
    for tests in stubs.values():
        for test in tests:
            assert (ROOT / "tests" / "e2e" / f"{test.split()[0]}.py").exists(), test


def test_a_zoo_is_large_enough():
    for version in zoo.VERSIONS:
        assert len(zoo.indices(version)) >= 40, version
        assert len(zoo.templates(version)) >= 20, version

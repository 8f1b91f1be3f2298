"""Targets other than OpenSearch 2.19. Last, so that the nodes that others share are not turned out."""

import pytest

import support
from support import OK, assert_same, expected_documents


@pytest.mark.parametrize("kind,version", [("es-node", "7.10"), ("os-node", "1.3"), ("os-node", "3.8")])
def test_other_targets_take_the_same_documents(shardlift, repository, pool, kind, version):
    try:
        node = pool.get(kind, version)
    except support.NodeError as error:
        if "no Java 21" in str(error):
            pytest.skip(str(error).strip())
        raise
    node.clear()
    documents = expected_documents("es-7.10.2", "snap2")
    chosen = {name: documents[name] for name in ("books", "family", "logs-2020.01")}
    result = shardlift("migrate", "--repo-uri", repository("es-7.10.2"), "--snapshot-name", "snap2",
                       "--target-host", node.url, "--index-allowlist", ",".join(chosen))
    assert result.code == OK, result
    for name, found in chosen.items():
        assert_same(node.documents(name), found, f"{kind} {version} {name}")

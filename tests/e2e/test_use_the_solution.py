"""docs/guides/use-the-solution.md, run as it stands."""

import re
import shutil

import pytest

from guide_support import GUIDES, follow
from test_workflow import stop_engine

GUIDE = "use-the-solution.md"


@pytest.fixture
def source(pool):
    node = pool.get("es-node", "7.10")
    node.clear()
    shutil.rmtree(node.repositories / "guide", ignore_errors=True)
    for n in range(30):
        node.api("PUT", f"/books/_doc/{n}?refresh=true", {"n": n})
    node.api("PUT", "/books/_settings", {"index": {"number_of_replicas": 0}})
    yield node
    node.clear()


def test_the_quick_start_can_be_followed_command_by_command(shardlift, source, opensearch, tmp_path):
    try:
        said = follow(GUIDE, shardlift, tmp_path, SOURCE=source.url, TARGET=opensearch.url,
                      SOURCE_LOGIN="admin:secret", TARGET_LOGIN="admin:secret",
                      REPOSITORY=f"file://{source.repositories}/guide").out
    finally:
        stop_engine(shardlift.state_dir)
    assert "secret" not in re.sub("secretName", "", said), said
    assert said.count('"value":30') == 2, said
    assert not opensearch.client.indices.exists("books")


def test_paths_that_a_shell_would_take_apart_are_quoted():
    for line in (GUIDES / GUIDE).read_text().splitlines():
        for word in re.findall(r"(?<!')/\S*&\S*", line):
            assert "'" in line.split(word)[0], line

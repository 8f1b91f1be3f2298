"""Our exports read by elasticdump, and its own by us. Part of tests/check-long."""

import os
import pathlib
import shutil
import subprocess

import pytest

import support
from test_copy_files import fill_index, in_index

pytestmark = pytest.mark.skipif(not os.environ.get("SHARDLIFT_ELASTICDUMP"),
                                reason="of the long run: set SHARDLIFT_ELASTICDUMP")


@pytest.fixture(scope="session")
def elasticdump():
    """elasticdump itself, fetched by npm once."""
    cache = pathlib.Path(os.environ.get("SHARDLIFT_CACHE") or pathlib.Path.home() / ".cache/shardlift")
    folder = cache / "elasticdump"
    program = folder / "node_modules" / ".bin" / "elasticdump"
    if not program.exists():
        if not shutil.which("npm"):
            pytest.skip("there is no npm to fetch elasticdump")
        folder.mkdir(parents=True, exist_ok=True)
        fetched = subprocess.run(["npm", "install", "--prefix", str(folder), "elasticdump"],
                                 capture_output=True, text=True, timeout=600)
        if fetched.returncode:
            pytest.skip(f"npm cannot fetch elasticdump: {fetched.stderr[-500:]}")

    def run(*arguments):
        done = subprocess.run([str(program), *arguments], capture_output=True, text=True,
                              timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
    return run


def test_elasticdump_imports_our_export(shardlift, opensearch, tmp_path, elasticdump):
    documents = fill_index(opensearch)
    result = shardlift("copy", "--from", opensearch.url, "--to", f"file:{tmp_path}/out",
                       "--include", "books", "--format", "elasticdump")
    assert result.code == support.OK, result
    opensearch.clear()
    for path in sorted((tmp_path / "out").rglob("*.ndjson")):
        elasticdump(f"--input={path}", f"--output={opensearch.url}/books", "--type=data",
                    "--support-big-int")
    assert in_index(opensearch, "books") == documents


def test_we_import_the_export_of_elasticdump(shardlift, opensearch, tmp_path, elasticdump):
    documents = fill_index(opensearch)
    elasticdump(f"--input={opensearch.url}/books", f"--output={tmp_path}/books.json", "--type=data",
                "--support-big-int")
    for kind in ("mapping", "settings", "alias"):
        elasticdump(f"--input={opensearch.url}/books", f"--output={tmp_path}/books.{kind}.json",
                    f"--type={kind}")
    opensearch.clear()
    result = shardlift("copy", "--from", f"file:{tmp_path}", "--to", opensearch.url)
    assert result.code == support.OK, result
    for words in ("mappings of an index", "settings of an index"):
        assert words in result.err, result
    assert in_index(opensearch, "books") == documents

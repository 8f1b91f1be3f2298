"""Fixtures (pytest's) of the end-to-end tests and of those with faults."""

import functools
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent / "e2e"))
import support  # noqa: E402


def pytest_report_header():
    return f"program: {support.PROGRAM}"


@pytest.fixture
def shardlift(tmp_path):
    return support.Program(tmp_path / "state")


@pytest.fixture(scope="session")
def pool(tmp_path_factory):
    pool = support.NodePool(tmp_path_factory.mktemp("nodes"))
    yield pool
    pool.stop()


@pytest.fixture(scope="session")
def repository(tmp_path_factory):
    """repository("es-7.10.2"): the folder of that fixture's repository. Not to be written to."""
    @functools.cache
    def unpacked(name):
        return support.unpack(name, tmp_path_factory.mktemp(name))
    return unpacked


@pytest.fixture
def opensearch(pool):
    """An empty OpenSearch 2.19."""
    node = pool.get("os-node", "2.19")
    node.clear()
    yield node


@pytest.fixture
def source(pool):
    """An empty Elasticsearch 7.10."""
    node = pool.get("es-node", "7.10")
    node.clear()
    yield node
    node.clear()


@pytest.fixture
def reindexing(pool):
    """An empty OpenSearch 2.19 that accepts sources on this machine."""
    node = pool.get("os-node", "2.19", "--setting", "reindex.remote.allowlist=127.0.0.1:*")
    node.clear()
    yield node
    node.clear()


@pytest.fixture(scope="session")
def kafka_broker(tmp_path_factory):
    broker = support.Broker(tmp_path_factory.mktemp("kafka") / "broker", "4.1",
                            *support.PARTITIONS)
    yield broker
    if broker.is_alive():
        broker.stop()


@pytest.fixture
def kafka(kafka_broker):
    """A Kafka broker that runs; tests use topics of their own names, and may kill it."""
    if not kafka_broker.is_alive():
        kafka_broker.start()
    return kafka_broker

"""The conversations of the Java proxy's recorded samples, had through ours: the same observations in
the same records."""

import base64
import collections

import pytest

from capture_support import Stub, fields, finish, proxy, receive
from support import ROOT

SAMPLES = ROOT / "tests" / "fixtures" / "traffic"


def observations_of(stream):
    """[(field number, payload)] of a record; all but their times."""
    return [(number, value) for field, observation in fields(stream) if field == 2
            for number, value in fields(observation) if number != 1]


def of_connections(streams):
    """connection id -> its records, in order, each a list of observations."""
    connections = collections.defaultdict(list)
    for stream in streams:
        connections[dict(fields(stream))[1].decode()].append(observations_of(stream))
    return connections


def samples():
    # The names end in the record's number, and there are fewer than ten.
    return of_connections(path.read_bytes() for path in sorted(SAMPLES.glob("*.protocap")))


def payload(value):
    return b"".join(v for _, v in fields(value))


READ, WRITE = 4, 8


def without_empty_writes(records):
    """The Java proxy notes an empty one when the source closes."""
    return [[o for o in record if o != (WRITE, b"")] for record in records]


@pytest.mark.parametrize("connection", sorted(samples()))
def test_a_conversation_of_the_java_proxy_is_recorded_the_same(shardlift, connection):
    wanted = without_empty_writes(samples()[connection])
    said_and_heard = [(number, payload(value)) for record in wanted for number, value in record
                      if number in (READ, WRITE)]
    heard = [data for number, data in said_and_heard if number == WRITE and b" 100 " not in data]
    with Stub(lambda *_: heard.pop(0)) as stub, \
            proxy(shardlift, stub.url, "--flush-interval", "1h") as one:
        client = one.connect()
        for number, data in said_and_heard:
            if number == READ:
                client.sendall(data)
            else:
                assert receive(client, lambda got, data=data: len(got) >= len(data)) == data
        finish(client)
    exported = shardlift("traffic", "export", one.state / "capture" / one.name, "--lines", "bare")
    ours = of_connections(base64.b64decode(line) for line in exported.out.splitlines())
    assert list(ours.values()) == [wanted]

"""`console kafka` with a real broker: its topics, groups and records."""

from capture_support import proxy, wait_for
from support import ERRORS, INTERRUPTED, OK, USAGE
# The fixtures `stub`, `target` and `topic` are test_kafka's.
from test_kafka import Replayer, more_acknowledged, stub, target, to_kafka, topic, writers  # noqa: F401


def services(shardlift, text):
    shardlift.state_dir.mkdir(exist_ok=True)
    (shardlift.state_dir / "services.yaml").write_text(text)


def test_a_topic_is_made_read_lagged_behind_and_removed(shardlift, stub, target, kafka, topic,
                                                        tmp_path):
    def console(*arguments):
        return shardlift("console", "--json", "kafka", *arguments)

    def topics():
        return {row["topic"]: row for row in console("list-topics").json()}

    def lags():
        """None until the group committed something."""
        answer = console("describe-consumer-group", group)
        return answer.json() if answer.code == OK else []

    group = f"group-of-{topic}"
    services(shardlift, f"kafka: {{broker_endpoints: \"{kafka.address}\", standard: null}}\n")
    assert console("create-topic", topic).json() == {"topic": topic, "outcome": "created"}
    made = wait_for(lambda: topics().get(topic), "the topic")
    assert (made["partitions"], made["end"], made["bytes"]) == (3, 0, None), made
    again = console("create-topic", topic)
    assert again.code == ERRORS and "already" in again.err, again
    nobody = console("describe-consumer-group", group)
    assert nobody.code == ERRORS and f"no group '{group}'" in nobody.err, nobody

    with proxy(shardlift, stub.url, *to_kafka(kafka, topic)) as one:
        (writer,) = writers(one.port, 1)
        more_acknowledged([writer], 5)
        writer.stop()
    parts = console("describe-topic-records", topic).json()
    count = topics()[topic]["end"]
    assert [part["partition"] for part in parts] == [0, 1, 2]
    assert sum(part["records"] for part in parts) == count >= 5, parts
    for mode, seen, unseen in (("dump-http", "PUT /w/0/0", "ncs:"), ("dump-raw", "ncs:", None),
                               ("dump-both", "PUT /w/0/0", None)):
        dumped = shardlift("console", "kafka", "dump-topic-records", topic, "--mode", mode)
        assert dumped.code == OK and seen in dumped.out, dumped
        assert unseen is None or unseen not in dumped.out, dumped
    (written,) = (part["end"] for part in parts if part["end"])
    last = shardlift("console", "kafka", "dump-topic-records", topic, "--start-offset", written - 1)
    assert last.out.count("ncs:") == 1, last

    replayer = Replayer(shardlift, kafka, topic, target.url, "--group", group)
    # It commits what is done each second.
    wait_for(lambda: (all_of_them := lags()) and sum(lag["lag"] for lag in all_of_them) == 0,
             "all to be sent and committed")
    assert replayer.stop() == INTERRUPTED
    assert group in console("list-consumer-groups").json()
    lines = tmp_path / "lines"
    lines.write_text(shardlift("traffic", "export", *to_kafka(kafka, topic)).out)
    assert shardlift("traffic", "import", lines, *to_kafka(kafka, topic)).code == OK
    (behind,) = (lag for lag in lags() if lag["lag"])
    assert (behind["topic"], behind["lag"], behind["end"]) == (topic, count, 2 * count), behind
    assert behind["time_lag_ms"] >= 0, behind
    table = shardlift("console", "kafka", "describe-consumer-group", group)
    assert table.code == OK and "TIME LAG" in table.out, table

    assert shardlift("console", "kafka", "delete-topic", topic).code == USAGE
    assert console("delete-topic", topic, "--acknowledge-risk").code == OK
    wait_for(lambda: topic not in topics(), "the topic to go")
    gone = console("describe-topic-records", topic)
    assert gone.code == ERRORS and f"no topic '{topic}'" in gone.err, gone


def test_a_password_that_is_nowhere_is_told_with_its_variable(shardlift):
    services(shardlift, "kafka: {broker_endpoints: \"127.0.0.1:1\", "
                        "scram: {username: we, password_env: NO_SUCH_VARIABLE}}\n")
    missing = shardlift("console", "kafka", "list-topics")
    assert missing.code == USAGE and "NO_SUCH_VARIABLE" in missing.err, missing

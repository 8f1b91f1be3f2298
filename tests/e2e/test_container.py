"""What is asked of the program in a container: the Java tool's names, PID 1, a probe."""

import base64
import json
import os
import signal
import subprocess
import time

import pytest

import capture_support
import support
from capture_support import Stub, records, response, wait_for
from support import PROGRAM

as_root = pytest.mark.skipif(os.getuid() != 0, reason="a PID namespace needs root")
HEALTHY = ("engine", "--health")


def called(shardlift, folder, name):
    """shardlift under another name, as a link in a container's path."""
    link = folder / name
    link.symlink_to(PROGRAM)
    return link


def inline(**options):
    return base64.b64encode(json.dumps(options).encode()).decode()


def started(shardlift, log, *command, env=None):
    with open(log, "wb") as file:
        return subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL,
                                stdout=file, stderr=file,
                                env={**shardlift.environment, **(env or {})})


def ended(process):
    process.terminate()
    return process.wait(capture_support.CEILING)


def first_of(namespace):
    """The process with number 1 in the PID namespace that `unshare` made."""
    path = f"/proc/{namespace.pid}/task/{namespace.pid}/children"
    return int(wait_for(lambda: open(path, encoding="ascii").read().split(), "PID 1")[0])


def catches(pid, number):
    status = open(f"/proc/{pid}/status", encoding="ascii").read()
    (mask,) = (line.split()[1] for line in status.splitlines() if line.startswith("SigCgt"))
    return int(mask, 16) & 1 << number - 1


def test_reindex_from_snapshot_coordinates_in_the_target_as_java_does(shardlift, tmp_path,
                                                                      repository, opensearch):
    link = called(shardlift, tmp_path, "reindex_from_snapshot")
    metadata = shardlift("metadata", "migrate", "--repo-uri", repository("es-7.10.2"),
                         "--snapshot-name", "snap1", "--index-allowlist", "books", "--target-host",
                         opensearch.url)
    assert metadata.code == support.OK, metadata
    for _ in range(2):  # the container is started again when it has ended
        run = subprocess.run(
            [str(link), "---INLINE-JSON",
             inline(snapshotName="snap1", repoUri=str(repository("es-7.10.2")),
                    targetHost=opensearch.url, indexAllowlist=["books"], sessionName="pod")],
            env=shardlift.environment, capture_output=True, timeout=300, check=False)
        assert run.returncode == support.OK, run.stderr.decode()
    expected = support.expected_documents("es-7.10.2", "snap1")["books"]
    support.assert_same(opensearch.documents("books"), expected, "books")
    state = opensearch.api("GET", "/.migrations_working_state_pod/_search?q=scriptVersion:3.0")
    assert state["hits"]["hits"], "no work items of Java's version in the target"
    assert not (shardlift.state_dir / "work" / "pod.db").exists()


def test_capture_proxy_and_traffic_replayer(shardlift, tmp_path):
    log = tmp_path / "proxy.log"
    with Stub() as source, Stub() as target:
        proxy = started(shardlift, log, called(shardlift, tmp_path, "capture_proxy"),
                        "---INLINE-JSON",
                        inline(destinationUri=source.url, listenPort=0, listenHost="127.0.0.1"))
        try:
            port = wait_for(lambda: capture_support.re.search(r"listening on \S+ port (\d+) for ",
                                                              log.read_text()), "the proxy")
            client = capture_support.socket.create_connection(("127.0.0.1", int(port.group(1))))
            client.sendall(b"PUT /i/_doc/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
            response(client)
            client.close()
        finally:
            code = ended(proxy)
        assert code == 0, log.read_text()
        assert source.targets() == ["/i/_doc/1"]
        folder = shardlift.state_dir / "capture" / "default"
        assert len(records(shardlift, folder)) == 1
        replayer = called(shardlift, tmp_path, "traffic_replayer")
        run = subprocess.run([str(replayer), "---INLINE-JSON",
                              inline(targetUri=target.url, input=str(folder))],
                             env=shardlift.environment, capture_output=True, timeout=120,
                             check=False)
        assert run.returncode == 0, run.stderr.decode()
        assert target.targets() == ["/i/_doc/1"]


def test_an_argument_that_is_no_json_names_the_argument(shardlift, tmp_path):
    link = called(shardlift, tmp_path, "traffic_replayer")
    run = subprocess.run([str(link), "---INLINE-JSON", "%%%"], env=shardlift.environment,
                         capture_output=True, timeout=60, check=False)
    assert run.returncode == support.USAGE
    assert b"---INLINE-JSON" in run.stderr


@as_root
def test_the_console_s_container_waits_and_ends(shardlift, tmp_path):
    link = called(shardlift, tmp_path, "migration_console")
    namespace = started(shardlift, tmp_path / "log", "unshare", "--pid", "--fork", link)
    pid = first_of(namespace)
    wait_for(lambda: catches(pid, signal.SIGTERM), "it to listen to signals")
    os.kill(pid, signal.SIGTERM)
    assert namespace.wait(capture_support.CEILING) in (0, 128 + signal.SIGTERM)


@as_root
def test_sigterm_ends_the_first_process_of_a_container(shardlift, tmp_path):
    # A command that catches nothing waits for a cluster that never answers.
    with capture_support.socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        namespace = started(shardlift, tmp_path / "log", "unshare", "--pid", "--fork", PROGRAM,
                            "snapshot", "repos", "--from", url)
        silent.settimeout(capture_support.CEILING)
        silent.accept()
        os.kill(first_of(namespace), signal.SIGTERM)
        assert namespace.wait(capture_support.CEILING) == 128 + signal.SIGTERM


def test_health_of_an_engine(shardlift, tmp_path):
    result = shardlift(*HEALTHY)
    assert result.code == 1 and "no engine has the state directory" in result.err
    engine = started(shardlift, tmp_path / "log", PROGRAM, "engine", "--stay")
    try:
        wait_for(lambda: shardlift(*HEALTHY).code == 0, "the engine to be healthy")
        assert f"process {engine.pid} is the engine" in shardlift(*HEALTHY).out
        os.kill(engine.pid, signal.SIGSTOP)
        lock = shardlift.state_dir / "run" / "engine.lock"
        ago = time.time() - 600
        os.utime(lock, (ago, ago))
        result = shardlift(*HEALTHY)
        assert result.code == 1 and "has not looked at its work for 60" in result.err
        os.kill(engine.pid, signal.SIGCONT)
        wait_for(lambda: shardlift(*HEALTHY).code == 0, "the engine to look again")
    finally:
        os.kill(engine.pid, signal.SIGCONT)
        code = ended(engine)
    assert code == support.INTERRUPTED
    assert shardlift(*HEALTHY).code == 1

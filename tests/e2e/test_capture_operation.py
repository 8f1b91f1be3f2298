"""`shardlift capture` in the hands of those who run it: holds that expire, gaps, the access log."""

import json
import os
import re
import signal
import socket
import sys
import threading
import urllib.request

from capture_support import CEILING, Stub, finish, proxy, receive, response, sent, wait_for
from support import PROGRAM
from test_capture import post, stub  # pylint: disable=unused-import


def test_a_hold_that_expired_is_not_switched(shardlift, stub):
    with Stub() as target, proxy(shardlift, stub.url, "--hold-limit", "100ms") as one:
        one.control("hold")
        wait_for(lambda: one.control("status")["lastHold"] == "timed-out", "the hold to expire")
        refused = one.control("switch", target.url)
        assert refused["ok"] is False and "ended by itself" in refused["error"]
        client = one.connect()
        client.sendall(post("/i/_doc", b"{}"))
        assert response(client).startswith(b"HTTP/1.1 200 ")
        client.close()
        assert one.control("status")["destination"] == stub.url
        assert target.targets() == []


def test_a_gap_is_marked_where_the_records_are(shardlift, stub, tmp_path):
    trace = tmp_path / "trace"
    with proxy(shardlift, stub.url, "--trace-directory", trace,
               "--on-capture-failure", "forward") as one:
        trace.rmdir()
        client = one.connect()
        client.sendall(post("/i/_doc", b"{}"))
        assert response(client).startswith(b"HTTP/1.1 200 ")
        client.close()
        trace.mkdir()
        wait_for(lambda: list(trace.glob("*_1.protocap")), "the mark")
    shown = shardlift("traffic", "show", trace)
    assert "shardlift gap: 1 went to the source without a record" in shown.out, shown.out
    assert one.log.count("went on without a record") == 1


def test_each_request_is_a_line_of_the_access_log(shardlift, stub, tmp_path):
    path = tmp_path / "access.log"

    def lines(file=path):
        return [json.loads(line) for line in file.read_text().splitlines()]

    with proxy(shardlift, stub.url, "--access-log", path) as one:
        client = one.connect()
        said = post("/i/_doc?api_key=secret", b"{}", "Authorization: Basic c2VjcmV0")
        client.sendall(said)
        heard = response(client)
        client.sendall(b"GET http://user:secret@x/_cat?v HTTP/1.1\r\nHost: x\r\n\r\n")
        response(client)
        client.sendall(b"GET /caf\xe9 HTTP/1.1\r\nHost: x\r\n\r\n")  # no UTF-8
        response(client)
        wait_for(lambda: len(lines()) == 3, "three lines")
        path.rename(tmp_path / "old.log")
        one.process.send_signal(signal.SIGHUP)
        wait_for(path.exists, "the file anew")

        def has_new_line():
            client.sendall(b"GET /after HTTP/1.1\r\nHost: x\r\n\r\n")
            response(client)
            return lines()

        # The file is there a moment before lines go into it.
        wait_for(has_new_line, "a line")
        finish(client)
    first, second, third = lines(tmp_path / "old.log")[:3]
    host, port = client_name = first["client"].rsplit(":", 1)
    assert client_name == [host, port] and host == "127.0.0.1"
    assert (first["method"], first["path"], first["status"]) == ("POST", "/i/_doc", 200)
    assert (first["requestBytes"], first["bytes"]) == (len(said), len(heard))
    assert first["heldMs"] > 0 and first["totalMs"] >= first["sourceMs"]
    assert (second["method"], second["path"], second["heldMs"]) == ("GET", "/_cat", 0)
    assert third["path"] == "/caf\ufffd"
    assert lines()[0]["path"] == "/after"
    assert "secret" not in (tmp_path / "old.log").read_text()


def test_a_full_disk_of_the_access_log_is_told(shardlift, stub):
    """Not the requests' business."""
    with proxy(shardlift, stub.url, "--access-log", "/dev/full", "--metrics-port", "0") as one:
        url = wait_for(lambda: re.search(r"metrics at (http://\S+)", one.log), "metrics").group(1)
        client = one.connect()
        for _ in range(3):
            client.sendall(post("/1", b"body"))
            assert response(client).startswith(b"HTTP/1.1 200 ")
        lost = "shardlift_capture_access_lines_lost_total 3\n"
        wait_for(lambda: lost in urllib.request.urlopen(url, timeout=60).read().decode(), "the count")
        assert one.log.count("the access log '/dev/full' cannot be written") == 1
        finish(client)


def test_a_client_that_sends_no_more_has_its_answers(shardlift, stub):
    messages = [post(f"/{number}", b"x" * number) for number in range(5)]
    with proxy(shardlift, stub.url) as one:
        client = one.connect()
        client.sendall(b"".join(messages))
        client.shutdown(socket.SHUT_WR)
        heard = b""
        while more := client.recv(65536):
            heard += more
        client.close()
    assert heard.count(b"HTTP/1.1 200 OK") == len(messages)
    (observations,) = one.records().values()
    assert sent(observations, "read") == b"".join(messages)
    assert sent(observations, "write") == heard


def ask_once(port):
    """A connection of its own for one write; the status line."""
    with socket.create_connection(("127.0.0.1", port), timeout=CEILING) as client:
        client.sendall(post("/i/_doc", b"{}", "Connection: close"))
        return receive(client, lambda _: False).split(b"\r\n")[0]


def test_a_new_process_takes_over_and_refuses_nobody(shardlift, stub):
    answers, done = [], threading.Event()

    def ask(port):
        while not done.is_set():
            try:
                answers.append(ask_once(port))
            except OSError as error:
                answers.append(repr(error))

    with proxy(shardlift, stub.url) as one:
        askers = [threading.Thread(target=ask, args=(one.port,)) for _ in range(3)]
        for thread in askers:
            thread.start()
        old = one.control("status")["pid"]
        idle = one.connect()
        idle.sendall(b"GET /idle HTTP/1.1\r\nHost: x\r\n\r\n")
        response(idle)
        new = old
        try:
            one.process.send_signal(signal.SIGUSR2)
            assert one.process.wait(CEILING) == 0, one.log
            new = wait_for(lambda: pid_of(one), "the new process to answer")
            assert new != old
            heard = len(answers)
            wait_for(lambda: len(answers) > heard + 5, "answers of the new process")
        finally:
            done.set()
            for thread in askers:
                thread.join()
            if new != old:
                os.kill(new, signal.SIGTERM)
                wait_for(lambda: not running(new), "its end")
        assert idle.recv(1) == b""
        idle.close()
    assert set(answers) == {b"HTTP/1.1 200 OK"}
    writes = [o for o in one.records().values() if b"POST /i/_doc" in sent(o, "read")]
    assert len(writes) == len(answers) == stub.targets().count("/i/_doc")


def pid_of(one):
    result = one.shardlift("capture", "control", one.name, "status")
    return json.loads(result.out)["pid"] if result.code == 0 else None


def running(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_successor_that_cannot_begin_changes_nothing(shardlift, stub, tmp_path):
    program = tmp_path / "shardlift"
    program.symlink_to(PROGRAM)
    with proxy(shardlift, stub.url, program=program) as one:
        program.unlink()
        one.process.send_signal(signal.SIGUSR2)
        wait_for(lambda: "not handed over" in one.log, "the warning")
        program.symlink_to("/bin/false")
        one.process.send_signal(signal.SIGUSR2)
        wait_for(lambda: "this one goes on" in one.log, "the warning")
        assert ask_once(one.port) == b"HTTP/1.1 200 OK"


def test_what_was_switched_is_not_handed_over(shardlift, stub):
    with Stub() as target, proxy(shardlift, stub.url, "--hold-limit", "10m") as one:
        one.control("hold")
        one.process.send_signal(signal.SIGUSR2)
        wait_for(lambda: "not handed over: requests are held" in one.log, "the warning")
        one.control("switch", target.url)
        one.control("release")
        one.process.send_signal(signal.SIGUSR2)
        wait_for(lambda: "not handed over: requests go where" in one.log, "the warning")
        assert ask_once(one.port) == b"HTTP/1.1 200 OK"
        assert target.targets() == ["/i/_doc"]


def test_sockets_of_systemd_are_listened_on(shardlift, stub):
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    # What systemd does: descriptor 3, and the number of the process that is to have it.
    code = (f"import os, sys; os.dup2({listener.fileno()}, 3); os.environ.update(LISTEN_FDS='1', "
            "LISTEN_PID=str(os.getpid())); os.execv(sys.argv[1], sys.argv[1:])")
    launcher = [sys.executable, "-c", code]
    with proxy(shardlift, stub.url, launcher=launcher, pass_fds=(listener.fileno(),)) as one:
        listener.close()
        assert one.port == port
        assert ask_once(port) == b"HTTP/1.1 200 OK"

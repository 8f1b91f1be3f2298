"""A proxy that does to a target what networks and busy clusters do, and counts what it is sent.

Which bulk meets which fault is up to its number and a seed; which documents are in that bulk is up
to the run. A fault is one of FAULTS, or a function that answers the request itself."""

import base64
import collections
import http.client
import http.server
import json
import random
import socket
import struct
import threading
import time
import urllib.parse

ROOT = {"name": "n", "cluster_name": "c", "version": {"distribution": "opensearch",
                                                      "number": "2.19.6"}, "tagline": ""}
HTML = b"<html><head><title>Bad gateway</title></head><body>try again later</body></html>"
BUSY = {"type": "rejected_execution_exception", "reason": "the queue is full"}
MOST_LATENCY = 0.2   # seconds
SLOW = 0.1           # seconds, always
MOST_DOCUMENTS = 7   # in a bulk, for the fault "413"


class Store:
    """A target of its own: keeps what bulks bring."""

    def __init__(self):
        self.lock = threading.Lock()
        self.documents = {}  # (index, id) -> routing, source

    def bulk(self, body):
        lines = body.split(b"\n")
        items = []
        with self.lock:
            for action, source in zip(lines[0::2], lines[1::2]):
                action = json.loads(action)["index"]
                self.documents[action["_index"], action["_id"]] = action.get("routing"), source
                items.append({"index": {"status": 201}})
        return 200, json.dumps({"took": 1, "errors": False, "items": items}).encode()

    def answer(self, path, body):
        if path.startswith("/_bulk"):
            return self.bulk(body)
        if path.endswith("/_count"):
            index = urllib.parse.unquote(path.split("/")[1])
            with self.lock:
                count = sum(name == index for name, _ in self.documents)
            return 200, json.dumps({"count": count}).encode()
        return 200, json.dumps(ROOT).encode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    node = None  # the connection to a real target

    def handle_request(self):
        is_bulk = self.path.startswith("/_bulk")
        fault = self.server.next_fault(is_bulk)
        if fault == "reset before":
            return self.reset()
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:  # whoever sent it is gone
            self.close_connection = True
            return None
        if is_bulk:
            self.server.take(self.worker(), body)
        if fault:
            return FAULTS[fault](self, body)
        return self.answer(*self.ask(body))

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_request

    def worker(self):
        """Who sends this, by the user name."""
        words = self.headers.get("Authorization", "").split()
        return base64.b64decode(words[1]).decode().split(":")[0] if len(words) == 2 else None

    def ask(self, body):
        """The target's status and answer."""
        target = self.server.target
        if isinstance(target, Store):
            return target.answer(self.path, body)
        if not self.node:
            self.node = http.client.HTTPConnection(target, timeout=300)
        headers = {"Content-Type": self.headers["Content-Type"]} if body else {}
        self.node.request(self.command, self.path, body, headers)
        answer = self.node.getresponse()
        content = answer.read()
        if answer.status >= 400 or b'"errors":true' in content:
            self.server.note_refusal(self.path)
        return answer.status, content

    def answer(self, status, body, content_type="application/json", length=None):
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def reset(self):
        """The peer gets an RST."""
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def finish(self):
        if self.node:
            self.node.close()
        super().finish()

    def wait_until_peer_closes(self):
        while self.connection.recv(65536):
            pass
        self.close_connection = True

    def latency(self, body):
        time.sleep(self.server.chance_of("latency").uniform(0.02, MOST_LATENCY))
        self.answer(*self.ask(body))

    def slow(self, body):
        time.sleep(SLOW)
        self.answer(*self.ask(body))

    def reset_after(self, body):
        self.ask(body)
        self.reset()

    def half_of_answer(self, body):
        status, answer = self.ask(body)
        self.answer(status, answer[:len(answer) // 2], length=len(answer))

    def reset_in_answer(self, body):
        self.half_of_answer(body)
        self.reset()

    def cut_answer(self, body):
        self.half_of_answer(body)
        self.close_connection = True

    def close_idle(self, body):
        """Without a word that it will."""
        self.answer(*self.ask(body))
        self.close_connection = True

    def half_close(self, body):
        self.ask(body)
        self.connection.shutdown(socket.SHUT_WR)
        self.wait_until_peer_closes()

    def stall(self, body):
        """Until the client has had enough."""
        self.ask(body)
        self.wait_until_peer_closes()

    def too_many(self, _):
        self.answer(429, json.dumps({"error": BUSY, "status": 429}).encode())

    def unavailable(self, _):
        self.answer(503, b"")

    def too_large(self, body):
        if body.count(b"\n") // 2 > MOST_DOCUMENTS:
            self.answer(413, b"")
        else:
            self.answer(*self.ask(body))

    def busy_items(self, body):
        """Every third document is refused for now; the others arrive."""
        lines = body.split(b"\n")[:-1]
        pairs = [lines[i] + b"\n" + lines[i + 1] + b"\n" for i in range(0, len(lines), 2)]
        taken = [pair for i, pair in enumerate(pairs) if i % 3]
        answered = iter(json.loads(self.ask(b"".join(taken))[1])["items"] if taken else [])
        items = [next(answered) if i % 3 else {"index": {"status": 429, "error": BUSY}}
                 for i in range(len(pairs))]
        self.answer(200, json.dumps({"took": 1, "errors": True, "items": items}).encode())

    def html_502(self, _):
        self.answer(502, HTML, "text/html")

    def html_200(self, _):
        self.answer(200, HTML, "text/html")

    def log_message(self, *_):
        pass


FAULTS = {
    "latency": Handler.latency,
    "slow": Handler.slow,
    "reset before": None,
    "reset after": Handler.reset_after,
    "reset in the answer": Handler.reset_in_answer,
    "cut answer": Handler.cut_answer,
    "closed when idle": Handler.close_idle,
    "half-closed": Handler.half_close,
    "stall": Handler.stall,
    "429": Handler.too_many,
    "503": Handler.unavailable,
    "413": Handler.too_large,
    "busy items": Handler.busy_items,
    "HTML 502": Handler.html_502,
    "HTML 200": Handler.html_200,
}


class FaultProxy(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, target, seed=0):
        """`target`: a Store, or the URL of a node."""
        super().__init__(("127.0.0.1", 0), Handler)
        self.target = target if isinstance(target, Store) else urllib.parse.urlsplit(target).netloc
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.seed = seed
        self.lock = threading.Lock()  # for all below
        self.number = 0             # of the next bulk, or request
        self.plan = lambda number: None
        self.plans_all = False      # the plan is for all requests, not for bulks alone
        self.for_all = None         # a fault of every request, over those of the plan
        self.met = collections.Counter()  # fault -> how often
        self.times = collections.Counter()  # (index, id) -> how often it was sent
        self.last = {}              # (index, id) -> the worker that sent it last
        self.resent = collections.Counter()  # (worker before, worker) -> documents
        self.refusals = 0           # bulks that the target itself did not take as they were
        self.gate = lambda documents: None
        self.loop = threading.Thread(target=self.serve_forever, daemon=True)
        self.loop.start()

    def chance_of(self, what):
        return random.Random(f"{self.seed}-{what}-{self.number}")

    def fault_at_random(self, share, kinds, start=3):
        """From bulk `start` on, every third meets one of `kinds` until each was met, and any meets
        one of them with probability `share`."""
        def plan(number):
            past = number - start
            if past % 3 == 0 and 0 <= past < 3 * len(kinds):
                return kinds[past // 3]
            chance = random.Random(f"{self.seed}-{number}")
            return chance.choice(kinds) if past > 0 and chance.random() < share else None
        self.plan = plan

    def next_fault(self, is_bulk):
        with self.lock:
            fault = self.for_all
            if is_bulk or self.plans_all:
                fault = fault or self.plan(self.number)
                self.number += 1
            if fault:
                self.met[fault] += 1
            return fault

    def set_for_all(self, fault):
        with self.lock:
            self.for_all = fault

    def note_refusal(self, path):
        with self.lock:
            self.refusals += path.startswith("/_bulk")

    def take(self, worker, body):
        """Counts the documents of a bulk, whole as it came."""
        actions = [json.loads(line) for line in body.split(b"\n")[0:-1:2]]
        keys = [(action["index"]["_index"], action["index"]["_id"]) for action in actions
                if "index" in action and not action["index"]["_index"].startswith(".")]
        with self.lock:
            for key in keys:
                if self.times[key]:
                    self.resent[self.last[key], worker] += 1
                self.times[key] += 1
                self.last[key] = worker
        self.gate(keys)

    def stop(self):
        self.shutdown()
        self.server_close()
        self.loop.join()

    def shutdown_request(self, request):
        # No shutdown() before close(): after SO_LINGER it would send a FIN first.
        self.close_request(request)

    def handle_error(self, request, client_address):
        pass  # clients that were killed

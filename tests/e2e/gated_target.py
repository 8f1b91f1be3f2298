"""A target that counts what it is sent, and holds bulks back from some document on.

It answers for itself as an OpenSearch that takes everything, or passes requests on to a real node."""

import collections
import http.client
import http.server
import json
import threading
import urllib.parse

ROOT = {"name": "n", "cluster_name": "c", "version": {"distribution": "opensearch",
                                                      "number": "2.19.6"}, "tagline": ""}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_request(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if self.path.startswith("/_bulk") and not self.server.take(body):
            self.close_connection = True
            return
        if self.server.node:
            self.pass_on(body)
        else:
            self.answer(200, self.own_answer(body))

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_request

    def own_answer(self, body):
        if self.path.endswith("/_count"):
            index = urllib.parse.unquote(self.path.split("/")[1])
            count = sum(name == index for name, _ in self.server.times)
            return json.dumps({"count": count}).encode()
        if not self.path.startswith("/_bulk"):
            return json.dumps(ROOT).encode()
        items = [{"index": {"status": 201}}] * (body.count(b"\n") // 2)
        return json.dumps({"took": 1, "errors": False, "items": items}).encode()

    def pass_on(self, body):
        connection = http.client.HTTPConnection(self.server.node, timeout=120)
        headers = {"Content-Type": self.headers["Content-Type"]} if body else {}
        connection.request(self.command, self.path, body, headers)
        answer = connection.getresponse()
        self.answer(answer.status, answer.read())
        connection.close()

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_):
        pass


def actions_of(body):
    lines = iter(body.splitlines())
    for line in lines:
        (operation, action), = json.loads(line).items()
        if operation != "delete":
            next(lines)
        yield action


class GatedTarget(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, node_url=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.node = urllib.parse.urlsplit(node_url).netloc if node_url else None
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.times = collections.Counter()  # (index, id) -> how often it came
        self.changed = threading.Condition()
        self.limit = None   # documents after which bulks are held
        self.held = 0
        self.round = 0      # bulks held in an earlier one are dropped
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def take(self, body):
        """Counts a bulk; False: it was held, and is to be dropped."""
        actions = list(actions_of(body))
        with self.changed:
            hold = self.limit is not None and self.times.total() >= self.limit
            for action in actions:
                self.times[action["_index"], action["_id"]] += 1
            if not hold:
                return True
            here = self.round
            self.held += 1
            self.changed.notify_all()
            self.changed.wait_for(lambda: self.round != here or self.limit is None)
            self.held -= 1
            return self.round == here

    def hold_after(self, documents):
        with self.changed:
            self.limit = documents

    def wait_until_held(self, seconds=120):
        with self.changed:
            assert self.changed.wait_for(lambda: self.held > 0, seconds), "no bulk came"

    def drop(self):
        """What is held is never answered; what comes next passes."""
        with self.changed:
            self.limit = None
            self.round += 1
            self.changed.notify_all()

    def let_pass(self):
        with self.changed:
            self.limit = None
            self.changed.notify_all()

    def sent_again(self):
        with self.changed:
            return self.times.total() - len(self.times)

    def handle_error(self, request, client_address):
        pass  # clients that were killed

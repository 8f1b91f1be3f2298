"""Before a real node: holds one request, before it is passed on or before its answer is."""

import re
import threading

import gated_target


class Handler(gated_target.Handler):
    def handle_request(self):
        self.server.requests.append((self.command, self.path))
        super().handle_request()

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_request

    def pass_on(self, body):
        if self.server.holds(self.command, self.path, acted=False):
            self.close_connection = True
            return
        super().pass_on(body)

    def answer(self, status, body):
        if self.server.holds(self.command, self.path, acted=True):
            self.close_connection = True
            return
        super().answer(status, body)


class HoldingProxy(gated_target.GatedTarget):
    def __init__(self, node_url):
        super().__init__(node_url)
        self.requests = []  # (method, path), in order
        self.wanted = None  # (method, pattern, acted)
        self.seen = threading.Event()
        self.released = threading.Event()
        self.RequestHandlerClass = Handler

    def hold(self, method, pattern, acted):
        """The next such request: never passed on, or (acted) passed on and never answered."""
        self.seen.clear()
        self.released.clear()
        self.wanted = (method, pattern, acted)

    def holds(self, method, path, acted):
        wanted = self.wanted
        if not wanted or wanted[2] != acted or wanted[0] != method or \
                not re.search(wanted[1], path):
            return False
        self.seen.set()
        self.released.wait(300)
        return True

    def wait_until_seen(self, seconds=120):
        assert self.seen.wait(seconds), f"no such request came: {self.wanted}"

    def release(self):
        self.wanted = None
        self.released.set()

    def stop(self):
        self.release()
        self.shutdown()
        self.server_close()

"""A target that writes down each request, and passes it on to a real node."""

import gated_target


class Handler(gated_target.Handler):
    def handle_request(self):
        self.server.requests.append((self.command, self.path))
        super().handle_request()

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_request


class RecordingProxy(gated_target.GatedTarget):
    def __init__(self, node_url):
        super().__init__(node_url)
        self.requests = []  # (method, path), in order
        self.RequestHandlerClass = Handler

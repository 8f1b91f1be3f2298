"""A cluster that answers some requests as the test says, and passes the others on to a real node."""

import json

import gated_target


class Handler(gated_target.Handler):
    def pass_on(self, body):
        answer = self.server.answer(self.command, self.path, body)
        if answer is None:
            super().pass_on(body)
        else:
            self.answer(answer[0], json.dumps(answer[1]).encode())

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = gated_target.Handler.handle_request


class AnsweringProxy(gated_target.GatedTarget):
    def __init__(self, node_url, answer):
        """answer(method, path, body): (status, JSON), or None."""
        super().__init__(node_url)
        self.answer = answer
        self.RequestHandlerClass = Handler

    def close(self):
        self.shutdown()
        self.server_close()

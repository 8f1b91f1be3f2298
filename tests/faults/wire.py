"""A network between two programs that a test can break: bytes pass, are held, come slowly, or the
connections end in one way or another."""

import socket
import struct
import threading
import time

TRICKLE_BYTES, TRICKLE_SECONDS = 97, 0.002


class Wire:
    def __init__(self, port=None):
        """To `port` of this host, which may be set later."""
        self.to = port
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.lock = threading.Lock()
        self.pairs = set()
        self.dropped = set()  # of these, each end is to be reset
        self.open = threading.Event()
        self.open.set()
        self.trickles = False
        self.over = False
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while not self.over:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.join, args=(client,), daemon=True).start()

    def join(self, client):
        self.open.wait()
        try:
            server = socket.create_connection(("127.0.0.1", self.to))
        except OSError:
            client.close()
            return
        for one in (client, server):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pair = (client, server)
        with self.lock:
            self.pairs.add(pair)
        back = threading.Thread(target=self.carry, args=(server, client, pair), daemon=True)
        back.start()
        self.carry(client, server, pair)
        back.join()
        with self.lock:
            self.pairs.discard(pair)
            self.dropped.discard(pair)
            for one in pair:
                one.close()

    def carry(self, source, sink, pair):
        try:
            while data := source.recv(65536):
                self.open.wait()
                self.send(sink, data)
            self.open.wait()
            if pair not in self.dropped:  # a FIN would come before the RST of close()
                sink.shutdown(socket.SHUT_WR)
        except OSError:
            for one in (source, sink):
                try:
                    one.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def send(self, sink, data):
        while self.trickles and data:
            sink.sendall(data[:TRICKLE_BYTES])
            data = data[TRICKLE_BYTES:]
            time.sleep(TRICKLE_SECONDS)
        sink.sendall(data)

    def part(self, seconds):
        """Nothing passes, new connections neither, and nobody is told."""
        self.open.clear()
        time.sleep(seconds)
        self.open.set()

    def end_each(self, end):
        with self.lock:
            for client, server in self.pairs:
                try:
                    end(client, server)
                except OSError:
                    pass

    def reset(self):
        def end(client, server):
            self.dropped.add((client, server))
            for one in (client, server):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                one.shutdown(socket.SHUT_RD)
        self.end_each(end)

    def half_close(self):
        """The client's side hears an end, and may go on speaking."""
        self.end_each(lambda client, _: client.shutdown(socket.SHUT_WR))

    def half_close_server(self):
        self.end_each(lambda _, server: server.shutdown(socket.SHUT_WR))

    def stop(self):
        self.over = True
        self.open.set()
        self.listener.close()
        self.reset()

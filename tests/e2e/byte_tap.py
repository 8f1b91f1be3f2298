"""Stands between clients and a port, and keeps every byte of both directions."""

import socket
import threading


class ByteTap:
    def __init__(self, port):
        self.to = port
        self.conversations = []  # [said, heard] of each connection, as bytearrays
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        self.threads = [threading.Thread(target=self.accept, daemon=True)]
        self.threads[0].start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.to))
            both = [bytearray(), bytearray()]
            self.conversations.append(both)
            for one, other, kept in ((client, server, both[0]), (server, client, both[1])):
                thread = threading.Thread(target=self.pass_on, args=(one, other, kept), daemon=True)
                self.threads.append(thread)
                thread.start()

    @staticmethod
    def pass_on(one, other, kept):
        try:
            while data := one.recv(65536):
                kept += data
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        """When the clients have closed: all that they said and heard is there."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for thread in self.threads:
            thread.join(90)
            assert not thread.is_alive()

    def said_and_heard(self):
        return sorted((bytes(said), bytes(heard)) for said, heard in self.conversations if said)

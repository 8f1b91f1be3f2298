"""Records conversations with a real node as TrafficStream records, without a proxy."""

import base64
import json
import socket
import urllib.parse


def varint(value):
    out = bytearray()
    while value > 0x7f:
        out.append(value & 0x7f | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def field(number, payload):
    if isinstance(payload, int):
        return varint(number << 3) + varint(payload)
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def observation(ms, number, payload):
    stamp = field(1, ms // 1000) + field(2, ms % 1000 * 1_000_000)
    return field(2, field(1, stamp) + field(number, payload))


class Conversation:
    """Connections to a node. Each request becomes a record of its connection; `lines` are bare
    base64. Captured time is counted, a request a millisecond."""

    def __init__(self, url, connections):
        address = urllib.parse.urlsplit(url)
        self.host = address.netloc
        self.sockets = [socket.create_connection((address.hostname, address.port))
                        for _ in range(connections)]
        self.files = [s.makefile("rb") for s in self.sockets]
        self.numbers = [0] * connections
        self.ms = 1_700_000_000_000
        self.lines = []

    def request(self, connection, method, path, body=None):
        """Sends it, records it, and returns status and JSON."""
        if body is None:
            text = b""
        elif isinstance(body, list):
            text = b"".join(json.dumps(line).encode() + b"\n" for line in body)
        else:
            text = json.dumps(body).encode()
        sent = (f"{method} {path} HTTP/1.1\r\nHost: {self.host}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n"
                ).encode() + text
        self.sockets[connection].sendall(sent)
        head, length = b"", 0
        while not head.endswith(b"\r\n\r\n"):
            line = self.files[connection].readline()
            assert line, "the node closed the connection"
            head += line
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        answer = self.files[connection].read(length)
        self.record(connection, sent, head + answer)
        return int(head.split()[1]), json.loads(answer) if answer else None

    def record(self, connection, sent, received):
        self.ms += 1
        self.numbers[connection] += 1
        n = self.numbers[connection]
        stream = field(1, f"c{connection}".encode()) + field(5, b"node")
        if n > 1:
            stream += field(6, n - 1)
        stream += observation(self.ms, 4, field(1, sent)) + observation(self.ms, 15, b"")
        stream += observation(self.ms, 8, field(1, received)) + field(3, n)
        self.lines.append(base64.b64encode(stream).decode())

    def write(self, path):
        path.write_text("".join(line + "\n" for line in self.lines))
        return path

    def close(self):
        for file, connection in zip(self.files, self.sockets):
            file.close()
            connection.close()

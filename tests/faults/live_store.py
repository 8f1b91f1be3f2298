"""A cluster in the test: keeps documents with their versions as Elasticsearch does, deleted ones among
them, and lets a test act while a write is under way.

The rules of versions are those of Elasticsearch's VersionType and InternalEngine."""

import http.server
import itertools
import json
import re
import threading
import urllib.parse

ROOT = {"name": "n", "cluster_name": "c", "cluster_uuid": "u", "tagline": "",
        "version": {"distribution": "opensearch", "number": "2.19.6"}}
BUSY = {"error": {"type": "rejected_execution_exception", "reason": "the queue is full"}}


class Entry:
    """A document, or (source None) what is left of one that was deleted."""

    def __init__(self, version, seq_no, routing, source):
        self.version, self.seq_no, self.routing, self.source = version, seq_no, routing, source


def conflict(id, have, given):
    return 409, {"_id": id, "status": 409, "error": {
        "type": "version_conflict_engine_exception",
        "reason": f"[{id}]: version conflict, current version [{have}] is higher than the one "
                  f"provided [{given}]"}}


class Documents:
    stores = itertools.count()

    def __init__(self):
        self.number = next(self.stores)
        self.lock = threading.Lock()
        self.entries = {}
        self.seq_no = 0
        self.made = 0

    def alive(self):
        """(index, id) -> version, routing, source."""
        with self.lock:
            return {key: (e.version, e.routing, e.source) for key, e in self.entries.items()
                    if e.source is not None}

    def write(self, operation, index, id, options, source):
        """Status and result of index, create, delete or update."""
        with self.lock:
            if id is None:
                self.made += 1
                id = f"made-{self.number}-{self.made}"
            refused, version = self.next_version(operation, index, id, options)
            if refused:
                return refused
            change = {"delete": self.delete, "update": self.update}.get(operation, self.put)
            return change(index, id, version, options, source)

    def next_version(self, operation, index, id, options):
        entry = self.entries.get((index, id))
        there = entry is not None and entry.source is not None
        if options.get("version_type", "internal") != "internal":
            given = int(options["version"])
            if entry and given < entry.version:
                return conflict(id, entry.version, given), None
            return None, given
        if operation == "create" and there:
            return conflict(id, entry.version, 0), None
        if "if_seq_no" in options and (not there or entry.seq_no != int(options["if_seq_no"])):
            return conflict(id, entry.version if entry else -1, options["if_seq_no"]), None
        return None, entry.version + 1 if entry else 1

    def keep(self, index, id, version, routing, source, result, status):
        self.entries[index, id] = Entry(version, self.seq_no, routing, source)
        self.seq_no += 1
        return status, self.outcome(index, id, result, status)

    def outcome(self, index, id, result, status):
        entry = self.entries[index, id]
        return {"_index": index, "_type": "_doc", "_id": id, "_version": entry.version,
                "result": result, "_shards": {"total": 1, "successful": 1, "failed": 0},
                "_seq_no": entry.seq_no, "_primary_term": 1, "status": status}

    def is_there(self, index, id):
        return (index, id) in self.entries and self.entries[index, id].source is not None

    def put(self, index, id, version, options, source):
        there = self.is_there(index, id)
        return self.keep(index, id, version, options.get("routing"), source,
                         "updated" if there else "created", 200 if there else 201)

    def delete(self, index, id, version, options, _):
        there = self.is_there(index, id)
        return self.keep(index, id, version, None, None, "deleted" if there else "not_found",
                         200 if there else 404)

    def update(self, index, id, version, options, body):
        body = json.loads(body)
        if not self.is_there(index, id):
            first = body.get("upsert", body["doc"] if body.get("doc_as_upsert") else None)
            if first is None:
                return 404, {"_index": index, "_id": id, "status": 404, "error": {
                    "type": "document_missing_exception", "reason": f"[{id}]: document missing"}}
            return self.put(index, id, version, options, json.dumps(first).encode())
        before = json.loads(self.entries[index, id].source)
        after = {**before, **body["doc"]}
        if after == before:
            return 200, self.outcome(index, id, "noop", 200)
        return self.put(index, id, version, options, json.dumps(after).encode())

    def get(self, index, id):
        with self.lock:
            entry = self.entries.get((index, id))
        found = {"_index": index, "_id": id, "found": entry is not None and entry.source is not None}
        if found["found"]:
            found.update(_version=entry.version, _seq_no=entry.seq_no, _primary_term=1,
                         _source=json.loads(entry.source))
        return found


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def handle_request(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True
            return
        url = urllib.parse.urlsplit(self.path)
        options = dict(urllib.parse.parse_qsl(url.query))
        parts = [urllib.parse.unquote(part) for part in url.path.split("/")[1:]]
        status, answer = self.server.ask(self.command, parts, options, body,
                                         self.headers.get("X-Opaque-Id"))
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_request

    def log_message(self, *_):
        pass


class LiveStore(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.documents = Documents()
        self.lock = threading.Lock()
        self.writes = 0        # requests that change something, so far
        self.moments = {}      # number of a write -> what is done before it is done
        self.storm = 0         # so many more writes are answered `storm_status`
        self.storm_status = 429
        self.stormed = 0
        self.loop = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self.loop.start()

    def at(self, number, act):
        self.moments[number] = act

    def ask(self, method, parts, options, body, token):
        if self.changes(method, parts):
            with self.lock:
                self.writes += 1
                act = self.moments.pop(self.writes, None)
            if act:
                act()
            with self.lock:
                if self.storm > 0:
                    self.storm -= 1
                    self.stormed += 1
                    return self.storm_status, {**BUSY, "status": self.storm_status}
        return self.answer(method, parts, options, body)

    @staticmethod
    def changes(method, parts):
        return method in ("PUT", "POST", "DELETE") and len(parts) > (parts[0] != "_bulk") and \
            parts[-1] not in ("_mget", "_search", "_refresh", "_count", "_settings")

    def answer(self, method, parts, options, body):
        if parts[-1] == "_bulk":
            return self.bulk(parts[0] if len(parts) > 1 else None, body)
        if parts[-1] == "_mget":
            return 200, {"docs": [self.documents.get(d.get("_index", parts[0]), d["_id"])
                                  for d in json.loads(body)["docs"]]}
        if len(parts) > 1 and parts[1] in ("_doc", "_create", "_update"):
            return self.one(method, parts, options, body)
        return 200, self.said(parts)

    def one(self, method, parts, options, body):
        index, id = parts[0], parts[2] if len(parts) > 2 else None
        if method in ("GET", "HEAD"):
            found = self.documents.get(index, id)
            return 200 if found["found"] else 404, found
        if method == "DELETE":
            operation = "delete"
        elif parts[1] == "_update":
            operation = "update"
        else:
            create = parts[1] == "_create" or options.get("op_type") == "create"
            operation = "create" if create else "index"
        return self.documents.write(operation, index, id, options, body)

    def bulk(self, index, body):
        lines, items = iter(body.split(b"\n")[:-1]), []
        for line in lines:
            ((operation, options),) = json.loads(line).items()
            source = None if operation == "delete" else next(lines)
            options = {re.sub("^_(version|routing)", r"\1", name): v for name, v in options.items()}
            status, result = self.documents.write(operation, options.get("_index", index),
                                                  options.get("_id"), options, source)
            items.append({operation: {**result, "status": status}})
        return 200, {"took": 1, "errors": any("error" in list(i.values())[0] for i in items),
                     "items": items}

    def said(self, parts):
        if parts[-1] == "_count":
            return {"count": sum(index == parts[0] for index, _ in self.documents.alive())}
        if parts[-1] == "_search":
            return {"took": 1, "timed_out": False, "hits": {"total": {"value": 0}, "hits": []}}
        return {**ROOT, "acknowledged": True}

    def stop(self):
        self.shutdown()
        self.server_close()
        self.loop.join()

    def handle_error(self, request, client_address):
        pass  # clients that were killed

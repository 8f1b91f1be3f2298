"""Kibana 6.8, 7 and 8 as they export saved objects, and OpenSearch Dashboards 2 as it imports them:
by its source (src/core/server/saved_objects/import and the migrations of its plugins)."""

import email.parser
import email.policy
import http.server
import json
import threading
import urllib.parse

LAST_KNOWN = {"index-pattern": "7.6.0", "search": "7.9.3", "dashboard": "7.9.3",
              "visualization": "7.10.0"}
TYPES = {*LAST_KNOWN, "query", "url", "config"}
ATTRIBUTES = {
    "dashboard": {"description", "hits", "kibanaSavedObjectMeta", "optionsJSON", "panelsJSON",
                  "refreshInterval", "timeFrom", "timeRestore", "timeTo", "title", "version"},
    "search": {"columns", "description", "hits", "kibanaSavedObjectMeta", "sort", "title",
               "version"},
    "query": {"title", "description", "query", "filters", "timefilter"},
}
ROOT = {"type", "id", "attributes", "references", "migrationVersion", "updated_at"}


def number(version):
    return tuple(map(int, version.split(".")))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer is one packet

    def handle_request(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qs(url.query)
        with self.server.lock:
            self.server.requests.append((self.command, url.path))
            status, answer = self.server.answer(self.command, urllib.parse.unquote(url.path), query,
                                                self.headers, body)
        text = answer if isinstance(answer, str) else json.dumps(answer)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    do_GET = do_POST = do_PUT = do_DELETE = handle_request

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, version):
        super().__init__(("127.0.0.1", 0), Handler)
        self.version = version
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.lock = threading.Lock()
        self.requests = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def stop(self):
        self.shutdown()
        self.server_close()


def bad(message, status=400):
    return status, {"statusCode": status, "error": "Bad Request", "message": message}


class Kibana(Server):
    def __init__(self, version, objects=(), spaces=None):
        super().__init__(version)
        self.spaces = {"default": list(objects), **(spaces or {})}
        self.denied = None  # the user whose name is needed, else nobody's

    def answer(self, method, path, query, headers, body):
        major = number(self.version)[0]
        if path == "/api/status":
            return 200, {"name": "kibana", "version": {"number": self.version}}
        if self.denied and not headers.get("Authorization"):
            return bad("no", 401)
        if path == "/api/spaces/space":
            return 200, [{"id": name, "name": name} for name in self.spaces]
        space = "default"
        if path.startswith("/s/"):
            _, _, space, path = path.split("/", 3)
            path = "/" + path
        if space not in self.spaces:
            return bad("Saved object [space] not found", 404)
        if path == "/api/saved_objects/_find" and method == "GET":
            return self.find(query, self.spaces[space])
        if path == "/api/saved_objects/_export" and method == "POST" and major >= 7:
            if headers.get("kbn-xsrf") is None:
                return bad("Request must contain a kbn-xsrf header.")
            return self.export(json.loads(body)["type"], self.spaces[space])
        return bad("Not Found", 404)

    def find(self, query, objects):
        page, size = int(query["page"][0]), int(query["per_page"][0])
        assert size <= 10000
        found = [o for o in objects if o["type"] in query["type"]]
        return 200, {"page": page, "per_page": size, "total": len(found),
                     "saved_objects": found[(page - 1) * size:page * size]}

    def export(self, types, objects):
        if types != ["*"] or number(self.version)[0] < 8:
            unknown = set(types) - {"config", *(o["type"] for o in objects), *TYPES}
            if unknown:
                return bad(f"Trying to export non-exportable type(s): {', '.join(unknown)}")
        found = [o for o in objects if types == ["*"] or o["type"] in types]
        details = {"exportedCount": len(found), "missingRefCount": 0, "missingReferences": []}
        return 200, "\n".join(map(json.dumps, [*found, details]))


class Dashboards(Server):
    def __init__(self, version="2.19.0", loses=0):
        super().__init__(version)
        self.tenants = {"": {}}
        self.imports = []  # how many objects each import had

    def answer(self, method, path, query, headers, body):
        if path == "/api/status":
            return 200, {"name": "osd", "version": {"number": self.version}}
        if method == "POST" and headers.get("osd-xsrf") is None:
            return bad("Request must contain a osd-xsrf header.")
        tenant = headers.get("securitytenant", "")
        if tenant not in self.tenants:
            return bad("no such tenant", 403)
        here = self.tenants[tenant]
        if path == "/api/saved_objects/_bulk_get":
            return 200, {"saved_objects": [
                here.get((o["type"], o["id"]), {**o, "error": {"statusCode": 404}})
                for o in json.loads(body)]}
        if path == "/api/saved_objects/_export":
            return 200, "\n".join(map(json.dumps, here.values()))
        if path == "/api/saved_objects/_import" and method == "POST":
            return self.take(here, read_form(headers, body), query.get("overwrite") == ["true"])
        return bad("Not Found", 404)

    def take(self, here, objects, overwrite):
        self.imports.append(len(objects))
        keys = [(o["type"], o["id"]) for o in objects]
        if len(set(keys)) < len(keys):
            return bad("Non-unique import objects detected")
        errors = {}
        for key, thing in zip(keys, objects):
            missing = [{"type": r["type"], "id": r["id"]} for r in thing.get("references", [])
                       if r["type"] in ("index-pattern", "search")
                       and (r["type"], r["id"]) not in keys and (r["type"], r["id"]) not in here]
            if key[0] not in TYPES:
                errors[key] = {"type": "unsupported_type"}
            elif missing:
                errors[key] = {"type": "missing_references", "references": missing}
            elif key in here and not overwrite:
                errors[key] = {"type": "conflict"}
        created = [o for k, o in zip(keys, objects) if k not in errors]
        if not any(e["type"] != "unsupported_type" for e in errors.values()):
            for thing in created:
                for kind, version in thing.get("migrationVersion", {}).items():
                    if number(version) > number(LAST_KNOWN.get(kind, "0.0.0")):
                        return bad(f"Document \"{thing['id']}\" has property \"{kind}\" which belongs"
                                   f" to a more recent version of OpenSearch Dashboards [{version}]",
                                   422)
            for thing in created:
                key = thing["type"], thing["id"]
                strange = (set(thing) - ROOT) | (
                    set(thing["attributes"]) - ATTRIBUTES.get(key[0], set(thing["attributes"])))
                if strange:
                    errors[key] = {"type": "unknown", "statusCode": 400, "message":
                                   f"strict_dynamic_mapping_exception: {sorted(strange)}"}
                else:
                    here[key] = thing
        return 200, {"success": not errors, "successCount": len(objects) - len(errors),
                     "errors": [{"type": t, "id": i, "error": e} for (t, i), e in errors.items()]}


def read_form(headers, body):
    form = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(
        f"Content-Type: {headers['Content-Type']}\r\n\r\n".encode() + body)
    part, = form.iter_parts()
    assert part.get_param("name", header="content-disposition") == "file"
    assert part.get_filename().endswith(".ndjson")
    lines = part.get_payload(decode=True).decode().splitlines()
    return [json.loads(line) for line in lines if line]

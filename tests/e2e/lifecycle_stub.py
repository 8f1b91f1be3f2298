"""Clusters with ILM and with ISM, for neither is in any node of the registries: an Elasticsearch
that answers what 6.8, 7.10 and 8 answer, and an OpenSearch that refuses what its plugin
index-management refuses."""

import fnmatch
import http.server
import json
import re
import threading
import urllib.parse

DAY = 86_400_000
ARRIVED = 1_790_000_000_000  # when indices were created on the target


class Refused(Exception):
    def __init__(self, status, kind, reason):
        super().__init__(reason)
        self.answer = status, {"error": {"type": kind, "reason": reason}, "status": status}


def refuse(reason):
    raise Refused(400, "illegal_argument_exception", reason)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer is one packet

    def handle_request(self):
        text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urllib.parse.urlsplit(self.path)
        path, query = urllib.parse.unquote(url.path), dict(urllib.parse.parse_qsl(url.query))
        with self.server.lock:
            self.server.requests.append((self.command, path))
            try:
                body = json.loads(text) if text else None
                status, answer = self.server.answer(self.command, path, query, body)
            except Refused as refused:
                status, answer = refused.answer
        sent = json.dumps(answer).encode() if not isinstance(answer, str) else answer.encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(sent)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_request

    def log_message(self, *_):
        pass


class Stub(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.lock = threading.Lock()
        self.requests = []  # (method, path)
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def changes(self):
        return [r for r in self.requests if r[0] not in ("GET", "HEAD")]

    def stop(self):
        self.shutdown()
        self.server_close()


NOT_FOUND = 404, {"error": {"type": "resource_not_found_exception", "reason": "none"},
                  "status": 404}


class IlmSource(Stub):
    """Everything is given by the test: policies, templates, indices, explanations."""

    def __init__(self, version):
        super().__init__()
        self.version = version
        self.number = tuple(map(int, version.split(".")[:2]))
        self.policies, self.slm, self.legacy, self.composable, self.components = {}, {}, {}, {}, {}
        self.indices, self.since, self.streams = {}, {}, []
        self.explains = True

    def add_index(self, name, lifecycle, aliases=None, since=None, created=0):
        settings = {"number_of_shards": "1", "number_of_replicas": "0",
                    "creation_date": str(created)}
        if lifecycle:
            settings["lifecycle"] = lifecycle
        mapping = {"properties": {"a": {"type": "keyword"}}}
        self.indices[name] = {"aliases": aliases or {}, "settings": {"index": settings},
                              "mappings": {"doc": mapping} if self.number < (7, 0) else mapping}
        if since:
            self.since[name] = since

    def policy_answer(self, policy):
        answer = {"version": 1, "modified_date": "2026-01-01T00:00:00.000Z", "policy": policy}
        if self.number >= (8, 0):
            answer["in_use_by"] = {"indices": [], "data_streams": [], "composable_templates": []}
        return answer

    def explain(self):
        if not self.explains:
            return 403, {"error": {"type": "security_exception", "reason": "no"}, "status": 403}
        explained = {}
        for name, index in self.indices.items():
            lifecycle = index["settings"]["index"].get("lifecycle", {})
            explained[name] = {"index": name, "managed": "name" in lifecycle}
            if "name" in lifecycle:
                explained[name] |= {"policy": lifecycle["name"], "phase": "hot",
                                    "lifecycle_date_millis": self.since.get(name)}
        return 200, {"indices": explained}

    def answer(self, method, path, query, body):
        assert method in ("GET", "HEAD"), f"the source is written to: {method} {path}"
        named = lambda key, inner, items: {key: [{"name": n, inner: b} for n, b in items.items()]}
        answers = {
            "/": lambda: {"name": "n", "cluster_name": "c", "tagline": "You Know, for Search",
                          "version": {"number": self.version}},
            "/_ilm/policy": lambda: {n: self.policy_answer(p) for n, p in self.policies.items()},
            "/_template": lambda: self.legacy,
            "/*": lambda: self.indices,
            "/_cat/indices": lambda: "".join(f"open {n}\n" for n in self.indices),
        }
        if self.number >= (7, 8):
            answers |= {
                "/_data_stream": lambda: {"data_streams": self.streams},
                "/_slm/policy": lambda: {n: {"version": 1, "policy": p}
                                         for n, p in self.slm.items()},
                "/_index_template": lambda: named("index_templates", "index_template",
                                                  self.composable),
                "/_component_template": lambda: named("component_templates", "component_template",
                                                      self.components),
            }
        if path == "/*/_ilm/explain":
            return self.explain()
        return (200, answers[path]()) if path in answers else NOT_FOUND


# index-management 2.x: the fields that its parsers know, and those that must be there.
ACTIONS = {
    "rollover": ({"min_size", "min_doc_count", "min_index_age", "min_primary_shard_size",
                  "copy_alias"}, set()),
    "index_priority": ({"priority"}, {"priority"}),
    "read_only": (set(), set()),
    "read_write": (set(), set()),
    "force_merge": ({"max_num_segments"}, {"max_num_segments"}),
    "shrink": ({"num_new_shards", "max_shard_size", "percentage_of_source_shards",
                "target_index_name_template", "aliases", "force_unsafe"}, set()),
    "replica_count": ({"number_of_replicas"}, {"number_of_replicas"}),
    "allocation": ({"require", "include", "exclude", "wait_for"}, set()),
    "snapshot": ({"repository", "snapshot"}, {"repository", "snapshot"}),
    "delete": (set(), set()),
}
CONDITIONS = {"min_index_age", "min_doc_count", "min_size", "cron", "min_rollover_age"}
TIME = re.compile(r"\d+(d|h|m|s|ms|micros|nanos)")
SIZE = re.compile(r"\d+(b|kb|mb|gb|tb|pb)")


def check_keys(what, value, allowed, required):
    for key in value:
        if key not in allowed:
            refuse(f"Invalid field: [{key}] found in {what}.")
    for key in required:
        if value.get(key) is None:
            refuse(f"{what} field {key} is null")


def check_action(action):
    if len(action) != 1:
        refuse("an action is one")
    name, body = next(iter(action.items()))
    if name not in ACTIONS:
        refuse(f"Invalid field: [{name}] found in Action.")
    check_keys(name, body, *ACTIONS[name])
    if name == "shrink" and len(body.keys() & {"num_new_shards", "max_shard_size",
                                               "percentage_of_source_shards"}) != 1:
        refuse("Exactly one option specifying the number of shards must be used")
    if name == "allocation" and not body.keys() & {"require", "include", "exclude"}:
        refuse("At least one allocation parameter need to be specified.")
    for key in body.keys() & {"min_index_age"}:
        if not TIME.fullmatch(body[key]):
            refuse(f"failed to parse {key}")
    for key in body.keys() & {"min_size", "min_primary_shard_size", "max_shard_size"}:
        if not SIZE.fullmatch(body[key]):
            refuse(f"failed to parse {key}")


def check_transition(transition, names):
    check_keys("Transition", transition, {"state_name", "conditions"}, {"state_name"})
    if transition["state_name"] not in names:
        refuse(f"Policy contains a transition to {transition['state_name']}, no such state")
    if "conditions" in transition:
        check_keys("Conditions", transition["conditions"], CONDITIONS, set())
        if len(transition["conditions"]) != 1:
            refuse("Cannot provide more than one Transition condition")


def check_policy(policy):
    check_keys("Policy", policy, {"description", "default_state", "states", "ism_template",
                                  "error_notification"},
               {"description", "default_state", "states"})
    names = [state.get("name") for state in policy["states"]]
    if not names:
        refuse("Policy must contain at least one State")
    if len(set(names)) != len(names):
        refuse("Policy cannot have duplicate State names")
    if policy["default_state"] not in names:
        refuse("Policy must have a valid default state")
    for state in policy["states"]:
        check_keys("State", state, {"name", "actions", "transitions"}, {"name"})
        for action in state.get("actions", []):
            check_action(action)
        for transition in state.get("transitions", []):
            check_transition(transition, names)


def overlap(one, other):
    return any(fnmatch.fnmatch(a, b) or fnmatch.fnmatch(b, a) for a in one for b in other)


class IsmTarget(Stub):
    def __init__(self, version="2.19.6"):
        super().__init__()
        self.version = version
        self.policies = {}   # name -> what GET answers
        self.snapshots = {}  # SM policies
        self.indices = {}    # name -> body
        self.templates = {}  # path -> body
        self.managed = {}    # index -> policy
        self.streams = {}    # name -> the index it writes to
        self.sequence = 0

    def check_templates(self, name, templates):
        mine = [(t["priority"], t["index_patterns"]) for t in templates]
        others = [(t["priority"], t["index_patterns"])
                  for n, p in self.policies.items() if n != name
                  for t in p["policy"].get("ism_template") or []]
        for i, (priority, patterns) in enumerate(mine):
            for other_priority, other in others + mine[i + 1:]:
                if priority == other_priority and overlap(patterns, other):
                    refuse(f"New policy {name} has an ISM template with index pattern {patterns} "
                           "matching existing policy templates, please use a different priority")

    def put_policy(self, name, query, body):
        check_keys("body", body, {"policy"}, {"policy"})
        check_policy(body["policy"])
        self.check_templates(name, body["policy"].get("ism_template", []))
        there = self.policies.get(name)
        given = query.get("if_seq_no"), query.get("if_primary_term")
        if there and given != (str(there["_seq_no"]), "1"):
            raise Refused(409, "version_conflict_engine_exception", f"[{name}] is there already")
        self.sequence += 1
        policy = {"policy_id": name, "last_updated_time": 1, "schema_version": 21,
                  "error_notification": None, **body["policy"]}
        policy["ism_template"] = [{**t, "last_updated_time": 1}
                                  for t in body["policy"].get("ism_template", [])] or None
        self.policies[name] = {"_id": name, "_version": 1, "_seq_no": self.sequence,
                               "_primary_term": 1, "policy": policy}
        # Indices of later on are caught by it; those that are there are not.
        return 200 if there else 201, self.policies[name]

    def add(self, index, body):
        if index not in self.indices:
            return NOT_FOUND
        failed = []
        if index in self.managed:
            failed = [{"index_name": index, "index_uuid": "u", "reason":
                       "This index already has a policy, use the update policy API to update "
                       "index policies"}]
        elif body["policy_id"] not in self.policies:
            failed = [{"index_name": index, "index_uuid": "u", "reason": "no such policy"}]
        else:
            self.managed[index] = body["policy_id"]
        return 200, {"updated_indices": 1 - len(failed), "failures": bool(failed),
                     "failed_indices": failed}

    def explain(self, index):
        key = "index.plugins.index_state_management.policy_id"
        policy = self.managed.get(index)
        explained = {key: policy, "enabled": True if policy else None}
        if policy:
            explained |= {"index": index, "policy_id": policy}
        return 200, {index: explained, "total_managed_indices": int(bool(policy))}

    def create(self, index, body):
        if index in self.indices:
            raise Refused(400, "resource_already_exists_exception", "it is there")
        for name in body.get("settings", {}):
            if name.startswith("index.lifecycle."):
                refuse(f"unknown setting [{name}] please check that any required plugins are "
                       "installed, or check the breaking changes documentation for removed "
                       "settings")
        self.indices[index] = body
        for name, entry in self.policies.items():
            for template in entry["policy"]["ism_template"] or []:
                if overlap([index], template["index_patterns"]):
                    self.managed[index] = name
        return 200, {"acknowledged": True}

    def create_stream(self, name):
        self.streams[name] = f".ds-{name}-000001"
        return self.create(self.streams[name], {})

    def answer_ism(self, method, rest, query, body):
        kind, _, name = rest.partition("/")
        if kind == "policies" and method == "GET":
            return (200, self.policies[name]) if name in self.policies else NOT_FOUND
        if kind == "policies" and method == "PUT":
            return self.put_policy(name, query, body)
        if kind == "add" and method == "POST":
            return self.add(name, body)
        if kind == "explain" and method == "GET":
            return self.explain(name) if name in self.indices else NOT_FOUND
        return NOT_FOUND

    def answer_index(self, method, index, body):
        if method == "PUT":
            return self.create(index, body)
        name = index.removesuffix("/_settings")
        name = self.streams.get(name, name)
        if index.endswith("/_settings") and name in self.indices:
            return 200, {name: {"settings": {"index.creation_date": str(ARRIVED),
                                             **self.indices[name].get("settings", {})}}}
        return NOT_FOUND

    def answer(self, method, path, query, body):
        if path == "/":
            return 200, {"name": "n", "cluster_name": "c", "tagline": "",
                         "version": {"distribution": "opensearch", "number": self.version}}
        if path.startswith("/_plugins/_ism/"):
            return self.answer_ism(method, path[len("/_plugins/_ism/"):], query, body)
        if path.startswith("/_cat/"):
            return 200, []
        if path.startswith("/_plugins/_sm/policies/") and method == "POST":
            self.snapshots[path.rsplit("/", 1)[1]] = body
            return 201, {}
        if path.startswith("/_data_stream/") and method == "PUT":
            return self.create_stream(path.rsplit("/", 1)[1])
        if path.startswith("/_"):
            if method == "PUT":
                self.templates[path] = body
                return 200, {"acknowledged": True}
            return NOT_FOUND
        return self.answer_index(method, path[1:], body)

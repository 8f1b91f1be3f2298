"""Elasticsearch 7 and 8 as a target that wants each thing in its order: policies know their keys,
and what an item names must be there before it."""

from lifecycle_stub import NOT_FOUND, Stub, refuse

CONTEXTS_MAX = 10


class Target(Stub):
    def __init__(self, version="8.15.0"):
        super().__init__()
        self.version = version
        self.number = tuple(map(int, version.split(".")[:2]))
        self.kept = {}  # path -> body

    def check_policy(self, body):
        if set(body) != {"policy"} or not set(body["policy"]) <= {"phases", "_meta", "deprecated"}:
            refuse(f"[put_lifecycle_request] unknown field in {sorted(body)}")
        for phase in body["policy"]["phases"].values():
            wanted = phase["actions"].get("wait_for_snapshot", {}).get("policy")
            if wanted and f"/_slm/policy/{wanted}" not in self.kept:
                refuse(f"no such snapshot policy [{wanted}]")

    def check_content(self, content):
        for name, value in content.get("settings", {}).items():
            if name == "index.lifecycle.name" and f"/_ilm/policy/{value}" not in self.kept:
                refuse(f"no such policy [{value}]")
        for field in content.get("mappings", {}).get("properties", {}).values():
            if len(field.get("contexts", [])) > CONTEXTS_MAX and self.number >= (8, 0):
                refuse("Limit of completion field contexts [10] has been exceeded")

    def put(self, path, body):
        if path.startswith("/_ilm/policy/"):
            self.check_policy(body)
        elif path.startswith("/_slm/policy/") and set(body) & {"version", "modified_date", "policy"}:
            refuse("unknown field")
        for component in (body or {}).get("composed_of", []):
            if f"/_component_template/{component}" not in self.kept:
                refuse(f"component templates [{component}] that do not exist")
        self.check_content((body or {}).get("template", body or {}))
        self.kept[path] = body
        return 200, {"acknowledged": True}

    def answer(self, method, path, query, body):
        if path == "/":
            return 200, {"name": "n", "tagline": "You Know, for Search",
                         "version": {"number": self.version}}
        if path.startswith("/_cat/"):
            return 200, "[]"
        if path == "/_component_template":
            return 200, {"component_templates": []}
        if method == "PUT":
            return self.put(path, body)
        path = path.removesuffix("/_settings")
        return (200, {path: self.kept[path]}) if path in self.kept else NOT_FOUND

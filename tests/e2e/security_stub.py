"""Clusters with roles, for no node of the registries has a security plugin: each answers what its
product answers, and refuses what that refuses."""

from lifecycle_stub import NOT_FOUND, Stub, check_keys, refuse

# Of static_config/static_action_groups.yml; all else must be an action.
CLUSTER_GROUPS = {"cluster_all", "cluster_monitor", "cluster_composite_ops",
                  "cluster_composite_ops_ro", "cluster_manage_pipelines",
                  "cluster_manage_index_templates", "manage_snapshots"}
INDEX_GROUPS = {"indices_all", "crud", "read", "write", "index", "delete", "get", "search",
                "create_index", "indices_monitor", "manage", "manage_aliases", "data_access"}


class Cluster(Stub):
    def __init__(self, version, opensearch, roles=None):
        super().__init__()
        self.version, self.opensearch = version, opensearch
        self.roles = roles or {}
        self.forbidden = False
        old = int(version.split(".")[0]) < 7
        self.path = ("/_plugins/_security/api/roles" if opensearch else
                     "/_xpack/security/role" if old else "/_security/role")

    def root(self):
        version = {"number": self.version, **({"distribution": "opensearch"} if self.opensearch
                                              else {})}
        return {"name": "n", "cluster_name": "c", "version": version}

    def check(self, role):
        if not self.opensearch:
            check_keys("role", role, {"cluster", "indices", "run_as", "applications", "metadata",
                                      "global", "remote_indices", "description"}, set())
            return
        # reserved, static … are refused: the plugin validates keys.
        check_keys("role", role, {"cluster_permissions", "index_permissions",
                                  "tenant_permissions", "description"}, set())
        for name in role["cluster_permissions"]:
            if name not in CLUSTER_GROUPS and not name.startswith(("cluster:", "indices:")):
                refuse(f"no action group {name}")
        for entry in role["index_permissions"]:
            check_keys("index permission", entry, {"index_patterns", "dls", "fls", "masked_fields",
                                                   "allowed_actions"}, {"index_patterns"})
            for name in entry["allowed_actions"]:
                if name not in INDEX_GROUPS and not name.startswith("indices:"):
                    refuse(f"no action group {name}")

    def answer(self, method, path, query, body):
        if path == "/":
            return 200, self.root()
        if not path.startswith(self.path):
            return NOT_FOUND
        if self.forbidden:
            return 403, {"error": {"type": "security_exception", "reason": "no permissions"},
                         "status": 403}
        name = path[len(self.path) + 1:]
        if method == "GET" and not name:
            return 200, self.roles
        if method == "GET":
            return (200, {name: self.roles[name]}) if name in self.roles else (404, {})
        assert method == "PUT", method
        self.check(body)
        self.roles[name] = body
        return 201, {"status": "CREATED"}

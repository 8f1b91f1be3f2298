"""Targets that no registry has: Elasticsearch 9 and OpenSearch Serverless. They keep what they are
given, and refuse what the real ones refuse, in their words. Sources: the reference of breaking
changes (docs/assess.md), and the parsers of Elasticsearch 8.19, which these nodes do have."""

import sys
import pathlib

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
import zoo  # noqa: E402
from lifecycle_stub import NOT_FOUND, IlmSource, Refused, Stub, refuse  # noqa: E402


class ZooSource(IlmSource):
    """The zoo of a version as that version's answers show it; no node is needed."""

    def __init__(self, version):
        super().__init__(version.split()[1] + ".0")
        created = str(zoo.number(version) // 1000 * 1_000_000 + 99)
        for name, one in zoo.indices(version).items():
            settings = {"number_of_shards": "1", "number_of_replicas": "0", "creation_date": "1",
                        "uuid": "u", "version": {"created": created}, "provided_name": name}
            self.indices[name] = {
                "aliases": one.body.get("aliases", {}), "mappings": one.body["mappings"],
                "settings": {"index": settings | one.body.get("settings", {})}}
        for template in zoo.templates(version).values():
            for path, body in template.puts:
                kind, name = path.split("/")[1:]
                {"_template": self.legacy, "_index_template": self.composable,
                 "_component_template": self.components}[kind][name] = body


ROOTS = {"properties", "dynamic", "dynamic_templates", "_source", "_routing", "_meta",
         "date_detection", "numeric_detection", "dynamic_date_formats", "_field_names", "enabled"}
TYPES = {"text", "keyword", "long", "integer", "short", "byte", "double", "float", "half_float",
         "scaled_float", "boolean", "binary", "date", "date_nanos", "ip", "geo_point", "geo_shape",
         "object", "nested", "completion", "percolator", "join", "alias", "rank_feature",
         "rank_features", "search_as_you_type", "token_count", "integer_range", "date_range"}
SETTINGS = ("number_of_", "refresh_interval", "analysis.", "similarity.", "codec", "mapping.",
            "search.", "sort.", "hidden", "max_", "merge.", "translog.durability",
            "translog.sync_interval", "translog.flush_threshold_size", "requests.cache.enable",
            "priority", "routing_partition_size", "store.", "indexing.", "queries.",
            "query.default_field", "routing.", "unassigned.", "write.", "gc_deletes",
            "soft_deletes.retention_lease")
GONE_SETTINGS = ("mapping.single_type", "store.throttle", "merge.policy.type", "merge.async",
                 "search.slowlog.level", "store.hybrid", "max_adjacency_matrix_filters")
PRIVATE = ("creation_date", "uuid", "version.", "provided_name", "history")
NUMBERS = {"long", "integer", "short", "byte", "double", "float", "half_float", "date", "boolean"}
OLD_NAMES = {"nGram", "edgeNGram", "standard_html_strip", "PathHierarchy", "htmlStrip",
             "delimited_payload_filter"}


def refuse_mapping(reason):
    raise Refused(400, "mapper_parsing_exception", f"Failed to parse mapping: {reason}")


def flat(tree, prefix=""):
    for key, value in tree.items():
        if isinstance(value, dict) and value:
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


class Strict(Stub):
    """What both refuse."""

    types = TYPES
    roots = ROOTS
    settings = SETTINGS

    def __init__(self):
        super().__init__()
        self.kept = {}  # path -> body

    def check_setting(self, name, value):
        if name.startswith(PRIVATE):
            refuse(f"private index setting [index.{name}] can not be set explicitly")
        if not name.startswith(self.settings) or name.startswith(GONE_SETTINGS):
            refuse(f"unknown setting [index.{name}] please check that any required plugins are "
                   "installed, or check the breaking changes documentation for removed settings")
        if name.endswith((".warn", "refresh_interval")) and str(value)[-1:] == "w" or (
                "slowlog" in name and "." in str(value)):
            refuse(f"failed to parse setting [index.{name}] with value [{value}]")
        if name == "codec" and value not in ("default", "best_compression"):
            refuse(f"unknown value for [index.codec] must be one of [default] but was: {value}")

    def check_settings(self, settings):
        for name, value in flat(settings):
            self.check_setting(name.removeprefix("index."), value)
        self.check_analysis({name.removeprefix("index.analysis."): value
                             for name, value in flat(settings)
                             if name.startswith("index.analysis.")},
                            {name.removeprefix("index."): value for name, value in flat(settings)})

    def check_analysis(self, parts, settings):
        own = {tuple(name.split(".")[:2]) for name in parts}
        for name, value in parts.items():
            words = name.split(".")
            used = value if isinstance(value, list) else [value]
            if isinstance(value, dict):  # empty
                continue
            if words[-1] == "type" and value in OLD_NAMES | {"standard"} and (
                    words[0] == "filter" or value != "standard"):
                refuse(f"The [{value}] token filter has been removed.")
            if words[-1] in ("filter", "tokenizer", "char_filter"):
                for use in used:
                    gone = use in OLD_NAMES or (use, words[-1]) == ("standard", "filter")
                    if gone and (words[-1], use) not in own:
                        refuse(f"The [{use}] {words[-1]} has been removed.")
            if words[1:2] == ["default_index"]:
                refuse("setting [index.analysis.analyzer.default_index] is not supported anymore")
            for low, high, limit, usual in (("min_gram", "max_gram", "max_ngram_diff", 1),
                                            ("min_shingle_size", "max_shingle_size",
                                             "max_shingle_diff", 3)):
                if words[-1] != high:
                    continue
                kind = parts[".".join(words[:2]) + ".type"]
                smallest = parts.get(".".join(words[:2] + [low]), 1 if limit[4] == "n" else 2)
                gap = int(value) - int(smallest) + (limit == "max_shingle_diff")
                if kind in ("ngram", "shingle") and gap > int(settings.get(limit, usual)):
                    refuse(f"the difference must be less than or equal to [{limit}]")

    def check_field(self, name, field, inside=False):
        kind = field.get("type", "object")
        if kind not in self.types and not kind.startswith("{"):
            refuse_mapping(f"The mapper type [{kind}] declared on field [{name}] does not exist")
        wrong = {"include_in_all", "index_analyzer", "position_offset_gap", "omit_norms",
                 "precision_step", "postings_format", "doc_values_format", "index_name", "path",
                 "lat_lon", "geohash", "tree", "precision", "strategy", "tree_levels",
                 "omit_term_freq_and_positions"} - ({"path"} if kind == "alias" else set())
        wrong |= {"index_options", "analyzer", "norms"} if kind in NUMBERS else set()
        for parameter in field.keys() & wrong:
            refuse_mapping(f"unknown parameter [{parameter}] on mapper [{name}] of type [{kind}]")
        for parameter in ("index", "norms"):
            if not isinstance(field.get(parameter, True), bool):
                refuse_mapping(f"Failed to parse value [{field[parameter]}] as only [true] or "
                               "[false] are allowed.")
        if isinstance(field.get("fielddata"), dict):
            refuse_mapping("fielddata must be a boolean")
        if field.get("similarity") in ("classic", "default"):
            refuse_mapping(f"Unknown Similarity type [{field['similarity']}] for field [{name}]")
        if "search_analyzer" in field and "analyzer" not in field:
            refuse_mapping(f"analyzer on field [{name}] must be set when search_analyzer is set")
        self.check_formats(field.get("format", ""))
        if inside and "copy_to" in field:
            refuse_mapping("copy_to in multi fields is not allowed.")
        for inner_name, inner in field.get("fields", {}).items():
            self.check_field(inner_name, inner, inside=True)
        for inner_name, inner in field.get("properties", {}).items():
            self.check_field(inner_name, inner)

    def check_formats(self, formats):
        for one in formats.split("||"):
            if one.isalpha() and any(c.isupper() for c in one) and len(one) > 4:
                refuse(f"Invalid format: [{one}]: Unknown pattern letter")

    def check_mapping(self, mapping):
        unknown = [key for key in mapping if key not in self.roots]
        if unknown:
            refuse_mapping("Root mapping definition has unsupported parameters:  " + " ".join(
                f"[{key} : {mapping[key]}]" for key in unknown))
        if mapping.get("_source", {}).keys() - {"enabled", "includes", "excludes"} or (
                mapping.get("_routing", {}).keys() - {"required"}):
            refuse_mapping("Mapping definition for [_source] has unsupported parameters")
        for name, field in mapping.get("properties", {}).items():
            self.check_field(name, field)
        for element in mapping.get("dynamic_templates", []):
            for name, dynamic in element.items():
                if dynamic.get("match_mapping_type", "*") not in (
                        "*", "object", "string", "long", "double", "boolean", "date", "binary"):
                    refuse_mapping(f"No field type matched on "
                                   f"[{dynamic['match_mapping_type']}]")
                self.check_field(name, {"type": "{dynamic_type}", **dynamic["mapping"]})
        for one in mapping.get("dynamic_date_formats", []):
            self.check_formats(one)

    def check_content(self, content):
        for key in content.keys() - {"settings", "mappings", "aliases"}:
            refuse(f"unknown key [{key}]")
        self.check_settings(content.get("settings", {}))
        self.check_mapping(content.get("mappings", {}))
        for alias in content.get("aliases", {}).values():
            for key in alias.keys() - {"filter", "routing", "index_routing", "search_routing",
                                       "is_write_index", "is_hidden"}:
                refuse(f"Unknown field [{key}] in alias")

    def check(self, kind, body):
        if kind == "_template":
            for key in body.keys() - {"index_patterns", "order", "version", "settings",
                                      "mappings", "aliases"}:
                refuse(f"unknown key [{key}] in the template")
            self.check_content({key: body[key] for key in body
                                if key in ("settings", "mappings", "aliases")})
        elif kind in ("_index_template", "_component_template"):
            known = {"template", "version", "_meta"}
            if kind == "_index_template":
                known |= {"index_patterns", "composed_of", "priority", "data_stream"}
            for key in body.keys() - known:
                refuse(f"[index_template] unknown field [{key}]")
            self.check_content(body.get("template", {}))
        elif not kind.startswith("_"):
            self.check_content(body)

    def listing(self, kind, key, inner):
        return {key: [{"name": path.split("/")[2], inner: body}
                      for path, body in self.kept.items() if path.startswith(f"/{kind}/")]}

    def answer(self, method, path, query, body):
        if "include_type_name" in query:
            refuse(f"request [{path}] contains unrecognized parameter: [include_type_name]")
        if path.startswith("/_cat/"):
            return 200, []
        if method == "GET" and path == "/_component_template":
            return 200, self.listing("_component_template", "component_templates",
                                     "component_template")
        if method in ("GET", "HEAD"):
            return (200, {path[1:]: self.kept[path]}) if path in self.kept else NOT_FOUND
        if method == "PUT" and path in self.kept and not path.startswith("/_"):
            raise Refused(400, "resource_already_exists_exception", "it is there")
        if method == "PUT":
            self.check(path.split("/")[1], body)
            self.kept[path] = body
            return 200, {"acknowledged": True}
        raise Refused(405, "method_not_allowed", f"{method} {path}")


ILM_ACTIONS = {"rollover", "set_priority", "readonly", "forcemerge", "shrink", "allocate",
               "migrate", "searchable_snapshot", "unfollow", "downsample", "wait_for_snapshot",
               "delete", "freeze"}


class Elasticsearch(Strict):
    def __init__(self, version="9.1.0"):
        super().__init__()
        self.version = version
        self.repositories = set()
        self.types = TYPES | {"flattened", "dense_vector", "sparse_vector", "wildcard",
                              "constant_keyword", "version", "histogram", "unsigned_long"}
        self.roots = ROOTS | {"runtime", "subobjects"}
        self.settings = (*SETTINGS, "mode", "lifecycle.")

    def check_mapping(self, mapping):
        super().check_mapping(mapping)
        if "enabled" in mapping.get("_field_names", {}):
            refuse_mapping("The `enabled` setting for the `_field_names` field has been "
                           "deprecated and removed.")

    def check_field(self, name, field, inside=False):
        super().check_field(name, field, inside)
        if "boost" in field:
            refuse_mapping(f"Unknown parameter [boost] on mapper [{name}]")
        if len(field.get("contexts", [])) > 10:
            refuse_mapping(f"Limit of completion field contexts [10] has been exceeded: [{name}]")
        if inside and "fields" in field:
            refuse_mapping(f"Encountered a multi-field [{name}] which itself contains a "
                           "multi-field. Defining chained multi-fields is not supported.")

    def check_policy(self, body):
        for key in body.keys() - {"policy"}:
            refuse(f"[put_lifecycle_request] unknown field [{key}]")
        policy = body["policy"]
        for key in policy.keys() - {"phases", "_meta", "deprecated"}:
            refuse(f"[lifecycle_policy] unknown field [{key}]")
        for phase in policy["phases"].values():
            for name, action in phase["actions"].items():
                if name not in ILM_ACTIONS:
                    refuse(f"[actions] unknown field [{name}]")
                if name == "searchable_snapshot" and (
                        action["snapshot_repository"] not in self.repositories):
                    refuse(f"no such repository [{action['snapshot_repository']}]")

    def answer(self, method, path, query, body):
        if path == "/":
            return 200, {"name": "n", "cluster_name": "c", "tagline": "You Know, for Search",
                         "version": {"number": self.version, "build_flavor": "default"}}
        if method == "PUT" and path.startswith("/_ilm/policy/"):
            self.check_policy(body)
            self.kept[path] = body
            return 200, {"acknowledged": True}
        return super().answer(method, path, query, body)


class Serverless(Strict):
    """No root, no nodes, no settings of the cluster, no policies; vectors of faiss alone."""

    def __init__(self):
        super().__init__()
        self.types = TYPES | {"knn_vector", "flat_object"}
        self.settings = (*SETTINGS, "knn")

    def check_field(self, name, field, inside=False):
        super().check_field(name, field, inside)
        if field.get("type") != "knn_vector":
            return
        method = field.get("method", {})
        if "model_id" in field or "dimension" not in field:
            refuse_mapping("model_id is not supported")
        if method.get("engine", "faiss") != "faiss" or method.get("name", "hnsw") != "hnsw":
            refuse_mapping(f"engine {method.get('engine')} is not supported")
        if method.get("space_type", "l2") in ("l1", "linf"):
            refuse_mapping(f"space type {method['space_type']} is not supported")
        if method.get("parameters", {}).get("encoder", {}).get("name") == "pq":
            refuse_mapping("encoder pq is not supported")

    def answer(self, method, path, query, body):
        if path == "/" or path.startswith(("/_cluster", "/_nodes", "/_plugins", "/_snapshot",
                                           "/_cat/plugins", "/_cat/nodes")):
            return NOT_FOUND
        return super().answer(method, path, query, body)

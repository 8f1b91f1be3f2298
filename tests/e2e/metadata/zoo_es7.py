"""What an Elasticsearch 7.10 may hold: bodies that the rules of metadata change, or must not.

An index: body, a document, a query that finds it."""


def field(definition, value, query=None, settings=None):
    """An index with one field f."""
    body = {"mappings": {"properties": {"f": definition}}}
    if settings:
        body["settings"] = settings
    return body, {"f": value}, query or {"term": {"f": value}}


def analysis(parts, text="The Quick fox", word="quick"):
    """An index whose field f goes through the analyzer a."""
    return field({"type": "text", "analyzer": "a"}, text, {"match": {"f": word}},
                 {"analysis": parts})


TEXT = {"match": {"f": "fox"}}

INDICES = {
    "ngram": analysis({"tokenizer": {"t": {"type": "ngram", "min_gram": 2, "max_gram": 3}},
                       "analyzer": {"a": {"tokenizer": "t", "filter": ["lowercase"]}}}, word="ui"),
    "edge-ngram": analysis({"filter": {"g": {"type": "edgeNGram", "min_gram": 1, "max_gram": 5}},
                            "analyzer": {"a": {"tokenizer": "standard",
                                               "filter": ["lowercase", "g"]}}}),
    "path-hierarchy": analysis({"analyzer": {"a": {"tokenizer": "PathHierarchy"}}}, "/a/b", "/a/b"),
    "html": analysis({"analyzer": {"a": {"tokenizer": "standard", "char_filter": "html_strip",
                                         "filter": "lowercase"}}}, "<b>Quick</b>"),
    "normalizer": field({"type": "keyword", "normalizer": "n"}, "Fox", {"term": {"f": "fox"}},
                        {"analysis": {"normalizer": {"n": {"type": "custom",
                                                           "filter": ["lowercase"]}}}}),
    "multi": field({"type": "text", "fields": {"raw": {"type": "keyword", "ignore_above": 99}}},
                   "fox", {"term": {"f.raw": "fox"}}),
    "chained": field({"type": "text", "fields": {"a": {"type": "text", "fields": {
        "b": {"type": "keyword"}}}}}, "fox", TEXT),
    "boost": field({"type": "text", "boost": 2}, "fox", TEXT),
    "dates": field({"type": "date", "format": "yyyy-MM-dd HH:mm:ss||epoch_millis"},
                   "2020-01-02 03:04:05"),
    "date-names": field({"type": "date", "format": "strictDateOptionalTime||basicDate"}, "2020-01-02"),
    "nanos": field({"type": "date_nanos"}, "2020-01-02T03:04:05.123456789Z"),
    "range": field({"type": "integer_range"}, {"gte": 1, "lte": 5}, {"term": {"f": 3}}),
    "nested": ({"mappings": {"properties": {"n": {"type": "nested", "properties": {
        "x": {"type": "long"}}}}}}, {"n": [{"x": 7}]},
        {"nested": {"path": "n", "query": {"term": {"n.x": 7}}}}),
    "completion": field({"type": "completion"}, "fox", {"match_all": {}}),
    "stored": field({"type": "float", "store": True, "doc_values": False, "coerce": False}, 1.5),
    "join": field({"type": "join", "relations": {"a": "b"}}, "a"),
    "alias-field": ({"mappings": {"properties": {"f": {"type": "keyword"},
                                                 "g": {"type": "alias", "path": "f"}}}},
                    {"f": "fox"}, {"term": {"g": "fox"}}),
    "strict": ({"mappings": {"dynamic": "strict", "_meta": {"owner": "me"},
                             "properties": {"f": {"type": "keyword"}}}}, {"f": "fox"},
               {"term": {"f": "fox"}}),
    "dynamic": ({"mappings": {"dynamic_templates": [{"s": {
        "match_mapping_type": "string", "mapping": {"type": "keyword"}}}]}}, {"x": "The fox"},
        {"term": {"x": "The fox"}}),
    "bare": ({"mappings": {"dynamic": "false"}}, {"x": 1}, {"match_all": {}}),
    "settings": field({"type": "keyword"}, "fox", None, {
        "number_of_shards": 2, "codec": "best_compression", "mapping.total_fields.limit": 2000,
        "refresh_interval": "5s", "max_ngram_diff": 4, "soft_deletes.retention_lease.period": "1h",
        "routing.allocation.total_shards_per_node": 3, "blocks.read_only_allow_delete": False}),
    "sorted": field({"type": "keyword"}, "fox", None,
                    {"sort.field": ["f"], "sort.order": ["desc"]}),
    "hidden": field({"type": "keyword"}, "fox", None, {"hidden": True}),
    "closed": field({"type": "keyword"}, "fox"),
}

ALIASES = {"actions": [
    {"add": {"index": "multi", "alias": "both", "is_write_index": True}},
    {"add": {"index": "chained", "alias": "both", "is_write_index": False}},
    {"add": {"index": "range", "alias": "some", "filter": {"range": {"f": {"gte": 2}}},
             "index_routing": "1", "search_routing": "1,2"}},
]}

# path -> body, in the order in which they can be put
OTHERS = {
    "/_ingest/pipeline/stamp-zoo": {"description": "d", "processors": [{"set": {"field": "s",
                                                                               "value": 1}}]},
    "/_scripts/zoo-script": {"script": {"lang": "painless", "source": "ctx._source.n += 1"}},
    "/_component_template/zoo-base": {"template": {
        "settings": {"number_of_shards": 1, "analysis": {"analyzer": {"a": {
            "tokenizer": "standard", "filter": ["lowercase"]}}}},
        "mappings": {"properties": {"day": {"type": "date"}}}}, "version": 3},
    "/_index_template/zoo": {"index_patterns": ["zoo-*"], "composed_of": ["zoo-base"], "priority": 7,
                             "template": {"aliases": {"zoos": {}}}, "_meta": {"owner": "me"}},
    "/_template/old-zoo": {"index_patterns": ["old-zoo-*"], "order": 2,
                           "settings": {"number_of_shards": 1},
                           "mappings": {"properties": {"f": {"type": "keyword"}}},
                           "aliases": {"old-zoos": {"filter": {"term": {"f": "x"}}}}},
}


def plant(node):
    for path, body in OTHERS.items():
        node.api("PUT", path, body)
    for name, (body, _, _) in INDICES.items():
        node.api("PUT", f"/{name}", body)
    node.api("POST", "/_aliases", ALIASES)
    node.api("POST", "/closed/_close")

"""What clusters of each version may hold: bodies that the rules of metadata change, or must not.

Each body comes with a document that fits it, a query of today that must find it, and the ids of
breaking changes that it plants (docs/assess.md). Bodies that several versions share are written in
today's words, and spelled for the others."""

import collections
import copy

Kept = collections.namedtuple("Kept", "body document query ids")

ALL = {"match_all": {}}
TEXT = "The quick brown fox"
FOX = {"match": {"f": "fox"}}


def kept(body, document, query=None, ids=""):
    return Kept(body, document, query or ALL, frozenset(ids.split()))


def field(definition, value="fox", query=None, ids="", settings=None):
    """An index with one field f, found by its value."""
    body = {"mappings": {"properties": {"f": definition}}}
    if settings:
        body["settings"] = settings
    return kept(body, {"f": value}, query or {"term": {"f": value}}, ids)


def text(definition=None, ids="", settings=None, kind="text"):
    return field({"type": kind, **(definition or {})}, TEXT, FOX, ids, settings)


def analysis(parts, value=TEXT, word="quick", ids="", kind="text", **settings):
    """An index whose field f goes through its analyzer a."""
    return field({"type": kind, "analyzer": "a"}, value, {"match": {"f": word}}, ids,
                 {"analysis": parts, **settings})


def analyzer(value=TEXT, word="quick", ids="", kind="text", **definition):
    return analysis({"analyzer": {"a": definition}}, value, word, ids, kind)


def root(members, document=None, query=None, ids="", properties=None):
    """An index whose mapping has these members at its root."""
    properties = properties or {"f": {"type": "keyword"}}
    return kept({"mappings": {**members, "properties": properties}}, document or {"f": "fox"},
                query or {"term": {"f": "fox"}}, ids)


def settings(members, ids=""):
    return field({"type": "keyword"}, ids=ids, settings=members)


def types(mappings, document, query=None, ids="", members=None):
    """An index of several types, or of one with a name that matters."""
    return kept({"types": mappings, **({"settings": members} if members else {})}, document,
                query, ids)


NESTED = {"type": "nested", "properties": {"x": {"type": "long"}}}
SQUARE = {"type": "polygon", "coordinates": [[[0, 0], [2, 0], [2, 2], [0, 2], [0, 0]]]}
INSIDE = {"geo_shape": {"f": {"shape": {"type": "point", "coordinates": [1, 1]}}}}
NEAR = {"geo_distance": {"distance": "10km", "f": {"lat": 1, "lon": 1}}}

# Versions from Elasticsearch 1 on.
SHARED = {
    "text": text(),
    "keyword": field({"type": "keyword"}),
    "above": field({"type": "keyword", "ignore_above": 99}),
    "long": field({"type": "long"}, 7),
    "integer": field({"type": "integer", "null_value": 3}, None, {"term": {"f": 3}}),
    "short": field({"type": "short", "coerce": True}, "7", {"term": {"f": 7}}),
    "byte": field({"type": "byte", "store": True}, 7),
    "double": field({"type": "double", "ignore_malformed": True}, 1.5),
    "float": field({"type": "float", "doc_values": True}, 1.5),
    "boolean": field({"type": "boolean"}, True),
    "binary": field({"type": "binary"}, "Zm94", ALL),
    "date": field({"type": "date"}, "2020-01-02T03:04:05Z", ids="B205"),
    "day": field({"type": "date", "format": "yyyy-MM-dd HH:mm:ss||yyyy-MM-dd"},
                 "2020-01-02 03:04:05"),
    "ip": field({"type": "ip"}, "10.0.0.1"),
    "point": field({"type": "geo_point"}, {"lat": 1, "lon": 1}, NEAR),
    "object": root({}, {"o": {"x": 7}}, {"term": {"o.x": 7}},
                   properties={"o": {"properties": {"x": {"type": "long"}}}}),
    "nested": root({}, {"n": [{"x": 7}]}, {"nested": {"path": "n", "query": {
        "term": {"n.x": 7}}}}, "B705", {"n": NESTED}),
    "unparsed": root({}, {"o": {"x": 1}}, ALL, properties={"o": {"type": "object", "enabled": False}}),
    "multi": field({"type": "text", "fields": {"raw": {"type": "keyword"}}}, "The fox",
                   {"term": {"f.raw": "The fox"}}),
    "copied": root({}, {"f": "fox"}, {"match": {"g": "fox"}}, properties={
        "f": {"type": "text", "copy_to": ["g"]}, "g": {"type": "text"}}),
    "vectors": text({"term_vector": "with_positions_offsets", "store": True}),
    "whitespace": text({"analyzer": "whitespace"}),
    "search-analyzer": text({"analyzer": "simple", "search_analyzer": "whitespace"}),
    "bm25": text({"similarity": "BM25"}),
    "docs": text({"index_options": "docs"}),
    "custom": analyzer(tokenizer="standard", filter=["lowercase", "asciifolding"]),
    "strict": root({"dynamic": "strict", "_meta": {"owner": "me"}}),
    "fixed": root({"dynamic": "false"}),
    "numeric": root({"numeric_detection": True, "date_detection": False}),
    "dynamic": root({"dynamic_templates": [{"numbers": {
        "match": "n_*", "mapping": {"type": "long", "store": True}}}]},
        {"n_x": 7}, {"term": {"n_x": 7}}),
    "by-path": root({"dynamic_templates": [{"inner": {
        "path_match": "o.*", "match_mapping_type": "long", "mapping": {"type": "double"}}}]},
        {"o": {"x": 7}}, {"term": {"o.x": 7}}),
    "routed": root({"_routing": {"required": True}}, ids="B709"),
    "partial": root({"_source": {"excludes": ["secret.*"]}}),
    "bare": kept({"mappings": {"dynamic": "false"}}, {"x": 1}),
    "shards": settings({"number_of_shards": 2, "refresh_interval": "5s"}),
    "allocation": settings({"routing.allocation.total_shards_per_node": 9,
                            "priority": 3, "routing.allocation.enable": "all"}),
    "merge": settings({"merge.policy.max_merged_segment": "2gb", "translog.durability": "async",
                       "merge.scheduler.max_thread_count": 1}),
    "slowlog": settings({"search.slowlog.threshold.query.warn": "10s"}),
    "aliased": kept({"mappings": {"properties": {"f": {"type": "keyword"}}}, "aliases": {
        "aliased-some": {"filter": {"term": {"f": "fox"}}, "index_routing": "1",
                         "search_routing": "1,2"}, "aliased-all": {}}},
        {"f": "fox"}, {"term": {"f": "fox"}}, "B709"),
    "a.name_with-all": field({"type": "keyword"}),
    "closed": field({"type": "keyword"}),
}

WHOLE_SHAPE = field({"type": "geo_shape"}, SQUARE, INSIDE, "B707")


def string(ids="", settings=None, **definition):
    return text(definition, f"B501 {ids}", settings, "string")


def exact(ids="", settings=None, **definition):
    return field({"type": "string", "index": "not_analyzed", **definition}, "The fox", None,
                 f"B501 B502 {ids}", settings)


# Elasticsearch 1 and 2.
EARLY = {
    "raw": string(fields={"raw": {"type": "string", "index": "not_analyzed", "doc_values": True,
                                  "ignore_above": 256}}, ids="B502"),
    "exact-norms": exact(norms={"enabled": True}),
    "plain-norms": string(norms={"enabled": False, "loading": "lazy"}, ids="B502"),
    "hidden-string": kept({"mappings": {"properties": {"f": {"type": "string", "index": "no"}}}},
                          {"f": "fox"}, None, "B501 B502"),
    "hidden-number": kept({"mappings": {"properties": {"f": {"type": "long", "index": "no"}}}},
                          {"f": 7}, None, "B502"),
    "exact-number": field({"type": "long", "index": "not_analyzed", "precision_step": 8}, 7,
                          ids="B502"),
    "exact-date": field({"type": "date", "index": "not_analyzed", "format": "dateOptionalTime"},
                        "2020-01-02T03:04:05", ids="B205 B706"),
    "fielddata": string(fielddata={"format": "paged_bytes", "filter": {
        "frequency": {"min": 0.001}}}, ids="B204"),
    "null-string": field({"type": "string", "index": "not_analyzed", "null_value": "none"}, None,
                         {"term": {"f": "none"}}, "B501 B502"),
    "gap": string(position_increment_gap=50),
    "logstash": root({"_all": {"enabled": True, "norms": {"enabled": False}},
                      "dynamic_templates": [{"message": {
                          "match": "message", "match_mapping_type": "string", "mapping": {
                              "type": "string", "index": "analyzed", "omit_norms": True}}},
                          {"strings": {"match": "*", "match_mapping_type": "string", "mapping": {
                              "type": "string", "index": "analyzed", "fields": {
                                  "raw": {"type": "string", "index": "not_analyzed",
                                          "ignore_above": 256}}}}}]},
                     {"message": TEXT, "host": "a-b"}, {"term": {"host.raw": "a-b"}},
                     "B204 B501 B502 B602", {"@version": {"type": "string",
                                                          "index": "not_analyzed"}}),
    "any-type": root({"dynamic_templates": [{"any": {"match": "x_*", "mapping": {
        "type": "{dynamic_type}", "index": "not_analyzed"}}}]}, {"x_n": 7}, {"term": {"x_n": 7}},
        "B501 B502", {"f": {"type": "string", "index": "not_analyzed"}}),
    "untyped-strings": root({"dynamic_templates": [{"s": {
        "match_mapping_type": "string", "mapping": {"index": "not_analyzed"}}}]}, {"x": "The fox"},
        {"term": {"x": "The fox"}}, "B502", {"f": {"type": "long"}}),
    "no-such-match": root({"dynamic_templates": [{"i": {
        "match_mapping_type": "integer", "mapping": {"type": "long"}}}]}, ids="B607"),
    "all-out": root({"_all": {"enabled": False}}, ids="B602"),
    "in-all": field({"type": "long", "include_in_all": False}, 7, ids="B602"),
    "timestamp": root({"_timestamp": {"enabled": True}}, ids="B507"),
    "ttl": root({"_ttl": {"enabled": True, "default": "12w"}}, ids="B507"),
    "boosted": string(boost=2.0, ids="B803"),
    "tf-idf": string(similarity="default", ids="B505"),
    "old-point": field({"type": "geo_point", "lat_lon": True, "geohash": True,
                        "geohash_prefix": True, "geohash_precision": 7}, {"lat": 1, "lon": 1},
                       NEAR),
    "tree": field({"type": "geo_shape", "tree": "quadtree", "precision": "1km"}, SQUARE, INSIDE,
                  "B707 B803"),
    "joda": field({"type": "date", "format": "YYYY-MM-dd'T'HH:mm:ssZ"},
                  "2020-01-02T03:04:05+0000", ids="B706"),
    "joda-names": field({"type": "date", "format": "basicDate||dateHourMinuteSecond"}, "20200102",
                        ids="B706"),
    "joda-detected": root({"dynamic_date_formats": ["YYYY/MM/dd", "dateOptionalTime"]},
                          {"d": "2020/01/02"}, {"term": {"d": "2020/01/02"}}, "B706"),
    "default-index": field({"type": "string"}, "Quick-Fox", {"match": {"f": "Quick-Fox"}},
                           "B501 B504", {"analysis": {"analyzer": {
                               "default_index": {"type": "whitespace"}}}}),
    "old-ngram": analysis({"filter": {"g": {"type": "nGram", "min_gram": 2, "max_gram": 6}},
                           "analyzer": {"a": {"tokenizer": "standard", "filter": [
                               "standard", "lowercase", "g"]}}},
                          ids="B501 B702 B703 B802", kind="string"),
    "old-edges": analysis({"tokenizer": {"e": {"type": "edgeNGram", "min_gram": 1,
                                               "max_gram": 9}},
                           "analyzer": {"a": {"tokenizer": "e", "filter": "lowercase"}}},
                          word="the", ids="B501 B802", kind="string"),
    "old-paths": analyzer("/a/b", "/a/b", "B501 BO32", "string", tokenizer="PathHierarchy"),
    "old-stemmer": analyzer(TEXT, "quick", "B501", "string", tokenizer="standard",
                            filter=["standard", "lowercase", "porter_stem"])._replace(
                                ids=frozenset(["B501", "B703"])),
    "payloads": analyzer("fox|3", "fox", "B501 B703", "string", tokenizer="whitespace",
                         filter=["delimited_payload_filter"]),
    "shingles": analysis({"filter": {"s": {"type": "shingle", "max_shingle_size": 7}},
                          "analyzer": {"a": {"tokenizer": "standard", "filter": ["s"]}}},
                         ids="B501 B702", kind="string"),
    "html": analyzer("<b>quick</b>", "quick", "B501 B703", "string", type="standard_html_strip"),
    "snowball": analyzer("foxes", "fox", "B501", "string", type="snowball", language="English"),
    "two-types": types({"a": {"properties": {"x": {"type": "long"}}},
                        "b": {"properties": {"y": {"type": "string", "index": "not_analyzed"}}}},
                       {"x": 7}, {"term": {"x": 7}}, "B501 B502 B601"),
    "default-type": types({"_default_": {"_all": {"enabled": False}, "dynamic": "strict"},
                           "a": {"properties": {"x": {"type": "long"}}}},
                          {"x": 7}, {"term": {"x": 7}}, "B602"),
    "only-default": types({"_default_": {"properties": {"x": {"type": "long"}}}}, {"x": 7},
                          {"term": {"x": 7}}),
    "family": types({"parent": {"properties": {"x": {"type": "long"}}},
                     "child": {"_parent": {"type": "parent"}}}, {"x": 7}, {"term": {"x": 7}},
                    "B601 B605 B709"),
    "translog": settings({"translog.flush_threshold_ops": 5000,
                          "translog.flush_threshold_period": "10m"}, "B503"),
    "weeks": settings({"search.slowlog.threshold.query.warn": "1.5h",
                       "search.slowlog.threshold.fetch.warn": "2w"}, "B503"),
    "throttle": settings({"store.throttle.type": "merge",
                          "store.throttle.max_bytes_per_sec": "20mb"}, "B604"),
    "no-dynamic": settings({"mapper.dynamic": False}, "B710"),
    "gateway": settings({"recovery.initial_shards": "quorum", "gateway.local.sync": "5s"},
                        "B503"),
    "merges": settings({"merge.policy.type": "tiered", "merge.async": True,
                        "compound_format": False}, "B503"),
    "clauses": settings({"query.bool.max_clause_count": 2048, "fielddata.cache": "node"},
                        "B503"),
}

# Elasticsearch 1 alone.
ONE = {
    "search-analyzer": SHARED["search-analyzer"]._replace(ids=frozenset(["B204"])),
    "epoch": field({"type": "date"}, 1577934245000, ids="B205"),
    "epoch-too": field({"type": "date", "format": "YYYY/MM/dd"}, 1577934245000, ids="B706"),
    "multi-field": field({"type": "multi_field", "path": "just_name", "fields": {
        "f": {"type": "string"}, "raw": {"type": "string", "index": "not_analyzed"}}}, "The fox",
        {"term": {"f.raw": "The fox"}}, "B501 B502"),
    "index-analyzer": string(index_analyzer="simple", search_analyzer="whitespace", ids="B204"),
    "search-only": string(search_analyzer="simple"),
    "offset-gap": string(position_offset_gap=100, ids="B204"),
    "codecs": string(postings_format="default", ids="B204"),
    "doc-values-codec": exact(doc_values_format="default", doc_values=True, ids="B204"),
    "omitted": string(omit_norms=True, ids="B502"),
    "index-name": string(index_name="g", ids="B204"),
    "just-name": root({}, {"o": {"x": 7}}, {"term": {"o.x": 7}}, properties={
        "o": {"type": "object", "path": "full", "properties": {"x": {"type": "long"}}}}),
    "compressed": root({"_source": {"compress": True, "compress_threshold": "1kb"}}),
    "paths": root({"_id": {"path": "f"}, "_routing": {"path": "f"}}, {"f": "r"},
                  {"term": {"f": "r"}}, "B203"),
    "sized": root({"_size": {"enabled": True}, "_index": {"enabled": True},
                   "_type": {"store": True}}),
    "document-boost": root({"_boost": {"name": "b", "null_value": 1.0}}, ids="B203"),
    "document-analyzer": root({"_analyzer": {"path": "f"}}, {"f": "simple"},
                              {"term": {"f": "simple"}}, "B203"),
    "dotted": root({}, {"a.b": 7}, {"term": {"a.b": 7}}, "B202", {"a.b": {"type": "long"}}),
    "query-cache": settings({"cache.query.enable": True, "cache.filter.max_size": 100}, "B503"),
    "bloom": settings({"codec.bloom.load": False, "bloom_filter_for_id_field.enabled": False},
                      "B503"),
    "disagree": types({"a": {"properties": {"x": {"type": "long"}}},
                       "b": {"properties": {"x": {"type": "date"}}}}, {"x": 7}, None,
                      "B201 B205 B601"),
}

# Elasticsearch 5 and 6, which have Lucene's own analysis for all.
JODA = {
    "joda": field({"type": "date", "format": "YYYY-MM-dd'T'HH:mm:ssZ"},
                  "2020-01-02T03:04:05+0000", ids="B706"),
    "joda-colon": field({"type": "date", "format": "yyyy-MM-dd'T'HH:mm:ssZZ"},
                        "2020-01-02T03:04:05+01:00", ids="B706"),
    "joda-names": field({"type": "date", "format": "basicDate||dateHourMinuteSecond"}, "20200102",
                        ids="B706"),
    "joda-week": field({"type": "date", "format": "xxxx-'W'ww-e"}, "2020-W02-3", ALL, "B706"),
    "joda-detected": root({"dynamic_date_formats": ["YYYY/MM/dd", "dateOptionalTime"]},
                          {"d": "2020/01/02"}, {"term": {"d": "2020/01/02"}}, "B706"),
    "tree": field({"type": "geo_shape", "tree": "quadtree", "precision": "1km"}, SQUARE, INSIDE,
                  "B707 B803"),
    "old-ngram": analysis({"filter": {"g": {"type": "nGram", "min_gram": 2, "max_gram": 6}},
                           "analyzer": {"a": {"tokenizer": "standard", "filter": [
                               "standard", "lowercase", "g"]}}}, ids="B702 B703 B802"),
    "tokens": analysis({"tokenizer": {"t": {"type": "ngram", "min_gram": 1, "max_gram": 5}},
                        "analyzer": {"a": {"tokenizer": "t"}}}, word="quick", ids="B702"),
    "payloads": analyzer("fox|3", "fox", "B703", tokenizer="whitespace",
                         filter=["delimited_payload_filter"]),
    "shingles": analysis({"filter": {"s": {"type": "shingle", "max_shingle_size": 7}},
                          "analyzer": {"a": {"tokenizer": "standard", "filter": ["s"]}}},
                         ids="B702"),
    "html": analyzer("<b>quick</b>", "quick", "B703", type="standard_html_strip"),
    "own-standard": analysis({"filter": {"mine": {"type": "standard"}}, "analyzer": {"a": {
        "tokenizer": "standard", "filter": ["mine", "lowercase"]}}}, ids="B703"),
}

# From Elasticsearch 5 on, OpenSearch too.
MODERN = {
    "scaled": field({"type": "scaled_float", "scaling_factor": 100}, 1.5),
    "half": field({"type": "half_float"}, 1.5),
    "range": field({"type": "integer_range"}, {"gte": 1, "lte": 5}, {"term": {"f": 3}}),
    "date-range": field({"type": "date_range", "format": "yyyy-MM-dd"},
                        {"gte": "2020-01-01", "lte": "2020-01-05"},
                        {"term": {"f": "2020-01-03"}}),
    "completion": field({"type": "completion"}, "fox", ALL),
    "unindexed": kept({"mappings": {"properties": {"f": {"type": "keyword", "index": False}}}},
                      {"f": "fox"}),
    "no-norms": text({"norms": False}),
    "fielddata-on": text({"fielddata": True}),
    "percolator": root({}, {"q": {"term": {"f": "fox"}}}, {"percolate": {
        "field": "q", "document": {"f": "fox"}}}, "BQ14",
        {"q": {"type": "percolator"}, "f": {"type": "keyword"}}),
    "join": field({"type": "join", "relations": {"a": "b"}}, "a"),
    "best": settings({"codec": "best_compression", "mapping.total_fields.limit": 2000}),
    "normalized": field({"type": "keyword", "normalizer": "n"}, "Fox", {"term": {"f": "fox"}},
                        "", {"analysis": {"normalizer": {"n": {"type": "custom", "filter": [
                            "lowercase", "asciifolding"]}}}}),
    "grams": analysis({"filter": {"g": {"type": "edge_ngram", "min_gram": 1, "max_gram": 9}},
                       "analyzer": {"a": {"tokenizer": "standard",
                                          "filter": ["lowercase", "g"]}}}),
    "synonyms": analysis({"filter": {"s": {"type": "synonym", "synonyms": ["fast,quick"]}},
                          "analyzer": {"a": {"tokenizer": "standard", "filter": ["s"]}}},
                         word="fast"),
    "stripped": analyzer("<b>quick</b>", "quick", tokenizer="standard", char_filter=["html_strip"]),
    "stems": analysis({"filter": {"s": {"type": "stemmer", "language": "english"}},
                       "analyzer": {"a": {"tokenizer": "standard", "filter": ["s"]}}},
                      "foxes", "foxes"),
    "mapped": analysis({"char_filter": {"m": {"type": "mapping", "mappings": ["& => and"]}},
                        "analyzer": {"a": {"tokenizer": "standard", "char_filter": ["m"]}}},
                       "a & b", "and"),
}

# Elasticsearch 5.
FIVE = {
    "string-left": exact()._replace(ids=frozenset()),
    "classic": text({"similarity": "classic"}, "B704"),
    "own-classic": text({"similarity": "s"}, "B704", {"similarity": {"s": {"type": "classic"}}}),
    "all-out": root({"_all": {"enabled": False}}, ids="B602"),
    "all-on": root({"_all": {"enabled": True}}, ids="B602"),
    "in-all": field({"type": "keyword", "include_in_all": False}, ids="B602"),
    "two-types": types({"a": {"properties": {"x": {"type": "long"}}},
                        "b": {"properties": {"y": {"type": "keyword"}}}},
                       {"x": 7}, {"term": {"x": 7}}, "B601"),
    "family": types({"parent": {"properties": {"x": {"type": "long"}}},
                     "child": {"_parent": {"type": "parent"}}}, {"x": 7}, {"term": {"x": 7}},
                    "B601 B605 B709"),
    "default-type": types({"_default_": {"_all": {"enabled": False}},
                           "a": {"properties": {"x": {"type": "long"}}}},
                          {"x": 7}, {"term": {"x": 7}}, "B602"),
    "no-such-match": root({"dynamic_templates": [{"i": {
        "match_mapping_type": "integer", "mapping": {"type": "long"}}}]}, ids=""),
    "no-dynamic": settings({"mapper.dynamic": False}, "B710"),
    "throttle": settings({"store.throttle.type": "none"}, "B604"),
    "join": MODERN["join"]._replace(body={**MODERN["join"].body, "settings": {
        "mapping.single_type": True}}),
}

# Until Elasticsearch 7, OpenSearch too.
BEFORE_EIGHT = {
    "boosted": text({"boost": 2}, "B803"),
    "chained": field({"type": "text", "fields": {"a": {"type": "text", "fields": {
        "b": {"type": "keyword"}}}}}, TEXT, FOX, "B803"),
    "field-names": root({"_field_names": {"enabled": False}}, ids="B803"),
}

# Elasticsearch 6.
SIX = {
    "classic": text({"similarity": "classic"}, "B704"),
    "own-classic": text({"similarity": "s"}, "B704", {"similarity": {"s": {"type": "classic"}}}),
    "in-named-type": types({"event": {"properties": {"x": {"type": "long"}}}}, {"x": 7},
                           {"term": {"x": 7}}, "B701"),
    "number-options": field({"type": "long", "index_options": "docs"}, 7),
    "soft": settings({"soft_deletes.enabled": True, "translog.retention.age": "1h"}, "B804"),
    "sorted": settings({"sort.field": ["f"], "sort.order": ["desc"]}),
    "alias-field": root({}, query={"term": {"g": "fox"}}, properties={
        "f": {"type": "keyword"}, "g": {"type": "alias", "path": "f"}}),
}

# From Elasticsearch 7 on, OpenSearch too.
SEVEN = {
    "nanos": field({"type": "date_nanos"}, "2020-01-02T03:04:05.123456789Z"),
    "date-names": field({"type": "date", "format": "strict_date_optional_time||basic_date"},
                        "2020-01-02"),
    "rank": field({"type": "rank_feature"}, 7, {"rank_feature": {"field": "f"}}),
    "ranks": field({"type": "rank_features"}, {"a": 7}, {"rank_feature": {"field": "f.a"}}),
    "as-you-type": field({"type": "search_as_you_type"}, TEXT, FOX),
    "token-count": field({"type": "token_count", "analyzer": "standard"}, TEXT, {"term": {"f": 4}}),
    "alias-field": SIX["alias-field"],
    "sorted": SIX["sorted"],
    "hidden": settings({"hidden": True}),
    "depth": settings({"mapping.depth.limit": 30, "mapping.nested_fields.limit": 60,
                       "max_result_window": 20000}),
    "shape": field({"type": "geo_shape"}, SQUARE, INSIDE),
    "meta": field({"type": "keyword", "meta": {"unit": "s"}}),
}

# Elasticsearch 7 alone.
SEVEN_ES = {
    "camel-names": field({"type": "date", "format": "strictDateOptionalTime||basicDate"},
                         "2020-01-02"),
    "old-edges": analysis({"filter": {"g": {"type": "edgeNGram", "min_gram": 1, "max_gram": 5}},
                           "analyzer": {"a": {"tokenizer": "standard",
                                              "filter": ["lowercase", "g"]}}}, ids="B802"),
    "paths": analyzer("/a/b", "/a/b", tokenizer="PathHierarchy")._replace(
        ids=frozenset(["BO32"])),
    "soft": settings({"soft_deletes.enabled": True, "soft_deletes.retention_lease.period": "1h"},
                     "B804"),
    "tree": field({"type": "geo_shape", "tree": "quadtree", "precision": "1km"}, SQUARE, INSIDE,
                  "B803"),
    "readable": settings({"blocks.read_only_allow_delete": False}),
    "stages": analysis({"filter": {"s": {"type": "snowball", "language": "English"}},
                        "analyzer": {"a": {"tokenizer": "standard", "filter": ["s"]}}},
                       "foxes", "foxes", ids="B901"),
}

# Elasticsearch 8, of the server itself.
EIGHT = {
    "synthetic": kept({"mappings": {"properties": {"f": {"type": "keyword"}}},
                       "settings": {"mapping.source.mode": "synthetic"}}, {"f": "fox"},
                      {"term": {"f": "fox"}}),
    "runtime": root({"runtime": {"r": {"type": "keyword"}}}),
    "dynamic-runtime": root({"dynamic": "runtime"}),
    "flat-names": root({"subobjects": False}, {"a.b": 7}, {"term": {"a.b": 7}},
                       properties={"a.b": {"type": "long"}}),
    "flattened": field({"type": "flattened", "depth_limit": 5}, {"x": "fox"}, ALL, "BF01"),
    "dimension": field({"type": "keyword", "time_series_dimension": True}),
    "metric": field({"type": "long", "time_series_metric": "gauge"}, 7),
    "stored-mode": settings({"mapping.source.mode": "stored"}),
    "counted": settings({"mapping.ignore_above": 8191}),
    "standard-mode": settings({"mode": "standard"}),
    "ignored": field({"type": "ip", "ignore_malformed": True}, "10.0.0.1"),
    "tiers": settings({"routing.allocation.include._tier_preference": "data_content"}),
    "lookup": settings({"mode": "lookup"}),
    "vector-none": kept({"mappings": {"properties": {"f": {"type": "keyword"}}}}, {"f": "fox"},
                        {"term": {"f": "fox"}}),
}

# Cannot be brought as they are; nothing else is blocked.
BLOCKED = {"disagree"}

# OpenSearch.
OPEN = {
    "compat-codec": settings({"codec": "best_compression"}),
    "paths": analyzer("/a/b", "/a/b", tokenizer="PathHierarchy", ids="BO32"),
}
OPEN_TWO = {
    "flat": field({"type": "flat_object"}, {"x": "fox"}, {"term": {"f.x": "fox"}}),
    "wild": field({"type": "wildcard"}, "The fox", {"wildcard": {"f": "*fox"}}),
    "matched": field({"type": "match_only_text"}, TEXT, FOX),
    "constant": field({"type": "constant_keyword", "value": "fox"}),
    "unsigned": field({"type": "unsigned_long"}, 7),
    "mmap": settings({"store.hybrid.mmap.extensions": ["tim"]}, "BO32"),
}

# What a node of tests/nodes cannot hold, for want of a module.
LACKS = {
    "ES 1.7": {"old-paths"},
    "ES 6.8": {"scaled"},
    "ES 7.10": {"shape", "tree", "constant", "wild", "flat", "unsigned"},
    "ES 8.19": {"scaled", "rank", "ranks", "as-you-type", "token-count", "percolator", "join",
                "shape", "tree"},
}
NO_ANALYSIS = {"ES 7.17", "ES 8.19"}

GROUPS = {
    "ES 1.7": [SHARED, EARLY, ONE],
    "ES 2.4": [SHARED, EARLY],
    "ES 5.6": [SHARED, MODERN, BEFORE_EIGHT, JODA, FIVE],
    "ES 6.8": [SHARED, MODERN, BEFORE_EIGHT, JODA, SIX],
    "ES 7.10": [SHARED, MODERN, BEFORE_EIGHT, SEVEN, SEVEN_ES],
    "ES 8.19": [SHARED, MODERN, SEVEN, EIGHT],
    "OS 1.3": [SHARED, MODERN, BEFORE_EIGHT, SEVEN, OPEN],
    "OS 2.19": [SHARED, MODERN, BEFORE_EIGHT, SEVEN, OPEN, OPEN_TWO],
}
VERSIONS = list(GROUPS)


def number(version):
    """ES 7.10: 7010; OpenSearch was forked from it."""
    flavour, digits = version.split()
    major, minor = map(int, digits.split("."))
    return 7010 if flavour == "OS" else 1000 * major + minor


def spell_strings(node):
    """Text and keyword as Elasticsearch 1 and 2 call them."""
    if isinstance(node, list):
        return [spell_strings(element) for element in node]
    if not isinstance(node, dict):
        return node
    node = {key: spell_strings(value) for key, value in node.items()}
    if node.get("type") == "keyword":
        node["index"] = "not_analyzed"
    if node.get("type") in ("text", "keyword"):
        node["type"] = "string"
    return node


def plain_type(version):
    return "_doc" if number(version) >= 6000 else "doc"


def spelled(one, version):
    """`one` as that version takes it, with the ids that its spelling adds."""
    body, ids = copy.deepcopy(one.body), set(one.ids)
    mappings = body.pop("types", None)
    if mappings is None:
        mappings = {plain_type(version): body["mappings"]}
    if number(version) < 5000:
        before, mappings = mappings, spell_strings(mappings)
        if mappings != before:
            ids |= {"B501", "B502"} if "not_analyzed" in str(mappings) else {"B501"}
    if version == "ES 1.7" and "B205" in ids and not one.ids & {"B201"}:
        ids.add("B706")  # it names its default, dateOptionalTime
    if number(version) >= 7000:
        mappings = mappings[plain_type(version)]
    elif mappings.keys() != {"_doc"}:
        ids.add("B701")
    body["mappings"] = mappings
    return one._replace(body=body, ids=frozenset(ids))


def indices(version, other=None):
    """name -> what an index of that version holds; `other`: a target that must hold it as well."""
    found = {}
    for group in GROUPS[version]:
        for name, one in group.items():
            one = spelled(one, version)
            names = {version, other} - {None}
            if "analysis" in one.body.get("settings", {}) and names & NO_ANALYSIS:
                continue
            if not any(name in LACKS.get(where, ()) for where in names):
                found[name] = one
    return found


# Templates

# puts: (path, body) in their order; index: one whose name it means.
Template = collections.namedtuple("Template", "puts index document query ids")


NOT_IN_TEMPLATES = {"closed", "hidden", "a.name_with-all"} | BLOCKED


# What Elasticsearch 5 and 6 drop from an index, and not from a template.
KEPT_BY_TEMPLATES = {"no-such-match": {"B607"}, "number-options": {"B711"}}
# What Elasticsearch 1 writes into an index in words of its own (index_analyzer), and not into a
# template.
SPELLED_BY_INDICES = {"ES 1.7": {"search-analyzer": {"B204"}}}


def legacy(name, one, version):
    pattern = f"t-{name}.*"
    body = {**one.body, "order": 2}
    body |= {"template": pattern} if number(version) < 6000 else {"index_patterns": [pattern]}
    return [(f"/_template/t-{name}", body)]


def composable(name, one, version):
    del version
    return [(f"/_index_template/t-{name}", {
        "index_patterns": [f"t-{name}.*"], "priority": 7, "version": 3, "_meta": {"owner": "me"},
        "template": one.body})]


def composed(name, one, version):
    del version
    return [(f"/_component_template/c-{name}", {"template": one.body, "version": 3,
                                               "_meta": {"owner": "me"}}),
            (f"/_index_template/t-{name}", {
                "index_patterns": [f"t-{name}.*"], "priority": 7, "composed_of": [f"c-{name}"],
                "template": {"aliases": {f"of-{name}": {}}}})]


def templates(version, other=None):
    """name -> template: every other index of the version, once a kind of template in turn."""
    kinds = [legacy] if number(version) < 7008 else [legacy, composable, composed]
    spelled_by_indices = SPELLED_BY_INDICES.get(version, {})
    found = {}
    chosen = [(name, one) for name, one in indices(version, other).items()
              if name not in NOT_IN_TEMPLATES][::2]
    for i, (name, one) in enumerate(chosen):
        found[f"t-{name}"] = Template(kinds[i % len(kinds)](name, one, version), f"t-{name}.1",
                                      one.document, one.query,
                                      (one.ids | KEPT_BY_TEMPLATES.get(name, set())) -
                                      spelled_by_indices.get(name, set()))
    if number(version) < 5000:
        found["t-spelled"] = Template([("/_template/t-spelled", {
            "template": "t-spelled.*", "aliases": {"spelled": {"indexRouting": "1"}}})],
            "t-spelled.1", {"f": 7}, {"term": {"f": 7}}, frozenset(["B709"]))
    return found


# Planting and proving

OTHERS = {
    "/_ingest/pipeline/zoo-stamp": {"description": "d", "processors": [{"set": {
        "field": "s", "value": 1}}]},
    "/_scripts/zoo-script": {"script": {"lang": "painless", "source": "ctx._source.n += 1"}},
}
HAS_OTHERS = {"ES 7.10", "OS 1.3", "OS 2.19"}


def type_of(one, version):
    """The type of the document on its source."""
    if number(version) >= 7000:
        return "_doc"
    names = [name for name in one.body["mappings"] if name != "_default_"]
    return "doc" if not names else next((n for n in names if n != "child"), names[0])


def plant(node, version, other=None):
    if version in HAS_OTHERS and other not in NO_ANALYSIS:  # nor painless, nor processors
        for path, body in OTHERS.items():
            node.api("PUT", path, body)
    for template in templates(version, other).values():
        for path, body in template.puts:
            node.api("PUT", path, body)
    for name, one in indices(version, other).items():
        small = {"number_of_shards": 1, "number_of_replicas": 0}
        node.api("PUT", f"/{name}", {**one.body,
                                     "settings": small | one.body.get("settings", {})})
    node.api("POST", "/closed/_close")


def prove_on_source(node, version, other=None):
    """A document of each index is taken; returns the names of those that are not, with why."""
    lines, names = [], []
    for name, one in indices(version, other).items():
        if name == "closed":
            continue
        kind = {"_type": type_of(one, version)} if number(version) < 7000 else {}
        routing = "_routing" if number(version) < 7000 else "routing"
        lines += [{"index": {"_index": name, "_id": "probe", routing: "r", **kind}}, one.document]
        names.append(name)
    return refused(node, lines, names)


def refused(node, lines, names):
    # Early versions queue no more than 50.
    items = [item for at in range(0, len(lines), 60)
             for item in node.client.bulk(body=lines[at:at + 60], refresh=True)["items"]]
    return {name: item["index"]["error"] for name, item in zip(names, items)
            if "error" in item["index"]}


def prove(node, probes):
    """probes: index -> (document, query). Returns what is not taken or not found, with why."""
    lines = []
    for index, (document, _) in probes.items():
        lines += [{"index": {"_index": index, "_id": "probe", "routing": "r"}}, document]
    wrong = refused(node, lines, probes)
    lines = []
    for index, (_, query) in probes.items():
        lines += [{"index": index}, {"query": query}]
    answers = node.client.msearch(body=lines)["responses"]
    for index, answer in zip(probes, answers):
        hits = answer.get("hits", {}).get("hits", [])
        if [hit["_id"] for hit in hits] != ["probe"] and index not in wrong:
            wrong[index] = answer.get("error", "not found")
    return wrong


# What assess must say

# The version that brings a change, by the letters and digits of its id; BF: between flavours.
BROUGHT_BY = {"B2": 2000, "B5": 5000, "B6": 6000, "B7": 7000, "B8": 8000, "B9": 9000,
              "BQ14": 6000}


def breaks(change, source, target):
    """Whether the change lies between the two; OpenSearch was forked from 7.10."""
    if change.startswith("BF"):
        return source.startswith("ES") and target.startswith("OS")
    if change.startswith("BO"):
        return target.startswith("OS") and int(target[3]) >= int(change[2]) and not (
            source.startswith("OS") and int(source[3]) >= int(change[2]))
    brought = BROUGHT_BY.get(change) or BROUGHT_BY[change[:2]]
    return number(source) < brought <= number(target)


def says(version, items):
    """id -> names, for what the version itself plants in each of these items."""
    yield from ((change, name) for name, (_, ids) in items.items() for change in ids)
    for name, (kind, _) in items.items():
        if kind == "index":
            yield "B713", name
            if number(version) < 7000:
                yield "B806", name
        if kind == "legacy" and number(version) < 6000:
            yield "B603", name
            yield "B805", name


def assessed(version, target):
    """(id, name) of all that assess must say of the version's zoo."""
    items = {name: ("index", one.ids) for name, one in indices(version).items()}
    soft = {name for name, one in indices(version).items()
            if "soft_deletes.enabled" in one.body.get("settings", {})}
    shards = set()
    for name, template in templates(version).items():
        path, body = template.puts[0]
        kind = path.split("/")[1]
        ids = template.ids
        if kind == "_template":
            shards |= {name} if "number_of_shards" not in body.get("settings", {}) else set()
        where = path.split("/")[2]
        items[where] = ("legacy" if kind == "_template" else "other", ids)
    found = set(says(version, items)) | {("B712", name) for name in shards}
    found -= {("B713", name) for name in soft}  # nothing changes for them
    return {(change, name) for change, name in found if breaks(change, version, target)}

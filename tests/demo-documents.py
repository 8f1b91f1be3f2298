#!/usr/bin/env python3
"""demo-documents.py URL COUNT: fills an Elasticsearch with COUNT documents, in bulks, from one seed.

Three months of logs (a template, two shards each, best_compression, routing on a part), orders with
nested lines and an alias, and customers with a filtered alias."""

import json
import random
import sys
import threading
import urllib.request

URL, COUNT = sys.argv[1], int(sys.argv[2])
BULK = 2000
PATHS = ["/", "/search", "/cart", "/checkout", "/account/login", "/api/v1/items", "/img/logo.svg"]
AGENTS = ["Mozilla/5.0 (X11; Linux x86_64)", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0)", "curl/8.4.0"]
TOWNS = ["Ålesund", "Zürich", "Nîmes", "東京", "Lagos", "São Paulo", "Kraków", "Wellington"]


def request(method, path, body, content_type="application/json"):
    message = urllib.request.Request(URL + path, body.encode(), {"Content-Type": content_type},
                                     method=method)
    with urllib.request.urlopen(message) as answer:
        return answer.read()


def log(chance, i):
    return {"@timestamp": f"2026-{i % 3 + 1:02d}-{i % 28 + 1:02d}T{i % 24:02d}:{i % 60:02d}:00Z",
            "client": f"10.{i % 7}.{i % 251}.{i % 253}", "path": chance.choice(PATHS),
            "status": chance.choice([200, 200, 200, 304, 404, 500]), "bytes": chance.randrange(200000),
            "seconds": round(chance.random() * 3, 4), "agent": chance.choice(AGENTS)}


def order(chance, i):
    return {"number": i, "customer": f"c{i % 5000}", "placed": f"2026-02-{i % 28 + 1:02d}",
            "total": round(chance.random() * 900, 2),
            "lines": [{"sku": f"sku-{chance.randrange(900)}", "quantity": chance.randrange(1, 9),
                       "price": round(chance.random() * 99, 2)} for _ in range(i % 4 + 1)]}


def customer(chance, i):
    return {"name": f"Customer {i}", "town": chance.choice(TOWNS), "since": f"20{i % 25 + 1:02d}-05-01",
            "business": i % 5 == 0, "at": {"lat": i % 90 - 0.25, "lon": i % 180 - 0.5}}


def action(i):
    """index, id, routing and maker of document i."""
    kind = i % 20
    if kind < 15:
        return f"logs-2026.{i % 3 + 1:02d}", None, f"r{i % 50}" if kind < 3 else None, log
    if kind < 19:
        return "orders", f"order-{i}", None, order
    return "customers", f"c{i}", None, customer


def load(first, step):
    chance = random.Random(first)
    for start in range(first * BULK, COUNT, step * BULK):
        lines = []
        for i in range(start, min(start + BULK, COUNT)):
            index, identity, routing, make = action(i)
            target = {"_index": index}
            if identity:
                target["_id"] = identity
            if routing:
                target["routing"] = routing
            lines += [json.dumps({"index": target}), json.dumps(make(chance, i), ensure_ascii=False)]
        answer = request("POST", "/_bulk", "\n".join(lines) + "\n", "application/x-ndjson")
        if b'"errors":true' in answer:
            sys.exit("demo-documents.py: Elasticsearch refused documents: " + answer.decode()[:500])


def create():
    request("PUT", "/_template/logs", json.dumps({
        "index_patterns": ["logs-*"], "aliases": {"logs": {}},
        "settings": {"number_of_shards": 2, "number_of_replicas": 0, "codec": "best_compression"},
        "mappings": {"properties": {
            "@timestamp": {"type": "date"}, "client": {"type": "ip"}, "path": {"type": "keyword"},
            "status": {"type": "short"}, "bytes": {"type": "long"}, "seconds": {"type": "float"},
            "agent": {"type": "text"}}}}))
    request("PUT", "/orders", json.dumps({
        "settings": {"number_of_shards": 3, "number_of_replicas": 0}, "aliases": {"sales": {}},
        "mappings": {"properties": {
            "number": {"type": "long"}, "customer": {"type": "keyword"}, "placed": {"type": "date"},
            "total": {"type": "scaled_float", "scaling_factor": 100},
            "lines": {"type": "nested", "properties": {
                "sku": {"type": "keyword"}, "quantity": {"type": "short"},
                "price": {"type": "double"}}}}}}))
    # What clients change. Deletes are remembered: an id that comes back goes on with its versions.
    for index in ("shop-0", "shop-1"):
        request("PUT", "/" + index, json.dumps({
            "settings": {"number_of_shards": 2, "number_of_replicas": 0, "gc_deletes": "31d"}}))
    request("PUT", "/_ingest/pipeline/stamp", json.dumps({
        "processors": [{"set": {"field": "seen", "value": "{{_ingest.timestamp}}"}}]}))
    request("PUT", "/customers", json.dumps({
        "settings": {"number_of_shards": 1, "number_of_replicas": 0, "analysis": {"analyzer": {
            "folded": {"tokenizer": "standard", "filter": ["lowercase", "asciifolding"]}}}},
        "aliases": {"businesses": {"filter": {"term": {"business": True}}}},
        "mappings": {"properties": {
            "name": {"type": "text", "analyzer": "folded"}, "town": {"type": "keyword"},
            "since": {"type": "date"}, "business": {"type": "boolean"}, "at": {"type": "geo_point"}}}}))


create()
workers = [threading.Thread(target=load, args=(n, 2)) for n in range(2)]
for worker in workers:
    worker.start()
for worker in workers:
    worker.join()
request("POST", "/_refresh", "")

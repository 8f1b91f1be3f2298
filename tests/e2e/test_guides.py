"""docs/guides, each followed as it stands; its end is looked at by another client."""

import os
import re

import elasticsearch7
import elasticsearch8
import pytest

import lifecycle_stub
import support
from guide_support import GUIDES, follow
from test_metadata_guide import INDICES, PRODUCT, TEMPLATES, strict_targets
from test_workflow_live import free_port

LONG = pytest.mark.skipif(not os.environ.get("SHARDLIFT_LONG"), reason="a node with security")


@pytest.fixture
def target(reindexing):
    return reindexing


def fill(node, **indices):
    """40 documents for each name, with the aliases given; names spell '-' as '_'."""
    for name, aliases in indices.items():
        name = name.replace("_", "-")
        node.api("PUT", f"/{name}", {
            "settings": {"number_of_shards": 2, "number_of_replicas": 0},
            "mappings": {"properties": {"text": {"type": "keyword"}}},
            "aliases": {alias: {} for alias in aliases}})
        lines = "".join(f'{{"index":{{"_id":"{n}"}}}}\n{{"n":{n},"text":"{n} ü"}}\n' for n in range(40))
        answer = node.api("POST", f"/{name}/_bulk?refresh=true", lines)
        assert not answer["errors"], answer


def assert_moved(source, target, *names):
    for name in names:
        expected = source.documents(name)
        assert expected, name
        support.assert_same(target.documents(name), expected, name)


def aliases_of(node, index):
    return set(node.api("GET", f"/{index}/_alias")[index]["aliases"])


def test_remote_reindex(shardlift, source, target, tmp_path):
    fill(source, logs_2024_09_21=[], logs_2024_09_22=[], books=["shelf"], orders=[])
    result = follow("reindex.md", shardlift, tmp_path, SOURCE=source.url, TARGET=target.url)
    names = ("logs-2024-09-21", "logs-2024-09-22", "books", "orders")
    assert_moved(source, target, *names)
    assert aliases_of(target, "books") == {"shelf"}
    assert aliases_of(target, "orders") == {"orders-now"}
    assert target.api("GET", "/books/_mapping")["books"]["mappings"]["properties"]["text"] == {
        "type": "keyword"}
    assert "clients of orders-now go to http" in result.out, result
    blocked = {name: source.api("GET", f"/{name}/_settings")[name]["settings"]["index"].get("blocks")
               for name in names}
    assert blocked == {**dict.fromkeys(names), "orders": {"write": "true"}}
    assert "blocks" not in target.api("GET", "/books/_settings")["books"]["settings"]["index"]


def test_what_guides_refer_to_is_there():
    for guide in GUIDES.glob("*.md"):
        for link in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", guide.read_text()):
            if "://" not in link:
                assert (guide.parent / link).exists(), f"{guide.name}: {link}"


def test_each_guide_with_commands_is_followed_by_a_test():
    tests = "".join(path.read_text() for path in (support.ROOT / "tests" / "e2e").glob("test_*.py"))
    for guide in GUIDES.glob("*.md"):
        if "```sh\n" in guide.read_text():
            assert f'"{guide.name}"' in tests, f"nothing follows {guide.name}"


def test_heroku_three_ways(shardlift, source, target, tmp_path):
    fill(source, catalog=["shop"], visits_2024=[], orders=["sold"])
    # The target sees the source's repository below its own path.repo.
    place = f"move-{tmp_path.name}"
    target.repositories.mkdir(exist_ok=True)
    (target.repositories / place).symlink_to(source.repositories / place)
    follow("heroku.md", shardlift, tmp_path, SOURCE=source.url, TARGET=target.url, REPO=place)
    assert_moved(source, target, "catalog", "visits-2024", "orders")
    support.assert_same(target.documents("catalog-from-files"), source.documents("catalog"), "files")
    assert aliases_of(target, "catalog") == {"shop"}
    assert aliases_of(target, "orders") == {"sold"}
    assert target.api("GET", "/_snapshot") == {}


def test_alibabas_three_tasks_in_stubs_that_have_policies(shardlift, tmp_path):
    """No node of the registries has ILM."""
    source, target = lifecycle_stub.IlmSource("7.10.1"), strict_targets.Elasticsearch("7.10.1")
    source.policies = {"product": PRODUCT, "7-days-default": PRODUCT}
    source.legacy = {"product": TEMPLATES["/_template/product"]}
    source.components = {"parts": TEMPLATES["/_component_template/parts"]}
    source.composable = {"orders": TEMPLATES["/_index_template/orders"]}
    source.add_index("product_info", {"name": "product"})
    try:
        result = follow("alibaba.md", shardlift, tmp_path, SOURCE=source.url, TARGET=target.url)
        assert target.kept["/_ilm/policy/product"] == {"policy": PRODUCT}, result
        assert "/_ilm/policy/7-days-default" not in target.kept
        settings = target.kept["/product_info"]["settings"]
        assert str(settings["index.number_of_replicas"]) == "0", settings
        assert settings["index.lifecycle.name"] == "product"
        assert target.kept.keys() == {
            "/_ilm/policy/product", "/_component_template/parts", "/_index_template/orders",
            "/_template/product", "/product_info"}
    finally:
        source.stop()
        target.stop()


def test_alibabas_templates_and_indices_in_real_nodes(shardlift, source, target, tmp_path):
    for path, body in {**TEMPLATES, **{f"/{name}": body for name, body in INDICES.items()}}.items():
        source.api("PUT", path, body)
    source.api("POST", "/shut/_close")
    follow("alibaba.md", shardlift, tmp_path, SOURCE=source.url, TARGET=target.url)
    index = target.api("GET", "/product_info")["product_info"]
    assert index["settings"]["index"]["number_of_replicas"] == "0"
    assert index["settings"]["index"]["number_of_shards"] == "3"
    assert index["mappings"] == source.api("GET", "/product_info/_mapping")["product_info"][
        "mappings"]
    assert aliases_of(target, "product_info") == {"products"}
    assert not target.client.indices.exists("shut")
    template = target.api("GET", "/_template/product")["product"]
    assert template["settings"]["index"]["number_of_replicas"] == "0"
    assert target.api("GET", "/_index_template/orders")["index_templates"]


def test_clients_that_check_who_answers(shardlift, source, target, tmp_path):
    fill(source, books=[])
    fill(target, books=[])
    log = tmp_path / "access.log"
    log.write_text("".join(
        f'10.0.0.7 - - [22/Nov/2026:10:00:00 +0000] "GET /books/_search HTTP/1.1" 200 1 "-" "{agent}"\n'
        for agent in ("elasticsearch-py/7.17.9 (Python 3.9)", "elasticsearch-py/7.13.4 (Python 3.9)")))
    result = follow("upgrading-clients.md", shardlift, tmp_path, SOURCE=source.url,
                    TARGET=target.url, ACCESS_LOG=log)
    warned, = re.findall("clients that ask who answers: (.*)", result.out)
    assert "py/7.17.9" in warned and "7.13.4" not in warned, result
    assert '"7.10.2"' in result.out and (tmp_path / "assessment.html").stat().st_size > 0
    assert target.api("GET", "/")["version"]["number"].startswith("2.19"), "it was not put back"
    # What the guide says of the clients themselves.
    assert elasticsearch7.Elasticsearch(target.url).count(index="books")["count"] == 40
    with pytest.raises(elasticsearch8.UnsupportedProductError):
        elasticsearch8.Elasticsearch(target.url).count(index="books")


def test_big_clusters(shardlift, repository, target, tmp_path):
    follow("big-clusters.md", shardlift, tmp_path, SNAPSHOT=f"{repository('es-7.10.2')}#snap1",
           TARGET=target.url)
    expected = support.expected_documents("es-7.10.2", "snap1")
    for index in ("logs-2020.01", "logs-2020.02"):
        support.assert_same(target.documents(index), expected[index], index)
        settings = target.api("GET", f"/{index}/_settings")[index]["settings"]["index"]
        assert settings["number_of_replicas"] == "1" and settings.get("refresh_interval") != "-1"
    assert not target.client.indices.exists("books")


@LONG
def test_zero_downtime(shardlift, source, target, tmp_path):
    fill(source, books=["shelf"], orders=[])
    port = free_port()
    try:
        follow("zero-downtime.md", shardlift, tmp_path, instead={"9201": port}, SOURCE=source.url,
               TARGET=target.url, REPO=source.repositories / "zero-downtime")
        assert_moved(source, target, "books", "orders")
        assert {d.id for d in target.documents("while-moving")} == {"1", "2"}
        assert {d.id for d in source.documents("while-moving")} == {"1"}
    finally:
        shardlift("workflow", "reset", "--all", "--include-proxies", "--cascade")


@LONG
def test_the_way_back(shardlift, source, target, tmp_path):
    fill(source, books=["shelf"], orders=[])
    (tmp_path / "docs").symlink_to(support.ROOT / "docs")
    try:
        follow("way-back.md", shardlift, tmp_path, instead={"9211": free_port(), "9212": free_port()},
               SOURCE=source.url, TARGET=target.url, REPO=source.repositories / "way-back",
               SHARDLIFT_STATE_DIR=shardlift.state_dir)
        assert_moved(source, target, "books", "orders")
    finally:
        shardlift("workflow", "reset", "--all", "--include-proxies", "--cascade")


@LONG
def test_security_with_roles_that_are_enough(shardlift, repository, tmp_path):
    admin = "admin:Guide-1-Secret"
    node = support.Node("os-node", "2.19.4", tmp_path / "node", "--security", admin)
    try:
        authority = str(tmp_path / "node" / "config" / "ca.pem")
        node.client = node.connect(http_auth=tuple(admin.split(":")), ca_certs=authority)
        snapshot = repository("es-7.10.2")
        result = follow("security.md", shardlift, tmp_path, SOURCE=node.url, TARGET=node.url,
                        CA=authority, ADMIN=admin, SNAPSHOT=f"{snapshot}#snap1",
                        READER_SECRET="Kohlrabi-7-Lantern", WRITER_SECRET="Pergola-3-Turnip")
        expected = support.expected_documents("es-7.10.2", "snap1")
        kept = support.written_documents(tmp_path / "kept")
        for index in ("logs-2020.01", "logs-2020.02"):
            support.assert_same(node.documents(index), expected[index], index)
            support.assert_same(kept[index], expected[index], index)
        assert kept.keys() == {"logs-2020.01", "logs-2020.02"}
        users = node.api("GET", "/_plugins/_security/api/internalusers")
        assert "reader" not in users and "writer" not in users
    finally:
        node.stop()
    for path in shardlift.state_dir.rglob("*"):
        if path.is_file():
            assert not re.search(rb"Kohlrabi-7|Pergola-3", path.read_bytes()), path
    assert not re.search("Kohlrabi-7|Pergola-3", result.out + result.err)


LITERAL = re.compile(r'"(?:[^"\\\n]|\\.)*"(?:\s*(?:(?:PRI\w+|STR_FMT)\s*)?"(?:[^"\\\n]|\\.)*")*')
CONVERSION = re.compile(r"%[-+ #0]*[\d.*]*(?:hh|h|ll|l|z|j|t)?[a-zA-Z]|<value>")


def messages_of_the_source():
    """Every string of the program, put together, with … where it prints a value."""
    for path in (support.ROOT / "src").rglob("*.c"):
        for literal in LITERAL.findall(path.read_text()):
            text = re.sub(r'%"\s*PRI\w+\s*"', "<value>", literal)
            text = re.sub(r'"\s*STR_FMT\s*"', "<value>", text)
            text = re.sub(r'"\s*"', "", text)[1:-1].replace('\\"', '"').replace("%%", "<percent>")
            yield CONVERSION.sub("…", text)


def test_messages_of_the_troubleshooting_guide_are_the_programs_own():
    quoted = re.findall(r"^\| ``(.*?)`` \|", (GUIDES / "troubleshooting.md").read_text(), re.M)
    known = "\n".join(messages_of_the_source())
    assert len(set(quoted)) == len(quoted) >= 40
    assert [message for message in quoted if message not in known] == []

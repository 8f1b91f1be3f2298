"""docs/metadata-proofs.md: how each rule of metadata is known to do what it says.

    python tests/e2e/metadata/proofs.py > docs/metadata-proofs.md"""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[3]
RESULTS = pathlib.Path(__file__).with_name("RESULTS.md")
CASES = sorted((ROOT / "tests" / "unit" / "metadata").glob("rules_cases_*.c"))

# Rules that change what strict_targets.py takes, as its test counts them.
BOTH = """
    alias-routing-spelling analysis-default-index analysis-gaps analysis-html-strip
    analysis-names analysis-standard-filter date-default date-format date-format-dynamic
    date-format-letters date-format-names dynamic-match-type dynamic-string dynamic-type
    field-early field-early-names field-include-in-all field-number-options
    field-search-analyzer field-shape-tree field-similarity index-boolean index-partial-source
    multi-field root-all root-early root-field-names root-parent root-source-options
    settings-allocation settings-blocks settings-early settings-mapper-dynamic
    settings-request-cache settings-similarity settings-times string-to-text
    template-index-patterns
""".split()
STRICT = {
    "ES 9": {*BOTH, "field-boost", "field-chained"},
    "AOSS": {*BOTH, "field-elasticsearch-only", "flattened", "root-elasticsearch-only",
             "root-runtime", "settings-elasticsearch-only"},
}
# Those of the policies' stubs.
STUBS = {
    "ilm-to-ism": "test_lifecycle", "slm-to-sm": "test_lifecycle",
    "settings-lifecycle": "test_lifecycle", "ilm-read-only": "test_metadata_guide",
    "dense-vector": "test_metadata_strict_targets (AOSS)",
    "serverless-vector": "test_metadata_strict_targets (AOSS)",
    "lifecycle-serverless": "test_metadata_strict_targets (AOSS)",
    "role-to-opensearch": "test_metadata_roles", "role-to-elasticsearch": "test_metadata_roles",
    "role-read-only": "test_metadata_roles",
}

# What changes without a word, and the bodies of the zoo that would be refused without it; None:
# each body, by what its cluster adds to it.
SILENT = {
    "settings-private": None, "settings-obsolete": {"soft", "join"},
    "settings-elasticsearch-only": {"counted"},
}

HEAD = """# How each rule of metadata is proven

Made by `tests/e2e/metadata/proofs.py`; `test_metadata_proofs.py` compares the two, and counts that
no rule is without a proof.

- *real nodes*: the rule changed items of the source's zoo (`tests/e2e/metadata/zoo.py`), which the
  target then created, and took and found documents in (`tests/e2e/metadata/RESULTS.md`). The nodes
  have no k-NN, X-Pack, ILM or ISM, and 7.17 and 8.19 no analysis.
- *stub*: the test whose stub refuses what the real target refuses.
- *bodies*: recorded bodies before and after, in `tests/unit/metadata/`.

| rule | real nodes | stub | bodies |
|---|---|---|---|
"""


def rules():
    text = (ROOT / "docs" / "metadata-rules.md").read_text()
    return re.findall(r"^\| `([a-z0-9-]+)` \|", text, re.MULTILINE)


def on_nodes():
    """rule -> "ES 1.7 → OS 1.3, 2.19; …", as RESULTS.md says."""
    text = RESULTS.read_text() if RESULTS.exists() else ""
    return dict(re.findall(r"^\| `([a-z0-9-]+)` \| (.*) \|$", text, re.MULTILINE))


def pairs_text(pairs):
    """[(source, target)] -> "ES 1.7 → OS 1.3, OS 2.19; ES 2.4 → …" """
    sources = dict.fromkeys(source for source, _ in pairs)
    return "; ".join(f"{source} → {', '.join(t for s, t in pairs if s == source)}"
                     for source in sources)


def pairs_of(text):
    """The way back."""
    return [(part.split(" → ")[0], target) for part in text.split("; ") if part
            for target in part.split(" → ")[1].split(", ")]


def in_bodies():
    """rule -> files of its cases."""
    found = {}
    for path in CASES:
        for rule in re.findall(r'\.rule = "([a-z0-9-]+)"', path.read_text()):
            found.setdefault(rule, dict.fromkeys([]))[path.name] = None
    return found


def on_stubs():
    """rule -> tests."""
    found = {rule: [test] for rule, test in STUBS.items()}
    for target, names in STRICT.items():
        for rule in names:
            found.setdefault(rule, []).append(f"test_metadata_strict_targets ({target})")
    return found


def table():
    nodes, stubs, bodies = on_nodes(), on_stubs(), in_bodies()
    rows = [f"| `{rule}` | {nodes.get(rule, '')} | {', '.join(stubs.get(rule, []))} | "
            f"{', '.join(bodies.get(rule, []))} |\n" for rule in rules()]
    return HEAD + "".join(rows)


if __name__ == "__main__":
    print(table(), end="")

"""README.md and docs/: code blocks run and print what is shown, links lead somewhere, pages are short."""

import re
import runpy
import shutil
import sys
from importlib.metadata import version
from pathlib import Path
from urllib.parse import unquote

import pytest
import spacy
from doc_blocks import REASONS, RUN, Page, check_config, environment, read_blocks
from spacy.training import Example

PROJECT = Path(__file__).resolve().parent.parent
PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]
MORE_PAGES = [*PROJECT.glob("*.md"), *sorted((PROJECT / "docs").glob("*.md"))]  # with those that hold no code to run
GENERATED = {"results.md"}
BLOCKS = {page.name: read_blocks(page) for page in PAGES}
TRAINING = {name for name, blocks in BLOCKS.items() if any(b.runs and "spacy train" in b.code for b in blocks)}
LINK = re.compile(r"(?<!\\)\]\(([^()\s]+)\)")

EMBED = {
    "@architectures": "spacy-bilstm-tagger.TweetEmbed.v1",
    "attrs": ["NORM", "SHAPE"],
    "rows": [200, 100],
    "include_static_vectors": False,
}
TOK2VEC = {
    "@architectures": "spacy.Tok2Vec.v2",
    "embed": EMBED,
    "encode": {"@architectures": "spacy-bilstm-tagger.BiLSTMEncoder.v1", "width": 32, "depth": 1},
}
LISTENER = {"@architectures": "spacy.Tok2VecListener.v1", "width": 32}
GOLD = {"tags": ["A", "B", "A"], "entities": [(0, 4, "person")]}


@pytest.fixture
def folder(tweet_nlp, checkout, monkeypatch):
    """Where a page is read: a checkout with own tweets, and a tiny pipeline in the place of the main job's."""
    tweet_nlp.add_pipe("tok2vec", config={"model": TOK2VEC})
    for name, head in (("tagger", "TokenClassifier"), ("ner", "LinearChainCRF")):
        model = {"@architectures": f"spacy-bilstm-tagger.{head}.v1", "tok2vec": LISTENER}
        tweet_nlp.add_pipe(f"bilstm_{name}", name=name, config={"model": model})
    tweet_nlp.initialize(lambda: [Example.from_dict(tweet_nlp.make_doc("mara is here"), GOLD)])
    (checkout / "training" / "sample").mkdir(parents=True)
    tweet_nlp.to_disk(checkout / "training" / "sample" / "model-best")
    sample = PROJECT / "assets" / "sample"
    (checkout / "mine").mkdir()
    for name in ("train.conll", "dev.conll"):
        shutil.copy(sample / name, checkout / "mine")
    tweets = (sample / "ten.txt").read_text(encoding="utf8").splitlines()
    (checkout / "tweets.txt").write_text("\n".join(tweets) + "\n", encoding="utf8")
    rows = ['{},"{}"\n'.format(i, tweet.replace('"', '""')) for i, tweet in enumerate(tweets)]
    (checkout / "tweets.csv").write_text("".join(["id,body\n", *rows]), encoding="utf8")
    for name in ("benchmarks", "wheels"):
        (checkout / name).symlink_to(PROJECT / name)
    monkeypatch.chdir(checkout)
    monkeypatch.syspath_prepend(checkout)
    before = set(sys.modules)
    yield checkout
    for name in set(sys.modules) - before:  # packages that the page has installed
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(checkout)):
            del sys.modules[name]


def check_running(names):
    assert names["tags"] == [[token.tag_ for token in doc] for doc in names["docs"]]
    assert [
        node.shims[0].module.windows.size for node in names["whole"].get_pipe("tok2vec").model.walk() if node.name == "bilstm"
    ] == [0]
    assert "ticket" in names["nlp"].get_pipe("ner").labels
    assert spacy.load("training/sample/model-best").get_pipe("ner").labels == ("person",)


def check_scale(names):
    assert names["row"] == {"id": "2", "text": None, "error": "no text: expected a string"}


CHECKS = {"running.md": check_running, "scale.md": check_scale}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.slow] if name in TRAINING else [])
        for name, blocks in BLOCKS.items()
        if any(block.runs for block in blocks)
    ],
)
def test_blocks_run_and_print_what_is_shown(name, folder, en_tweet_sm, transformer_folder, monkeypatch):
    monkeypatch.setenv("FOLDER", str(transformer_folder))
    page = Page(environment(transformer_folder, en_tweet_sm))
    for block in BLOCKS[name]:
        if block.runs:
            page.run(block)
    CHECKS.get(name, lambda names: None)(page.names)


@pytest.mark.parametrize("name", BLOCKS)
def test_blocks_have_a_language_and_what_is_not_run_a_reason(name):
    for block in BLOCKS[name]:
        assert block.language, block.place
        if block.reason is not None:
            assert block.language in RUN, block.place
            assert block.reason in REASONS, block.place


@pytest.mark.parametrize("block", [b for blocks in BLOCKS.values() for b in blocks if b.language == "ini"], ids=lambda b: b.place)
def test_pieces_of_configs_name_what_exists(block):
    check_config(block)


@pytest.mark.parametrize("page", MORE_PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf8"), flags=re.M | re.S)
    for link in LINK.findall(text):
        if re.match(r"\w+:", link):
            continue
        path, _, anchor = unquote(link).partition("#")
        target = (page.parent / path).resolve() if path else page
        if target.name.startswith("api") and "reference" in target.parts:  # written when the site is built
            continue
        assert target.exists(), f"{page.name}: {link}"
        assert not anchor or anchor in anchors(target), f"{page.name}: {link}"


@pytest.mark.parametrize("name", ["cli", "config", "glossary"])
def test_reference_is_that_of_the_code(name):
    """Written by docs/reference_pages.py whenever the site is built; the words of the commands depend on typer's version."""
    pinned = re.search(r"^typer==(.+)$", (PROJECT / "constraints.txt").read_text(encoding="utf8"), re.M)
    if version("typer") != pinned[1]:
        pytest.skip("needs the typer of constraints.txt")
    pages = runpy.run_path(str(PROJECT / "docs" / "reference_pages.py"))
    page = PROJECT / "docs" / "reference" / f"{name}.md"
    assert page.read_text(encoding="utf8") == pages[f"{name}_page"](), "build the site, and commit docs/reference"


def test_versions_of_wheels_are_those_that_exist():
    text = "".join(page.read_text(encoding="utf8") for page in MORE_PAGES)
    ready = {path.name for path in (PROJECT / "wheels").glob("*.whl")}
    assert set(re.findall(r"en_tweet_sm-[\w.]+-py3-none-any\.whl", text)) == ready
    ours = set(re.findall(r"spacy_bilstm_tagger-([\d.]+)-py3", text))
    assert ours == {version("spacy-bilstm-tagger")}


def anchors(page: Path) -> set[str]:
    """Those of headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf8"), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [page for page in MORE_PAGES if page.name not in GENERATED], ids=lambda page: page.name)
def test_pages_are_short(page):
    most = 1000 if page.name == "README.md" else 1500
    assert len(page.read_text(encoding="utf8").split()) <= most


def test_the_readme_says_what_the_recipe_for_toxic_spans_is_for():
    limits = (PROJECT / "README.md").read_text("utf8").partition("## Limits")[2].partition("##")[0]
    assert "explains posts that people have reported. It does not judge people" in limits


def test_every_page_is_in_the_table_of_contents():
    index = (PROJECT / "docs" / "index.md").read_text(encoding="utf8")
    listed = set(re.findall(r"^([\w-]+)$", index, re.M))
    assert {page.stem for page in (PROJECT / "docs").glob("*.md")} - {"index"} <= listed

"""The Python code of README.md and docs/ runs, and so do the commands of docs/your-own-tweets.md, on small models."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import spacy
from spacy.training import Example

PROJECT = Path(__file__).resolve().parent.parent
PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]
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


def blocks(page: Path, language: str) -> str:
    """All of the page's code in this language, "" for commands, one after the other."""
    all_blocks = re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(encoding="utf8"), re.MULTILINE | re.DOTALL)
    return "".join(code for found, code in all_blocks if found == language)


@pytest.fixture
def run_page(tweet_nlp, tmp_path, monkeypatch):
    """Runs the Python code of a page from top to bottom, where the main job has left a tiny pipeline; gives its names."""
    tweet_nlp.add_pipe("tok2vec", config={"model": TOK2VEC})
    for name, head in (("tagger", "TokenClassifier"), ("ner", "LinearChainCRF")):
        model = {"@architectures": f"spacy-bilstm-tagger.{head}.v1", "tok2vec": LISTENER}
        tweet_nlp.add_pipe(f"bilstm_{name}", name=name, config={"model": model})
    tweet_nlp.initialize(lambda: [Example.from_dict(tweet_nlp.make_doc("mara is here"), GOLD)])
    (tmp_path / "training" / "sample").mkdir(parents=True)
    tweet_nlp.to_disk(tmp_path / "training" / "sample" / "model-best")
    monkeypatch.chdir(tmp_path)

    def run(name: str) -> dict:
        names: dict = {}
        exec(blocks(PROJECT / name, "python"), names)
        return names

    return run


def test_every_page_with_python_code_is_run_here():
    """That of your-own-tweets.md needs the wheel that its commands make, and runs after them."""
    with_code = [str(page.relative_to(PROJECT)) for page in PAGES if blocks(page, "python")]
    assert with_code == ["README.md", "docs/running.md", "docs/scale.md", "docs/your-own-tweets.md"]


def test_readme(en_tweet_sm, run_page):
    names = run_page("README.md")
    assert sum(names["doc"][0]._.tag_scores.values()) == pytest.approx(1)
    assert 0 < len(names["others"]) == len(names["others"].attrs["scores"]) <= 5


def test_running(run_page):
    names = run_page("docs/running.md")
    assert names["tags"] == [[token.tag_ for token in doc] for doc in names["docs"]]
    assert [
        node.shims[0].module.windows.size
        for node in names["whole"].get_pipe("tok2vec").model.walk()
        if node.name == "bilstm"
    ] == [0]
    assert "ticket" in names["nlp"].get_pipe("ner").labels
    assert spacy.load("training/sample/model-best").get_pipe("ner").labels == ("person",)


def test_scale(run_page):
    names = run_page("docs/scale.md")
    assert names["row"] == {"id": "2", "text": None, "error": "no text: expected a string"}


@pytest.mark.slow
def test_your_own_tweets(project, checkout, transformer_folder):
    """In a fresh checkout, with the sample corpus in the place of one's own; a tiny transformer, and few steps."""
    (checkout / "mine").mkdir()
    for path in (project / "assets" / "sample").glob("*.conll"):
        (checkout / "mine" / path.name).symlink_to(path)
    page = project / "docs" / "your-own-tweets.md"
    lines = [line for line in blocks(page, "").splitlines() if "venv" not in line]
    small = {
        r"^pip install gt.*$": "",
        r"^MODEL_DIR=.*$": f"MODEL_DIR='{transformer_folder}'",
        r"(vectors distill .*)$": r"\1 --dim 4",
        r"(-m spacy train .*)$": r"\1 --training.max_steps 10 --training.eval_frequency 5",
        r"^pip wheel.*$": "",
        r" packages/spacy_bilstm_tagger\S*": "",
        r"^pip install packages": "pip install --quiet --no-deps --target . packages",
        r"^pip ": f"'{sys.executable}' -m pip ",
    }
    for pattern, replacement in small.items():
        lines = [re.sub(pattern, replacement, line) for line in lines]
    code = blocks(page, "python").replace('folder = "..."', f"folder = {str(transformer_folder)!r}")
    script = "\n".join(["set -e", *lines, "python - <<'EOF'", f"{code}print(nlp('OMG')[0].tag_)", "EOF"])
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    env = {**os.environ, "PATH": path, "OMP_NUM_THREADS": "1"}
    result = subprocess.run(["bash", "-c", script], cwd=checkout, env=env, capture_output=True, text=True, check=False)
    assert result.returncode == 0, script + result.stdout + result.stderr
    *_, annotated, tag = result.stdout.splitlines()
    assert "('OMG', '" in annotated
    assert tag in annotated

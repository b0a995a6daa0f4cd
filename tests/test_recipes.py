"""spaCy's own commands on every recipe, each in a process of its own, on the sample corpus."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import spacy
import srsly
from spacy.tokens import DocBin, Span
from spacy.util import load_config

from spacy_bilstm_tagger.corpus import read_corpus, to_docbin
from spacy_bilstm_tagger.tokenizer import glove_key

RECIPES = [
    "sample",
    "treebank",
    "treebank_transformer",
    "ritter",
    "tweebank",
    "lecture",
    "hmm",
    "wnut17",
    "wnut17_btc",
    "transformer",
    "gmb",
    "toxic_spans",
    "joint",
]
# Those that go on from what another one has trained.
SECOND_STEPS = {"ritter": "treebank", "tweebank": "treebank", "wnut17_btc": "wnut17"}
FEW_STEPS = ["--training.max_steps", "10", "--training.eval_frequency", "5"]
TWEET = "RT @mara_lune: OMG the Velvet Otters are playing in Lisbon tonight!! 😭"


@pytest.fixture(scope="module")
def room(tmp_path_factory, pytestconfig):
    """A folder with the sample corpus as DocBin, a span in every third tweet, and vectors and Brown clusters of its
    words."""
    folder = tmp_path_factory.mktemp("recipes")
    words = set()
    for part in ("train", "dev"):
        path = pytestconfig.rootpath / "assets" / "sample" / f"{part}.conll"
        texts = read_corpus(path)[1]
        words |= {glove_key(word) for text in texts for word in text.words}
        vocab = spacy.blank("en").vocab
        docs = list(to_docbin(path, texts).get_docs(vocab))
        for i, doc in enumerate(docs):
            doc.spans["toxic"] = [] if i % 3 else [Span(doc, 0, 2, label="toxic")]
        DocBin(docs=docs).to_disk(folder / f"{part}.spacy")
    rows = np.random.default_rng(0).normal(size=(len(words), 100)).round(3)
    lines = (f"{word} {' '.join(map(str, row))}\n" for word, row in zip(sorted(words), rows))
    (folder / "vectors.txt").write_text("".join(lines), encoding="utf8")
    clusters = (f"{i % 16:04b}\t{word}\t1\n" for i, word in enumerate(sorted(words)))
    (folder / "brown.tsv").write_text("".join(clusters), encoding="utf8")
    (folder / "names").mkdir()
    (folder / "names" / "town").write_text("Lisbon\nNew York\n", encoding="utf8")
    return folder


@pytest.fixture
def run(project):
    def run_spacy(*args) -> str:
        env = {**os.environ, "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "spacy", *map(str, args)]
        result = subprocess.run(command, cwd=project, env=env, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    return run_spacy


@pytest.fixture(scope="module")
def overrides(room):
    """For each path that the recipe sets, a file of the room."""
    files = {"train": "train.spacy", "dev": "dev.spacy", "vectors": "vectors.txt", "brown": "brown.tsv"}
    files |= {"distilled": "vectors.txt", "gazetteers": "names"}

    def of(recipe: Path) -> list:
        named = {name for name, value in load_config(recipe)["paths"].items() if value is not None}
        return [part for name, file in files.items() if name in named for part in (f"--paths.{name}", room / file)]

    return of


@pytest.fixture(params=RECIPES)
def recipe(request, project):
    return project / "configs" / f"{request.param}.cfg"


@pytest.fixture
def paths(recipe, room, overrides, run, project, request):
    """The overrides of the recipe, whose first step is trained if it has one."""
    if "transformer" in recipe.stem:
        return [*overrides(recipe), "--paths.transformer", request.getfixturevalue("transformer_folder")]
    name = SECOND_STEPS.get(recipe.stem)
    if name is None:
        return overrides(recipe)
    first, output = project / "configs" / f"{name}.cfg", room / name
    if not output.exists():
        run("train", first, "--output", output, *overrides(first), *FEW_STEPS)
    return [*overrides(recipe), "--paths.first", output / "model-last"]


def test_fill_config_adds_defaults_and_changes_nothing(recipe, paths, run, tmp_path):
    text = recipe.read_text(encoding="utf8")
    if recipe.stem in SECOND_STEPS:  # filling needs the pipeline that it goes on from
        text = re.sub(r"^first = .*$", f'first = "{paths[-1]}"', text, flags=re.MULTILINE)
    (tmp_path / "given.cfg").write_text(text, encoding="utf8")
    run("init", "fill-config", tmp_path / "given.cfg", tmp_path / "filled.cfg")
    filled, given = load_config(tmp_path / "filled.cfg"), load_config(tmp_path / "given.cfg")

    def check(part, whole, where):
        for key, value in part.items():
            if isinstance(value, dict):
                check(value, whole[key], f"{where}.{key}")
            else:
                assert whole[key] == value, f"{where}.{key}"

    check(given, filled, recipe.stem)


def test_debug_config(recipe, run, paths):
    assert "Config is valid" in run("debug", "config", recipe, *paths)


def test_debug_data(recipe, run, paths):
    report = run("debug", "data", recipe, *paths)
    assert "checks passed" in report
    assert "✘" not in report


@pytest.mark.slow
def test_train_evaluate_benchmark(recipe, run, paths, room, tmp_path):
    run("train", recipe, "--output", tmp_path, *paths, *FEW_STEPS)
    run("evaluate", tmp_path / "model-last", room / "dev.spacy", "--output", tmp_path / "scores.json")
    scores = srsly.read_json(tmp_path / "scores.json")
    pipeline = spacy.load(tmp_path / "model-last").pipe_names
    for component, keys in [
        ("tagger", ["tag_acc", "tag_acc_doc_mean"]),
        ("ner", ["ents_f", "ents_f_doc_mean"]),
        ("spans", ["spans_toxic_char_f"]),
    ]:
        if component in pipeline:
            assert all(isinstance(scores[key], float) for key in keys)
    speed = ["benchmark", "speed", tmp_path / "model-last", room / "dev.spacy"]
    assert "Mean" in run(*speed, "--batches", "30", "--warmup", "1", "--batch-size", "2")


@pytest.mark.slow
def test_wheel_installs_and_tags(run, overrides, project, tmp_path):
    recipe = project / "configs" / "sample.cfg"
    run("train", recipe, "--output", tmp_path, *overrides(recipe), *FEW_STEPS)
    names = ["--name", "tweet_bilstm", "--version", "0.1.0"]
    run("package", tmp_path / "model-last", tmp_path, *names, "--build", "wheel")
    folder = tmp_path / "en_tweet_bilstm-0.1.0"
    requirements = srsly.read_json(folder / "meta.json")["requirements"]
    assert any(name.startswith("spacy-bilstm-tagger") for name in requirements)
    wheel = folder / "dist" / "en_tweet_bilstm-0.1.0-py3-none-any.whl"
    target = tmp_path / "installed"
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(target), str(wheel)]
    subprocess.run(install, check=True)
    script = f"import spacy; print([t.tag_ for t in spacy.load('en_tweet_bilstm')({TWEET!r})])"
    env = {**os.environ, "PYTHONPATH": str(target)}
    result = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert len(ast.literal_eval(result.stdout)) == 14

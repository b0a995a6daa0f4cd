"""spaCy's own commands on every recipe, with a part of the sample corpus."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spacy
import srsly
from spacy.tokens import DocBin, Span
from spacy.training.initialize import init_nlp
from spacy.util import load_config, registry

from spacy_bilstm_tagger.corpus import read_corpus, to_docbin
from spacy_bilstm_tagger.tokenizer import glove_key

CONFIGS = Path(__file__).resolve().parent.parent / "configs"
RECIPES = sorted(path.stem for path in CONFIGS.glob("*.cfg"))
# Those that go on from the pipeline of another one.
FIRST_STEPS = {
    "finetune": "en_tweet",
    "release_second": "en_tweet",
    "release_entities": "en_tweet",
    "ritter": "treebank_transformer",
    "tweebank": "treebank",
    "wnut17_btc": "wnut17",
}
# How their first steps differ from that recipe: the width of en_tweet_sm's tags, and its entities.
CHANGES: dict[str, dict[str, Any]] = {
    "finetune": {"components.tok2vec.model.encode.width": 300},
    "release_entities": {"nlp.pipeline": ["tok2vec", "ner"]},
}
# Tags in two steps with a shared tok2vec, entities with all tables, spans, and a softmax without features.
TRAINED = ["ritter", "wnut17", "toxic_spans", "lecture"]
FILES = {
    "train": "train.spacy",
    "dev": "dev.spacy",
    "vectors": "vectors.txt",
    "distilled": "vectors.txt",
    "brown": "brown.tsv",
    "gazetteers": "names",
}
FEW_STEPS = ["--training.max_steps", "10", "--training.eval_frequency", "5"]
TWEET = "RT @mara_lune: OMG the Velvet Otters are playing in Lisbon tonight!! 😭"


@pytest.fixture(scope="module")
def files(tmp_path_factory, project):
    """A folder with some tweets of the sample corpus, a span in every third, and vectors, Brown clusters and names."""
    folder = tmp_path_factory.mktemp("recipes")
    words = set()
    for part, n_texts in (("train", 120), ("dev", 30)):
        path = project / "assets" / "sample" / f"{part}.conll"
        texts = read_corpus(path)[1][:n_texts]
        words |= {glove_key(word) for text in texts for word in text.words}
        docs = list(to_docbin(path, texts).get_docs(spacy.blank("en").vocab))
        for i, doc in enumerate(docs):
            for token in doc:
                token.pos_ = "NOUN" if token.is_alpha else "PUNCT"
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


@pytest.fixture(scope="module")
def paths(files, request):
    """For each path that a recipe sets, a file of `files`, or the pipeline of the first step, which is not trained."""

    def find(recipe: str) -> dict[str, str]:
        named = load_config(CONFIGS / f"{recipe}.cfg")["paths"]
        found = {name: files / file for name, file in FILES.items() if named.get(name) is not None}
        if "transformer" in named:
            found["transformer"] = request.getfixturevalue("transformer_folder")
        if "first" in named:
            found["first"] = files / f"before-{recipe}"
            if not found["first"].exists():
                init_nlp(load(FIRST_STEPS[recipe], **CHANGES.get(recipe, {}))).to_disk(found["first"])
        return {f"paths.{name}": str(path) for name, path in found.items()}

    def load(recipe: str, **more: Any):
        return load_config(CONFIGS / f"{recipe}.cfg", overrides={**find(recipe), **more})

    return find


@pytest.fixture
def overrides(paths):
    return lambda recipe: [part for name, path in paths(recipe).items() for part in (f"--{name}", path)]


@pytest.mark.parametrize("recipe", RECIPES)
def test_fill_config_adds_defaults_and_changes_nothing(recipe, paths, run_spacy, tmp_path):
    text = (CONFIGS / f"{recipe}.cfg").read_text(encoding="utf8")
    if recipe in FIRST_STEPS:  # filling needs the pipeline that it goes on from
        text = re.sub(r"^first = .*$", f'first = "{paths(recipe)["paths.first"]}"', text, flags=re.MULTILINE)
    (tmp_path / "given.cfg").write_text(text, encoding="utf8")
    run_spacy("init", "fill-config", tmp_path / "given.cfg", tmp_path / "filled.cfg")
    filled, given = load_config(tmp_path / "filled.cfg"), load_config(tmp_path / "given.cfg")
    given["components"] = {name: given["components"][name] for name in given["nlp"]["pipeline"]}  # others are left out

    def check(part, whole, where):
        for key, value in part.items():
            if isinstance(value, dict):
                check(value, whole[key], f"{where}.{key}")
            else:
                assert whole[key] == value, f"{where}.{key}"

    check(given, filled, recipe)


@pytest.mark.parametrize("recipe", RECIPES)
def test_debug_config(recipe, run_spacy, overrides):
    assert "Config is valid" in run_spacy("debug", "config", CONFIGS / f"{recipe}.cfg", *overrides(recipe))


@pytest.mark.parametrize("recipe", RECIPES)
def test_debug_data_initializes_every_recipe(recipe, run_spacy, overrides):
    report = run_spacy("debug", "data", CONFIGS / f"{recipe}.cfg", *overrides(recipe))
    assert "Pipeline can be initialized with data" in report
    assert "checks passed" in report
    assert "✘" not in report


@pytest.mark.slow
@pytest.mark.parametrize("recipe", TRAINED)
def test_train_evaluate_benchmark(recipe, run_spacy, overrides, files, tmp_path):
    run_spacy("train", CONFIGS / f"{recipe}.cfg", "--output", tmp_path, *overrides(recipe), *FEW_STEPS)
    run_spacy("evaluate", tmp_path / "model-last", files / "dev.spacy", "--output", tmp_path / "scores.json")
    scores = srsly.read_json(tmp_path / "scores.json")
    pipeline = spacy.load(tmp_path / "model-last").pipe_names
    for component, keys in [
        ("tagger", ["tag_acc", "tag_acc_doc_mean"]),
        ("ner", ["ents_f", "ents_f_doc_mean"]),
        ("spans", ["spans_toxic_char_f"]),
    ]:
        if component in pipeline:
            assert all(isinstance(scores[key], float) for key in keys)
    speed = ["benchmark", "speed", tmp_path / "model-last", files / "dev.spacy"]
    assert "Mean" in run_spacy(*speed, "--batches", "30", "--warmup", "1", "--batch-size", "2")


def test_the_trained_recipes_have_every_architecture():
    """Ensemble.v1 is not for recipes: `spacy-bilstm ensemble` writes it."""
    steps = {*TRAINED, *(FIRST_STEPS[recipe] for recipe in TRAINED if recipe in FIRST_STEPS)}
    configs = "".join((CONFIGS / f"{recipe}.cfg").read_text(encoding="utf8") for recipe in steps)
    ours = {name for name in registry.architectures.get_entry_points() if name.startswith("spacy-bilstm-tagger")}
    assert {name for name in ours if f'"{name}"' not in configs} == {"spacy-bilstm-tagger.Ensemble.v1"}


@pytest.mark.slow
def test_wheel_installs_and_tags(run_spacy, overrides, tmp_path):
    run_spacy("train", CONFIGS / "sample.cfg", "--output", tmp_path, *overrides("sample"), *FEW_STEPS)
    names = ["--name", "tweet_sample", "--version", "0.1.0"]
    run_spacy("package", tmp_path / "model-last", tmp_path, *names, "--build", "wheel")
    folder = tmp_path / "en_tweet_sample-0.1.0"
    requirements = srsly.read_json(folder / "meta.json")["requirements"]
    assert any(name.startswith("spacy-bilstm-tagger") for name in requirements)
    wheel = folder / "dist" / "en_tweet_sample-0.1.0-py3-none-any.whl"
    target = tmp_path / "installed"
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(target), str(wheel)]
    subprocess.run(install, check=True)
    script = f"import spacy; print([t.tag_ for t in spacy.load('en_tweet_sample')({TWEET!r})])"
    env = {**os.environ, "PYTHONPATH": str(target)}
    result = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert len(ast.literal_eval(result.stdout)) == 14

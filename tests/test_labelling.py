"""From raw tweets to an understood pipeline, without a line of code: people's part is played by a script."""

import pytest
import srsly
from golden.make import GOLDEN

from spacy_bilstm_tagger.corpus.formats import read_corpus

SMALL = [
    "--components.tok2vec.model.encode.width",
    "64",
    "--components.tok2vec.model.embed.include_static_vectors",
    "false",
    "--paths.vectors",
    "null",
    "--initialize.before_init",
    "null",
    "--training.max_steps",
    "200",
    "--training.eval_frequency",
    "50",
]


@pytest.mark.slow
def test_raw_tweets_to_a_report(spacy_bilstm, run_spacy, checkout, monkeypatch):
    monkeypatch.chdir(checkout)
    _, gold = read_corpus(checkout / "assets/sample/train.conll")
    (checkout / "raw.txt").write_text("".join(f"{text.text}\n" for text in gold), encoding="utf8")
    convert = ["convert", "assets/sample/dev.conll", "corpus/dev.spacy"]
    ask = [
        "pretag",
        GOLDEN / "pipeline",
        "raw.txt",
        "corrected.tsv",
        "--rank",
        "uncertain",
        "--exclude",
        "assets/sample/dev.conll",
    ]
    for step in (convert, ask):
        code, _, err = spacy_bilstm(*step)
        assert code == 0, err
    correct(checkout / "corrected.tsv", gold)
    code, _, err = spacy_bilstm("convert", "corrected.tsv", "corpus/train.spacy", "--columns", "token,tag,ent")
    assert code == 0, err
    paths = [
        "--paths.train",
        "corpus/train.spacy",
        "--paths.dev",
        "corpus/dev.spacy",
        "--paths.log",
        "training/log.jsonl",
    ]
    run_spacy("train", "configs/sample.cfg", "--output", "training", *paths, *SMALL, cwd=checkout)
    code, _, err = spacy_bilstm("report", "training/model-best", "corpus/dev.spacy", "--json", "report.json")
    assert (code, err) == (0, "")
    page = (checkout / "report.html").read_text(encoding="utf8")
    assert "Learning curve" in page
    numbers = srsly.read_json(checkout / "report.json")
    assert numbers["train"] == ["corpus/train.spacy"]
    assert [part["name"] for part in numbers["components"]] == ["tagger", "ner"]
    scores = {part["name"]: part["score"]["value"] for part in numbers["components"]}
    assert scores["tagger"] >= 0.75
    best = max(line["scores"]["tag_acc"] for line in numbers["learning_curve"])
    assert scores["tagger"] <= best + 1e-6
    assert {row["name"] for row in numbers["components"][0]["groups"]["word"]} == {"seen in training", "not seen"}


def correct(path, gold):
    """Put the gold in the place of what the pipeline has found, as a person would who knows it."""
    answers = {" ".join(text.words): text for text in gold}
    blocks = path.read_text(encoding="utf8").strip().split("\n\n")
    corrected = []
    for block in blocks:
        number, text, *lines = block.split("\n")
        words = [line.split("\t")[0] for line in lines]
        known = answers.get(" ".join(words))
        if known is not None:
            lines = ["\t".join(row) for row in zip(words, known.tags, known.ents)]
        corrected.append("\n".join([number, text, *lines]))
    path.write_text("\n\n".join(corrected) + "\n", encoding="utf8")

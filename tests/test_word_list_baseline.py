"""The word list that scripts/word_list_baseline.py learns, on a handful of posts."""

import importlib.util

import pytest
import spacy
import typer
from spacy.tokens import DocBin
from spacy.training import Corpus
from typer.testing import CliRunner

from spacy_bilstm_tagger.corpus import CharacterSpans
from spacy_bilstm_tagger.errors import DataError

# Brackets are around what is inside a span. "Fool" is inside three times of four, "old" once of two, "damn" twice of
# two, and "you" twice of five.
POSTS = ["you [old fool]", "[Damn you], old FOOL!", "[you fool]", "[damn] [FOOL]  \n you", "are you ok ?"]


@pytest.fixture(scope="module")
def script(pytestconfig):
    path = pytestconfig.rootpath / "scripts" / "word_list_baseline.py"
    spec = importlib.util.spec_from_file_location("word_list_baseline", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def docs(tweet_nlp):
    return [marked(tweet_nlp, post) for post in POSTS]


@pytest.fixture
def train(docs, tmp_path):
    DocBin(docs=docs).to_disk(tmp_path / "train.spacy")
    return tmp_path / "train.spacy"


@pytest.fixture
def run(script):
    """Runs the script in this process; gives its exit code, stdout and stderr."""
    app = typer.Typer()
    app.command()(script.main)

    def run_script(*args):
        result = CliRunner().invoke(app, [str(arg) for arg in args])
        return result.exit_code, result.stdout, result.stderr

    return run_script


def marked(nlp, post, key="toxic"):
    ranges, text = [], ""
    for part in post.replace("]", "[").split("["):
        ranges.append((len(text), len(text) + len(part)))
        text += part
    doc = nlp.make_doc(text)
    CharacterSpans(key).set_spans(doc, ranges[1::2])
    return doc


@pytest.mark.parametrize(
    ("min_count", "min_share", "words"),
    [
        (1, 0.0, ["damn", "fool", "old", "you"]),
        (1, 0.5, ["damn", "fool", "old"]),
        (2, 0.0, ["damn", "fool", "you"]),
        (2, 0.4, ["damn", "fool", "you"]),
        (2, 0.41, ["damn", "fool"]),
        (2, 0.75, ["damn", "fool"]),
        (2, 0.76, ["damn"]),
        (3, 0.0, ["fool"]),
        (4, 0.0, []),
    ],
)
def test_words_are_counted_in_any_case(script, docs, min_count, min_share, words):
    assert script.learn_words(docs, "toxic", min_count=min_count, min_share=min_share) == words


def test_a_word_in_two_spans_that_overlap_is_inside_once(script, tweet_nlp):
    doc = tweet_nlp.make_doc("old fool")
    doc.spans["toxic"] = [doc[0:2], doc[1:2]]
    assert script.learn_words([doc], "toxic", min_count=2, min_share=0) == []


def test_white_space_is_no_word(script, tweet_nlp):
    doc = marked(tweet_nlp, "[old \n fool]")
    assert script.learn_words([doc], "toxic", min_count=1, min_share=0) == ["fool", "old"]


def test_the_pipeline_is_saved_and_marks_each_word(run, train, tmp_path):
    code, out, err = run(train, tmp_path / "words", "--min-share", 0.5)
    assert (code, out, err) == (0, f"2 words from 5 texts\n✔ {tmp_path / 'words'}\n", "")
    nlp = spacy.load(tmp_path / "words")
    doc = nlp("DAMN fool, old  #fool")
    assert [(span.text, span.label_) for span in doc.spans["toxic"]] == [("DAMN", "toxic"), ("fool", "toxic")]
    assert nlp.pipe_names == ["span_ruler"]
    assert type(nlp.tokenizer).__name__ == "TweetTokenizer"


def test_spacy_measures_it_with_the_characters(run, train, tmp_path):
    run(train, tmp_path / "words", "--min-share", 0.5)
    nlp = spacy.load(tmp_path / "words")
    scores = nlp.evaluate(list(Corpus(train)(nlp)))
    by_text = [8 / 12, 8 / 16, 8 / 12, 1, 1]
    assert scores["spans_toxic_char_f"] == pytest.approx(sum(by_text) / 5)
    assert scores["spans_toxic_char_f_gold"] == pytest.approx(sum(by_text[:4]) / 4)
    assert scores["spans_toxic_char_f_nogold"] == 1
    assert scores["spans_toxic_r"] == pytest.approx(2 / 5)


def test_another_key_is_label_and_score(run, tweet_nlp, tmp_path):
    DocBin(docs=[marked(tweet_nlp, "[fool]", "rude")]).to_disk(tmp_path / "rude.spacy")
    assert run(tmp_path / "rude.spacy", tmp_path / "words", "--spans-key", "rude", "--min-count", 1)[0] == 0
    nlp = spacy.load(tmp_path / "words")
    doc = nlp("a fool")
    assert [span.label_ for span in doc.spans["rude"]] == ["rude"]
    assert nlp.evaluate(list(Corpus(tmp_path / "rude.spacy")(nlp)))["spans_rude_char_f"] == 1


def test_cross_validation_learns_each_list_without_the_texts_it_scores(script, tweet_nlp):
    docs = [marked(tweet_nlp, post) for post in ("[fool] a", "[fool] b", "[damn] c", "[fool] d")]
    score = script.cross_validate(docs, "toxic", min_count=1, min_share=0.5, folds=2)
    assert score == pytest.approx((1 / 2 + 1) / 2)  # "damn" is in the first half only


def test_cross_validation_is_printed(run, train, tmp_path):
    code, out, _ = run(train, tmp_path / "words", "--folds", 5, "--min-share", 0.5)
    by_text = [8 / 15, 0, 8 / 12, 8 / 15, 0]  # without the text itself, "you" or "damn" may change sides
    assert (code, out.splitlines()[0]) == (0, f"Character F1, mean of 5 folds: {20 * sum(by_text):.2f}")


BAD = [
    (["--folds", "1"], "--folds 1: expected 0 for none, or a number from 2 to 5, the number of texts in TRAIN"),
    (["--folds", "6"], "--folds 6: expected 0 for none, or a number from 2 to 5, the number of texts in TRAIN"),
    (
        ["--min-count", "9"],
        "TRAIN: no word is inside spans 9 times and in 0.35 of its uses; lower --min-count or --min-share, or use more text",
    ),
    (
        ["--spans-key", "rude"],
        "TRAIN: no text has spans under the key 'rude', found toxic; name one with --spans-key",
    ),
]


@pytest.mark.parametrize(("options", "message"), BAD)
def test_what_cannot_be_learned_is_one_line(run, train, tmp_path, options, message):
    assert run(train, tmp_path / "words", *options) == (1, "", f"✘ {message.replace('TRAIN', str(train))}\n")
    assert not (tmp_path / "words").exists()


@pytest.mark.parametrize(("content", "reason"), [(None, ": no such file"), (b"x", ": cannot be read as a .spacy file")])
def test_a_file_that_is_no_docbin_is_one_line(run, tmp_path, content, reason):
    path = tmp_path / "train.spacy"
    if content is not None:
        path.write_bytes(content)
    code, out, err = run(path, tmp_path / "words")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith(f"✘ {path}{reason}")


def test_docs_without_the_group_are_left_out(script, docs, tweet_nlp, tmp_path):
    DocBin(docs=[*docs, tweet_nlp.make_doc("damn fool")]).to_disk(tmp_path / "mixed.spacy")
    assert len(script.read_docs(tmp_path / "mixed.spacy", "toxic")) == len(docs)


def test_no_group_at_all_is_an_error(script, tweet_nlp, tmp_path):
    DocBin(docs=[tweet_nlp.make_doc("fool")]).to_disk(tmp_path / "plain.spacy")
    with pytest.raises(DataError, match=r"no text has spans under the key 'toxic', found none; name one"):
        script.read_docs(tmp_path / "plain.spacy", "toxic")

import os
import subprocess
import sys

import numpy as np
import pytest

from spacy_bilstm_tagger.errors import DataError
from spacy_bilstm_tagger.lexicon.train import tokenize, train_vectors

TEXTS = [
    "RT @mara_lune: OMG the record is sooo good!! http://bit.ly/x7Qa2 #wow",
    "@jo the record is out at 7 http://bit.ly/q :)",
    "is it out?? the 2 of us want it :)",
]
OPTIONS = {"dim": 4, "epochs": 2, "min_count": 1, "window": 2, "seed": 0}


def _train(algorithm="word2vec", **options):
    return train_vectors("texts.txt", tokenize(TEXTS), algorithm=algorithm, **{**OPTIONS, **options})


def test_tokens_are_glove_keys():
    assert [" ".join(sentence) for sentence in tokenize([*TEXTS[:2], " \n "])] == [
        "rt <user> : omg the record is so good ! <url> <hashtag>",
        "<user> the record is out at <number> <url> <smile>",
        "",
    ]


@pytest.mark.parametrize("algorithm", ["word2vec", "fasttext"])
def test_rows_are_the_glove_keys_of_the_texts(algorithm):
    vectors = _train(algorithm, min_count=2)
    assert vectors.vectors.shape == (len(vectors.index_to_key), 4)
    assert {"<user>", "<url>", "<smile>", "<number>", "the", "record"} <= set(vectors.index_to_key)
    assert not {"@jo", "http://bit.ly/q", "omg"} & set(vectors.index_to_key)


@pytest.mark.parametrize("algorithm", ["word2vec", "fasttext"])
def test_same_seed_same_vectors_bit_by_bit(algorithm):
    first, second, other = _train(algorithm), _train(algorithm), _train(algorithm, seed=1)
    assert first.index_to_key == second.index_to_key == other.index_to_key
    assert first.vectors.tobytes() == second.vectors.tobytes()
    assert not np.array_equal(first.vectors, other.vectors)


@pytest.mark.slow
def test_vectors_do_not_depend_on_the_hashes_of_the_process():
    code = (
        "import hashlib; from spacy_bilstm_tagger.lexicon.train import *; "
        f"vectors = train_vectors('', tokenize({TEXTS!r}), algorithm='word2vec', **{OPTIONS!r}); "
        "print(vectors.index_to_key, hashlib.md5(vectors.vectors.tobytes()).hexdigest())"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


def test_algorithms_differ():
    assert not np.array_equal(_train("word2vec").vectors, _train("fasttext").vectors)


def test_only_rare_words():
    with pytest.raises(DataError, match=r"texts\.txt: found no words that occur at least 9 times"):
        _train(min_count=9)


class _Terminal:
    def __init__(self, is_terminal):
        self.is_terminal = is_terminal
        self.written = ""

    def write(self, text):
        self.written += text

    def flush(self):
        pass

    def isatty(self):
        return self.is_terminal


@pytest.mark.parametrize("is_terminal", [True, False])
def test_progress_is_shown_on_a_terminal_only(is_terminal, monkeypatch, capsys):
    stderr = _Terminal(is_terminal)
    monkeypatch.setattr(sys, "stderr", stderr)
    _train()
    assert capsys.readouterr().out == ""
    for title in ("Tokenizing: ", "Training word2vec: 100%"):
        assert (title in stderr.written) == is_terminal
    if not is_terminal:
        assert stderr.written == ""

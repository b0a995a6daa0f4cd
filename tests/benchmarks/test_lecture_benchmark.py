"""Reading and counting as the lecture does, and as one should, on a toy file."""

import re

import pytest
import torch
from torch import nn

from benchmarks import lecture
from benchmarks.lecture_cells import CELLS, CLIPS, SKIPS, Variant, draw, table

FILE = "so RB\ngood JJ\n\n@mara USR\nhi UH\n@bob\tUSR\n\n\nok UH\n"
VECTORS = "so 1 0\ngood 0 1\n<user> 1 1\n"


class AlwaysFirst(nn.Module):
    """Gives both tags the same score at every position; the first one wins."""

    def forward(self, words):
        return torch.zeros(*words.shape, 2)


@pytest.fixture
def tweets(tmp_path):
    path = tmp_path / "pos.txt"
    path.write_text(FILE, encoding="utf8")
    return lecture.read_tweets(path)


def words_of(tweets):
    return [[word for word, _ in tweet] for tweet in tweets]


def test_tweets_end_at_blank_lines(tweets):
    assert words_of(lecture.divide(tweets, "blank")) == [["so", "good"], ["@mara", "hi", "@bob"], ["ok"]]


def test_the_lecture_begins_a_tweet_at_each_user(tweets):
    assert words_of(lecture.divide(tweets, "at")) == [["so", "good"], ["@mara", "hi"], ["@bob", "ok"]]


def test_unknown_words_get_the_mean_row_and_padding_zeros(tmp_path, tweets):
    (tmp_path / "vectors.txt").write_text(VECTORS, encoding="utf8")
    embedding, rows = lecture.read_table(str(tmp_path / "vectors.txt"))
    assert embedding.weight[rows["<unk>"]].tolist() == pytest.approx([2 / 3, 2 / 3])
    assert embedding.weight[rows["<pad>"]].tolist() == [0, 0]
    assert not embedding.weight.requires_grad
    words, tags = lecture.as_tensors(tweets, rows, ["JJ", "RB", "UH", "USR"])[1]
    assert words.tolist() == [rows["<user>"], rows["<unk>"], rows["<user>"]]
    assert tags.tolist() == [3, 2, 3]


def test_padding_is_in_one_divisor_and_not_in_the_other():
    texts = [(torch.tensor([1, 1, 1]), torch.tensor([0, 0, 1])), (torch.tensor([1]), torch.tensor([0]))]
    counts = lecture.count(AlwaysFirst(), texts, pad_row=0)
    assert (counts.right, counts.tokens, counts.positions) == (3, 4, 6)
    assert counts.accuracy(padding=False) == 0.75
    assert counts.accuracy(padding=True) == 0.5
    assert counts.loss_of(padding=False) == pytest.approx(torch.tensor(2.0).log().item())
    assert counts.accuracy(padding=True) == pytest.approx(counts.share * counts.accuracy(padding=False))


def test_the_table_has_both_ways_of_reading_and_of_counting(tmp_path, capsys):
    (tmp_path / "train").write_text(FILE * 4, encoding="utf8")
    (tmp_path / "dev").write_text("@bob USR\nso RB\ngood JJ\n\nhi UH\n", encoding="utf8")
    (tmp_path / "vectors.txt").write_text(VECTORS, encoding="utf8")
    lecture.main(tmp_path / "train", tmp_path / "dev", str(tmp_path / "vectors.txt"), seeds=1, epochs=2, first=551)
    rows = re.findall(r"^\| (.+?) \| (positions|tokens) \|.*= (\S+) \|.*\| (\S+) \|$", capsys.readouterr().out, re.M)
    assert [row[:2] for row in rows] == [
        ('"@"', "positions"),
        ('"@"', "tokens"),
        ("blank lines", "positions"),
        ("blank lines", "tokens"),
    ]
    assert [row[2] for row in rows] == ["1.000", "1.000", "0.667", "0.667"]
    assert float(rows[2][3]) <= float(rows[3][3])


def test_cells_are_drawn_and_laid_in_a_table(tmp_path):
    pytest.importorskip("matplotlib")
    result = {"score": 0.5, "weights": 1000, "seconds": 1.0, "steps": [[0, 0.1], [28, 0.5]]}
    other = {**result, "score": 0.7, "steps": [[0, None], [28, 0.7]]}
    runs = {Variant(cell, clip, skip): [result, other] for cell in CELLS for clip in CLIPS for skip in SKIPS}
    assert "| LSTM | 1,000 | 60.0±14.1 | 60.0±14.1 |" in table(runs)
    draw(runs, tmp_path / "cells.png")
    assert (tmp_path / "cells.png").stat().st_size > 10_000


def test_the_settings_of_a_variant_are_those_of_the_config():
    settings = Variant(CELLS[-1], 1.0, True).settings()
    assert {name.rsplit(".", 1)[1]: value for name, value in settings.items()} == {
        "cell": "rnn_relu",
        "initialization": "orthogonal",
        "residual": True,
        "grad_clip": 1.0,
    }

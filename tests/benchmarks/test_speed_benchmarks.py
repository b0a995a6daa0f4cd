"""The benchmarks of speed run, on little."""

import numpy as np
import pytest

from benchmarks import gpu, growth, roofline, training_speed
from spacy_bilstm_tagger.layers import bilstm


@pytest.fixture
def tweets(tmp_path):
    path = tmp_path / "tweets.txt"
    path.write_text("\n".join(f"so happy in Lisbon !! {number}" for number in range(300)))
    return path


@pytest.fixture
def golden(project):
    return str(project / "tests" / "golden" / "pipeline")


def rows(capsys):
    return [line.strip("| ").split(" | ") for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]


def test_gpu_on_a_machine_without_one(capsys):
    gpu.main(device="cpu", width=16, sizes="8,16", learned="4", seconds=0.01, limit=20, tests=False)
    found = rows(capsys)
    assert [len(row) for row in found] == [4] * 5 + [3] * 5
    assert all(int(row[1].replace(",", "")) > 0 for row in found if "tokens" not in row[0])


def test_growth(capsys, golden, tweets, tmp_path):
    growth.main(golden, tweets, most=1000, plot=tmp_path / "growth.svg")
    assert [row[0] for row in rows(capsys)[1:]] == ["1,000"]
    assert (tmp_path / "growth.svg").read_text().startswith("<?xml")


def test_roofline_knows_the_products_of_the_networks(capsys, golden, tweets):
    roofline.main(golden, tweets, limit=256, batch_size=64)
    found = {row[0]: row for row in rows(capsys)[1:]}
    assert found["tokenizer"][1] == "0"
    assert any(float(row[1].replace(",", "")) > 1000 and float(row[3]) > 0 for row in found.values())


def test_training_beside_a_plain_loop(capsys, tmp_path, spacy_bilstm):
    (tmp_path / "train.conll").write_text("so RB\nhappy JJ\n\nMia NNP\nran VBD\nhome NN\n\n" * 8)
    assert spacy_bilstm("convert", tmp_path / "train.conll", tmp_path / "train.spacy")[0] == 0
    rows_of = np.random.default_rng(0).normal(size=(3, 100)).tolist()
    lines = [f"{word} {' '.join(map(str, row))}" for word, row in zip(("so", "mia", "<unk>"), rows_of)]
    (tmp_path / "vectors.txt").write_text("\n".join(lines))
    training_speed.main(tmp_path / "train.spacy", str(tmp_path / "vectors.txt"), rounds=1)
    assert [row[0] for row in rows(capsys)[1:]] == ["plain loop", "nlp.update, packed", "nlp.update"]
    assert bilstm.PADDING == training_speed.PADDING

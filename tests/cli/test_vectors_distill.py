import shutil
import sys

import numpy as np
import pytest
import spacy

from spacy_bilstm_tagger.lexicon.distill import Distiller
from spacy_bilstm_tagger.lexicon.vectors import DISTILLER

TEXT = "@x So GOOD! http://a.io is it #good go goo x\n@y so it is\n"


@pytest.fixture
def words(write):
    return write("words.txt", TEXT)


def test_distill(spacy_bilstm, transformer_folder, words, write, tmp_path):
    more = write("more", "go\ngoood\n#Go\n")
    out = tmp_path / "out"
    code, stdout, stderr = spacy_bilstm("vectors", "distill", transformer_folder, words, more, out, "--dim", 4)
    assert (code, stderr) == (0, "")
    assert stdout.splitlines() == [
        f"{words}: read as texts, 15 words, 13 different, 8 new word types",
        f"{more}: read as word list, 3 words, 3 different, 1 new word types",
        "11 word types, with <user> for all @users and <url> for all links",
        "12 keys, 12 rows of width 4",
        f"✔ {out}",
    ]
    vocab = spacy.load(out).vocab
    vectors = vocab.vectors
    keys = sorted(vectors.strings[key] for key in vectors)
    assert keys == sorted(["<unk>", "<user>", "<url>", "so", "good", "!", "is", "it", "go", "goo", "x", "goood"])
    distiller = Distiller(model_dir=transformer_folder, **vocab.lookups.get_table(DISTILLER)[DISTILLER])
    again = distiller.rows(keys[1:])
    np.testing.assert_allclose(again[-1], vectors[vectors.strings[keys[-1]]], atol=1e-5)


def test_written_over_and_smaller(spacy_bilstm, transformer_folder, words, tmp_path):
    out = tmp_path / "out"
    for dtype in ("float32", "float16"):
        options = ["--dim", 2, "--dtype", dtype]
        assert spacy_bilstm("vectors", "distill", *options, transformer_folder, words, out)[0] == 0
        assert spacy.load(out).vocab.vectors.data.dtype == dtype
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "words.txt"]


def test_bad_input_is_one_line_and_nothing_is_written(spacy_bilstm, transformer_folder, words, write, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("x")
    empty = write("empty", "")
    damaged = shutil.copytree(transformer_folder, tmp_path / "damaged")
    (damaged / "tokenizer.json").unlink()
    (damaged / "vocab.txt").write_text("")
    cases = [
        (("", words, "out"), "'': no such folder; expected that of a pretrained"),
        ((words, words, "out"), "no such folder; expected that of a pretrained transformer"),
        ((tmp_path / "full", words, "out"), "full: found no configuration (config.json)"),
        (
            (damaged, words, "out", "--dim", 4),
            "damaged: cannot be read as a pretrained transformer (Exception: WordPiece error",
        ),
        ((transformer_folder, tmp_path / "none", "out"), "none: no such file"),
        ((transformer_folder, empty, "out"), "empty: found no word"),
        ((transformer_folder, words, "out", "--dim", 9), "--dim 9: the hidden states of"),
        ((transformer_folder, write("few", "so\n"), "out", "--dim", 4), "--dim 4: found 3 word types"),
        ((transformer_folder, words, "full"), "full: exists and is not a folder made by this command"),
        ((transformer_folder, words, "words.txt"), "words.txt: exists and is not a folder made by this command"),
    ]
    before = sorted(tmp_path.rglob("*"))
    for (model_dir, words_path, out, *options), message in cases:
        code, _, stderr = spacy_bilstm("vectors", "distill", model_dir, words_path, tmp_path / out, *options)
        assert (code, stderr.count("\n"), stderr[:2]) == (1, 1, "✘ ")
        assert message in stderr
        assert sorted(tmp_path.rglob("*")) == before


def test_without_transformers(spacy_bilstm, transformer_folder, words, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    code, _, stderr = spacy_bilstm("vectors", "distill", transformer_folder, words, tmp_path / "out")
    assert code == 1
    assert stderr.endswith("pip install 'spacy-bilstm-tagger[distill]'\n")

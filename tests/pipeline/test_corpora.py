"""What `spacy train` says before the first step of corpora and settings with which nothing would be learned or scored."""

import pytest
from spacy.tokens import DocBin

from spacy_bilstm_tagger.errors import ConfigError
from spacy_bilstm_tagger.pipeline.corpora import _check_training
from spacy_bilstm_tagger.pipeline.gold import set_annotated_types

CONFIG = """
[nlp]
lang = "en"
pipeline = ["tagger"]
batch_size = 100
[components]
[components.tagger]
factory = "bilstm_tagger"
[paths]
train = null
dev = null
[corpora]
[corpora.train]
@readers = "spacy.Corpus.v1"
path = ${paths.train}
[corpora.dev]
@readers = "spacy.Corpus.v1"
path = ${paths.dev}
[training]
max_steps = 1
eval_frequency = 1
[training.optimizer]
@optimizers = "Adam.v1"
learn_rate = 0.001
"""


@pytest.fixture
def train(tmp_path, run_spacy, tweet_nlp, make_examples):
    """Runs `spacy train`; gives the last line."""
    (tmp_path / "base.cfg").write_text(CONFIG, encoding="utf8")
    DocBin(docs=[eg.reference for eg in make_examples(tweet_nlp)]).to_disk(tmp_path / "good.spacy")
    DocBin().to_disk(tmp_path / "no-docs.spacy")
    (tmp_path / "nothing.spacy").write_bytes(b"")
    (tmp_path / "tweets.tsv").write_text("so\tRB\n", encoding="utf8")
    run_spacy("init", "fill-config", tmp_path / "base.cfg", tmp_path / "config.cfg")

    def run(train="good.spacy", dev="good.spacy", *options, code=1):
        paths = ["--paths.train", tmp_path / train, "--paths.dev", tmp_path / dev]
        output = run_spacy("train", tmp_path / "config.cfg", "-o", tmp_path / "out", *paths, *options, code=code)
        assert (tmp_path / "out" / "model-last").exists() == (code == 0)
        return " ".join(output.split())

    return run


def test_good_ones(train):
    assert "Saved pipeline" in train(code=0)


@pytest.mark.parametrize(
    ("dev", "message"),
    [
        ("away.spacy", "away.spacy: no such file or directory; expected the dev corpus"),
        ("no-docs.spacy", "no-docs.spacy: holds no text; expected the dev corpus"),
        ("nothing.spacy", "nothing.spacy: cannot be read as .spacy; expected the dev corpus"),
        ("tweets.tsv", "tweets.tsv: holds no text; expected the dev corpus"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*W090")
def test_dev_corpora_without_texts(train, dev, message):
    assert message in train(dev=dev)


def test_a_training_file_of_another_kind(train):
    assert "tweets.tsv: cannot be read as .spacy; expected the train corpus" in train(train="tweets.tsv")


def test_an_empty_training_file(train):
    assert "nothing.spacy: cannot be read as .spacy; expected the train corpus" in train(train="nothing.spacy")


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--nlp.batch_size", "0", "[nlp]: batch_size = 0; expected a whole number of at least 1"),
        (
            "--training.optimizer.learn_rate",
            "-1",
            "[training.optimizer]: learn_rate = -1; expected a number of at least 0",
        ),
        (
            "--training.optimizer.grad_clip",
            "-1.0",
            "[training.optimizer]: grad_clip = -1.0; expected a number of at least 0",
        ),
        ("--training.dropout", "1.0", "[training]: dropout = 1.0; expected a number of at least 0 and below 1"),
        ("--training.batcher.size", "0", "[training.batcher]: size = 0; expected a number of at least 1"),
        ("--training.patience", "-1", "[training]: patience = -1; expected a number of at least 0"),
        ("--training.max_steps", "-1", "[training]: max_steps = -1; expected a number of at least 0"),
        ("--training.eval_frequency", "0", "[training]: eval_frequency = 0; expected a number of at least 1"),
    ],
)
def test_settings_with_which_nothing_is_learned(train, option, value, message):
    assert message in train("good.spacy", "good.spacy", option, value)


def test_a_frozen_component_without_weights_is_told(tweet_nlp):
    for name in ("one", "other"):
        tweet_nlp.add_pipe("bilstm_tagger", name=name)
    tweet_nlp.config["training"]["frozen_components"] = ["other"]
    with pytest.raises(ConfigError, match="other: is frozen, and has no weights yet; source it"):
        _check_training(tweet_nlp)


def test_frozen_listeners(tweet_nlp, make_examples):
    tweet_nlp.add_pipe("bilstm_tok2vec")
    width = tweet_nlp.get_pipe("bilstm_tok2vec").model.get_dim("nO")
    listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": width, "upstream": "bilstm_tok2vec"}
    model = {"@architectures": "spacy-bilstm-tagger.TokenClassifier.v1", "tok2vec": listener}
    tweet_nlp.add_pipe("bilstm_tagger", config={"model": model})
    tweet_nlp.initialize(lambda: make_examples(tweet_nlp))
    tweet_nlp.config["training"]["frozen_components"] = ["bilstm_tagger", "other"]
    _check_training(tweet_nlp)
    tweet_nlp.add_pipe("bilstm_tagger", name="other", config={"model": model})
    with pytest.raises(ConfigError, match="other: is frozen, and has no weights yet; source it"):
        _check_training(tweet_nlp)


@pytest.mark.parametrize("option", [("--corpora.train.gold_preproc", "true"), ("--corpora.train.max_length", "50")])
def test_annotation_that_the_reader_drops_is_warned_of(train, tmp_path, tweet_nlp, make_examples, option):
    docs = [example.reference for example in make_examples(tweet_nlp)]
    set_annotated_types(docs[0], ["person"])
    DocBin(docs=docs, store_user_data=True).to_disk(tmp_path / "types.spacy")
    with pytest.warns(UserWarning, match=f"annotated_entity_types are lost by {option[0].rpartition('.')[2]} of the reader"):
        train("types.spacy", "good.spacy", *option, code=0)

"""Our network with the settings of configs/lecture.cfg against the lecture's formulae written in plain PyTorch."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import load_config, load_model_from_config
from spacy.vectors import Vectors
from torch.nn.utils.rnn import pad_sequence

TWEETS = [["so", "good", "!"], ["do", "n't", "go", "there", "now"], ["ok"]]
TAGS = [["RB", "JJ", "."], ["VB", "RB", "VB", "RB", "RB"], ["UH"]]
PADDING = -100


class Lecture(torch.nn.Module):
    """Padded batches, as the lecture writes them; one text at a time in the recurrence, so that padding stays out."""

    def __init__(self, n_tags: int) -> None:
        super().__init__()
        self.lstm = torch.nn.LSTM(100, 100, num_layers=2, bidirectional=True, batch_first=True, dropout=0.1)
        self.linear = torch.nn.Linear(200, n_tags)

    def forward(self, texts: list[torch.Tensor]) -> torch.Tensor:
        return pad_sequence([self.linear(self.lstm(text.unsqueeze(0))[0][0]) for text in texts], batch_first=True)


@pytest.fixture
def nlp(project):
    config = load_config(project / "configs" / "lecture.cfg")
    config["paths"]["labels"] = str(project / "configs" / "labels" / "ritter.json")
    nlp = load_model_from_config(config, auto_fill=True)
    words = sorted({word for tweet in TWEETS for word in tweet})
    data = np.random.default_rng(0).normal(size=(len(words), 100)).astype("f")
    nlp.config["initialize"]["before_init"] = None
    nlp.vocab.vectors = Vectors(strings=nlp.vocab.strings, data=data, keys=words)
    return nlp


@pytest.fixture
def examples(nlp):
    docs = [Doc(nlp.vocab, words=words) for words in TWEETS]
    return [Example.from_dict(doc, {"tags": tags}) for doc, tags in zip(docs, TAGS)]


@pytest.fixture
def lecture(nlp, examples):
    """The lecture's network with our weights."""
    nlp.initialize(lambda: examples)
    model = nlp.get_pipe("tagger").model
    module = model.get_ref("tok2vec").get_ref("encode").shims[0].module
    network = Lecture(len(nlp.get_pipe("tagger").labels)).eval()
    with torch.no_grad():
        for i, layer in enumerate(module.layers):
            for name, weight in layer.named_parameters():
                getattr(network.lstm, name.replace("_l0", f"_l{i}")).copy_(weight)
        output = model.get_ref("output_layer")
        network.linear.weight.copy_(torch.from_numpy(output.get_param("W")))
        network.linear.bias.copy_(torch.from_numpy(output.get_param("b")))
    return network


def as_tensors(nlp, examples):
    rows = [torch.from_numpy(np.stack([nlp.vocab.vectors[w.text] for w in eg.x])) for eg in examples]
    labels = nlp.get_pipe("tagger").labels
    tags = [torch.tensor([labels.index(tag) for tag in eg.get_aligned("TAG", as_string=True)]) for eg in examples]
    return rows, pad_sequence(tags, batch_first=True, padding_value=PADDING)


def test_size_is_the_lecture_s(nlp, lecture):
    assert len(nlp.get_pipe("tagger").labels) == 49
    module = nlp.get_pipe("tagger").model.get_ref("tok2vec").get_ref("encode").shims[0].module
    weights = sum(weight.numel() for weight in module.parameters())
    assert weights == sum(weight.numel() for weight in lecture.lstm.parameters())


def test_logits_are_equal(nlp, examples, lecture):
    rows, _ = as_tensors(nlp, examples)
    expected = [logits[: len(words)] for logits, words in zip(lecture(rows).detach(), TWEETS)]
    scores = nlp.get_pipe("tagger").model.predict([eg.x for eg in examples])
    assert_allclose(scores.emissions, torch.cat(expected), atol=1e-5)


def test_summed_loss_over_real_tokens_is_equal(nlp, examples, lecture):
    rows, tags = as_tensors(nlp, examples)
    log_probs = torch.log_softmax(lecture(rows), dim=2)
    mask = tags != PADDING
    expected = -(log_probs.gather(2, tags.clamp(min=0).unsqueeze(2)).squeeze(2) * mask).sum().item()
    tagger = nlp.get_pipe("tagger")
    scores = tagger.model.predict([eg.x for eg in examples])
    mean, _ = tagger.get_loss(examples, scores)
    n_tokens = int(mask.sum())
    assert mean * n_tokens == pytest.approx(expected, abs=1e-5 * n_tokens)
    assert mean != pytest.approx(expected / mask.numel())  # the lecture's divisor counts padding too

"""The `bilstm_tagger` component: one tag for every token."""

from itertools import islice
from typing import Callable, Iterable, Optional, Union

import numpy as np
from spacy.language import Language
from spacy.pipeline.tagger import Tagger
from spacy.pipeline.trainable_pipe import TrainablePipe
from spacy.tokens import Doc
from spacy.training import Example, validate_examples, validate_get_examples
from spacy.vocab import Vocab
from thinc.api import Config, Model, Optimizer, set_dropout_rate
from thinc.types import Floats2d

from ..checks import check_choice, check_fraction
from ..errors import Errors
from .losses import label_numbers, masked_cross_entropy, soft_cross_entropy

REDUCTIONS = ("sum", "mean")

DEFAULT_MODEL = Config().from_str(
    """
[model]
@architectures = "spacy-bilstm-tagger.TokenClassifier.v1"

[model.tok2vec]
@architectures = "spacy.Tok2Vec.v2"

[model.tok2vec.embed]
@architectures = "spacy-bilstm-tagger.TweetEmbed.v1"
attrs = ["NORM", "PREFIX", "SUFFIX", "SHAPE"]
rows = [5000, 1000, 2500, 1000]
feature_width = 48
include_static_vectors = false

[model.tok2vec.encode]
@architectures = "spacy-bilstm-tagger.BiLSTMEncoder.v1"
width = 128
depth = 1
"""
)["model"]


@Language.factory(
    "bilstm_tagger",
    assigns=["token.tag"],
    default_config={
        "model": DEFAULT_MODEL,
        "overwrite": False,
        "label_smoothing": 0.0,
        "reduction": "sum",
        "scorer": {"@scorers": "spacy-bilstm-tagger.tagger_scorer.v1"},
    },
    default_score_weights={
        "tag_acc": 1.0,
        "tag_acc_doc_mean": None,
        "tag_micro_f": None,
        "tag_micro_f_doc_mean": None,
        "tag_macro_f": None,
        "tag_per_type": None,
    },
)
def make_bilstm_tagger(
    nlp: Language,
    name: str,
    model: Model[list[Doc], list[Floats2d]],
    overwrite: bool,
    label_smoothing: float,
    reduction: str,
    scorer: Optional[Callable],
) -> "BiLSTMTagger":
    """Make a part-of-speech tagger whose model gives emissions, such as `TokenClassifier.v1`.

    model (Model): list of docs -> list of (tokens, labels) emissions.
    overwrite (bool): replace tags that are already set.
    label_smoothing (float): share of each gold label's probability spread over all labels in the loss.
    reduction (str): "sum" adds the tokens' losses up, as spaCy's components do, so that components which share a
        tok2vec weigh alike; "mean" divides by the number of tokens that have a gold tag.
    scorer (Callable or None): the scoring method.
    """
    return BiLSTMTagger(
        nlp.vocab,
        model,
        name,
        overwrite=overwrite,
        label_smoothing=label_smoothing,
        reduction=reduction,
        scorer=scorer,
    )


class BiLSTMTagger(Tagger):
    """spaCy's Tagger with a loss on emissions: exact, over real tokens that have a tag, in one array a batch."""

    def __init__(
        self,
        vocab: Vocab,
        model: Model[list[Doc], list[Floats2d]],
        name: str = "bilstm_tagger",
        *,
        overwrite: bool = False,
        label_smoothing: float = 0.0,
        reduction: str = "sum",
        scorer: Optional[Callable] = None,
    ) -> None:
        check_fraction(name, "label_smoothing", label_smoothing)
        check_choice(name, "reduction", reduction, REDUCTIONS)
        super().__init__(vocab, model, name, overwrite=overwrite, scorer=scorer, label_smoothing=label_smoothing)
        self.cfg["reduction"] = reduction
        del self.cfg["neg_prefix"]

    def predict(self, docs: Iterable[Doc]) -> list[np.ndarray]:
        """The number of each token's best label; one (tokens,) array for each doc, on the CPU."""
        docs = list(docs)
        lengths = [len(doc) for doc in docs]
        if not sum(lengths):
            return [np.zeros(0, dtype="int64") for _ in docs]
        emissions = self.model.ops.flatten(self.model.predict(docs))
        best = emissions.argmax(axis=1)
        best = best.get() if hasattr(best, "get") else best  # one copy from the device for the whole batch
        return np.split(best, np.cumsum(lengths)[:-1])

    def update(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optional[Optimizer] = None,
        losses: Optional[dict[str, float]] = None,
    ) -> dict[str, float]:
        """As in spaCy's Tagger, with the check for NaN once a batch, in `get_loss`."""
        return TrainablePipe.update(self, examples, drop=drop, sgd=sgd, losses=losses)

    def get_loss(self, examples: Iterable[Example], scores: list[Floats2d]) -> tuple[float, list[Floats2d]]:
        """Cross entropy in nats over the tokens that have an aligned gold tag, and its gradient for each doc.

        RAISES: ValueError for a gold tag that is not among the labels, and for a loss that is not a number.
        """
        examples = list(examples)
        validate_examples(examples, "BiLSTMTagger.get_loss")
        tags = [tag for eg in examples for tag in eg.get_aligned("TAG", as_string=True)]
        index = {label: i for i, label in enumerate(self.labels)}
        try:
            targets = label_numbers(self.model.ops, tags, index)
        except KeyError as error:
            message = Errors.LABEL_UNKNOWN.format(name=self.name, label=error.args[0], count=len(index))
            raise ValueError(message) from None
        loss, gradient = masked_cross_entropy(
            self.model.ops,
            self.model.ops.flatten(scores),
            targets,
            reduction=self.cfg["reduction"],
            label_smoothing=self.cfg["label_smoothing"],
        )
        return self._check_loss(loss), self._by_doc(gradient, scores)

    def rehearse(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optional[Optimizer] = None,
        losses: Optional[dict[str, float]] = None,
    ) -> dict[str, float]:
        """Pull the predictions back towards those of the model that `nlp.resume_training()` put aside."""
        losses = {} if losses is None else losses
        losses.setdefault(self.name, 0.0)
        examples = list(examples)
        validate_examples(examples, "BiLSTMTagger.rehearse")
        docs = [eg.predicted for eg in examples]
        if self._rehearsal_model is None or not any(len(doc) for doc in docs):
            return losses
        set_dropout_rate(self.model, drop)
        ops = self.model.ops
        emissions, backprop = self.model.begin_update(docs)
        wanted = ops.softmax(ops.flatten(self._rehearsal_model.predict(docs)))
        loss, gradient = soft_cross_entropy(ops, ops.flatten(emissions), wanted, reduction=self.cfg["reduction"])
        backprop(self._by_doc(gradient, emissions))
        if sgd not in (None, False):
            self.finish_update(sgd)
        losses[self.name] += self._check_loss(loss)
        return losses

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Optional[Language] = None,
        labels: Optional[Union[list[str], tuple[str, ...]]] = None,
    ) -> None:
        """Collect the labels (from `labels`, else from all examples, sorted) and build the network.

        RAISES: ValueError where there is no label.
        """
        validate_get_examples(get_examples, "BiLSTMTagger.initialize")
        if labels is None:
            labels = sorted({token.tag_ for eg in get_examples() for token in eg.y if token.tag_})
        for label in labels:
            self.add_label(label)
        self._require_labels()
        docs = [eg.x for eg in islice(get_examples(), 10)]
        outputs = [self.model.ops.alloc2f(len(doc), len(self.labels)) for doc in docs]
        self.model.initialize(X=docs, Y=outputs)

    def _check_loss(self, loss: float) -> float:
        if np.isnan(loss):
            raise ValueError(Errors.LOSS_NAN.format(name=self.name))
        return loss

    def _by_doc(self, rows: Floats2d, like: list[Floats2d]) -> list[Floats2d]:
        return self.model.ops.unflatten(rows, np.array([len(array) for array in like], dtype="i"))

"""The `bilstm_tagger` component: one tag for every token."""

from dataclasses import dataclass
from typing import Callable, Iterable, Iterator, Optional, Union

import numpy as np
from spacy.language import Language
from spacy.pipeline.tagger import Tagger
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab
from thinc.api import Model
from thinc.types import Floats2d

from ..checks import check_choice, check_fraction
from ..errors import ConfigError, Errors
from ..partial_labels import EITHER, is_either, is_open, single_tags
from .chains import is_crf
from .default_models import TOKEN_CLASSIFIER
from .examples import check_examples
from .heads import head_of
from .learner import Learner
from .losses import allowed_labels
from .step import Step
from .tag_scores import set_tag_scores

REDUCTIONS = ("sum", "mean")


@dataclass(frozen=True)
class Tagged:
    """One text's tags. labels (int64): (tokens,); scores (float32): (tokens, labels), where they were asked for."""

    labels: np.ndarray
    scores: Optional[np.ndarray] = None


@Language.factory(
    "bilstm_tagger",
    assigns=["token.tag"],
    default_config={
        "model": TOKEN_CLASSIFIER,
        "overwrite": False,
        "label_smoothing": 0.0,
        "reduction": "sum",
        "tag_scores": False,
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
    tag_scores: bool,
    scorer: Optional[Callable],
) -> "BiLSTMTagger":
    """Make a part-of-speech tagger whose model gives emissions: `TokenClassifier.v1` or `LinearChainCRF.v1`.

    model (Model): list of docs -> list of (tokens, labels) emissions.
    overwrite (bool): replace tags that are already set.
    label_smoothing (float): share of each gold label's probability spread over all labels in the loss; not with a CRF.
    reduction (str): "sum" adds the tokens' losses up, as spaCy's components do, so that components which share a
        tok2vec weigh alike; "mean" divides by the number of tokens that have a gold tag.
    tag_scores (bool): keep the probability of every tag of every token: `token._.tag_scores`, a dict.
    scorer (Callable or None): the scoring method.
    RAISES: ConfigError for a setting out of range.
    """
    return BiLSTMTagger(
        nlp.vocab,
        model,
        name,
        overwrite=overwrite,
        label_smoothing=label_smoothing,
        reduction=reduction,
        tag_scores=tag_scores,
        scorer=scorer,
    )


class BiLSTMTagger(Learner, Tagger):
    """spaCy's Tagger with a loss on emissions, over real tokens that have a tag, in one array a batch."""

    def __init__(
        self,
        vocab: Vocab,
        model: Model[list[Doc], list[Floats2d]],
        name: str = "bilstm_tagger",
        *,
        overwrite: bool = False,
        label_smoothing: float = 0.0,
        reduction: str = "sum",
        tag_scores: bool = False,
        scorer: Optional[Callable] = None,
    ) -> None:
        check_fraction(name, "label_smoothing", label_smoothing)
        check_choice(name, "reduction", reduction, REDUCTIONS)
        if label_smoothing and is_crf(model):
            raise ConfigError(
                f"{name}: label_smoothing = {label_smoothing} has no meaning for a CRF, whose loss is that of "
                "whole sequences; expected 0"
            )
        super().__init__(vocab, model, name, overwrite=overwrite, scorer=scorer, label_smoothing=label_smoothing)
        self.cfg["reduction"] = reduction
        self.cfg["tag_scores"] = tag_scores
        self.cfg["as_made"] = {"overwrite": overwrite, "tag_scores": tag_scores}  # see `loading`
        del self.cfg["neg_prefix"]

    @property
    def n_outputs(self) -> int:
        return len(self.labels)

    def predict(self, docs: Iterable[Doc]) -> list[Tagged]:
        """The tags of each doc."""
        docs = list(docs)
        lengths = [len(doc) for doc in docs]
        if not sum(lengths):
            return [Tagged(np.zeros(0, dtype="int64")) for _ in docs]
        emissions = self.model.ops.flatten(self.model.predict(docs))
        best, scores = head_of(self.model).decode(emissions, lengths, scores=self.cfg["tag_scores"], name=self.name)
        bounds = np.cumsum(lengths)[:-1]
        labels = np.split(best, bounds)
        if scores is None:
            return [Tagged(each) for each in labels]
        return [Tagged(*pair) for pair in zip(labels, np.split(scores, bounds))]

    def set_annotations(self, docs: Iterable[Doc], tagged: Iterable[Tagged]) -> None:
        """Set `token.tag`, and `token._.tag_scores` where they are kept."""
        docs, tagged = list(docs), list(tagged)
        super().set_annotations(docs, [each.labels for each in tagged])
        for doc, each in zip(docs, tagged):
            if each.scores is not None:
                set_tag_scores(doc, self.labels, each.scores)

    def gold_labels(self, doc: Doc) -> Iterator[str]:
        known = set(self.labels)
        for token in doc:
            if not is_open(token.tag_, known):
                yield token.tag_
            elif is_either(token.tag_, known):
                yield from token.tag_.split(EITHER)

    def _gold_step(self, examples: list[Example], scores: list[Floats2d]) -> Step:
        tags = [tag for eg in examples for tag in eg.get_aligned("TAG", as_string=True)]
        index = {label: i for i, label in enumerate(self.labels)}
        try:
            allowed = allowed_labels(tags, index)
        except KeyError as error:
            message = Errors.LABEL_UNKNOWN.format(name=self.name, label=error.args[0], count=len(index))
            raise ValueError(message) from None
        emissions, lengths = self.model.ops.flatten(scores), [len(array) for array in scores]
        smoothing = self.cfg["label_smoothing"]
        step = head_of(self.model).loss(emissions, lengths, allowed, label_smoothing=smoothing)
        return self._reduce(step, int((~allowed.all(axis=1)).sum()))

    def _rehearsal_step(self, examples: list[Example], scores: list[Floats2d], teacher: Model) -> Step:
        flatten = self.model.ops.flatten
        lengths = [len(array) for array in scores]
        wanted = flatten(teacher.predict([eg.predicted for eg in examples]))
        return self._reduce(head_of(self.model).rehearse(flatten(scores), lengths, teacher, wanted), sum(lengths))

    def _reduce(self, step: Step, count: int) -> Step:
        return step.divided_by(max(count, 1)) if self.cfg["reduction"] == "mean" else step

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Optional[Language] = None,
        labels: Optional[Union[list[str], tuple[str, ...]]] = None,
    ) -> None:
        """Collect the labels (from `labels`, else from all examples, sorted) and build the network.

        RAISES: ConfigError where there is no label.
        """
        check_examples(get_examples, "BiLSTMTagger.initialize")
        if labels is None:
            labels = sorted(single_tags({token.tag_ for eg in get_examples() for token in eg.y}))
        for label in labels:
            self.add_label(label)
        if not self.labels:
            raise ConfigError(Errors.TAGGER_NO_LABELS.format(name=self.name))
        self.build(get_examples)

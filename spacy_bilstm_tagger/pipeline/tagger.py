"""The `bilstm_tagger` component: one tag for every token."""

from dataclasses import dataclass
from itertools import chain
from typing import Any, Callable, Iterable, Iterator, Literal, Optional, Sequence

import numpy as np
from numpy.typing import NDArray
from spacy.attrs import IS_SPACE
from spacy.language import Language
from spacy.pipeline.tagger import Tagger
from spacy.tokens import Doc, Token
from spacy.training import Example

from ..crf.inference import ChainScores, marginals, viterbi
from ..layers.label_scores import ScoresModel
from ..lexicon.files import use_checksums
from ..types import Ints, Mask
from ..util import check_bool
from . import TOKEN_CLASSIFIER
from .base import SequenceComponent, Setting
from .gold import allowed_tags, annotated_tags, single_tags

SCORE_WEIGHTS = {
    "tag_acc": 1.0,
    "tag_acc_doc_mean": None,
    "tag_micro_f": None,
    "tag_micro_f_doc_mean": None,
    "tag_macro_f": None,
    "tag_per_type": None,
}
TAG_SCORES = "tag_scores"
SPACE_TAG = "_SP"


@dataclass(frozen=True)
class Tagged:
    """One text's tags. labels (int64): (tokens,); scores (float32): (tokens, labels), if they are kept."""

    labels: Ints
    scores: Optional[NDArray[np.float32]] = None


@Language.factory(
    "bilstm_tagger",
    assigns=["token.tag"],
    default_config={
        "model": TOKEN_CLASSIFIER,
        "overwrite": False,
        "reduction": "sum",
        "tag_scores": False,
        "scorer": {"@scorers": "spacy-bilstm-tagger.tagger_scorer.v1"},
    },
    default_score_weights=SCORE_WEIGHTS,
)
def make_bilstm_tagger(
    nlp: Language,
    name: str,
    model: ScoresModel,
    overwrite: bool,
    reduction: Literal["sum", "mean"],
    tag_scores: bool,
    scorer: Optional[Callable],
) -> "BiLSTMTagger":
    """Make a part-of-speech tagger on `TokenClassifier.v1` or `LinearChainCRF.v1`.

    model (Model): list of docs -> scores of (tokens, labels).
    overwrite (bool): replace tags that are already set.
    reduction (str): "sum" adds up the losses of the tokens, as spaCy's components do, so that components which share a
        tok2vec weigh alike; "mean" divides by the number of tokens that have a gold tag.
    tag_scores (bool): keep the probability of every tag of every token: `token._.tag_scores`, a dict.
    scorer (Callable or None): the scoring method.
    """
    use_checksums(nlp)
    return BiLSTMTagger(
        nlp.vocab, model, name, overwrite=overwrite, reduction=reduction, tag_scores=tag_scores, scorer=scorer
    )


class TagComponent(SequenceComponent):
    """Sets `token.tag` to the best sequence of tags; white space gets `_SP`, as in spaCy's pipelines."""

    overwrite = Setting()

    @classmethod
    def check_settings(cls, name: str, **settings: Any) -> None:
        """RAISES: ConfigError for a setting that is neither true nor false."""
        check_bool(
            name, **{key: value for key, value in settings.items() if isinstance(getattr(cls, key, None), Setting)}
        )

    @property
    def n_outputs(self) -> int:
        return len(self.labels)

    def gold_labels(self, doc: Doc) -> Iterator[str]:
        return annotated_tags(doc, set(self.labels))

    def find_labels(self, docs: Iterable[Doc]) -> set[str]:
        tags = {tag for doc in docs for tag in chain((token.tag_ for token in doc), self.soft_label_names(doc))}
        return single_tags(tags)

    def has_gold(self, doc: Doc) -> bool:
        return bool(doc.has_annotation("TAG"))

    @property
    def soft_key(self) -> str:
        return "tags"

    @property
    def output_names(self) -> Sequence[str]:
        return self.labels

    def no_labels(self) -> str:
        return (
            f"{self.name}: found no tags; expected training data with tags, or [initialize.components.{self.name}.labels]. "
            "Where there are none, leave it out of [nlp] pipeline"
        )

    def allowed(self, examples: list[Example]) -> Mask:
        tags = (tag for eg in examples for tag in eg.get_aligned("TAG", as_string=True))
        return allowed_tags(tags, {label: i for i, label in enumerate(self.labels)})

    def decode(self, docs: list[Doc], scores: ChainScores) -> Sequence[Tagged]:
        labels = _split_by_doc(viterbi(scores).numpy(), docs)
        if not self.cfg.get(TAG_SCORES):
            return [Tagged(each) for each in labels]
        return [Tagged(*pair) for pair in zip(labels, _split_by_doc(marginals(scores).float().numpy(), docs))]

    def set_annotations(self, docs: Iterable[Doc], tagged: Iterable[Tagged]) -> None:
        """Set `token.tag`, and `token._.tag_scores` if they are kept."""
        docs, tagged = list(docs), list(tagged)
        spaces = [doc[i] for doc in docs for i in np.flatnonzero(doc.to_array(IS_SPACE)).tolist()]
        spaces = [token for token in spaces if self.overwrite or not token.tag]
        Tagger.set_annotations(self, docs, [each.labels for each in tagged])
        for token in spaces:
            token.tag_ = SPACE_TAG
        for doc, each in zip(docs, tagged):
            if each.scores is not None:
                doc.user_data[TAG_SCORES] = {"labels": list(self.labels), "scores": each.scores}


class BiLSTMTagger(TagComponent):
    """spaCy's Tagger with a loss over the tokens that have a tag, by a softmax or a linear-chain CRF."""

    tag_scores = Setting()

    def reduce(self, loss: float, gradient: ChainScores, count: int) -> tuple[float, ChainScores]:
        if self.cfg["reduction"] == "sum" or not count:
            return loss, gradient
        return loss / count, gradient.map(lambda part: part / count)


def tag_scores(token: Token) -> Optional[dict[str, float]]:
    """Tag -> probability, the most probable first; None if none are kept, or the tokens have changed since."""
    kept = token.doc.user_data.get(TAG_SCORES)
    if kept is None or len(kept["scores"]) != len(token.doc):  # tokens were merged, split or cut off since
        return None
    pairs = zip(kept["labels"], kept["scores"][token.i].tolist())
    return dict(sorted(pairs, key=_probability, reverse=True))


def _probability(pair: tuple[str, float]) -> float:
    return pair[1]


if not Token.has_extension(TAG_SCORES):
    Token.set_extension(TAG_SCORES, getter=tag_scores)


def _split_by_doc(rows: np.ndarray, docs: Sequence[Doc]) -> list[np.ndarray]:
    """(tokens of all docs, ...) -> (tokens, ...) for each doc."""
    return np.split(rows, np.cumsum([len(doc) for doc in docs])[:-1]) if docs else []

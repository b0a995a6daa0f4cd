"""The `bilstm_tagger` component: one tag, or one universal part of speech, for every token."""

import re
import warnings
from dataclasses import dataclass
from functools import partial
from itertools import chain
from operator import itemgetter
from typing import Any, Callable, Iterable, Iterator, Literal, Optional, Sequence

import numpy as np
from numpy.typing import NDArray
from spacy.attrs import IS_SPACE, LOWER, MORPH, POS, TAG
from spacy.language import Language
from spacy.parts_of_speech import IDS as POS_IDS
from spacy.pipeline.tagger import Tagger
from spacy.strings import get_string_id
from spacy.tokens import Doc, Token
from spacy.training import Example

from ..crf.inference import ChainScores, marginals, viterbi
from ..crf.packing import split_rows
from ..errors import ConfigError
from ..layers.label_scores import ScoresModel
from ..lexicon.files import use_checksums
from ..types import Ints, Mask
from ..util import check_bool, set_computed
from . import TOKEN_CLASSIFIER
from .base import SequenceComponent, Setting
from .gold import SPACE, aligned_tags, allowed_tags, alternatives, annotated_tags, gold_tags, single_tags

_MORE_SCORES = ("tag_acc_doc_mean", "tag_micro_f", "tag_micro_f_doc_mean", "tag_macro_f", "tag_per_type")
SCORE_WEIGHTS = {"tag_acc": 1.0, **dict.fromkeys(_MORE_SCORES)}
SCORES = {"tag": "tag_scores", "pos": "pos_scores"}  # the attributes of each token, and in Doc.user_data
_FEATURES = re.compile(r"_?|[^=|\s]+=[^=|\s]+(?:\|[^=|\s]+=[^=|\s]+)*")


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
        "attr": "tag",
        "overwrite": False,
        "reduction": "sum",
        "tag_scores": False,
        "morphs": {},
        "scorer": {"@scorers": "spacy-bilstm-tagger.tagger_scorer.v1"},
    },
    default_score_weights=SCORE_WEIGHTS,
)
def make_bilstm_tagger(
    nlp: Language,
    name: str,
    model: ScoresModel,
    attr: Literal["tag", "pos"],
    overwrite: bool,
    reduction: Literal["sum", "mean"],
    tag_scores: bool,
    morphs: dict[str, str],
    scorer: Optional[Callable],
) -> "BiLSTMTagger":
    """Make a part-of-speech tagger on `TokenClassifier.v1` or `LinearChainCRF.v1`.

    model (Model): list of docs -> scores of (tokens, labels).
    attr (str): what is learned and set: "tag", or "pos", the universal part of speech (https://universaldependencies.org/u/pos/).
        A pipeline may have one of each; the scores are named `pos_acc` and so on then.
    overwrite (bool): replace tags that are already set.
    reduction (str): "sum" adds up the losses of the tokens, as spaCy's components do, so that components which share a
        tok2vec weigh alike; "mean" divides by the number of tokens that have a gold tag.
    tag_scores (bool): keep the probability of every tag of every token: `token._.tag_scores`, or `token._.pos_scores`, a dict.
    morphs (dict): the features that a tag stands for (https://universaldependencies.org/u/feat/), such as
        {"VBD": "Tense=Past|VerbForm=Fin"}; they become `token.morph`. "PRP she" are those of a word with this tag, in small
        letters. A pipeline without an `attribute_ruler` for them is faster.
    scorer (Callable or None): the scoring method.
    """
    use_checksums(nlp)
    settings = {
        "attr": attr,
        "overwrite": overwrite,
        "reduction": reduction,
        "tag_scores": tag_scores,
        "morphs": morphs,
    }
    return BiLSTMTagger(nlp.vocab, model, name, scorer=scorer, **settings)


class TagComponent(SequenceComponent):
    """Sets `token.tag` to the best sequence of tags, or `token.pos`; white space gets `_SP` or SPACE, as in spaCy's
    pipelines."""

    overwrite = Setting()

    @property
    def attr(self) -> str:
        """What is set: "tag" or "pos"."""
        return str(self.cfg.get("attr", "tag"))

    @classmethod
    def check_settings(cls, name: str, **settings: Any) -> None:
        switches = (key for key in settings if key != "morphs" and isinstance(getattr(cls, key, None), Setting))
        check_bool(name, **{key: settings[key] for key in switches})

    @property
    def n_outputs(self) -> int:
        return len(self.labels)

    def gold_labels(self, doc: Doc) -> Iterator[str]:
        return annotated_tags(doc, self.attr, set(self.labels))

    def find_labels(self, docs: Iterable[Doc]) -> set[str]:
        tags = {tag for doc in docs for tag in chain(gold_tags(doc, self.attr), self.soft_label_names(doc))}
        if self.attr == "tag":
            return single_tags(tags)
        return {part for tag in tags for part in alternatives(tag) if part} - {SPACE["pos"]}

    def add_label(self, label: str) -> int:
        """As the base's. RAISES: ValueError for what is no universal part of speech, if these are set."""
        if self.attr == "pos" and label not in POS_IDS:
            raise ValueError(
                f"{self.name}: found the part of speech {label!r}; expected universal ones, such as NOUN and VERB. For other "
                'tag sets, use attr = "tag"'
            )
        return super().add_label(label)

    def has_gold(self, doc: Doc) -> bool:
        return any(gold_tags(doc, self.attr))

    @property
    def soft_key(self) -> str:
        return "tags" if self.attr == "tag" else "pos"

    @property
    def output_names(self) -> Sequence[str]:
        return self.labels

    def no_labels(self) -> str:
        kind = "tags" if self.attr == "tag" else "universal parts of speech"
        return (
            f"{self.name}: found no {kind}; expected training data with {kind}, or [initialize.components.{self.name}.labels]. "
            "Where there are none, leave it out of [nlp] pipeline (--nlp.pipeline with the others)"
        )

    def allowed(self, examples: list[Example]) -> Mask:
        tags = (tag for eg in examples for tag in aligned_tags(eg, self.attr))
        return allowed_tags(tags, {label: i for i, label in enumerate(self.labels)})

    def decode(self, docs: list[Doc], scores: ChainScores) -> Sequence[Tagged]:
        labels = split_rows(viterbi(scores).numpy(), scores.lengths)
        if not self.cfg.get("tag_scores"):
            return [Tagged(each) for each in labels]
        return [Tagged(*pair) for pair in zip(labels, split_rows(marginals(scores).float().numpy(), scores.lengths))]

    def set_annotations(self, docs: Iterable[Doc], tagged: Iterable[Tagged]) -> None:
        """Set `token.tag` or `token.pos`, and their probabilities if they are kept."""
        docs, tagged = list(docs), list(tagged)
        if self.attr == "tag":
            spaces = [doc[i] for doc in docs for i in np.flatnonzero(doc.to_array(IS_SPACE)).tolist()]
            spaces = [token for token in spaces if self.overwrite or not token.tag]
            Tagger.set_annotations(self, docs, [each.labels for each in tagged])
            for token in spaces:
                token.tag_ = SPACE["tag"]
        else:
            self._set_pos(docs, tagged)
        key = _user_data_key(SCORES[self.attr])
        for doc, each in zip(docs, tagged):
            doc.user_data.pop(key, None)  # of an earlier pass
            if each.scores is not None:
                starts = [token.idx for token in doc]
                doc.user_data[key] = {"labels": list(self.labels), "scores": each.scores, "starts": starts}

    def _set_pos(self, docs: list[Doc], tagged: list[Tagged]) -> None:
        ids = np.array([POS_IDS[label] for label in self.labels], dtype="uint64")
        for doc, each in zip(docs, tagged):
            found = np.where(doc.to_array(IS_SPACE), POS_IDS[SPACE["pos"]], ids[each.labels])
            before = doc.to_array(POS)
            kept = found if self.overwrite else np.where(before, before, found)
            doc.from_array([POS], np.asarray(kept, dtype="uint64")[:, None])  # type: ignore[arg-type]


class BiLSTMTagger(TagComponent):
    """Learns from the tokens that have a tag, by a softmax or a linear-chain CRF."""

    tag_scores = Setting()
    morphs = Setting()

    @classmethod
    def check_settings(cls, name: str, **settings: Any) -> None:
        super().check_settings(name, **settings)
        morphs = settings["morphs"]
        is_right = isinstance(morphs, dict) and all(isinstance(each, str) for pair in morphs.items() for each in pair)
        if not is_right or not all(map(_FEATURES.fullmatch, morphs.values())):
            raise ConfigError(
                f"{name}: morphs = {morphs!r}; expected features by tags, such as {{'VBD': 'Tense=Past|VerbForm=Fin'}}"
            )

    def check_gold(self, examples: Iterable[Example]) -> None:
        """Warn of morphs of what is no label."""
        others = sorted({key.partition(" ")[0] for key in self.morphs} - {*self.labels, SPACE[self.attr]})
        if others:
            warnings.warn(f"{self.name}: morphs of {', '.join(others)}, which are no labels of it, are of no effect", stacklevel=2)

    def set_annotations(self, docs: Iterable[Doc], tagged: Iterable[Tagged]) -> None:
        """Set `token.tag` or `token.pos`, their probabilities if they are kept, and `token.morph` of tags that have features."""
        docs = list(docs)
        super().set_annotations(docs, tagged)
        if not self.morphs:
            return
        # By the tags that stand in the doc, which were set before where these are not overwritten.
        is_tag = self.attr == "tag"
        features: dict[tuple[int, int], int] = {}  # by tag, and by word or 0
        for key, text in self.morphs.items():
            tag, _, word = key.partition(" ")
            tag_id = get_string_id(tag) if is_tag else POS_IDS.get(tag, 0)
            for form in {word, word.replace("'", "’")}:
                features[tag_id, get_string_id(form) if form else 0] = self.vocab.morphology.add(text)
        of_words = {tag for tag, word in features if word}
        for doc in docs:
            rows = doc.to_array([TAG if is_tag else POS, LOWER]).tolist()
            keys = [(tag, lower if tag in of_words and (tag, lower) in features else 0) for tag, lower in rows]
            found, before = np.array([features.get(key, 0) for key in keys], dtype="uint64"), doc.to_array(MORPH)
            kept = np.where(found, found, before) if self.overwrite else np.where(before, before, found)
            doc.from_array([MORPH], np.asarray(kept, dtype="uint64")[:, None])  # type: ignore[arg-type]

    def reduce(self, loss: float, gradient: ChainScores, count: int) -> tuple[float, ChainScores]:
        if self.cfg["reduction"] == "sum" or not count:
            return loss, gradient
        return loss / count, gradient.map(lambda part: part / count)


def _user_data_key(name: str) -> Any:
    """As spaCy's own attributes have it, so that what copies and joins docs knows it."""
    return ("._.", name, None, None)


def tag_scores(token: Token, attr: str = "tag") -> Optional[dict[str, float]]:
    """Tag -> probability, the most probable first; None if none are kept, or the tokens have changed since."""
    kept, i = token.doc.user_data.get(_user_data_key(SCORES[attr])), token.i
    # Tokens may have been merged, split or cut off since. The end of a token is known from the beginning of the next one.
    if kept is None or len(kept["scores"]) != len(token.doc):
        return None
    if list(kept["starts"][i : i + 2]) != [each.idx for each in token.doc[i : i + 2]]:
        return None
    pairs = zip(kept["labels"], kept["scores"][token.i].tolist())
    return dict(sorted(pairs, key=itemgetter(1), reverse=True))


for _attr, _name in SCORES.items():
    set_computed(Token, _name, partial(tag_scores, attr=_attr))

"""The `bilstm_ner` component: named entities and their probabilities, from a linear-chain CRF."""

import math
import re
import warnings
from typing import Any, Callable, Iterable, Iterator, Optional, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example

from ..crf.inference import ChainScores, forward_backward
from ..crf.spans import SpanProbabilities
from ..errors import ConfigError
from ..layers.label_scores import ScoresModel, add_labels, has_chain
from ..lexicon.files import use_checksums
from ..types import Mask
from ..util import check_above_zero, check_at_least, check_bool
from . import LINEAR_CHAIN_CRF
from .base import ARE_ENTS, Setting, span_group, span_score
from .entities import EntityScheme, Scheme, ScoredEntities, ScoredSpans, find_entities, preset_mask, to_bio
from .gold import EITHER, OUTSIDE, aligned_ner, alternatives, annotated_types
from .soft_labels import SoftLabels, soft_names
from .span_component import SpanComponent, SpanScorer

# Initial bias of the tags of a type that is added after training.
NEW_TYPE_BIAS = -5.0
SCORE_WEIGHTS = {"ents_f": 1.0, "ents_p": 0.0, "ents_r": 0.0}
_TAG = re.compile(r"([BI])-(.+)")
_MORE_SCORES = [*(f"ents_{part}_doc_mean" for part in "fpr"), "ents_acc", "ents_acc_doc_mean", "ents_per_type"]


@Language.factory(
    "bilstm_ner",
    assigns=["doc.ents", "token.ent_iob", "token.ent_type", "doc.spans"],
    default_config={
        "model": LINEAR_CHAIN_CRF,
        "scheme": "bio",
        "overwrite": False,
        "spans_key": "ents",
        "threshold": None,
        "entity_odds": 1.0,
        "temperature": 1.0,
        "top_k": 0,
        "scorer": {"@scorers": "spacy-bilstm-tagger.ner_scorer.v1"},
    },
    default_score_weights={**SCORE_WEIGHTS, **dict.fromkeys(_MORE_SCORES)},
)
def make_bilstm_ner(
    nlp: Language,
    name: str,
    model: ScoresModel,
    scheme: Scheme,
    overwrite: bool,
    spans_key: Optional[str],
    threshold: Optional[float],
    entity_odds: float,
    temperature: float,
    top_k: int,
    scorer: Optional[Callable],
) -> "BiLSTMNER":
    """Make a named entity recognizer on a linear-chain CRF, such as `LinearChainCRF.v1`.

    model (Model): list of docs -> scores of (tokens, tags), with transitions.
    scheme (str): "bio" or "biluo" ("bioes" is another name for it): the tags that spell an entity inside the model.
    overwrite (bool): replace entities that are already set, instead of keeping them and decoding around them.
    spans_key (str or None): `doc.spans[spans_key]` gets the entities that were found, and its attrs["scores"] the
        probability of each, that exactly this span is an entity of this type. None: no scores.
    threshold (float or None): None takes the most probable tag sequence. A number takes instead all spans of at least
        this probability, the most probable first where they overlap: a high one for precision, a low one for recall.
        Below 0.01 it is 0.01.
    entity_odds (float): how many times as frequent entities are in the texts to come as in the training data. It
        multiplies the odds that an entity begins at a token (Saerens et al. 2002, "Adjusting the outputs of a
        classifier to new a priori probabilities"), in prediction only.
    temperature (float): divisor of all scores of the chain, in prediction only. Above 1 it corrects a network that is
        surer than it is right (Guo et al. 2017, "On calibration of modern neural networks"). Alone it leaves the most
        probable sequence as it is.
    top_k (int): `doc.spans[spans_key + "_alternatives"]` gets up to so many of the most probable spans of a text that
        are not among its entities, with their probabilities, if those are at least 0.01.
    scorer (Callable or None): the scoring method.
    RAISES: ConfigError for a setting out of range, and for a model without a CRF.
    """
    if not has_chain(model):
        raise ConfigError(
            f"{name}: the model has no scores between labels; expected [components.{name}.model] with "
            '@architectures = "spacy-bilstm-tagger.LinearChainCRF.v1"'
        )
    use_checksums(nlp)
    settings = {
        "scheme": scheme,
        "overwrite": overwrite,
        "spans_key": spans_key,
        "threshold": threshold,
        "top_k": top_k,
    }
    odds = {"entity_odds": entity_odds, "temperature": temperature}
    return BiLSTMNER(nlp.vocab, model, name, scorer=scorer, **settings, **odds)


class BiLSTMNER(SpanComponent):
    """Decodes under the constraints of its scheme and of entities that are already there; trains on partial labels."""

    overwrite, entity_odds, temperature, top_k = Setting(), Setting(), Setting(), Setting()
    resizable = True
    key_may_be_none = True
    _scheme: Optional[EntityScheme] = None

    @classmethod
    def check_settings(cls, name: str, **settings: Any) -> None:
        super().check_settings(name, **settings)
        check_bool(name, overwrite=settings["overwrite"])
        check_above_zero(name, entity_odds=settings["entity_odds"], temperature=settings["temperature"])
        top_k = settings["top_k"]
        check_at_least(name, 0, top_k=top_k)
        if top_k and settings["spans_key"] is None:
            raise ConfigError(f"{name}: top_k = {top_k} needs a spans_key under which the alternatives are kept, found null")

    @property
    def scheme(self) -> EntityScheme:
        """The tags of the entity types."""
        wanted = self.labels, self.cfg["scheme"]
        if self._scheme is None or (self._scheme.types, self._scheme.name) != wanted:
            self._scheme = EntityScheme(*wanted)
        return self._scheme

    @property
    def n_outputs(self) -> int:
        return len(self.scheme.tags)

    def gold_labels(self, doc: Doc) -> Iterator[str]:
        return (part for ent in doc.ents for part in alternatives(ent.label_))

    def has_gold(self, doc: Doc) -> bool:
        return bool(doc.has_annotation("ENT_IOB"))

    @property
    def soft_key(self) -> str:
        return "ents"

    @property
    def output_names(self) -> list[str]:
        return self.scheme.tags

    def soft_label_names(self, doc: Doc) -> Iterator[str]:
        return (label.partition("-")[2] or label for label in soft_names(doc, self.soft_key) if label != OUTSIDE)

    def read_soft_labels(self, doc: Doc) -> Optional[SoftLabels]:
        soft, annotated = super().read_soft_labels(doc), annotated_types(doc)
        return soft and soft.rename(lambda tag: self.scheme.names_of(tag, annotated))

    def write_soft_labels(self, doc: Doc, soft: SoftLabels) -> None:
        """By the tags of BIO, whatever the scheme."""
        super().write_soft_labels(doc, soft.rename(to_bio))

    def no_labels(self) -> str:
        return (
            f"{self.name}: found no entity types; expected training data with entities, or "
            f"[initialize.components.{self.name}.labels]. Where there are none, leave it out of [nlp] pipeline "
            "(--nlp.pipeline with the others)"
        )

    def add_label(self, label: str) -> int:
        """Add an entity type. Returns 1 if it is new, 0 if not.

        A trained network grows by it: the scores of the others stay, and the new one is improbable everywhere until
        training shows it. The model that `nlp.resume_training()` put aside for `rehearse` grows too.
        RAISES: ValueError for an ensemble, which does not grow, and for an empty label or one with "|". WARNS: of a tag.
        """
        if isinstance(label, str) and EITHER in label:
            raise ValueError(
                f"{self.name}: found the entity type {label!r}; expected a name without '|', which stands for one of several"
            )
        if isinstance(label, str) and label not in self.labels and self._looks_like_tag(label):
            message = (
                f"{self.name}: the entity type {label!r} looks like a tag; expected the type alone, {label[2:]!r}, of whose "
                "entities the component makes tags itself"
            )
            warnings.warn(message, stacklevel=2)
        is_built = self.model.has_ref("output_layer") and self.model.get_ref("output_layer").has_param("W")
        if not is_built or not isinstance(label, str) or not label or label in self.labels:
            return super().add_label(label)
        self.cfg["labels"].append(label)
        self.vocab.strings.add(label)
        for model in (self.model, self._rehearsal_model):
            if model is not None:
                add_labels(model, self.n_outputs, bias=NEW_TYPE_BIAS)
        return 1

    def _looks_like_tag(self, label: str) -> bool:
        tag = _TAG.fullmatch(label)
        known = {tag[2], f"{'BI'.replace(tag[1], '')}-{tag[2]}"} if tag else set()
        return tag is not None and (tag[2].isupper() or not known.isdisjoint(self.labels))

    def check_gold(self, examples: Iterable[Example]) -> None:
        """Warn of entities that do not align with the tokens."""
        total = misaligned = 0
        for eg in examples:
            total += len(eg.y.ents)
            if len(eg.x) != len(eg.y) or any(a.text != b.text for a, b in zip(eg.x, eg.y)):
                misaligned += len(eg.y.ents) - len(eg.get_aligned_spans_y2x(eg.y.ents, allow_overlap=False))
        if misaligned:
            message = (
                f"{self.name}: {misaligned} of {total} gold entities do not align with the tokens. Their tokens count as missing "
                "in training, all others are used; fix the offsets or the tokenizer to use these too"
            )
            warnings.warn(message, stacklevel=2)

    def allowed(self, examples: list[Example]) -> Mask:
        pairs = ((aligned_ner(eg), annotated_types(eg.reference)) for eg in examples)
        return np.concatenate([self.scheme.gold_mask(*pair) for pair in pairs])

    def constrain(self, scores: ChainScores) -> ChainScores:
        return self.scheme.constrain(scores)

    def adjust(self, scores: ChainScores) -> ChainScores:
        temperature, odds = self.cfg["temperature"], self.cfg["entity_odds"]
        if temperature != 1:
            scores = scores.map(lambda part: part / temperature)
        if odds != 1:
            scores = scores.with_emissions(scores.emissions + torch.from_numpy(self.scheme.opening) * math.log(odds))
        return scores

    def span_scorer(self, scores: ChainScores) -> SpanScorer:
        scheme = self.scheme
        probabilities = SpanProbabilities(forward_backward(scores), scheme.spans)

        def score(spans: Sequence[tuple[int, int, str]]) -> NDArray[np.float32]:
            numbered = [(start, end, scheme.types.index(label)) for start, end, label in spans]
            starts, ends, types = np.array(numbered, dtype=np.int64).reshape(-1, 3).T
            return probabilities.score_spans((starts, ends, types))

        return score

    def decode(self, docs: list[Doc], scores: ChainScores) -> list[ScoredSpans]:
        scheme, cfg = self.scheme, self.cfg
        scores = self.adjust(scores)
        allowed = preset_mask(docs, scheme, overwrite=cfg["overwrite"])
        if allowed is not None:
            scores = scores.allow(torch.from_numpy(allowed))
        with_scores = cfg["spans_key"] is not None
        return find_entities(scores, scheme, threshold=self.threshold, top_k=cfg["top_k"], with_scores=with_scores)

    def set_annotations(self, docs: Iterable[Doc], found: Iterable[ScoredSpans]) -> None:
        """Set `doc.ents`, and `doc.spans` if scores are kept. Outside and missing tokens become outside; blocked tokens
        stay blocked."""
        key = self.cfg["spans_key"]
        for doc, scored in zip(docs, found):
            is_known = doc.has_annotation("ENT_IOB")
            preset = list(doc.ents) if is_known and not self.cfg["overwrite"] else []
            taken = {i for ent in preset for i in range(ent.start, ent.end)}
            spans, scores = self._spans(taken, doc, scored.entities)
            with_earlier = spans, scores
            if key is not None and preset:  # of another recognizer, perhaps, which has its scores under this key too
                earlier = [(ent, score) for ent in preset if (score := span_score(ent)) is not None]
                pairs = sorted([*earlier, *zip(spans, scores)], key=lambda pair: pair[0].start)
                with_earlier = [span for span, _ in pairs], [score for _, score in pairs]
            known = doc if is_known else ()
            blocked = [doc[token.i : token.i + 1] for token in known if token.ent_iob_ == "B" and not token.ent_type]
            doc.set_ents([*preset, *spans], blocked=blocked, default="outside")
            if key is not None or not preset:  # no other group is that of the entities now
                for group in doc.spans.values():
                    group.attrs.pop(ARE_ENTS, None)
            if key is not None:
                doc.spans[key] = span_group(doc, key, *with_earlier, are_ents=True)
                name = f"{key}_alternatives"
                if self.cfg["top_k"]:
                    doc.spans[name] = span_group(doc, name, *_others(spans, *self._spans(taken, doc, scored.alternatives)))
                elif name in doc.spans:  # of an earlier pass
                    del doc.spans[name]

    def _spans(self, taken: set[int], doc: Doc, scored: ScoredEntities) -> tuple[list[Span], list[float]]:
        """The spans of the doc that hold none of the tokens that are taken, without white space at their ends, and their
        scores."""
        labels = self.cfg["labels"]
        new = [(entity, score) for entity, score in scored if taken.isdisjoint(range(*entity[:2]))]
        spans = []
        for (start, end, number), _ in new:
            while doc[end - 1].is_space and end > start + 1:
                end -= 1
            spans.append(Span(doc, start, end, label=labels[number]))
        return spans, [score for _, score in new]


def _others(entities: list[Span], spans: list[Span], scores: list[float]) -> tuple[list[Span], list[float]]:
    """The spans that are neither an entity nor one before them, as those may be that differed in white space alone."""
    known, kept = {(ent.start, ent.end, ent.label) for ent in entities}, []
    for span, score in zip(spans, scores):
        place = span.start, span.end, span.label
        if place not in known:
            known.add(place)
            kept.append((span, score))
    return [span for span, _ in kept], [score for _, score in kept]

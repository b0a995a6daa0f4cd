"""The `bilstm_ner` component: named entities and their probabilities, from a linear-chain CRF."""

import math
import warnings
from typing import Any, Callable, Iterable, Iterator, Optional, Sequence

import numpy as np
import torch
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example
from spacy.vocab import Vocab
from thinc.api import Model
from thinc.types import Floats2d

from ..checks import check_above_zero, check_choice, check_least
from ..errors import ConfigError, Errors
from ..layers.chain import Chain
from ..layers.crf import divergence, negative_log_likelihood
from ..models.linear_chain_crf import add_labels
from ..partial_labels import EITHER, annotated_types
from .chains import Constraints, chain_of, flat_emissions, on_host, require_crf
from .default_models import LINEAR_CHAIN_CRF
from .emissions import check_finite
from .entity_decoding import ScoredSpans, decode
from .entity_scheme import SCHEMES, EntityScheme
from .examples import check_examples
from .preset_entities import preset_mask
from .span_groups import span_group
from .span_pipe import SpanPipe
from .step import Step

# The emission with which the tags of a type begin that a trained network is given.
NEW_TYPE = -5.0


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
    default_score_weights={
        "ents_f": 1.0,
        "ents_p": 0.0,
        "ents_r": 0.0,
        "ents_f_doc_mean": None,
        "ents_p_doc_mean": None,
        "ents_r_doc_mean": None,
        "ents_acc": None,
        "ents_acc_doc_mean": None,
        "ents_per_type": None,
    },
)
def make_bilstm_ner(
    nlp: Language,
    name: str,
    model: Model[list[Doc], list[Floats2d]],
    scheme: str,
    overwrite: bool,
    spans_key: Optional[str],
    threshold: Optional[float],
    entity_odds: float,
    temperature: float,
    top_k: int,
    scorer: Optional[Callable],
) -> "BiLSTMNER":
    """Make a named entity recognizer on a linear-chain CRF, such as `LinearChainCRF.v1`.

    model (Model): list of docs -> list of (tokens, tags) emissions, with the reference "crf".
    scheme (str): "bio" or "biluo" ("bioes" is another name for it): the tags that spell an entity inside the model.
    overwrite (bool): replace entities that are already set, instead of keeping them and decoding around them.
    spans_key (str or None): `doc.spans[spans_key]` gets the entities that were found, and its attrs["scores"] the
        probability of each, that exactly this span is an entity of this type. None: no scores.
    threshold (float or None): None takes the most probable tag sequence. A number takes instead all spans of at least
        this probability, the most probable first where they overlap: a high one for precision, a low one for recall.
    entity_odds (float): how many times as frequent entities are in the texts to come as in the training data. It
        multiplies the odds that an entity begins at a token (Saerens et al. 2002, "Adjusting the outputs of a
        classifier to new a priori probabilities"), in prediction only.
    temperature (float): what all scores of the chain are divided by, in prediction only. Above 1 it corrects a network
        that is surer than it is right (Guo et al. 2017, "On calibration of modern neural networks"). Alone it leaves
        the most probable sequence as it is.
    top_k (int): `doc.spans[spans_key + "_alternatives"]` gets up to so many of the most probable spans of a text that
        are not among its entities, with their probabilities, where those are at least 0.01.
    scorer (Callable or None): the scoring method.
    RAISES: ConfigError for a setting out of range, and for a model without a CRF.
    """
    return BiLSTMNER(
        nlp.vocab,
        model,
        name,
        scheme=scheme,
        overwrite=overwrite,
        spans_key=spans_key,
        threshold=threshold,
        entity_odds=entity_odds,
        temperature=temperature,
        top_k=top_k,
        scorer=scorer,
    )


class BiLSTMNER(SpanPipe):
    """Decodes under the constraints of its scheme and of entities that are already there; trains on partial labels."""

    grows = True  # add_label also works when it is trained

    def __init__(
        self,
        vocab: Vocab,
        model: Model[list[Doc], list[Floats2d]],
        name: str = "bilstm_ner",
        *,
        scheme: str = "bio",
        overwrite: bool = False,
        spans_key: Optional[str] = "ents",
        threshold: Optional[float] = None,
        entity_odds: float = 1.0,
        temperature: float = 1.0,
        top_k: int = 0,
        scorer: Optional[Callable] = None,
    ) -> None:
        require_crf(name, model)
        check_choice(name, "scheme", scheme, SCHEMES)
        check_above_zero(name, "entity_odds", entity_odds)
        check_above_zero(name, "temperature", temperature)
        check_least(name, "top_k", top_k, 0)
        if spans_key == "":
            raise ConfigError(Errors.SPANS_NO_KEY.format(name=name))
        if top_k and spans_key is None:
            raise ConfigError(
                f"{name}: top_k = {top_k} needs a spans_key under which the alternatives are kept, found null"
            )
        self.vocab = vocab
        self.model = model
        self.name = name
        self.scorer = scorer
        self.cfg: dict[str, Any] = {
            "labels": [],
            "scheme": scheme,
            "overwrite": overwrite,
            "spans_key": spans_key,
            "threshold": None,
            "entity_odds": entity_odds,
            "temperature": temperature,
            "top_k": top_k,
        }
        self.threshold = threshold
        # The settings of prediction, as the config gives them; see `loading`.
        settings = ("overwrite", "threshold", "entity_odds", "temperature", "top_k")
        self.cfg["as_made"] = {key: self.cfg[key] for key in settings}
        self._scheme: Optional[EntityScheme] = None
        self._rehearsal_model: Optional[Model] = None

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

    def add_label(self, label: str) -> int:
        """Add an entity type. Returns 1 if it is new, 0 if not.

        A trained network grows by it: what it knows of the others stays, and the new one is improbable everywhere until
        training shows it. So it is for the model that `nlp.resume_training()` put aside for `rehearse`.
        RAISES: ValueError for an ensemble, which does not grow, and for what is no name.
        """
        if isinstance(label, str) and EITHER in label:
            raise ValueError(
                f"{self.name}: found the entity type {label!r}; expected a name without '|', which stands for one "
                "of several"
            )
        is_built = self.model.has_ref("output_layer") and self.model.get_ref("output_layer").has_param("W")
        if not is_built or not isinstance(label, str) or not label or label in self.labels:
            return super().add_label(label)
        self.cfg["labels"].append(label)
        self.vocab.strings.add(label)
        for model in (self.model, self._rehearsal_model):
            if model is not None:
                add_labels(model, self.n_outputs, bias=NEW_TYPE)
        return 1

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Optional[Language] = None,
        labels: Optional[Sequence[str]] = None,
    ) -> None:
        """Collect the entity types (from `labels`, else from all examples, sorted) and build the network.

        RAISES: ConfigError where there is no type. WARNS of gold entities that do not align with the tokens.
        """
        check_examples(get_examples, "BiLSTMNER.initialize")
        if labels is None:
            labels = sorted({label for eg in get_examples() for label in self.gold_labels(eg.y)})
        for label in labels:
            self.add_label(label)
        if not self.labels:
            raise ConfigError(
                f"{self.name}: found no entity types; expected training data with entities, or "
                f"[initialize.components.{self.name}.labels]. Where there are none, leave it out of [nlp] pipeline"
            )
        _warn_of_misaligned(self.name, get_examples())
        self.build(get_examples)

    def predict(self, docs: Iterable[Doc]) -> list[ScoredSpans]:
        """The entities of each doc."""
        docs = list(docs)
        lengths = [len(doc) for doc in docs]
        if not sum(lengths):
            return [ScoredSpans() for _ in docs]
        flat = flat_emissions(self.model, self.model.predict(docs))
        chain, emissions = on_host(self._chain(self.model), flat)
        check_finite(self.name, emissions)
        scheme, overwrite, odds = self.scheme, self.cfg["overwrite"], self.cfg["entity_odds"]
        temperature = self.cfg["temperature"]
        if temperature != 1:
            chain = Chain(*(scores / temperature for scores in (chain.transitions, chain.start, chain.end)))
            emissions = emissions / temperature
        if odds != 1:
            begins = torch.tensor([tag[0] in "BU" for tag in scheme.tags], device=emissions.device)
            emissions = emissions + begins * math.log(odds)
        masks = [preset_mask(doc, scheme, overwrite=overwrite) for doc in docs]
        if any(mask is not None for mask in masks):
            free = [np.ones((n, len(scheme.tags)), dtype=bool) for n in lengths]
            allowed = np.concatenate([blank if mask is None else mask for blank, mask in zip(free, masks)])
            emissions = emissions.masked_fill(~torch.from_numpy(allowed).to(emissions.device), -torch.inf)
        return decode(
            chain,
            emissions,
            lengths,
            scheme,
            threshold=self.threshold,
            top_k=self.cfg["top_k"],
            with_scores=self.cfg["spans_key"] is not None,
        )

    def set_annotations(self, docs: Iterable[Doc], found: Iterable[ScoredSpans]) -> None:
        """Set `doc.ents`, and `doc.spans` where scores are kept. What was outside or missing becomes outside; blocked
        tokens stay blocked."""
        key = self.cfg["spans_key"]
        for doc, scored in zip(docs, found):
            preset = [] if self.cfg["overwrite"] else list(doc.ents)
            taken = {i for ent in preset for i in range(ent.start, ent.end)}
            spans, scores = self._beside(taken, doc, scored.entities, scored.scores)
            known = doc if doc.has_annotation("ENT_IOB") else ()
            blocked = [doc[token.i : token.i + 1] for token in known if token.ent_iob_ == "B" and not token.ent_type]
            doc.set_ents([*preset, *spans], blocked=blocked, default="outside")
            if key is not None:
                doc.spans[key] = span_group(doc, key, spans, scores)
            if key is not None and self.cfg["top_k"]:
                name = f"{key}_alternatives"
                others = self._beside(taken, doc, scored.alternatives, scored.alternative_scores)
                doc.spans[name] = span_group(doc, name, *others)

    def gold_labels(self, doc: Doc) -> Iterator[str]:
        return (part for ent in doc.ents for part in ent.label_.split(EITHER))

    def _gold_step(self, examples: list[Example], emissions: list[Floats2d]) -> Step:
        try:
            masks = [self.scheme.gold_mask(eg.get_aligned_ner(), annotated_types(eg.reference)) for eg in examples]
        except KeyError as error:
            label = error.args[0].partition("-")[2]
            raise ValueError(Errors.LABEL_UNKNOWN.format(name=self.name, label=label, count=len(self.labels))) from None
        flat, lengths = flat_emissions(self.model, emissions), [len(array) for array in emissions]
        gold = torch.from_numpy(np.concatenate(masks)).to(flat.device)
        losses, gradient = negative_log_likelihood(self._chain(self.model), flat, lengths, gold)
        return Step.of_chain(float(losses.sum()), gradient)

    def _rehearsal_step(self, examples: list[Example], emissions: list[Floats2d], teacher: Model) -> Step:
        wanted = flat_emissions(teacher, teacher.predict([eg.predicted for eg in examples]))
        flat, lengths = flat_emissions(self.model, emissions), [len(array) for array in emissions]
        loss, gradient = divergence(self._chain(self.model), flat, self._chain(teacher), wanted, lengths)
        return Step.of_chain(float(loss), gradient)

    def _chain(self, model: Model) -> Chain:
        scheme = self.scheme
        return chain_of(model, Constraints(scheme.transitions, scheme.start, scheme.end))

    def _beside(
        self, taken: set[int], doc: Doc, entities: list[tuple[int, int, int]], scores: list[float]
    ) -> tuple[list[Span], list[float]]:
        """The spans of the doc that hold none of the tokens that are taken, and their scores."""
        labels = self.cfg["labels"]
        new = [(entity, score) for entity, score in zip(entities, scores) if taken.isdisjoint(range(*entity[:2]))]
        spans = [Span(doc, start, end, label=labels[number]) for (start, end, number), _ in new]
        return spans, [score for _, score in new]


def _warn_of_misaligned(name: str, examples: Iterable[Example]) -> None:
    total = misaligned = 0
    for eg in examples:
        total += len(eg.y.ents)
        if len(eg.x) != len(eg.y) or any(a.text != b.text for a, b in zip(eg.x, eg.y)):
            misaligned += len(eg.y.ents) - len(eg.get_aligned_spans_y2x(eg.y.ents, allow_overlap=False))
    if misaligned:
        warnings.warn(
            (
                f"{name}: {misaligned} of {total} gold entities do not align with the tokens. Their tokens count as "
                "missing in training, all others are used; fix the offsets or the tokenizer to use these too"
            ),
            stacklevel=2,
        )

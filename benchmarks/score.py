"""Scores and sizes of one trained pipeline, and gold docs beside those that a pipeline annotates."""

from pathlib import Path
from typing import Any, Iterable, Iterator, Optional

import spacy
from spacy.language import Language
from spacy.scorer import Scorer
from spacy.tokens import Doc
from spacy.training import Corpus, Example
from spacy.vocab import Vocab
from thinc.api import Model, PyTorchShim

from spacy_bilstm_tagger.corpus import read_corpus, to_docbin
from spacy_bilstm_tagger.lexicon.table import VECTORS_PREFIX, get_table
from spacy_bilstm_tagger.scoring import Scores
from spacy_bilstm_tagger.scoring.entities import ner_prf, ner_score
from spacy_bilstm_tagger.scoring.spans import spans_score
from spacy_bilstm_tagger.scoring.tags import tagger_score

from .calibration import calibration_error, probabilities_and_right


def measure_pipeline(pipeline: Path, *, train: Path, dev: Path) -> dict[str, Any]:
    """scores: "gold", from gold tokens, and "raw", from raw text where any text of dev has it, else None.
    parameters, static, vectors: see `count_parameters` and `count_static`; bytes: size of the folder.
    """
    nlp = spacy.load(pipeline)
    seen = [example.reference for example in Corpus(train, gold_preproc=True)(nlp)]
    examples = list(Corpus(dev)(nlp))
    has_raw = any(not example.reference.has_unknown_spaces for example in examples)
    return {
        "scores": {
            "gold": score(nlp, Corpus(dev, gold_preproc=True)(nlp), seen),
            "raw": score(nlp, examples, seen) if has_raw else None,
        },
        "parameters": count_parameters(nlp),
        "static": count_static(nlp),
        "vectors": list(nlp.vocab.vectors.shape),
        "bytes": sum(file.stat().st_size for file in pipeline.rglob("*") if file.is_file()),
    }


def score(nlp: Language, examples: Iterable[Example], train: list[Doc]) -> Scores:
    """The scores of `tagger_score`, `ner_score` and `spans_score`, those per label apart, for whatever the texts are
    annotated with; token_f; and

    unseen_tag_acc: accuracy over the gold tokens whose lower-cased form is not in train.
    unseen_ents_p, unseen_ents_r, unseen_ents_f: of the entities, gold and predicted, whose lower-cased words are no
        entity of train.
    ents_calibration_error: of the probabilities of `bilstm_ner`, where it finds any entity.
    """
    examples = list(examples)
    for example, doc in zip(examples, nlp.pipe([example.predicted for example in examples])):
        example.predicted = doc
    references = [example.reference for example in examples]
    scores: Scores = {"token_f": Scorer.score_tokenization(examples)["token_f"]}
    if any(doc.has_annotation("TAG") for doc in references):
        scores |= tagger_score(examples)
        scores["unseen_tag_acc"] = unseen_tag_accuracy(examples, {token.lower_ for doc in train for token in doc})
    if any(doc.has_annotation("ENT_IOB") for doc in references):
        scores |= ner_score(examples)
        unseen = ner_prf(without_entities(examples, {ent.text.lower() for doc in train for ent in doc.ents}))
        scores |= {f"unseen_{name}": value for name, value in unseen.items()}
        for name in nlp.pipe_names:
            key = nlp.get_pipe(name).cfg["spans_key"] if nlp.get_pipe_meta(name).factory == "bilstm_ner" else None
            if key is not None and len(found := probabilities_and_right(examples, key)):
                scores["ents_calibration_error"] = calibration_error(found)
    for key in sorted({key for doc in references for key in doc.spans}):
        scores |= spans_score(examples, spans_key=key)
    return {name: value for name, value in scores.items() if not name.endswith("_per_type")}


def unseen_tag_accuracy(examples: Iterable[Example], seen: set[str]) -> Optional[float]:
    """A gold token that is not one token of the pipeline counts as wrong."""
    right = total = 0
    for example in examples:
        to_predicted, to_gold = example.alignment.y2x, example.alignment.x2y
        for token in example.reference:
            if token.tag_ and token.lower_ not in seen:
                total += 1
                touched = to_predicted[token.i]
                alone = len(touched) == 1 and len(to_gold[int(touched[0])]) == 1
                right += alone and example.predicted[int(touched[0])].tag_ == token.tag_
    return right / total if total else None


def without_entities(examples: Iterable[Example], surfaces: set[str]) -> list[Example]:
    """Copies without the entities, gold or predicted, that have these lower-cased words."""

    def strip(doc: Doc) -> Doc:
        copy = doc.copy()
        kept = [ent for ent in copy.ents if ent.text.lower() not in surfaces]
        missing = [copy[token.i : token.i + 1] for token in copy if token.ent_iob == 0]
        copy.set_ents(kept, missing=missing, default="outside")
        return copy

    return [Example(strip(example.predicted), strip(example.reference)) for example in examples]


def count_parameters(nlp: Language) -> Optional[int]:
    """Numbers that training may change: of all thinc layers, and of the torch modules in them. None without a model."""
    models = [model for _, pipe in nlp.pipeline if isinstance(model := getattr(pipe, "model", None), Model)]
    nodes = {node.id: node for model in models for node in model.walk()}.values()
    shims = {id(shim): shim for node in nodes for shim in node.shims}.values()
    own = sum(node.get_param(name).size for node in nodes for name in node.param_names if node.has_param(name))
    torch = sum(weight.numel() for shim in shims if isinstance(shim, PyTorchShim) for weight in shim._model.parameters())
    return own + torch if models else None


def count_static(nlp: Language) -> int:
    """Numbers in the vector tables, which training leaves alone."""
    tables = [get_table(nlp.vocab, name) for name in nlp.vocab.lookups.tables if name.startswith(VECTORS_PREFIX)]
    return nlp.vocab.vectors.data.size + sum(array.size for table in tables for array in table.arrays.values())


def gold_docs(path: Path) -> list[Doc]:
    """The texts of a corpus in any format that `convert` reads."""
    return list(to_docbin(path, read_corpus(path)[1]).get_docs(Vocab()))


def words_of(nlp: Language, doc: Doc, lemmas: Optional[list[str]] = None) -> Doc:
    """The same tokens in the vocabulary of a pipeline, without other annotation than these lemmas."""
    spaces = [bool(token.whitespace_) for token in doc]
    return Doc(nlp.vocab, words=[token.text for token in doc], spaces=spaces, lemmas=lemmas)


def annotated(nlp: Language, gold: Iterable[Doc]) -> Iterator[tuple[Doc, Doc]]:
    """Each gold doc, and the same tokens as the pipeline annotates them."""
    docs = list(gold)
    return zip(docs, nlp.pipe([words_of(nlp, doc) for doc in docs], batch_size=256))

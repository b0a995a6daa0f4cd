"""Annotated texts as spaCy Docs."""

from pathlib import Path

import spacy
from spacy.tokens import Doc, DocBin, Span
from spacy.vocab import Vocab

from .bio import MISSING, bio_spans
from .text import AnnotatedText


def to_docbin(path: Path, texts: list[AnnotatedText]) -> DocBin:
    """Texts whose raw form is unknown become Docs with unknown spaces, so that spaCy's Corpus keeps their gold tokens
    instead of tokenizing again."""
    vocab = spacy.blank("xx").vocab
    return DocBin(docs=[to_doc(vocab, path, text) for text in texts])


def to_doc(vocab: Vocab, path: Path, text: AnnotatedText) -> Doc:
    """path is for messages. Raises DataError where the tokens do not spell the raw text."""
    doc = Doc(vocab, words=text.words, spaces=text.spaces(path))
    if text.tags is not None:
        for token, tag in zip(doc, text.tags):
            token.tag_ = tag
    if text.ents is not None:
        ents = [Span(doc, start, end, label=label) for start, end, label in bio_spans(text.ents)]
        missing = [doc[i : i + 1] for i, tag in enumerate(text.ents) if tag in MISSING]
        doc.set_ents(ents, missing=missing, default="outside")
    return doc

"""Annotated texts as spaCy Docs."""

from pathlib import Path
from typing import Optional, Sequence

import spacy
from spacy.tokens import Doc, DocBin, Span
from spacy.vocab import Vocab

from ..partial_labels import set_annotated_types
from ..tokenizer import create_tweet_tokenizer
from .bio import MISSING, bio_spans
from .character_spans import CharacterSpans
from .text import AnnotatedText


def to_docbin(
    path: Path,
    texts: list[AnnotatedText],
    *,
    spans: Optional[CharacterSpans] = None,
    annotated: Optional[Sequence[str]] = None,
) -> DocBin:
    """Texts whose raw form is unknown become Docs with unknown spaces, so that spaCy's Corpus keeps their gold tokens
    instead of tokenizing again. Texts with spans are tokenized by TweetTokenizer.

    spans (CharacterSpans or None): how to set the spans of characters; by default under the key "toxic".
    annotated (sequence of str or None): the entity types that the annotators looked for; None for all.
    """
    nlp, spans = spacy.blank("xx"), spans or CharacterSpans()
    tokenizer = create_tweet_tokenizer()(nlp)
    docbin = DocBin(store_user_data=annotated is not None)
    for text in texts:
        if text.spans is None:
            doc = to_doc(nlp.vocab, path, text)
        else:
            doc = tokenizer(text.raw or "")
            spans.set_spans(doc, text.spans)
        if annotated is not None:
            set_annotated_types(doc, annotated)
        docbin.add(doc)
    return docbin


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

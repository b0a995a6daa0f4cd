"""Annotated text in the formats in which corpora are published, and the DocBin made of it."""

from .annotated_text import AnnotatedText, Notes
from .bio import EntityTags
from .columns import Columns
from .docs import CharacterSpans, EntityRanges, to_docbin
from .formats import FORMATS, read_corpus

__all__ = [
    "FORMATS",
    "AnnotatedText",
    "CharacterSpans",
    "Columns",
    "EntityRanges",
    "EntityTags",
    "Notes",
    "read_corpus",
    "to_docbin",
]

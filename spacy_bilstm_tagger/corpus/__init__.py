"""Annotated text in the formats it is published in, on its way into spaCy's DocBin."""

from .bio import EntityTags
from .character_spans import CharacterSpans
from .columns import Columns
from .docbin import to_docbin
from .exclude import exclude
from .formats import FORMATS, read_corpus
from .text import AnnotatedText

__all__ = ["FORMATS", "AnnotatedText", "CharacterSpans", "Columns", "EntityTags", "exclude", "read_corpus", "to_docbin"]

"""How commands load the pipeline that a user names."""

import spacy
from spacy.language import Language

from ..annotate.annotator import model_path
from ..errors import DataError


def load(name: str) -> Language:
    """A pipeline by its folder or package. RAISES: DataError for what is none, and for one that is damaged."""
    model_path(name)
    try:
        return spacy.load(name)
    except OSError as error:
        raise DataError(str(error)) from None

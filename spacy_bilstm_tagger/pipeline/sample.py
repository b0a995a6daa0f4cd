"""The texts that a network is built on."""

from itertools import islice
from typing import Callable, Iterable

from spacy.tokens import Doc
from spacy.training import Example

SIZE = 100


def sample_docs(get_examples: Callable[[], Iterable[Example]]) -> list[Doc]:
    """The first texts. Widths need one; more make what is said about the coverage of vectors and lists worth reading.

    spaCy's components take 10.
    """
    return [eg.x for eg in islice(get_examples(), SIZE)]

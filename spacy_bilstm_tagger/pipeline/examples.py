"""The examples that a component is initialized with."""

from itertools import islice
from typing import Callable, Iterable

from spacy.tokens import Doc
from spacy.training import Example, validate_get_examples

from ..errors import unreadable_corpus

SIZE = 100


def check_examples(get_examples: Callable[[], Iterable[Example]], method: str) -> None:
    """RAISES: TypeError or ValueError for what gives no examples, as spaCy's components do; ConfigError for a file that
    is not there or cannot be read.

    method (str): who asks, for the message.
    """
    try:
        validate_get_examples(get_examples, method)
    except OSError as error:
        raise unreadable_corpus(error) from None


def sample_docs(get_examples: Callable[[], Iterable[Example]]) -> list[Doc]:
    """The first texts. Widths need one; more make what is said about the coverage of vectors and lists worth reading.

    spaCy's components take 10.
    """
    return [eg.x for eg in islice(get_examples(), SIZE)]

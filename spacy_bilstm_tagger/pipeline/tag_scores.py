"""`token._.tag_scores`: how probable a tagger finds each tag of a token."""

from typing import Optional, Sequence

import numpy as np
from numpy.typing import NDArray
from spacy.tokens import Doc, Token

_KEY = "tag_scores"


def set_tag_scores(doc: Doc, labels: Sequence[str], scores: NDArray[np.float32]) -> None:
    """Keep a (tokens, labels) array of probabilities in `doc.user_data`."""
    doc.user_data[_KEY] = {"labels": list(labels), "scores": scores}


def tag_scores(token: Token) -> Optional[dict[str, float]]:
    """Tag -> probability, the most probable first; None where none are kept, or the tokens have changed since."""
    kept = token.doc.user_data.get(_KEY)
    if kept is None or len(kept["scores"]) != len(token.doc):  # tokens were merged, split or cut off since
        return None
    pairs = zip(kept["labels"], kept["scores"][token.i].tolist())
    return dict(sorted(pairs, key=_probability, reverse=True))


def _probability(pair: tuple[str, float]) -> float:
    return pair[1]


if not Token.has_extension(_KEY):
    Token.set_extension(_KEY, getter=tag_scores)

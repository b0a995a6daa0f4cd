"""ConcatEmbed.v1: several embeddings of a token side by side."""

from spacy.tokens import Doc
from thinc.api import Model, concatenate
from thinc.types import Floats2d

from ..errors import ConfigError


def ConcatEmbed(*parts: Model[list[Doc], list[Floats2d]]) -> Model[list[Doc], list[Floats2d]]:
    """Lay the rows of several embeddings side by side, as the lower half of a `spacy.Tok2Vec.v2`.

    parts (Model): whatever makes a row for each token: `TweetEmbed.v1`, `TransformerEmbed.v1`, a listener to a
        component further up. In a config each is a section `[....embed.*.NAME]` with a name of your own. The output is
        as wide as all of them together.
    RAISES: ConfigError where there is none.
    """
    if not parts:
        raise ConfigError(
            "ConcatEmbed.v1: found no part; expected sections such as [components.ner.model.tok2vec.embed.*.tweet]"
        )
    return concatenate(*parts)

"""TokenClassifier.v1: one score per label and token, from a linear layer."""

from typing import Optional, cast

from spacy.tokens import Doc
from thinc.api import Linear, Model, chain, with_array
from thinc.types import Floats2d


def TokenClassifier(
    tok2vec: Model[list[Doc], list[Floats2d]], nO: Optional[int] = None
) -> Model[list[Doc], list[Floats2d]]:
    """The softmax head. Its output are emissions: unnormalized log probabilities, (tokens, labels) for each doc.

    tok2vec (Model): any spaCy tok2vec.
    nO (int or None): number of labels; usually set at initialization.
    """
    output_layer = Linear(nO=nO, nI=tok2vec.get_dim("nO") if tok2vec.has_dim("nO") else None)
    emissions = cast(Model[list[Floats2d], list[Floats2d]], with_array(output_layer))
    model: Model[list[Doc], list[Floats2d]] = chain(tok2vec, emissions)
    model.set_ref("tok2vec", tok2vec)
    model.set_ref("output_layer", output_layer)
    return model

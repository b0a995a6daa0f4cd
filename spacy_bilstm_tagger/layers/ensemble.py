"""Several models as one: the mean of their scores."""

from typing import Callable, Optional

from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d

from ..crf.inference import ChainScores, mean_scores


def MeanScores(members: list[Model[list[Doc], ChainScores]], nO: Optional[int]) -> Model[list[Doc], ChainScores]:
    """The mean of the members' emissions, and of their scores between labels; nO labels."""
    return Model("ensemble", forward, init=init, layers=members, dims={"nO": nO})


def forward(
    model: Model[list[Doc], ChainScores], docs: list[Doc], is_train: bool
) -> tuple[ChainScores, Callable[[ChainScores], list[Doc]]]:
    outputs, backprops = zip(*(member(docs, is_train) for member in model.layers))

    def backprop(gradient: ChainScores) -> list[Doc]:
        share = gradient.map(lambda part: part / len(backprops))
        for backprop_member in backprops:
            backprop_member(share)
        return []

    return mean_scores(outputs), backprop


def init(
    model: Model[list[Doc], ChainScores], X: Optional[list[Doc]] = None, Y: Optional[list[Floats2d]] = None
) -> None:
    """Initialize every member, each with random numbers of its own."""
    for member in model.layers:
        member.initialize(X=X, Y=Y)
    if Y:
        model.set_dim("nO", Y[0].shape[1])

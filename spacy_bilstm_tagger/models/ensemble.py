"""Ensemble.v1: the mean of what several models give."""

from typing import Callable, Optional

from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d

from ..checks import check_least
from ..errors import ConfigError
from .linear_chain_crf import ChainScores, Emissions


def Ensemble(*members: Model[list[Doc], list[Floats2d]]) -> Model[list[Doc], list[Floats2d]]:
    """Several models as one, in the place of any of them. Its output is the mean of their emissions, (tokens, labels)
    for each doc.

    With softmax heads that is the geometric mean of their probabilities (the logarithmic opinion pool of Genest and
    Zidek 1986, "Combining probability distributions"): a member's emissions are its log probabilities, up to a number
    that all labels of a token share. With CRF heads it is that of the probabilities of whole sequences, if the scores
    between labels, the model's reference "crf", are the mean of theirs. Training trains all members, through the mean.

    members (Model): of one head, `TokenClassifier.v1` or `LinearChainCRF.v1`, and the same labels; in a config the
        blocks [components.NAME.model.*.0], [components.NAME.model.*.1] and so on.
    RAISES: ConfigError for no members, and for members of different heads or numbers of labels.
    """
    check_least("Ensemble.v1", "number of members", len(members), 1)
    with_crf = {bool(member.has_ref("crf")) for member in members}
    sizes = {member.get_dim("nO") for member in members if member.has_dim("nO")}
    if len(with_crf) > 1:
        raise ConfigError(
            "Ensemble.v1: some members have scores between labels, a CRF, others none; expected all or none"
        )
    if len(sizes) > 1:
        raise ConfigError(
            f"Ensemble.v1: found members with {', '.join(map(str, sorted(sizes)))} labels; expected members with "
            "the same labels"
        )
    nO = sizes.pop() if sizes else None
    model: Model[list[Doc], Emissions] = Model("ensemble", forward, init=init, layers=[*members], dims={"nO": nO})
    if True in with_crf:
        crf = ChainScores(nO)
        model.layers.append(crf)
        model.set_ref("crf", crf)
    return model


def forward(
    model: Model[list[Doc], Emissions], docs: list[Doc], is_train: bool
) -> tuple[Emissions, Callable[[Emissions], list[Doc]]]:
    members = _members(model)
    outputs, backprops = zip(*(member(docs, is_train) for member in members))

    def backprop(dYs: Emissions) -> list[Doc]:
        shares = [dY / len(members) for dY in dYs]
        for backprop_member in backprops:
            backprop_member(shares)
        return []

    return [sum(rows[1:], rows[0]) / len(members) for rows in zip(*outputs)], backprop


def init(model: Model[list[Doc], Emissions], X: Optional[list[Doc]] = None, Y: Optional[Emissions] = None) -> None:
    """Initialize every member, each with random numbers of its own."""
    for layer in _members(model):
        layer.initialize(X=X, Y=Y)
    if Y:
        model.set_dim("nO", Y[0].shape[1])
    if model.has_ref("crf"):
        model.get_ref("crf").initialize(Y=Y)


def _members(model: Model[list[Doc], Emissions]) -> list[Model]:
    return model.layers[:-1] if model.has_ref("crf") else model.layers

"""Layers that give `ChainScores`: emissions of each token with or without scores between labels, and the mean of several."""

from typing import Callable, Optional, Sequence, cast

from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d, FloatsXd
from thinc.util import torch2xp
from torch import Tensor

from ..crf.inference import ChainScores
from ..crf.packing import split_rows
from ..types import Rows
from .shim import join_rows, to_torch

ScoresModel = Model[list[Doc], ChainScores]
_CHAIN = "label_chain"  # name of the layer


def Emissions(linear: Model[Floats2d, Floats2d]) -> Model[Rows, Rows]:
    """A linear layer, thinc's, over the tokens of each text. thinc multiplies by blis, which takes four times as long on the CPU as
    numpy does; so its forward pass is not called."""
    dims = {name: linear.maybe_get_dim(name) for name in linear.dim_names}
    return Model("emissions", _multiply, init=_init_linear, layers=[linear], dims=dims)


def _multiply(model: Model[Rows, Rows], Xs: Rows, is_train: bool) -> tuple[Rows, Callable[[Rows], Rows]]:
    (linear,) = model.layers
    W = linear.get_param("W")
    lengths = [len(X) for X in Xs]
    X = join_rows(model.ops, Xs)

    def backprop(dYs: Rows) -> Rows:
        dY = join_rows(model.ops, dYs)
        linear.inc_grad("b", dY.sum(axis=0))
        linear.inc_grad("W", dY.T @ X)
        return split_rows(dY @ W, lengths)

    return split_rows(X @ W.T + linear.get_param("b"), lengths), backprop


def _init_linear(model: Model[Rows, Rows], X: Optional[Rows] = None, Y: Optional[Rows] = None) -> None:
    (linear,) = model.layers
    rows, wanted = (join_rows(model.ops, each) if each else None for each in (X, Y))
    linear.initialize(X=rows, Y=wanted)
    for name in linear.dim_names:
        model.set_dim(name, linear.get_dim(name))


def IndependentLabels(nO: Optional[int] = None) -> Model[Rows, ChainScores]:
    """Emissions alone, (tokens, nO): the labels of a text's tokens are independent of each other, as in a softmax."""
    return Model("independent_labels", forward, init=init, dims={"nO": nO})


def LabelChain(nO: Optional[int] = None) -> Model[Rows, ChainScores]:
    """Emissions, and learned scores between neighbouring labels: transitions, (nO, nO), from row to column, start and
    end, (nO,). They begin as zeros."""
    return Model(_CHAIN, forward, init=init, dims={"nO": nO}, params={"transitions": None, "start": None, "end": None})


def forward(model: Model[Rows, ChainScores], X: Rows, is_train: bool) -> tuple[ChainScores, Callable[[ChainScores], Rows]]:
    lengths = [len(rows) for rows in X]
    chain = [to_torch(model.get_param(part)) for part in model.param_names]
    scores = ChainScores(to_torch(join_rows(model.ops, X)), lengths, *chain)

    def backprop(gradient: ChainScores) -> Rows:
        for part in model.param_names:
            model.inc_grad(part, cast(FloatsXd, torch2xp(getattr(gradient, part))))
        return split_rows(torch2xp(gradient.emissions), lengths)

    return scores, backprop


def init(model: Model[Rows, ChainScores], X: Optional[Rows] = None, Y: Optional[Rows] = None) -> None:
    example = Y or X
    if example:
        model.set_dim("nO", example[0].shape[1])
    if model.has_dim("nO"):
        nO = model.get_dim("nO")
        for part in model.param_names:
            model.set_param(part, model.ops.alloc2f(nO, nO) if part == "transitions" else model.ops.alloc1f(nO))


def MeanScores(members: list[ScoresModel], nO: Optional[int]) -> ScoresModel:
    """The mean of the members' emissions, and of their scores between labels; nO labels."""
    return Model("ensemble", _mean_forward, init=_mean_init, layers=members, dims={"nO": nO})


def _mean_forward(model: ScoresModel, docs: list[Doc], is_train: bool) -> tuple[ChainScores, Callable[[ChainScores], list[Doc]]]:
    outputs, backprops = zip(*(member(docs, is_train) for member in model.layers))

    def backprop(gradient: ChainScores) -> list[Doc]:
        share = gradient.map(lambda part: part / len(backprops))
        for backprop_member in backprops:
            backprop_member(share)
        return []

    return _mean_scores(outputs), backprop


def _mean_scores(several: Sequence[ChainScores]) -> ChainScores:
    """The mean of each tensor; all of the same texts and labels."""
    first = several[0]
    mean = first.with_emissions(_mean([each.emissions for each in several]))
    return mean.with_chain(*map(_mean, zip(*(each.chain for each in several)))) if first.is_chain else mean


def _mean(tensors: Sequence[Tensor]) -> Tensor:
    return sum(tensors[1:], tensors[0]) / len(tensors)


def _mean_init(model: ScoresModel, X: Optional[list[Doc]] = None, Y: Optional[list[Floats2d]] = None) -> None:
    """Initialize every member, each with random numbers of its own."""
    for member in model.layers:
        member.initialize(X=X, Y=Y)
    if Y:
        model.set_dim("nO", Y[0].shape[1])


def has_chain(model: Model) -> bool:
    """Whether a model has scores between neighbouring labels."""
    return any(node.name == _CHAIN for node in model.walk())


def add_labels(model: Model, nO: int, bias: float) -> None:
    """Enlarge a trained `LinearChainCRF.v1` to nO labels. The scores of the old labels stay.

    An optimizer begins anew for the weights that grow: it keeps moments and averages by a node's id, and these two get
    another one.
    bias (float): the initial bias of a new label; its scores to its neighbours begin as 0.
    """
    ops, output, crf = model.ops, model.get_ref("output_layer"), model.get_ref("crf")
    old = output.get_dim("nO")
    grown = {
        (output, "W"): ops.alloc2f(nO, output.get_dim("nI")),
        (output, "b"): ops.alloc1f(nO) + bias,
        (crf, "transitions"): ops.alloc2f(nO, nO),
        (crf, "start"): ops.alloc1f(nO),
        (crf, "end"): ops.alloc1f(nO),
    }
    for (node, name), rows in grown.items():
        rows[(slice(old),) * (2 if name == "transitions" else 1)] = node.get_param(name)
        node.set_param(name, None)  # thinc lets no dimension change while there is a weight
    for node in model.walk():
        if node is model or node is crf or node is output or output in node.layers:
            node.set_dim("nO", nO, force=True)
    for node in (output, crf):
        with Model.global_id_lock:
            Model.global_id += 1
            node.id = Model.global_id
    for (node, name), rows in grown.items():
        node.set_param(name, cast(FloatsXd, rows))
        node.set_grad(name, ops.xp.zeros_like(rows))

"""Dropout of whole rows."""

from typing import Callable, Optional

from thinc.api import Model
from thinc.types import Floats2d


def RowDropout(rate: float) -> Model[Floats2d, Floats2d]:
    """Set whole rows to zero in training, each with this probability; (rows, nO) -> (rows, nO).

    What is left is not scaled up: a row stands for a word that is known or not, and at prediction both occur. Training
    without dropout (`nlp.update(drop=0)`) switches it off.
    """
    return Model("row_dropout", forward, init=init, dims={"nO": None}, attrs={"dropout_rate": 0.0, "row_rate": rate})


def forward(
    model: Model[Floats2d, Floats2d], X: Floats2d, is_train: bool
) -> tuple[Floats2d, Callable[[Floats2d], Floats2d]]:
    if not is_train or not model.attrs["dropout_rate"]:
        return X, _pass_on
    kept = model.ops.xp.random.uniform(size=(X.shape[0], 1)) >= model.attrs["row_rate"]
    mask = model.ops.asarray2f(kept, dtype="f")

    def backprop(dY: Floats2d) -> Floats2d:
        return dY * mask

    return X * mask, backprop


def init(model: Model[Floats2d, Floats2d], X: Optional[Floats2d] = None, Y: Optional[Floats2d] = None) -> None:
    if X is not None:
        model.set_dim("nO", X.shape[1])


def _pass_on(dY: Floats2d) -> Floats2d:
    return dY

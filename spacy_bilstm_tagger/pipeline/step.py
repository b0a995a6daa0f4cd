"""A loss and its gradient."""

from dataclasses import dataclass
from typing import Optional, cast

import numpy as np
from thinc.api import Ops
from thinc.types import Floats2d, Ints1d
from thinc.util import torch2xp

from ..layers.crf import Gradient

Emissions = list[Floats2d]


@dataclass(frozen=True)
class Step:
    """A loss in nats, summed over the batch, and its gradient.

    emissions: (tokens of all docs, labels); chain: for the scores between labels, where there are any.
    """

    loss: float
    emissions: Floats2d
    chain: Optional[Gradient] = None

    @classmethod
    def of_chain(cls, loss: float, gradient: Gradient) -> "Step":
        return cls(loss, cast(Floats2d, torch2xp(gradient.emissions)), gradient)

    def divided_by(self, count: int) -> "Step":
        chain = self.chain and self.chain.divided_by(count)
        return Step(self.loss / count, cast(Floats2d, self.emissions / count), chain)


def by_doc(ops: Ops, rows: Floats2d, like: Emissions) -> Emissions:
    return ops.unflatten(rows, cast(Ints1d, np.array([len(array) for array in like], dtype="i")))

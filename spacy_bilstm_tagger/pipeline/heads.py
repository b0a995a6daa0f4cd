"""What a tagger makes of emissions: a softmax over the labels of each token, or a linear chain over those of a text."""

from abc import ABC, abstractmethod
from typing import Optional

import numpy as np
import torch
from numpy.typing import NDArray
from thinc.api import Model
from thinc.types import Floats2d
from thinc.util import xp2torch

from ..layers.crf import divergence, marginals, negative_log_likelihood, viterbi
from .chains import Mask, chain_of, is_crf, on_host
from .emissions import check_finite
from .losses import partial_cross_entropy, soft_cross_entropy
from .step import Step

Lengths = list[int]
Decoded = tuple[NDArray[np.int64], Optional[NDArray[np.float32]]]


class Head(ABC):
    """Emissions are flat, (tokens of all texts, labels), on the model's device; answers for documents on the CPU."""

    def __init__(self, model: Model) -> None:
        self.model = model

    @abstractmethod
    def decode(self, emissions: Floats2d, lengths: Lengths, *, scores: bool, name: str) -> Decoded:
        """The label of each token, (tokens,), and with `scores` how probable each label is, (tokens, labels).

        RAISES: ValueError that names the component for emissions that are no finite numbers.
        """

    @abstractmethod
    def loss(self, emissions: Floats2d, lengths: Lengths, allowed: Mask, *, label_smoothing: float) -> Step:
        """allowed (bool): (tokens, labels), which labels a token may have; a row that allows all does not count."""

    @abstractmethod
    def rehearse(self, emissions: Floats2d, lengths: Lengths, teacher: Model, wanted: Floats2d) -> Step:
        """Divergence from the teacher, whose emissions are `wanted`."""


def head_of(model: Model) -> Head:
    return ChainHead(model) if is_crf(model) else SoftmaxHead(model)


class SoftmaxHead(Head):
    def decode(self, emissions: Floats2d, lengths: Lengths, *, scores: bool, name: str) -> Decoded:
        check_finite(name, emissions)
        ops = self.model.ops
        return ops.to_numpy(emissions.argmax(axis=1)), ops.to_numpy(ops.softmax(emissions)) if scores else None

    def loss(self, emissions: Floats2d, lengths: Lengths, allowed: Mask, *, label_smoothing: float) -> Step:
        return Step(*partial_cross_entropy(self.model.ops, emissions, allowed, label_smoothing=label_smoothing))

    def rehearse(self, emissions: Floats2d, lengths: Lengths, teacher: Model, wanted: Floats2d) -> Step:
        return Step(*soft_cross_entropy(self.model.ops, emissions, self.model.ops.softmax(wanted)))


class ChainHead(Head):
    def decode(self, emissions: Floats2d, lengths: Lengths, *, scores: bool, name: str) -> Decoded:
        chain, rows = on_host(chain_of(self.model), xp2torch(emissions))
        check_finite(name, rows)
        best = viterbi(chain, rows, lengths).numpy()
        return best, marginals(chain, rows, lengths).float().numpy() if scores else None

    def loss(self, emissions: Floats2d, lengths: Lengths, allowed: Mask, *, label_smoothing: float) -> Step:
        flat = xp2torch(emissions)
        gold = torch.from_numpy(allowed).to(flat.device)
        losses, gradient = negative_log_likelihood(chain_of(self.model), flat, lengths, gold)
        return Step.of_chain(float(losses.sum()), gradient)

    def rehearse(self, emissions: Floats2d, lengths: Lengths, teacher: Model, wanted: Floats2d) -> Step:
        chains = chain_of(self.model), chain_of(teacher)
        loss, gradient = divergence(chains[0], xp2torch(emissions), chains[1], xp2torch(wanted), lengths)
        return Step.of_chain(float(loss.sum()), gradient)

"""The chain that a CRF model holds, as the algorithms on chains take it."""

from dataclasses import dataclass
from typing import Optional, cast

import numpy as np
import torch
from numpy.typing import NDArray
from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d, FloatsXd
from thinc.util import torch2xp, xp2torch
from torch import Tensor

from ..errors import ConfigError
from ..layers.crf import Chain, Gradient

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Constraints:
    """What a label scheme allows. transitions (bool): (labels, labels), row to column; start, end (bool): (labels,)."""

    transitions: Mask
    start: Mask
    end: Mask


def is_crf(model: Model) -> bool:
    return bool(model.has_ref("crf"))


def require_crf(name: str, model: Model) -> None:
    """RAISES: ConfigError for a model without scores between labels."""
    if not is_crf(model):
        raise ConfigError(
            f"{name}: the model has no scores between labels; expected [components.{name}.model] with "
            '@architectures = "spacy-bilstm-tagger.LinearChainCRF.v1"'
        )


def chain_of(model: Model, constraints: Optional[Constraints] = None) -> Chain:
    """The model's scores between labels, -inf where the constraints forbid."""
    crf = model.get_ref("crf")
    parts = []
    for part in ("transitions", "start", "end"):
        scores = xp2torch(crf.get_param(part))
        if constraints is not None:
            allowed = torch.from_numpy(getattr(constraints, part)).to(scores.device)
            scores = scores.masked_fill(~allowed, -torch.inf)
        parts.append(scores)
    return Chain(*parts)


def on_host(chain: Chain, emissions: Tensor) -> tuple[Chain, Tensor]:
    """The same on the CPU, where decoding goes on: one copy for a whole batch. emissions: (tokens, labels)."""
    if emissions.device.type == "cpu":
        return chain, emissions
    rows = torch.cat([emissions, chain.transitions, chain.start.unsqueeze(0), chain.end.unsqueeze(0)]).cpu()
    emissions, transitions, edges = rows.tensor_split([len(emissions), len(rows) - 2])
    return Chain(transitions, edges[0], edges[1]), emissions


def add_gradient(model: Model, gradient: Gradient) -> None:
    """Leave the gradient of the chain's scores with the model, for its `finish_update`."""
    crf = model.get_ref("crf")
    for part in ("transitions", "start", "end"):
        crf.inc_grad(part, cast(FloatsXd, torch2xp(getattr(gradient, part).to(torch.float32))))


def flat_emissions(model: Model[list[Doc], list[Floats2d]], emissions: list[Floats2d]) -> Tensor:
    """(tokens of all docs, labels)."""
    return xp2torch(model.ops.flatten(emissions))

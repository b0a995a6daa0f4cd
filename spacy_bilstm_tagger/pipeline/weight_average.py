"""The mean of the weights of models that have one architecture."""

from typing import Iterator, Sequence, cast

import numpy as np
from numpy.typing import NDArray
from thinc.api import Model, PyTorchShim

Weight = NDArray[np.float32]


def average_models(members: Sequence[Sequence[Model]]) -> float:
    """Give the first member's models the mean of all members' weights.

    RETURNS: the mean cosine of the weights of two members. It is 1 where they are the same, and about 0 where they
    began from different random numbers: then nothing says which unit of the one is which of the other, and their mean
    is of no use. Networks that went on from one trained network can be averaged (Wortsman et al. 2022, "Model soups").

    members (sequence): each member's models, in one order; all on the CPU.
    """
    products = np.zeros((len(members), len(members)))
    for models in zip(*members):
        for weights in zip(*(_weights(model) for model in models)):
            rows = np.stack([weight.ravel() for weight in weights])
            products += rows.astype("float64") @ rows.astype("float64").T
            weights[0][...] = np.mean(weights, axis=0)
    norms = np.sqrt(products.diagonal())
    cosines = products / np.outer(norms, norms)
    return float(cosines[~np.eye(len(members), dtype=bool)].mean())


def _weights(model: Model) -> Iterator[Weight]:
    """Views of all weights, those of torch modules too."""
    for node in model.walk():
        for name in node.param_names:
            if node.has_param(name):
                yield cast(Weight, node.get_param(name))
        for shim in node.shims:
            if isinstance(shim, PyTorchShim):
                for weight in shim._model.parameters():
                    yield weight.detach().numpy()

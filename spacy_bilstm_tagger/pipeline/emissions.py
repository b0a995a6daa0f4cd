"""A check of what a model gives."""

import math
from typing import Any


def check_finite(name: str, emissions: Any) -> None:
    """RAISES: ValueError for emissions that hold NaN or infinity, from which labels would be picked all the same.

    emissions (thinc array or torch tensor): (tokens, labels).
    """
    # One pass. The sum of finite numbers can overflow, so look again.
    if not math.isfinite(float(emissions.sum())) and not bool((abs(emissions) < math.inf).all()):
        raise ValueError(
            f"{name}: the model gives scores that are NaN or infinite, so no label can be chosen; expected finite "
            "numbers. Its weights are damaged or diverged in training: get the pipeline again, or train with a "
            "lower learn rate"
        )

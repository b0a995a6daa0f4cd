"""Types that several rooms share."""

import numpy as np
from numpy.typing import NDArray
from thinc.types import Floats2d

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
Rows = list[Floats2d]  # an array for each text


class TokenRows(list[Floats2d]):
    """A list with one (tokens, nO) array for each doc, made of the rows of distinct words.

    A layer that knows this type can compute each distinct row once; any other takes the list.

    distinct (array): (distinct rows, nO).
    row_of (int64): (tokens,), the distinct row of each token, all docs one after another.
    """

    distinct: Floats2d
    row_of: Ints

"""Types that several rooms share."""

import numpy as np
from numpy.typing import NDArray
from thinc.types import Floats2d

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
Rows = list[Floats2d]  # an array for each text

"""The base of the components that set spans with a probability."""

from abc import abstractmethod
from typing import Any, Callable, Optional, Sequence

import numpy as np
from numpy.typing import NDArray

from ..crf.inference import ChainScores
from ..errors import ConfigError
from ..util import is_number
from .base import SequenceComponent, Setting

# From spans, their start and end in rows of the scores and one of the component's labels.
SpanScorer = Callable[[Sequence[tuple[int, int, str]]], NDArray[np.float32]]


class SpanComponent(SequenceComponent):
    """Sets `doc.spans[spans_key]`, of spans with a probability above a threshold."""

    spans_key = Setting()
    threshold = Setting()
    key_may_be_none = False  # whether the spans are set elsewhere too

    @abstractmethod
    def span_scorer(self, scores: ChainScores) -> SpanScorer:
        """Gives the probability of each span, (spans,), that exactly it has its label. scores: as `adjust` gives them."""

    @classmethod
    def check_settings(cls, name: str, **settings: Any) -> None:
        """RAISES: ConfigError for an empty key, and a threshold that is no probability."""
        key = settings["spans_key"]
        if not (isinstance(key, str) and key) and not (key is None and cls.key_may_be_none):
            raise ConfigError(f"{name}: spans_key = {key!r}; expected the name under which doc.spans keeps the spans")
        check_threshold(name, "threshold", settings["threshold"])


def check_threshold(name: str, setting: str, value: Optional[float]) -> None:
    """RAISES: ConfigError for what is neither None nor a probability."""
    if value is not None and not (is_number(value) and 0 <= value <= 1):
        raise ConfigError(f"{name}: {setting} = {value!r}; expected null or a probability from 0 to 1")

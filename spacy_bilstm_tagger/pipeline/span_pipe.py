"""What the components that find labelled spans have in common."""

from typing import Optional

from spacy.errors import Errors as SpacyErrors
from spacy.pipeline.trainable_pipe import TrainablePipe

from ..errors import ConfigError
from .learner import Learner


class SpanPipe(Learner, TrainablePipe):
    """Labels, a threshold, and a network of a width that follows from the labels."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the spans."""
        return tuple(self.cfg["labels"])

    @property
    def label_data(self) -> list[str]:
        return list(self.labels)

    @property
    def threshold(self) -> Optional[float]:
        """As in the factory; may be set on a trained pipeline."""
        return self.cfg["threshold"]

    @threshold.setter
    def threshold(self, value: Optional[float]) -> None:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if value is not None and not (is_number and 0 < value <= 1):
            raise ConfigError(f"{self.name}: threshold = {value!r}; expected null or a probability above 0 and up to 1")
        self.cfg["threshold"] = value

    def add_label(self, label: str) -> int:
        """Add a label, before the network is built. Returns 1 if it is new, 0 if not."""
        if not isinstance(label, str) or not label:
            raise ValueError(f"{self.name}: found the label {label!r}; expected a name")
        if label in self.labels:
            return 0
        if self.model.has_dim("nO") and self.model.get_dim("nO") == self.n_outputs:
            raise ValueError(SpacyErrors.E922.format(name=self.name, nO=self.n_outputs))
        self.cfg["labels"].append(label)
        self.vocab.strings.add(label)
        return 1

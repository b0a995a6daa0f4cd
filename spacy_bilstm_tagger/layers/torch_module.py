"""What the shim asks of a torch module."""

from abc import ABC, abstractmethod
from typing import Any, Optional

from torch import nn


class TorchModule(nn.Module, ABC):
    """A module whose forward is a pure function of its weights and arguments, and whose input width may be known only
    from the data.

    input_width (int or None): None as long as there are no weights.
    """

    input_width: Optional[int] = None

    @abstractmethod
    def build(self, input_width: int) -> None:
        """Make fresh weights for inputs of this width."""

    @abstractmethod
    def unbuilt(self) -> "TorchModule":
        """Another of the same settings, without weights."""

    @property
    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """What the weights' meaning depends on, as JSON has it; saved with them."""

    def flatten_weights(self) -> None:
        """Lay the weights into one piece of memory again, where cuDNN wants them so."""

"""The bridge between thinc and a pretrained transformer."""

from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import srsly
import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from spacy_transformers.data_classes import HFObjects
from spacy_transformers.layers.hf_shim import HFShim
from thinc.api import Optimizer
from thinc.types import ArgsKwargs, Floats2d
from torch import Tensor

from ..errors import DataError, Errors
from .shim import TorchShim


class TransformerShim(TorchShim, HFShim):
    """Saves tokenizer, config and weights as spacy-transformers does; predicts, updates and averages as `TorchShim`.

    Its weights learn at `learn_rate_factor` times the optimizer's rate. At 0 they are frozen.
    """

    _hfmodel: HFObjects

    def __init__(
        self,
        tokenizer_config: dict[str, Any],
        transformer_config: dict[str, Any],
        *,
        learn_rate_factor: float,
        mixed_precision: bool,
    ) -> None:
        HFShim.__init__(
            self,
            HFObjects(None, None, None, tokenizer_config, transformer_config),
            mixed_precision=mixed_precision,
            grad_scaler_config={},
        )
        self.learn_rate_factor = learn_rate_factor
        # Cache of frozen features of the training texts: key (see `layers.transformer`) -> (tokens, nO).
        self.kept_rows: dict[bytes, Floats2d] = {}

    @property
    def tokenizer(self) -> Any:
        return self._hfmodel.tokenizer

    @property
    def longest(self) -> int:
        """Word pieces that the transformer can read at once. RoBERTa counts its positions from 2."""
        positions = getattr(self._hfmodel.transformer.config, "max_position_embeddings", None) or 10**9
        return min(self.tokenizer.model_max_length, positions - 2)

    def set_objects(self, loaded: HFObjects) -> None:
        """Take a pretrained transformer and its tokenizer."""
        configs = self._hfmodel._init_tokenizer_config, self._hfmodel._init_transformer_config
        self._hfmodel = HFObjects(loaded.tokenizer, loaded.transformer, loaded.vocab_file_contents, *configs)
        self._model = loaded.transformer
        self._prepare()

    def finish_update(self, optimizer: Optimizer) -> None:
        """A step at this share of the optimizer's rate. `nlp.rehearse` gives a function that collects gradients, for a
        step at one rate for all: the transformer takes no part in that."""
        if isinstance(optimizer, Optimizer):
            super().finish_update(partial(optimizer, lr_scale=self.learn_rate_factor))  # type: ignore[arg-type]
        else:
            self._model.zero_grad()

    def to_bytes(self) -> bytes:
        """As HFShim's, but for the weights: safetensors, which can hold no code."""
        message = srsly.msgpack_loads(HFShim.to_bytes(self))
        if self._model is not None:
            tensors = {name: tensor.detach().cpu().clone() for name, tensor in self._model.state_dict().items()}
            message["state"] = save_tensors(tensors)
        return srsly.msgpack_dumps(message)

    def from_bytes(self, data: bytes) -> "TransformerShim":
        """RAISES: DataError for weights that are damaged or foreign, and for a tokenizer's file whose name leads out of
        the folder to which HFShim writes it."""
        message = srsly.msgpack_loads(data)
        for name in message["tokenizer"]:
            if Path(name).name != name:
                raise DataError(
                    f"The tokenizer of the transformer has a file {name!r}; expected names without a folder. The "
                    "file is damaged or from another program: get it again"
                )
        if message["config"]:
            try:
                tensors = load_tensors(message["state"])
            except (SafetensorError, TypeError) as error:
                raise DataError(Errors.WEIGHTS_DAMAGED.format(reason=f"{type(error).__name__}: {error}")) from None
            state = BytesIO()
            torch.save(tensors, state)  # what HFShim reads; it comes from here, not from a file
            message["state"] = state.getvalue()
        HFShim.from_bytes(self, srsly.msgpack_dumps(message))
        if self._model is not None:
            self._prepare()
        return self

    def _prepare(self) -> None:
        self.kept_rows.clear()
        self._model.eval()
        # Most word pieces never occur in the training texts; those that do would move away from the others.
        frozen = self._model if not self.learn_rate_factor else self._model.get_input_embeddings()  # type: ignore
        frozen.requires_grad_(False)

    def _call(self, inputs: ArgsKwargs) -> Tensor:
        """(texts, word pieces, width). A text is padded; its rows do not depend on the padding."""
        kwargs = dict(inputs.kwargs)
        with_dropout = kwargs.pop("with_dropout", False)
        if not with_dropout:
            return self._model(*inputs.args, **kwargs).last_hidden_state
        self._model.train()  # dropout at the transformer's own rates
        try:
            return self._model(*inputs.args, **kwargs).last_hidden_state
        finally:
            self._model.eval()

"""Words alone through a pretrained transformer of a local folder."""

from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterator, Optional

import numpy as np
from tqdm import tqdm

from ..errors import DataError, Errors
from .files import keeping_reason

_KIND = "a pretrained transformer"
_WEIGHTS = ("*.safetensors", "pytorch_model*.bin")
_TOKENIZER = ("tokenizer.json", "vocab.txt", "vocab.json", "*.model")
_POOLER = "pooler."  # on top of the last hidden states, which are all that is read
_MAX_PIECES = 128  # of a word; longer ones are cut, and are noise
_PIECES_PER_BATCH = 2048  # twice as many, or half, is no faster on a CPU


class WordEncoder:
    """Mean of the hidden states of one layer over a word's pieces, without the special tokens around them.

    The last layer is the usual one for the meaning of sentences. What tells parts of speech and names apart is best
    read off in the middle, and costs half of the time (`benchmarks/distill_layers.py`).

    model_dir (Path): configuration, weights and tokenizer as Hugging Face's `save_pretrained` writes them. Nothing is
        downloaded, and no code of the folder is run.
    layer (int or None): from 1, the one nearest to the word pieces, to the number of layers; None for the middle.
    RAISES: DataError where a part of the folder is missing or cannot be read, or the model has no such layer.
    """

    def __init__(self, model_dir: Path, layer: Optional[int] = None) -> None:
        check_model(model_dir)
        self._model_dir = model_dir
        try:
            import torch
            from transformers import AutoConfig, AutoModel, AutoTokenizer
        except ImportError as error:
            raise DataError(
                f"a transformer's word encodings need transformers ({error}): pip install 'spacy-bilstm-tagger[distill]'"
            ) from None
        local: Any = {"pretrained_model_name_or_path": str(model_dir), "local_files_only": True}
        with quiet_transformers(), keeping_reason(model_dir, _KIND):
            config = AutoConfig.from_pretrained(**local)
            n_layers: int = config.num_hidden_layers
        self.layer = layer or (n_layers + 1) // 2
        if self.layer > n_layers:
            raise DataError(f"--layer {layer}: {model_dir} has {n_layers} layers; give that or less")
        config.num_hidden_layers = self.layer  # the layers above are not even loaded
        with quiet_transformers(), keeping_reason(model_dir, _KIND):
            self._tokenizer = AutoTokenizer.from_pretrained(**local)
            model, loading = AutoModel.from_pretrained(**local, config=config, torch_dtype=torch.float32, output_loading_info=True)
        missing = sorted(name for name in loading["missing_keys"] if not name.startswith(_POOLER))
        if missing:
            raise DataError(
                f"{model_dir}: the weights lack {len(missing)} of the model's arrays, such as {missing[0]}; get the folder again"
            )
        self._model = (model.get_encoder() if config.is_encoder_decoder else model).eval().to("cpu")
        self.width: int = config.hidden_size
        positions = getattr(config, "max_position_embeddings", None) or _MAX_PIECES
        with keeping_reason(model_dir, _KIND):
            self._max_pieces = min(_MAX_PIECES, self._tokenizer.model_max_length, positions)

    def encode(self, words: list[str], *, shows_progress: bool = False) -> np.ndarray:
        """(words, width) float32. Only words of as many pieces go together, so there is no padding, and the row of
        a word does not depend on the others, but for the rounding of float32.

        shows_progress (bool): draw a bar, on a terminal only.
        RAISES: DataError where the tokenizer or the model fails, as damaged ones may do only now.
        """
        with keeping_reason(self._model_dir, _KIND):
            return self._encode(words, shows_progress=shows_progress)

    def _encode(self, words: list[str], *, shows_progress: bool) -> np.ndarray:
        import torch

        encoded = np.zeros((len(words), self.width), dtype="float32")
        if not words:
            return encoded
        pieces = self._tokenizer(words, truncation=True, max_length=self._max_pieces, return_special_tokens_mask=True)
        ids, special = pieces["input_ids"], pieces["special_tokens_mask"]
        disable = None if shows_progress else True
        with tqdm(total=len(words), desc="Encoding", unit=" words", disable=disable, leave=False) as bar:
            for batch in _batches([len(row) for row in ids]):
                batch_ids = torch.tensor([ids[i] for i in batch], device="cpu")
                weights = 1.0 - torch.tensor([special[i] for i in batch], dtype=torch.float32, device="cpu")
                weights[weights.sum(dim=1) == 0] = 1  # a word without pieces of its own
                weights /= weights.sum(dim=1, keepdim=True)
                with torch.inference_mode():
                    hidden = self._model(input_ids=batch_ids, attention_mask=torch.ones_like(batch_ids)).last_hidden_state
                    encoded[batch] = torch.einsum("wp,wph->wh", weights, hidden).numpy()
                bar.update(len(batch))
        return encoded


def check_model(model_dir: Path) -> None:
    """Raise DataError where the folder is none, or holds no configuration, weights or tokenizer."""
    if not model_dir.is_dir():
        raise DataError(Errors.DISTILL_NO_MODEL.format(path=model_dir))
    for what, names in (("configuration", ("config.json",)), ("weights", _WEIGHTS), ("tokenizer", _TOKENIZER)):
        if not any(next(model_dir.glob(name), None) for name in names):
            raise DataError(
                f"{model_dir}: found no {what} ({', '.join(names)}); expected the folder of a pretrained "
                "transformer as save_pretrained writes it. (In a workflow of the project it comes from "
                "--vars.transformer)"
            )


def _batches(lengths: list[int]) -> Iterator[np.ndarray]:
    """Places of words of one length, the shortest first; words without pieces are in none."""
    order = np.argsort(lengths, kind="stable")
    sizes, starts = np.unique(np.asarray(lengths)[order], return_index=True)
    for size, group in zip(sizes.tolist(), np.split(order, starts[1:])):
        if size:
            n = max(1, _PIECES_PER_BATCH // size)
            yield from (group[start : start + n] for start in range(0, len(group), n))


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """transformers warns of layers that are not read, and of a pooler without weights, which is not used."""
    from transformers.utils import logging

    level = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)

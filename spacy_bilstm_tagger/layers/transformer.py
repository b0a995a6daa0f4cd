"""Rows of a pretrained transformer, one for each token: the mean of its word pieces."""

from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, Callable, Optional, cast

import srsly
import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from spacy.tokens import Doc
from spacy_transformers.align import apply_alignment, get_alignment, get_alignment_via_offset_mapping
from spacy_transformers.data_classes import HFObjects, WordpieceBatch
from spacy_transformers.layers.hf_shim import HFShim
from spacy_transformers.layers.transformer_model import huggingface_from_pretrained, huggingface_tokenize
from spacy_transformers.span_getters import get_strided_spans
from spacy_transformers.truncate import truncate_oversize_splits
from spacy_transformers.util import batch_by_length
from thinc.api import Model, Optimizer
from thinc.types import ArgsKwargs, Floats2d, Ints2d, Ragged
from thinc.util import torch2xp, xp2torch
from torch import Tensor
from transformers import AutoConfig

from ..crf.packing import split_rows
from ..errors import ConfigError, DataError, Errors
from ..lexicon.word_encoder import check_model, quiet_transformers
from ..types import Rows
from ..util import no_gradient
from .fixed import Fixed
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


Backprop = Callable[[Rows], list[Doc]]
TransformerModel = Model[list[Doc], Rows]

BATCH_TOKENS = 4_096  # of texts of about one length that are computed at once at prediction, with their padding


def Transformer(name: str, shim: TransformerShim, *, kept_tokens: int, **settings: Optional[int]) -> TransformerModel:
    """(tokens, nO) for each doc; a token without word pieces gets zeros.

    settings: layer, window and stride, as in `TransformerEmbed.v1`. Word pieces, windows and alignment are those of
    spacy-transformers. Frozen weights compute the texts of training once and keep their rows, up to `kept_tokens` tokens.
    """
    attrs = {key: Fixed("TransformerEmbed.v1", value) for key, value in settings.items()}
    return Model(
        "transformer_rows",
        partial(forward, kept_tokens=kept_tokens),
        init=partial(init, name=name),
        shims=[shim],
        dims={"nO": None},
        attrs={**attrs, "dropout_rate": 0.0},
    )


def forward(model: TransformerModel, docs: list[Doc], is_train: bool, *, kept_tokens: int) -> tuple[Rows, Backprop]:
    shim = _shim(model)
    texts = [doc for doc in docs if len(doc)]
    if is_train and shim.learn_rate_factor:
        rows, backprop = _learn(model, shim, texts)
    else:
        rows = _remember(model, shim, texts, kept_tokens) if is_train else _predict(model, shim, texts)
        backprop = no_gradient
    each = iter(rows)
    Ys = [next(each) if len(doc) else model.ops.alloc2f(0, model.get_dim("nO")) for doc in docs]
    return Ys, lambda dYs: backprop([dY for dY, doc in zip(dYs, docs) if len(doc)])


def init(model: TransformerModel, X: Optional[list[Doc]] = None, Y: Optional[list] = None, *, name: str) -> None:
    """Load the transformer, unless it is there. RAISES: ConfigError if it cannot be."""
    shim = _shim(model)
    objects = shim._hfmodel
    if objects.transformer is None:
        configs = {
            "tokenizer_config": objects._init_tokenizer_config,
            "transformer_config": objects._init_transformer_config,
        }
        shim.set_objects(load_transformer(name, model.attrs["layer"].value, **configs))
    model.set_dim("nO", shim._hfmodel.transformer.config.hidden_size)


def _learn(model: TransformerModel, shim: TransformerShim, docs: list[Doc]) -> tuple[Rows, Backprop]:
    if not docs:
        return [], no_gradient
    inputs, align = _word_pieces(model, shim, docs)
    inputs.kwargs["with_dropout"] = model.attrs["dropout_rate"] > 0
    Y, backprop_transformer = shim.begin_update(inputs)  # (windows, word pieces, nO)
    rows, backprop_rows = _token_rows(model, align, Y.detach())
    lengths = [len(doc) for doc in docs]

    def backprop(dYs: Rows) -> list[Doc]:
        dY = xp2torch(backprop_rows(model.ops.flatten(dYs)), device=shim.device).reshape(Y.shape)
        backprop_transformer(ArgsKwargs(args=((Y,),), kwargs={"grad_tensors": (dY,)}))
        return docs

    return split_rows(rows, lengths), backprop


def _remember(model: TransformerModel, shim: TransformerShim, docs: list[Doc], kept_tokens: int) -> Rows:
    """Rows of frozen weights in training, from a cache: every epoch needs the same."""
    kept = shim.kept_rows
    keys = [doc.to_array(["ORTH", "SPACY"]).tobytes() for doc in docs]
    new = {key: doc for key, doc in zip(keys, docs) if key not in kept}
    found = dict(zip(new, _predict(model, shim, list(new.values()))))
    room = kept_tokens - sum(len(rows) for rows in kept.values())
    Ys = [kept[key] if key in kept else found[key] for key in keys]
    for key, rows in found.items():
        if len(rows) <= room:
            kept[key] = rows
            room -= len(rows)
    return Ys


def _predict(model: TransformerModel, shim: TransformerShim, docs: list[Doc]) -> Rows:
    found: dict[int, Floats2d] = {}
    for batch in batch_by_length(docs, BATCH_TOKENS):
        # spacy-transformers aligns a doc once, so it must not be there twice.
        several = list({id(docs[i]): docs[i] for i in batch}.values())
        inputs, align = _word_pieces(model, shim, several)
        rows, _ = _token_rows(model, align, shim.predict(inputs))
        found.update(zip(map(id, several), split_rows(rows, [len(doc) for doc in several])))
    return [found[id(doc)] for doc in docs]


def _word_pieces(model: Model, shim: TransformerShim, docs: list[Doc]) -> tuple[ArgsKwargs, Ragged]:
    """The input of the transformer, (windows, word pieces), and the places of each token's word pieces in it."""
    spans = [
        span for several in get_strided_spans(docs, model.attrs["window"].value, model.attrs["stride"].value) for span in several
    ]
    tokenizer = shim.tokenizer
    encoding = huggingface_tokenize(tokenizer, [span.text for span in spans])
    pieces = WordpieceBatch.from_batch_encoding(encoding)
    if "offset_mapping" in encoding:
        align = get_alignment_via_offset_mapping(spans, cast(Ints2d, encoding["offset_mapping"]))
    else:
        align = get_alignment(spans, pieces.strings, tokenizer.all_special_tokens)
    pieces, align = truncate_oversize_splits(pieces, align, shim.longest)
    masks: dict[str, Any] = {"attention_mask": pieces.attention_mask}
    if pieces.token_type_ids is not None:
        masks["token_type_ids"] = pieces.token_type_ids
    kwargs = {name: xp2torch(array, device=shim.device) for name, array in masks.items()}
    return ArgsKwargs(args=(xp2torch(pieces.input_ids, device=shim.device),), kwargs=kwargs), align


def _token_rows(model: Model, align: Ragged, Y: torch.Tensor) -> tuple[Floats2d, Callable[[Floats2d], Floats2d]]:
    """(windows, word pieces, nO) -> (tokens, nO), means of the word pieces in all windows that hold the token."""
    flat = cast(Floats2d, torch2xp(Y.reshape(-1, Y.shape[-1])))
    pieces, backprop_align = apply_alignment(model.ops, align, flat)

    def backprop(d_rows: Floats2d) -> Floats2d:
        d_pieces = model.ops.backprop_reduce_mean(d_rows, pieces.lengths)
        return backprop_align(Ragged(d_pieces, pieces.lengths))

    return model.ops.reduce_mean(cast(Floats2d, pieces.dataXd), pieces.lengths), backprop


def _shim(model: Model) -> TransformerShim:
    shim = model.shims[0]
    assert isinstance(shim, TransformerShim)
    return shim


def load_transformer(
    name: str, layer: Optional[int], *, tokenizer_config: dict[str, Any], transformer_config: dict[str, Any]
) -> HFObjects:
    """On thinc's current device, without the layers above the one that is asked for.

    name (str): a folder, or the name of a model on the hub, which is downloaded or found in the hub's own cache.
    layer (int or None): from 1, the one nearest to the word pieces, to the number of layers; None for the middle.
    tokenizer_config, transformer_config (dict): arguments of their `from_pretrained`.
    RAISES: ConfigError with one line for a name, folder or file that is missing, for files that cannot be read, and for
        a layer that does not exist.
    """
    if not name:
        raise ConfigError(
            "TransformerEmbed.v1: name is empty; expected the folder of a pretrained transformer or its name on "
            "Hugging Face's hub. The recipe takes it from --paths.transformer, the workflow from "
            "--vars.transformer"
        )
    if Path(name).is_dir() or _looks_like_a_path(name):
        try:
            check_model(Path(name))
        except DataError as error:
            raise ConfigError(str(error)) from None
    try:
        with quiet_transformers():
            count = AutoConfig.from_pretrained(name, **transformer_config).num_hidden_layers
            layer = layer or (count + 1) // 2
            if layer <= count:
                config = {**transformer_config, "num_hidden_layers": layer}
                loaded = huggingface_from_pretrained(name, tokenizer_config, config)
                loaded.tokenizer(["so"])  # a damaged one may notice only now
                return loaded
    except Exception as error:  # each kind of file has a reader of its own
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        place = "" if Path(name).is_dir() else "no folder of this name is here, and as a name on the hub it "
        raise ConfigError(
            f"{name}: {place}cannot be read as a pretrained transformer with its tokenizer ({reason}). Give a "
            "folder saved by save_pretrained, or the name of a model on Hugging Face's hub"
        ) from error
    raise ConfigError(
        f"TransformerEmbed.v1: layer = {layer}, but {name} has {count} layers; expected up to that, or null for the middle"
    )


def _looks_like_a_path(name: str) -> bool:
    """Names on the hub are MODEL or OWNER/MODEL."""
    return name.startswith((".", "/", "~")) or name.count("/") > 1 or "\\" in name

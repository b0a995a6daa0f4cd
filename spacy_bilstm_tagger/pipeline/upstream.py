"""Which tok2vec a component listens to, and whether it is the one that the component was trained with."""

import hashlib
import warnings
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Iterator, Optional

import torch
from spacy.pipeline.tok2vec import Tok2Vec, Tok2VecListener
from thinc.api import Model

from ..errors import ConfigError

# An attribute of a listener, saved with it: the checksum of the weights of the tok2vec that it was trained with. One that is
# being trained has none.
TRAINED_WITH = "trained_with"


@dataclass(eq=False)
class Link:
    """The way from a listener to its tok2vec, where that is one of ours. The copy of a component alone leads to the same one."""

    tok2vec: Optional[Tok2Vec] = None
    checked: Any = None

    @staticmethod
    def of(node: Model) -> "Link":
        link: Link = vars(node).setdefault("link", Link())
        return link

    def __deepcopy__(self, memo: dict[int, Any]) -> "Link":
        return Link(memo.get(id(self.tok2vec), self.tok2vec), self.checked)


def listeners(model: Model) -> list[Model]:
    """The layers that pass the rows of a shared tok2vec on."""
    return [node for node in model.walk() if isinstance(node, Tok2VecListener)]


def connect(model: Model, tok2vec: Tok2Vec) -> None:
    """Let the listeners know the tok2vec that gives them rows from now on. Trained ones keep the checksum of the one
    before."""
    for node in listeners(model):
        before = Link.of(node).tok2vec
        if node.upstream_name in ("*", tok2vec.name) and before is not tok2vec:  # type: ignore[attr-defined]
            if before is not None and model.has_dim("nO"):
                node.attrs.setdefault(TRAINED_WITH, weights_checksum(before.model))
            vars(node)["link"] = Link(tok2vec)


def forget_tok2vec(model: Model) -> None:
    """To be called before the model learns from the rows that it gets, and before it is loaded."""
    for node in listeners(model):
        node.attrs.pop(TRAINED_WITH, None)


@contextmanager
def saving_tok2vec(model: Model) -> Iterator[None]:
    """Inside, listeners have the checksum of the tok2vec, so that it is saved with them."""
    with ExitStack() as undo:
        for node in listeners(model):
            tok2vec = Link.of(node).tok2vec
            if tok2vec is not None and TRAINED_WITH not in node.attrs:
                node.attrs[TRAINED_WITH] = weights_checksum(tok2vec.model)
                undo.callback(node.attrs.pop, TRAINED_WITH)
        yield


def weights_checksum(model: Model) -> str:
    """SHA-256 of a model's weights, which is the same on any device and with any version that can load them."""
    digest = hashlib.sha256()
    for node in model.walk():
        for name in node.param_names:
            if node.has_param(name):
                digest.update(node.ops.to_numpy(node.get_param(name)).tobytes())
        for module in (getattr(shim, "_model", None) for shim in node.shims):
            for weight in module.parameters() if isinstance(module, torch.nn.Module) else ():
                digest.update(weight.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def warn_of_another_tok2vec(name: str, node: Model) -> None:
    """Warn of another tok2vec than the listener was trained with: once, for this reads all weights. name (str): its component's."""
    link, expected = Link.of(node), node.attrs[TRAINED_WITH]
    state = expected, getattr(link.tok2vec, "loads", None)
    if link.checked != state:
        link.checked = state
        if link.tok2vec is None or weights_checksum(link.tok2vec.model) != expected:
            warnings.warn(
                f"{name}: listens to another tok2vec than the one that it was trained with, so its labels will be wrong unless it "
                "is trained again. Get the whole folder again; or source that tok2vec too, or call "
                f"nlp.replace_listeners('tok2vec', {name!r}, ['model.tok2vec']) in the other pipeline before",
                stacklevel=2,
            )


def require_own_tok2vec(name: str, model: Model) -> None:
    """RAISES: ConfigError for a component that listens to a shared tok2vec. The teacher of a rehearsal would listen
    too, but gets nothing to hear."""
    for node in model.walk():
        upstream = getattr(node, "upstream_name", None)
        if upstream is not None:
            upstream = "tok2vec" if upstream == "*" else upstream
            raise ConfigError(
                f"{name}: rehearse needs a tok2vec of the component's own, found a listener to a shared one, whose copy "
                f"hears nothing. Call nlp.replace_listeners({upstream!r}, {name!r}, ['model.tok2vec']) before "
                "nlp.resume_training()"
            )

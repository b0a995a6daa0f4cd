"""Which tok2vec a component listens to, and whether it is the one that the component was trained with."""

import hashlib
import warnings
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Iterator, Literal, Optional, Sequence, cast

import torch
from spacy.pipeline.tok2vec import Tok2Vec, Tok2VecListener
from spacy.tokens import Doc
from thinc.api import Model

from ..errors import ConfigError, Errors

# An attribute of a saved listener: the checksum of the weights of its tok2vec. While the component is trained, there is none.
TRAINED_WITH = "trained_with"
_ANOTHER = "another"  # in its place: it cannot be told, but the present one is not it


@dataclass(eq=False)
class Link:
    """The way from a listener to its tok2vec, which is the same for a copy: one of ours, or spaCy's once it was saved or loaded.

    change: what has happened to the tok2vec since the component has learned from its rows, or was loaded itself.
    is_checked: nothing has changed since `check_upstream`.
    """

    tok2vec: Optional[Tok2Vec] = None
    change: Literal["", "learned", "loaded"] = ""
    is_checked: bool = False

    @staticmethod
    def of(node: Model) -> "Link":
        return cast(Link, vars(node).setdefault("link", Link()))

    def __deepcopy__(self, memo: dict[int, Any]) -> "Link":
        return Link(memo.get(id(self.tok2vec), self.tok2vec), self.change, self.is_checked)


def listeners(model: Model) -> list[Tok2VecListener]:
    """The layers that pass the rows of a shared tok2vec on."""
    return [node for node in model.walk() if isinstance(node, Tok2VecListener)]


def connect(model: Model, tok2vec: Tok2Vec) -> None:
    """Let the listeners know the tok2vec that gives them rows from now on. Trained ones keep the checksum of the one
    before."""
    for node in listeners(model):
        link = Link.of(node)
        if node.upstream_name in ("*", tok2vec.name) and link.tok2vec is not tok2vec:
            if link.tok2vec is not None and model.has_dim("nO"):
                node.attrs.setdefault(TRAINED_WITH, _checksum(link))
            vars(node)["link"] = Link(tok2vec)


def mark_listeners(tok2vec: Tok2Vec, change: Literal["learned", "loaded"]) -> None:
    """Note at the listeners of a tok2vec that its weights have changed."""
    for node in tok2vec.listeners:
        link = Link.of(node)
        link.change, link.is_checked = "loaded" if link.change == "loaded" else change, False


def reset_links(model: Model) -> None:
    """To be called before the model learns from the rows that the tok2vec gives now, and before it is loaded."""
    for node in listeners(model):
        node.attrs.pop(TRAINED_WITH, None)
        vars(node)["link"] = Link(Link.of(node).tok2vec)


@contextmanager
def saving_tok2vec(model: Model) -> Iterator[None]:
    """Inside, listeners have the checksum of the tok2vec, so that it is saved with them."""
    with ExitStack() as undo:
        for node in listeners(model):
            if Link.of(node).tok2vec is not None and TRAINED_WITH not in node.attrs:
                node.attrs[TRAINED_WITH] = _checksum(Link.of(node))
                undo.callback(node.attrs.pop, TRAINED_WITH)
        yield


def _checksum(link: Link) -> str:
    """Of the tok2vec that the component was trained with, where it is still the present one."""
    return _ANOTHER if link.change == "loaded" else _present_checksum(link)


def _present_checksum(link: Link) -> str:
    return _ANOTHER if link.tok2vec is None else weights_checksum(link.tok2vec.model)


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


def check_upstream(name: str, model: Model, *, batch: Optional[Sequence[Doc]] = None) -> None:
    """Warn of another tok2vec than the component was trained with, or one that has learned on without it: once, for this may
    read all weights.

    name (str): of the component; batch (docs or None): what it learns from now, if it does.
    RAISES: ConfigError for a batch whose rows nobody has given: not the tok2vec in this step, nor one before.
    """
    for node in listeners(model):
        if batch is not None and (node._batch_id != node.get_batch_id(batch) or getattr(node._backprop, "is_spent", False)):
            if any(len(doc) and not doc.tensor.size for doc in batch):
                raise ConfigError(
                    f"{name}: listens to {node.upstream_name!r}, and would learn from texts that no tok2vec has read; expected one "
                    f"before {name!r} in the pipeline, which learns too or stands in annotating_components. One that is frozen, "
                    f"or that a sourced {name!r} was not trained with, has to stand there"
                )
            node._batch_id = None  # that of an earlier step: the rows are those of the docs
        link, expected = Link.of(node), node.attrs.get(TRAINED_WITH)
        if link.is_checked or (batch is not None and expected is None):
            continue
        link.is_checked, message = True, ""
        is_other = link.change == "loaded" if expected is None else _present_checksum(link) != expected
        if is_other and link.tok2vec is None:
            message = f"listens to {node.upstream_name!r}, which is no tok2vec of the pipeline, so its labels may be wrong"
        elif is_other:
            message = (
                "listens to another tok2vec than the one that it was trained with, so its labels will be wrong unless it is "
                "trained again. Get the whole folder again; or source that tok2vec too, or call "
                f"nlp.replace_listeners('tok2vec', {name!r}, ['model.tok2vec']) in the other pipeline before"
            )
        elif link.change and expected is None:
            message = "its tok2vec has learned since, so its labels may be wrong; train both together, or keep both as they are"
        if message:
            warnings.warn(f"{name}: {message}", stacklevel=2)


def check_width(component: Any, tok2vec: Tok2Vec) -> None:
    """RAISES: ConfigError for a component, also one of spaCy, that listens to the tok2vec and expects rows of another width."""
    for node in listeners(component.model):
        widths = [each.get_dim("nO") for each in (node, tok2vec.model) if each.has_dim("nO")]
        if node.upstream_name in ("*", tok2vec.name) and len(set(widths)) > 1:
            names = {"name": component.name, "upstream": tok2vec.name}
            raise ConfigError(Errors.LISTENER_WIDTH.format(**names, found=widths[0], expected=widths[1]))


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

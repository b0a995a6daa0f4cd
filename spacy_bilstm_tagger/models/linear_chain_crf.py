"""LinearChainCRF.v1: scores between neighbouring labels, on top of a score per label and token."""

from typing import Callable, Optional, cast

from spacy.tokens import Doc
from thinc.api import Linear, Model, chain, with_array
from thinc.types import Floats2d, FloatsXd

Emissions = list[Floats2d]


def LinearChainCRF(
    tok2vec: Model[list[Doc], list[Floats2d]], nO: Optional[int] = None
) -> Model[list[Doc], list[Floats2d]]:
    """The CRF head (Lafferty et al. 2001; over a BiLSTM: Huang et al. 2015, "Bidirectional LSTM-CRF models for sequence
    tagging"). Its output are emissions, (tokens, labels) for each doc, as those of `TokenClassifier.v1`.

    The model's reference "crf" holds the learned transitions, (nO, nO), from row to column, and the start and end
    scores, (nO,). They begin as zeros. The component that owns the model decodes with them and trains them.

    tok2vec (Model): any spaCy tok2vec.
    nO (int or None): number of labels; usually set at initialization.
    """
    output_layer = Linear(nO=nO, nI=tok2vec.get_dim("nO") if tok2vec.has_dim("nO") else None)
    emissions = cast(Model[Emissions, Emissions], with_array(output_layer))
    crf = ChainScores(nO)
    model: Model[list[Doc], Emissions] = chain(tok2vec, emissions, crf)
    model.set_ref("tok2vec", tok2vec)
    model.set_ref("output_layer", output_layer)
    model.set_ref("crf", crf)
    return model


def add_labels(model: Model[list[Doc], Emissions], nO: int, bias: float) -> None:
    """Let a trained `LinearChainCRF.v1` have nO labels, more than it has. The scores of the old ones stay.

    An optimizer begins anew for the weights that grow: it keeps moments and averages by a node's id, and these two get
    another one.
    bias (float): the emission with which a new label begins, whatever the token is; its scores to its neighbours are 0.
    """
    ops, output, crf = model.ops, model.get_ref("output_layer"), model.get_ref("crf")
    old = output.get_dim("nO")
    grown = {
        (output, "W"): ops.alloc2f(nO, output.get_dim("nI")),
        (output, "b"): ops.alloc1f(nO) + bias,
        (crf, "transitions"): ops.alloc2f(nO, nO),
        (crf, "start"): ops.alloc1f(nO),
        (crf, "end"): ops.alloc1f(nO),
    }
    for (node, name), rows in grown.items():
        rows[(slice(old),) * (2 if name == "transitions" else 1)] = node.get_param(name)
        node.set_param(name, None)  # thinc lets no dimension change beside a weight
    for node in model.walk():
        if node is model or node is crf or node is output or output in node.layers:
            node.set_dim("nO", nO, force=True)
    for node in (output, crf):
        with Model.global_id_lock:
            Model.global_id += 1
            node.id = Model.global_id
    for (node, name), rows in grown.items():
        node.set_param(name, cast(FloatsXd, rows))
        node.set_grad(name, ops.xp.zeros_like(rows))


def ChainScores(nO: Optional[int] = None) -> Model[Emissions, Emissions]:
    """Passes emissions on. Its parameters are the scores between labels."""
    return Model(
        "chain_scores",
        forward,
        init=init,
        dims={"nO": nO},
        params={"transitions": None, "start": None, "end": None},
    )


def forward(
    model: Model[Emissions, Emissions], X: Emissions, is_train: bool
) -> tuple[Emissions, Callable[[Emissions], Emissions]]:
    return X, _pass_on


def init(model: Model[Emissions, Emissions], X: Optional[Emissions] = None, Y: Optional[Emissions] = None) -> None:
    example = Y or X
    if example:
        model.set_dim("nO", example[0].shape[1])
    if model.has_dim("nO"):
        nO = model.get_dim("nO")
        model.set_param("transitions", model.ops.alloc2f(nO, nO))
        model.set_param("start", model.ops.alloc1f(nO))
        model.set_param("end", model.ops.alloc1f(nO))


def _pass_on(dY: Emissions) -> Emissions:
    return dY

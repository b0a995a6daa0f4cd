"""Features of word types: rows of vector tables, hashed attributes, Brown prefixes; and names, of tokens.

Each is a thinc layer from word types to rows, so that `TweetEmbed` computes it once for each distinct word. Names are the
exception: they depend on the words around, so `GazetteerFeatures` gives a row for each token.
"""

import logging
from functools import partial
from typing import Callable, Optional, cast

import numpy as np
from spacy.vectors import Vectors
from thinc.api import HashEmbed, Model, chain, concatenate, get_array_module
from thinc.types import Floats2d, Ints2d

from ..errors import ConfigError, Errors
from ..lexicon.gazetteers import find_names
from ..lexicon.new_words import NewWords
from ..lexicon.table import (
    BROWN,
    GAZETTEERS,
    NAME,
    NO_ROW,
    VECTORS_PREFIX,
    Hashes,
    WordTypes,
    by_lower,
    by_lower_without_sign,
    by_norm,
    claimed_table,
    remember_table,
)
from ..lexicon.vectors import UNK_HASH, UNK_KEY, VOCAB_VECTORS, check_shape, check_vectors
from ..types import Ints, Mask
from ..util import no_gradient

# Below spaCy's logger, so that its handler prints these messages; it is itself silent below WARNING.
logger = logging.getLogger("spacy.bilstm_tagger")
logger.setLevel(logging.INFO)

# The keys by which a further vector table, or Brown clusters, are searched.
ROW_KEYS = {"LOWER": by_lower, "LOWER without #": by_lower_without_sign, "NORM": by_norm}
PATH_KEYS = {"LOWER": by_lower, "NORM": by_norm}

NAMES = "gazetteer_features"  # name of the layer
Features = Model[WordTypes, Floats2d]
Output = tuple[Floats2d, Callable[[Floats2d], list]]


def NormVectors() -> Features:
    """The row of `vocab.vectors` under each NORM, frozen; (types, nO), nO the table's width.

    Where the table does not have the NORM, the word as written counts, then its lower-cased form: a table of cased words
    has `Lisbon`, and no `lisbon`. Vectors(attr="NORM") would do the first step, but spaCy forgets that attribute when it
    saves a table. A word that is not in the table gets its `<unk>` row, see `set_vectors`, or zeros in a table without
    such a row.
    """
    attrs = {NAME: VOCAB_VECTORS}
    return Model("norm_vectors", _norm_vectors_forward, init=_vectors_init, dims={"nO": None}, attrs=attrs)


def _norm_vectors_forward(model: Features, types: WordTypes, is_train: bool) -> Output:
    vectors = types.vocab.vectors
    if not vectors.key2row:
        raise ConfigError(Errors.VECTORS_MISSING)
    if vectors.shape[1] != model.get_dim("nO"):
        check_shape(vectors, width=model.get_dim("nO"))
    rows, _ = _norm_rows(types, vectors)
    Y = model.ops.asarray2f(vectors.data[get_array_module(vectors.data).asarray(rows)], dtype="f")
    Y *= model.ops.xp.asarray(rows[:, None] != NO_ROW)
    if not np.isfinite(float(model.ops.xp.sum(Y))):  # one pass; that of finite numbers can overflow, so look again
        check_vectors(vectors)
    return Y, no_gradient


def TunedVectors() -> Features:
    """As `NormVectors`, but the rows are parameters: E, a copy of the table made when the model is initialized, and
    saved with it; (types, nO).

    Only the rows of words that the table has learn. The `<unk>` row stays as it is: so do the rows of words that are not
    in the training data, and new words, which get `<unk>`, stand among those. `vocab.vectors` still gives the row of each
    word. Every step of the optimizer goes over the whole copy, so this is for a table that was cut to the words of a
    corpus (`max_rows` or `prune_to` of load_vectors.v1).
    """
    attrs = {NAME: VOCAB_VECTORS}
    return Model("tuned_vectors", _tuned_forward, init=_vectors_init, dims={"nO": None}, params={"E": None}, attrs=attrs)


def _tuned_forward(model: Features, types: WordTypes, is_train: bool) -> Output:
    E = cast(Floats2d, model.get_param("E"))
    vectors = types.vocab.vectors
    if vectors.shape != E.shape:
        check_shape(vectors, width=E.shape[1], tuned_rows=E.shape[0])
    at, found_by = _norm_rows(types, vectors)
    rows = model.ops.xp.asarray(at)
    Y = E[rows] * (rows != NO_ROW)[:, None]

    def backprop(dY: Floats2d) -> list:
        learns = model.ops.xp.asarray(np.flatnonzero(found_by < 3))
        dE = model.ops.alloc2f(*E.shape)
        model.ops.scatter_add(dE, rows[learns], dY[learns])
        model.inc_grad("E", dE)
        return []

    return Y, backprop


def _vectors_init(model: Features, X: Optional[WordTypes] = None, Y: Optional[Floats2d] = None) -> None:
    """Take the table's width, and its rows if they are to be tuned."""
    if X is None:
        return
    vectors = X.vocab.vectors
    check_vectors(vectors)
    model.set_dim("nO", vectors.shape[1], force=True)
    if model.has_param("E") is not False:
        model.set_param("E", model.ops.asarray2f(vectors.data, dtype="f").copy())
    _, found_by = _norm_rows(X, vectors)
    fallback = f"that of {UNK_KEY}" if UNK_HASH in vectors.key2row else "zeros"
    keys = ["NORM", "the word as written", "LOWER"]
    counts = _count_keys(X, found_by, keys)
    _log_coverage("Vectors", X, found_by < len(keys), "row", f": {counts}, which get {fallback}")


def _norm_rows(types: WordTypes, vectors: Vectors) -> tuple[Ints, Ints]:
    """The row of each word type, or NO_ROW for zeros; and the number of the key that found it, of NORM, ORTH and LOWER, or
    3 for a word that is not in the table and has the row of `<unk>`; (types,) each."""
    key2row = vectors.key2row
    rows = np.full(len(types), key2row.get(UNK_HASH, NO_ROW), dtype=np.int64)
    found_by = np.full(len(types), 3)
    missing = np.arange(len(types))
    for number, keys in enumerate((types.norm, types.orth, types.lower)):
        own = np.array([key2row.get(key, NO_ROW) for key in keys[missing].tolist()], dtype=np.int64)
        found = own != NO_ROW
        rows[missing[found]], found_by[missing[found]] = own[found], number
        missing = missing[~found]
    return rows, found_by


def TableVectors(table: str, new_words: Optional[NewWords] = None) -> Features:
    """The frozen row of each word type in a further vector table, (types, nO), and zeros where it has none.

    table (str): the name of a table that `load_vectors.v1` has loaded.
    new_words (NewWords or None): fills rows that the table lacks. It belongs to the config and not to the weights:
        a saved model is read with that of its config.
    """
    return Model(
        f"table_vectors:{table}",
        partial(_table_forward, new_words=new_words),
        init=partial(_table_init, new_words=new_words),
        dims={"nO": None},
        attrs={NAME: VECTORS_PREFIX + table},
    )


def _table_forward(model: Features, types: WordTypes, is_train: bool, *, new_words: Optional[NewWords]) -> Output:
    table = claimed_table(model, types.vocab)
    rows, _ = table.find_types(types, ROW_KEYS)
    Y = table.rows(rows)
    missing = rows == NO_ROW
    Y[missing] = 0
    if new_words is not None and missing.any():
        Y[missing] = new_words.find(types.lower[missing], types.vocab, table)
    return model.ops.asarray2f(cast(Floats2d, Y)), no_gradient


def _table_init(model: Features, X: Optional[WordTypes] = None, Y: object = None, *, new_words: Optional[NewWords]) -> None:
    if X is None:
        return
    name = model.attrs[NAME].removeprefix(VECTORS_PREFIX)
    table = remember_table(model, X.vocab)
    if not np.isfinite(table.rows(np.arange(len(table.hashes))).sum(dtype="float64")):
        raise ConfigError(f"The vector table {name!r} holds NaN or infinity; expected finite numbers. Make it again")
    model.set_dim("nO", table.width, force=True)
    rows, found_by = table.find_types(X, ROW_KEYS)
    is_known = rows != NO_ROW
    _log_coverage(f"Vector table {name}", X, is_known, "row", f": {_count_keys(X, found_by, list(ROW_KEYS))}")
    missing = np.unique(X.lower[~is_known])
    if new_words is not None and len(missing):
        filled = int(new_words.find(missing, X.vocab, table).any(axis=1).sum())
        logger.info("Vector table %s: new words fill %d of %d word types without a row", name, filled, len(missing))


def HashedAttribute(column: int, *, width: int, rows: int) -> Features:
    """An embedding of one of the attributes of the word types, hashed into a table (Svenstrup et al. 2017, "Hash
    embeddings for efficient word representations"); (types, width).

    column (int): of `WordTypes.attributes`.
    rows (int): of the table.
    """
    attribute: Model = Model("type_attribute", _attribute_forward, attrs={"column": column})
    return chain(attribute, HashEmbed(nO=width, nV=rows, seed=8 + column, dropout=0.0))


def _attribute_forward(model: Model, types: WordTypes, is_train: bool) -> tuple:
    return model.ops.xp.asarray(types.attributes[:, model.attrs["column"]]), no_gradient


def HashedBrownPrefixes(prefixes: list[int], *, width: int, rows: int) -> Features:
    """A hashed embedding of each prefix of the path; (types, width * prefixes)."""
    columns = range(len(prefixes))
    tables: list[Model] = [HashEmbed(nO=width, nV=rows, column=at, seed=108 + at, dropout=0.0) for at in columns]
    return chain(BrownPrefixes(prefixes), cast(Model[Ints2d, Floats2d], concatenate(*tables)))


def BrownPrefixes(prefixes: list[int]) -> Model[WordTypes, Ints2d]:
    """The first bits of each word's path, a column for each number of bits; (types, prefixes) uint64.

    A path that is shorter counts as a whole, and 0 stands for no path. Clusters that are near each other in the tree
    begin alike, so the prefixes are classes from coarse to fine (Miller, Guinness and Zamanian 2004, "Name tagging
    with word clusters and discriminative training").

    prefixes (list of int): numbers of bits.
    """
    attrs = {"prefixes": prefixes, NAME: BROWN}
    return Model("brown_prefixes", _prefixes_forward, init=_prefixes_init, attrs=attrs)


def _prefixes_forward(model: Model[WordTypes, Ints2d], types: WordTypes, is_train: bool) -> tuple[Ints2d, Callable]:
    table = claimed_table(model, types.vocab)
    rows, _ = table.find_types(types, PATH_KEYS)
    paths = np.where(rows == NO_ROW, np.uint64(0), table.arrays["paths"][rows])
    features = np.column_stack([cut_paths(paths, length) for length in model.attrs["prefixes"]])
    return model.ops.asarray2i(cast(Ints2d, features), dtype="uint64"), no_gradient


def _prefixes_init(model: Model[WordTypes, Ints2d], X: Optional[WordTypes] = None, Y: Optional[Ints2d] = None) -> None:
    if X is None:
        return
    table = remember_table(model, X.vocab)
    rows, found_by = table.find_types(X, PATH_KEYS)
    is_known = rows != NO_ROW
    has_stand_in = is_known & np.isin(table.hashes[rows], np.array(table.info["stand_ins"], dtype=np.uint64))
    found_by = np.where(has_stand_in, 2, np.where(is_known, found_by, 3))
    keys = [*PATH_KEYS, "a stand-in for their NORM"]
    _log_coverage("Brown clusters", X, is_known, "path", f": {_count_keys(X, found_by, keys)}")


def cut_paths(paths: Hashes, length: int) -> Hashes:
    """The first bits of each path, or all of it where it is shorter; 0 stays 0."""
    lengths = np.frexp(paths.astype(np.float64))[1] - 1
    return paths >> np.maximum(lengths - length, 0).astype(np.uint64)


def GazetteerFeatures(lists: Optional[list[str]] = None) -> Features:
    """Two columns of 0 and 1 for each list: a name of it begins at the token; one goes on there; (tokens, 2 * lists).

    Names reach over several words, so these are rows of tokens, not of word types. Which of the lists can be trusted is
    left to the layers above to learn (Ratinov and Roth 2009, "Design challenges and misconceptions in named entity
    recognition").

    lists (list of str or None): the lists to look at. None: all that are there when the model is initialized.
    """
    width = None if lists is None else 2 * len(lists)
    attrs = {"asked_for": lists, "lists": lists, NAME: GAZETTEERS}
    return Model(NAMES, _names_forward, init=_names_init, dims={"nO": width}, attrs=attrs)


def _names_forward(model: Features, types: WordTypes, is_train: bool) -> Output:
    begins_and_goes_on = find_names(claimed_table(model, types.vocab), types, model.attrs["lists"])
    return model.ops.asarray2f(cast(Floats2d, np.concatenate(begins_and_goes_on, axis=1)), dtype="f"), no_gradient


def _names_init(model: Features, X: Optional[WordTypes] = None, Y: Optional[Floats2d] = None) -> None:
    if X is None:
        return
    table = remember_table(model, X.vocab)
    lists = model.attrs["asked_for"] or table.info["lists"]
    model.attrs["lists"] = lists
    model.set_dim("nO", 2 * len(lists), force=True)
    begins, goes_on = find_names(table, X, lists)
    if not len(begins):
        return
    of_list = (begins | goes_on).mean(axis=0)
    share = (begins | goes_on).any(axis=1).mean()
    logger.info(
        f"Gazetteers: {share:.1%} of the tokens of the first {len(X.lengths)} texts are in a name; most are on the list "
        f"{lists[int(of_list.argmax())]} ({of_list.max():.1%}), {(of_list == 0).sum()} of {len(lists)} lists have none"
    )


def find_ways(model: Model, types: WordTypes) -> dict[str, list[str]]:
    """Name of a table that layers of the model read -> the key by which it has each word type, (types,), "" where it has it by
    none. Lists of names are left out: they are of several words."""
    ways: dict[str, list[str]] = {}
    for node in model.walk():
        name = str(node.attrs.get(NAME, ""))
        if name == VOCAB_VECTORS:
            keys, (_, found_by) = ["NORM", "as written", "LOWER"], _norm_rows(types, types.vocab.vectors)
        elif node.name == "brown_prefixes":
            keys, (_, found_by) = list(PATH_KEYS), claimed_table(node, types.vocab).find_types(types, PATH_KEYS)
        elif name.startswith(VECTORS_PREFIX):
            keys, (_, found_by) = list(ROW_KEYS), claimed_table(node, types.vocab).find_types(types, ROW_KEYS)
        else:
            continue
        ways[name] = [[*keys, ""][number] for number in found_by.tolist()]
    return ways


def find_lists(model: Model, types: WordTypes) -> list[list[str]]:
    """The lists of names, of those that a layer of the model reads, that each token is on, (tokens,); empty without a layer."""
    for node in model.walk():
        if node.name == NAMES:
            lists = node.attrs["lists"]
            begins, goes_on = find_names(claimed_table(node, types.vocab), types, lists)
            return [[lists[i] for i in np.flatnonzero(row).tolist()] for row in begins | goes_on]
    return []


def _log_coverage(title: str, types: WordTypes, is_known: Mask, kind: str, details: str) -> None:
    """Log for how many tokens and word types of the sample a table has a row, or a path."""
    if len(types.index):
        logger.info(
            f"{title}: {is_known[types.index].mean():.1%} of the tokens ({is_known.mean():.1%} of the word types) of the "
            f"first {len(types.lengths)} texts have a {kind}{details}"
        )


def _count_keys(types: WordTypes, found_by: Ints, keys: list[str]) -> str:
    """How many tokens were found by which key, and how many by none."""
    counts = np.bincount(found_by[types.index], minlength=len(keys) + 1).tolist()
    return ", ".join(f"{count} by {key}" for count, key in zip(counts, keys)) + f"; {counts[-1]} by none"

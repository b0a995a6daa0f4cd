"""spacy-bilstm vectors: word vectors, Brown clusters or gazetteers in, a folder with a table out."""

from pathlib import Path
from typing import Annotated, Any, Literal, Optional

import typer
from spacy.vectors import Vectors
from spacy.vocab import Vocab
from typer.core import TyperGroup

from ..errors import DataError, Errors
from ..lexicon.brown import brown_table, read_brown
from ..lexicon.files import BROWN_FOLDER, GAZETTEERS_FOLDER, VECTORS_FOLDER, check_output, is_pipeline, save_folder
from ..lexicon.gazetteers import gazetteer_table, read_gazetteers
from ..lexicon.sources import GENSIM_NAMES, read_vectors
from ..lexicon.table import BROWN, GAZETTEERS, WordTable
from ..lexicon.vectors import save_vectors


class _LoadByDefault(TyperGroup):
    """`vectors SOURCE OUT` is `vectors load SOURCE OUT`."""

    def parse_args(self, ctx, args):  # type: ignore[no-untyped-def]
        if args and args[0] not in self.commands and args[0] not in ("--help", "-h"):
            args.insert(0, "load")
        return super().parse_args(ctx, args)


vectors_app = typer.Typer(
    cls=_LoadByDefault,
    help="Make spaCy vectors: `vectors SOURCE OUT` reads them, `vectors train TEXTS OUT` trains them. "
    "`vectors brown FILE OUT` reads Brown clusters, `vectors gazetteers DIR OUT` lists of names. "
    "`vectors distill MODEL_DIR WORDS OUT` makes them from a transformer.",
    no_args_is_help=True,
)

Out = Annotated[Path, typer.Argument(metavar="OUT", help="The folder to write: a blank pipeline with the table.")]
PruneTo = Annotated[Optional[int], typer.Option(min=1, help="Keep this many rows; other words share the most similar row.")]
DType = Annotated[Literal["float32", "float16"], typer.Option(help="Type of the stored numbers.")]


@vectors_app.command("load")
def load(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help=f"{', '.join(GENSIM_NAMES)} (downloaded), or a file: GloVe .txt/.gz/.zip, word2vec, KeyedVectors.",
        ),
    ],
    output: Out,
    max_rows: Annotated[Optional[int], typer.Option(min=1, help="Read only the first rows.")] = None,
    prune_to: PruneTo = None,
    dim: Annotated[Optional[int], typer.Option(min=1, help="Which file of a zip, by its width.")] = None,
    dtype: DType = "float32",
) -> None:
    """Read vectors through gensim and write them as a spaCy table, under their own keys."""
    check_output(output, kind=VECTORS_FOLDER)
    if is_pipeline(Path(source)):
        raise DataError(f"{source}: is a folder of spaCy vectors already; name it in a config, as paths.vectors")
    notes: list[str] = []
    vectors = read_vectors(source, max_rows=max_rows, dim=dim, notes=notes)
    for note in notes:
        typer.secho(f"⚠ {note}", fg=typer.colors.YELLOW)
    _save_vectors(vectors, output, name=Path(source).name, prune_to=prune_to, dtype=dtype)


@vectors_app.command("train")
def train(
    texts: Annotated[
        Path,
        typer.Argument(metavar="TEXTS", help="One text a line (.txt, also .gz), .jsonl, .csv, .spacy, or an annotated corpus."),
    ],
    output: Out,
    algorithm: Annotated[Literal["word2vec", "fasttext"], typer.Option(help="gensim's algorithm.")] = "word2vec",
    dim: Annotated[int, typer.Option(min=1, help="Width of the vectors.")] = 100,
    epochs: Annotated[int, typer.Option(min=1)] = 10,
    min_count: Annotated[int, typer.Option(min=1, help="Leave out rarer words.")] = 2,
    window: Annotated[int, typer.Option(min=1, help="Words of context on each side.")] = 5,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1)] = 0,
    prune_to: PruneTo = None,
    dtype: DType = "float32",
) -> None:
    """Train vectors on raw text, tokenized by the tweet tokenizer, and write them as a spaCy table."""
    from ..corpus.raw import read_raw_texts
    from ..lexicon.train import tokenize, train_vectors

    check_output(output, kind=VECTORS_FOLDER)
    vectors = train_vectors(
        str(texts),
        tokenize(read_raw_texts(texts)),
        algorithm=algorithm,
        dim=dim,
        epochs=epochs,
        min_count=min_count,
        window=window,
        seed=seed,
    )
    _save_vectors(vectors, output, name=texts.name, prune_to=prune_to, dtype=dtype)


@vectors_app.command("brown")
def brown(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="Bit path TAB word TAB count in each line; also .gz.")],
    output: Out,
) -> None:
    """Read Brown clusters and write a blank pipeline that holds them."""
    check_output(output, kind=BROWN_FOLDER)
    paths = read_brown(source)
    found = f"{len(paths):,} words in {len(set(paths.values())):,} clusters"
    _save(brown_table(paths), BROWN, output, kind=BROWN_FOLDER, found=found)


@vectors_app.command("gazetteers")
def gazetteers(
    source: Annotated[Path, typer.Argument(metavar="DIR", help="A folder of lists, or one list: a name in each line.")],
    output: Out,
) -> None:
    """Read lists of names and write a blank pipeline that holds them."""
    check_output(output, kind=GAZETTEERS_FOLDER)
    lists, n_left_out = read_gazetteers(source)
    found = f"{sum(map(len, lists.values())):,} names on {len(lists):,} lists"
    left_out = f"; left out, as too short, too long or function words: {n_left_out:,}" if n_left_out else ""
    _save(gazetteer_table(lists), GAZETTEERS, output, kind=GAZETTEERS_FOLDER, found=found + left_out)


@vectors_app.command("distill")
def distill(
    model_dir: Annotated[
        str, typer.Argument(metavar="MODEL_DIR", help="The folder of a transformer: config.json, weights, tokenizer.")
    ],
    words: Annotated[
        list[Path],
        typer.Argument(
            metavar="WORDS...",
            help="One word a line (up to a TAB), a corpus, raw text, .jsonl, .spacy or a folder of them, Brown clusters, "
            "or vectors, whose keys are the words. The first lines of a file show its kind.",
        ),
    ],
    output: Out,
    dim: Annotated[int, typer.Option(min=1, help="Width of the vectors: principal components that are kept.")] = 128,
    layer: Annotated[Optional[int], typer.Option(min=1, help="Whose hidden states are read; the middle one by default.")] = None,
    dtype: DType = "float32",
) -> None:
    """Encode every word alone by a transformer, reduce by PCA, and write a spaCy table.

    A word's row is the mean over its pieces. Words are lower-cased and hashtags lose their #. @users share the row
    <user>, links and e-mail addresses <url>.
    """
    from ..lexicon.distill import SHARED_KEYS, fit_distiller, save_distilled, word_type
    from ..lexicon.word_encoder import check_model
    from .word_lists import read_words

    check_output(output, kind=VECTORS_FOLDER)
    if not model_dir:
        raise DataError(Errors.DISTILL_NO_MODEL.format(path="''"))  # Path("") would be the working folder
    folder = Path(model_dir)
    check_model(folder)
    types = set(SHARED_KEYS)
    for path in words:
        kind, found = read_words(path)
        distinct = set(found)
        found_types = set(map(word_type, distinct))
        new = len(found_types - types)
        types |= found_types
        typer.echo(f"{path}: read as {kind}, {len(found):,} words, {len(distinct):,} different, {new:,} new word types")
    ordered = sorted(types)
    typer.echo(f"{len(ordered):,} word types, with <user> for all @users and <url> for all links")
    distiller, rows = fit_distiller(folder, ordered, dim=dim, layer=layer)
    _report(save_distilled(distiller, ordered, rows, output, dtype=dtype), output)


def _save(table: WordTable, name: str, output: Path, *, kind: str, found: str) -> None:
    vocab = Vocab()
    table.to_lookups(vocab.lookups, name)
    save_folder(vocab, output, kind=kind)
    typer.echo(found)
    typer.secho(f"✔ {output}", fg=typer.colors.GREEN)


def _save_vectors(vectors: Any, output: Path, **settings: Any) -> None:
    _report(save_vectors(vectors.index_to_key, vectors.vectors, output, **settings), output)


def _report(vectors: Vectors, output: Path) -> None:
    rows, width = vectors.shape
    typer.echo(f"{vectors.n_keys:,} keys, {rows:,} rows of width {width}")
    typer.secho(f"✔ {output}", fg=typer.colors.GREEN)

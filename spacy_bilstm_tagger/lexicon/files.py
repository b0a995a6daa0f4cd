"""Folders of pipelines: those that hold tables, and the checksums of their files."""

import json
import re
from contextlib import ExitStack, contextmanager
from functools import partial, wraps
from pathlib import Path
from typing import Any, Callable, Iterable, Iterator, Optional, Union

import spacy
import srsly
from spacy.language import Language
from spacy.lookups import Lookups
from spacy.pipeline.tok2vec import Tok2Vec
from spacy.tokenizer import Tokenizer
from spacy.tokens import Doc
from spacy.util import get_model_meta, get_package_path, is_package
from spacy.vocab import Vocab

from ..errors import ConfigError, DataError, Errors, damaged
from ..tokenizer import TweetTokenizer, create_tweet_tokenizer
from ..util import file_checksum, write_beside
from .table import WordTable

CHECKSUMS, META = "sha256sums", "meta.json"
TWEET_TOKENIZER = "spacy-bilstm-tagger.TweetTokenizer.v1"
_LINE = re.compile("[0-9a-f]{64}  .+")
_OF_SYSTEMS = re.compile(r"\..*|Thumbs\.db|desktop\.ini", re.IGNORECASE)  # files that a file manager makes
COMPONENT_FILES = ("cfg", "model")
VECTORS_FOLDER, BROWN_FOLDER, GAZETTEERS_FOLDER = "vectors", "brown", "gazetteers"  # the names in their meta.json


def save_folder(vocab: Vocab, output: Path, *, kind: str) -> None:
    """Write a blank pipeline with this vocabulary and this name, as `spacy init vectors` does: any config can name it.

    RAISES: DataError where `output` is something else than such a folder.
    """
    check_output(output, kind=kind)
    nlp = spacy.blank("en", vocab=vocab, meta={"name": kind})
    with write_beside(output) as draft:
        nlp.to_disk(draft)


def check_output(path: Path, *, kind: str) -> None:
    """Raise DataError where `path` is there and is no folder of this kind that was written here."""
    if not path.exists():
        return
    try:
        meta = json.loads((path / "meta.json").read_text("utf8"))
        is_ours = meta["name"] == kind and meta["pipeline"] == []
    except (OSError, ValueError, KeyError, TypeError):
        is_ours = False
    if not is_ours:
        raise DataError(Errors.OUTPUT_NOT_FOLDER.format(path=path))


def is_pipeline(source: Path) -> bool:
    return (source / "vocab").is_dir()


def find_pipeline(source: str) -> Path:
    """The path, or the folder of the installed pipeline of this name, such as en_core_web_md."""
    if Path(source).exists() or not is_package(source):
        return Path(source)
    package = get_package_path(source)
    if not (package / "meta.json").is_file():  # a package of something else
        return Path(source)
    meta = get_model_meta(package)
    return package / f"{meta['lang']}_{meta['name']}-{meta['version']}"


def read_lookups(folder: Path) -> Lookups:
    """The lookups of a pipeline's folder. RAISES: DataError where they are damaged."""
    with keeping_reason(folder, "the lookups of a spaCy pipeline"):
        return Lookups().from_disk(folder / "vocab")


def load_table(source: Path, name: str, kind: str, command: str, read: Callable[[Path], WordTable]) -> WordTable:
    """The table of this name of a pipeline's folder, or what `read` makes of another source.

    RAISES: DataError where there is none, or where the lookups are damaged.
    """
    if not is_pipeline(source):
        return read(source)
    with keeping_reason(source, "the lookups of a spaCy pipeline"):
        table = WordTable.from_lookups(read_lookups(source), name)
    if table is None:
        raise DataError(
            f"{source}: the pipeline in this folder has no {kind}; expected a folder made by 'spacy-bilstm vectors {command}', "
            f"or in a config {command} = null for none"
        )
    return table


@contextmanager
def keeping_reason(path: Path, kind: str, errors: tuple[type[BaseException], ...] = (BaseException,)) -> Iterator[None]:
    """RAISES: DataError with the reason in one line, in the place of whatever another library raises for damaged files: a
    panic in the Rust of tokenizers is no Exception. errors (tuple of types): what it can be, where that is known."""
    try:
        yield
    except (DataError, KeyboardInterrupt, SystemExit):
        raise
    except errors as error:
        raise damaged(path, kind, error) from None


def use_checksums(nlp: Language) -> None:
    """Let `nlp.to_disk` write the checksums of the files that spaCy and its other components save, the tokenizer's and the
    vocabulary's among them, and `nlp.from_disk` compare them before anything is read; `nlp.from_bytes` likewise.

    spaCy reads the vocabulary before its components and writes it after them, and has no hook for the whole, so the
    methods are replaced on this object.
    """
    if "to_disk" not in vars(nlp):
        vars(nlp).update(
            to_disk=partial(_save_pipeline, nlp),
            from_disk=partial(_load_pipeline, nlp),
            from_bytes=partial(_load_bytes, nlp),
        )


@wraps(create_tweet_tokenizer)
def make_tweet_tokenizer(*args: Any, **kwargs: Any) -> Callable[[Language], TweetTokenizer]:
    """`create_tweet_tokenizer`, whose pipelines have checksums, also where all components are sourced."""
    make = create_tweet_tokenizer(*args, **kwargs)

    def make_with_checksums(nlp: Language) -> TweetTokenizer:
        use_checksums(nlp)
        return make(nlp)

    return make_with_checksums


def _save_pipeline(nlp: Language, path: Union[str, Path], *, exclude: Iterable[str] = ()) -> None:
    """The saved config has the settings of prediction as they are now, so that another value at load is known as a change.

    RAISES: ConfigError for another tokenizer than the config has.
    """
    configured = nlp.config["nlp"]["tokenizer"].get("@tokenizers")
    if configured == TWEET_TOKENIZER and not isinstance(nlp.tokenizer, TweetTokenizer):
        raise ConfigError(
            f"tokenizer: it is a {type(nlp.tokenizer).__name__}, but the config has {TWEET_TOKENIZER}, which would be there after "
            "loading; make a pipeline with the other one in [nlp.tokenizer], and source the components into it"
        )
    components: list[tuple[str, Any]] = list(nlp.components)
    folder, exclude = Path(path), list(exclude)
    with ExitStack() as undo:
        for name, pipe in components:
            settings = getattr(pipe, "settings", None)
            if settings:
                changes = (nlp.get_pipe_config(name), settings), (pipe.cfg, {"config_at_init": dict(settings)})
                for part, change in changes:
                    undo.callback(part.update, dict(part))
                    undo.callback(part.clear)  # before that
                    part.update(change)
            if hasattr(pipe, "meet"):  # a sourced one may have read no text here
                pipe.meet([Doc(nlp.vocab)])
            if not hasattr(pipe, "check_bytes") and name not in exclude:  # those of another component that was saved there
                (folder / name / CHECKSUMS).unlink(missing_ok=True)
        nlp.meta.pop(CHECKSUMS, None)
        _connect(nlp)
        type(nlp).to_disk(nlp, path, exclude=exclude)
    write_checksums(folder, _shared_files(folder, nlp))
    if (folder / META).exists():
        meta = srsly.read_json(folder / META)
        srsly.write_json(folder / META, {**meta, CHECKSUMS: file_checksum(folder / CHECKSUMS)})


def _load_pipeline(
    nlp: Language, path: Union[str, Path], *, exclude: Iterable[str] = (), overrides: Optional[dict[str, Any]] = None
) -> Language:
    """RAISES: DataError for a file that is not as it was saved. A folder without checksums is read if its meta.json names
    none: one whose components were all sourced beside spaCy's tokenizer writes none."""
    exclude, folder = list(exclude), Path(path)
    found = folder / CHECKSUMS
    expected = _read_meta(folder).get(CHECKSUMS) if (folder / META).exists() else None
    if expected and not found.exists():
        raise DataError(missing_part("nlp", found))
    if expected and file_checksum(found) != expected:
        raise DataError(damaged_part("nlp", str(found), f"its checksum in {META}"))
    if found.exists():
        check_files("nlp", folder, _shared_files(folder, nlp), exclude)
        for name in nlp.component_names:
            # Again when its turn comes; here, before anything has changed.
            if name not in exclude and (folder / name / CHECKSUMS).exists():
                check_files(name, folder / name, COMPONENT_FILES, ["vocab"])
    if "tokenizer" not in exclude and (folder / "tokenizer").is_file():
        _check_tokenizer(nlp, folder / "tokenizer")
    _try_to_load(nlp, lambda other: type(nlp).from_disk(other, path, exclude=exclude, overrides=overrides or {}))
    loaded = type(nlp).from_disk(nlp, path, exclude=exclude, overrides=overrides or {})
    _connect(nlp)
    return loaded


def _load_bytes(nlp: Language, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> Language:
    """RAISES: DataError for a component that is not as it was saved."""
    exclude = list(exclude)
    with keeping_reason(Path("the given bytes"), "a pipeline"):
        parts = srsly.msgpack_loads(bytes_data)
    for name, pipe in nlp.components:
        if hasattr(pipe, "check_bytes") and name in parts and name not in exclude:
            pipe.check_bytes(parts[name])  # again when its turn comes; here, before anything has changed
    if isinstance(nlp.tokenizer, TweetTokenizer) and "tokenizer" in parts and "tokenizer" not in exclude:
        nlp.tokenizer.check_settings(parts["tokenizer"], "the given bytes")
    _try_to_load(nlp, lambda other: type(nlp).from_bytes(other, bytes_data, exclude=exclude))
    return type(nlp).from_bytes(nlp, bytes_data, exclude=exclude)


def _connect(nlp: Language) -> None:
    """Link components of ours to spaCy's tok2vec, which does not do so itself."""
    for i, (_, upstream) in enumerate(nlp.components):
        if isinstance(upstream, Tok2Vec) and not hasattr(upstream, "check_bytes"):
            for pipe in (pipe for _, pipe in nlp.components[i + 1 :] if hasattr(pipe, "listen_to")):
                pipe.listen_to(upstream)


def _try_to_load(nlp: Language, load: Callable[[Language], Any]) -> None:
    """Load into a pipeline of the same config before one that has weights: spaCy loads part by part, and a part that does not
    fit would leave a pipeline that is neither the old nor the new one. RAISES: what loading raises."""
    if any(getattr(pipe, "has_weights", False) for _, pipe in nlp.components):
        try:
            other = type(nlp).from_config(nlp.config)
        except Exception:  # a component that was added as an object
            return
        load(other)


def _check_tokenizer(nlp: Language, path: Path) -> None:
    """RAISES: ConfigError for another tokenizer than the one that was saved, or other settings of it."""
    if isinstance(nlp.tokenizer, TweetTokenizer):
        nlp.tokenizer.check_settings(path.read_bytes(), str(path))
    elif isinstance(nlp.tokenizer, Tokenizer) and "kinds" in srsly.msgpack_loads(path.read_bytes()):
        raise ConfigError(
            f"tokenizer: it is a {type(nlp.tokenizer).__name__}, but {path} was saved by {TWEET_TOKENIZER}. Set it back in "
            "[nlp.tokenizer], or make a pipeline with the other one and source the components into it"
        )


def _shared_files(folder: Path, nlp: Language) -> list[str]:
    """The files of the tokenizer, the vocabulary and the components; of those that write checksums of their own, these. The
    config and meta.json are the user's to change."""
    parts = [folder / name for name in ("tokenizer", "vocab", *nlp.component_names)]
    files = [part for part in parts if part.is_file()]
    for part in parts:
        own = part / CHECKSUMS
        others = (file for file in part.rglob("*") if file.is_file() and not _OF_SYSTEMS.fullmatch(file.name))
        files += [own] if own.exists() else others
    return sorted(file.relative_to(folder).as_posix() for file in files)


def forget_checksums(folder: Path) -> None:
    """Remove those of a pipeline's folder, which are written anew after all of its files. Any other folder stays as it is."""
    if (folder / "config.cfg").exists() and (folder / META).exists():
        (folder / CHECKSUMS).unlink(missing_ok=True)
        meta = _read_meta(folder)
        if meta.pop(CHECKSUMS, None):
            srsly.write_json(folder / META, meta)


def _read_meta(folder: Path) -> dict[str, Any]:
    with keeping_reason(folder / META, "the description of a pipeline"):
        meta: dict[str, Any] = srsly.read_json(folder / META)
        return dict(meta)


def write_checksums(folder: Path, files: Iterable[str] = COMPONENT_FILES) -> None:
    """Write the checksums of these files of a folder, as the command sha256sum does."""
    lines = (f"{file_checksum(folder / file)}  {file}\n" for file in files if (folder / file).exists())
    (folder / CHECKSUMS).write_text("".join(lines), encoding="utf8")


def check_files(name: str, folder: Path, files: Iterable[str], exclude: Iterable[str]) -> None:
    """Compare these files of a folder, and all that were saved in it, with their checksums.

    exclude (iterable of str): names of files, or of the folders that they are in.
    RAISES: DataError for a file that is missing or not as it was saved; OSError for a missing folder.
    """
    checksums = folder / CHECKSUMS
    if folder.is_dir() and not checksums.exists():
        raise DataError(
            f"{name}: cannot load {folder}. Its file {CHECKSUMS} is missing; expected a folder that to_disk wrote, with "
            "the checksums of its files. Get the whole folder again"
        )
    lines = checksums.read_text(encoding="utf8", errors="replace").splitlines()
    if not lines or not all(map(_LINE.fullmatch, lines)):
        raise DataError(damaged_part(name, str(checksums), "the form of such files, a checksum and a name in each line"))
    expected = {file: digest for digest, _, file in (line.partition("  ") for line in lines)}
    compared = [file for file in sorted({*files, *expected}) if file.partition("/")[0] not in exclude]
    missing = next((file for file in compared if file in expected and not (folder / file).exists()), None)
    if missing:
        raise DataError(missing_part(name, folder / missing))
    for path in (folder / file for file in compared):
        if path.exists() and expected.get(path.relative_to(folder).as_posix()) != file_checksum(path):
            raise DataError(damaged_part(name, str(path), f"the checksum in {CHECKSUMS}"))


def missing_part(name: str, path: Path) -> str:
    """The message for a file that was saved and is not there."""
    return Errors.COMPONENT_LOAD.format(name=name, source=path, reason="It is missing: get the whole folder again")


def damaged_part(name: str, source: str, checksum: str) -> str:
    """The message for a part of a pipeline that is not as it was saved."""
    reason = (
        f"It does not agree with {checksum}: it is not what was saved here. "
        "The file is damaged, or from another pipeline: get the whole folder again"
    )
    return Errors.COMPONENT_LOAD.format(name=name, source=source, reason=reason)

"""Files that are written whole or not at all, text that is read with its encoding, and settings in a range."""

import codecs
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

from .errors import ConfigError, DataError, Errors


@contextmanager
def write_beside(path: Path) -> Iterator[Path]:
    """A path next to `path` to write a file or a folder to. It takes the place of `path` when the block ends well,
    and is removed when it does not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tmp_dir = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        draft = tmp_dir / path.name
        yield draft
        if draft.is_dir():
            old = tmp_dir / "old"
            if path.exists():
                path.rename(old)
            try:
                draft.rename(path)
            except BaseException:
                if old.exists():
                    old.rename(path)
                raise
        else:
            draft.replace(path)
    finally:
        shutil.rmtree(tmp_dir, ignore_errors=True)


def read_text(path: Path, encoding: str, *, option: str = "") -> str:
    """The decoded file without a byte order mark, its lines ended by LF alone.

    option (str): what else can be done about another encoding, for the message.
    RAISES: DataError with the line of the first byte that does not fit the encoding.
    """
    if path.is_dir():
        raise DataError(f"{path}: is a folder, expected a file")
    if not path.is_file():
        raise DataError(Errors.CORPUS_MISSING.format(path=path))
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding)
        return text.replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        decoded = error.object  # what error.start counts in: data, or data after the byte order mark
        line = decoded.count(b"\n", 0, error.start) + 1
        byte = f"byte 0x{decoded[error.start]:02x}"
        hint = f"{byte} cannot be there. Save the file as UTF-8{option}"
        message = f"{path}, line {line}: not {encoding}; {hint}"
        raise DataError(message) from None
    except LookupError:
        raise DataError(
            f"--encoding {encoding}: Python knows no such encoding; expected a name such as utf-8 or latin-1"
        ) from None


def check_at_least(where: str, least: int, **settings: int) -> None:
    """RAISES: ConfigError for a setting below `least`. where (str): the function or component that has the settings."""
    for name, value in settings.items():
        if value < least:
            raise ConfigError(f"{where}: {name} = {value}; expected a whole number of at least {least}")


def check_above_zero(where: str, **settings: float) -> None:
    """RAISES: ConfigError for a setting that is not above 0."""
    for name, value in settings.items():
        if not value > 0:
            raise ConfigError(f"{where}: {name} = {value}; expected a number above 0")


def check_fraction(where: str, **settings: float) -> None:
    """RAISES: ConfigError for a setting below 0, or not below 1."""
    for name, value in settings.items():
        if not 0 <= value < 1:
            raise ConfigError(f"{where}: {name} = {value}; expected a number from 0 up to, but not including, 1")

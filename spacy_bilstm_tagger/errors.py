"""Every message a user can see: what was found, what was expected, and the way out."""

from typing import Any

from thinc.api import ConfigValidationError


class DataError(ValueError):
    """A file or an argument the user gave is wrong. The command line prints it as one line and exits with 1."""


class ConfigError(ConfigValidationError):
    """A setting does not fit the data or the pipeline. spaCy's commands print it as one line and exit with 1."""

    def __init__(self, message: str) -> None:
        super().__init__(title=message, desc=None, errors=[])

    def __str__(self) -> str:
        return self.title or ""

    @classmethod
    def from_error(cls, err: ConfigValidationError, *args: Any, **kwargs: Any) -> ConfigValidationError:
        """How spaCy's commands make the text below the title; one of the base class, whose arguments they give."""
        return ConfigValidationError.from_error(err, *args, **kwargs)


class Errors:
    # Vectors
    VECTORS_UNKNOWN_SOURCE = (
        "{source}: no such file, and no vectors that gensim can download. Expected a file (GloVe .txt/.gz/.zip, "
        "word2vec .txt/.bin, KeyedVectors .kv), a folder made by 'spacy-bilstm vectors', or one of: {names}"
    )
    VECTORS_NO_NETWORK = (
        "{source}: cannot be downloaded ({reason}). Download the file on another machine and give its path instead"
    )
    VECTORS_ROW_WIDTH = "{path}, line {line}: found {found} numbers, expected {expected} as the first line says"
    VECTORS_ROW_CUT = (
        "{path}, line {line}: found {found} numbers, expected {expected} as in the rows before. "
        "The file is damaged or cut off there; download it again, or read the part before with --max-rows {rows}"
    )
    VECTORS_ROW_NUMBER = "{path}, line {line}: found {found!r} where a number is expected"
    VECTORS_NOT_FINITE = "{path}: the row of {key!r} holds NaN or infinity; expected finite numbers. Remove that row"
    VECTORS_ROW_COUNT = "{path}, line {line}: the file ends after {found} rows, expected {expected} as its first line says. Get it again, or read the part with --max-rows {found}"
    VECTORS_EMPTY = "{path}: found no vectors, expected rows of 'key number number ...'"
    VECTORS_ENCODING = "{path}, line {line}: not UTF-8 (byte {byte} of the row); expected UTF-8 text"
    VECTORS_ZIP_MEMBER = "{path}: the archive holds no {expected} vectors, found {found}. Choose with --dim"
    VECTORS_ZIP_CHOICE = "{path}: the archive holds several files ({found}). Choose one with --dim"
    VECTORS_DAMAGED = "{path}: cannot be read as {kind} ({reason})"
    VECTORS_PICKLE = (
        "{path}: refused, because the file could run code when loaded (it names {name}); "
        "expected KeyedVectors saved by gensim"
    )
    VECTORS_NOT_KEYED = "{path}: holds a {found}, expected gensim KeyedVectors or a model that has them as .wv"
    VECTORS_NO_TEXTS = (
        "{path}: found no words that occur at least {min_count} times; use more text or a lower --min-count"
    )
    VECTORS_MISSING = (
        "TweetEmbed.v1 has include_static_vectors = true, but the pipeline has no vectors table. "
        'Set [initialize.before_init] to @callbacks = "spacy-bilstm-tagger.load_vectors.v1", '
        "or [initialize] vectors, or include_static_vectors = false"
    )
    VECTORS_WIDTH = (
        "TweetEmbed.v1 was built for vectors of width {expected}, but the pipeline's table has width {found}. "
        "Load the vectors the model was trained with, or train again"
    )
    VECTORS_NAN_TABLE = "The vectors table holds NaN or infinity (row {row}, key {key!r}); expected finite numbers"
    VECTORS_FLORET = "TweetEmbed.v1 reads spaCy vectors of mode 'default', found mode {mode!r}"
    # Options of the architectures
    EMBED_ROWS = (
        "TweetEmbed.v1: attrs has {attrs} entries and rows has {rows}; expected one number of rows per attribute"
    )
    EMBED_NOTHING = "TweetEmbed.v1: attrs and char_kernels are empty and include_static_vectors is false, so there is nothing to embed"
    EMBED_PLAIN_WIDTH = (
        "TweetEmbed.v1: width = {width}, but without a mixing layer (mix = false) the features are {found} wide. "
        "Set width = {found}, width = null or mix = true"
    )
    EMBED_MIX_WIDTH = "TweetEmbed.v1: mix = true needs a width, found width = null"
    EMBED_NORM_DROPOUT = (
        "TweetEmbed.v1: norm_dropout = {rate}, but attrs has no NORM to drop; add it, or set norm_dropout = 0"
    )
    POSITIVE = "{where}: {name} = {value}; expected a whole number of at least {least}"
    FRACTION = "{where}: {name} = {value}; expected a number from 0 up to, but not including, 1"
    CHOICE = "{where}: {name} = {value!r}; expected one of {choices}"
    ENCODER_ODD_WIDTH = (
        "BiLSTMEncoder.v1: width = {width}; expected an even number of at least 2, one half for each direction"
    )
    ENCODER_INPUT_WIDTH = (
        "BiLSTMEncoder.v1 was built for inputs of width {expected}, but gets {found}. "
        "The embedding below it is not the one it was trained with"
    )
    ENCODER_UNINITIALIZED = (
        "BiLSTMEncoder.v1 has no weights yet. Call nlp.initialize() or load a trained pipeline first"
    )
    WEIGHTS_DAMAGED = (
        "The torch weights cannot be read ({reason}); expected safetensors data written by spacy-bilstm-tagger. "
        "The file is damaged, cut off or from another program: get it again"
    )
    WEIGHTS_NEWER = (
        "The torch weights have format version {found}, this spacy-bilstm-tagger reads up to {known}. "
        "Install a newer spacy-bilstm-tagger"
    )
    WEIGHTS_SHAPE = "The torch weights do not fit the config: {detail}. The config or the weights file was changed"
    # Components
    LABEL_UNKNOWN = (
        "{name}: the gold label {label!r} is not among the component's {count} labels. "
        "Add it to the labels file, or initialize without one"
    )
    LOSS_NAN = "{name}: the loss is not a number. Try a lower learn rate, or gradient clipping (grad_clip = 1.0)"
    TOKENIZER_SURROGATE = (
        "The text holds a lone surrogate {found} at position {position}; expected valid Unicode. "
        "Decode the text again, e.g. with text.encode('utf-16', 'surrogatepass').decode('utf-16', 'replace')"
    )
    # Corpora
    CORPUS_EMPTY = "{path}: found no annotated text, expected at least one token"
    CORPUS_MISSING = "{path}: no such file"
    CORPUS_FOLDER = "{path}: is a folder, expected a file"
    CORPUS_ENCODING = "{path}, line {line}: not {encoding}; {hint}"
    CORPUS_COLUMNS = "{path}, line {line}: found {found} column(s) in {text!r}, expected {expected}"
    CORPUS_TOKEN = "{path}, line {line}: the token is empty, expected a word before the separator"
    CORPUS_BIO_FOLLOW = "{path}, line {line}: {tag} cannot follow {previous}; expected {expected}"
    CORPUS_BIO_TAG = (
        "{path}, line {line}: found entity tag {tag!r}, expected O or {prefixes} and a type, such as B-person"
    )
    CORPUS_FORMAT = "{path}: cannot tell the format from lines such as {found!r}; name it with --format ({choices})"
    CORPUS_FORMAT_NAME = "--format {found}: expected one of {choices}"
    CORPUS_TEXT = "{path}, line {line}: the token {token!r} does not continue the text {text!r}; expected {expected}"
    CORPUS_TEXT_END = "{path}, line {line}: {token!r} is the last token of the text {text!r}; expected tokens for {expected!r} after it"
    CORPUS_CSV_HEADER = "{path}, line 1: found the columns {found}, expected Sentence #, Word, POS, Tag"
    CORPUS_CSV_ROW = (
        "{path}, line {line}: not a row of CSV ({reason}); expected quotes in pairs on one line, "
        'and "" for a quote mark inside them'
    )
    CORPUS_CSV_START = (
        "{path}, line {line}: found a word before the first sentence, expected 'Sentence: 1' in the first column"
    )
    CORPUS_MAP = "{path}, line {line}: found {found!r}, expected two columns: tag TAB new tag"
    CORPUS_MAP_EMPTY = "{path}: found no entries, expected lines of tag TAB new tag"
    CORPUS_MAP_GAPS = "{path}: no entry for {gaps}; every tag of {source} needs one"
    CORPUS_FIRST = "--first {found}: expected a number from 1 to {count}, the number of texts in {path}"
    CORPUS_CONLLU_ID = (
        "{path}, line {line}: found the id {found!r}, expected a number, a range 1-2 or an empty node 1.1"
    )
    CORPUS_CONLLU_COLUMN = "--tags {found}: expected upos or xpos"
    OUTPUT_NOT_FOLDER = "{path}: exists and is not a folder made by this command; give another name or remove it"
    OUTPUT_SUFFIX = "{path}: expected the name of a file that ends in .spacy"
    # Assets
    ASSETS_NOT_FOLDER = "{path}: no such folder"
    ASSETS_NOTHING = "{path}: holds none of the {count} assets that project.yml names (looked at {seen} files by md5)"
    # Encodings, columns
    ENCODING_NAME = "--encoding {found}: Python knows no such encoding; expected a name such as utf-8 or latin-1"
    CORPUS_ROLES = (
        "--columns {found}: expected each of token, tag and ent at most once (token in any case) and - for the others"
    )
    CORPUS_NO_ROLES = "--columns {found}: the columns of {format} are fixed; leave the option out"
    CORPUS_MAP_TWICE = (
        "{path}, line {line}: {tag} becomes {found} here and {first} above; expected one new tag for each"
    )
    CORPUS_MAP_NO_TAGS = "{path}: {source} has no tags to map; leave --map-tags out"
    # Raw text
    RAW_EMPTY = "{path}: found no text, expected at least one line"
    RAW_DAMAGED = "{path}: cannot be read as {kind} ({reason}); get the file again"
    RAW_JSON = '{path}, line {line}: found {found!r}, expected a JSON object with a string as "text"'

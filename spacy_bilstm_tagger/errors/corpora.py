"""About corpora and other files of text."""


class CorpusErrors:
    # Corpora
    CORPUS_NO_TOKENS = "{path}: has no gold tokens to compare with; expected CoNLL-U or a file of tokens"
    CORPUS_EMPTY = "{path}: found no annotated text, expected at least one token"
    CORPUS_MISSING = "{path}: no such file"
    CORPUS_DOCBIN = "{path}: is a DocBin, expected the annotated text that such a file is made of"
    CORPUS_FOLDER = "{path}: is a folder, expected a file"
    CORPUS_ENCODING = "{path}, line {line}: not {encoding}; {hint}"
    CORPUS_COLUMNS = "{path}, line {line}: found {found} column(s) in {text!r}, expected {expected}"
    CORPUS_NAMES = (
        "{path}, line {line}: found {found}, names of columns, expected a token and its tag; remove the line "
        "(--columns says what the columns hold)"
    )
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
    CORPUS_CSV_COLUMNS = "{path}, line {line}: found the columns {found}, expected {expected}, each once"
    CORPUS_CSV_RECORD = (
        "{path}, line {line}: the record that begins here is not CSV ({reason}); expected quotes in pairs around a cell "
        'that holds quotes, commas or line breaks, and "" for a quote mark inside them'
    )
    CORPUS_OFFSETS = (
        "{path}, line {line}: found {found!r} in the column spans, expected a list of whole numbers such as [4, 5, 6], "
        "or [] for none"
    )
    CORPUS_OFFSET_OUTSIDE = (
        "{path}, line {line}: the offset {found} is outside the text, whose characters are 0 to {last}; "
        "correct it, or remove it from the list"
    )
    CORPUS_BLANK_TEXT = "{path}, line {line}: the text is empty, expected at least one word; remove the record"
    SPANS_KEY = "--spans-key '': expected a name, such as toxic"
    WORDS_NO_SPANS = "{path}: no text has spans under the key {key!r}, found {found}; name one with --spans-key"
    WORDS_FOLDS = "--folds {found}: expected 0 for none, or a number from 2 to {count}, the number of texts in {path}"
    WORDS_NONE = (
        "{path}: no word is inside spans {min_count} times and in {min_share:g} of its uses; "
        "lower --min-count or --min-share, or use more text"
    )
    CORPUS_CSV_START = (
        "{path}, line {line}: found a word before the first sentence, expected 'Sentence: 1' in the first column"
    )
    CORPUS_MAP = "{path}, line {line}: found {found!r}, expected two columns: tag TAB new tag"
    CORPUS_MAP_EMPTY = "{path}: found no entries, expected lines of tag TAB new tag"
    CORPUS_MAP_GAPS = "{path}: no entry for {gaps}; every {kind} of {source} needs one"
    CORPUS_FIRST = "--first {found}: expected a number from 1 to {count}, the number of texts in {path}"
    CORPUS_EXCLUDE = "{path}: all {count} texts are also in the files of --exclude; nothing is left to convert"
    CORPUS_SKIP = "--skip {found}: expected a number from 0 to {last}; {path} holds {count} texts"
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
    CORPUS_MAP_PARTS = "{path}, line {line}: {label} becomes {found!r}; expected one label, or several different ones such as person|group"
    CORPUS_BIO_OPEN = "{path}, line {line}: {tag} is the last of its entity, in a file that marks ends with {marks}; expected {expected}"
    CORPUS_MAP_NO_ENTS = "{path}: {source} has no entities to map; leave --map-ents out"
    CORPUS_ANNOTATED = (
        "--annotated {found}: expected every entity type of {path}, such as person,location; left out: {others}"
    )

    # Raw text
    RAW_EMPTY = "{path}: found no text, expected at least one line"
    RAW_DAMAGED = "{path}: cannot be read as {kind} ({reason}); get the file again"
    RAW_JSON = '{path}, line {line}: found {found!r}, expected a JSON object with a string as "text"'

"""Every message a user can see: what was found, what was expected, and the way out."""

from pathlib import Path
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
    VECTORS_NOT_FINITE = (
        "{path}: the row of {key!r} holds NaN or infinity in {dtype}; expected finite numbers. Remove that row"
    )
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
    VECTORS_TUNED = (
        "TweetEmbed.v1 has fine-tuned the rows of a vectors table of {expected}, but the pipeline's has {found}. "
        "Load the vectors the model was trained with, or train again"
    )
    VECTORS_NAN_TABLE = (
        "The vectors table holds NaN or infinity (row {row}, key {key!r}); expected finite float32 numbers"
    )
    VECTORS_FLORET = "TweetEmbed.v1 reads spaCy vectors of mode 'default', found mode {mode!r}"
    TABLE_UNKNOWN_SOURCE = (
        "{source}: no such file or folder, for the vector table {name!r}. 'spacy-bilstm vectors distill MODEL_DIR "
        "WORDS... {source}' makes it. Or set it to null, and take it out of tables in TweetEmbed.v1"
    )
    # Brown clusters
    BROWN_UNKNOWN_SOURCE = (
        "{source}: no such file. Expected Brown clusters (bit path TAB word TAB count in each line, also .gz), "
        "or a folder made by 'spacy-bilstm vectors brown'"
    )
    BROWN_COLUMNS = "{path}, line {line}: found {found!r}, expected a bit path, a word and a count, a TAB between them"
    BROWN_BLANK = "{path}, line {line}: found an empty line, expected a bit path, a word and a count. Remove the line"
    BROWN_COUNT = "{path}, line {line}: found the count {found!r}, expected a whole number"
    BROWN_FOLDER = (
        "{path}: is a folder, expected a file of Brown clusters (bit path TAB word TAB count in each line, also .gz). "
        "A folder made by 'spacy-bilstm vectors brown' is ready: load_vectors.v1 takes it"
    )
    BROWN_PATH = "{path}, line {line}: found the path {found!r}, expected up to {longest} of the digits 0 and 1"
    BROWN_TWICE = "{path}, line {line}: {word!r} has the path {found} here and {first} above; expected one path a word"
    BROWN_EMPTY = "{path}: found no Brown clusters, expected lines of bit path TAB word TAB count"
    BROWN_NO_TABLE = "{path}: the pipeline in this folder has no Brown clusters; expected a folder made by 'spacy-bilstm vectors brown'"
    BROWN_MISSING = (
        "TweetEmbed.v1 has brown_prefixes, but the pipeline has no Brown clusters. "
        'Set brown in [initialize.before_init] with @callbacks = "spacy-bilstm-tagger.load_vectors.v1" to a file of them, '
        "or brown_prefixes = []. If brown is set there, [initialize] lookups took their place; set lookups = null"
    )
    # Gazetteers
    GAZETTEERS_UNKNOWN_SOURCE = (
        "{source}: no such file or folder. Expected a list with one name a line, a folder of such lists, "
        "or a folder made by 'spacy-bilstm vectors gazetteers'"
    )
    GAZETTEERS_NO_FILES = "{path}: found no files in this folder, expected lists with one name a line"
    GAZETTEERS_TWICE = "{path}: a second file of the list {name!r}; expected one, so rename or remove it"
    GAZETTEERS_LINE = "{path}, line {line}: found {found!r}, expected one name and no TABs or other control characters"
    GAZETTEERS_FORMAT = (
        "{path}, line {line}: found {kind} ({found!r}), expected one name a line and nothing else. "
        "Write the names alone into a file for each list"
    )
    GAZETTEERS_EMPTY = "{path}: found no names, expected one a line"
    GAZETTEERS_USELESS = (
        "{path}: found no name to look for, expected at least one of up to {longest} words, with a letter, "
        "and more than one character or function words"
    )
    GAZETTEERS_NO_TABLE = "{path}: the pipeline in this folder has no gazetteers; expected a folder made by 'spacy-bilstm vectors gazetteers'"
    GAZETTEERS_MISSING = (
        "TweetEmbed.v1 has gazetteers, but the pipeline has none. "
        'Set gazetteers in [initialize.before_init] with @callbacks = "spacy-bilstm-tagger.load_vectors.v1" to a folder '
        "of lists, or gazetteers = false. If it is set there, [initialize] lookups took their place; set lookups = null"
    )
    GAZETTEERS_UNKNOWN = "TweetEmbed.v1: the pipeline has no gazetteer {found}; expected some of: {known}"
    # Further vector tables
    TABLE_MISSING = (
        "TweetEmbed.v1 has tables = [{name!r}], but the pipeline has no vector table of this name (it has: {found}). "
        'Name it in tables of [initialize.before_init] with @callbacks = "spacy-bilstm-tagger.load_vectors.v1"'
    )
    TABLE_NAN = (
        "The vector table {name!r} holds NaN or infinity; expected finite numbers. The pipeline is damaged: get it again, "
        "or make the table and train again"
    )
    TABLE_WIDTH = (
        "TweetEmbed.v1 was built for a vector table {name!r} of width {expected}, but the pipeline's has width {found}. "
        "Load the table the model was trained with, or train again"
    )
    NEW_WORDS_TABLES = (
        "TweetEmbed.v1 has new_words = {value!r}, but no tables; name a distilled table, or set it to null"
    )
    NEW_WORDS_UNKNOWN = "the pipeline does not say how this table was distilled"
    NEW_WORDS_MISSING = (
        "TweetEmbed.v1: words outside of the vector table {name!r} get no row, as with new_words = null: {reason}"
    )
    LOAD_NOTHING = (
        "load_vectors.v1: source, brown, gazetteers and tables are all null; expected at least one of them. "
        "Where the pipeline needs none, set [initialize] before_init = null"
    )
    SOURCED_TABLES = (
        "{name}: sourced, and cannot read the tables of this pipeline ({reason}). In [initialize.before_init], take them "
        "from the pipeline that the component is sourced from"
    )
    SOURCED_VECTORS = (
        "{name}: sourced from a pipeline with other vectors than {vectors!r}, which are this one's. In "
        "[initialize.before_init], set source to the pipeline that the component is sourced from, and [initialize] "
        "vectors to null"
    )
    SOURCED_OTHERS = (
        "{name}: sourced from a pipeline with {kinds} of another content than this one's. In [initialize.before_init], "
        "take them from the pipeline that the component is sourced from"
    )
    SOURCED_LABELS = (
        "{name}: sourced with {count} labels, but the training data has others: {found}. Rename them with 'spacy-bilstm "
        "convert', or source the tok2vec alone and define a new component on it{grow}"
    )
    SOURCED_GROW = ", or give them to the sourced one with add_label, save that pipeline, and source it"
    LISTENER_WIDTH = (
        "{name}: listens to {upstream!r} with width {found}, whose rows are {expected} wide. "
        "Set width = {expected} in the component's Tok2VecListener"
    )
    # Options of the architectures
    EMBED_ROWS = (
        "TweetEmbed.v1: attrs has {attrs} entries and rows has {rows}; expected one number of rows per attribute"
    )
    EMBED_NOTHING = "TweetEmbed.v1: attrs, char_kernels, brown_prefixes and tables are empty, include_static_vectors and gazetteers are false, so there is nothing to embed"
    EMBED_PLAIN_WIDTH = (
        "TweetEmbed.v1: width = {width}, but without a mixing layer (mix = false) the features are {found} wide. "
        "Set width = {found}, width = null or mix = true"
    )
    EMBED_MIX_WIDTH = "TweetEmbed.v1: mix = true needs a width, found width = null"
    EMBED_VECTORS_OFF = "TweetEmbed.v1: {name} = {value} needs include_static_vectors = true, found false"
    EMBED_NORM_DROPOUT = (
        "TweetEmbed.v1: norm_dropout = {rate}, but attrs has no NORM to drop; add it, or set norm_dropout = 0"
    )
    CONCAT_NOTHING = (
        "ConcatEmbed.v1: found no part; expected sections such as [components.ner.model.tok2vec.embed.*.tweet]"
    )
    # Transformers
    TRANSFORMERS_MISSING = (
        "TransformerEmbed.v1 needs spacy-transformers. Install it with: pip install 'spacy-bilstm-tagger[transformers]'"
    )
    TRANSFORMER_RATE = (
        "TransformerEmbed.v1: learn_rate_factor = {value}; expected 0 to freeze the transformer, or a number above 0"
    )
    TRANSFORMER_NO_NAME = (
        "TransformerEmbed.v1: name is empty; expected the folder of a pretrained transformer or its name on Hugging "
        "Face's hub. The recipe takes it from --paths.transformer, the workflow from --vars.transformer"
    )
    TRANSFORMER_LAYER = "TransformerEmbed.v1: layer = {layer}, but {name} has {count} layers; expected up to that, or null for the middle"
    TRANSFORMER_UNREADABLE = (
        "{name}: cannot be read as a pretrained transformer with its tokenizer ({reason}). "
        "Give a folder saved by save_pretrained, or the name of a model on Hugging Face's hub"
    )
    POSITIVE = "{where}: {name} = {value}; expected a whole number of at least {least}"
    FRACTION = "{where}: {name} = {value}; expected a number from 0 up to, but not including, 1"
    ABOVE_ZERO = "{where}: {name} = {value}; expected a number above 0"
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
    TRANSFORMER_FILE = (
        "The tokenizer of the transformer has a file {name!r}; expected names without a folder. "
        "The file is damaged or from another program: get it again"
    )
    WEIGHTS_NEWER = (
        "The torch weights have format version {found}, this spacy-bilstm-tagger reads up to {known}. "
        "Install a newer spacy-bilstm-tagger"
    )
    WEIGHTS_SHAPE = "The torch weights do not fit the config: {detail}. The config or the weights file was changed"
    # Components
    COMPONENT_LOAD = "{name}: cannot load {source}. {reason}"
    COMPONENT_FOREIGN = (
        "It cannot be read ({error}); expected what this component saved. "
        "The file is damaged, cut off or from another program: get it again"
    )
    COMPONENT_INCOMPLETE = (
        "It holds other weights than the layer {layer!r} has; expected those of a component with the same config. "
        "The config or the file was changed: get both again"
    )
    COMPONENT_CHECKSUM = (
        "It does not agree with the checksum in {checksum}: it is not what was saved here. "
        "The file is damaged, or from another pipeline: get the whole folder again"
    )
    COMPONENT_SHAPE = (
        "It does not fit the config: in the layer {layer!r}, {dim} is {found}, expected {expected}. "
        "The config or the file was changed: get both again"
    )
    COMPONENT_NUMBERS = (
        "Its weight {weight} of the layer {layer!r} holds {found}, expected finite numbers of type float32. "
        "The file is damaged: get it again"
    )
    COMPONENT_LABELS = (
        "It gives {found} scores a token, expected {expected} for the {count} labels in cfg. "
        "The labels or the file were changed: get both again"
    )
    EMISSIONS_NAN = (
        "{name}: the model gives scores that are NaN or infinite, so no label can be chosen; expected finite numbers. "
        "Its weights are damaged or diverged in training: get the pipeline again, or train with a lower learn rate"
    )
    REHEARSE_LISTENER = (
        "{name}: rehearse needs a tok2vec of the component's own, found a listener to a shared one, whose copy "
        "hears nothing. Call nlp.replace_listeners({upstream!r}, {name!r}, ['model.tok2vec']) before nlp.resume_training()"
    )
    LABEL_UNKNOWN = (
        "{name}: the gold label {label!r} is not among the component's {count} labels. "
        "Add it to the labels file, or initialize without one. If the component is sourced, it keeps its labels: source "
        "the tok2vec alone, and define a new component on it"
    )
    HMM_UNINITIALIZED = "{name}: nothing is counted yet. Call nlp.initialize() or load a trained pipeline first"
    HMM_LABELS_FIXED = (
        "{name}: {label!r} is not among the labels that were counted. Add labels before nlp.initialize(), or give all "
        "of them to it with [initialize.components.{name}.labels]"
    )
    HMM_DAMAGED = (
        "{name}: the counts cannot be read ({reason}); expected the counts of an hmm_tagger beside its own cfg. "
        "The file is damaged, cut off or from another program: get it again"
    )
    PANDAS_MISSING = "{name}: tables need pandas. Install it with: pip install 'spacy-bilstm-tagger[report]'"
    LOSS_NAN = "{name}: the loss is not a number. Try a lower learn rate, or gradient clipping (grad_clip = 1.0)"
    CRF_MISSING = (
        "{name}: the model has no scores between labels; "
        'expected [components.{name}.model] with @architectures = "spacy-bilstm-tagger.LinearChainCRF.v1"'
    )
    CRF_SMOOTHING = (
        "{name}: label_smoothing = {value} has no meaning for a CRF, whose loss is that of whole sequences; expected 0"
    )
    NER_LABEL = "{name}: found the entity type {label!r}; expected a name without '|', which stands for one of several"
    TRAIN_NO_TEXTS = (
        "{name}: the training corpus holds no text; expected a .spacy file, or a folder with some, in paths.train "
        "('spacy-bilstm convert' makes one)"
    )
    TAGGER_NO_LABELS = (
        "{name}: found no tags; expected training data with tags, or [initialize.components.{name}.labels]. "
        "Where there are none, leave it out of [nlp] pipeline"
    )
    NER_NO_LABELS = (
        "{name}: found no entity types; expected training data with entities, or [initialize.components.{name}.labels]. "
        "Where there are none, leave it out of [nlp] pipeline"
    )
    SPANS_NO_KEY = "{name}: spans_key is empty; expected the name under which doc.spans keeps the spans"
    SPANS_LABEL = "{name}: found the label {label!r}; expected a name"
    SPANS_NO_LABELS = (
        "{name}: found no spans under doc.spans[{key!r}] in the training data; "
        "expected some, or [initialize.components.{name}.labels]"
    )
    SPANS_THRESHOLD = "{name}: threshold = {value}; expected null or a probability above 0 and up to 1"
    NER_TOP_K = "{name}: top_k = {top_k} needs a spans_key under which the alternatives are kept, found null"
    NER_MISALIGNED = (
        "{name}: {count} of {total} gold entities do not align with the tokens. Their tokens count as missing in "
        "training, all others are used; fix the offsets or the tokenizer to use these too"
    )
    TOKENIZER_SURROGATE = (
        "The text holds a lone surrogate {found} at position {position}; expected valid Unicode. "
        "Decode the text again, e.g. with text.encode('utf-16', 'surrogatepass').decode('utf-16', 'replace')"
    )
    TOKENIZER_PATTERN_NAME = (
        "TweetTokenizer.v1: patterns has the name {found!r}; expected letters, digits and _ that do not begin with a "
        "digit, and no rule of the tokenizer's own"
    )
    TOKENIZER_PATTERN = "TweetTokenizer.v1: the pattern {name} = {found!r} is not a regular expression ({reason})"
    TOKENIZER_PATTERN_EMPTY = (
        "TweetTokenizer.v1: the pattern {name} = {found!r} matches the empty string; expected at least one character"
    )
    TOKENIZER_PATTERN_GROUP = (
        "TweetTokenizer.v1: the pattern {name} = {found!r} has groups that are numbered or named; "
        "expected (?:...) instead of (...)"
    )
    TOKENIZER_JSON = "--tokenizer {found}: not JSON ({reason})"
    TOKENIZER_NAME = (
        "--tokenizer {found}: expected ptb, ud, the settings of a tokenizer as JSON, the name of a registered one, "
        "a language of spaCy, or a trained pipeline"
    )
    # Ensembles
    ENSEMBLE_HEADS = "Ensemble.v1: some members have scores between labels, a CRF, others none; expected all or none"
    ENSEMBLE_SIZES = "Ensemble.v1: found members with {found} labels; expected members with the same labels"
    ENSEMBLE_FEW = "found {count} pipeline to average, expected at least two: spacy-bilstm ensemble A B -o OUT"
    ENSEMBLE_TWICE = "{path}: given twice; expected pipelines that one recipe trained with different seeds"
    ENSEMBLE_UNLIKE = (
        "{path} and the others do not come from one trained network (the mean cosine of their weights is {likeness:.2f}), "
        "so the mean of their weights would be of no use. Leave out --average weights"
    )
    ENSEMBLE_OUTPUT = "{path}: is one of the pipelines to average; give another name for the output"
    ENSEMBLE_LOAD = "{path}: cannot be loaded as a pipeline ({reason}); expected a folder that spacy train wrote, such as training/ritter/model-best"
    ENSEMBLE_NOTHING = "{path}: found {found} components; expected one of {expected}, since these can be averaged"
    ENSEMBLE_LISTENER = "{path}: the components' own copies of {tok2vec!r} cannot be made ({reason})"
    ENSEMBLE_DIFFERS = (
        "{first} and {path}: {what} differ ({detail}). Average pipelines that one recipe trained with different seeds"
    )
    ENSEMBLE_OTHER = (
        "{first} and {path}: {name!r} differs, and components of {factory} cannot be averaged; expected the same in all "
        "pipelines. Source it from one pipeline in all of them, or leave it out"
    )
    # Corpora
    CORPUS_NO_TOKENS = "{path}: has no gold tokens to compare with; expected CoNLL-U or a file of tokens"
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
    CORPUS_MAP_GAPS = "{path}: no entry for {gaps}; every tag of {source} needs one"
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
    CORPUS_MAP_PARTS = (
        "{path}: {label} becomes {found!r}; expected one label, or several different ones such as person|group"
    )
    CORPUS_BIO_OPEN = "{path}, line {line}: {tag} is the last of its entity, in a file that marks ends with {marks}; expected {expected}"
    CORPUS_MAP_NO_ENTS = "{path}: {source} has no entities to map; leave --map-ents out"
    CORPUS_ANNOTATED = (
        "--annotated {found}: expected every entity type of {path}, such as person,location; left out: {others}"
    )
    # Raw text
    RAW_EMPTY = "{path}: found no text, expected at least one line"
    RAW_DAMAGED = "{path}: cannot be read as {kind} ({reason}); get the file again"
    RAW_JSON = '{path}, line {line}: found {found!r}, expected a JSON object with a string as "text"'
    # Word lists, vectors distilled from a transformer
    WORDS_EMPTY = "{path}: found no word, read as {kind}; expected at least one"
    WORDS_FOLDER = "{path}: a folder without vectors; expected one made by 'spacy-bilstm vectors', or a file of words"
    DISTILL_NO_MODEL = (
        "{path}: no such folder; expected that of a pretrained transformer, with its config.json, weights and tokenizer. "
        "The workflow takes it from --vars.transformer"
    )
    DISTILL_MODEL_PART = (
        "{path}: found no {what} ({names}); expected the folder of a pretrained transformer as save_pretrained writes it. "
        "The workflow takes it from --vars.transformer"
    )
    DISTILL_WEIGHTS = "{path}: the weights lack {count} of the model's arrays, such as {name}; get the folder again"
    DISTILL_EXTRA = (
        "a transformer's word encodings need transformers ({reason}): pip install 'spacy-bilstm-tagger[distill]'"
    )
    DISTILL_DIM = "--dim {dim}: the hidden states of {path} are {width} wide; give that or less"
    DISTILL_LAYER = "--layer {layer}: {path} has {count} layers; give that or less"
    DISTILL_FEW = "--dim {dim}: found {count} word types, expected at least {least}; give more words or a smaller --dim"
    DISTILL_NOT_FINITE = (
        "{path}: the encodings of the words hold NaN or infinity, or are all the same; get the model again"
    )
    DISTILL_OTHER_MODEL = (
        "{path}: another model than the one the vectors were distilled from; give that one, or distill again"
    )
    DISTILL_NO_TABLE = "{path}: holds no distilled vectors; expected a folder made by 'spacy-bilstm vectors distill'"


def damaged(path: Path, kind: str, error: BaseException) -> DataError:
    """The error's reason, in one line."""
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    return DataError(Errors.VECTORS_DAMAGED.format(path=path, kind=kind, reason=reason))

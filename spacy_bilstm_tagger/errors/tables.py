"""About vectors, clusters and lists of names, and what is made of them."""


class TableErrors:
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
    VECTORS_NO_TABLE = "{path}: the pipeline in this folder has no vectors; expected a folder made by 'spacy-bilstm vectors', or in a config source = null for none"
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
        "{source}: no such file. Expected Brown clusters (bit path TAB word TAB count in each line, also .gz); recipes "
        "also take a folder made of them by 'spacy-bilstm vectors brown'"
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
    BROWN_NO_TABLE = "{path}: the pipeline in this folder has no Brown clusters; expected a folder made by 'spacy-bilstm vectors brown', or in a config brown = null for none"
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
    GAZETTEERS_NO_TABLE = "{path}: the pipeline in this folder has no gazetteers; expected a folder made by 'spacy-bilstm vectors gazetteers', or in a config gazetteers = null for none"
    GAZETTEERS_MISSING = (
        "TweetEmbed.v1 has gazetteers, but the pipeline has none. "
        'Set gazetteers in [initialize.before_init] with @callbacks = "spacy-bilstm-tagger.load_vectors.v1" to a folder '
        "of lists, or gazetteers = false. If it is set there, [initialize] lookups took their place; set lookups = null"
    )
    GAZETTEERS_UNKNOWN = "TweetEmbed.v1: the pipeline has no gazetteer {found}; expected some of: {known}"

    # Further vector tables
    TABLE_MISSING = (
        "TweetEmbed.v1 has tables = [{name!r}], but the pipeline has no vector table of this name (it has: {found}). "
        'Name it in tables of [initialize.before_init] with @callbacks = "spacy-bilstm-tagger.load_vectors.v1"; in the '
        "recipes --paths.{name} is its folder, and embed.tables '[]' does without"
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
        "Where the pipeline needs none, set [initialize] before_init = null, and take what it names out of TweetEmbed.v1 "
        "(tables = [])"
    )
    LOAD_UNREAD = (
        "load_vectors.v1: {setting} gives the pipeline {what} that none of its components reads; TweetEmbed.v1 reads them "
        "with {switch}. Or set {setting} to null"
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
    SOURCED_NOTHING = (
        "{name}: sourced, and none of the {count} training texts is annotated for it; expected gold labels such as {label!r}. "
        "Look whether paths.train is the right corpus, or name {name!r} in frozen_components"
    )
    SOURCED_GROW = ", or give them to the sourced one with add_label, save that pipeline, and source it"
    LISTENER_WIDTH = (
        "{name}: listens to {upstream!r} with width {found}, whose rows are {expected} wide. "
        "Set width = {expected} in the component's Tok2VecListener"
    )

    # Word lists, vectors distilled from a transformer
    WORDS_EMPTY = "{path}: found no word, read as {kind}; expected at least one"
    WORDS_FOLDER = "{path}: a folder without vectors; expected one made by 'spacy-bilstm vectors', or a file of words"
    DISTILL_NO_MODEL = (
        "{path}: no such folder; expected that of a pretrained transformer, with its config.json, weights and tokenizer. "
        "(In a workflow of the project it comes from --vars.transformer)"
    )
    DISTILL_MODEL_PART = (
        "{path}: found no {what} ({names}); expected the folder of a pretrained transformer as save_pretrained writes it. "
        "(In a workflow of the project it comes from --vars.transformer)"
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

"""About settings, components and pipelines."""


class PipelineErrors:
    # Options of the architectures
    EMBED_ROWS = (
        "TweetEmbed.v1: attrs has {attrs} entries and rows has {rows}; expected one number of rows per attribute"
    )
    EMBED_ATTR = (
        "TweetEmbed.v1: attrs has {found!r}, which is no attribute of spaCy's tokens; expected some of NORM, LOWER, ORTH, "
        "PREFIX, SUFFIX, SHAPE and the like"
    )
    EMBED_TWICE = "TweetEmbed.v1: tables has {found!r} twice; expected each vector table once"
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
        "{name}: {place}cannot be read as a pretrained transformer with its tokenizer ({reason}). "
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
    TRAIN_UNREADABLE = (
        "{path}: {reason}; expected the training corpus, a .spacy file or a folder with some, in paths.train "
        "('spacy-bilstm convert' makes one)"
    )
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
    SCORE_NO_GOLD = (
        "Nothing to score: none of the {count} texts has gold {what}, so there is no {score}, and spaCy's table shows "
        "0.00. Look whether this is the right file, and what was converted"
    )
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

"""Labels in words, for `spacy.explain`, and in colours, for displaCy."""

from spacy.glossary import GLOSSARY as SPACY_GLOSSARY

GLOSSARY = {
    # T-POS (Ritter et al. 2011, "Named entity recognition in tweets", section 2.1): the Penn Treebank's tags and four more.
    "USR": "user, as in @mara",
    "HT": "hashtag, as in #nowplaying",
    "URL": "link, or e-mail address",
    "RT": "sign of a retweet",
    "(": "opening bracket",
    ")": "closing bracket",
    "VPP": "verb, past participle (one token of T-POS; elsewhere VBN)",
    "TD": "determiner (one token of T-POS; elsewhere DT)",
    "O": "outside, no label",
    "NONE": "no tag",
    # WNUT 2017 (Derczynski et al. 2017, "Results of the WNUT2017 shared task", section 3).
    "person": "people, also fictional ones",
    "location": "places, also of fiction: countries, cities, buildings, mountains",
    "corporation": "companies",
    "group": "groups that are no companies: bands, teams, parties, organizations",
    "product": "things that are made and sold, also services and software",
    "creative-work": "songs, films, books, games, programmes",
    # W-NUT 2016 (Strauss et al. 2016, "Results of the WNUT16 named entity recognition shared task").
    "company": "companies",
    "facility": "buildings, airports, stations, stadiums",
    "geo-loc": "places: countries, cities, mountains, streets",
    "movie": "films",
    "musicartist": "singers and bands",
    "sportsteam": "sports teams",
    "tvshow": "programmes on television",
    "other": "entities of another type",
    # The Groningen Meaning Bank (Bos et al. 2017, "The Groningen Meaning Bank"), as Kaggle has it.
    "geo": "places",
    "gpe": "countries, cities, states, and their people",
    "per": "people",
    "org": "organizations",
    "tim": "dates and times",
    "art": "works of art, and other things that are made",
    "eve": "events",
    "nat": "natural phenomena",
    # Toxic spans (Pavlopoulos et al. 2021, "SemEval-2021 task 5").
    "toxic": "words that make a text toxic: rude, disrespectful, or unreasonable",
}
# displaCy looks labels up in capitals.
COLORS = {
    "LOCATION": "#ff9561",
    "CORPORATION": "#7aecec",
    "COMPANY": "#7aecec",
    "GROUP": "#c887fb",
    "SPORTSTEAM": "#c887fb",
    "CREATIVE-WORK": "#f0d0ff",
    "MOVIE": "#f0d0ff",
    "TVSHOW": "#f0d0ff",
    "MUSICARTIST": "#e4c1f9",
    "FACILITY": "#9cc9cc",
    "GEO-LOC": "#feca74",
    "OTHER": "#ddd8c4",
    "TOXIC": "#ff8197",
}


def add_to_glossary() -> None:
    """Let `spacy.explain` know these labels. What it knows already stays."""
    for label, meaning in GLOSSARY.items():
        SPACY_GLOSSARY.setdefault(label, meaning)

"""BiLSTM taggers and entity recognisers for tweets, chat and comments, as spaCy components."""

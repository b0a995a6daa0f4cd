"""What a pipeline does with annotated texts, as a page: scores, errors, and labels of the gold that are probably wrong."""

"""thinc layers, each around at most one torch module."""

"""Knowledge of words: vectors, Brown paths and lists of names; read from files, built, looked up, stored."""

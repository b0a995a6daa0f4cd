"""What is known of a word: vectors, Brown cluster paths, names on lists. Read from files, built, looked up, stored."""

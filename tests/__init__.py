"""A regular package: some distributions install a `tests` of their own, which a folder without this file loses to."""

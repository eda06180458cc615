"""The command ``export-dedup``: one table of what it does, words that were meant, completion in shells."""

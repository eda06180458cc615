"""What comes before everything else: whose modules may be imported, and classes of data that cost nothing at import."""

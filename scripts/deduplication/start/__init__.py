"""What comes before everything else: whose modules may be imported; classes of data and patterns that cost nothing at import."""

"""What conversations are called: a title set, words added; and where a project's own went that was moved."""

"""The words of a text, the same for every search: in a store's folder, in a database, on every Python.

- *prepared*: a text as a row of words in one form: composed, case folded, everything but letters and digits a border
- *word*: what stands between two borders; in scripts without blanks each character is one
- *seam*: a place inside a word that may be a border as well: a line's end that may have cut it, a capital inside a name
- *term*: what a search asks for: a word or words in a row, the last one whole or only begun
- *lexeme*: what a database's index has of a text: words, in each way in which they can be read, and pairs of characters
"""

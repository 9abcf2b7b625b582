"""What a letter is, in any script."""

import unicodedata

_MARKS = "".join(
    mark for mark in map(chr, range(0x300, 0x10000)) if unicodedata.category(mark).startswith("M")
)
LETTER = rf"(?:[^\W\d_]|[{_MARKS}\u200c\u200d])"
"""Of a regular expression: a letter of any script, or what is written over, under or inside it
(vowels of Indic scripts; Python's `\\w` takes a word apart there)."""

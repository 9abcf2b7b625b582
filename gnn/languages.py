"""Which languages texts seem to be written in: by their letters, and by their small words.

Texts are grouped by an English model and English words (`gnn.text`), so what is not English is
worth a warning. Told is only what is plain: a text of product codes, names or two nouns is of no
language. What is said of a text is a guess; shares of many texts are what it is good for.
"""

import runpy
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from gnn.text import nouns, stop_words, words_of

MOST_TEXTS = 20_000
"""As many distinct texts are looked at, evenly by alphabet."""
LEAST_TEXTS = 3
LEAST_SHARE = 0.1
"""Of the texts, for a warning. (Of English titles, searches and tickets up to 4 % seem to be of
another language: names, codes that are small words somewhere.)"""

LATIN = {
    "de": "German", "fr": "French", "es": "Spanish", "it": "Italian", "pt": "Portuguese",
    "nl": "Dutch", "sv": "Swedish", "da": "Danish", "nb": "Norwegian", "fi": "Finnish",
    "pl": "Polish", "cs": "Czech", "sk": "Slovak", "ro": "Romanian", "hu": "Hungarian",
    "hr": "Croatian", "tr": "Turkish", "id": "Indonesian",
}  # fmt: skip
"""Languages told by their small words: their code in spaCy, and what they are called."""
SCRIPTS = {
    "CYRILLIC": ("Cyrillic letters", ("ru", "uk", "bg", "sr")),
    "ARABIC": ("Arabic letters", ("ar", "fa", "ur")),
    "DEVANAGARI": ("Devanagari letters", ("hi", "mr", "ne")),
    "GREEK": ("Greek", ("el",)),
    "HEBREW": ("Hebrew letters", ("he",)),
    "HANGUL": ("Korean", ("ko",)),
    "HIRAGANA": ("Japanese", ("ja",)),
    "KATAKANA": ("Japanese", ("ja",)),
    "CJK": ("Chinese letters", ("zh",)),
    "THAI": ("Thai", ("th",)),
}
"""Told by their letters (the first word of a letter's name in Unicode): what they are called, and
the codes of those whose small words spaCy has."""
UNDIVIDED = ("Chinese letters", "Japanese", "Thai", "Lao letters", "Khmer letters",
             "Myanmar letters")  # fmt: skip
"""Written without blanks between words."""
ENGLISH = "English"
_BEYOND_LATIN = "\u0370"


@dataclass(frozen=True)
class Languages:
    """What distinct texts seem to be written in.

    Attributes:
        texts: how many there are.
        shares: of languages other than English, 0 to 1 of the texts, the largest first.
    """

    texts: int
    shares: dict[str, float]

    @property
    def is_english(self) -> bool:
        """Whether there is nothing to warn of."""
        share = sum(self.shares.values())
        return share < LEAST_SHARE or round(share * self.texts) < LEAST_TEXTS

    @property
    def undivided(self) -> list[str]:
        """Those that put no blanks between words, if there is something to warn of."""
        return [] if self.is_english else [name for name in self.shares if name in UNDIVIDED]

    def said(self) -> dict[str, Any]:
        """As JSON values, for a summary; with `is_english` and `undivided`."""
        return asdict(self) | {"is_english": self.is_english, "undivided": self.undivided}


def languages(texts: Sequence[str]) -> Languages:
    """What distinct texts, by alphabet, seem to be written in; of many, some are looked at."""
    some = texts[:: max(1, len(texts) // MOST_TEXTS)]
    count = Counter(name for name in map(language, some) if name not in {"", ENGLISH})
    return Languages(len(texts), {name: n / len(some) for name, n in count.most_common()})


def language(text: str) -> str:
    """What a text seems to be written in; empty where nothing says it.

    By most of its letters, if they are not Latin; else by whose small words it has the most of,
    English before any other.
    """
    words = words_of(text)
    if script := _script(words):
        return SCRIPTS[script][0] if script in SCRIPTS else f"{script.capitalize()} letters"
    distinct = set(words)
    english = len(distinct & stop_words())
    small = _whose_small_words()
    others = Counter(code for word in distinct for code in small.get(word, ()))
    if not others:
        return ENGLISH if english else ""
    code, count = max(others.items(), key=lambda found: (found[1], -list(LATIN).index(found[0])))
    return LATIN[code] if count > english else ENGLISH if english else ""


def _script(words: Iterable[str]) -> str:
    """What most letters are called in Unicode, where they are not Latin; empty where they are."""
    joined = "".join(words)
    beyond = [] if joined.isascii() else [sign for sign in joined if sign >= _BEYOND_LATIN]
    if 2 * len(beyond) <= len(joined):
        return ""
    scripts = Counter(unicodedata.name(sign, "").partition(" ")[0] for sign in beyond)
    kana = next((name for name in ("HIRAGANA", "KATAKANA") if name in scripts), "")
    return kana or scripts.most_common(1)[0][0]


def small_words(found: Iterable[str]) -> frozenset[str]:
    """Words that carry no topic in some languages, by what they are called."""
    called = frozenset(found)
    codes = [code for code, name in LATIN.items() if name in called]
    codes += [code for name, of_it in SCRIPTS.values() if name in called for code in of_it]
    return frozenset().union(*map(_stop_words, codes))


@cache
def _whose_small_words() -> dict[str, tuple[str, ...]]:
    """Small words of other languages, and of which; no word that English has, no single letter."""
    english = stop_words() | nouns()
    whose: dict[str, tuple[str, ...]] = {}
    for code in LATIN:
        for word in sorted(_stop_words(code) - english):
            if len(word) > 1:
                whose[word] = (*whose.get(word, ()), code)
    return whose


@cache
def _stop_words(code: str) -> frozenset[str]:
    import spacy.lang

    # The file alone: spaCy's French package, imported, takes three seconds to build a tokenizer.
    file = Path(spacy.lang.__path__[0]) / code / "stop_words.py"
    return frozenset(runpy.run_path(str(file))["STOP_WORDS"])

"""Names, addresses and e-mail addresses of people who do not exist (reserved domain `.test`)."""

import numpy as np
from numpy.typing import NDArray

_FIRST = (
    "Ada", "Alma", "Anouk", "Arlo", "Aya", "Bea", "Björn", "Bruno", "Cleo", "Dara", "Edda",
    "Elif", "Emil", "Enzo", "Esme", "Farah", "Finn", "Gaia", "Greta", "Hana", "Hugo", "Ida",
    "Ines", "Ivo", "Jana", "Jonas", "José", "Kaya", "Kofi", "Lars", "Lena", "Levi", "Lotte",
    "Łucja", "Mads", "Mei", "Mila", "Milo", "Nadia", "Nils", "Noor", "Odin", "Olive", "Otto",
    "Pia", "Quinn", "Rafa", "Remi", "Renée", "Rosa", "Sami", "Selma", "Sören", "Tara", "Theo",
    "Tilda", "Uma", "Vera", "Wim", "Yara", "Yuki", "Zoë", "Đặng", "明", "Ólöf", "Zeynep",
)  # fmt: skip
_ONSET = (
    "Bel", "Cor", "Dra", "Fen", "Gal", "Har", "Jor", "Kel", "Lor", "Mar", "Nor", "Ost", "Pel",
    "Quil", "Ros", "Sel", "Tal", "Ul", "Vor", "Wen", "Yar", "Zel", "Ström", "Ča",
)  # fmt: skip
_MIDDLE = ("a", "e", "i", "o", "u", "an", "en", "in", "or", "ul", "ei", "am")
_CODA = (
    "by", "ck", "dal", "feld", "gren", "holt", "ka", "ling", "mond", "nik", "ow", "quist",
    "rath", "sen", "ton", "vik", "wick", "zar", "ström", "ñez",
)  # fmt: skip
_STREETS = ("Anvil", "Beacon", "Chestnut", "Dairy", "Ferry", "Granary", "Hollow", "Kiln", "Mill",
            "Orchard", "Quarry", "Tannery")  # fmt: skip
_CITIES = ("Ashmoor", "Brackwater", "Coldbrook", "Eastmere", "Fernhold", "Grimsford", "Larkhaven",
           "Northwick", "Stonebridge", "Westerby")  # fmt: skip
DOMAINS = ("larkmail.test", "postbox.test", "brightmail.test", "nestpost.test")
ASCII = str.maketrans("ößéñČčŁłÓóëäüåøĐđặ明", "osenCcLlOoeauaoDdam")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def base36(number: int) -> str:
    """A number in lower-case letters and digits."""
    text = ""
    while True:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
        if not number:
            return text


def first_names(rng: np.random.Generator, count: int) -> list[str]:
    """Given names, some with letters beyond ASCII."""
    return [_FIRST[at] for at in rng.integers(0, len(_FIRST), count)]


def last_names(rng: np.random.Generator, count: int) -> list[str]:
    """Family names of two or three syllables; they repeat between people, as names do."""
    parts = (_ONSET, _MIDDLE, _CODA)
    draws = [rng.integers(0, len(part), count).tolist() for part in parts]
    return [_ONSET[a] + _MIDDLE[b] + _CODA[c] for a, b, c in zip(*draws, strict=True)]


def email(first: str, last: str, number: int, domain: int) -> str:
    """An address that no other person of the world has (`number` is the person's)."""
    local = f"{first}.{last}".translate(ASCII).lower()
    local = "".join(letter for letter in local if letter.isascii())
    return f"{local.strip('.')}.{base36(number)}@{DOMAINS[domain]}"


def phone(number: int) -> str:
    """The `number`-th fictional telephone (the reserved 555-01xx block), at most 80,000."""
    return f"+1 {200 + number // 100:03d} 555 {100 + number % 100:04d}"


def streets(rng: np.random.Generator, count: int) -> list[str]:
    """Street and house number."""
    which = rng.integers(0, len(_STREETS), count).tolist()
    house: NDArray[np.int64] = rng.integers(1, 400, count)
    return [f"{_STREETS[at]} Lane {h}" for at, h in zip(which, house.tolist(), strict=True)]


def city(number: int) -> tuple[str, str]:
    """City and postal code."""
    return _CITIES[number % len(_CITIES)], f"{10000 + number * 37 % 89999:05d}"

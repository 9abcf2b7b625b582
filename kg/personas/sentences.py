"""Whether a sentence says what its claims say, no more and nothing else. Decided by machine.

A sentence is taken apart: each cited claim's phrase must stand in it word for word, each number
must be that claim's number in that role, each word of direction must be its direction, and what is
left may only be words of a fixed list that cannot state a fact by themselves. So whoever wrote it,
a template, a model or a forger, a sentence that passes is a restatement of its claims. Not
guaranteed: style.
"""

import re
from collections.abc import Iterable, Sequence

from kg.personas.claims import Claim

MORE = frozenset({"more", "likelier", "higher"})
LESS = frozenset({"less", "fewer", "rarer", "lower"})
OTHERS = "equally active others"
"""Whom holders are compared with: the reference is standardised to the holders' activity, so it is
nobody else's share, and "everyone else" would be wrong."""

GLUE = frozenset(
    re.findall(
        r"\w+",
        """
    a also an and are as been both by compared did do does for from group
    had has have here in is it its likely members of on people percent persona
    share that the their them these they this those to too unlike were which while who whereas
    with against among than versus interval
    """,
    )
)
"""Words that may stand between phrases and numbers; none can state a fact, none can deny one."""

SHARE_DIGITS = 9
"""Two shares that differ by less are one: no share of fewer than a billion people is so near to
nothing or all."""

_NUMBER = r"(\d[\d,]*(?:\.\d+)?)"
_PERCENT = r"\s*(?:%|percent\b|per cent\b)"
_REST = r"(?:equally active (?:others|other people|people))"
# How many people stand behind the interval, in its parenthesis: anywhere else they would be those
# who do it, and are those whom the share is of.
_INTERVAL = re.compile(
    rf"(?:95{_PERCENT}\s*)?(?:confidence\s+)?interval:?\s*(?:of|from|between)?\s*"
    rf"{_NUMBER}\s*%?\s*(?:-|–|to|and)\s*{_NUMBER}{_PERCENT}(?:,\s*{_NUMBER}\s+people(?=\s*\)))?"
)
_REFERENCE = re.compile(
    rf"(?:\b(?:against|versus|than|compared with|compared to)\s+{_NUMBER}{_PERCENT}"
    rf"(?:\s+(?:of|among)\s+{_REST}|(?!\s+(?:of|among)\b)))"
    rf"|(?:{_NUMBER}{_PERCENT}\s+(?:of|among)\s+{_REST})"
)
# Of whom a share is, is said: of them; of those whom the question applies to; by the phrase itself.
_OF_THEM = re.compile(rf"{_NUMBER}{_PERCENT}\s+(?:of|among)\s+them\b")
_OF_THOSE = re.compile(rf"{_NUMBER}{_PERCENT}\s+(?:of|among)\s+(?:them\b|those\s+;)")
_BY_PHRASE = re.compile(rf"{_NUMBER}{_PERCENT}(?=\s+;)")
_PLACED_REST = re.compile(rf"\b(?:than|against|versus|unlike|with|to|of|among)\s+{_REST}\b")
_LOOSE_REST = re.compile(rf"\b{_REST}\b")
_TURNED = re.compile(
    r"\b(?:than|against|versus|unlike|compared (?:with|to))\s+(?:\w+\s+)?(?:they|them|th[eo]se)\b"
)
_WORD = re.compile(r"[^\W\d_]+")


def tenths(share: float) -> str:
    """A share as a table shows it: to a tenth of a percent, or as a sentence says it where that
    would be 0 or 100 and it is neither.

    >>> tenths(0.616), tenths(0.0004), tenths(0.99996), tenths(1.0)
    ('61.6%', '0.04%', '99.996%', '100.0%')
    """
    return f"{_rounded(share, 1)}%"


def percent(share: float) -> str:
    """A share as people read it: whole percents, or to a tenth below ten, but never 0 or 100 when
    it is not.

    Nothing and all are what differs from them by floating error alone: a reference is a sum of
    weighted shares, and says 0.9999999999999999 where everybody does it.

    >>> percent(0.616), percent(0.021), percent(0.0004), percent(0.9996), percent(1 - 1e-16)
    ('62', '2.1', '0.04', '99.96', '100')
    """
    return _rounded(share, 1 if _is_small(share) else 0)


def percents(value: float, low: float, high: float) -> tuple[str, str, str]:
    """A share and its interval, as alike as people read them: in whole percents, or all to a tenth
    where the share is below ten, or whole ones would put it outside of its interval, or leave
    nothing of the interval.

    >>> percents(0.616, 0.55, 0.68), percents(0.022, 0.015, 0.032), percents(0.496, 0.492, 0.499)
    (('62', '55', '68'), ('2.2', '1.5', '3.2'), ('49.6', '49.2', '49.9'))
    """
    whole = _rounded(value, 0), _rounded(low, 0), _rounded(high, 0)
    is_told = low <= float(whole[0]) / 100 <= high and whole[1] != whole[2]
    if not _is_small(value) and (is_told or low == high):
        return whole
    return _rounded(value, 1), _rounded(low, 1), _rounded(high, 1)


def _is_small(share: float) -> bool:
    """Whether whole percents say too little of it: half a percent is much of two."""
    return round(share, SHARE_DIGITS) > 0 and round(share, 3) < 0.1


def _rounded(share: float, decimals: int) -> str:
    """In percent, with more decimals only where it would be 0 or 100 and is neither."""
    share = round(share, SHARE_DIGITS)
    for more in range(decimals, SHARE_DIGITS - 1):
        text = f"{100 * share:.{more}f}"
        if _is_true(text, share):
            break
    return text


def _is_true(text: str, share: float) -> bool:
    return share in (0.0, 1.0) or 0 < float(text) < 100


def problem(text: str, cited: Sequence[Claim]) -> str | None:
    """What is wrong with a sentence that cites these claims; None: nothing."""
    if not cited:
        return "it cites nothing"
    left = f" {_plain(text)} "
    for words in _stated(cited):
        if words not in left:
            return f"it does not state “{words}”"
        left = left.replace(words, " ; ")
    amongs = sorted({_plain(c.among) for c in cited if c.among}, key=len, reverse=True)
    unsaid = next((words for words in amongs if words not in left), None)
    for words in amongs:
        left = left.replace(words, " ; ")
    left, wrong, has_numbers = _without_numbers(left, cited)
    if wrong is None and has_numbers and unsaid:
        return f"its numbers are only of those “{unsaid}”, which it does not say"
    return wrong or _wrong_words(left, cited, has_numbers)


def mentioned(text: str, claims: Iterable[Claim]) -> list[Claim]:
    """The claims whose phrase stands in a text, longer phrases first served."""
    left, found = _plain(text), []
    for claim in sorted(claims, key=lambda c: (-len(c.phrase), c.claim_id)):
        words = _plain(claim.phrase)
        if words in left:
            found.append(claim)
            left = left.replace(words, " ; ", 1)
    return found


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip().lower()


def _stated(cited: Sequence[Claim]) -> list[str]:
    return sorted({_plain(claim.phrase) for claim in cited}, key=lambda words: (-len(words), words))


def _without_numbers(text: str, cited: Sequence[Claim]) -> tuple[str, str | None, bool]:
    """The text without its numbers, what is wrong with them, and whether there were any."""
    if not re.search(r"\d", text):
        return text, None, False
    if len(cited) > 1:
        return text, "it has numbers but cites several claims", True
    claim, measured = cited[0], cited[0].measured
    reference = measured.reference_value
    interval = (_spellings(measured.low), _spellings(measured.high), {str(claim.people)})
    roles: list[tuple[re.Pattern[str], tuple[set[str], ...], str]] = [
        (_INTERVAL, interval, "interval"),
        (_REFERENCE, (set() if reference is None else _spellings(reference),), "reference"),
        (_value(claim), (_spellings(measured.value),), "value"),
    ]
    for pattern, wanted, role in roles:
        for place, match in enumerate(pattern.finditer(text)):
            numbers = [number.replace(",", "") for number in match.groups() if number]
            if place or any(n not in right for n, right in zip(numbers, wanted, strict=False)):
                return text, f"its {role} {' to '.join(numbers)} is not the claim's", True
        text = pattern.sub(" ; ", text)
    if found := re.search(r"\d+", text):
        return text, f"its number {found[0]} is not the claim's", True
    return text, None, True


def _value(claim: Claim) -> re.Pattern[str]:
    """How the share of a claim is written."""
    if not claim.counts.compares:
        return _BY_PHRASE
    return _OF_THOSE if claim.among else _OF_THEM


def _spellings(share: float) -> set[str]:
    """Whole percents, or one decimal; 0 and 100 only when they are exact."""
    return {_rounded(share, 0), _rounded(share, 1)}


def _wrong_words(left: str, cited: Sequence[Claim], has_numbers: bool) -> str | None:
    loose = _PLACED_REST.sub(" ", left)
    if _TURNED.search(left) or _LOOSE_REST.search(loose):
        return "it speaks of others where it must speak of them"
    words = set(_WORD.findall(loose))
    unknown = sorted(words - GLUE - MORE - LESS)
    if unknown:
        return f"its claims do not say “{unknown[0]}”"
    directions = {"more"} if words & MORE else set()
    directions |= {"less"} if words & LESS else set()
    compared = {claim.measured.direction for claim in cited if claim.counts.compares}
    if directions and directions != compared:
        return f"it says {' and '.join(sorted(directions))}, its claims do not"
    if any(not claim.counts.compares for claim in cited) and directions:
        return "it compares where its claim compares nothing"
    if not directions and not has_numbers:
        return "it says neither how many nor whether more or less"
    return None

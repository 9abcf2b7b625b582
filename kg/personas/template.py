"""The wording without a model: the same claims always give the same words."""

import re
from collections.abc import Iterable, Iterator, Sequence

from kg.letters import LETTER
from kg.personas.claims import Claim
from kg.personas.kinds import VERB_AND_TOPIC
from kg.personas.labels import NO_KNOWN_KIND, NUMBER
from kg.personas.sentences import OTHERS, percent, percents

NOUNS = {
    "bought": "Buyers",
    "viewed": "Browsers",
    "browsed": "Browsers",
    "searched": "Seekers",
    "asked": "Askers",
    "compared": "Comparers",
    "products_compared": "Comparers",
    "returned": "Returners",
    "redeemed": "Redeemers",
    "used": "Users",
    "read": "Readers",
    "saved": "Savers",
    "answered": "Answerers",
    "quoted": "Quote Seekers",
    "quote_requested": "Quote Seekers",
    "return_requested": "Returners",
    "wished": "Wishers",
    "reviewed": "Reviewers",
    "shared": "Sharers",
    "added": "Shoppers",
}
ANYBODY = "People"
MODIFIERS = {
    "night": "Night",
    "morning": "Morning",
    "afternoon": "Afternoon",
    "evening": "Evening",
    "weekend": "Weekend",
    "week": "Weekday",
}
DONE = {
    "returned": "Returners",
    "response": "Responders",
    "support": "Support Seekers",
    "repeat": "Regulars",
}
# What people are called of whom nothing else is to be said.
ALONE = {
    "Returners": "Goods Returners",
    "Responders": "Campaign Responders",
    "Support Seekers": "Support Seekers",
    "Regulars": "Regular Visitors",
}
# What is done with a topic by those who do it altogether.
DOES = {
    "Returners": {"Returners"},
    "Responders": {"Responders"},
    "Support Seekers": {"Askers"},
    "Regulars": {"Buyers"},
}
NOTHING_OF_NOTE = "Mixed Interests"
NOTHING_SAID = "Unnamed Group"
# A persona is not named after what few of its holders do, however rare that is among others: of
# "Night People" at least half come at night.
LEAST_NAMED = 0.5
# A name that was given stays a little longer, or it would come and go with one person more or less.
LEAST_STAYING = 0.4
# Nor after one thing alone that a third of them do not do, where there is another.
LEAST_ALONE = 2 / 3
# Nor after when or how they do it, where others do so nearly as often.
LEAST_APART = 0.15
LINKS = frozenset({"for", "of", "and", "with", "in", "to", "the", "on", "or", "by"})
ABOUT = VERB_AND_TOPIC | {"item"}
NAMING_KINDS = ABOUT | {
    "daypart", "weekday", "returned", "response", "support", "repeat", "verb",
}  # fmt: skip

_WORD = re.compile(rf"{LETTER}+(?:['’-]{LETTER}+)*")

# Never in a name, whatever the catalogue calls its goods. A list cannot be complete: a reviewer
# reads every name before it is used.
PROTECTED = re.compile(
    r"""\b(wom[ae]n\w*|m[ae]n|ladies|lady|girls?|boys?|males?|females?|gender\w*|feminine|masculine
    |bab(y|ies)|matern\w*|pregnan\w*|infants?|kids?|child\w*|teen\w*|elder\w*|senior\w*|young\w*|old
    |age[ds]?|black|white|asian\w*|african\w*|latin\w*|hispanic\w*|ethnic\w*|rac(e|ial)\w*|immigra\w*
    |muslim\w*|islam\w*|jew\w*|kosher|halal|christ\w*|catholic\w*|hindu\w*|buddh\w*|religio\w*|church\w*
    |gay|lesbian\w*|queer|trans\w*|sexual\w*|disab\w*|diabet\w*|cancer|hiv|medic\w*|health\w*|incontinen\w*
    |depress\w*|addict\w*|politic\w*|union|democrat\w*|republican\w*|poor|debt\w*|married|single|divorced)\b""",
    re.IGNORECASE | re.VERBOSE,
)


def name(claims: Sequence[Claim], taken: Iterable[str]) -> str:
    """Two to four words from what sets a persona apart most; none that is taken.

    Args:
        claims: of the persona, strongest first.
        taken: names of other personas.
    """
    used = {other.lower() for other in taken}
    for candidate in _candidates(claims):
        if candidate.lower() not in used and not PROTECTED.search(candidate):
            return candidate
    raise AssertionError  # the candidates never end


def named_first(claims: Sequence[Claim], given: str) -> list[Claim]:
    """Claims: how many people, then what a name is made of, then the others."""
    words = set(given.lower().split())
    return sorted(claims, key=lambda claim: (claim.kind != "share", not _is_in(claim, words)))


def _is_in(claim: Claim, words: set[str]) -> bool:
    if not _names_somebody(claim, LEAST_STAYING):
        return False
    if claim.kind in ABOUT:
        told = _short(claim.subject_label).lower().split()
        noun = _noun(claim).lower().split()[-1]
        return bool(told) and noun in words and (set(told) <= words or told[-1] in words)
    said = MODIFIERS.get(claim.subject) or _done(claim)
    return bool(said) and set(said.lower().split()) <= words


def may_stay(given: str, claims: Sequence[Claim]) -> bool:
    """Whether a name given before can stay: what it says is still true of two fifths of them.

    A name that says nothing stays only while there is nothing to say.
    """
    if name_problem(given, claims, (), LEAST_STAYING) is not None:
        return False
    return not _says_nothing(given) or _says_nothing(name(claims, ()))


def _says_nothing(text: str) -> bool:
    return text.startswith((NOTHING_OF_NOTE, NOTHING_SAID))


def summary(claims: Sequence[Claim]) -> str:
    """One sentence over the strongest claims of one direction."""
    telling = [c for c in claims if c.counts.compares and c.kind not in {"trait", "overlap"}]
    for direction in ("more", "less"):
        phrases = [c.phrase for c in telling if c.measured.direction == direction]
        phrases = list(dict.fromkeys(phrases))[:3]
        if phrases:
            many = "More" if direction == "more" else "Fewer"
            return f"{many} of them than of {OTHERS} {_listed(phrases)}."
    return sentence(claims[0])


def sentence(claim: Claim) -> str:
    """A claim in plain language with its numbers."""
    measured = claim.measured
    value, low, high = percents(measured.value, measured.low, measured.high)
    interval = f"95 % interval {low}-{high} %"
    people = f"{claim.people:,} people"
    if measured.reference_value is None:
        return f"{value} % {claim.phrase} ({interval}, {people})."
    among = f"of those {claim.among}; " if claim.among else ""
    return (
        f"{value} % of them {claim.phrase}, against "
        f"{percent(measured.reference_value)} % of {OTHERS} ({among}{interval}, {people})."
    )


def _listed(phrases: Sequence[str]) -> str:
    return phrases[0] if len(phrases) == 1 else f"{', '.join(phrases[:-1])} and {phrases[-1]}"


def _candidates(claims: Sequence[Claim]) -> Iterator[str]:
    fitting = _names([c for c in claims if _names_somebody(c)])
    yield from fitting
    base = next((t for t in fitting if len(t.split()) < 4 and not PROTECTED.search(t)), None)
    if base is None:
        base = NOTHING_OF_NOTE if any(c.kind != "share" for c in claims) else NOTHING_SAID
        yield base
    for number in range(2, 4000):
        yield f"{base} {_roman(number)}"


def _names_somebody(claim: Claim, least: float = LEAST_NAMED) -> bool:
    measured, known = claim.measured, claim.subject_label != NO_KNOWN_KIND
    more = measured.direction == "more" and measured.value >= least
    return claim.kind in NAMING_KINDS and more and known


def _names(telling: Sequence[Claim]) -> list[str]:
    """Names of two to four words from what claims say, the most telling first."""
    about = [c for c in telling if c.kind in ABOUT]
    about = [c for c in about if _short(c.subject_label)]
    about = [c for c in about if not PROTECTED.search(_short(c.subject_label))]
    topics = [(_short(c.subject_label), _noun(c)) for c in about]
    modifiers = [MODIFIERS[c.subject] for c in telling if c.subject in MODIFIERS and _apart(c)]
    done = [noun for noun in map(_done, telling) if noun]
    built = [f"{words} {noun}" for words, noun in topics]
    # What people do with everything says more than what they do with one topic; both are said
    # together where they do it with that topic, too.
    both = [f"{words} {noun}" for words, own in topics[:1] for noun in done if own in _does(noun)]
    built = [*both, *built]
    built = [*(f"{m} {text}" for text in built[:1] for m in modifiers), *built]
    two = [
        f"{a} and {b} {noun}" for a, noun in topics for b, own in topics if a != b and noun == own
    ]
    if about and about[0].measured.value < LEAST_ALONE:
        with_first = [text for text in two if text.startswith(f"{topics[0][0]} and ")]
        built = [*with_first[:1], *built]
    lasts = [(words.split()[-1], noun) for words, noun in topics]
    built += [*two, *(f"{a} and {b} {noun}" for a, noun in lasts for b, _ in lasts if a != b)]
    built += [f"{words} {noun}" for words, own in topics[1:] for noun in done if own in _does(noun)]
    built += [f"{m} {noun}" for m in modifiers for noun in done or [ANYBODY]]
    built += [ALONE.get(noun, f"{noun} Group") for noun in done]
    built += [f"{m} {text}" for text in built for m in modifiers]
    return [text for text in dict.fromkeys(built) if _is_short(text)]


def _does(noun: str) -> set[str]:
    return DOES.get(noun, set())


def _is_short(text: str) -> bool:
    return 2 <= sum(word != "and" for word in text.split()) <= 4


def _short(label: str) -> str:
    """The first two plain words of a label, in title case."""
    first = re.split(r"[/,(]", label)[0]
    words = _words(first)[:2]
    while words and words[-1].lower() in LINKS:
        words.pop()
    return " ".join("-".join(map(str.capitalize, word.split("-"))) for word in words)


def _words(label: str) -> list[str]:
    """What of a label may stand in a name: its plain words; of a number all."""
    return label.split() if label.startswith(NUMBER) else _WORD.findall(label)


def _apart(claim: Claim) -> bool:
    measured = claim.measured
    return measured.value - (measured.reference_value or 0.0) >= LEAST_APART


def _done(claim: Claim) -> str:
    """Who does it with whatever it is; empty: nobody is called so."""
    return DONE.get(claim.kind) or (NOUNS.get(claim.subject, "") if claim.kind == "verb" else "")


def _noun(claim: Claim) -> str:
    if claim.kind not in VERB_AND_TOPIC:
        return "Buyers"
    return NOUNS.get(claim.subject.partition(" ")[0], ANYBODY)


def _roman(number: int) -> str:
    table = ((1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"))
    text = ""
    for value, digits in (*table, (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I")):
        text += digits * (number // value)
        number %= value
    return text


def words_of(claims: Iterable[Claim], least: float = LEAST_NAMED) -> frozenset[str]:
    """The words a name may be made of: what most holders do, and more; no traits; lower case.

    Args:
        least: share of the holders who must do it.
    """
    allowed = {ANYBODY.lower(), "and"}
    for claim in claims:
        if _names_somebody(claim, least):
            done = _done(claim)
            text = f"{_noun(claim)} {done} {ALONE.get(done, 'group')} "
            text += MODIFIERS.get(claim.subject, "")
            allowed |= {w.lower() for w in (*_words(claim.subject_label), *_WORD.findall(text))}
    return frozenset(allowed | set(f"{NOTHING_OF_NOTE} {NOTHING_SAID}".lower().split()))


def name_problem(
    text: str, claims: Iterable[Claim], taken: Iterable[str], least: float = LEAST_NAMED
) -> str | None:
    """What is wrong with a name; None: nothing. `least`: see `words_of`."""
    words = text.split()
    roman = words[-1:] == [_roman_of(words)]
    plain = words[:-1] if roman else words
    if not _is_short(text):
        return "a name has two to four words"
    if PROTECTED.search(text):
        return "it speaks of a protected trait"
    if text.lower() in {other.lower() for other in taken}:
        return "another persona has it"
    said = words_of(claims, least)
    unknown = [word for word in plain if word.lower() not in said]
    if unknown:
        return f"the claims do not say “{unknown[0]}”"
    if any(word[:1].islower() for word in words if word != "and"):
        return "it is not in title case"
    return None


def _roman_of(words: Sequence[str]) -> str:
    """The last word when it is a roman numeral from II on, else a text that no word is."""
    last = words[-1] if words else ""
    return last if re.fullmatch(r"(?=[MDCLXVI]{2,}|[VXLCDM])[MDCLXVI]+", last) else " "

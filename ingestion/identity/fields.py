"""What can be compared of two people, and what an agreement of each kind looks like.

Decisions are the table `KINDS`; the code only reads it. A *kind* has levels, tried in order; the
first whose condition holds is how two values agree. How much a level speaks for or against one
person is never written here: it is estimated from the data (`model`).

The conditions are SQL that DuckDB and Spark both read; `{0}` is the column.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

GENERATION_YEARS = 12
"""A father and a son of one name are at least this far apart."""
RAREST = 1e-5
"""No value is taken for rarer than this, however seldom it was seen."""


@dataclass(frozen=True)
class Level:
    """One way in which two values may agree.

    Attributes:
        words: for explanations, e.g. "the same given name".
        condition: over `{0}_l` and `{0}_r`.
        counted: rare values that agree say more than frequent ones.
        m: how often two rows of one person agree so, until the data says otherwise.
        u: the same of two rows of different people.
    """

    words: str
    condition: str
    m: float
    u: float
    counted: bool = False


@dataclass(frozen=True)
class Kind:
    """How values of one kind are compared and blocked on.

    Attributes:
        levels: the best first; what none fits is `otherwise`.
        otherwise: words for values that do not agree.
        keys: expressions over a row whose equal values make two rows worth comparing, the whole
            value first; `{0}` is the column.
        personal: whether it speaks of a person, not of a household or a place.
        alone: whether one equal key is reason enough to compare.
    """

    levels: tuple[Level, ...]
    otherwise: str
    keys: tuple[str, ...] = ("{0}",)
    personal: bool = False
    alone: bool = False


_NO_DESK = "NOT contains({0}_l || {0}_r, 'x')"  # desks of one switchboard are written alike
_SAME = "{0}_l = {0}_r"
_NEAR = "jaro_winkler_similarity({0}_l, {0}_r) >= {1}"
_EDIT = "levenshtein({0}_l, {0}_r) <= {1}"  # Damerau's is thirty times slower here
_SHARE = (  # of the words of the shorter text, how many the other has
    "len(list_intersect({0}_words_l, {0}_words_r)) >= "
    "{1} * least(len({0}_words_l), len({0}_words_r))"
)
_JACCARD = (
    "len(list_intersect({0}_words_l, {0}_words_r)) >= {1} * "
    "(len({0}_words_l) + len({0}_words_r) - len(list_intersect({0}_words_l, {0}_words_r)))"
)
# Another digit is no slip of the pen: rosa130@ and rosa170@ are how a provider tells two apart.
_DIGITS = "regexp_extract_all(split_part({0}_{1}, '@', 1), '([0-9])', 1)"
_ELDER, _YOUNGER, _THIRD = "sr|senior", "jr|junior|ii", "iii|iv"
GENERATIONS = "|".join((_ELDER, _YOUNGER, _THIRD)).split("|")
"""What stands behind a name to tell a father from a son."""


def _ends(side: str, words: str) -> str:
    return f"regexp_extract({{0}}_{side}, ' ({words})$', 1) <> ''"


_GENERATION = " OR ".join(
    f"({_ends(one, first)} AND {_ends(other, second)})"
    for first, second in ((_ELDER, _YOUNGER), (_ELDER, _THIRD), (_YOUNGER, _THIRD))
    for one, other in (("l", "r"), ("r", "l"))
)
GENERATION_LEVEL, SCRIPTS_LEVEL, TWO_NAMES_LEVEL = 1, 2, 3
"""Of names: one says `Sr.`, the other `Jr.`, so of one name, but never one person; in two scripts,
which are not compared: a little against, for no two levels may weigh the same, nor one as much as
what is missing. Of given names: written nearly alike, but names of two people."""
# By these endings a man's name becomes a woman's (Jan and Jana, Leon and Leonie, Mario and Maria);
# twins are called so more often than a slip of the pen makes one out of the other.
_ENDINGS = ("a", "ia", "ie", "ina", "ine", "ette")
_OTHER_NAMES = (
    "amir samir", "andrea andreas", "angel angela", "anna hanna", "anna hannah", "bella ella",
    "bryan ryan", "christian christine", "claudia claudine", "daniel danielle", "denis denise",
    "elena helena", "elias elisa", "emma gemma", "eva evan", "frances francis", "frank franz",
    "gabriel gabriele", "jan jane", "jan joan", "jean jeanne", "joan john", "joan jon",
    "joanna johanna", "joe joel", "julia julian", "karim karin", "kyle kylie", "lara laura",
    "lea lena", "lina linda", "lisa luisa", "louis louise", "luca lucia", "mara maria",
    "marcel marcelle", "maria marina", "marian marianne", "marina martina", "mario marion",
    "marta marty", "marina martin", "michael michelle", "michel michele", "michel michelle",
    "natalia natalie", "nico nicole", "patricia patrick", "philip philippa", "simon simone",
    "sven svenja", "vera verena",
)  # fmt: skip
"""Given names that are written nearly alike and are two names, each pair in the order of letters;
what only spells one name otherwise (Katherine, Catherine) is not among them."""


def _becomes(one: str, other: str) -> str:
    """Whether a name with another ending is the other name, in SQL."""
    longer = ", ".join(f"{{0}}_{one} || '{ending}'" for ending in _ENDINGS)
    return (
        f"{{0}}_{other} IN ({longer}) OR "
        f"(regexp_extract({{0}}_{one}, '(o|us)$', 1) <> '' AND "
        f"{{0}}_{other} = regexp_replace({{0}}_{one}, '(o|us)$', 'a'))"
    )


_FORMS = "list_has_any({0}_forms_l, {0}_forms_r)"
_PAIRS = ", ".join(f"'{pair}'" for pair in _OTHER_NAMES)
_TWO_NAMES = (
    f"least({{0}}_l, {{0}}_r) || ' ' || greatest({{0}}_l, {{0}}_r) IN ({_PAIRS}) OR "
    f"(({_becomes('l', 'r')} OR {_becomes('r', 'l')}) AND NOT {_FORMS})"
)
# Letters of ours, and digits, come before those of all other scripts.
_SCRIPTS = "({0}_l < '{') <> ({0}_r < '{')"
# The engine compares bytes: letters of three of them (Indic, kana, Hangul) share two, so that सीता
# and गीता would be nearly alike.
_SHORT = "{0}_l < '\u0800'"
_LONG = "least(len({0}_words_l), len({0}_words_r)) >= 5"  # of short ones words say too little


def _near(share: float) -> str:
    return _NEAR.replace("{1}", str(share))


def _edits(count: int) -> str:
    return _EDIT.replace("{1}", str(count))


KINDS: Mapping[str, Kind] = {
    "given_name": Kind(
        (
            Level("the same given name", _SAME, 0.78, 0.004, counted=True),
            Level("given names of an elder and a younger", _GENERATION, 0.0005, 0.001),
            Level("given names in two scripts", _SCRIPTS, 0.0001, 0.00015),
            Level("given names that are nearly alike, but two names", _TWO_NAMES, 0.0004, 0.0009),
            Level("one given name is a short form of the other",
                  f"{_FORMS} OR {_SHARE.replace('{1}', '1')}",
                  0.05, 0.0005),
            Level("one given name is the other's initial",
                  "least(length({0}_l), length({0}_r)) = 1 AND "
                  "substr({0}_l, 1, 1) = substr({0}_r, 1, 1)", 0.02, 0.001),
            Level("given names written nearly alike", f"{_near(0.92)} AND {_SHORT}", 0.07, 0.001),
            Level("given and family name swapped",
                  "{0}_l = family_name_r AND {0}_r = family_name_l", 0.02, 1e-05),
            Level("given names that begin with the same letters", _near(0.80), 0.03, 0.006),
        ),
        "different given names",
        ("{0}", "substr({0}, 1, 3)"),
        personal=True,
    ),
    "family_name": Kind(
        (
            Level("the same family name", _SAME, 0.84, 0.002, counted=True),
            Level("family names of an elder and a younger", _GENERATION, 0.0005, 0.001),
            Level("family names in two scripts", _SCRIPTS, 0.0001, 0.00015),
            Level("family names written nearly alike", _near(0.92), 0.08, 0.0006),
            Level("family and given name swapped",
                  "{0}_l = given_name_r AND {0}_r = given_name_l", 0.02, 1e-05),
            Level("family names that are somewhat alike", _near(0.80), 0.03, 0.002),
        ),
        "different family names",
        ("{0}", "substr({0}, 1, 4)"),
    ),
    "birth_date": Kind(
        (
            Level("the same date of birth", _SAME, 0.90, 5e-05, counted=True),
            Level("dates of birth one slip apart", _edits(1), 0.05, 0.001),
            Level("dates of birth with day and month changed over",
                  "substr({0}_l, 1, 4) = substr({0}_r, 1, 4) AND "
                  "substr({0}_l, 5, 2) = substr({0}_r, 7, 2) AND "
                  "substr({0}_l, 7, 2) = substr({0}_r, 5, 2)", 0.01, 1e-05),
            Level("dates of birth two slips apart", _edits(2), 0.02, 0.01),
            Level("dates of birth a generation apart",
                  "abs(try_cast(substr({0}_l, 1, 4) AS INTEGER) - "
                  f"try_cast(substr({{0}}_r, 1, 4) AS INTEGER)) >= {GENERATION_YEARS}", 0.01, 0.7),
        ),
        "different dates of birth",
        ("{0}", "substr({0}, 1, 6)", "substr({0}, 5, 4)"),
        personal=True,
    ),
    "number": Kind(
        (
            Level("the same number", _SAME, 0.92, 1e-06),
            Level("numbers one slip apart", _edits(1), 0.05, 1e-05),
            Level("numbers two slips apart", _edits(2), 0.01, 0.0002),
        ),
        "different numbers",
        personal=True,
        alone=True,
    ),
    "email": Kind(
        (
            Level("the same e-mail address", _SAME, 0.70, 2e-06, counted=True),
            Level("e-mail addresses with the same name before the @",
                  "split_part({0}_l, '@', 1) = split_part({0}_r, '@', 1)", 0.08, 2e-05),
            Level("e-mail addresses written nearly alike",
                  f"{_near(0.92)} AND {_DIGITS.replace('{1}', 'l')} = "
                  f"{_DIGITS.replace('{1}', 'r')}", 0.07, 2e-05),
        ),
        "different e-mail addresses",
        ("{0}", "split_part({0}, '@', 1)"),
        personal=True,
        alone=True,
    ),
    "phone": Kind(
        (
            Level("the same telephone", _SAME, 0.80, 5e-06, counted=True),
            Level("telephones with the same last eight digits",
                  f"right({{0}}_l, 8) = right({{0}}_r, 8) AND {_NO_DESK}", 0.05, 1e-06),
            Level("telephones one slip apart", f"{_edits(1)} AND {_NO_DESK}", 0.03, 1e-05),
        ),
        "different telephones",
        ("{0}",),
        alone=True,
    ),
    "street": Kind(
        (
            Level("the same street and house", _SAME, 0.70, 2e-05, counted=True),
            Level("streets written nearly alike", _near(0.92), 0.13, 0.0003),
            Level("streets that share their words", _SHARE.replace("{1}", "0.66"), 0.07, 0.002),
        ),
        "different streets",
    ),
    "postcode": Kind(
        (
            Level("the same postal code", _SAME, 0.85, 0.001, counted=True),
            Level("postal codes one slip apart", _edits(1), 0.06, 0.01),
        ),
        "different postal codes",
    ),
    "city": Kind(
        (
            Level("the same town", _SAME, 0.85, 0.01, counted=True),
            Level("towns written nearly alike", _near(0.90), 0.07, 0.005),
        ),
        "different towns",
    ),
    "choice": Kind(
        (Level("the same {0}", _SAME, 0.90, 0.3, counted=True),),
        "different {0}",
        (),
    ),
    "title": Kind(
        (
            Level("the same {0}", _SAME, 0.45, 0.0002, counted=True),
            Level("{0} of which one begins the other",
                  "starts_with({0}_l, {0}_r) OR starts_with({0}_r, {0}_l)", 0.10, 0.0002),
            Level("{0} written nearly alike", _near(0.94), 0.15, 0.0003),
            Level("{0} with mostly the same words",
                  f"{_LONG} AND {_JACCARD.replace('{1}', '0.6')}", 0.14, 0.001),
            Level("{0} that share some words",
                  f"{_LONG} AND {_JACCARD.replace('{1}', '0.3')}", 0.10, 0.02),
        ),
        "{0} with few words in common",
        ("{0}", "substr({0}, 1, 8)"),
        alone=True,
    ),
    "amount": Kind(
        (
            Level("the same {0}", _SAME, 0.70, 0.002),
            Level("{0} within one per cent", "abs({0}_l - {0}_r) <= 0.01 * "
                  "greatest(abs({0}_l), abs({0}_r))", 0.10, 0.01),
            Level("{0} within five per cent", "abs({0}_l - {0}_r) <= 0.05 * "
                  "greatest(abs({0}_l), abs({0}_r))", 0.10, 0.05),
            Level("{0} within twenty per cent", "abs({0}_l - {0}_r) <= 0.2 * "
                  "greatest(abs({0}_l), abs({0}_r))", 0.07, 0.2),
        ),
        "different {0}",
        ("{0}",),
    ),
    "day": Kind(
        (
            Level("the same {0}", _SAME, 0.50, 0.008),
            Level("{0} a day apart", "abs({0}_l - {0}_r) <= 1", 0.20, 0.015),
            Level("{0} within four days", "abs({0}_l - {0}_r) <= 4", 0.15, 0.04),
            Level("{0} within ten days", "abs({0}_l - {0}_r) <= 10", 0.08, 0.1),
            Level("{0} within a month", "abs({0}_l - {0}_r) <= 31", 0.05, 0.2),
        ),
        "{0} far apart",
        (),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Field:
    """A column that is compared, as one kind."""

    name: str
    kind: str

    @property
    def how(self) -> Kind:
        """The table's row for its kind."""
        return KINDS[self.kind]

    def said(self, level: int) -> str:
        """How two values agree, in words: level -1 is missing, 0 disagrees, the highest is best."""
        if level < 0:
            return f"only one of them says anything of {_plain(self.name)} that is used"
        words = self.how.otherwise if level == 0 else self.how.levels[-level].words
        return words.replace("{0}", _plain(self.name))

    def comparison(
        self, weights: Sequence[tuple[float, float]], *, counted: bool
    ) -> dict[str, Any]:
        """What Splink is told.

        Args:
            weights: (m, u) of each level, that of disagreement last.
            counted: whether frequencies of values are known.
        """
        null = f'"{self.name}_l" IS NULL OR "{self.name}_r" IS NULL'
        levels: list[dict[str, Any]] = [
            {"sql_condition": null, "label_for_charts": "missing", "is_null_level": True}
        ]
        conditions = [level.condition.replace("{0}", self.name) for level in self.how.levels]
        rare = [counted and level.counted for level in self.how.levels]
        for condition, (m, u), frequent in zip(
            [*conditions, "ELSE"], weights, [*rare, False], strict=True
        ):
            level = {
                "sql_condition": condition,
                "label_for_charts": condition,
                "m_probability": m,
                "u_probability": u,
            }
            if frequent:
                level |= {"tf_adjustment_column": self.name, "tf_minimum_u_value": RAREST}
            levels.append(level)
        return {"output_column_name": self.name, "comparison_levels": levels}

    def usual(self) -> list[tuple[float, float]]:
        """(m, u) of each level before any data is seen, that of disagreement last."""
        found = [(level.m, level.u) for level in self.how.levels]
        return [*found, (1 - sum(m for m, _ in found), 1 - sum(u for _, u in found))]


PERSON = (
    Field("given_name", "given_name"),
    Field("family_name", "family_name"),
    Field("birth_date", "birth_date"),
    Field("number", "number"),
    Field("email", "email"),
    Field("phone", "phone"),
    Field("street", "street"),
    Field("postcode", "postcode"),
    Field("city", "city"),
    Field("region", "choice"),
    Field("country", "choice"),
    Field("organisation", "title"),
)
"""What is compared of two people."""


def _plain(name: str) -> str:
    return name.replace("_", " ")

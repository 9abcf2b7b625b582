"""How much each agreement says: a Fellegi-Sunter model, estimated from the data without labels.

Splink estimates and applies it; this module says what is compared, on what, and keeps the result:
a `Model` is plain data with an id, and the same rows under the same model give the same weights,
whatever else was read with them.

Source: Fellegi and Sunter 1969 (doi 10.1080/01621459.1969.10501049); Splink 5.
"""

import hashlib
import json
import logging
import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from statistics import median
from typing import Any

import pyarrow as pa

from ingestion.identity.blocking import (
    TRAINING_PAIRS,
    Rule,
    counted_rules,
    household,
    proposed,
    training,
)
from ingestion.identity.comparing import Place, here, wherever
from ingestion.identity.fields import RAREST, SCRIPTS_LEVEL, TWO_NAMES_LEVEL, Field
from kg.lake.scratch import Scratch

Weights = dict[str, list[tuple[float, float]]]
"""Field -> (m, u) of each level, that of disagreement last."""

SAMPLED_ROWS = 200_000
"""Pairs of a rule are counted on this many rows."""
RANDOM_PAIRS, PER_ROW = 500_000, 100
"""Pairs drawn at random, to see how often strangers agree: at most, and for each row."""
FEWEST_ROWS = 500
"""With fewer rows than this the data says nothing of its own, and the table's values hold."""
TWINS = 0.015
"""Of two people of one household, how often they are twins."""
HOUSEHOLD_BITS = (0.0, 10.0)
"""What agreeing on a household may say: at least even, at most a thousand to one."""
BEYOND_NAMES = ("birth_date", "number", "email", "phone", "street", "postcode", "organisation")
BEYOND_BITS, NAMES_ALONE_BITS = 3.0, 2.0
"""Where what agrees of these says less than the first, the log2 odds of one person are at most the
second: names alone never decide."""
FEWEST_TAUGHT = 25
"""Pairs of one person that a rule must hold to be learnt from."""
MOST_DIFFERENT = 0.5
"""One person does not say another name or date of birth more often than the same."""
USUAL_ROWS = 1_000
"""Among so few rows one other is about the same person, before the data says otherwise."""
ITERATIONS = (25, 10, 4)
"""Of expectation maximisation, at most; fewer where a probability vanishes."""
SHRINK = 0.05
"""How much of what holds before any data is seen stays in what was learnt."""
FLOOR_BITS = -12.0
"""Pairs of weaker evidence than this are not kept: one in four thousand of them is one person."""


@dataclass(frozen=True)
class Model:
    """What was estimated.

    Attributes:
        weights: how often one person, and how often strangers, agree on each level.
        prior_bits: of two rows drawn at random being about one person, log2 odds.
        rules: conditions of the pairs that are compared.
        row_count: how many rows it was estimated from.
        trained_on: the conditions of the pairs it was estimated in; empty: not estimated.
        apart: whether only rows of different sources may be one.
        household_bits: log2 odds that two rows of one household are one person: how many of the
            pairs that share an address turned out to be, 0 where none was learnt.
        frequencies: field -> (value, frequency); not part of the id.
    """

    fields: tuple[Field, ...]
    weights: Weights
    prior_bits: float
    rules: tuple[str, ...]
    row_count: int
    trained_on: tuple[str, ...] = ()
    apart: bool = False
    household_bits: float = HOUSEHOLD_BITS[0]
    frequencies: dict[str, pa.Table] = field(default_factory=dict, repr=False)

    def to_json(self) -> str:
        """All of it but the frequencies."""
        return json.dumps(asdict(self) | {"frequencies": {}}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str, frequencies: dict[str, pa.Table]) -> "Model":
        """What `to_json` wrote."""
        found = json.loads(text)
        return cls(
            fields=tuple(Field(**one) for one in found["fields"]),
            weights={name: [(m, u) for m, u in rows] for name, rows in found["weights"].items()},
            prior_bits=found["prior_bits"],
            rules=tuple(found["rules"]),
            row_count=found["row_count"],
            trained_on=tuple(found["trained_on"]),
            apart=found["apart"],
            household_bits=found["household_bits"],
            frequencies=frequencies,
        )

    @property
    def id(self) -> str:
        """12 hex digits of what it says."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:12]


@contextmanager
def quiet() -> Iterator[None]:
    """Splink tells its logger and `warnings` what we tell in our own words."""
    logger = logging.getLogger("splink")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def estimate(
    scratch: Scratch,
    table: str,
    fields: Sequence[Field],
    *,
    apart: bool = False,
    given: Sequence[str] = (),
) -> Model:
    """Learn from rows how much each agreement says.

    Args:
        scratch: the engine that holds `table`.
        table: name of a table with `unique_id`, the fields' columns and, where `apart`,
            `source_dataset`.
        fields: what may be compared; columns without a value are left out.
        apart: only rows of different `source_dataset` may be one; no source has doubles.
        given: rules to compare by, as SQL over rows `l` and `r`, instead of those that the data
            proposes.
    """
    row_count, filled = _filled(scratch, table, fields)
    if row_count < FEWEST_ROWS:
        return usual(fields, apart=apart)
    fields = filled
    rules = counted_rules(
        fields, lambda wanted: _pairs(scratch, table, row_count, wanted, apart=apart)
    )
    chosen = tuple(given or (rule.condition for rule in proposed(rules, row_count)))
    start = replace(
        usual(fields, apart=apart),
        prior_bits=-math.log2(row_count),
        rules=chosen,
        row_count=row_count,
    )
    last = household(rules, fields)
    lessons = [rule for rule in training(rules, fields) if rule not in last] + last
    return _learnt(scratch, table, start, lessons)


def usual(fields: Sequence[Field], *, apart: bool = False) -> Model:
    """The model of few rows: what the table of kinds says, whatever the rows are."""
    keys = [f'"{one.name}"' for one in fields if one.how.keys]
    return Model(
        fields=tuple(fields),
        weights={one.name: one.usual() for one in fields},
        prior_bits=-math.log2(USUAL_ROWS),
        rules=tuple(f"l.{key} = r.{key}" for key in keys),
        row_count=0,
        apart=apart,
    )


def score(
    scratch: Scratch,
    table: str,
    model: Model,
    out: str,
    *,
    pairs: str | None = None,
    least: float | None = FLOOR_BITS,
    explained: bool = False,
) -> None:
    """Weigh pairs of rows, into a table of the engine.

    Its columns: left, right, bits (the evidence, without the prior), personal_bits (of it what
    speaks of a person and not of a household) and bits_<field>.

    Args:
        table: as for `estimate`.
        out: name of the table that is made.
        pairs: name of a table (left, right) of pairs to weigh; None: those of the model's rules.
        least: bits, prior included, below which pairs may be left out; None: none is.
        explained: with the level on which each field agrees, as level_<field>, and `limited`: by
            which of `LIMITED` all of it together says less than its sum, where it does.
    """
    place = wherever(scratch)
    linker = _linker(place, table, model, explained=explained)
    with quiet():
        if pairs is not None:
            scratch.sql(
                "CREATE OR REPLACE TEMP TABLE given_pairs AS SELECT '0' AS match_key, "
                f'least("left", "right") AS join_key_l, '
                f'greatest("left", "right") AS join_key_r FROM {pairs}'
            )
            given = place.given("given_pairs")
            linker.table_management.register_blocked_pairs_for_predict(given)
        found = linker.inference.predict(threshold_match_weight=least, warning_mode="never")
        made = place.taken(found)
    bits = {one.name: _bits(one, model) for one in model.fields}
    columns = ", ".join(f'{text} AS "bits_{name}"' for name, text in bits.items())
    together, limited = _together(model, bits)
    if explained:
        columns += "".join(f', gamma_{name} AS "level_{name}"' for name in bits)
        columns += f", {limited} AS limited"
    scratch.sql(
        f'CREATE OR REPLACE TABLE {out} AS SELECT unique_id_l AS "left", '
        f'unique_id_r AS "right", {together} AS bits, '
        f"{_personal(model, bits)} AS personal_bits, {columns} FROM {made}"
    )
    with quiet():
        found.drop_table_from_database_and_remove_from_cache()


def is_level(model: Model, name: str, number: int, bits: str) -> str:
    """Whether two values agree on a level, by its place, in SQL; -1 is that of disagreement.

    Exact, because a level's weight is written down once and two levels never weigh the same.
    """
    if name not in model.weights:
        return "false"
    m, u = model.weights[name][number]
    return f"(abs(({bits}) - ({math.log2(m / u)!r})) < 1e-9)"


def _personal(model: Model, bits: dict[str, str]) -> str:
    """What speaks of the person and not of a household, in SQL."""
    mine = [bits[one.name] for one in model.fields if one.how.personal]
    return " + ".join(mine) or "0.0"


LIMITED = {
    "household": "what one household has in common says no more than that",
    "twins": "given names that differ: there may be twins, however much else agrees",
    "names": "names alone decide nothing",
    "scripts": "given names in two scripts are not compared, so a person must look",
}
"""Why all that agrees together says less than its sum."""


def _together(model: Model, bits: dict[str, str]) -> tuple[str, str]:
    """All evidence of a pair, and by which of `LIMITED` it is less than its sum, in SQL.

    Fields are weighed as if they were independent, which those of a household are not: its members
    agree on all of them. So however much of it agrees, it says no more than how many pairs of one
    household are one person, and another family name counts against it: two of one given name in
    one building are colleagues or neighbours. Where the given names differ, or only begin alike
    (Mary and Mark), there may be twins, however much else agrees, unless they name one number; so
    it is with names in two scripts, which nobody has compared. How often the given names of one
    person differ is the table's: twins would be learnt as such a person. Two names that are nearly
    alike (Jan and Jana) are left to a person, as data without twins would have learnt otherwise;
    and so are two who have nothing in common but their names, and a town at most, however rare the
    names are.
    """
    every = f"match_weight - ({model.prior_bits!r})"
    if not any(one.how.personal for one in model.fields):
        return every, "NULL"
    own = _personal(model, bits)
    most = model.household_bits - model.prior_bits
    apart = f"least({bits.get('family_name', '0.0')}, 0.0)"
    total = f"{own} + {apart} + least({every} - ({own}) - ({apart}), {most!r})"
    if "given_name" not in model.weights:
        return total, "'household'"
    number = bits.get("number", "0.0")
    scripts, two, *others = (
        is_level(model, "given_name", at, bits["given_name"])
        for at in (SCRIPTS_LEVEL, TWO_NAMES_LEVEL, -1, -2)
    )
    usual_m = next(one for one in model.fields if one.name == "given_name").usual()
    learnt = most + math.log2((usual_m[-1][0] + usual_m[-2][0]) / TWINS)
    names = NAMES_ALONE_BITS - model.prior_bits
    twins = f"CASE WHEN {two} THEN {min(learnt, names)!r} ELSE {learnt!r} END"
    differs = f"({scripts} OR {two} OR {' OR '.join(others)})"
    beyond = " + ".join(f"greatest({bits[name]}, 0.0)" for name in BEYOND_NAMES if name in bits)
    alone = f"{beyond or '0.0'} < {BEYOND_BITS!r}"
    return (
        f"CASE WHEN {differs} THEN {number} + least({total} - ({number}), {twins}) "
        f"WHEN {alone} THEN least({total}, {names!r}) ELSE {total} END",
        f"CASE WHEN {differs} AND {total} - ({number}) > {twins} THEN "
        f"CASE WHEN {scripts} THEN 'scripts' ELSE 'twins' END "
        f"WHEN NOT ({differs}) AND {alone} AND {total} > {names!r} THEN 'names' "
        "ELSE 'household' END",
    )


def _bits(field: Field, model: Model) -> str:
    counted = field.name in model.frequencies and any(one.counted for one in field.how.levels)
    return f"mw_{field.name}" + (f" + mw_tf_adj_{field.name}" if counted else "")


Found = dict[str, list[tuple[float | None, float | None]]]
"""Field -> what was learnt of each level, (m, u)."""


def _taught(
    scratch: Scratch, table: str, start: Model, lessons: Sequence[Rule]
) -> tuple[Found, dict[Rule, float]]:
    """What was learnt, and which share of each rule's pairs are of one person.

    With every iteration a level that no pair of one person shows loses nearly all of its
    probability, down to where Splink refuses it; then fewer iterations say all that they can, and a
    rule that has nothing to teach even then is left out. So is one whose pairs hold next to none of
    one person: what one family has in common would be learnt as what one person says twice.
    """
    left = list(lessons)
    while True:
        for iterations in ITERATIONS:
            linker = _linker(here(scratch), table, start, iterations=iterations)
            with quiet():
                linker.training.estimate_u_using_random_sampling(
                    max_pairs=min(RANDOM_PAIRS, PER_ROW * start.row_count), seed=1, num_chunks=1
                )
                shares = _lessons(linker, left)
            if len(shares) == len(left):
                break
        else:
            del left[len(shares)]
            continue
        left = [rule for rule in left if shares[rule] * rule.pairs >= FEWEST_TAUGHT]
        if len(left) == len(shares):
            return _found(linker), shares


def _found(linker: Any) -> Found:
    return {
        one["output_column_name"]: [
            (level.get("m_probability"), level.get("u_probability"))
            for level in one["comparison_levels"][1:]
        ]
        for one in linker.misc.save_model_to_json()["comparisons"]
    }


def _lessons(linker: Any, lessons: Sequence[Rule]) -> dict[Rule, float]:
    """Which share of each rule's pairs are of one person, up to the first rule in which a
    probability vanished."""
    shares: dict[Rule, float] = {}
    for rule in lessons:
        try:
            session = linker.training.estimate_parameters_using_expectation_maximisation(
                rule.condition,
                estimate_without_term_frequencies=True,
                max_pairs=TRAINING_PAIRS[1],
            )
        except ValueError as error:
            if "below the minimum" not in str(error):
                raise
            return shares
        shares[rule] = session.core_model_settings.probability_two_random_records_match
    return shares


def _believed(found: Found) -> bool:
    """Whether pairs of one person were found to learn from. A table without doubles has none, and
    what hangs together there are households, or nothing: its "one person" changes names."""
    kinds = ("given_name", "family_name", "birth_date")
    return all((found[name][-1][0] or 0.0) <= MOST_DIFFERENT for name in kinds if name in found)


def _learnt(scratch: Scratch, table: str, start: Model, lessons: Sequence[Rule]) -> Model:
    households = _in_households(scratch, table, start, lessons)
    # What families have in common would be learnt as what one person says twice.
    taught = [rule for rule in lessons if households.get(rule, 1.0) >= MOST_DIFFERENT]
    found, shares = _taught(scratch, table, start, taught)
    if shares and _believed(found):
        learnt, prior_bits = _from_lessons(scratch, table, start, (found, shares))
    else:  # how often strangers agree was seen all the same
        learnt = {one.name: [m for m, _ in one.usual()] for one in start.fields}
        shares, prior_bits = {}, start.prior_bits
    share = 1 / (1 + 2.0**-prior_bits)
    home = households.get(lessons[-1], 0.0) if shares else 0.0
    return replace(
        start,
        weights={
            one.name: list(zip(m := learnt[one.name],
                               _strangers(one, found[one.name], m, share), strict=True))
            for one in start.fields
        },
        prior_bits=prior_bits,
        household_bits=_household_bits(home),
        trained_on=tuple(rule.condition for rule in shares),
        frequencies={
            one.name: _frequencies(scratch, table, one.name)
            for one in start.fields
            if any(level.counted for level in one.how.levels)
        },
    )  # fmt: skip


def _in_households(
    scratch: Scratch, table: str, start: Model, lessons: Sequence[Rule]
) -> dict[Rule, float]:
    """Which share of the pairs of each rule that looks at nothing personal is of one person, by
    what is personal alone: with all fields every household seems to be one person, as its members
    agree on the whole address like one person's records do. 0 where that cannot be told.
    """
    personal = tuple(one for one in start.fields if one.how.personal)
    names = {one.name for one in personal}
    shared = [rule for rule in lessons if personal and not rule.fields & names]
    if not shared:
        return {}
    weights = {name: start.weights[name] for name in names}
    only = replace(start, fields=personal, weights=weights)
    found, shares = _taught(scratch, table, only, shared)
    return dict.fromkeys(shared, 0.0) | (shares if _believed(found) else {})


def _from_lessons(
    scratch: Scratch, table: str, start: Model, taught: tuple[Found, dict[Rule, float]]
) -> tuple[dict[str, list[float]], float]:
    """How often one person agrees on each level of each field, and the prior in bits."""
    found, shares = taught
    m = {
        one.name: _shrunk([m for m, _ in found[one.name]], [m for m, _ in one.usual()])
        for one in start.fields
    }
    # What a rule finds is only a part of all: the pairs of one person that agree on its fields.
    matches = median(
        share * rule.pairs / math.prod(m[name][0] for name in rule.fields)
        for rule, share in shares.items()
    )
    share = min(max(matches, 1.0) / _possible(scratch, table, start), 0.5)
    return m, _rounded(math.log2(share / (1 - share)))


def _household_bits(share: float) -> float:
    """What agreeing on a household says, where that share of its pairs is of one person."""
    least, most = HOUSEHOLD_BITS
    return _rounded(min(max(math.log2(max(share, 1e-9) / max(1 - share, 1e-9)), least), most))


def _shrunk(learnt: Sequence[float | None], usual: Sequence[float]) -> list[float]:
    """What was learnt, with a little of what is usual; levels never seen are only usual."""
    mixed = [
        prior * SHRINK + (1 - SHRINK) * (prior if one is None else one)
        for one, prior in zip(learnt, usual, strict=True)
    ]
    return [_rounded(one / sum(mixed)) for one in mixed]


def _strangers(
    field: Field,
    found: Sequence[tuple[float | None, float | None]],
    m: Sequence[float],
    share: float,
) -> list[float]:
    """How often strangers agree: as in random pairs, less the pairs of one person among these."""
    fewest = 0.1 / RANDOM_PAIRS
    seen = [
        usual if u is None else max((u - share * own) / (1 - share), 0.1 * u, fewest)
        for (_, u), own, (_, usual) in zip(found, m, field.usual(), strict=True)
    ]
    return [_rounded(one / sum(seen)) for one in seen]


def _rounded(number: float) -> float:
    """Without the last digits, which depend on the order in which threads add."""
    return float(f"{number:.9g}")


def _possible(scratch: Scratch, table: str, model: Model) -> float:
    if not model.apart:
        return model.row_count * (model.row_count - 1) / 2
    sizes = scratch.sql(f"SELECT count(*)::DOUBLE AS n FROM {table} GROUP BY source_dataset")["n"]
    return float((model.row_count**2 - sum(one**2 for one in sizes.to_pylist())) / 2)


def _frequencies(scratch: Scratch, table: str, name: str) -> pa.Table:
    """(value, frequency) of the values that are there more than once; all others are as rare as
    `_rarest`."""
    return scratch.sql(
        f'SELECT "{name}" AS value, n / sum(n) OVER () AS frequency FROM ('
        f'SELECT "{name}", count(*) AS n FROM {table} WHERE "{name}" IS NOT NULL GROUP BY 1) '
        "QUALIFY n > 1 ORDER BY 1"
    )


def _known(scratch: Scratch, table: str, model: Model, name: str) -> str:
    """The name of a table with the frequency of every value of a field that is in the rows."""
    rarest = max(RAREST, 1 / model.row_count)
    scratch.keep_as(f"known_{name}", model.frequencies[name])
    scratch.sql(
        f"CREATE OR REPLACE TABLE frequency_of_{name} AS "
        f'SELECT "{name}", coalesce(any_value(frequency), {rarest!r}) AS "tf_{name}" '
        f'FROM {table} LEFT JOIN known_{name} ON value = "{name}" '
        f'WHERE "{name}" IS NOT NULL GROUP BY 1'
    )
    return f"frequency_of_{name}"


def _linker(
    place: Place, table: str, model: Model, *, iterations: int = 0, explained: bool = False
) -> Any:
    """Splink's linker for a model; with iterations one that is to learn, in so many."""
    from splink import Linker

    comparisons = [
        one.comparison(model.weights[one.name], counted=one.name in model.frequencies)
        for one in model.fields
    ]
    for level in (level for one in comparisons for level in one["comparison_levels"]):
        level["sql_condition"] = place.written(level["sql_condition"])
        if iterations:  # Splink keeps what it is given instead of learning it
            level.pop("u_probability", None)
    settings = {
        "link_type": "link_only" if model.apart else "dedupe_only",
        "comparisons": comparisons,
        "blocking_rules_to_generate_predictions": [place.written(rule) for rule in model.rules],
        "probability_two_random_records_match": 1 / (1 + 2.0**-model.prior_bits),
        "max_iterations": iterations or ITERATIONS[0],
        "retain_matching_columns": explained,
        "retain_intermediate_calculation_columns": True,
    }
    scratch = place.scratch
    with quiet():
        names = _sources(scratch, table) if model.apart else [table]
        # Our own settings need no validation, which takes a third of a second.
        linker = Linker(
            [place.given(name) for name in names], settings, log_level=None,
            validate_settings=False,
        )  # fmt: skip
        for name in model.frequencies:
            known = place.given(_known(scratch, table, model, name))
            linker.table_management.register_term_frequency_lookup(known, name)
    return linker


def _sources(scratch: Scratch, table: str) -> list[str]:
    """One view for each source of a table."""
    found = scratch.sql(f"SELECT DISTINCT source_dataset AS name FROM {table} ORDER BY 1")
    names = []
    for number, name in enumerate(found["name"].to_pylist()):
        names.append(f"{table}_{number}")
        scratch.sql(
            f"CREATE OR REPLACE VIEW {names[-1]} AS SELECT * EXCLUDE (source_dataset) FROM {table} "
            f"WHERE source_dataset = '{name}'"
        )
    return names


def _filled(scratch: Scratch, table: str, fields: Sequence[Field]) -> tuple[int, list[Field]]:
    counts = ", ".join(f'count("{one.name}") AS "{one.name}"' for one in fields)
    row = scratch.sql(f"SELECT count(*) AS row_count, {counts} FROM {table}").to_pylist()[0]
    return row["row_count"], [one for one in fields if row[one.name]]


def _pairs(
    scratch: Scratch,
    table: str,
    row_count: int,
    wanted: Sequence[tuple[str, ...]],
    *,
    apart: bool,
) -> list[int]:
    """How many pairs each tuple of expressions gives, scaled up from a sample of rows."""
    share = min(1.0, SAMPLED_ROWS / max(row_count, 1))
    if share < 1:
        scratch.sql(
            "CREATE OR REPLACE TEMP TABLE sampled AS "
            f"SELECT * FROM {table} WHERE hash(unique_id) % 10000 < {share * 10_000:.0f}"
        )
        table = "sampled"
    source = ", source_dataset" if apart else ""
    # Grouped by hashes, made once: grouping the same texts again and again took ten times as long.
    place = {one: f"k{n}" for n, one in enumerate(sorted({e for keys in wanted for e in keys}))}
    hashed = "".join(f", if({one} IS NULL, NULL, hash({one})) AS {k}" for one, k in place.items())
    scratch.sql(f"CREATE OR REPLACE TEMP TABLE keyed AS SELECT 0{source}{hashed} FROM {table}")
    # Of n rows with equal keys, of which sources have n_1, n_2, …: all pairs, or those across.
    number = "(sum(n) ** 2 - sum(n ** 2)) / 2" if apart else "sum(n) * (sum(n) - 1) / 2"
    counts = []
    for expressions in wanted:
        keys = ", ".join(place[one] for one in expressions)
        given = " AND ".join(f"{place[one]} IS NOT NULL" for one in expressions)
        row = scratch.sql(
            f"SELECT sum(pairs)::DOUBLE AS pairs FROM (SELECT {number} AS pairs FROM ("
            f"SELECT {keys}{source}, count(*) AS n FROM keyed WHERE {given} GROUP BY ALL"
            f") GROUP BY {keys})"
        )
        counts.append(int((row["pairs"][0].as_py() or 0) / share**2))
    return counts

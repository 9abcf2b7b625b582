"""Evidence beyond identifiers: which compared records are about one person, and how sure that is.

The model is estimated once and kept; under one model a pair's evidence never changes, so pairs
that were compared before are not compared again. It is estimated anew when there are twice as many
rows, or when a detail appears that it does not know.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.identity.compared import ROWS, Compared, prepare, shared_values
from ingestion.identity.fields import GENERATION_LEVEL, PERSON, TWO_NAMES_LEVEL
from ingestion.identity.joining import Evidence, Guards, join
from ingestion.identity.links import Codes, Flags, Floats, distinct
from ingestion.identity.model import (
    FEWEST_ROWS,
    FLOOR_BITS,
    Model,
    estimate,
    is_level,
    score,
)
from ingestion.identity.people import People
from kg.lake.scratch import Scratch

OPERATING_POINT = 0.9
"""A pair this probable is taken for one person. Chosen once, on sets that are not scored (FEBRL 1
and 2, Splink's fake_1000), as the lowest at which none of them joins two people."""
DOUBT = 0.5
"""Pairs from here to the operating point are for a person to look at."""
AGAINST = 0.01
"""A pair less probable than this speaks against joining the groups it lies between."""
GROWTH = 2.0
_REASON_BITS = 0.5
_IDENTIFIER_BITS = 100.0  # more than any details weigh


def bits_of(probability: float) -> float:
    """Log2 odds."""
    return math.log2(probability / (1 - probability))


@dataclass(frozen=True)
class Pairs:
    """Compared pairs of records.

    Shapes: left, right (e,) record codes, left < right; bits (e,) prior included; personal (e,)
    bool: something speaks of the person, not of a household; contradicted (e,) bool: dates of birth
    that cannot be one person's; strangers (e,) bool: names that are not one person's; kin (e,)
    bool: names so near that only an id of the source outweighs that they are two; reason (e,).
    """

    left: Codes
    right: Codes
    bits: Floats
    personal: Flags
    contradicted: Flags
    strangers: Flags
    kin: Flags
    reason: pa.Array

    def only(self, keep: Flags) -> "Pairs":
        """The pairs that are kept."""
        return self.take(np.flatnonzero(keep))

    def take(self, rows: Codes) -> "Pairs":
        """The pairs at these places."""
        return Pairs(
            self.left[rows], self.right[rows], self.bits[rows], self.personal[rows],
            self.contradicted[rows], self.strangers[rows], self.kin[rows],
            self.reason.take(pa.array(rows)),
        )  # fmt: skip

    @property
    def probability(self) -> Floats:
        """Of being one person."""
        return np.asarray(1 / (1 + np.exp2(-np.clip(self.bits, -60, 60))))

    @property
    def speaks_for(self) -> Flags:
        """Enough to join, unless a guard forbids it."""
        return (self.bits >= bits_of(OPERATING_POINT)) & self.personal & ~self.contradicted


def no_pairs() -> Pairs:
    """None at all."""
    code, flag = np.zeros(0, np.int64), np.zeros(0, bool)
    bits = np.zeros(0)
    return Pairs(code, code, bits, flag, flag, flag, flag, pa.array([], pa.string()))


@dataclass(frozen=True)
class Found:
    """What the comparison gave.

    Attributes:
        model: what it was weighed by; `is_new` where it was estimated just now.
        compared: which records.
        pairs: what their pairs say, followers included.
        sharing: pairs that share an identifier, and which of them cannot be one person.
        weighed: lake table -> pairs whose evidence is to be kept there, followers excluded.
    """

    model: Model
    is_new: bool
    compared: Compared
    pairs: Pairs
    sharing: "Sharing"
    weighed: dict[str, Pairs]

    def strangers(self) -> tuple[Codes, Codes]:
        """Records that share an identifier with somebody they cannot be, and a code of each person
        among them: what shares an identifier or what evidence joins has one code, best first."""
        record = distinct(self.sharing.conflicting_records)
        place = np.full(int(record.max(initial=-1)) + 1, -1, np.int64)
        place[record] = np.arange(len(record))
        parts = []
        for left, right, bits in (
            (self.pairs.left, self.pairs.right, self.pairs.bits),
            self.sharing.friends(),
        ):
            inside = np.isin(left, record) & np.isin(right, record)
            if bits is self.pairs.bits:
                inside &= self.pairs.speaks_for
            parts.append((place[left[inside]], place[right[inside]], bits[inside]))
        left, right, bits = (np.concatenate(part) for part in zip(*parts, strict=True))
        every = np.ones(len(left), bool)
        one, other = self.sharing.conflicts
        apart = (place[one], place[other])
        none = np.zeros((0, len(record)), np.int64)
        guards = Guards(none, none, apart, np.zeros(len(record), np.int64), 0.0)
        joined = join(np.arange(len(record)), Evidence(left, right, bits, every, ~every), guards)
        return record, joined.group


@dataclass(frozen=True)
class Sharing:
    """Compared records that name one value.

    Shapes: first, second, value (s,) codes; unique, conflict (s,) bool: the value is of a unique
    namespace; the two cannot be one person.
    """

    first: Codes
    second: Codes
    unique: Flags
    conflict: Flags

    @property
    def conflicts(self) -> tuple[Codes, Codes]:
        """The pairs that cannot be one person."""
        return self.first[self.conflict], self.second[self.conflict]

    @property
    def conflicting_records(self) -> Codes:
        """The records of those pairs."""
        return np.concatenate(self.conflicts)

    def friends(self) -> tuple[Codes, Codes, Floats]:
        """The other pairs, an id of the source before an address or a number."""
        keep = ~self.conflict
        weight = np.where(self.unique[keep], 2 * _IDENTIFIER_BITS, _IDENTIFIER_BITS)
        return self.first[keep], self.second[keep], weight


def find(step: Any, people: People, spark_master: str = "") -> Found | None:
    """Compare what records say of their people; None where they say nothing. Writes nothing.

    Args:
        spark_master: of the Spark that compares; empty: this process does.
    """
    with Scratch.open(step.lake.workspace.spill, spark_master=spark_master) as scratch:
        compared = prepare(step, scratch, people)
        if compared is None:
            return None
        model, is_new = _model(step, scratch)
        known = _known(step, people, compared, model)
        pairs = _pairs(step, scratch, people, compared, model, known)
        sharing, shared = _sharing(step, scratch, people, compared, model, known)
    weighed = {"matches": pairs, "sharing": shared}
    return Found(model, is_new, compared, with_followers(pairs, compared), sharing, weighed)


def _model(step: Any, scratch: Scratch) -> tuple[Model, bool]:
    """The model that is kept, or a new one where there is none or it has been outgrown."""
    kept = kept_model(step)
    row = scratch.sql(
        "SELECT count(*) AS n, "
        + ", ".join(f'count("{one.name}") AS "{one.name}"' for one in PERSON)
        + f" FROM {ROWS}"
    ).to_pylist()[0]
    filled = {one.name for one in PERSON if row[one.name]}
    if kept is not None and still_holds(kept, row["n"], filled):
        return kept, False
    # In one order, so that samples of them are the same.
    scratch.sql(f"CREATE OR REPLACE TABLE learnt_from AS FROM {ROWS} ORDER BY unique_id")
    return estimate(scratch, "learnt_from", PERSON), True


def still_holds(model: Model, row_count: int, filled: set[str]) -> bool:
    """Whether a model may be kept for so many rows with these fields."""
    outgrown = GROWTH * model.row_count if model.row_count else FEWEST_ROWS
    return row_count < outgrown and filled <= {one.name for one in model.fields}


def keep(step: Any, people: People, found: Found) -> None:
    """Write what was compared, its evidence and a new model, so that it need not be made again."""
    model, compared = found.model, found.compared
    if found.is_new:
        _keep_model(step, model)
    if compared.is_whole:
        step.overwrite("person_rows", compared.written)
    elif len(compared.written):
        step.append("person_rows", compared.written)
    keys = people.records["record_key"]
    step.overwrite(
        "compared",
        pa.table(
            {
                "record_key": keys.take(pa.array(compared.record)),
                "content": compared.content,
                "model_id": pa.repeat(model.id, len(compared.record)),
            }
        ),
    )
    for name, pairs in found.weighed.items():
        step.overwrite(name, pair_table(pairs, keys, model))


def pair_table(pairs: Pairs, keys: Any, model: Model) -> pa.Table:
    """Pairs as the lake keeps them; `keys` of the records by code."""
    return pa.table(
        {
            "left_record_key": keys.take(pa.array(pairs.left)),
            "right_record_key": keys.take(pa.array(pairs.right)),
            "bits": pairs.bits,
            "personal": pairs.personal,
            "contradicted": pairs.contradicted,
            "strangers": pairs.strangers,
            "kin": pairs.kin,
            "reason": pairs.reason,
            "probability": pairs.probability,
            "model_id": pa.repeat(model.id, len(pairs.left)),
        }
    )


def _keep_model(step: Any, model: Model) -> None:
    step.overwrite(
        "person_models", pa.table({"model_id": [model.id], "settings": [model.to_json()]})
    )
    frequencies = [
        pa.table(
            {
                "model_id": pa.repeat(model.id, len(rows)),
                "field": pa.repeat(name, len(rows)),
                "value": rows["value"],
                "frequency": rows["frequency"],
            }
        )
        for name, rows in sorted(model.frequencies.items())
    ]
    empty = step.arrow("person_frequencies").drop_columns(["run_id"]).slice(0, 0)
    step.overwrite("person_frequencies", pa.concat_tables([empty, *frequencies]))


def kept_model(step: Any) -> Model | None:
    """The model of this workspace, if one was estimated."""
    rows = step.arrow("person_models").to_pylist()
    if not rows:
        return None
    known = step.arrow("person_frequencies")
    frequencies = {
        name: known.filter(pc.equal(known["field"], name)).select(["value", "frequency"])
        for name in pc.unique(known["field"]).to_pylist()
    }
    model = Model.from_json(rows[-1]["settings"], {})
    if any(len(model.weights[one.name]) != len(one.usual()) for one in model.fields):
        return None  # another program told other levels apart
    if model.row_count:
        counted = [one.name for one in model.fields if any(a.counted for a in one.how.levels)]
        empty = known.select(["value", "frequency"]).slice(0, 0)
        model = replace(model, frequencies={n: frequencies.get(n, empty) for n in counted})
    return model


def _known(step: Any, people: People, compared: Compared, model: Model) -> Flags:
    """Which records were compared under this model saying what they say now: (records,)."""
    rows = step.arrow("compared")
    rows = rows.filter(pc.equal(rows["model_id"], model.id))
    code = people.codes(rows["record_key"])
    place = np.searchsorted(compared.record, code)
    place[place == len(compared.record)] = 0
    same = compared.record[place] == code
    same[same] = pc.equal(
        rows["content"].filter(pa.array(same)), compared.content.take(pa.array(place[same]))
    ).to_numpy(zero_copy_only=False)
    known = np.zeros(len(people.records), bool)
    known[code[same]] = True
    return known


def kept_pairs(step: Any, table: str, people: People, model: Model, known: Flags) -> Pairs:
    """The evidence of a table of the lake, between records that are known."""
    kept = step.arrow(table)
    kept = kept.filter(pc.equal(kept["model_id"], model.id))
    left, right = (people.codes(kept[f"{side}_record_key"]) for side in ("left", "right"))
    holds = (left >= 0) & (right >= 0)
    holds[holds] = known[left[holds]] & known[right[holds]]
    return _of_table(kept, np.minimum(left, right), np.maximum(left, right)).only(holds)


def _pairs(
    step: Any, scratch: Scratch, people: People, compared: Compared, model: Model, known: Flags
) -> Pairs:
    """The evidence of all pairs of compared records; what the lake has of it is not made again."""
    before = kept_pairs(step, "matches", people, model, known)
    fresh = compared.record[~known[compared.record]]
    if not len(fresh):
        return before
    if len(fresh) == len(compared.record):
        score(scratch, ROWS, model, "scored")
        now = read_pairs(scratch, model)
    else:
        scratch.keep_as("fresh", pa.table({"unique_id": fresh}))
        scratch.sql(f"CREATE OR REPLACE TABLE asked AS {_asked(model)}")
        now = _weighed(scratch, model, FLOOR_BITS)
    return _joined(before, now.only(now.bits >= FLOOR_BITS))


def _weighed(scratch: Scratch, model: Model, least: float | None = None) -> Pairs:
    """The evidence of the pairs in the table `asked`; only their own rows are looked at."""
    scratch.sql(
        f"CREATE OR REPLACE TABLE asked_rows AS FROM {ROWS} SEMI JOIN "
        '(SELECT "left" AS unique_id FROM asked UNION ALL SELECT "right" FROM asked) '
        "USING (unique_id)"
    )
    score(scratch, "asked_rows", model, "scored", pairs="asked", least=least)
    return read_pairs(scratch, model)


def _asked(model: Model) -> str:
    """The pairs of the model's rules that have at least one fresh record."""
    parts = [
        "SELECT l.unique_id AS a, r.unique_id AS b FROM "
        f"(FROM {ROWS} SEMI JOIN fresh USING (unique_id)) l JOIN {ROWS} r "
        f"ON {rule} WHERE l.unique_id <> r.unique_id"
        for rule in model.rules
    ]
    return (
        'SELECT DISTINCT least(a, b) AS "left", greatest(a, b) AS "right" FROM ('
        + " UNION ALL ".join(parts)
        + ")"
    )


def read_pairs(scratch: Scratch, model: Model) -> Pairs:
    rows = scratch.sql(
        f'SELECT least("left", "right") AS "left", greatest("left", "right") AS "right", '
        f"{_bits(model)} AS bits, personal_bits > 0 AS personal, "
        f"{_contradicted(model)} AS contradicted, {_strangers(model, -1)} AS strangers, "
        f"({_strangers(model, -2)} OR {_strangers(model, TWO_NAMES_LEVEL)} OR {_couple(model)}) "
        "AS kin, "
        f"{_reason(model)} AS reason FROM scored ORDER BY 1, 2"
    )
    return _of_table(rows, rows["left"].to_numpy(), rows["right"].to_numpy())


def _of_table(rows: pa.Table, left: Codes, right: Codes) -> Pairs:
    # Rounded, so that sums made in another order are still the same evidence.
    return Pairs(
        left, right, np.round(rows["bits"].to_numpy(), 6), rows["personal"].to_numpy(),
        rows["contradicted"].to_numpy(), rows["strangers"].to_numpy(), rows["kin"].to_numpy(),
        pa.concat_arrays([pa.array([], pa.string()), *rows["reason"].chunks]),
    )  # fmt: skip


def _bits(model: Model) -> str:
    """All evidence of a pair, prior included, in SQL."""
    return f"(bits + ({model.prior_bits!r}))"


def _agrees(model: Model, name: str) -> str:
    return f"(bits_{name} > 0)" if name in model.weights else "false"


def _contradicted(model: Model) -> str:
    """A father and a son have one name and one address; what tells them apart is their age, or that
    they are called Sr. and Jr."""
    generation = [is_level(model, "birth_date", -2, "bits_birth_date")]
    generation += [
        is_level(model, name, GENERATION_LEVEL, f"bits_{name}")
        for name in ("given_name", "family_name")
    ]
    return f"(({' OR '.join(generation)}) AND NOT {_agrees(model, 'number')})"


def _strangers(model: Model, level: int) -> str:
    """Two people behind one identifier: another given name (level -1; -2: one that only begins like
    the other, as Mary and Mark; or two names nearly alike, as Jan and Jana), and nothing personal
    that agrees; twins have one date of birth, so that it must be enough with all else to join
    them."""
    probable = f"{_bits(model)} >= {bits_of(OPERATING_POINT)!r}"
    alike = f"{_agrees(model, 'number')} OR ({_agrees(model, 'birth_date')} AND {probable})"
    return f"({is_level(model, 'given_name', level, 'bits_given_name')} AND NOT ({alike}))"


def _couple(model: Model) -> str:
    """Given names as near as Paul and Paula, and dates of birth that differ."""
    born = (is_level(model, "birth_date", level, "bits_birth_date") for level in (-1, -2))
    number = _agrees(model, "number")
    return f"({_nearly(model, 'given_name')} AND ({' OR '.join(born)}) AND NOT {number})"


def _reason(model: Model) -> str:
    """What speaks for and what against, by the names of the fields."""
    sides = []
    for word, test in (
        ("agree", f"bits_{{0}} > {_REASON_BITS} AND NOT {{1}}"),
        ("nearly alike", f"bits_{{0}} > {_REASON_BITS} AND {{1}}"),
        ("differ", f"bits_{{0}} < -{_REASON_BITS}"),
    ):
        names = ", ".join(
            f"CASE WHEN {test.format(one.name, _nearly(model, one.name))} "
            f"THEN '{one.name.replace('_', ' ')}' END"
            for one in model.fields
        )
        sides.append(f"nullif(concat_ws(', ', {names}), '') || ' {word}'")
    return f"coalesce(concat_ws('; ', {', '.join(sides)}), '')"


def _nearly(model: Model, name: str) -> str:
    """Whether two values are alike without being the same, in SQL."""
    between = range(1, len(model.weights.get(name, ())) - 1)
    found = (is_level(model, name, number, f"bits_{name}") for number in between)
    return f"({' OR '.join(found) or 'false'})"


def _joined(one: Pairs, other: Pairs) -> Pairs:
    return Pairs(
        np.r_[one.left, other.left],
        np.r_[one.right, other.right],
        np.r_[one.bits, other.bits],
        np.r_[one.personal, other.personal],
        np.r_[one.contradicted, other.contradicted],
        np.r_[one.strangers, other.strangers],
        np.r_[one.kin, other.kin],
        pa.concat_arrays([one.reason, other.reason]),
    )


def with_followers(pairs: Pairs, compared: Compared) -> Pairs:
    """Records that say exactly what two others say are as near to the first as the second is."""
    if not len(compared.follower):
        return pairs
    place = np.full(int(compared.record.max(initial=0)) + 1, -1, np.int64)
    codes = pc.dictionary_encode(compared.content).indices.to_numpy().astype(np.int64)
    place[compared.record] = codes
    twins = np.flatnonzero(place[pairs.left] == place[pairs.right])
    order = twins[np.argsort(pairs.left[twins], kind="stable")]
    at = np.searchsorted(pairs.left[order], compared.leader)
    at[at == len(order)] = 0
    hit = pairs.left[order[at]] == compared.leader if len(order) else np.zeros(len(at), bool)
    rows = order[at[hit]] if len(order) else at[:0]
    twin = pairs.take(rows)
    extra = replace(twin, left=compared.leader[hit], right=compared.follower[hit])
    return _joined(pairs, extra)


def _sharing(
    step: Any, scratch: Scratch, people: People, compared: Compared, model: Model, known: Flags
) -> tuple[Sharing, Pairs]:
    """Records that name one identifier, and whether they cannot be about one person anyway; with
    the evidence of these pairs."""
    first, second, value = shared_values(scratch, people, compared)
    count = len(people.records)
    wanted = distinct(first * count + second)
    pairs = kept_pairs(step, "sharing", people, model, known)
    pairs = pairs.only(np.isin(pairs.left * count + pairs.right, wanted))
    new = wanted[~np.isin(wanted, pairs.left * count + pairs.right)]
    if len(new):
        asked = pa.table({"left": new // count, "right": new % count})
        scratch.keep_as("asked", asked)
        pairs = _joined(pairs, _weighed(scratch, model))
    return sharing_of(people, pairs, first, second, value)


def sharing_of(
    people: People, pairs: Pairs, first: Codes, second: Codes, value: Codes
) -> tuple[Sharing, Pairs]:
    """Which of the records that name one value cannot be one person, by the evidence of all pairs
    of them."""
    unique, count = (
        people.namespaces.unique[people.statements.namespace[value]],
        len(people.records),
    )
    key = pairs.left * count + pairs.right
    pairs = pairs.take(np.argsort(key))
    at = np.searchsorted(np.sort(key), first * count + second)
    # An id of the source outweighs a given name; a family name that differs too outweighs the id.
    outweighed = unique & (pairs.bits[at] >= bits_of(AGAINST))
    two = (pairs.contradicted | pairs.kin)[at] & ~unique
    conflict = (pairs.strangers[at] | two) & ~outweighed
    return Sharing(first, second, unique, conflict), pairs

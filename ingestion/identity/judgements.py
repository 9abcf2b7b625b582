"""The log of judgements: read as codes, compared with what the records now say, and appended to.

Invariant: nothing in the log is changed or removed. Of several verdicts of one rule on one pair
the latest holds; of several of people the latest that was not taken back, and it holds over every
rule's: nothing that rules say is left against it. `probability` is that of the two records being
about one person: 1 for `same`, 0 for `different`.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.identity.links import (
    BY_DETAILS,
    BY_PERSON,
    BY_SIZE,
    BY_TWO,
    Codes,
    Cut,
    Flags,
    Floats,
    Sides,
    components,
    distinct,
)
from ingestion.identity.people import MATCH, People
from ingestion.identity.standing import AUTHOR, MODEL_AUTHOR, by_rule, said_by_people

RULE = "identifier:"
MODEL_RULE = "details"


@dataclass(frozen=True)
class Log:
    """The verdicts of rules that hold, one per pair and rule, as codes of records.

    Shapes: all (j,); rule is the namespace's code, -1 for other rules.
    """

    left: Codes
    right: Codes
    rule: Codes
    same: Flags
    judged_at_ms: Codes

    def only(self, keep: Flags) -> "Log":
        """The judgements that are kept."""
        return Log(
            self.left[keep],
            self.right[keep],
            self.rule[keep],
            self.same[keep],
            self.judged_at_ms[keep],
        )


def read_log(step: Any, people: People) -> Log:
    """The verdicts of rules that hold on records that are still there."""
    table = step.arrow("judgements")
    table = table.filter(pa.array(by_rule(table)))
    left, right = (people.codes(table[side]) for side in ("left_record_key", "right_record_key"))
    rules = pa.array(_rules(people), pa.string())
    rule = pc.fill_null(pc.index_in(table["rule"], value_set=rules), -1).to_numpy()
    log = Log(
        left=left,
        right=right,
        rule=np.asarray(rule, np.int64),
        same=pc.equal(table["verdict"], "same").to_numpy(),
        judged_at_ms=np.asarray(table["judged_at_ms"].to_numpy(), np.int64),
    )
    return latest(log.only((left >= 0) & (right >= 0)))


def read_verdicts(step: Any, people: People) -> tuple[Sides, ...]:
    """What people said that holds, oldest first, of those of whom there are records still."""
    found = []
    for one in said_by_people(step):
        sides = []
        for first, keys in ((one.left, one.left_keys), (one.right, one.right_keys)):
            codes = people.codes(pa.array([first, *(keys - {first})], pa.string()))
            # The record that was named stands for its side, else the first that was learned.
            side = np.r_[codes[:1], np.sort(codes[1:])]
            sides.append(side[side >= 0])
        if all(map(len, sides)):
            left, right = sides
            found.append(Sides(left, right, same=one.same, leaves=one.leaves))
    return tuple(found)


def _rules(people: People) -> list[str]:
    return [MODEL_RULE if name == MATCH else RULE + name for name in people.namespace_names]


def latest(log: Log) -> Log:
    """The last verdict of each rule on each pair; `different` where two are equally late."""
    low, high = np.minimum(log.left, log.right), np.maximum(log.left, log.right)
    order = np.lexsort((~log.same, log.judged_at_ms, log.rule, high, low))
    pairs = np.stack([low[order], high[order], log.rule[order]])
    last = np.ones(len(order), bool)
    last[:-1] = (np.diff(pairs, axis=1) != 0).any(axis=0)
    held = np.zeros(len(order), bool)
    held[order[last]] = True
    return log.only(held)


def fold(log: Log, same: tuple[Codes, Codes], record_count: int) -> Codes:
    """Who is one person: the components of the `same` verdicts that hold: (records,) labels.

    Args:
        log: of the rules.
        same: the pairs that people say are one.
        record_count: how many records there are.
    """
    left, right = np.r_[log.left[log.same], same[0]], np.r_[log.right[log.same], same[1]]
    return components(record_count, left, right)


@dataclass(frozen=True)
class Said:
    """How sure the pairs of the model are, and in which words.

    Shapes: key (e,) sorted: left * records + right; probability (e,); reason (e,).
    """

    key: Codes
    probability: Floats
    reason: pa.Array

    def of(self, log: Log, record_count: int) -> tuple[Floats, pa.Array]:
        """Of the pairs of a log that are the model's: 1 and null for all others."""
        low, high = np.minimum(log.left, log.right), np.maximum(log.left, log.right)
        key = low * record_count + high
        at = np.searchsorted(self.key, key)
        at[at == len(self.key)] = 0
        hit = self.key[at] == key if len(self.key) else np.zeros(len(key), bool)
        sure = np.where(hit, self.probability[at] if len(self.key) else 1.0, 1.0)
        if not len(self.key):
            return sure, pa.nulls(len(key), pa.string())
        return sure, self.reason.take(pa.array(at, mask=~hit))


def new_judgements(people: People, cut: Cut, log: Log, said: Said) -> tuple[pa.Table, Log]:
    """What must be appended so that the log says what the records say now, and the log after it.

    `people.statements` are those that were not blocked; `cut` says which of them join. A pair that
    the model joins is a value of the namespace `MATCH` that its two records name.
    """
    mine = log.only(log.rule >= 0)
    links = mine.only(mine.same)
    valid, joined = _supported(people, cut, links)
    same = _stars(people, cut, joined)
    apart, causes = _bridges(people, cut)
    void = Log(links.left, links.right, links.rule, np.zeros_like(links.same), links.judged_at_ms)
    void = void.only(~valid & ~np.isin(_key(void, people), _key(apart, people)))
    held = _key(mine, people)
    apart = apart.only(~np.isin(_key(apart, people), held[~mine.same]))
    new = [
        (same, _worded(same, people, "same {}")),
        (apart, _bridge_reasons(apart, causes, people)),
        (void, _worded(void, people, "their {} no longer says that they are one person")),
    ]
    tables = []
    for part, reasons in new:
        dated = _dated(part, mine, held, people)
        tables.append(_table(dated, reasons, people, said))
        log = _joined(log, dated)
    return pa.concat_tables(tables), latest(log)


def _key(log: Log, people: People) -> Codes:
    count = people.statements.record_count
    low, high = np.minimum(log.left, log.right), np.maximum(log.left, log.right)
    return np.asarray((log.rule * count + low) * count + high)


def _supported(people: People, cut: Cut, links: Log) -> tuple[Flags, tuple[Codes, Codes]]:
    """Which links two kept statements of one value still carry, and the (value, record) pairs that
    hang on an earlier record by them."""
    from scipy.sparse import csr_array

    if not len(links.left):
        return np.zeros(0, bool), (links.left, links.left)
    kept = people.statements.only(cut.kept)
    shape = (kept.record_count, len(kept.namespace))
    names = csr_array((np.ones(len(kept.record), np.int8), (kept.record, kept.value)), shape=shape)
    both = names[links.left].multiply(names[links.right]).tocoo()
    fits = kept.namespace[both.col] == links.rule[both.row]
    valid = np.zeros(len(links.left), bool)
    valid[both.row[fits]] = True
    # The later record, so that whatever the log holds, no circle leaves a value without a root.
    later = np.maximum(links.left, links.right)[both.row[fits]]
    return valid, (both.col[fits].astype(np.int64), later)


def _stars(people: People, cut: Cut, joined: tuple[Codes, Codes]) -> Log:
    """Each value's records that hang on nothing yet, linked to the first of them."""
    kept = people.statements.only(cut.kept)
    count = max(kept.record_count, 1)
    member = np.sort(kept.value * count + kept.record)
    if len(joined[0]):
        member = member[~np.isin(member, joined[0] * count + joined[1])]
    value, record = member // count, member % count
    first = np.flatnonzero(np.r_[True, np.diff(value) > 0][: len(value)])
    size = np.diff(np.r_[first, len(value)])
    left = np.repeat(record[first], size)
    links = left != record
    rule = kept.namespace[value]
    return _undated(left[links], record[links], rule[links], same=True)


def _bridges(people: People, cut: Cut) -> tuple[Log, Codes]:
    """For each value that was cut, its first record against the first of each other group; and in
    whose name: (pair key, cause) of all of them, as rows of one array."""
    bridging = distinct(people.statements.value[~cut.kept])
    bridges = np.zeros(len(people.values), bool)
    bridges[bridging] = True
    said = people.statements.only(bridges[people.statements.value])
    group = cut.group[said.record]
    order = np.lexsort((said.record, group, said.value))
    value, group, record = said.value[order], group[order], said.record[order]
    new = np.r_[True, (np.diff(value) != 0) | (np.diff(group) != 0)][: len(order)]
    value, record = value[new], record[new]
    order = np.lexsort((record, value))
    value, record = value[order], record[order]
    first = np.flatnonzero(np.r_[True, np.diff(value) != 0][: len(order)])
    left = np.repeat(record[first], np.diff(np.r_[first, len(order)]))
    pair = left != record
    log = _undated(left[pair], record[pair], said.namespace[value[pair]], same=False)
    return latest(log), _causes(_key(log, people), value[pair], people, cut)


def _causes(key: Codes, value: Codes, people: People, cut: Cut) -> Codes:
    """Why the values that a pair shares were cut: distinct (pair key, cause), sorted: (2, c)."""
    lost = np.stack([people.statements.value[~cut.kept], cut.because[~cut.kept]])
    lost = np.unique(lost, axis=1)
    first, last = (np.searchsorted(lost[0], value, side) for side in ("left", "right"))
    count = last - first
    place = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    cause = lost[1][np.repeat(first, count) + place]
    return np.asarray(np.unique(np.stack([np.repeat(key, count), cause]), axis=1))


def _worded(log: Log, people: People, wording: str) -> pa.Array:
    """What is said of each pair, by the name of its rule."""
    texts = [wording.format(_shown(name)) for name in people.namespace_names]
    return pa.array(texts, pa.string()).take(pa.array(log.rule))


def _bridge_reasons(log: Log, causes: Codes, people: People) -> pa.Array:
    """In whose name what each pair shares was cut."""
    first, last = (
        np.searchsorted(causes[0], _key(log, people), side) for side in ("left", "right")
    )
    sets = [tuple(causes[1][one:other].tolist()) for one, other in zip(first, last, strict=True)]
    rule = log.rule.tolist()
    texts = {one: _bridge_reason(*one, people) for one in {*zip(rule, sets, strict=True)}}
    return pa.array([texts[one] for one in zip(rule, sets, strict=True)], pa.string())


def _bridge_reason(rule: int, causes: tuple[int, ...], people: People) -> str:
    names = [people.namespace_names[cause] for cause in causes if cause >= 0]
    why = f"shared by different values of {' and '.join(names)}" if names else ""
    person = "a person says they differ" if {BY_PERSON, BY_TWO} & {*causes} else ""
    other = "shared by different names or dates of birth" if BY_DETAILS in causes else ""
    size = "one person would have too many such values" if BY_SIZE in causes else ""
    told = " or ".join(filter(None, (why, person, other, size)))
    return f"same {people.namespace_names[rule]}, but {told}"


def _undated(left: Codes, right: Codes, rule: Codes, *, same: bool) -> Log:
    return Log(left, right, rule, np.full(len(left), same), np.zeros(len(left), np.int64))


def _dated(log: Log, before: Log, held: Codes, people: People) -> Log:
    """Judged when the later of the two was learned, and after any earlier verdict on the pair."""
    at = np.maximum(people.recorded_at_ms[log.left], people.recorded_at_ms[log.right])
    if len(held):
        order = np.argsort(held)
        place = np.minimum(np.searchsorted(held[order], _key(log, people)), len(held) - 1)
        earlier = order[place]
        known = held[earlier] == _key(log, people)
        at = np.where(known, np.maximum(at, before.judged_at_ms[earlier] + 1), at)
    return Log(log.left, log.right, log.rule, log.same, at)


def _joined(one: Log, other: Log) -> Log:
    return Log(
        np.r_[one.left, other.left],
        np.r_[one.right, other.right],
        np.r_[one.rule, other.rule],
        np.r_[one.same, other.same],
        np.r_[one.judged_at_ms, other.judged_at_ms],
    )


def _table(log: Log, reason: pa.Array, people: People, said: Said) -> pa.Table:
    keys = people.records["record_key"]
    names = people.namespace_names
    rules = pa.array(_rules(people), pa.string())
    mine = log.rule == (names.index(MATCH) if MATCH in names else -1)
    sure, words = said.of(log, people.statements.record_count)
    reason = pc.if_else(pc.and_(pa.array(mine & log.same), pc.is_valid(words)), words, reason)
    authors = pa.array([AUTHOR, MODEL_AUTHOR]).take(pa.array(mine.astype(np.int64)))
    return pa.table(
        {
            "left_record_key": keys.take(log.left),
            "right_record_key": keys.take(log.right),
            "verdict": pc.if_else(pa.array(log.same), "same", "different"),
            "probability": np.where(log.same, np.where(mine, sure, 1.0), 0.0),
            "reason": reason,
            "rule": rules.take(pa.array(log.rule)),
            "author": authors,
            "judged_at_ms": log.judged_at_ms,
        }
    )


def _shown(name: str) -> str:
    return "evidence" if name == MATCH else name

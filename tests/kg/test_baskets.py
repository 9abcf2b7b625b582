"""What lies in baskets together is counted as by hand, in however many parts."""

from collections import Counter
from itertools import permutations

import numpy as np
import pyarrow as pa
import pytest

from kg import baskets
from kg.baskets import ITEMS_MOST, PARTNERS_MOST, TOGETHER_LEAST, bought_with

Baskets = list[list[str]]


def told(held: Baskets) -> list[dict[str, object]]:
    lines = [(f"s_{n}", item) for n, basket in enumerate(held) for item in basket]
    columns = [pa.array(column, pa.string()) for column in zip(*lines, strict=True)]
    return bought_with(pa.table(columns, ["session_id", "item_id"])).to_pylist()


def by_hand(held: Baskets) -> list[dict[str, object]]:
    held = [basket for basket in held if len(basket) <= ITEMS_MOST]
    alone = Counter(item for basket in held for item in basket)
    together = Counter(pair for basket in held for pair in permutations(basket, 2))
    found: dict[str, list[tuple[float, int, str]]] = {}
    for (item, other), count in together.items():
        lift = count * len(held) / (alone[item] * alone[other])
        if count >= TOGETHER_LEAST and lift > 1:
            found.setdefault(item, []).append((-lift, -count, other))
    return [
        {"start": item, "end": other, "count": -count, "lift": -lift}
        for item in sorted(found)
        for lift, count, other in sorted(found[item])[:PARTNERS_MOST]
    ]


@pytest.mark.parametrize("at_once", [1, 2_000, 10_000_000])
def test_pairs_are_those_counted_by_hand(monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    luck = np.random.default_rng(3)
    tastes = [[f"{taste}{n}" for n in range(40)] for taste in "bäc"]
    held = [
        sorted({*luck.choice(tastes[n % 3], 12), *luck.choice(tastes[luck.integers(3)], 4)})
        for n in range(400)
    ]
    held.append([f"c{n}" for n in range(ITEMS_MOST + 1)])
    monkeypatch.setattr(baskets, "PAIRS_AT_ONCE", at_once)
    found = told(held)
    assert found == by_hand(held)
    assert max(Counter(row["start"] for row in found).values()) == PARTNERS_MOST


def test_without_baskets_there_are_no_pairs() -> None:
    nothing = pa.table(
        {"session_id": pa.array([], pa.string()), "item_id": pa.array([], pa.string())}
    )
    assert bought_with(nothing).num_rows == 0
    assert not told([["tea", "mug"]] * (TOGETHER_LEAST - 1))
    assert not told([[f"i{n}" for n in range(ITEMS_MOST + 1)]] * 9)

"""Are personas the catalogue over again? Mutual information of personas with items' categories.

    python benchmarks/categories.py WORKSPACE [--world DIR]

Of the events of a workspace that was run, those with an item that has a category. Prints one JSON
line for each level of the catalogue (`broadest`, `finest`), over events in a persona and over all
(no persona a group of its own): bits that category and persona say of each other, as a share of
what there is to say of the persona (1: the category decides it), and adjusted for chance (0: they
say nothing, 1: the same groups). Beside it the same of the topics that the run made. With the
world that the events were simulated in, also how the category itself does as the partition, beside
the personas found: adjusted Rand index and adjusted mutual information with the planted personas,
over the planted events that have a category.

Source: Vinh, Epps and Bailey 2010 (adjusted mutual information); Theil 1970 (uncertainty
coefficient).
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from scipy.stats import entropy
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score, mutual_info_score

from kg.lake import Lake

LEVELS = {"broadest": 0, "finest": -1}


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--world", type=Path, help="the simulated world that was run")
    arguments = parser.parse_args()
    with Lake.open(arguments.workspace) as lake:
        events = events_of(lake)
    for line in measured(events, arguments.world):
        print(json.dumps(line), flush=True)


def events_of(lake: Lake) -> pd.DataFrame:
    """Events in an intent whose item has a category. -> record_key, persona, topic, and a column
    for each level"""
    items = lake.table("items")
    items = items.filter(items.categories.length() > 0).select(
        "item_id", **{name: items.categories[place] for name, place in LEVELS.items()}
    )
    events = lake.table("events").select("record_key", "item_id").inner_join(items, "item_id")
    intents = lake.table("event_intents").select("record_key", "intent_id")
    topics = lake.table("intents").select("intent_id", "topic")
    personas = lake.table("memberships").select("intent_id", persona="persona_id")
    rows = intents.inner_join(topics, "intent_id").left_join(personas, "intent_id")
    found = events.inner_join(rows, "record_key").order_by("record_key")
    columns = ("record_key", "persona", "topic", *LEVELS)
    return lake.run(found.select(*columns)).to_pandas()


def measured(events: pd.DataFrame, world: Path | None) -> Iterator[dict[str, Any]]:
    """The figures, level by level, and of the topics."""
    for name in (*LEVELS, "topic"):
        groups = events[name].nunique()
        for which, rows in (
            ("in a persona", events[events.persona.notna()]),
            ("all", events.fillna({"persona": ""})),
        ):
            yield {"of": name, "groups": groups, "events": which} | shared(rows, name)
    if world is not None:
        truth = pd.read_parquet(
            world / "truth" / "events.parquet", columns=["record_key", "persona"]
        )
        planted = truth[truth.persona.notna()].rename(columns={"persona": "planted"})
        rows = events.drop_duplicates("record_key").merge(planted, "inner", "record_key")
        for name in (*LEVELS, "topic", "persona"):
            yield {"partition": name, "events": len(rows)} | alike(rows, name)


def shared(rows: pd.DataFrame, name: str) -> dict[str, float]:
    """What a grouping and the persona say of each other."""
    both = mutual_info_score(rows[name], rows.persona)
    each = entropy(rows.persona.value_counts())
    return {
        "n": len(rows),
        "share_of_persona": round(float(both / each), 3) if each else 0.0,
        "adjusted": round(float(adjusted_mutual_info_score(rows[name], rows.persona)), 3),
    }


def alike(rows: pd.DataFrame, name: str) -> dict[str, float]:
    """How a partition agrees with what was planted; no persona is a group of its own."""
    groups = rows[name].fillna("")
    return {
        "ari": round(float(adjusted_rand_score(rows.planted, groups)), 3),
        "adjusted": round(float(adjusted_mutual_info_score(rows.planted, groups)), 3),
    }


if __name__ == "__main__":
    main()

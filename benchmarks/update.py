"""Updating personas by their rule against searching for them anew, over the same records.

    python benchmarks/update.py --seed 41 42 43 --people 1000

One JSON line per simulated world. Its events are cut in time: personas are searched for in the
first 95 % (99 %), then all events are there and personas are updated; beside it a full search over
everything, as `run --search` makes it, and another with a new seed. Files are read once and people
are known from the start, so that only the steps after them are compared. Per comparison: adjusted
Rand index over events ("none" a group of its own), share of events whose persona differs once
personas are matched one to one, how many ids go on (by the rule of `gnn.descent`), seconds of
topics, intents and personas together, and what the run proposed.

`changed`: the same update when every item of the new events is another; a search should be
proposed. Worlds are those of `personagraph simulate`.
"""

import argparse
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score

from api.pipeline import Job, _Work
from gnn.communities import native_leiden
from gnn.descent import common, keeps
from ingestion.detect import find_mapping
from ingestion.simulate import simulate
from kg.lake import Lake
from kg.progress import silent
from kg.settings import Settings

CUTS = (0.95, 0.99)
STEPS = ("topics", "intents", "personas")


class NoGraph:
    """What the steps up to personas need of a store."""

    name = "embedded"
    leiden = staticmethod(native_leiden)


def main() -> None:
    """Measure every seed asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--seed", type=int, nargs="+", default=[41])
    arguments = parser.parse_args()
    for seed in arguments.seed:
        with tempfile.TemporaryDirectory() as folder:
            simulate(arguments.people, seed, Path(folder) / "world")
            found = measured(Path(folder))
        print(json.dumps({"people": arguments.people, "seed": seed} | found), flush=True)


def measured(folder: Path) -> dict[str, Any]:
    """One world; `folder` holds it and room for workspaces."""
    start = World(folder / "read", folder / "world" / "data")
    start.read()
    figures: dict[str, Any] = {}
    updates = {}
    for cut in CUTS:
        world = start.copy(folder / f"w{cut}")
        world.take(start.before(cut), f"cut {cut}")
        world.run()
        if cut == CUTS[0]:
            other = world.copy(folder / "changed")
            other.take(start.changed(cut), "changed")
            figures["changed"] = {"proposed": other.run().summary["proposed"]}
        world.take(start.events, "all")
        updates[cut] = world.run()
    whole = World(folder / f"w{CUTS[0]}", start.data)
    full = whole.run(search=True)
    again = whole.run(seed=1)
    for cut, update in updates.items():
        figures[f"{cut:.0%} + {1 - cut:.0%}"] = against(update, full)
    return figures | {"new seed": against(full, again)}


class Result:
    """What a run left: the persona of every event, seconds, and the summary."""

    def __init__(self, workspace: Path, seconds: dict[str, float]) -> None:
        with Lake.open(workspace) as lake:
            events = lake.arrow("event_intents", ["record_key", "intent_id"]).to_pandas()
            members = lake.arrow("memberships", ["intent_id", "persona_id"]).to_pandas()
            self.summary = lake.summary("personas")
        rows = events.merge(members, on="intent_id").drop_duplicates("record_key")
        self.persona = rows.set_index("record_key").persona_id.fillna("none")
        self.seconds = seconds


class World:
    """A workspace over one simulated world."""

    def __init__(self, path: Path, data: Path) -> None:
        self.path, self.data = path, data
        self.mapping = find_mapping(data)

    def work(self, lake: Any, **job: Any) -> _Work:
        """The steps over an open lake."""
        return _Work(Settings(), Job(self.data, self.path, **job), lake, NoGraph(), silent)

    def read(self) -> None:
        """Read all files."""
        with Lake.writer(self.path) as lake:
            self.work(lake).read(self.mapping)
            self.events = lake.arrow("events").drop_columns(["run_id"])

    def copy(self, path: Path) -> "World":
        """The same elsewhere."""
        shutil.copytree(self.path, path)
        return World(path, self.data)

    def at(self, cut: float) -> int:
        """When this share of the events had happened, epoch ms."""
        return int(np.quantile(self.events["occurred_at_ms"].to_numpy(), cut))

    def before(self, cut: float) -> pa.Table:
        """The events until then."""
        return self.events.filter(pc.less(self.events["occurred_at_ms"], self.at(cut)))

    def changed(self, cut: float) -> pa.Table:
        """All events, those after it about other items."""
        events = self.events.to_pandas(types_mapper=pd.ArrowDtype)
        late = (events.occurred_at_ms >= self.at(cut)) & events.item_id.notna()
        items = np.sort(events.item_id.dropna().unique().astype(str))
        other = np.random.default_rng(0).permutation(items)
        swap = dict(zip(items, other, strict=True))
        events.loc[late, "item_id"] = events.item_id[late].map(swap)
        return pa.Table.from_pandas(events, preserve_index=False).cast(self.events.schema)

    def take(self, events: pa.Table, name: str) -> None:
        """Have these events, as if the files had held them."""
        with Lake.writer(self.path) as lake, lake.step("ingest", inputs={"events": name}) as step:
            step.overwrite("events", events)

    def run(self, *, search: bool = False, seed: int = 0) -> Result:
        """All steps up to personas."""
        with Lake.writer(self.path) as lake:
            work = self.work(lake, search=search, seed=seed)
            work.resolve(self.mapping)
            work.choose(self.mapping)
            work.topics()
            work.intents(self.mapping)
            work.personas(None)
            seconds = {r.step: r.seconds for r in work.reports if r.step in STEPS}
        return Result(self.path, seconds)


def against(one: Result, other: Result) -> dict[str, Any]:
    """How far two runs agree, and what each took."""
    both = pd.concat([one.persona, other.persona], axis=1, join="inner").to_numpy(str)
    (names, mine), (others, theirs) = (np.unique(column, return_inverse=True) for column in both.T)
    table = np.zeros((len(names), len(others)), np.int64)
    np.add.at(table, (mine, theirs), 1)
    found, wanted = names != "none", others != "none"
    rows, columns = linear_sum_assignment(-table[found][:, wanted])
    same = table[found][:, wanted][rows, columns].sum() + table[~found][:, ~wanted].sum()
    label = np.cumsum(wanted) - 1
    shared = common(
        np.where(found[mine], (np.cumsum(found) - 1)[mine], -1),
        np.where(wanted[theirs], label[theirs], -1),
        table[found].sum(1),
        int(wanted.sum()),
    )
    return {
        "ari": round(float(adjusted_rand_score(mine, theirs)), 4),
        "differs": round(1 - float(same) / len(both), 4),
        "ids_kept": f"{len(keeps(shared))} of {int(found.sum())}",
        "found": [int(found.sum()), int(wanted.sum())],
        "seconds": [one.seconds, other.seconds],
        "proposed": one.summary.get("proposed"),
        "drift": one.summary.get("drift"),
    }


if __name__ == "__main__":
    main()

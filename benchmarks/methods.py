"""The ways to group intents, each alone, on the figures that personas are held to.

    python benchmarks/methods.py --worlds FOLDER --people 2000 --seed 51 52 53 54 55
    python benchmarks/methods.py --workspace WORKSPACE       # of real data that was run

The global way (`communities` of all people's intents at once), the hierarchical one (`users`: each
person's own groups, aligned across people), `parts`, and `all` that a run tries, everything else as
in a run. Worlds are made, and led up to intents, once per FOLDER. One JSON line per world and
method:

- `ari`, `recovered`, `found`, `rarest` (F1), `holders`, `weights`: as in `benchmarks/planted.py`
  (of a world, not of a workspace);
- `new_seed`: the same intents with another seed; `more`: a search in the intents of the first 99 %
  of the time, and one in all. Adjusted Rand index over events (none a group of its own); and how
  many ids go on;
- `category`: what the broadest category of items says of the personas, of what there is to say;
- `information`: nats beyond the topic that come back when other people are grouped;
- `cpu_s`: of the search.

At the end, per method, mean and standard deviation. Hit rates: `benchmarks/hits.py --by`; intents
dealt at random: `benchmarks/permuted.py --by`; planted intents without any ingestion:
`benchmarks/personas.py`.
"""

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from ablation import prepared
from categories import events_of, shared
from planted import holders_of, weights_distance
from update import Result, against

from gnn.found import PersonaConfig
from gnn.proposals import ProposalConfig
from gnn.search import find
from ingestion.simulate.score import EXPORTS, score
from kg.exports import export_rows
from kg.lake import Lake

METHODS = {
    "all": ProposalConfig(),
    "communities": ProposalConfig(parts=()),
    "users": ProposalConfig(resolutions=(), parts=(), users=True),
    "parts": ProposalConfig(resolutions=()),
}
FIGURES = ("ari", "recovered", "found", "weights", "new_seed", "more", "category", "cpu_s")


def main() -> None:
    """Every method on every world, then what they come to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=Path, help="folder to keep worlds in")
    parser.add_argument("--workspace", type=Path, nargs="+", default=[])
    parser.add_argument("--people", type=int, default=2000)
    parser.add_argument("--seed", type=int, nargs="+", default=[51])
    parser.add_argument("--by", choices=list(METHODS), nargs="+", default=list(METHODS))
    arguments = parser.parse_args()
    places: dict[str, tuple[Path, Path | None]] = {}
    for workspace in arguments.workspace:
        places[workspace.name] = workspace, None
    for seed in arguments.seed if arguments.worlds else ():
        place = arguments.worlds / str(seed)
        places[str(seed)] = prepared(place, arguments.people, seed).workspace, place / "world"
    told: dict[str, list[dict[str, Any]]] = {}
    for name, (workspace, world) in places.items():
        for method in arguments.by:
            figures = measured(workspace, world, METHODS[method])
            print(json.dumps({"world": name, "method": method} | figures), flush=True)
            told.setdefault(method, []).append(figures)
    for method, rows in told.items():
        print(json.dumps({"method": method, "worlds": len(rows)} | dict(over(rows))), flush=True)


def over(rows: list[dict[str, Any]]) -> Iterator[tuple[str, list[float]]]:
    """Mean and, where there are several worlds, standard deviation."""
    for name in FIGURES:
        if name in rows[0]:
            values = [row[name] for row in rows]
            spread = [np.std(values, ddof=1)] if len(values) > 1 else []
            yield name, [round(float(value), 3) for value in (np.mean(values), *spread)]


def measured(workspace: Path, world: Path | None, proposals: ProposalConfig) -> dict[str, Any]:
    """One method on the intents of one workspace."""
    with tempfile.TemporaryDirectory() as folder:
        mine, less = Path(folder) / "all", Path(folder) / "less"
        for copy in (mine, less):
            shutil.copytree(workspace, copy)
        found, seconds = searched(mine, proposals, 0)
        figures = about(mine, world) | {"cpu_s": seconds}
        figures["information"] = max(one["information"] for one in found.summary["trials"])
        fewer(less)
        before, _ = searched(less, proposals, 0)
        other, _ = searched(mine, proposals, 1)
    for name, one, two in (("new_seed", found, other), ("more", before, found)):
        both = against(one, two)
        figures |= {name: both["ari"], f"{name}_ids": both["ids_kept"]}
    return figures


def searched(workspace: Path, proposals: ProposalConfig, seed: int) -> tuple[Result, float]:
    """The personas of a workspace, in one way only; and the CPU seconds of it."""
    started = time.process_time()
    with Lake.writer(workspace) as lake:
        name = {"proposals": repr(proposals), "seed": seed}
        with lake.step("personas", inputs=name, config={}, seed=seed) as step:
            find(step, PersonaConfig(seed=seed, proposals=proposals))
    seconds = round(time.process_time() - started, 1)
    return Result(workspace, {"personas": seconds}), seconds


def fewer(workspace: Path) -> None:
    """Only the intents of the first 99 % of the time."""
    with Lake.writer(workspace) as lake:
        intents = lake.arrow("intents").drop_columns(["run_id"])
        until = float(np.quantile(intents["started_at_ms"].to_numpy(), 0.99))
        first = intents.filter(pc.less(intents["started_at_ms"], until))
        with lake.step("intents", inputs={"until": until}) as step:
            step.overwrite("intents", first)
            events = lake.arrow("event_intents").drop_columns(["run_id"])
            step.overwrite(
                "event_intents",
                events.filter(pc.is_in(events["intent_id"], value_set=first["intent_id"])),
            )


def about(workspace: Path, world: Path | None) -> dict[str, Any]:
    """The personas of a workspace beside what was planted, and beside the catalogue."""
    with Lake.open(workspace) as lake:
        rows = events_of(lake)
        rows = rows[rows.persona.notna()]
        figures = {"category": shared(rows, "broadest")["share_of_persona"] if len(rows) else 0.0}
        if world is None:
            return figures | {"found": lake.table("personas").count().execute()}
        exports = {
            name: lake.run(export_rows(lake, name))
            for name in EXPORTS
            if name not in ("personas", "claims")
        }
        personas = lake.arrow("personas", ["persona_id"])
    # Nothing is worded yet, and nothing claimed.
    exports["personas"] = personas.append_column("name", pa.nulls(len(personas), pa.string()))
    columns = ("kind", "persona_id", "subject", "direction")
    exports["claims"] = pa.table({name: pa.array([], pa.string()) for name in columns})
    found = score(exports, world / "truth")
    events = pd.read_parquet(world / "truth" / "events.parquet")
    rarest = min(found.matches, key=lambda match: match.people_share)
    distance = weights_distance(exports, events, world / "truth", found.matches)
    return figures | {
        "ari": round(found.personas.ari, 4),
        "recovered": sum(match.is_recovered for match in found.matches),
        "found": found.found_count,
        "rarest": round(rarest.f1, 3),
        "holders": holders_of(found),
        "weights": distance["ours"],
    }


if __name__ == "__main__":
    main()

"""Families and micro-personas in made-up worlds: are the planted families found, and nothing else?

    python benchmarks/levels.py --people 1000 --seed 51 52
    python benchmarks/levels.py --people 1000 --seed 61 --control

Prints one JSON line per world. The world's families are those of `ingestion.simulate.world`: their
personas share topics on purpose and differ in price, place, verb, hour and order. Over pairs of
recovered personas: how many are one family, planted and found. No micro-persona is planted, so none
should be found; with --control neither is a persona. `levels_share` is the time that levels take,
of the rest of the persona step.
"""

import argparse
import itertools
import json
import tempfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from benchmarks.planted import personagraph
from ingestion.simulate import simulate
from ingestion.simulate.score import EXPORTS, score
from kg.lake import Lake

FAMILIES = (
    {"bargain_restocker", "bulk_buyer"},
    {"fixit_owner", "morning_maker", "night_maker"},
    {"gift_planner", "serial_returner", "early_tester"},
    {"weekend_grower", "trial_evaluator"},
)


def main() -> None:
    """Measure every world asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--seed", type=int, nargs="+", default=[41])
    parser.add_argument("--control", action="store_true", help="a world without personas")
    arguments = parser.parse_args()
    for seed in arguments.seed:
        with tempfile.TemporaryDirectory() as folder:
            place, workspace = Path(folder) / "world", Path(folder) / "workspace"
            simulate(arguments.people, seed, place, planted=not arguments.control)
            personagraph("run", place / "data", "-w", workspace)
            about = {"people": arguments.people, "seed": seed, "planted": not arguments.control}
            print(json.dumps(about | measured(workspace, place / "truth")), flush=True)


def measured(workspace: Path, truth: Path) -> dict[str, Any]:
    """What was found in one workspace, beside what was planted."""
    exports = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in (*EXPORTS, "levels"):
            file = Path(folder) / f"{name}.parquet"
            personagraph("export", name, "-w", workspace, "-o", file)
            exports[name] = pq.read_table(file)
    with Lake.open(workspace) as lake:
        summary = lake.summary("personas")
    seconds = dict(summary["seconds"])
    own = seconds.pop("levels")
    family = dict(zip(*(exports["personas"][c].to_pylist() for c in ("persona_id", "parent_id")),
                      strict=True))  # fmt: skip
    meant = {m.planted: m.persona_id for m in score(exports, truth).matches if m.is_recovered}
    pairs = list(itertools.combinations(sorted(meant), 2))
    planted = {pair for pair in pairs if any(set(pair) <= one for one in FAMILIES)}
    found = {
        (one, other)
        for one, other in pairs
        if family[meant[one]] is not None and family[meant[one]] == family[meant[other]]
    }
    return {
        "personas": len(family),
        "recovered": len(meant),
        "families": len({*family.values()} - {None}),
        "pairs_planted": len(planted),
        "pairs_found": len(found),
        "pairs_right": len(found & planted),
        "micro_personas": exports["levels"]["level"].to_pylist().count("micro-persona"),
        "levels_share": round(own / sum(seconds.values()), 3),
        "levels_s": own,
    }


if __name__ == "__main__":
    main()

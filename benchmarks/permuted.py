"""Intents dealt to people at random: how often is there a persona? (Never, it should be.)

    python benchmarks/permuted.py WORKSPACE --times 20
    python benchmarks/permuted.py WORKSPACE --times 20 --by users    # one of benchmarks/methods.py

Takes the intents of a workspace that was run, deals them anew (everybody keeps their number of
intents, every kind of intent its number), and looks for personas as a run does. Prints a line of
JSON for each time, with what was tried and how far it came.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
from methods import METHODS

from gnn.communities import native_leiden
from gnn.found import PersonaConfig, Report
from gnn.personas import discover
from gnn.tensors import INTENT_COLUMNS, arrange
from kg.lake import Lake


def main() -> None:
    """Deal, look, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--by", choices=list(METHODS), help="only in this way")
    arguments = parser.parse_args()
    config = PersonaConfig()
    if arguments.by:
        config = PersonaConfig(proposals=METHODS[arguments.by])
    with Lake.open(arguments.workspace) as lake:
        intents = lake.arrow("intents", list(INTENT_COLUMNS))
        users = lake.arrow("users", ["user_id", "half"])
    for seed in range(arguments.times):
        report = Report()
        discover(arrange(dealt(intents, seed), users), config, native_leiden, report)
        print(json.dumps({"seed": seed, "personas": 0} | report.summary), flush=True)


def dealt(intents: pa.Table, seed: int) -> pa.Table:
    """The same intents with the people and sessions of others."""
    order = pa.array(np.random.default_rng(seed).permutation(len(intents)))
    for name in ("user_id", "session_id"):
        place = intents.column_names.index(name)
        intents = intents.set_column(place, name, intents[name].take(order))
    return intents


if __name__ == "__main__":
    main()

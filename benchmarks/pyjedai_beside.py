"""What pyJedAI makes of the two sets of the Leipzig benchmarks, to stand beside ours.

    python3.11 -m venv ENV && ENV/bin/pip install pyjedai==0.3.6
    ENV/bin/python benchmarks/pyjedai_beside.py DATA
    python benchmarks/identity.py DATA --only dblp_acm abt_buy

In an environment of its own (6 GB, PyTorch with CUDA among it), and nothing of ours is imported.
It leaves an empty folder `.embs` where it is run, and Ray's own files where Ray keeps them.
Prints one JSON line per set and workflow, both pyJedAI's, each in a process of its own. It makes
blocks in Ray's processes, which are not in `peak_gib`, though their start is in `seconds`.

* `default`: its `default_blocking_workflow_ccer`, as it runs.
* `tutorial`: its tutorial on clean-clean sets (`CleanCleanER.ipynb`). It is about Abt-Buy, so its
  threshold of 0.17 was chosen on one of the two sets; blocks are made of names (titles) alone.

The truth is read after everything is decided; `ceiling` is the F1 at the threshold that the truth
says is best, which nobody has who has no truth.
"""

import argparse
import json
import multiprocessing
import os
import resource
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

SETS = {  # -> files, separator, what the tutorial makes blocks of
    "dblp_acm": ("D4_dblp_acm", ("dblp", "acm"), "%", "title"),
    "abt_buy": ("D2_abt_buy", ("abt", "buy"), "|", "name"),
}
WORKFLOWS = ("default", "tutorial")
Pair = tuple[str, str]


def workflow(name: str, blocked: str) -> Any:
    """One of pyJedAI's own workflows."""
    from pyjedai.block_cleaning import BlockFiltering, BlockPurging
    from pyjedai.workflow import BlockingBasedWorkFlow

    flow = BlockingBasedWorkFlow()
    if name == "default":
        flow.default_blocking_workflow_ccer()
    else:
        flow.best_blocking_workflow_ccer()  # matches, prunes and clusters as the tutorial does
        flow.block_building |= {"attributes_1": [blocked], "attributes_2": [blocked]}
        flow.block_cleaning = [
            {"method": BlockPurging},
            {"method": BlockFiltering, "params": {"ratio": 0.8}},
        ]
    return flow


def figures(data: Path, name: str, way: str) -> dict[str, Any]:
    """What a workflow finds in a set, and what that costs."""
    import pandas as pd
    from pyjedai.datamodel import Data

    prefix, sources, separator, blocked = SETS[name]

    def table(part: str) -> pd.DataFrame:
        file = data / "er_benchmarks_pyjedai" / f"{prefix}_{part}.csv.gz"
        rows = pd.read_csv(file, sep=separator, engine="python", na_filter=False)
        return rows.astype(str)

    left, right = map(table, sources)
    ids = [*left["id"], *right["id"]]  # pyJedAI counts through the rows of both
    flow = workflow(way, blocked)
    last, flow.clustering = flow.clustering, None
    # The last step is taken apart, because the ceiling repeats it.
    started = time.perf_counter()
    both = Data(left, "id", dataset_2=right, id_column_name_2="id")
    flow.run(both)

    def clustered(**settings: float) -> list[tuple[float, Pair]]:
        found = last["method"]().process(flow.final_pairs, both, **settings)
        pairs = (sorted(one) for one in found if len(one) == 2)
        return [(flow.final_pairs[a][b]["weight"], (ids[a], ids[b])) for a, b in pairs]

    said = {pair for _, pair in clustered(**last.get("exec_params", {}))}
    seconds = round(time.perf_counter() - started, 1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    truth = set(table("gt").itertuples(index=False, name=None))
    good, ceiling = 0, (0.0, 0.0)
    # Unique mapping takes the best pair first, so a threshold cuts off the end of its list.
    for count, (weight, pair) in enumerate(sorted(clustered(similarity_threshold=0), reverse=True)):
        good += pair in truth
        ceiling = max(ceiling, (2 * good / (count + 1 + len(truth)), weight))
    return {
        "set": name, "pyjedai": way, **scored(said, truth), "seconds": seconds,
        "peak_gib": round(peak, 2), "ceiling": round(ceiling[0], 4),
        "ceiling_threshold": round(ceiling[1], 2), "cpus": os.cpu_count(),
    }  # fmt: skip


def scored(said: set[Pair], truth: set[Pair]) -> dict[str, float]:
    """Pairwise figures."""
    good = len(said & truth)
    return {
        "precision": round(good / max(len(said), 1), 4),
        "recall": round(good / len(truth), 4),
        "f1": round(2 * good / (len(said) + len(truth)), 4),
    }


def main() -> None:
    """Print one line per set and workflow."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    data = parser.parse_args().data
    with ProcessPoolExecutor(
        1, mp_context=multiprocessing.get_context("spawn"), max_tasks_per_child=1
    ) as one_by_one:
        for name in SETS:
            for way in WORKFLOWS:
                found = one_by_one.submit(figures, data, name, way).result()
                print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()

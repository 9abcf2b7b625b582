"""Personas on planted intents: adjusted Rand index beside what one would try first.

    python benchmarks/personas.py --seed 31 32 33 --people 2000
    python benchmarks/personas.py --seed 31 --control

One JSON line per world. Worlds come from `tests/gnn/planted.py`, intents without any ingestion; the
whole path is measured by `benchmarks/planted.py`. `ours` takes the proposal that comes back best;
the same method with one kind of proposal alone: `communities` (the global way), `users` (each
person's own groups, aligned: the hierarchical way), `parts`; and `all` with every kind. Of each:
adjusted Rand index, personas found, planted ones recovered (F1 of .7 or more), mean stability.
Baselines are given the true number of personas: k-means puts all of a person's episodes into the
person's group; NMF and LDA of people and types put each into its most probable part. `with_none`
counts noise as a group of its own (the baselines have no such answer), `planted_only` leaves it
out. Not tuned on these seeds.
"""

import argparse
import json
import resource
import time
from typing import Any

import numpy as np
from methods import METHODS
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.decomposition import NMF, LatentDirichletAllocation
from sklearn.metrics import adjusted_rand_score

from gnn.communities import native_leiden
from gnn.found import Found, PersonaConfig, Report
from gnn.personas import discover
from gnn.proposals import ProposalConfig
from gnn.tensors import Episodes
from tests.gnn.planted import Planted, Story, arranged, plant


def main() -> None:
    """Measure every world asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=2000)
    parser.add_argument("--seed", type=int, nargs="+", default=[31])
    parser.add_argument("--control", action="store_true", help="intents dealt to people at random")
    arguments = parser.parse_args()
    for seed in arguments.seed:
        world = plant(seed, Story(people=arguments.people))
        about = {"people": arguments.people, "seed": seed, "control": arguments.control}
        print(json.dumps(about | measured(world, seed, control=arguments.control)), flush=True)


OTHERS = METHODS | {"all": ProposalConfig(users=True)}


def measured(world: Planted, seed: int, *, control: bool) -> dict[str, Any]:
    """What was found in one world, and how fast."""
    episodes, truth = arranged(dealt(world, seed) if control else world)
    started = time.perf_counter()
    report = Report()
    found = discovered(episodes, ProposalConfig(), report)
    figures = {
        "episodes": len(episodes),
        "seconds": round(time.perf_counter() - started, 1),
        "parts": report.summary.get("seconds"),
        "peak_gib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
        "personas": found.rule.personas,
        "taken": report.summary.get("taken"),
        "unassigned_share": report.summary.get("unassigned_share"),
    }
    if control:
        return figures
    figures["ours"] = about(found, truth) | {"seconds": figures["seconds"]}
    for name, config in OTHERS.items():
        started = time.perf_counter()
        found = discovered(episodes, config, Report())
        seconds = round(time.perf_counter() - started, 1)
        figures[name] = about(found, truth) | {"seconds": seconds}
    others = baselines(episodes, int(truth.max()) + 1)
    return figures | {name: agreement(labels, truth) for name, labels in others.items()}


def about(found: Found, truth: NDArray[np.int64]) -> dict[str, Any]:
    """How near what was found is to what was planted."""
    labels = found.soft.argmax(1)
    return {
        **agreement(labels, truth),
        "personas": found.rule.personas,
        "recovered": recovered(labels, truth),
        "stability": round(float(np.mean(found.stability)), 3) if found.stability else None,
    }


def recovered(labels: NDArray[np.int64], truth: NDArray[np.int64]) -> int:
    """Planted personas whose episodes a found one holds with an F1 of .7 or more."""
    width = int(labels.max()) + 1
    both = np.bincount((truth + 1) * width + labels, minlength=(int(truth.max()) + 2) * width)
    both = both.reshape(-1, width)
    f1 = 2 * both / np.maximum(both.sum(1, keepdims=True) + both.sum(0), 1)
    return int((f1[1:, 1:].max(1, initial=0) >= 0.7).sum())


def discovered(episodes: Episodes, proposals: ProposalConfig, report: Report) -> Found:
    """The personas found from some kinds of proposals."""
    return discover(episodes, PersonaConfig(proposals=proposals), native_leiden, report)


def dealt(world: Planted, seed: int) -> Planted:
    """The same intents, dealt to people at random."""
    order = np.random.default_rng(seed).permutation(len(world.intents))
    intents = world.intents
    for name in ("user_id", "session_id"):
        place = intents.column_names.index(name)
        intents = intents.set_column(place, name, world.intents[name].take(order))
    return Planted(intents, world.users, world.truth)


def agreement(labels: NDArray[np.int64], truth: NDArray[np.int64]) -> dict[str, float]:
    """Adjusted Rand index with noise as a group, and without noise."""
    planted = truth >= 0
    return {
        "with_none": round(float(adjusted_rand_score(truth, labels)), 3),
        "planted_only": round(float(adjusted_rand_score(truth[planted], labels[planted])), 3),
    }


def baselines(episodes: Episodes, count: int) -> dict[str, NDArray[np.int64]]:
    """What one would try first, given the true number of personas."""
    people = len(episodes.user_ids)
    topics = np.zeros((people, len(episodes.topics)))
    np.add.at(topics, (episodes.user, episodes.type_parts[episodes.type, 1]), 1)
    shares = topics / np.maximum(topics.sum(1, keepdims=True), 1)
    group = KMeans(count, n_init=10, random_state=0).fit_predict(shares)
    table = np.zeros((people, episodes.type_count))
    np.add.at(table, (episodes.user, episodes.type), 1)
    found = {"kmeans_users": group[episodes.user].astype(np.int64)}
    for name, model in (
        ("nmf", NMF(count, init="nndsvda", max_iter=400, random_state=0)),
        ("lda", LatentDirichletAllocation(count, random_state=0)),
    ):
        weight = model.fit_transform(table)
        parts = model.components_ / model.components_.sum(1, keepdims=True)
        if name == "nmf":
            weight = weight * model.components_.sum(1)
        found[name] = (weight[episodes.user] * parts.T[episodes.type]).argmax(1)
    return found


if __name__ == "__main__":
    main()

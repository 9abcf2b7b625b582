"""Planted worlds: how much of what was planted does the main job recover?

    python benchmarks/planted.py --people 2000 --seed 11 12 13
    python benchmarks/planted.py --people 2000 --seed 11 --control
    python benchmarks/planted.py --world DIR --workspace W        # score what is there

Prints one JSON line per world: adjusted Rand index of events to planted personas, beside k-means on
users' category shares (given the true number of personas, and the best of several numbers), HDBSCAN
on sessions' embeddings and the ceiling (the posterior of each intent alone by whoever knows every
parameter and everybody's true weights; what else was done in the visit says more); people's weights
beside planted ones; identity (B-cubed, users mixed up); planted effects claimed. With --control the
world has no personas, and none should be found. Seeds that are scored are not used for tuning.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.sparse import csr_array
from scipy.spatial.distance import jensenshannon
from sklearn.cluster import HDBSCAN, KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import normalize

from gnn.text import Embedder
from ingestion.simulate import simulate, world
from ingestion.simulate.holders import Holders
from ingestion.simulate.score import EXPORTS, Match, Recovered, score

PROGRAM = Path(sys.executable).parent / "personagraph"
OTHER_COUNTS = (5, 8, 12, 15, 20)


def main() -> None:
    """Score every world asked for."""
    arguments = parse()
    for line in scored(arguments):
        print(json.dumps(line), flush=True)


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=2000)
    parser.add_argument("--seed", type=int, nargs="+", default=[11])
    parser.add_argument("--control", action="store_true", help="a world without personas")
    parser.add_argument("--world", type=Path, help="a simulated world (data/ and truth/)")
    parser.add_argument("--workspace", type=Path, help="a workspace that was run on it")
    return parser.parse_args()


def scored(arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """One result per world."""
    if arguments.world and arguments.workspace:
        yield {"world": arguments.world.name} | result(arguments.workspace, arguments.world)
        return
    for seed in arguments.seed:
        with tempfile.TemporaryDirectory() as folder:
            place, workspace = Path(folder) / "world", Path(folder) / "workspace"
            simulate(arguments.people, seed, place, planted=not arguments.control)
            started = time.monotonic()
            personagraph("run", place / "data", "-w", workspace)
            about = {"people": arguments.people, "seed": seed, "planted": not arguments.control}
            yield about | {"run_s": round(time.monotonic() - started, 1)} | result(workspace, place)


def personagraph(*arguments: str | Path) -> None:
    """Run the program; what it says goes to standard error."""
    subprocess.run(
        [str(PROGRAM), *map(str, arguments)], check=True, stdout=sys.stderr, env=dict(os.environ)
    )


def result(workspace: Path, place: Path) -> dict[str, Any]:
    """Figures of one workspace against the truth of its world."""
    truth = place / "truth"
    with tempfile.TemporaryDirectory() as folder:
        exports = {}
        for name in (*EXPORTS, "intents", "sessions"):
            file = Path(folder) / f"{name}.parquet"
            personagraph("export", name, "-w", workspace, "-o", file)
            exports[name] = pq.read_table(file)
    found = score(exports, truth)
    events = pd.read_parquet(truth / "events.parquet")
    is_planted = bool(events.persona.notna().any())
    figures = {
        "personas_found": found.found_count,
        "users": found.users,
        "people": found.people,
        "mixed_users": found.mixed_users,
        "bcubed_precision": round(found.identity.precision, 4),
        "bcubed_recall": round(found.identity.recall, 4),
        "bcubed_f1": round(found.identity.f1, 4),
        "coverage": round(found.coverage, 4),
    }
    if not is_planted:
        return figures
    return figures | {
        "ari": round(found.personas.ari, 4),
        "ari_kmeans": kmeans(exports["intents"], events),
        "ari_hdbscan": hdbscan(exports, events),
        "ari_ceiling": round(ceiling(events, truth), 4),
        "noise_left_out": round(found.noise_left_out, 4),
        "weights_distance": weights_distance(exports, events, truth, found.matches),
        "recovered": [match.planted for match in found.matches if match.is_recovered],
        "f1": {match.planted: round(match.f1, 3) for match in found.matches},
        "holders": holders_of(found),
        "effects_claimed": sum(one.is_recovered for one in found.responses),
        "effects_planted": len(found.responses),
    }


def holders_of(found: Recovered) -> dict[str, float]:
    """How many are rightly said to hold a recovered persona, and how many of its holders are."""
    every = sum(found.holders.values(), Holders())
    return {
        "precision": round(every.precision, 4),
        "recall": round(every.recall, 4),
        "recall_of_shown": round(every.recall_shown, 4),
    }


def kmeans(intents: pa.Table, events: pd.DataFrame) -> dict[str, float]:
    """ARI of k-means on users' shares of topics, by the users and topics that the run found."""
    rows = intents.select(["record_key", "user_id", "topic"]).to_pandas()
    shares = pd.crosstab(rows.user_id, rows.topic, normalize="index")
    planted = events[events.persona.notna()].merge(
        rows.drop_duplicates("record_key"), "inner", "record_key"
    )

    def ari(count: int) -> float:
        groups = KMeans(count, n_init=10, random_state=0).fit_predict(shares)
        user = dict(zip(shares.index, groups, strict=True))
        return float(adjusted_rand_score(planted.persona, planted.user_id.map(user)))

    true_count = ari(len(world.PERSONAS))
    best = max(true_count, *(ari(count) for count in OTHER_COUNTS))
    return {"true_count": round(true_count, 4), "best_of_several": round(best, 4)}


def hdbscan(exports: dict[str, pa.Table], events: pd.DataFrame) -> float:
    """ARI of sessions' texts, embedded and clustered by density; noise is a group of its own.

    A session's vector is the mean of what was done in it, in words; in ten directions.

    Source: Campello et al. 2013, doi:10.1007/978-3-642-37456-2_14.
    """
    sessions = exports["sessions"].select(["record_key", "session_id"]).to_pandas()
    rows = exports["intents"].to_pandas().merge(sessions, "inner", "record_key")
    texts, text = np.unique(rows.verb + " " + rows.topic.fillna(""), return_inverse=True)
    session = rows.session_id.astype("category").cat.codes.to_numpy()
    vectors = Embedder().encode(texts.tolist())
    ones = np.ones(len(rows), np.float32)
    mean = normalize(csr_array((ones, (session, text))), "l1") @ vectors
    places = PCA(10, random_state=0).fit_transform(mean)
    group = HDBSCAN(min_cluster_size=len(places) // 100, copy=True).fit_predict(places)
    found = rows.assign(group=group[session]).drop_duplicates("record_key")
    planted = events[events.persona.notna()].merge(found, "inner", "record_key")
    return round(float(adjusted_rand_score(planted.persona, planted.group)), 4)


def weights_distance(
    exports: dict[str, pa.Table], events: pd.DataFrame, truth: Path, matches: tuple[Match, ...]
) -> dict[str, float]:
    """Mean Jensen-Shannon distance (base 2) of people's weights to those they were planted with.

    Of users who hold something; beside it, of the same people, only their heaviest persona, and the
    shares of their intents by whoever knows the persona of each (few intents are an uncertain
    witness of weights even then). Found personas that match no planted one count as another.
    """
    meant = {match.persona_id: match.planted for match in matches if match.is_recovered}
    holdings = exports["holdings"].to_pandas()
    holdings = holdings[holdings.valid_to.isna()]
    named = holdings.persona_id.map(meant).fillna("another")
    held = holdings.assign(persona=named).pivot_table("weight", "user_id", "persona", "sum")
    users = exports["memberships"].select(["record_key", "user_id"]).to_pandas()
    whose = users.merge(events[["record_key", "person_id"]], on="record_key")
    person = whose.groupby("user_id").person_id.agg(lambda ids: ids.mode().iloc[0])
    people = pd.read_parquet(truth / "people.parquet").set_index("person_id")
    planted = pd.DataFrame(
        [dict(zip(*row, strict=True)) for row in zip(people.personas, people.weights, strict=True)],
        index=people.index,
    )
    every = planted.columns.union(held.columns)
    held = held.reindex(columns=every).fillna(0).loc[held.index.intersection(person.index)]
    true = planted.reindex(columns=every).fillna(0).loc[person.loc[held.index]]
    one = held.eq(held.max(axis=1), axis=0)
    intents = events[events.persona.notna()].drop_duplicates("intent")
    shares = pd.crosstab(intents.person_id, intents.persona).reindex(columns=every).fillna(0)
    shares = shares.reindex(person.loc[held.index])
    known = shares.notna().all(axis=1).to_numpy()
    return {
        "users": len(held),
        "ours": round(float(jensenshannon(true, held, base=2, axis=1).mean()), 4),
        "one_persona": round(float(jensenshannon(true, one, base=2, axis=1).mean()), 4),
        "personas_known": round(
            float(jensenshannon(true[known], shares[known], base=2, axis=1).mean()), 4
        ),
    }


def ceiling(events: pd.DataFrame, truth: Path) -> float:
    """ARI of the most probable persona of each intent, knowing every parameter of the world."""
    people = pd.read_parquet(truth / "people.parquet").set_index("person_id")
    intents = events.drop_duplicates("intent")
    weights = np.zeros((len(people), len(world.PERSONAS)))
    for row, (names, values) in enumerate(zip(people.personas, people.weights, strict=True)):
        weights[row, [world.PERSONA_NAMES.index(name) for name in names]] = values
    chance = np.log(weights[people.index.get_indexer(intents.person_id)] + 1e-6)
    at = intents.occurred_at.dt
    hour = (at.hour + at.minute / 60).to_numpy()
    in_visit = (intents.channel == "visit").to_numpy()
    signature = list(
        zip(intents.verb, intents.topic, intents.channel, intents.price_level, strict=True)
    )
    for number, persona in enumerate(world.PERSONAS):
        kinds = {(k.verb, k.topic, k.channel, k.tier): k.weight for k in persona.kinds}
        chance[:, number] += np.log([kinds.get(one, 1e-4) for one in signature])
        away = (hour - persona.hour + 12) % 24 - 12
        spread = persona.hour_spread
        chance[:, number] += in_visit * (-0.5 * (away / spread) ** 2 - np.log(spread))
        for weight, when in ((persona.weekdays, at.dayofweek), (persona.months, at.month - 1)):
            chance[:, number] += np.log(np.array(weight)[when] / np.mean(weight))
    guess = dict(zip(intents.intent, chance.argmax(axis=1), strict=True))
    planted = events[events.persona.notna()]
    return float(adjusted_rand_score(planted.persona, planted.intent.map(guess)))


if __name__ == "__main__":
    main()

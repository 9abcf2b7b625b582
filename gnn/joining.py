"""Topics of items and texts that came after the last search; all others keep theirs.

An item with categories is in those its catalogue names, be they new. Everything else joins the
nearest group of texts, or none. What joined does not move the groups, so that it is the same in
whatever order things came. The next search groups everything anew.
"""

from time import perf_counter
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from gnn.centres import joined
from gnn.languages import languages
from gnn.text import DEFAULT_MODEL, Embedder, embed
from gnn.topic_book import Book
from gnn.topics import (
    TOPIC_COLUMNS,
    free_texts,
    of_categories,
    plain,
    table_of,
    titles,
    uncategorised,
)
from kg.hashing import text_hash
from kg.progress import Progress, silent


def join(step: Any, embedder: Embedder, progress: Progress = silent) -> None:
    """Append topics of new items and texts; writes item_topics, text_topics and topics."""
    started = perf_counter()
    known = step.arrow("topics", TOPIC_COLUMNS[:4])
    topics = list(zip(*(known[name].to_pylist() for name in known.column_names), strict=True))
    book = Book(topics)
    there = {"item": uncategorised(step), "text": free_texts(step)}
    step.summary["languages"] = {
        what: languages(texts).said() for what, texts in there.items() if texts
    }
    with progress.task("Topics of what is new", 2) as task:
        items = _new_items(step)
        rows = of_categories(items, book)
        rows += _of_titles(step, embedder, items)
        task.advance()
        texts, text_rows = _of_texts(step, embedder, there["text"])
        task.advance()
    step.append("item_topics", table_of(rows, ["item_id", "topic", "kind", "level"]))
    step.append("text_topics", table_of(text_rows, ["text_hash", "topic", "level"]))
    everything = sorted({*topics, *book.known})
    counted = pc.value_counts(step.arrow("item_topics", ["topic"])["topic"]).to_pylist()
    count = {row["values"]: row["counts"] for row in counted}
    step.overwrite(
        "topics", table_of([(*one, count.get(one[0], 0)) for one in everything], TOPIC_COLUMNS)
    )
    step.summary.update(
        new_items=items.num_rows,
        new_items_in_none=items.num_rows - len({row[0] for row in rows}),
        new_texts=texts,
        new_texts_in_none=texts - len({row[0] for row in text_rows}),
        new_topics=len(everything) - len(topics),
        is_english_model=embedder.name == DEFAULT_MODEL,
        are_divided=bool(embedder.pipeline),
        seconds=round(perf_counter() - started, 2),
    )


def _new_items(step: Any) -> pa.Table:
    items = step.table("items").filter(lambda t: t.role == "item")
    new = items.anti_join(step.table("item_topics"), "item_id")
    return new.select("item_id", "title", "categories").order_by("item_id").to_pyarrow()


def _of_titles(step: Any, embedder: Embedder, items: pa.Table) -> list[tuple[Any, ...]]:
    new = titles(items)
    near = _near(step, embedder, "item", [title for _, title in new])
    return [
        (item, topic, "text", level)
        for (item, _), levels in zip(new, near, strict=True)
        for level, topic in enumerate(levels)
    ]


def _of_texts(step: Any, embedder: Embedder, texts: list[str]) -> tuple[int, list[tuple[Any, ...]]]:
    known = set(step.arrow("text_topics", ["text_hash"])["text_hash"].to_pylist())
    new = [text for text in texts if text_hash(text) not in known]
    rows = [
        (text_hash(text), topic, level)
        for text, levels in zip(new, _near(step, embedder, "text", new), strict=True)
        for level, topic in enumerate(levels)
    ]
    return len(new), rows


def _near(step: Any, embedder: Embedder, what: str, texts: list[str]) -> list[tuple[str, ...]]:
    """The broad and the fine topic that each text joins; () where it joins none."""
    groups = step.arrow("topic_centres", ["what", "topic", "broad", "reach", "vector"])
    groups = groups.filter(pc.equal(groups["what"], what))
    if not texts or not len(groups):
        return [()] * len(texts)
    names = list(zip(groups["broad"].to_pylist(), groups["topic"].to_pylist(), strict=True))
    found = joined(embed(step, embedder, plain(texts, embedder.pipeline)), groups)
    return [names[place] if place >= 0 else () for place in found.tolist()]

"""Do personas found in the past say what people do next? Hit rates beside simpler recommenders.

    python benchmarks/hits.py DATA --seeds 3     # DATA holds online_retail_ii/, sx_mathoverflow/
    python benchmarks/hits.py DATA --by users    # personas found in one of benchmarks/methods.py

The past is what lies before a cut; personas, topics, vectors and counts see nothing later. Of
everybody with a past and a future the next moment counts (a basket; an answer or comment), and H@k
is the share of its items among the first k of a ranking of *all* items of the past: `any` with what
the person already had, `new` among what they never had (their next moment with something new).
Means over people. In mathoverflow an item is the person who is answered, never oneself.

`popularity` counts items, recent ones more (half-life chosen on an earlier cut, the same for
every method that counts); `last_item` ranks by likeness, over people, to the items of the last
moment; `user_vector` is the person's history in 64 directions (PureSVD); `kmeans` has one group per
person from these vectors, as many as there are personas, and ranks by its counts; `personas` weighs
each persona's counts by the person's weights in it. Both fall back on popularity, wholly so for
whoever holds nothing. `own_...` is what the person had, recent acts more, smoothed by one of these
(how much, chosen on an earlier cut with popularity, is the same for all): does it say anything that
their own history does not? Prints a line per data set, seed and method, then means and spreads.

These are our own definitions: those of arXiv:2604.26120 could not be had.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from methods import METHODS
from scipy.sparse import csr_array, diags_array
from scipy.sparse.linalg import svds
from sklearn.cluster import KMeans

from gnn.communities import native_leiden
from gnn.found import PersonaConfig, Report
from gnn.personas import discover
from gnn.proposals import ProposalConfig
from gnn.tensors import Episodes, arrange
from gnn.text import Embedder, lemmas, stop_words
from gnn.topics import VARIANTS, TopicConfig, group

DIRECTIONS, TOPS = 64, (10, 100)
HALF_LIVES_DAYS = (14, 30, 90, 365)
SMOOTHED_BY = (1, 3, 10, 30, 100, 300)
BACK_OFF = 200.0
"""How many of everybody's acts stand beside a group's own."""
DAY_MS = 86_400_000

Scores = Callable[[Any], Any]
"""Rows of some users (r,) -> scores of all items (r, i)."""

READ = {
    "online_retail_ii": (
        """SELECT DISTINCT 'u' || CustomerID AS user_id, StockCode AS item, 'bought' AS verb,
        'wholesale' AS channel, epoch_ms(InvoiceDate) AS at_ms, Invoice AS basket,
        Description AS title, Quantity::DOUBLE AS quantity, Quantity * Price AS value
        FROM read_parquet('{folder}/online_retail_ii.parquet')
        WHERE CustomerID IS NOT NULL AND Quantity > 0 AND Price > 0
          AND regexp_matches(StockCode, '^[0-9]{{5}}')""",
        "2011-09-10",
    ),
    "sx_mathoverflow": (
        """SELECT 'u' || "user" AS user_id, 'u' || target_user AS item, event AS verb,
        'site' AS channel, epoch_ms(timestamp) AS at_ms, epoch_ms(timestamp)::VARCHAR AS basket,
        NULL::VARCHAR AS title, 1.0::DOUBLE AS quantity, 0.0::DOUBLE AS value
        FROM read_parquet('{folder}/events.parquet')
        WHERE "user" <> target_user AND timestamp >= '2013-01-01'""",
        "2015-07-01",
    ),
}
SESSIONS = """
CREATE OR REPLACE TABLE acts AS
WITH marked AS (SELECT *, if(at_ms - lag(at_ms) OVER (PARTITION BY user_id ORDER BY at_ms)
        <= 1800000, 0, 1) AS opens FROM past),
numbered AS (SELECT * EXCLUDE (opens), user_id || '-' || sum(opens) OVER (PARTITION BY user_id
        ORDER BY at_ms RANGE UNBOUNDED PRECEDING) AS session_id FROM marked)
SELECT *, session_id || '|' || verb || '|' || topic AS intent_id
FROM numbered JOIN topics USING (item)
"""
INTENTS = """
SELECT intent_id, user_id, session_id, verb, topic, any_value(channel) AS channel,
    row_number() OVER (PARTITION BY session_id ORDER BY min(at_ms), intent_id) AS position,
    min(at_ms) AS started_at_ms, count(*) AS event_count, sum(quantity) AS quantity,
    sum(value) AS value, hour(epoch_ms(min(at_ms)))::INT AS hour,
    (isodow(epoch_ms(min(at_ms))) - 1)::INT AS weekday
FROM acts GROUP BY intent_id, user_id, session_id, verb, topic ORDER BY intent_id
"""


@dataclass(frozen=True)
class Past:
    """What was known at the cut, and what came next.

    Shapes: u users, i items; `at_ms`, `user`, `item` one per act; `had` (u, i) counts; `last` and
    the two of `future` (u, i) 0 or 1.
    """

    at_ms: Any
    user: Any
    item: Any
    had: Any
    last: Any
    future: dict[str, Any]
    cut_ms: int


def main() -> None:
    """Measure every data set and seed, then sum up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--only", choices=list(READ), nargs="+", default=list(READ))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--by", choices=list(METHODS), help="only in this way")
    arguments = parser.parse_args()
    proposals = METHODS[arguments.by] if arguments.by else ProposalConfig()
    for name in arguments.only:
        lines = []
        for line in measured(name, arguments.data / name, arguments.seeds, proposals):
            lines.append(line)
            print(json.dumps(line), flush=True)
        for method in dict.fromkeys(line["method"] for line in lines):
            mine = [line for line in lines if line["method"] == method]
            print(json.dumps({"data": name, "method": method, "seeds": len(mine)} | spread(mine)))


def spread(lines: list[dict[str, Any]]) -> dict[str, str]:
    """Mean and standard deviation over seeds of every hit rate."""
    names = [name for name in lines[0] if "@" in name]
    found = {name: [line[name] for line in lines] for name in names}
    return {name: f"{np.mean(one):.4f} ± {np.std(one):.4f}" for name, one in found.items()}


def measured(
    name: str, folder: Path, seeds: int, proposals: ProposalConfig
) -> Iterator[dict[str, Any]]:
    """All methods on one data set."""
    reading, day = READ[name]
    connection = duckdb.connect()
    connection.execute("CREATE TABLE told AS " + reading.format(folder=folder))
    cut = int(np.datetime64(day, "ms").astype(np.int64))
    half_life, smoothed = chosen(past_of(connection, cut - 90 * DAY_MS))
    past = past_of(connection, cut)
    vectors = directions(past)
    topics_of(connection, past, vectors[1])
    connection.execute(SESSIONS)
    episodes = arranged(connection)
    popular = counted(past, np.zeros((past.had.shape[0], 1)), half_life)
    plain = {
        "popularity": popular,
        "own_popularity": smooth(past, popular, half_life, smoothed),
        "last_item": last_item(past),
        "user_vector": lambda rows: vectors[0][rows] @ vectors[1].T,
    }
    for seed in range(seeds):
        about = {"data": name, "seed": seed, "half_life_days": half_life, "smoothed": smoothed}
        started = time.perf_counter()
        report = Report()
        config = PersonaConfig(seed=seed, proposals=proposals)
        soft = discover(episodes, config, native_leiden, report).soft
        about |= {"personas": soft.shape[1] - 1, "people": int(past.had.shape[0])}
        about["seconds"] = round(time.perf_counter() - started, 1)
        ours = by_personas(connection, past, episodes, soft, half_life)
        groups = KMeans(max(soft.shape[1] - 1, 2), n_init=3, random_state=seed)
        one = np.eye(groups.n_clusters)[groups.fit_predict(unit(vectors[0]))]
        other = counted(past, np.c_[np.zeros(len(one)), one], half_life)
        groups_say = {
            "kmeans": other,
            "own_kmeans": smooth(past, other, half_life, smoothed),
            "personas": ours,
            "own_personas": smooth(past, ours, half_life, smoothed),
        }
        for method, scores in (plain | groups_say).items():
            yield about | {"method": method} | hits(past, scores)


def past_of(connection: duckdb.DuckDBPyConnection, cut: int) -> Past:
    """Split by time; users and items are those of the past, in the order of their names."""
    connection.execute(f"CREATE OR REPLACE TABLE past AS FROM told WHERE at_ms < {cut}")
    for what in ("user_id", "item"):
        connection.execute(
            f"""CREATE OR REPLACE TABLE {what}s AS SELECT {what},
            row_number() OVER (ORDER BY {what}) - 1 AS {what}_n
            FROM (SELECT DISTINCT {what} FROM past)"""
        )
    shape = tuple(
        connection.sql(f"SELECT count(*) FROM {what}s").fetchone()[0]
        for what in ("user_id", "item")
    )

    def table(rows: str) -> Any:
        found = connection.sql(
            f"SELECT user_id_n, item_n FROM ({rows}) JOIN user_ids USING (user_id) "
            "JOIN items USING (item) ORDER BY ALL"
        ).fetchnumpy()
        place = found["user_id_n"], found["item_n"]
        return csr_array((np.ones(len(place[0])), place), shape=shape)

    acts = connection.sql(
        "SELECT at_ms, user_id_n, item_n FROM past JOIN user_ids USING (user_id) "
        "JOIN items USING (item) ORDER BY ALL"
    ).fetchnumpy()
    moment = "PARTITION BY user_id ORDER BY at_ms"
    last = f"SELECT DISTINCT user_id, item FROM past QUALIFY rank() OVER ({moment} DESC) = 1"
    later = f"SELECT * FROM told WHERE at_ms >= {cut}"
    unseen = f"({later}) ANTI JOIN past USING (user_id, item)"
    first = f"SELECT DISTINCT user_id, item FROM {{}} QUALIFY rank() OVER ({moment}) = 1"
    return Past(
        acts["at_ms"],
        acts["user_id_n"],
        acts["item_n"],
        table("SELECT user_id, item FROM past"),
        table(last),
        # An item that nobody had in the past cannot be hit, and counts all the same.
        {
            "any": (
                table(first.format(f"({later})")),
                sizes(connection, first, f"({later})", shape),
            ),
            "new": (table(first.format(unseen)), sizes(connection, first, unseen, shape)),
        },
        cut,
    )


def sizes(connection: duckdb.DuckDBPyConnection, first: str, rows: str, shape: Any) -> Any:
    """How many items each user's next moment has, those unknown to the past too. (u,)"""
    found = connection.sql(
        f"SELECT user_id_n, count(*) AS n FROM ({first.format(rows)}) "
        "JOIN user_ids USING (user_id) GROUP BY ALL"
    ).fetchnumpy()
    made = np.zeros(shape[0])
    made[found["user_id_n"]] = found["n"]
    return made


def hits(past: Past, scores: Scores) -> dict[str, float]:
    """H@k of one ranking."""
    made = {}
    for which, (items, size) in past.future.items():
        people = np.flatnonzero(size > 0)
        found = dict.fromkeys(TOPS, 0.0)
        for some in np.array_split(people, len(people) // 500 + 1):
            score = np.array(scores(some), np.float32)
            if which == "new":
                score[past.had[some].nonzero()] = -np.inf
            first = best(score, max(TOPS))
            hit = np.take_along_axis(items[some].toarray(), first, axis=1)
            for top in TOPS:
                found[top] += float((hit[:, :top].sum(1) / size[some]).sum())
        for top in TOPS:
            made[f"{which}@{top}"] = round(found[top] / max(len(people), 1), 4)
    return made


def best(score: Any, count: int) -> Any:
    """The places of the highest scores of each row, best first. (r, i) -> (r, count)"""
    some = np.argpartition(-score, count, axis=1)[:, :count]
    order = np.argsort(-np.take_along_axis(score, some, axis=1), axis=1, kind="stable")
    return np.take_along_axis(some, order, axis=1)


def chosen(past: Past) -> tuple[int, int]:
    """On an earlier cut: popularity's best half-life, and how much of it best smooths the own."""
    nobody = np.zeros((past.had.shape[0], 1))
    found = [hits(past, counted(past, nobody, days))["any@100"] for days in HALF_LIVES_DAYS]
    half_life = HALF_LIVES_DAYS[int(np.argmax(found))]
    popular = counted(past, nobody, half_life)
    own = [hits(past, smooth(past, popular, half_life, by))["any@100"] for by in SMOOTHED_BY]
    return half_life, SMOOTHED_BY[int(np.argmax(own))]


def recency(past: Past, half_life: float) -> Any:
    """What an act counts. (acts,)"""
    return 0.5 ** ((past.cut_ms - past.at_ms) / (half_life * DAY_MS))


def smooth(past: Past, scores: Scores, half_life: float, by: float) -> Scores:
    """What people had themselves, with so many acts of somebody else's ranking beside.

    Source: Zhai and Lafferty 2004, doi:10.1145/984321.984322 (Dirichlet smoothing).
    """
    worth = recency(past, half_life)
    own = csr_array((worth, (past.user, past.item)), shape=past.had.shape)
    return lambda rows: own[rows].toarray() + by * scores(rows)


def counted(past: Past, groups: Any, half_life: float, of_act: Any = None) -> Scores:
    """Each person's items by the counts of their groups, with everybody's to fall back on.

    Args:
        groups: (u, g + 1) weights of people in groups, column 0 none.
        of_act: (acts, g + 1) weights of acts, if not those of their people.
    """
    worth = recency(past, half_life)
    everyone = np.bincount(past.item, worth, past.had.shape[1])
    everyone /= everyone.sum()
    weight = groups[past.user] if of_act is None else of_act
    shares = [everyone]
    for column in weight.T[1:]:
        own = np.bincount(past.item, worth * column, len(everyone))
        shares.append((own + BACK_OFF * everyone) / (own.sum() + BACK_OFF))
    known = groups.copy()
    known[:, 0] = 1 - known[:, 1:].sum(1)
    table = np.array(shares, np.float32)
    return lambda rows: known[rows].astype(np.float32) @ table


def last_item(past: Past) -> Scores:
    """Likeness (cosine over people) to the items of the last moment."""
    had = csr_array(past.had > 0).astype(float)
    length = np.sqrt(np.maximum(had.sum(0), 1))
    had = (had @ diags_array(1 / length)).tocsr()
    popular = past.had.sum(0) / past.had.sum()  # where nothing is alike
    alike = had.T.tocsr()
    return lambda rows: ((past.last[rows] @ alike) @ had).toarray() + 1e-6 * popular


def directions(past: Past) -> tuple[Any, Any]:
    """People and items in few directions. -> (u, d), (i, d)

    Source: Cremonesi et al. 2010, doi:10.1145/1864708.1864721 (PureSVD).
    """
    table = past.had.copy()
    table.data = np.log1p(table.data)
    start = np.ones(min(table.shape))
    _, _, items = svds(table, DIRECTIONS, v0=start)
    return table @ items.T, items.T


def unit(rows: Any) -> Any:
    """Rows of length 1."""
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


def topics_of(connection: duckdb.DuckDBPyConnection, past: Past, vectors: Any) -> None:
    """The topic of each item: groups of titles where there are some, else of vectors."""
    titles = connection.sql(
        "SELECT item, mode(title) AS title FROM past GROUP BY item ORDER BY item"
    ).to_arrow_table()
    names = titles["title"].to_pylist()
    if any(names):
        texts = [name or "" for name in names]
        dropped = VARIANTS | stop_words()
        words = [[w for w in some if len(w) > 1 and w not in dropped] for some in lemmas(texts)]
        config = TopicConfig()
        found = group(words, Embedder().encode(texts), config.most_item_groups, config).levels[-1]
    else:
        groups = KMeans(TopicConfig().most_item_groups, n_init=1, random_state=0)
        found = groups.fit_predict(unit(vectors))
    topics = pa.table({"item": titles["item"], "topic": [f"topic-{n}" for n in found.tolist()]})
    connection.register("found_topics", topics)
    connection.execute("CREATE OR REPLACE TABLE topics AS FROM found_topics")


def arranged(connection: duckdb.DuckDBPyConnection) -> Episodes:
    """The episodes of the past; halves of the people by a hash."""
    intents = connection.sql(INTENTS).to_arrow_table()
    users = connection.sql(
        "SELECT user_id, if(hash(user_id) % 2 = 0, 'fit', 'test') AS half FROM user_ids "
        "ORDER BY ALL"
    ).to_arrow_table()
    return arrange(intents, users)


def by_personas(
    connection: duckdb.DuckDBPyConnection,
    past: Past,
    episodes: Episodes,
    soft: Any,
    half_life: float,
) -> Scores:
    """Each persona's items, weighed by how much of it a person's episodes are."""
    people = np.zeros((past.had.shape[0], soft.shape[1]))
    np.add.at(people, episodes.user, soft)  # both in the order of the ids
    people /= np.maximum(people.sum(1, keepdims=True), 1e-9)
    place = {"intent_id": episodes.intents.ids, "episode": episodes.intents.episode}
    connection.register("episode_of", pa.table(place))
    episode = connection.sql(
        "SELECT episode FROM acts JOIN episode_of USING (intent_id) JOIN user_ids USING (user_id) "
        "JOIN items USING (item) ORDER BY at_ms, user_id_n, item_n"
    ).fetchnumpy()["episode"]
    return counted(past, people, half_life, soft[episode])


if __name__ == "__main__":
    main()

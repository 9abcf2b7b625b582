"""How well holding personas foretells a goal, on people and in time that did not make them.

At a moment t it is asked who held what, by what they had done until then, and who reached the goal
in the time after it. A logistic regression is fitted one such time earlier, on people of half
`fit`; it is judged at t, on people of half `test`. Found personas are read by the stored rule, fed
with nothing later than the moment; their rule was learned from half `fit` alone.

Source: Fawcett 2006, doi:10.1016/j.patrec.2005.10.010 (AUC); Efron and Tibshirani 1993 (bootstrap).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gnn.found import PersonaConfig, holders
from gnn.kept import joined
from gnn.memberships import MixtureConfig, Rule, assign
from gnn.tensors import INTENT_COLUMNS, Floats, Ints, arrange
from kg.personas.kinds import DAY_MS
from kg.personas.statistics import MIN_PEOPLE

if TYPE_CHECKING:
    from kg.lake import Lake

DRAWS = 200
SEED = 0
Tree = dict[str, Any]


@dataclass(frozen=True)
class Moment:
    """Who there was at a moment, and what they held by then.

    Shapes: user_ids (u,), fit (u,), found (u, k), activity (u,) intents until then.
    """

    at_ms: int
    user_ids: tuple[str, ...]
    fit: Any
    found: Any
    activity: Ints


def moment(lake: "Lake", trees: list[Tree], at_ms: int) -> Moment:
    """Everybody with an intent until a moment, and the found personas they held by then."""
    rows = lake.table("intents")
    rows = rows.filter(rows.started_at_ms <= at_ms).select(*INTENT_COLUMNS)
    intents = lake.run(rows)
    out = lake.arrow("kept_out", ["intent_id"])["intent_id"]
    episodes = arrange(intents, lake.arrow("users", ["user_id", "half"]), out)
    activity = pc.value_counts(intents["user_id"].combine_chunks())
    place = pc.index_in(
        activity.field("values"), value_set=pa.array(episodes.user_ids, pa.string())
    )
    counts = np.zeros(len(episodes.user_ids), np.int64)
    counts[place.to_numpy()] = activity.field("counts").to_numpy()
    if not trees:
        nobody = np.zeros((len(counts), 0), bool)
        return Moment(at_ms, episodes.user_ids, episodes.fit, nobody, counts)
    config = PersonaConfig()
    bare = Rule(
        np.zeros((1, episodes.type_count)), (), (), (), np.inf, np.zeros(0), MixtureConfig()
    )
    rule = joined(episodes, bare, trees, config)
    soft = assign(episodes, np.arange(len(episodes)), episodes.manners, rule)
    held = holders(episodes, soft, config)
    return Moment(at_ms, episodes.user_ids, episodes.fit, held, counts)


@dataclass(frozen=True)
class Task:
    """A goal as something to foretell at two moments: learned at the earlier, judged at the later.

    Attributes:
        reached: (user_id, at_ms) of everything that reached the goal.
        within_ms: how long after a moment it counts.
        by_rule: the holdings of personas by rule at each moment, (u, r).
    """

    goal: str
    reached: pa.Table
    within_ms: int
    earlier: Moment
    later: Moment
    by_rule: tuple[Any, Any]


def accuracy(task: Task) -> dict[str, Any]:
    """AUC of found personas, of personas by rule, of both, and of activity alone; with base rate.

    Where a figure cannot be had, `why_not` says so instead.
    """
    learn, judge = task.earlier, task.later
    y = [_reached(task, one) for one in (learn, judge)]
    mine, theirs = learn.fit, ~judge.fit
    told: dict[str, Any] = {
        "goal": task.goal,
        "within_days": task.within_ms // DAY_MS,
        "learned_on": int(mine.sum()),
        "judged_on": int(theirs.sum()),
        "base_rate": round(float(y[1][theirs].mean()), 4) if theirs.any() else None,
    }
    for which, who, people in (("learn it from", y[0], mine), ("judge it on", y[1], theirs)):
        yes = int(who[people].sum())
        if min(yes, int(people.sum()) - yes) < MIN_PEOPLE:
            return told | {
                "why_not": f"fewer than {MIN_PEOPLE} people did, or did not, reach it in time "
                f"among those to {which}"
            }
    active = [np.log1p(one.activity)[:, None] for one in (learn, judge)]
    tables = {
        "found": (learn.found, judge.found),
        "rule": task.by_rule,
        "both": tuple(
            np.concatenate([one.found, rules], 1)
            for one, rules in zip((learn, judge), task.by_rule, strict=True)
        ),
        "activity alone": tuple(active),
    }
    for name, (before, now) in tables.items():
        told[name] = _judged(before[mine], y[0][mine], now[theirs], y[1][theirs])
    return told


def _reached(task: Task, at: Moment) -> Any:
    """Who reached the goal in the time after a moment. -> (u,) bool"""
    rows = task.reached
    inside = pc.and_(
        pc.greater(rows["at_ms"], at.at_ms),
        pc.less_equal(rows["at_ms"], at.at_ms + task.within_ms),
    )
    who = pc.unique(rows.filter(inside)["user_id"])
    return pc.is_in(pa.array(at.user_ids, pa.string()), value_set=who).to_numpy(
        zero_copy_only=False
    )


def _judged(before: Any, reached_before: Any, now: Any, reached: Any) -> dict[str, Any]:
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score

    if not before.shape[1]:
        return {"why_not": "there are none"}
    if not before.any() or not now.any():
        return {"why_not": "nobody held one by then"}
    model = LogisticRegression(max_iter=1000).fit(before.astype(float), reached_before)
    score: Floats = model.decision_function(now.astype(float))
    rng, draws = np.random.default_rng(SEED), []
    for _ in range(DRAWS):
        drawn = rng.integers(0, len(score), len(score))
        if 0 < reached[drawn].sum() < len(drawn):
            draws.append(roc_auc_score(reached[drawn], score[drawn]))
    return {
        "auc": round(float(roc_auc_score(reached, score)), 4),
        "mean": round(float(np.mean(draws)), 4),
        "spread": round(float(np.std(draws)), 4),
    }

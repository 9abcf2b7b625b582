"""What tells nobody from anybody is no persona."""

from dataclasses import replace

import numpy as np

from gnn.apart import LEAST_TESTED, apart, busier
from tests.gnn.planted import Story, arranged, plant


def test_holders_at_random_are_told_from_nobody_and_true_holders_are() -> None:
    episodes, truth = arranged(plant(5, Story(people=400)))
    personas = int(truth.max()) + 1
    true = np.zeros((len(episodes.user_ids), personas), bool)
    own = truth >= 0
    true[episodes.user[own], truth[own]] = True
    hat = true[np.random.default_rng(0).permutation(len(true))]
    many = true[~episodes.fit].sum(0) >= LEAST_TESTED
    assert many.sum() > 5
    assert apart(episodes, true, most_q=0.01).tolist() == many.tolist()
    assert not apart(episodes, hat, most_q=0.01).any()


def test_few_holders_are_enough_where_all_do_what_hardly_anybody_does() -> None:
    """A persona of 2 % of a thousand people has some ten in the half that tests, or fewer."""
    episodes, _ = arranged(plant(5, Story(people=1600)))
    testing = np.intersect1d(np.flatnonzero(~episodes.fit), episodes.user)
    doing = np.random.default_rng(0).choice(testing, 60, replace=False)
    kind = episodes.type.copy()
    kind[np.searchsorted(episodes.user, doing)] = episodes.type_count
    parts = np.vstack([episodes.type_parts, [0, len(episodes.topics)]])
    topics = (*episodes.topics, "what hardly anybody does")
    episodes = replace(episodes, type=kind, type_parts=parts, topics=topics)
    held = np.zeros((len(episodes.user_ids), 4), bool)
    held[doing[:5], 0] = True
    held[doing[1:5], 1] = True
    held[np.setdiff1d(testing, doing)[:5], 2] = True
    held[:, 3] = True
    assert apart(episodes, held, most_q=0.01).tolist() == [True, False, False, False]


def test_what_everybody_holds_is_told_from_nobody() -> None:
    episodes, _ = arranged(plant(5, Story(people=100)))
    everybody = np.ones((len(episodes.user_ids), 1), bool)
    assert apart(episodes, everybody, most_q=0.01).tolist() == [False]
    assert apart(episodes, everybody[:, :0], most_q=0.01).tolist() == []


def test_where_most_holders_are_busier_than_all_others_nothing_is_told() -> None:
    """Whoever is busy holds it, and of the quiet ones those who did one thing."""
    episodes, _ = arranged(plant(5, Story(people=800)))
    counts = np.bincount(episodes.user, minlength=len(episodes.user_ids))
    topic = episodes.type_parts[episodes.type, 1]
    did = np.isin(np.arange(len(counts)), episodes.user[topic == topic[0]])
    held = (counts >= np.quantile(counts[counts > 0], 0.4)) | did
    assert apart(episodes, held[:, None], most_q=0.01).tolist() == [False]
    assert apart(episodes, did[:, None], most_q=0.01).tolist() == [True]
    assert busier(episodes, np.stack([held, did], axis=1)).tolist() == [True, False]

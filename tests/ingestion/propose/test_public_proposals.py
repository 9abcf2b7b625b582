"""Proposals for public data sets: what is read by them, once at most two of their lines are
corrected, is what is read by the mapping that was written by hand."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from readings import assert_declares, assert_read_the_same

from ingestion.detect import examples_by_name
from ingestion.mapping import Mapping, parse
from ingestion.propose import propose

pytestmark = pytest.mark.data

MOVIES = """
name: movies
consent: {default: granted, basis: published research data}
time_zone: UTC
tables:
  ratings:
    files: ratings.parquet
    kind: event
    identifiers: {user: userId}
    time: timestamp
    verb: rated
    item: movieId
    quantity: rating
  tags:
    files: tags.parquet
    kind: event
    identifiers: {user: userId}
    time: timestamp
    verb: tagged
    item: movieId
    text: tag
  movies:
    files: movies.parquet
    kind: item
    item: {id: movieId, title: title, categories: [genres]}
    lists: {genres: "|"}
"""
TELCO = """
name: telco
consent: {default: granted, basis: fictional people}
tables:
  customers:
    files: telco_customer_churn.parquet
    kind: profile
    key: customerID
    identifiers: {customer: customerID}
    traits: [gender, SeniorCitizen, Partner, Dependents, PhoneService, MultipleLines,
             InternetService, Contract, PaperlessBilling, PaymentMethod, Churn]
    describe: [gender, SeniorCitizen, Contract, Churn]
"""
# Data set -> lines of the proposal that are corrected (what stands there, what should).
CORRECTED: dict[str, list[tuple[str, str]]] = {
    "online_retail_ii": [
        ("time_zone: UTC", "time_zone: Europe/London"),
        ("[ADJUST, ", "[C3, ADJUST, "),
    ],
    "completejourney": [
        ("topic_level: 1", "topic_level: 0"),
        (
            "    verb: bought",
            "    nobody: [{quantity: {at_most: 0}, sales_value: {at_most: 0}}]\n    verb: bought",
        ),
    ],
    "ms_customer_insights_sample": [],
    "movielens_latest_small": [],
    "telco_churn_ibm": [],
}


def by_hand(name: str) -> Mapping:
    shipped = examples_by_name()
    if name in shipped:
        return shipped[name]
    return parse(MOVIES if name == "movielens_latest_small" else TELCO)


@pytest.fixture
def data() -> Callable[[str], Path]:
    folder = os.environ.get("PERSONAGRAPH_TEST_DATA")
    if not folder:
        pytest.skip("PERSONAGRAPH_TEST_DATA names no folder")
    return lambda name: Path(folder) / name


@pytest.mark.parametrize("name", sorted(CORRECTED))
def test_a_proposal_with_two_lines_corrected_reads_what_a_mapping_by_hand_reads(
    name: str, data: Callable[[str], Path]
) -> None:
    folder = data(name)
    proposal = propose(folder)
    text = proposal.text
    assert len(CORRECTED[name]) <= 2
    for wrong, right in CORRECTED[name]:
        assert text.count(wrong) == 1
        text = text.replace(wrong, right)
    proposed, expected = parse(text), by_hand(name)
    assert_read_the_same(folder, proposed, expected)
    assert_declares(folder, proposed, expected)

"""How well and how fast people are told apart, on sets whose truth is known.

    python benchmarks/identity.py DATA [--only febrl_3 febrl_4 …] [--spark "local[2]"]

Prints one JSON line per set; with `--spark`, the same set in this process and on Spark, and how far
their judgements lie apart. The truth is read after everything is decided; nothing is fitted on
it, and the operating point is the product's own on every set (`ingestion.identity.matching`). It
was chosen on `febrl_1`, `febrl_2` and `fake_1000`, which are printed for that reason only.
"""

import argparse
import json
import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from ingestion.identity import IdentityConfig, resolve, touched
from ingestion.identity.compared import nicknames
from ingestion.identity.fields import Field
from ingestion.identity.joining import Cause, Evidence, Guards, join
from ingestion.identity.matching import AGAINST, OPERATING_POINT, bits_of
from ingestion.identity.model import FLOOR_BITS, RANDOM_PAIRS, estimate, quiet, score
from ingestion.ingest import ingest
from ingestion.mapping import parse
from ingestion.simulate.agreement import agreement, pairs
from ingestion.simulate.generate import simulate
from kg.lake import TABLES, Lake, Writer
from kg.lake.scratch import Scratch
from kg.settings import read_settings

Figures = dict[str, Any]
PEOPLE = "er_person_febrl_splink"
LONGEST_SECONDS = 15 * 60
"""What takes longer in a process of its own is stopped."""
_HEAD = """\
name: {name}
consent: {{default: granted, basis: published test data}}
time_zone: UTC
tables:
"""
_FEBRL = """\
  {table}:
    files: {table}.parquet
    kind: profile
    key: rec_id
    person:
      given_name: given_name
      family_name: surname
      street: [street_number, address_1]
      city: suburb
      postcode: postcode
      region: state
      number: soc_sec_id
      birth_date: {{column: date_of_birth, formats: "%Y%m%d"}}
"""
_FAKE = """\
  fake:
    files: fake.parquet
    kind: profile
    key: unique_id
    identifiers: {email: {column: email, trust: 6}}
    person: {given_name: first_name, family_name: surname, birth_date: dob, city: city}
"""


def febrl(data: Path, work: Path, *numbers: str) -> Figures:
    """A FEBRL set through the whole pipeline; the truth is in the record's own id."""
    mapping = _HEAD.format(name="febrl")
    for number in numbers:
        name = f"febrl{number}"
        mapping += _FEBRL.format(table=name)
        source = data / PEOPLE / f"febrl_dataset{number}.parquet"
        _copy(f"SELECT * EXCLUDE entity_id FROM '{source}'", work / f"data/{name}.parquet")
    sources = ", ".join(f"'{data / PEOPLE / f'febrl_dataset{n}.parquet'}'" for n in numbers)
    truth = f"SELECT rec_id AS key, entity_id AS truth FROM read_parquet([{sources}])"
    return _resolved(work, mapping, truth)


def fake_1000(data: Path, work: Path) -> Figures:
    """Splink's own small set; an e-mail address is only evidence there, as the set has slips."""
    source = data / PEOPLE / "splink_fake_1000.parquet"
    _copy(f"SELECT * EXCLUDE cluster FROM '{source}'", work / "data/fake.parquet")
    truth = f"SELECT unique_id::VARCHAR AS key, cluster AS truth FROM '{source}'"
    return _resolved(work, _HEAD.format(name="fake") + _FAKE, truth)


def _copy(query: str, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    duckdb.sql(f"COPY ({query}) TO '{file}' (FORMAT parquet)")


def _resolved(work: Path, text: str, truth: str) -> Figures:
    """Ingest and resolve, then score against the truth (key, truth) by the key of the record."""
    mapping = parse(text)
    with Lake.writer(work / "workspace") as lake:
        ingest(lake, work / "data", mapping, key=bytes(32))
        seconds = _resolve(lake, mapping)
        found = lake.arrow("identities")
        summary = lake.summary("identity")
    return {"seconds": seconds, "evidence": summary["evidence"], **scored(found, truth)}


def _resolve(lake: Writer, mapping: Any) -> float:
    config = IdentityConfig(mapping.consent.default, mapping.namespaces(), (), mapping.phone_region)
    started = time.perf_counter()
    with lake.step("identity", inputs={"ingest": lake.step_id("ingest")}) as step:
        resolve(step, bytes(32), config, spark_master=read_settings().spark_master)
    return round(time.perf_counter() - started, 1)


def scored(found: pa.Table, truth: str) -> Figures:
    """Pairwise and B-cubed figures of records (record_key, user_id) against (key, truth)."""
    named = " UNION ".join(  # one join on either would compare all with all
        f"SELECT {name} AS key, user_id FROM found"
        for name in ("record_key", "regexp_extract(record_key, '#(.*)$', 1)")
    )
    rows = duckdb.sql(
        f"SELECT truth, user_id FROM ({truth}) JOIN ({named}) USING (key)"
    ).to_arrow_table()
    got = agreement(pairs(rows["truth"], rows["user_id"]))
    both = got.pair_precision + got.pair_recall
    return {
        "records": len(rows),
        "precision": round(got.pair_precision, 4),
        "recall": round(got.pair_recall, 4),
        "f1": round(2 * got.pair_precision * got.pair_recall / both, 4) if both else 0.0,
        "b_cubed_f1": round(got.f1, 4),
    }


def contoso(data: Path, work: Path) -> Figures:
    """Three tables about the same fictional people, without e-mail and without their common id."""
    folder = data / "ms_customer_insights_sample"
    tables = {
        "Contact": (
            "ContactId", "%m/%d/%Y",
            "      street: StreetAddress\n      postcode: PostCode\n"
            "      city: City\n      region: State\n",
        ),
        "Customer-Loyalty": ("LoyaltyId", "%Y-%m-%d", ""),
        "CustomerRecordContoso": ("number", "%m/%d/%Y", ""),
    }  # fmt: skip
    mapping, truth = _HEAD.format(name="contoso"), []
    for number, (name, (key, dates, more)) in enumerate(tables.items()):
        rows = f"SELECT *, row_number() OVER () AS number FROM '{folder / name}.csv.gz'"
        hidden = "EMail, ContactId" if key != "ContactId" else "EMail"
        # A contact's own id is its key here, and no identifier: nothing else names it.
        _copy(f"SELECT * EXCLUDE ({hidden}) FROM ({rows})", work / f"data/t{number}.parquet")
        mapping += _CONTOSO.format(number=number, key=key, dates=dates, more=more)
        truth.append(
            f"SELECT 't{number}.parquet#' || {key} AS key, ContactId AS truth FROM ({rows})"
        )
    return _resolved(work, mapping, " UNION ALL ".join(truth))


_CONTOSO = """\
  t{number}:
    files: t{number}.parquet
    kind: profile
    key: {key}
    identifiers:
      phone: {{column: Telephone, trust: 6}}
    person:
      given_name: FirstName
      family_name: LastName
      birth_date: {{column: DateOfBirth, formats: "{dates}"}}
{more}"""

_TRANSACTIONS = (  # of Splink's own tutorial on these two tables; dates as columns, for any engine
    "l.month = r.month AND substr(l.memo, 1, 3) = substr(r.memo, 1, 3) "
    "AND l.amount / r.amount > 0.7 AND l.amount / r.amount < 1.3",
    "l.month_of_15_days_later = r.month AND substr(l.memo, 1, 3) = substr(r.memo, 1, 3) "
    "AND l.amount / r.amount > 0.7 AND l.amount / r.amount < 1.3",
    "substr(l.memo, 1, 9) = substr(r.memo, 1, 9)",
    "round(l.amount / 2, 0) * 2 = round(r.amount / 2, 0) * 2 AND r.week = l.week",
    "round(l.amount / 2, 0) * 2 = round((r.amount + 1) / 2, 0) * 2 "
    "AND r.week = l.week_of_4_days_later",
)


def transactions(data: Path, work: Path) -> Figures:
    """Payments and their arrivals, beside Splink with its tutorial's settings on the same pairs."""
    rows = " UNION ALL ".join(
        f"SELECT '{side}' AS source_dataset, ground_truth AS truth, unique_id AS id, memo, amount, "
        f"transaction_date FROM '{data / PEOPLE / f'splink_transactions_{name}.parquet'}'"
        for side, name in (("a", "origin"), ("b", "destination"))
    )
    prepared = (
        "SELECT row_number() OVER (ORDER BY source_dataset, id) AS unique_id, *, "
        "date_diff('day', DATE '2022-01-01', transaction_date) AS day, "
        "strftime(transaction_date, '%Y%m') AS month, yearweek(transaction_date) AS week, "
        "strftime(transaction_date + 15, '%Y%m') AS month_of_15_days_later, "
        "yearweek(transaction_date + 4) AS week_of_4_days_later, "
        f"string_split(memo, ' ') AS memo_words FROM ({rows})"
    )
    fields = [Field("memo", "title"), Field("amount", "amount"), Field("day", "day")]
    with Scratch.open(work, spark_master=read_settings().spark_master) as scratch:
        scratch.sql(f"CREATE TABLE rows AS {prepared}")
        plain = _plain_transactions(scratch)
        ours = _linked(scratch, fields, _TRANSACTIONS)
    return {**ours, "splink": plain, "ratio": round(ours["seconds"] / plain["seconds"], 2)}


def _plain_transactions(scratch: Scratch) -> Figures:
    """Splink's tutorial, word for word what it sets; its pairs at the best of all thresholds."""
    import splink.comparison_level_library as cll
    import splink.comparison_library as cl
    from splink import Linker, SettingsCreator, block_on

    within = (
        "transaction_date_r - transaction_date_l <= {} AND transaction_date_r >= transaction_date_l"
    )
    amount = cl.CustomComparison(
        output_column_name="amount",
        comparison_levels=[
            cll.NullLevel("amount"), cll.ExactMatchLevel("amount"),
            *(cll.PercentageDifferenceLevel("amount", share) for share in (0.01, 0.03, 0.1, 0.3)),
            cll.ElseLevel(),
        ],
    )  # fmt: skip
    date = cl.CustomComparison(
        output_column_name="transaction_date",
        comparison_levels=[
            cll.NullLevel("transaction_date"),
            *(cll.CustomLevel(within.format(days), f"{days}") for days in (1, 4, 10, 30)),
            cll.ElseLevel(),
        ],
    )
    started = time.perf_counter()
    for side in "ab":
        scratch.sql(f"CREATE VIEW plain_{side} AS FROM rows WHERE source_dataset = '{side}'")
        scratch.sql(
            f"CREATE TABLE side_{side} AS SELECT * EXCLUDE source_dataset FROM plain_{side}"
        )
    count = scratch.sql("SELECT count(*) AS n FROM side_a")["n"][0].as_py()
    settings = SettingsCreator(
        link_type="link_only",
        probability_two_random_records_match=1 / count,
        blocking_rules_to_generate_predictions=list(_TRANSACTIONS),
        comparisons=[amount, cl.JaccardAtThresholds("memo", [0.9, 0.7]), date],
        retain_matching_columns=False,
    )
    with quiet():
        api = scratch.splink()
        linker = Linker([api.register("side_a"), api.register("side_b")], settings, log_level=None)
        linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
        for rule in (block_on("memo"), block_on("amount")):
            linker.training.estimate_parameters_using_expectation_maximisation(rule)
        found = linker.inference.predict(threshold_match_probability=0.001)
    seconds = round(time.perf_counter() - started, 1)
    scratch.sql(
        "CREATE TABLE plain AS SELECT unique_id_l AS a, unique_id_r AS b, match_probability AS p "
        f"FROM {found.physical_name}"
    )
    best = scratch.sql(
        "WITH said AS (SELECT p, (l.truth = r.truth)::INT AS good FROM plain "
        "JOIN rows l ON a = l.unique_id JOIN rows r ON b = r.unique_id), "
        "so_far AS (SELECT p, sum(good) OVER w AS good, count(*) OVER w AS said FROM said "
        "WINDOW w AS (ORDER BY p DESC)) "
        f"SELECT p, 2 * good / (said + {count}) AS f1 FROM so_far ORDER BY f1 DESC LIMIT 1"
    ).to_pylist()[0]
    at = scratch.sql(
        f"SELECT 2 * sum((l.truth = r.truth)::INT) / (count(*) + {count}) AS f1 FROM plain "
        "JOIN rows l ON a = l.unique_id JOIN rows r ON b = r.unique_id "
        f"WHERE p >= {OPERATING_POINT}"
    )["f1"][0].as_py()
    return {
        "seconds": seconds,
        "f1_at_operating_point": round(at, 4),
        "best_f1": round(best["f1"], 4),
        "best_threshold": round(best["p"], 3),
    }


def _linked(scratch: Scratch, fields: list[Field], given: tuple[str, ...] = ()) -> Figures:
    """Two sources without doubles, linked by our model and our guards."""
    started = time.perf_counter()
    model = estimate(scratch, "rows", fields, apart=True, given=given)
    score(scratch, "rows", model, "scored")
    rows = scratch.sql('SELECT "left", "right", bits FROM scored ORDER BY ALL')
    count = scratch.sql("SELECT count(*) AS n FROM rows")["n"][0].as_py()
    left, right = rows["left"].to_numpy() - 1, rows["right"].to_numpy() - 1
    bits = rows["bits"].to_numpy() + model.prior_bits
    side = scratch.sql("SELECT source_dataset AS s FROM rows ORDER BY unique_id")["s"].to_numpy()
    own = np.arange(count)
    owner = np.stack([np.where(side == one, own, -1) for one in ("a", "b")])
    none = np.zeros(0, np.int64)
    enough = bits_of(OPERATING_POINT)
    found = join(
        own,
        Evidence(left, right, bits, bits >= enough, bits < bits_of(AGAINST)),
        Guards(owner, owner[:0], (none, none), np.ones(count, np.int64), 0.0),
    )
    seconds = round(time.perf_counter() - started, 1)
    said = found.cause == Cause.JOINED
    truth = scratch.sql("SELECT truth FROM rows ORDER BY unique_id")["truth"].to_numpy()
    good = int((truth[left[said]] == truth[right[said]]).sum())
    real = scratch.sql(
        "SELECT count(*) AS n FROM rows l JOIN rows r USING (truth) "
        "WHERE l.source_dataset = 'a' AND r.source_dataset = 'b'"
    )["n"][0].as_py()
    return {
        "seconds": seconds,
        "pairs": len(bits),
        "rules": len(model.rules),
        "precision": round(good / max(int(said.sum()), 1), 4),
        "recall": round(good / real, 4),
        "f1": round(2 * good / (int(said.sum()) + real), 4),
    }


def _leipzig(data: Path, work: Path, name: str) -> Figures:
    """A set of the Leipzig benchmarks (bibliography, products): records of two sources."""
    one = _LEIPZIG[name]
    folder = data / "er_benchmarks_pyjedai"
    read = f"delim = '{one.separator}', header = true, all_varchar = true, quote = '\"'"
    pairs = f"read_csv('{folder}/{one.prefix}_gt.csv.gz', {read})"
    parts = []
    for side, source, column in (("a", one.sources[0], "D1"), ("b", one.sources[1], "D2")):
        file = f"read_csv('{folder}/{one.prefix}_{source}.csv.gz', {read})"
        columns = ", ".join(f"{text} AS {field}" for field, text in one.columns.items())
        parts.append(f"SELECT '{side}' AS source_dataset, id, {columns} FROM {file}")
        del column
    rows = " UNION ALL ".join(parts)
    words = ", ".join(
        f"string_split({field.name}, ' ') AS {field.name}_words"
        for field in one.fields
        if field.kind == "title"
    )
    with Scratch.open(work, spark_master=read_settings().spark_master) as scratch:
        scratch.sql(
            "CREATE TABLE rows AS SELECT row_number() OVER (ORDER BY source_dataset, id) "
            f"AS unique_id, {words}, r.* EXCLUDE (id), coalesce(t.truth, source_dataset || id) "
            f"AS truth FROM ({rows}) r LEFT JOIN (SELECT 'a' AS s, D1 AS i, D1 || '-' || D2 AS "
            f"truth FROM {pairs} UNION ALL SELECT 'b', D2, D1 || '-' || D2 FROM {pairs}) t "
            "ON r.source_dataset = t.s AND r.id = t.i"
        )
        return _linked(scratch, list(one.fields))


@dataclass(frozen=True)
class Leipzig:
    """Where a set of the Leipzig benchmarks is, and what is compared of it."""

    prefix: str
    separator: str
    sources: tuple[str, str]
    columns: dict[str, str]
    fields: tuple[Field, ...]


_TEXT = "nullif(trim(regexp_replace(lower(strip_accents({})), '[^a-z0-9]+', ' ', 'g')), '')"
_LEIPZIG = {
    "dblp_acm": Leipzig(
        "D4_dblp_acm", "%", ("dblp", "acm"),
        {"title": _TEXT.format("title"), "authors": _TEXT.format("authors"), "year": "year"},
        (Field("title", "title"), Field("authors", "title"), Field("year", "choice")),
    ),
    "abt_buy": Leipzig(
        "D2_abt_buy", "|", ("abt", "buy"),
        {
            "name": _TEXT.format("name"),
            "description": _TEXT.format("description"),
            # A product's own code is the one word of its name that has digits and is long.
            "code": "nullif(regexp_extract(upper(replace(name, '-', '')), "
                    "'[A-Z0-9]*[0-9][A-Z0-9]{3,}[A-Z0-9]*'), '')",
        },
        (Field("name", "title"), Field("description", "title"), Field("code", "number")),
    ),
}  # fmt: skip


def made_up(data: Path, work: Path, rows: int) -> Figures:
    """Profile rows of people who do not exist, half of them doubles with slips: all but 1 % of
    them, then the rest, everybody again, then all at once under the model that is kept."""
    del data
    table = work / "people.parquet"
    duckdb.sql(f"COPY ({_MADE_UP.format(people=rows // 2)}) TO '{table}' (FORMAT parquet)")
    extra = "truth % 50 = 0 AND NOT first"
    with Lake.writer(work / "workspace") as lake:
        _put_profiles(lake, f"SELECT * FROM '{table}' WHERE NOT ({extra})")
        first = _timed_step(lake)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        model = lake.arrow("person_models")["model_id"][0].as_py()
        _put_profiles(lake, f"SELECT * FROM '{table}' WHERE {extra}")
        more = _timed_step(lake)
        found = lake.arrow("identities")
        same_model = lake.arrow("person_models")["model_id"][0].as_py() == model
        settled = lake.summary("identity")["settled"]
        # A pass over everybody finds nothing to change in what the passes over few have left.
        left = _contents(lake)
        most, touched.MOST_TOUCHED = touched.MOST_TOUCHED, -1.0
        everybody = _timed_step(lake)
        touched.MOST_TOUCHED = most
        same_tables = _contents(lake) == left
        # A full run of the same step over the same rows under the same model: nothing is kept.
        with lake.step("forget") as step:
            for name in _MADE:
                step.overwrite(name, TABLES[name].empty_table().drop_columns("run_id"))
        full = _timed_step(lake)
        again = lake.arrow("identities")  # noqa: F841 - DuckDB finds it by its name
    same = duckdb.sql(
        "SELECT count(DISTINCT (a.user_id, b.user_id)) = count(DISTINCT a.user_id) AND "
        "count(DISTINCT a.user_id) = count(DISTINCT b.user_id) "
        "FROM found a JOIN again b USING (record_key)"
    ).fetchone()[0]
    truth = f"SELECT id AS key, truth FROM '{table}'"
    return {
        "rows": rows, **first, "our_peak_gib": round(peak, 2),
        "incremental": more, "settled_records": settled, "everybody": everybody,
        "model_kept": full,
        "incremental_share": _shares(more, first),
        "incremental_share_model_kept": _shares(more, full),
        "same_users": bool(same and same_model), "same_tables": same_tables,
        **scored(found, truth),
    }  # fmt: skip


def beside_splink(data: Path, work: Path, rows: int) -> Figures:
    """All of such rows at once, ours and Splink alone: each in a process of its own, on the same
    rows, levels, rules and lessons, down to the same weight."""
    del data
    table = work / "people.parquet"
    duckdb.sql(f"COPY ({_MADE_UP.format(people=rows // 2)}) TO '{table}' (FORMAT parquet)")
    ours = _in_a_process(_our_people, table, work / "workspace")
    plain = _in_a_process(_plain_people, table, ours.pop("model"))
    known = {name: ours[name] for name in ("seconds", "cpu_seconds", "peak_gib") if name in plain}
    return {"rows": rows, "ours": ours, "splink": plain, "ratio": _shares(known, plain)}


def _in_a_process(made: Callable[..., Figures], *arguments: Any) -> Figures:
    """What a function gives, with its seconds, processor time and peak of memory."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_measured, args=(theirs, made, *arguments))
    process.start()
    theirs.close()  # so that its end is seen here
    try:
        if ours.poll(LONGEST_SECONDS):
            found: Figures = ours.recv()
            return found
        return {"stopped_after_seconds": LONGEST_SECONDS}
    finally:
        process.kill()
        process.join()


def _measured(answer: Any, made: Callable[..., Figures], *arguments: Any) -> None:
    started, worked = time.perf_counter(), time.process_time()
    found = made(*arguments)
    told = {
        "seconds": round(time.perf_counter() - started, 1),
        "cpu_seconds": round(time.process_time() - worked, 1),
        "peak_gib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
    }
    answer.send(told | found)


def _our_people(table: Path, workspace: Path) -> Figures:
    with Lake.writer(workspace) as lake:
        _put_profiles(lake, f"SELECT * FROM '{table}'")
        times = _timed_step(lake)
        found = lake.arrow("identities")
        model = json.loads(lake.arrow("person_models")["settings"][0].as_py())
        pairs_kept = len(lake.arrow("matches"))
    truth = f"SELECT id AS key, truth FROM '{table}'"
    return {**times, "pairs": pairs_kept, **scored(found, truth), "model": model}


_MADE = (
    "person_rows", "compared", "matches", "sharing", "judgements", "identities", "users",
    "statements",
)  # fmt: skip


def _contents(lake: Lake) -> dict[str, Any]:
    """Every table of the pass: how many rows, and a sum over them that no order changes."""
    found = {}
    for name in (*touched.MADE, "judgements"):
        rows = lake.arrow(name).drop_columns(["run_id"])  # noqa: F841 - DuckDB finds it by its name
        found[name] = duckdb.sql("SELECT count(*), sum(hash(r)) FROM rows AS r").fetchone()
    return found


def _shares(one: dict[str, float], other: Figures) -> dict[str, float]:
    """Times of one by those of another. Processor time says more where others work beside."""
    return {name: round(one[name] / other[name], 3) for name in one}


_MADE_UP = """
WITH lists AS (SELECT
    string_split('ada alma anouk arlo bea bruno cleo dara edda elif emil enzo esme farah finn gaia '
        || 'greta hana hugo ida ines ivo jana jonas kaya kofi lars lena levi lotte mads mei mila '
        || 'milo nadia nils noor odin olive otto pia quinn rafa remi rosa sami selma tara theo '
        || 'tilda uma vera wim yara yuki zoe', ' ') AS given,
    string_split('bel cor dra fen gal har jor kel lor mar nor ost pel quil ros sel tal ul vor wen '
        || 'yar zel', ' ') AS one,
    string_split('a e i o u an en in or ul ei am', ' ') AS two,
    string_split('by ck dal feld gren holt ka ling mond nik ow quist rath sen ton vik wick zar',
        ' ') AS three,
    string_split('anvil beacon chestnut dairy ferry granary hollow kiln mill orchard quarry '
        || 'tannery', ' ') AS street,
    string_split('ashmoor brackwater coldbrook eastmere fernhold grimsford larkhaven northwick '
        || 'stonebridge westerby', ' ') AS city),
people AS (SELECT i,
    given[(1 + hash(i, 1) % len(given))::BIGINT]
        || coalesce(two[(1 + hash(i, 14) % 40)::BIGINT], '') AS given_name,
    one[(1 + hash(i, 2) % len(one))::BIGINT] || two[(1 + hash(i, 3) % len(two))::BIGINT]
        || two[(1 + hash(i, 4) % len(two))::BIGINT]
        || three[(1 + hash(i, 5) % len(three))::BIGINT] AS family_name,
    strftime(DATE '1940-01-01' + (hash(i, 6) % 25000)::INT, '%Y%m%d') AS birth_date,
    street[(1 + hash(i, 7) % len(street))::BIGINT] || ' lane ' || (1 + hash(i, 8) % 400) AS street,
    (10000 + hash(i, 9) % 9000)::VARCHAR AS postcode,
    city[(1 + hash(i, 10) % len(city))::BIGINT] AS city
    FROM range({people}) r(i), lists),
rows AS (
    SELECT i, true AS first, * EXCLUDE i FROM people
    UNION ALL SELECT i, false, * EXCLUDE i FROM people),
slips AS (SELECT *, (hash(i, 11) >> 1)::BIGINT AS h FROM rows)
SELECT i AS truth, first, i || '-' || first::INT AS id,
    CASE WHEN first OR h % 10 > 1 THEN given_name WHEN h % 10 = 0 THEN NULL
        ELSE substr(given_name, 1, 2) || substr(given_name, 4) END AS given_name,
    CASE WHEN first OR (h // 10) % 8 > 0 THEN family_name
        ELSE substr(family_name, 1, 3) || 'x' || substr(family_name, 5) END AS family_name,
    CASE WHEN first OR (h // 100) % 12 > 0 THEN birth_date
        ELSE substr(birth_date, 1, 7) || ((h // 7) % 10)::VARCHAR END AS birth_date,
    CASE WHEN first OR (h // 1000) % 5 > 0 THEN street END AS street,
    CASE WHEN first OR (h // 10000) % 5 > 0 THEN postcode
        ELSE (10000 + (h // 3) % 9000)::VARCHAR END AS postcode,
    CASE WHEN first OR (h // 100000) % 7 > 0 THEN city END AS city
FROM slips"""


def _put_profiles(lake: Writer, query: str) -> None:
    """Profile rows straight into the lake, as reading them would leave them."""
    number = lake.head.number if lake.head else 0
    records = f"""SELECT 'p.parquet#' || id AS record_key, 'p.parquet' AS source,
        0::BIGINT AS position, 'p' AS dataset, 'profile' AS kind, 'accepted' AS status,
        NULL::VARCHAR AS reason, NULL::VARCHAR AS detail, id AS dedupe_key,
        NULL::VARCHAR AS duplicate_of, NULL::BIGINT AS occurred_at_ms, 0::BIGINT AS recorded_at_ms,
        NULL::VARCHAR AS raw, NULL::VARCHAR AS content_hash, NULL::BIGINT AS version
        FROM ({query})"""
    nothing = "NULL::VARCHAR"
    details = f"""SELECT 'p.parquet#' || id AS record_key, {nothing} AS name, given_name,
        family_name, birth_date, {nothing} AS number, street, postcode, city, {nothing} AS region,
        {nothing} AS country, {nothing} AS organisation FROM ({query})"""
    with lake.step("ingest", config={"number": number}) as step:
        step.append("records", duckdb.sql(records).to_arrow_table())
        step.append("person_details", duckdb.sql(details).to_arrow_table())


def _timed_step(lake: Writer) -> dict[str, float]:
    number = lake.head.number if lake.head else 0
    started, worked = time.perf_counter(), time.process_time()
    with lake.step("identity", config={"number": number}) as step:
        resolve(step, bytes(32))
    return {
        "seconds": round(time.perf_counter() - started, 1),
        "cpu_seconds": round(time.process_time() - worked, 1),
    }


def _plain_people(table: Path, settled: dict[str, Any]) -> Figures:
    """Splink alone: trained, predicted and clustered as it is documented."""
    from splink import Linker

    comparisons = [
        one.comparison(one.usual(), counted=True)
        for one in (Field(**row) for row in settled["fields"])
    ]
    for level in (level for one in comparisons for level in one["comparison_levels"]):
        level.pop("u_probability", None)  # what is given is not learnt
    settings = {
        "link_type": "dedupe_only",
        "probability_two_random_records_match": 2.0 ** settled["prior_bits"],
        "blocking_rules_to_generate_predictions": settled["rules"],
        "comparisons": comparisons,
        "retain_matching_columns": False,
    }
    with _folder() as work, Scratch.open(work) as scratch, quiet():
        scratch.keep_as("nickname", nicknames())
        scratch.sql(
            "CREATE TABLE rows AS SELECT row_number() OVER () AS unique_id, people.*, "
            "string_split(given_name, ' ') AS given_name_words, "
            "string_split(street, ' ') AS street_words, coalesce(forms, []) AS given_name_forms "
            f"FROM '{table}' AS people LEFT JOIN nickname ON name = given_name"
        )
        linker = Linker(scratch.splink().register("rows"), settings, log_level=None)
        linker.training.estimate_u_using_random_sampling(max_pairs=RANDOM_PAIRS, seed=1)
        for rule in settled["trained_on"]:
            linker.training.estimate_parameters_using_expectation_maximisation(
                rule, estimate_without_term_frequencies=True
            )
        pairs_found = linker.inference.predict(threshold_match_weight=FLOOR_BITS)
        clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(
            pairs_found, threshold_match_probability=OPERATING_POINT
        )
        rows = scratch.sql(f"SELECT truth, cluster_id FROM {clusters.physical_name}")
        count = scratch.sql(f"SELECT count(*) AS n FROM {pairs_found.physical_name}")
    got = agreement(pairs(rows["truth"], rows["cluster_id"]))
    both = got.pair_precision + got.pair_recall
    f1 = 2 * got.pair_precision * got.pair_recall / both
    return {"pairs": count["n"][0].as_py(), "f1": round(f1, 4)}


def world(data: Path, work: Path, people: int) -> Figures:
    """A simulated company (docs/world.md): who was wrongly merged, by the trap they fell into."""
    del data
    simulate(people, 1, work / "world")
    mapping = parse((work / "world/data/personagraph.yaml").read_text())
    with Lake.writer(work / "workspace") as lake:
        ingest(lake, work / "world/data", mapping, key=bytes(32))
        seconds = _resolve(lake, mapping)
        found = lake.arrow("identities")  # noqa: F841 - DuckDB finds it by its name
    truth = work / "world/truth"
    rows = duckdb.sql(
        "SELECT DISTINCT record_key, user_id, person_id, mixed_up FROM found JOIN "
        f"'{truth}/records.parquet' USING (record_key) JOIN '{truth}/people.parquet' "
        "USING (person_id)"
    ).to_arrow_table()
    got = agreement(pairs(rows["person_id"], rows["user_id"]))
    wrong = duckdb.sql(
        "SELECT trap, count(DISTINCT person_id) AS people FROM (SELECT person_id, "
        "unnest(CASE WHEN len(mixed_up) = 0 THEN ['none'] ELSE mixed_up END) AS trap, user_id "
        "FROM rows) WHERE user_id IN (SELECT user_id FROM rows GROUP BY user_id "
        "HAVING count(DISTINCT person_id) > 1) GROUP BY trap ORDER BY trap"
    ).fetchall()
    return {
        "people": people,
        "seconds": seconds,
        "b_cubed_precision": round(got.precision, 5),
        "b_cubed_recall": round(got.recall, 4),
        "b_cubed_f1": round(got.f1, 4),
        "people_wrongly_merged": dict(wrong),
    }


def on_spark(name: str, master: str, data: Path, work: Path) -> Figures:
    """A set in this process and on Spark: what differs."""
    found = {}
    for place, spark_master in (("here", ""), ("spark", master)):
        os.environ["PERSONAGRAPH_SPARK_MASTER"] = spark_master
        (work / place).mkdir()
        found[place] = SETS[name](data, work / place)
    seconds = {place: figures.pop("seconds") for place, figures in found.items()}
    for figures in found.values():
        for timed in ("splink", "ratio"):
            figures.pop(timed, None)
    same = {"same_figures": found["here"] == found["spark"], **found["here"]}
    folders = [work / place / "workspace" for place in found]
    if folders[0].exists():
        same |= _apart(*folders)
    return {"seconds": seconds, **same}


def _apart(here: Path, spark: Path) -> Figures:
    """How far the judgements, the evidence and the users of two workspaces lie apart."""
    with Lake.open(here) as one, Lake.open(spark) as other:
        tables = {
            f"{name}_{side}": lake.arrow(name)
            for name in ("matches", "judgements", "identities")
            for side, lake in (("l", one), ("r", other))
        }
    con = duckdb.connect()
    for name, rows in tables.items():
        con.register(name, rows)
    both = "USING (left_record_key, right_record_key"
    pairs_l, pairs_r, shared, bits = con.sql(
        "SELECT (SELECT count(*) FROM matches_l), (SELECT count(*) FROM matches_r), count(*), "
        f"max(abs(l.bits - r.bits)) FROM matches_l l JOIN matches_r r {both})"
    ).fetchone()
    log_l, log_r, same_log, probability = con.sql(
        "SELECT (SELECT count(*) FROM judgements_l), (SELECT count(*) FROM judgements_r), "
        "count(*), max(abs(l.probability - r.probability)) FROM judgements_l l "
        f"JOIN judgements_r r {both}, rule, verdict, reason)"
    ).fetchone()
    users = con.sql(
        "SELECT count(*) FROM identities_l l FULL JOIN identities_r r USING (record_key) "
        "WHERE l.user_id IS DISTINCT FROM r.user_id"
    ).fetchone()[0]
    return {
        "pairs": pairs_l, "pairs_of_one_only": pairs_l + pairs_r - 2 * shared,
        "bits_apart": bits, "judgements": log_l,
        "judgements_of_one_only": log_l + log_r - 2 * same_log,
        "probability_apart": probability, "records_of_another_user": users,
    }  # fmt: skip


SETS: dict[str, Callable[[Path, Path], Figures]] = {
    "febrl_1": lambda data, work: febrl(data, work, "1"),
    "febrl_2": lambda data, work: febrl(data, work, "2"),
    "fake_1000": fake_1000,
    "febrl_3": lambda data, work: febrl(data, work, "3"),
    "febrl_4": lambda data, work: febrl(data, work, "4a", "4b"),
    "contoso": contoso,
    "transactions": transactions,
    "dblp_acm": lambda data, work: _leipzig(data, work, "dblp_acm"),
    "abt_buy": lambda data, work: _leipzig(data, work, "abt_buy"),
    "world_2k": lambda data, work: world(data, work, 2_000),
    "world_20k": lambda data, work: world(data, work, 20_000),
    "made_up_100k": lambda data, work: made_up(data, work, 100_000),
    "made_up_300k": lambda data, work: made_up(data, work, 300_000),
    "made_up_1m": lambda data, work: made_up(data, work, 1_000_000),
    "beside_splink_100k": lambda data, work: beside_splink(data, work, 100_000),
    "beside_splink_200k": lambda data, work: beside_splink(data, work, 200_000),
    "beside_splink_1m": lambda data, work: beside_splink(data, work, 1_000_000),
}


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def main() -> None:
    """Print one line per set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--only", nargs="+", choices=list(SETS), default=list(SETS))
    parser.add_argument("--spark", metavar="MASTER")
    arguments = parser.parse_args()
    for name in arguments.only:
        with _folder() as work:
            if arguments.spark:
                figures = on_spark(name, arguments.spark, arguments.data, work)
            else:
                figures = SETS[name](arguments.data, work)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        line = {"set": name, **figures, "peak_gib": round(peak, 2), "cpus": os.cpu_count()}
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()

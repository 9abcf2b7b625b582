"""Golden traits: of everything that a person's records say, the one value that holds, and why.

How a value is chosen is a table: `traits` of the workspace's `identity.yaml`, else the default.
Every value carries the rule that chose it and the record that said it. Personal values (whatever
the mapping does not `describe`) are plain in the lake's table only; no export or view repeats them.
What else was said is kept nowhere a second time: it is read from the records when somebody asks.
"""

from collections.abc import Callable
from typing import Any

from ingestion.identity.choices import CHOICES, Choice, Choices, choice_of
from ingestion.identity.config import IdentityConfig
from ingestion.identity.facts import allowed
from ingestion.identity.names import is_said_date, names_somebody, plain
from ingestion.table import DETAILS

CONTACTS = ("email", "phone")


def golden_traits(step: Any, config: IdentityConfig) -> Any:
    """The table `golden_traits`, of users who may be profiled.

    Reads the tables `statements`, `identities` and `users` as this step wrote them.

    Args:
        step: of the lake.
        config: what is described, and how values are chosen.
    """
    best = _best(_with_user(step, _said(step.table, config.describe)), config.traits)
    return best.mutate(personal=best.name.notin(list(config.describe))).order_by("user_id", "name")


def described_traits(golden: Any, describe: tuple[str, ...]) -> Any:
    """The table `user_traits`: what of these golden traits claims may speak of."""
    rows = golden.filter(golden.name.isin(list(describe)))
    return rows.select("user_id", "name", "value", "at_ms").order_by("user_id", "name")


def told_traits(lake: Any, user_id: str) -> list[dict[str, Any]]:
    """What holds of one user, by the name of the trait, and what else was said, as it may be shown.

    Each row: name, value (None where it is personal), personal, rule, because (the rule in words),
    record_key, source, at_ms, values (how many different ones were said), others (those that do not
    hold, each with its last record: value, record_key, source, at_ms, last said first; none of what
    is personal). Empty where no record says anything, or who it is denied consent.
    """
    rows = lake.table("golden_traits")
    rows = rows.filter(rows.user_id == user_id).drop("run_id", "user_id").order_by("name")
    golden = lake.run(rows).to_pylist()
    said: dict[str, list[dict[str, Any]]] = {row["name"]: [] for row in golden}
    described = tuple(row["name"] for row in golden if not row["personal"])
    for row in _said_of(lake, user_id, described) if golden else []:
        said.get(row.pop("name"), []).append(row)
    return [
        row
        | {
            "value": None if row["personal"] else row["value"],
            "because": CHOICES[row["rule"]],
            "values": len(said[row["name"]]),
            "others": []
            if row["personal"]
            else [one for one in said[row["name"]] if one["value"] != row["value"]],
        }
        for row in golden
    ]


def _said_of(lake: Any, user_id: str, described: tuple[str, ...]) -> list[dict[str, Any]]:
    """Each different value that records say of one user, with the last record that says it."""
    import ibis

    ids = lake.table("identities")
    mine = ids.filter(ids.user_id == user_id).select("record_key")

    def read(name: str) -> Any:
        return lake.table(name).semi_join(mine, "record_key")

    said = _with_user(lake, _said(read, described))
    order = [said.at_ms.desc(), said.record_key.desc()]
    place = ibis.row_number().over(group_by=[said.name, said.value], order_by=order)
    last = said.mutate(place=place).filter(lambda row: row.place == 0)
    last = last.order_by("name", *(last[c].desc() for c in ("at_ms", "record_key")), "value")
    rows: list[dict[str, Any]] = lake.run(
        last.select("name", "value", "record_key", "at_ms", source=last.dataset)
    ).to_pylist()
    return rows


def _said(read: Callable[[str], Any], described: tuple[str, ...]) -> Any:
    """(record_key, name, value) of everything that records say of their people; `read` gives a
    table of the lake, or the rows of it that are asked about."""
    import ibis

    plain_details = [name for name in DETAILS if name not in described]
    parts = [_details(read("person_details"), plain_details)] if plain_details else []
    # Those that name the person now: not junk, and nobody else's.
    contacts = read("statements")
    contacts = contacts.filter(
        contacts.namespace.isin(CONTACTS) & contacts.fate.isnull() & ~contacts.former
    )
    parts.append(contacts.select("record_key", name=contacts.namespace, value=contacts.value))
    profiles = read("profiles")
    profiles = profiles.select("record_key", traits=profiles.traits.cast("json"))
    keyed = profiles.mutate(name=profiles.traits.map.keys()).unnest("name")
    keyed = keyed.filter(keyed.name.notin([*plain_details, *CONTACTS]))
    found = keyed.traits.map[keyed.name]
    text = ibis.coalesce(found.str, found.cast("string"))
    parts.append(keyed.select("record_key", "name", value=text))
    rows = ibis.union(*parts)
    return rows.filter(rows.value.notnull() & rows.value.notin(["", "null"]))


def _details(details: Any, names: list[str]) -> Any:
    """(record_key, name, value) of details that are said, and do not stand for missing ones (`N/A`,
    1900-01-01)."""
    rows = details.select("record_key", *names).pivot_longer(
        list(names), names_to="name", values_to="value"
    )
    is_date = is_said_date(rows.value.re_replace("[^0-9]", ""))
    is_real = (rows.name == "birth_date").ifelse(is_date, names_somebody(plain(rows.value)))
    return rows.filter(rows.value.notnull() & is_real)


def _with_user(step: Any, said: Any) -> Any:
    """The same with who it is about, when, and from which table of the mapping."""
    import ibis

    records = step.table("records")
    records = records.filter(records.status == "accepted").select(
        "record_key",
        "dataset",
        at_ms=ibis.coalesce(records.occurred_at_ms, records.recorded_at_ms),
    )
    return said.join(allowed(step), "record_key").join(records, "record_key")


def _best(said: Any, choices: Choices) -> Any:
    """One value of each trait of each user."""
    import ibis

    names = sorted({*choices} - {"default"})
    other = choice_of(choices, "")
    same = ibis.window(group_by=[said.user_id, said.name, said.value])
    often = "most_frequent" in {choice_of(choices, name).choose for name in ["", *names]}
    times = said.count().over(same) if often else ibis.literal(1)
    said = said.mutate(times=times.cast("int64"))

    def score(choice: Choice) -> Any:
        scores = {
            "most_recent": ibis.literal(0),
            "most_frequent": -said.times,
            "longest": -said.value.length(),
            "most_trusted": _place(said.dataset, choice.sources),
        }
        return scores[choice.choose].cast("int64")

    def per_trait(made: Callable[[Choice], Any]) -> Any:
        cases = [(said.name == name, made(choice_of(choices, name))) for name in names]
        return ibis.cases(*cases, else_=made(other)) if cases else made(other)

    said = said.mutate(
        score=per_trait(score), rule=per_trait(lambda choice: ibis.literal(choice.choose))
    )
    order = [said.score, said.at_ms.desc(), said.record_key.desc(), said.value]
    place = ibis.row_number().over(group_by=[said.user_id, said.name], order_by=order)
    said = said.mutate(place=place)
    return said.filter(said.place == 0).select(
        "user_id", "name", "value", "rule", "record_key", "at_ms", source=said.dataset
    )


def _place(dataset: Any, sources: tuple[str, ...]) -> Any:
    """How far down the list a source stands; what is not listed comes last."""
    import ibis

    cases = [(dataset == name, place) for place, name in enumerate(sources)]
    return ibis.cases(*cases, else_=len(sources)) if cases else ibis.literal(0)

"""Whom a person belongs with: the account they act for, the household they live in.

These are edges, never merges: nothing here makes two people one. Ids are hashes with the
workspace's key, so that neither the name of a company nor an address is in them.
"""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ingestion.identity.facts import owned, profiled
from ingestion.identity.identifiers import hashed_values
from ingestion.identity.scope import Scope
from kg.hashing import SEPARATOR

MEMBER, STATED = "member", "stated"
"""A source names the account by its id, or the person's record only says the organisation."""
ACCOUNT_TRAIT = "account"
"""The trait in which mappings and shipped formats keep the id of a company."""
MOST_LIVING_TOGETHER = 12
"""More people of one name at one address are an institution, or a default of the source."""
_DIGITS = 16


Places = tuple[pa.Table, pa.Table, pa.Array]
"""Places, who is of them, and the ids of all that may have changed: those there were as well."""


def accounts(step: Any, key: bytes, scope: Scope | None = None) -> Places:
    """The tables `accounts` and `account_members`, of users who may be profiled.

    An account is the id of a company in one table of the mapping. Where records say only the name
    of an organisation, it is the account that the records with that name have, if they have one;
    else the name itself.

    Args:
        step: of the lake, with identities, users and person_rows as it wrote them.
        key: the workspace's.
        scope: whose accounts may have changed; None: everybody's.
    """
    import ibis

    rows = _organisations(step)
    named = ibis.window(group_by=rows.organisation)
    least, most = rows.number.min().over(named), rows.number.max().over(named)
    one = rows.organisation.notnull() & (least == most)
    of_name = one.ifelse(least, ibis.null("string"))
    found = rows.select(
        "record_key",
        place=ibis.coalesce(rows.number, of_name, rows.organisation),
        role=rows.number.notnull().ifelse(MEMBER, STATED),
    )
    places = None if scope is None else _accounts_of(step, rows, scope)
    return _written(step, found, "account", key, places)


def _accounts_of(step: Any, rows: Any, scope: Scope) -> pa.Array:
    """The accounts that these records may be of, or were: with one more number, the name of an
    organisation leads its other records elsewhere."""
    keys = step.memtable(pa.table({"record_key": scope.records}))
    mine = rows.filter(rows.record_key.isin(keys.record_key))
    names = mine.filter(mine.organisation.notnull()).select("organisation").distinct()
    others = rows.filter(rows.organisation.isin(names.organisation))
    every = mine.select("number", "organisation").union(others.select("number", "organisation"))
    found = step.lake.run(every.distinct())
    both = pa.concat_arrays([found[name].combine_chunks() for name in found.column_names])
    return both.unique().drop_null()


def households(step: Any, key: bytes, scope: Scope | None = None) -> Places:
    """The tables `households` and `household_members`, of users who may be profiled.

    A household is two people or more of one family name at one street and house in one postal area
    (town, where there is no postal code), as these are written for comparison.
    """
    import ibis

    parts = ["family_name", "street", "area"]
    rows, places = _homes(step), None
    if scope is not None:
        mine = _homes(scope.part).select(*parts).distinct()
        rows = rows.semi_join(mine, parts)
        places = step.lake.run(mine.select(place=_text(mine, parts)))["place"].combine_chunks()
    found = rows.select("record_key", place=_text(rows, parts), role=ibis.literal(MEMBER))
    homes, living, changed = _written(
        step, found, "household", key, places, people=(2, MOST_LIVING_TOGETHER)
    )
    return homes, living.drop_columns(["role"]), changed


def _homes(source: Any) -> Any:
    """(record_key, family_name, street, area) of records that say all of it."""
    import ibis

    rows = source.table("person_rows")
    area = ibis.coalesce(rows.postcode, rows.city)
    return rows.select("record_key", "family_name", "street", area=area).drop_null()


def _text(rows: Any, names: list[str]) -> Any:
    import ibis

    return ibis.literal(SEPARATOR).join([rows[name] for name in names])


def _organisations(step: Any) -> Any:
    """(record_key, number, organisation) of records that say one of the two."""
    import ibis

    records, profiles = step.table("records"), step.table("profiles")
    rows = profiles.select("record_key", traits=profiles.traits.cast("json"))
    found = rows.traits[ACCOUNT_TRAIT]
    text = ibis.coalesce(found.str, found.cast("string"))
    rows = rows.select("record_key", account=text)
    rows = rows.filter(rows.account.notnull() & rows.account.notin(["", "null"]))
    # Companies are numbered by their source: another table's 17 is another company.
    rows = rows.join(records.select("record_key", "dataset"), "record_key")
    numbered = rows.select("record_key", number=rows.dataset + SEPARATOR + rows.account)
    stated = step.table("person_rows").select("record_key", "organisation")
    stated = stated.filter(stated.organisation.notnull())
    both = numbered.outer_join(stated, "record_key")
    return both.select(
        "number", "organisation", record_key=ibis.coalesce(both.record_key, both.record_key_right)
    )


def _written(
    step: Any,
    found: Any,
    what: str,
    key: bytes,
    among: pa.Array | None,
    people: tuple[int, int] | None = None,
) -> Places:
    """Places and who is of them, from (record_key, place, role): since the first record that says
    so, which is the one that is named.

    Args:
        among: the places that are asked for; None: all.
        people: how many a place may have, at least and at most; others are none.
    """
    import ibis

    records = step.table("records")
    records = records.filter(records.status == "accepted").select(
        "record_key", at_ms=ibis.coalesce(records.occurred_at_ms, records.recorded_at_ms)
    )
    if among is not None:
        asked = step.memtable(pa.table({"place": among}))
        # Kept, so that the engine knows how few they are when it joins them with everybody.
        found = step.keep(found.filter(found.place.isin(asked.place)))
    said = found.join(owned(step), "record_key").semi_join(profiled(step), "user_id")
    said = said.join(records, "record_key")
    order = [said.at_ms, said.record_key]
    first = ibis.row_number().over(group_by=[said.place, said.user_id], order_by=order)
    role = said.role.min().over(group_by=[said.place, said.user_id])  # `member` before `stated`
    said = said.mutate(first=first, role=role)
    said = said.filter(said["first"] == 0)
    said = said.mutate(people=said.count().over(group_by=said.place))
    if people is not None:
        said = said.filter(said.people.between(*people))
    rows = step.lake.run(
        said.order_by("place", "user_id").select(
            "place", "user_id", "role", "record_key", "people", since_ms="at_ms"
        )
    )
    place = pc.dictionary_encode(rows["place"].combine_chunks())
    ids = _ids(key, what, place.dictionary).take(place.indices)
    rows = rows.drop_columns(["place"]).append_column(f"{what}_id", ids)
    places = rows.group_by(f"{what}_id").aggregate([("people", "min")])
    places = places.rename_columns([f"{what}_id", "people"]).sort_by(f"{what}_id")
    changed = places[f"{what}_id"] if among is None else _ids(key, what, among)
    return places, rows.drop_columns(["people"]), changed


def _ids(key: bytes, what: str, places: pa.Array) -> pa.Array:
    hashes = pc.utf8_slice_codeunits(hashed_values(key, what, places), 0, _DIGITS)
    return pc.binary_join_element_wise(what[0], hashes, "_")

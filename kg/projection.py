"""The lake's tables as tables of nodes and edges: the picture of what is known, set-based.

Who denied consent is not in it at all, nor is anything of theirs. What is written here is never
computed from the graph, so the graph can be made again at any time.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from kg.activity import strata
from kg.baskets import bought_with
from kg.errors import InputError
from kg.lake.code import code_version
from kg.schema import EDGES
from kg.store.tables import EdgeTable, GraphTables, edge_kind

if TYPE_CHECKING:
    from kg.lake import Lake

BUYING = ("bought",)
"""Verbs whose items lie in a basket together."""

_GRAPH_READS = (
    "users",
    "user_identifiers",
    "user_traits",
    "accounts",
    "account_members",
    "households",
    "household_members",
    "sessions",
    "intents",
    "intent_items",
    "event_intents",
    "items",
    "received",
    "memberships",
    "holdings",
    "personas",
    "levels",
    "micro_holdings",
    "persona_runs",
    "descent",
    "kept_out",
    "goals",
    "reached",
    "rule_personas",
    "rule_holdings",
)
_CLAIM_READS = ("personas", "persona_runs", "descent", "claims", "evidence", "wordings")
_CITED = {kind.end for kind in EDGES if kind.type == "CITES"}


def graph_id(lake: "Lake") -> str:
    """Names what `graph_tables` would give: a hash of the tables it reads, and of the code."""
    return _id_of(lake, _GRAPH_READS)


def claims_id(lake: "Lake") -> str:
    """Names what `claim_tables` would give."""
    return _id_of(lake, _CLAIM_READS)


def _id_of(lake: "Lake", tables: tuple[str, ...]) -> str:
    versions = {name: lake.version(name) for name in tables}
    text = json.dumps([code_version(), versions], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def graph_tables(lake: "Lake") -> GraphTables:
    """Everything but claims and runs: people, sessions, intents, items, campaigns, personas.

    `Persona.current` and the CURRENT edges are left out: they come last, from `alias_tables`.
    """
    tables = {name: lake.run(rows) for name, rows in graph_expressions(lake).items()}
    tables |= category_tables(lake)
    tables["Item", "BOUGHT_WITH", "Item"] = _bought_with(lake)
    nodes = {name: table for name, table in tables.items() if isinstance(name, str)}
    edges = tuple(
        EdgeTable(edge_kind(*name), table)
        for name, table in tables.items()
        if isinstance(name, tuple)
    )
    return GraphTables(nodes, edges, graph_id(lake))


def graph_expressions(lake: "Lake") -> dict[Any, Any]:
    """The same, but categories and baskets, as Ibis: nodes by label, edges by
    (start, type, end)."""
    parts = (_people, _belonging, _behaviour, _things, persona_expressions, _levels, _business)
    return {key: rows for part in parts for key, rows in part(lake).items()}


def claim_tables(lake: "Lake") -> GraphTables:
    """Claims, what they cite, persona versions with their wording, and the runs of it all.

    Raises:
        InputError: evidence names a label that a claim cannot cite.
    """
    claims = lake.table("claims")
    version = claims.persona_id + "@" + claims.version.cast("string")
    nodes = {
        "Claim": lake.run(
            claims.mutate(id=claims.claim_id).drop("persona_id", "version", "claim_id", "run_id")
        ),
        "PersonaVersion": lake.run(_persona_versions(lake)),
        "Run": _runs(lake),
    }
    states = lake.run(claims.select(start=version, end=claims.claim_id))
    edges = [EdgeTable(edge_kind("PersonaVersion", "STATES", "Claim"), states)]
    evidence = lake.arrow("evidence")
    for label in sorted(pc.unique(evidence["label"]).to_pylist()):
        if label not in _CITED:
            raise InputError(f"A claim cannot cite (:{label}).", hint=f"One of {sorted(_CITED)}.")
        rows = evidence.filter(pc.equal(evidence["label"], label))
        cites = pa.table(
            {
                "start": rows["claim_id"],
                "end": rows["node_id"],
                "path": rows["path"],
                "position": rows["position"],
            }
        )
        edges.append(EdgeTable(edge_kind("Claim", "CITES", label), cites))
    return GraphTables(nodes, tuple(edges), claims_id(lake))


def alias_tables(lake: "Lake") -> GraphTables:
    """Which version of each persona is in force: by now the newest; of one that is no more, none.

    None is the empty text: null would leave what was in force before.
    """
    import ibis

    newest = _newest_versions(lake)
    none = _ended_versions(lake).select("persona_id", version_id=ibis.literal(""))
    nodes = {"Persona": lake.run(newest.union(none)).rename_columns(["id", "current"])}
    table = lake.run(newest).rename_columns(["start", "end"])
    edges = (EdgeTable(edge_kind("Persona", "CURRENT", "PersonaVersion"), table),)
    return GraphTables(nodes, edges, claims_id(lake))


def _seen_users(lake: "Lake") -> Any:
    users = lake.table("users")
    return users.filter(~users.consent_denied)


def _of_seen(lake: "Lake", name: str) -> Any:
    """Rows of a table with a `user_id`, without those who denied consent."""
    return lake.table(name).semi_join(_seen_users(lake), "user_id")


def _people(lake: "Lake") -> dict[Any, Any]:
    users = _seen_users(lake)
    active = users.left_join(strata(lake), "user_id")
    named = _of_seen(lake, "user_identifiers")
    named = named.mutate(id=named.namespace + ":" + named.value)
    traits = _of_seen(lake, "user_traits")
    traits = traits.mutate(id=traits.name + "=" + traits.value)
    return {
        "User": active.select(
            "half",
            "first_seen_ms",
            "last_seen_ms",
            "event_count",
            id="user_id",
            activity=active.activity.fill_null(0),
        ),
        "Identifier": named.select("id", "namespace", "value").distinct(),
        ("Identifier", "IDENTIFIES", "User"): named.group_by(start="id", end="user_id").agg(
            probability=named.probability.max(), reason=named.reason.min()
        ),
        "Trait": traits.select("id", "name", "value").distinct(),
        ("User", "HAS", "Trait"): traits.group_by(start="user_id", end="id").agg(
            at_ms=traits.at_ms.max()
        ),
    }


def _belonging(lake: "Lake") -> dict[Any, Any]:
    """Accounts and households by their ids alone."""
    members, living = _of_seen(lake, "account_members"), _of_seen(lake, "household_members")
    return {
        "Account": lake.table("accounts").select("people", id="account_id"),
        "Household": lake.table("households").select("people", id="household_id"),
        ("User", "MEMBER_OF", "Account"): members.select(
            "role", "since_ms", start="user_id", end="account_id"
        ),
        ("User", "LIVES_IN", "Household"): living.select(
            "since_ms", start="user_id", end="household_id"
        ),
    }


def _behaviour(lake: "Lake") -> dict[Any, Any]:
    sessions, intents = _of_seen(lake, "sessions"), _of_seen(lake, "intents")
    following = sessions.session_id.lead().over(
        group_by=sessions.user_id, order_by=[sessions.number, sessions.session_id]
    )
    successive = sessions.select(start=sessions.session_id, end=following)
    about = lake.table("intent_items").semi_join(intents, "intent_id")
    answers = intents.filter(intents.campaign_id.notnull(), intents.verb != "received")
    received = _of_seen(lake, "received")
    return {
        "Session": sessions.select(
            "channel",
            "number",
            "started_at_ms",
            "ended_at_ms",
            "event_count",
            "value",
            id=sessions.session_id,
        ),
        ("User", "HAD", "Session"): sessions.select(
            start=sessions.user_id, end=sessions.session_id
        ),
        ("Session", "NEXT", "Session"): successive.filter(successive.end.notnull()),
        "Intent": intents.left_join(
            lake.table("kept_out").select("intent_id", kept_out="why"), "intent_id"
        ).select(
            "verb",
            "topic",
            "channel",
            "text",
            "position",
            "started_at_ms",
            "event_count",
            "quantity",
            "value",
            "kept_out",
            "hour",
            "weekday",
            id=intents.intent_id,
        ),
        ("Session", "EXPRESSED", "Intent"): intents.select(
            start=intents.session_id, end=intents.intent_id
        ),
        ("Intent", "ABOUT", "Item"): about.select(
            "count", "value", start=about.intent_id, end=about.item_id
        ),
        ("Intent", "RESPONDED_TO", "Campaign"): answers.select(
            start=answers.intent_id, end=answers.campaign_id
        ),
        ("User", "RECEIVED", "Campaign"): received.group_by(
            "at_ms", start="user_id", end="campaign_id"
        ).agg(arm=received.arm.max()),
    }


def _things(lake: "Lake") -> dict[Any, Any]:
    """Items and campaigns of the catalogue, and those that only behaviour names."""
    listed, about = lake.table("items"), lake.table("intent_items")
    used = about.select("item_id").distinct()
    received, intents = _of_seen(lake, "received"), _of_seen(lake, "intents")
    sent = received.select("campaign_id").union(intents.select("campaign_id"), distinct=True)
    sent = sent.filter(sent.campaign_id.notnull()).select(item_id="campaign_id")
    items, campaigns = _catalogue(listed, "item", used), _catalogue(listed, "campaign", sent)
    return {
        "Item": items.select("title", "price", id="item_id"),
        "Campaign": campaigns.select("title", "starts_at_ms", "ends_at_ms", id="item_id"),
    }


def _catalogue(listed: Any, role: str, used: Any) -> Any:
    """One row per id: the catalogue's first, and a bare one for each that is only used."""
    import ibis

    rows = listed.filter(listed.role == role)
    place = ibis.row_number().over(group_by=rows.item_id, order_by=rows.record_key)
    columns = ("title", "price", "starts_at_ms", "ends_at_ms", "categories")
    rows = rows.mutate(place=place)
    rows = rows.filter(rows.place == 0).select("item_id", *columns)
    bare = used.anti_join(rows, "item_id")
    schema = rows.schema()
    nulls = {name: ibis.null().cast(schema[name]) for name in columns}
    return rows.union(bare.mutate(**nulls).select("item_id", *columns))


def _bought_with(lake: "Lake") -> pa.Table:
    """Of items that were bought; a basket is the items of one session's buying intents."""
    intents = _of_seen(lake, "intents")
    buying = intents.filter(intents.verb.isin(BUYING))
    lines = lake.table("intent_items").inner_join(buying, "intent_id")
    return bought_with(lake.run(lines.select("session_id", "item_id").distinct()))


def persona_expressions(lake: "Lake") -> dict[Any, Any]:
    """Persona versions, who holds them and what supports them, as `graph_expressions`."""
    newest = _newest_versions(lake)
    ended = _ended_versions(lake).select("persona_id", "version_id")
    versions = _persona_versions(lake)
    held = _of_seen(lake, "holdings").inner_join(newest.union(ended), "persona_id")
    members = _of_seen(lake, "memberships").inner_join(newest, "persona_id")
    return {
        "Persona": versions.select(id="persona_id").distinct(),
        "PersonaVersion": versions,
        ("PersonaVersion", "VERSION_OF", "Persona"): versions.select(start="id", end="persona_id"),
        ("User", "HOLDS", "PersonaVersion"): held.select(
            "weight",
            "low",
            "high",
            "intents",
            "valid_from_ms",
            "valid_to_ms",
            start="user_id",
            end="version_id",
        ),
        ("Intent", "SUPPORTS", "PersonaVersion"): members.select(
            "probability", start="intent_id", end="version_id"
        ),
    }


def _levels(lake: "Lake") -> dict[Any, Any]:
    """Families and micro-personas, which are no persona versions: nothing is claimed of them."""
    levels, personas = lake.table("levels"), lake.table("personas")
    families = levels.filter(levels.level == "family")
    parts = levels.filter(levels.level == "micro-persona")
    columns = ("name", "stability", "intents", "people", "population", "share")
    members = _of_seen(lake, "memberships")
    members = members.filter(members.micro_persona_id.notnull())
    inside = personas.filter(personas.parent_id.notnull())
    return {
        "Family": families.select(*columns, id="level_id"),
        "MicroPersona": parts.select(*columns, id="level_id"),
        ("Persona", "PART_OF", "Family"): inside.select(
            start="persona_id", end="parent_id"
        ).distinct(),
        ("MicroPersona", "PART_OF", "Persona"): parts.select(start="level_id", end="parent_id"),
        ("Intent", "SUPPORTS", "MicroPersona"): members.select(
            start="intent_id", end="micro_persona_id"
        ),
        ("User", "HOLDS", "MicroPersona"): _of_seen(lake, "micro_holdings").select(
            start="user_id", end="micro_persona_id"
        ),
    }


def _business(lake: "Lake") -> dict[Any, Any]:
    """Goals and who reached them, personas by rule and who meets them."""
    reached, met = _of_seen(lake, "reached"), _of_seen(lake, "rule_holdings")
    rules = lake.table("rule_personas")
    return {
        "Goal": lake.table("goals").select("definition", "before_ms", id="goal"),
        ("Intent", "REACHED", "Goal"): reached.select(start="intent_id", end="goal"),
        "RulePersona": rules.select(
            "name", "kind", "definition", "people", "population", id="persona_id"
        ),
        ("User", "MEETS", "RulePersona"): met.select("intents", start="user_id", end="persona_id"),
    }


def _version_id(table: Any) -> Any:
    return table.persona_id + "@" + table.version.cast("string")


def _newest_versions(lake: "Lake") -> Any:
    """Columns persona_id, version_id: what memberships and open holdings speak of."""
    versions = lake.table("personas")
    newest = versions.group_by("persona_id").agg(version=versions.version.max())
    return newest.select("persona_id", version_id=_version_id(newest))


def _ended_versions(lake: "Lake") -> Any:
    """The last version of each persona that this run has no more: what its closed holdings name."""
    import ibis

    runs = lake.table("persona_runs").anti_join(lake.table("personas"), "persona_id")
    place = ibis.row_number().over(group_by=runs.persona_id, order_by=runs.number.desc())
    runs = runs.mutate(place=place)
    last = runs.filter(runs.place == 0)
    lines = lake.table("descent")
    lines = lines.filter(lines.from_name.notnull())
    names = lines.group_by(persona_id="from_persona_id").agg(
        name=lines.from_name.argmax(lines.number)
    )
    return last.left_join(names, "persona_id").select(
        "persona_id", "name", *_FIGURES, version_id=_version_id(last), number=last.version
    )


_FIGURES = ("stability", "intents", "people", "population", "share", "share_low", "share_high")
_WORDS = ("summary", "sentences", "author", "coverage")
_KEPT = ("kept_by", "kept_because")


def _persona_versions(lake: "Lake") -> Any:
    """Versions of today's personas with their wording, and the last of each that is no more."""
    import ibis

    versions, words = lake.table("personas"), lake.table("wordings").drop("run_id")
    joined = versions.left_join(words, ["persona_id", "version"])
    ids = {"id": _version_id(versions), "number": versions.version}
    today = joined.select("persona_id", "name", *_WORDS, *_FIGURES, *_KEPT, **ids)
    ended = _ended_versions(lake)
    unsaid = {name: ibis.null().cast(today.schema()[name]) for name in (*_WORDS, *_KEPT)}
    ended = ended.mutate(id=ended.version_id, **unsaid)
    return today.union(ended.select(*today.columns))


def category_tables(lake: "Lake") -> Mapping[Any, pa.Table]:
    """The tree of categories, and the finest one of each item, from the catalogue's paths.

    A category is its path: `Food/Drink` of one item is `Drink` below `Food` of another.
    """
    items = _catalogue(lake.table("items"), "item", lake.table("intent_items").select("item_id"))
    items = items.filter(items.categories.length() > 0)
    path = items.categories.join("/")
    inside = lake.run(items.select(start="item_id", end="category:" + path))
    paths = lake.run(items.select("categories").distinct())["categories"].to_pylist()
    every = {tuple(path[: i + 1]) for path in paths for i in range(len(path))}
    finest = {"/".join(prefix): prefix for prefix in sorted(every, key=lambda p: (len(p), p))}
    prefixes = sorted(finest.values())
    ids = ["category:" + "/".join(prefix) for prefix in prefixes]
    deep = [(node, prefix) for node, prefix in zip(ids, prefixes, strict=True) if len(prefix) > 1]
    return {
        "Category": pa.table(
            {
                "id": pa.array(ids, pa.string()),
                "name": pa.array([prefix[-1] for prefix in prefixes], pa.string()),
                "path": pa.array(["/".join(prefix) for prefix in prefixes], pa.string()),
                "level": pa.array([len(prefix) - 1 for prefix in prefixes], pa.int64()),
            }
        ),
        ("Item", "IN", "Category"): inside,
        ("Category", "IN", "Category"): pa.table(
            {
                "start": pa.array([node for node, _ in deep], pa.string()),
                "end": pa.array(["category:" + "/".join(p[:-1]) for _, p in deep], pa.string()),
            }
        ),
    }


def _runs(lake: "Lake") -> pa.Table:
    """The steps that made the lake's tables, and the two loads that nodes and edges name."""
    steps = lake.head.steps if lake.head else {}
    ids = {step["run_id"]: name for name, step in sorted(steps.items())}
    ids |= {graph_id(lake): "load graph", claims_id(lake): "load claims"}
    return pa.table(
        {"id": pa.array(ids.keys(), pa.string()), "step": pa.array(ids.values(), pa.string())}
    )

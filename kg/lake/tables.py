"""The tables of the lake: their columns, types and which may be null.

Invariant: what is written to a table has exactly these columns (plus `run_id`, which the lake
fills in), so that a reader never has to ask. A new column goes to the end of its table, nullable.
"""

from typing import Any

import pyarrow as pa

_TYPES: dict[str, Any] = {
    "str": pa.string(),
    "i64": pa.int64(),
    "i32": pa.int32(),
    "f64": pa.float64(),
    "bool": pa.bool_(),
    "strs": pa.list_(pa.string()),
    # Delta knows no fixed size; every vector of one model has the same length all the same.
    "vector": pa.list_(pa.float32()),
}

# `name type`, `?` after the type: may be null.
_COLUMNS = {
    "files": """source str, dataset str, size_bytes i64, sha256 str, received i64, accepted i64,
        duplicate i64, quarantined i64, modified_at_ms i64, mapping_hash str""",
    "records": """record_key str, source str, position i64, dataset str, kind str, status str,
        reason str?, detail str?, dedupe_key str, duplicate_of str?, occurred_at_ms i64?,
        recorded_at_ms i64, raw str?, content_hash str?, version i64?""",
    "events": """record_key str, source str, dataset str, occurred_at_ms i64, recorded_at_ms i64,
        channel str, verb str, item_id str?, object str?, category str?, text str?, basket_id str?,
        quantity f64?, value f64?, campaign_id str?, arm str?, sampled bool""",
    "identifiers": "record_key str, namespace str, value str, trust i32",
    # What older states of a record named; `source`: the file that has them, or none any more: ''.
    "former_identifiers": "record_key str, namespace str, value str, source str",
    "profiles": """record_key str, source str, occurred_at_ms i64?, recorded_at_ms i64,
        traits str""",
    "items": """item_id str, role str, title str?, categories strs, price f64?,
        starts_at_ms i64?, ends_at_ms i64?, attributes str, record_key str?""",
    # `source`: the file that says it, which may repeat the record; null: an older program wrote it.
    "consents": """record_key str, purpose str, granted bool, at_ms i64, until_ms i64?,
        source str?""",
    "person_details": """record_key str, name str?, given_name str?, family_name str?,
        birth_date str?, number str?, street str?, postcode str?, city str?, region str?,
        country str?, organisation str?""",
    "person_rows": """record_key str, told str, content str, given_name str?, family_name str?,
        birth_date str?, number str?, email str?, phone str?, street str?, postcode str?, city str?,
        region str?, country str?, organisation str?, given_name_forms strs""",
    "merged_ids": "record_key str, namespace str, value str, into_value str",
    "person_models": "model_id str, settings str",
    "person_frequencies": "model_id str, field str, value str, frequency f64",
    "compared": "record_key str, content str, model_id str",
    "matches": """left_record_key str, right_record_key str, bits f64, personal bool,
        contradicted bool, strangers bool, kin bool, reason str, probability f64, model_id str""",
    "sharing": """left_record_key str, right_record_key str, bits f64, personal bool,
        contradicted bool, strangers bool, kin bool, reason str, probability f64, model_id str""",
    "statements": """record_key str, namespace str, value str, fate str?, bridges str?,
        former bool""",
    "reviews": """left_record_key str, right_record_key str, left_user_id str, right_user_id str,
        probability f64, cause str, reason str, records i64, events i64""",
    "judgements": """left_record_key str, right_record_key str, verdict str, probability f64,
        reason str, rule str, author str, judged_at_ms i64""",
    # Of a verdict of a person, which no two give at one time: the records of the two it is about.
    "verdict_records": "judged_at_ms i64, side str, record_key str",
    "identities": "record_key str, user_id str",
    "users": """user_id str, first_seen_ms i64, last_seen_ms i64, record_count i64,
        event_count i64, consent_denied bool, half str""",
    "user_aliases": "alias_id str, user_id str",
    # What ids stand for that share their user; `alone`: they had it before they met.
    "former_identities": "record_key str, user_id str, alone bool",
    "user_identifiers": """user_id str, namespace str, value str, reason str,
        probability f64""",
    "golden_traits": """user_id str, name str, value str, personal bool, rule str, record_key str,
        source str, at_ms i64""",
    "user_traits": "user_id str, name str, value str, at_ms i64",
    "accounts": "account_id str, people i64",
    "account_members": "account_id str, user_id str, role str, since_ms i64, record_key str",
    "households": "household_id str, people i64",
    "household_members": "household_id str, user_id str, since_ms i64, record_key str",
    "item_topics": "item_id str, topic str, kind str, level i32",
    "text_topics": "text_hash str, topic str, level i32",
    # Groups of texts at the finest level, as the search for personas found them.
    "topic_centres": "what str, topic str, broad str, reach f64, vector vector",
    "topics": "topic str, label str, kind str, level i32, item_count i64",
    "sessions": """session_id str, user_id str, channel str, number i64, started_at_ms i64,
        ended_at_ms i64, event_count i64, value f64""",
    "intents": """intent_id str, session_id str, user_id str, verb str, topic str, channel str,
        position i64, started_at_ms i64, ended_at_ms i64, event_count i64, quantity f64,
        value f64, text str?, campaign_id str?, hour i32?, weekday i32?""",
    "event_intents": "record_key str, session_id str, intent_id str, user_id str",
    "intent_items": "intent_id str, item_id str, count i64, value f64",
    "received": "user_id str, campaign_id str, at_ms i64, arm str",
    "embeddings": "model str, text_hash str, vector vector",
    "memberships": """intent_id str, user_id str, persona_id str?, probability f64,
        micro_persona_id str?""",
    "holdings": """user_id str, persona_id str, weight f64, low f64, high f64, intents i64,
        valid_from_ms i64, valid_to_ms i64?""",
    "personas": """persona_id str, version i64, parent_id str?, stability f64, intents i64,
        people i64, population i64, share f64, share_low f64, share_high f64, signature str,
        recurrence_lift f64, recurrence_p f64, recurrence_q f64, kept_by str?, kept_because str?""",
    # Families and micro-personas; `parent_id` of these is their persona.
    "levels": """level_id str, level str, parent_id str?, name str, stability f64, intents i64,
        people i64, population i64, share f64, share_low f64, share_high f64, signature str,
        recurrence_lift f64?, recurrence_p f64?, recurrence_q f64?""",
    "micro_holdings": "user_id str, micro_persona_id str",
    "persona_rules": "persona_id str, version i64, rule str",
    "kept_out": "intent_id str, why str",
    # `before_ms`: who came later has not had the time to reach it.
    "goals": "goal str, kind str, definition str, before_ms i64",
    "reached": "intent_id str, user_id str, goal str, at_ms i64",
    "rule_personas": """persona_id str, name str, kind str, definition str, people i64,
        population i64, share f64, share_low f64, share_high f64, intents i64,
        defined_as_of_ms i64""",
    "rule_holdings": "user_id str, persona_id str, intents i64",
    "rule_memberships": "intent_id str, user_id str, persona_id str",
    # `number` counts the runs that had personas, or lost them; runs are appended.
    "persona_runs": """number i64, as_of_ms i64, persona_id str, version i64, intents i64,
        people i64, population i64, share f64, share_low f64, share_high f64, stability f64""",
    "descent": """number i64, as_of_ms i64, from_persona_id str?, to_persona_id str?, kind str,
        overlap f64, people_overlap f64?, from_name str?""",
    "past_memberships": "intent_id str, user_id str, persona_id str",
    "claims": """persona_id str, version i64, claim_id str, kind str, subject str,
        subject_label str, direction str, measure str, unit str, value f64, reference_value f64?,
        low f64, high f64, q f64?, people i64, as_of_ms i64, query str, params str, counts str,
        descriptive bool""",
    "evidence": "claim_id str, path i64, position i64, label str, node_id str",
    # A verb and a topic, over everybody; `asked`: the model that was asked for the line.
    "intent_types": """verb str, topic str, people i64, intents i64, events i64, facts str,
        line str, author str, asked str, refused str""",
    "wordings": """persona_id str, version i64, name str, summary str, sentences str,
        author str, coverage f64""",
}


def _schema(columns: str) -> pa.Schema:
    fields = []
    for column in f"{columns}, run_id str".split(","):
        name, type_name = column.split()
        fields.append(
            pa.field(name, _TYPES[type_name.rstrip("?")], nullable=type_name.endswith("?"))
        )
    return pa.schema(fields)


TABLES: dict[str, pa.Schema] = {name: _schema(columns) for name, columns in _COLUMNS.items()}


class WrongTable(TypeError):  # noqa: N818 - reads as the fact it states
    """Our own mistake: a step writes a table, a column, a type or a null the lake does not have."""


def schema_of(table: str) -> pa.Schema:
    """The schema of a table, `run_id` last."""
    try:
        return TABLES[table]
    except KeyError:
        raise WrongTable(f"The lake has no table {table!r}; it has {sorted(TABLES)}.") from None

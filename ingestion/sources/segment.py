"""Segment-compatible messages (also RudderStack): JSON lines, one message or one batch each.

Source: the Segment spec (common fields, identify, track, page, screen, group, alias), its
e-commerce events, and RudderStack's event spec where it differs (`context.traits`, `externalId`,
`consentManagement`, `channel`, merge). `alias` names two ids in one record; whether they are one
person is for the judgements to say.
"""

from collections.abc import Mapping
from typing import Any

import ibis

from ingestion.functions import json_of, json_only, json_shaped, json_values
from ingestion.record import Rows
from ingestion.sources.formats import Format, Texts, commerce, most_fit, words
from ingestion.sources.robots import is_robot
from ingestion.table import Table

_EVENTS = ("track", "page", "screen")
_PROFILES = ("identify", "group", "alias", "merge")
_CONTACTS = ("email", "phone")  # of a group these are the company's
_NOTHING = ibis.null("string")


def fits(found: Mapping[str, Any]) -> bool:
    """Whether an object is a message of the spec, or a batch of them."""
    if most_fit(found.get("batch"), fits):
        return True
    if found.get("type") not in {*_EVENTS, *_PROFILES}:
        return False
    return bool({"messageId", "anonymousId", "userId", "mergeProperties"} & set(found))


def _finished(rows: Rows, _table: Table, _salt: str) -> Texts:
    of_page = rows.type.isin(("page", "screen")).fill_null(False)
    tracked = (rows.may_track == "true").fill_null(False)
    server = rows.channel == "mobile"
    of_group = (rows.type == "group").fill_null(False)
    kind = ibis.cases((rows.type.isin(_EVENTS), "event"), (rows.type.isin(_PROFILES), "profile"))
    # Segment puts `timestamp` right and keeps what it was; what a library sends is not put right.
    raw = (rows.original.isnull() & rows.sent.notnull() & rows.received.notnull()).fill_null(False)
    return {
        "kind": kind,
        "nobody": is_robot(rows.agent),
        "time": raw.ifelse(_NOTHING, rows.time),
        "original": raw.ifelse(rows.time, rows.original),
        "event": ibis.coalesce(rows.event, of_page.ifelse(rows.type, _NOTHING)),
        "platform": ((rows.type == "screen") | server)
        .fill_null(False)
        .ifelse("mobile", rows.platform),
        "item_id": of_page.ifelse(_NOTHING, rows.item_id),
        "traits": of_group.ifelse(
            _company(rows),
            ibis.coalesce(
                rows.traits, (rows.type == "identify").ifelse(rows.context_traits, _NOTHING)
            ),
        ),
        **{f"given:{name}": of_group.ifelse(_NOTHING, rows[f"given:{name}"]) for name in _CONTACTS},
        "consent": ibis.coalesce(rows.consent, _by_list(rows.allowed, rows.denied)),
        "given:advertising_id": tracked.ifelse(rows["given:advertising_id"], _NOTHING),
    }


def _company(rows: Rows) -> Any:
    """The traits of `group` are a company's: its person has the company, not its name."""
    named = json_shaped(rows.traits, {"name": "VARCHAR"})
    return json_of({"account": rows.group_id, "company": ibis.struct({"name": named["name"]})})


def _by_list(allowed: Any, denied: Any) -> Any:
    """Consent that RudderStack writes as two lists, as purpose -> granted; a denial wins."""
    parts = []
    for listed, answer in ((denied, "false"), (allowed, "true")):
        names = json_only(listed, "[").fill_null("[]")
        parts.append(
            json_values(names, "$[*]")
            .filter(lambda name: name.startswith('"'))
            .map(lambda name, answer=answer: name + f":{answer}")
        )
    both = parts[0].concat(parts[1])
    text = ibis.literal("{") + both.join(",") + ibis.literal("}")
    return (both.length() > 0).ifelse(text, _NOTHING)


_PROPERTIES = commerce("properties")
FORMAT = Format(
    fields=frozenset(
        words("""
            type messageId event name category timestamp originalTimestamp sentAt receivedAt
            userId anonymousId previousId groupId properties traits context integrations
            version channel writeKey projectId _metadata metadata rudderId request_ip
            mergeProperties user_id anonymous_id options nonce userAgent
        """)
    ),
    places={
        **_PROPERTIES,
        "type": ("type",),
        "id": ("messageId",),
        "event": ("event",),
        "name": ("name",),
        "category": ("category",),
        "time": ("timestamp",),
        "original": ("originalTimestamp",),
        "sent": ("sentAt",),
        "received": ("receivedAt",),
        "external_ids": ("context.externalIds", "context.externalId", "mergeProperties"),
        "traits": ("traits",),
        "group_id": ("groupId",),
        "consent": ("context.consent.categoryPreferences",),
        "platform": ("context.library.name",),
        "campaign_id": (
            "properties.campaign_id", "context.campaign.id", "context.campaign.name",
        ),
        "object": (
            "properties.query", "properties.feature", "properties.object", "properties.list_id",
            "properties.path", "context.page.path", "properties.title", "properties.url",
        ),
        "may_track": ("context.device.adTrackingEnabled",),
        "context_traits": ("context.traits",),
        "allowed": ("context.consentManagement.allowedConsentIds",),
        "denied": ("context.consentManagement.deniedConsentIds",),
        "channel": ("channel",),
        "agent": ("context.userAgent",),
    },
    identifiers={
        "user_id": ("userId", "user_id"),
        "anonymous_id": ("anonymousId", "anonymous_id"),
        "email": ("traits.email", "context.traits.email", "properties.email"),
        "phone": ("traits.phone", "context.traits.phone", "properties.phone"),
        "device_id": ("context.device.id",),
        "advertising_id": ("context.device.advertisingId",),
        "anonymous_id.previous": ("previousId",),
    },
    merged={"anonymous_id.previous": "user_id"},
    objects=frozenset({"properties", "traits", "context"}),
    batch="batch",
    envelope=("sentAt", "receivedAt", "context"),
    finished=_finished,
)  # fmt: skip

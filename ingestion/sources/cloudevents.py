"""CloudEvents 1.0 in JSON: structured events, one a line, and batches (a list on a line).

Source: the CloudEvents specification 1.0.2, its JSON event format and the authcontext extension.
Producers give `source` and `id` so that the pair is unique: the same pair is the same event. What
`data` holds is the producer's own; the names of the e-commerce spec are looked for in it, others
are for the mapping to say (`identifiers: {crm: data.customer.id}`).
"""

from collections.abc import Mapping
from typing import Any

import ibis

from ingestion.functions import from_base64, json_only, json_shaped
from ingestion.record import Rows
from ingestion.sources.formats import Format, Texts, commerce, words
from ingestion.table import Table

_NOTHING = ibis.null("string")


def fits(found: Mapping[str, Any]) -> bool:
    """Whether an object is a structured event."""
    return {"specversion", "type", "source", "id"} <= set(found)


def _objects(rows: Rows) -> Texts:
    """The data, which a producer may have packed as bytes."""
    given = json_shaped(rows.line, {"data": "JSON", "data_base64": "VARCHAR"})
    packed = json_only(from_base64(given["data_base64"]), "{")
    return {"data": ibis.coalesce(json_only(given["data"].cast("string"), "{"), packed)}


def _finished(rows: Rows, _table: Table, _salt: str) -> Texts:
    # com.example.shop.order.completed.v2 is about order.completed.
    named = rows.type.re_replace(r"(?i)\.v?\d+(\.\d+)*$", "")
    named = named.re_replace(r"(?i)^(com|org|net|io|dev|app|[a-z]{2})\.[^.]+\.", "")
    named = named.re_extract(r"([^.]+\.)?[^.]+$", 0)
    customer = (rows.auth_type == "app_user").fill_null(False)
    user = rows["given:user_id"]
    page = rows.page.startswith("{").ifelse(_NOTHING, rows.page)
    known = (rows.version == "1.0").fill_null(False)
    return {
        "event": named,
        "kind": (known & rows.type.notnull()).ifelse("event", _NOTHING),
        "id": rows.producer + ibis.literal("|") + rows.id,
        "object": ibis.coalesce(rows.object, rows.subject, page),
        "time": ibis.coalesce(rows.time, rows.recorded),
        "given:user_id": ibis.coalesce(user, customer.ifelse(rows.auth_id, _NOTHING)),
    }


_DATA = commerce("data")
FORMAT = Format(
    fields=frozenset(
        words("""
            specversion type source id time subject datacontenttype dataschema data
            data_base64 traceparent tracestate sequence partitionkey recordedtime expirytime
            dataref authtype authid authclaims sampledrate severitytext severitynumber
            correlationid causationid receivedAt
        """)
    ),
    places={
        **_DATA,
        "type": ("type",),
        "id": ("id",),
        "time": ("time",),
        "received": ("recordedtime", "receivedAt"),
        "campaign_id": (*_DATA["campaign_id"], "data.campaign.id", "data.campaign.name"),
        "item_id": (*_DATA["item_id"], "data.product.id", "data.item.id"),
        "title": (*_DATA["title"], "data.product.name", "data.item.name"),
        "basket": (*_DATA["basket"], "data.orderId", "data.order.id", "data.cart.id"),
        "consent": ("data.consent",),
        "producer": ("source",),
        "version": ("specversion",),
        "subject": ("subject",),
        "page": ("data.page.path", "data.page"),
        "recorded": ("recordedtime",),
        "auth_type": ("authtype",),
        "auth_id": ("authid",),
    },
    identifiers={
        "user_id": ("data.user_id", "data.userId", "data.user.id"),
        "anonymous_id": ("data.anonymous_id", "data.anonymousId"),
        "device_id": ("data.device_id", "data.deviceId", "data.device.id"),
        "email": ("data.email", "data.user.email", "data.customer.email"),
        "phone": ("data.phone", "data.user.phone", "data.customer.phone"),
    },
    objects_of=_objects,
    finished=_finished,
)

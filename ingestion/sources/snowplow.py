"""Snowplow events: the enriched TSV (131 columns, no header), the flattened JSON that its analytics
SDKs and warehouse loaders write, and the payloads of its tracker protocol.

Source: the enriched TSV format, canonical event model, e-commerce and consent events of the
Snowplow documentation. A row of the TSV becomes the object the analytics SDKs would make of it.
"""

from collections.abc import Mapping
from typing import Any

import ibis

from ingestion.functions import (
    first_text,
    from_base64,
    json_as,
    json_at,
    json_merged,
    json_of,
    json_only,
    json_shaped,
    of_query,
)
from ingestion.record import Rows
from ingestion.sources.formats import Format, Product, Texts, iso_utc, words
from ingestion.sources.robots import is_robot
from ingestion.table import Table
from kg.lake.files import LINE

COLUMNS = words("""
    app_id platform etl_tstamp collector_tstamp dvce_created_tstamp event event_id txn_id
    name_tracker v_tracker v_collector v_etl user_id user_ipaddress user_fingerprint
    domain_userid domain_sessionidx network_userid geo_country geo_region geo_city geo_zipcode
    geo_latitude geo_longitude geo_region_name ip_isp ip_organization ip_domain ip_netspeed
    page_url page_title page_referrer page_urlscheme page_urlhost page_urlport page_urlpath
    page_urlquery page_urlfragment refr_urlscheme refr_urlhost refr_urlport refr_urlpath
    refr_urlquery refr_urlfragment refr_medium refr_source refr_term mkt_medium mkt_source
    mkt_term mkt_content mkt_campaign contexts se_category se_action se_label se_property
    se_value unstruct_event tr_orderid tr_affiliation tr_total tr_tax tr_shipping tr_city
    tr_state tr_country ti_orderid ti_sku ti_name ti_category ti_price ti_quantity
    pp_xoffset_min pp_xoffset_max pp_yoffset_min pp_yoffset_max useragent br_name br_family
    br_version br_type br_renderengine br_lang br_features_pdf br_features_flash
    br_features_java br_features_director br_features_quicktime br_features_realplayer
    br_features_windowsmedia br_features_gears br_features_silverlight br_cookies
    br_colordepth br_viewwidth br_viewheight os_name os_family os_manufacturer os_timezone
    dvce_type dvce_ismobile dvce_screenwidth dvce_screenheight doc_charset doc_width
    doc_height tr_currency tr_total_base tr_tax_base tr_shipping_base ti_currency
    ti_price_base base_currency geo_timezone mkt_clickid mkt_network etl_tags dvce_sent_tstamp
    refr_domain_userid refr_device_tstamp derived_contexts domain_sessionid derived_tstamp
    event_vendor event_name event_format event_version event_fingerprint true_tstamp
""")
_PAYLOAD = words("""
    e eid tid tna tv p aid uid fp duid vid sid nuid tnuid ip url page refr cd lang tz dtm stm
    ttm res vp ds cs f_pdf ua se_ca se_ac se_la se_pr se_va ue_pr ue_px co cx tr_id tr_af
    tr_tt tr_tx tr_sh tr_ci tr_st tr_co tr_cu ti_id ti_sk ti_nm ti_na ti_ca ti_pr ti_qu ti_cu
    pp_mix pp_max pp_miy pp_may evn
""")
_EVENTS = {
    "page_view", "page_ping", "struct", "unstruct", "transaction", "transaction_item",
}  # fmt: skip
_SHORT = {
    "pv": "page_view", "pp": "page_ping", "se": "struct", "ue": "unstruct", "tr": "transaction",
    "ti": "transaction_item",
}  # fmt: skip
_ENTITY = "contexts_com_snowplowanalytics_snowplow_"
_SINGLE = {
    "transaction": "ecommerce_transaction", "refund": "ecommerce_refund",
    "cart": "ecommerce_cart", "buyer": "ecommerce_user", "client": "client_session",
    "mobile": "mobile_context",
}  # fmt: skip
_ENDS = ("_1", "_1_0_0")  # loaders write the model or the whole version of a schema
_FLAT = [f"{_ENTITY}{name}{end}" for name in ("ecommerce_product", *_SINGLE.values())
         for end in _ENDS]  # fmt: skip
_PACKED = words("""
    unstruct_event ue_pr ue_px contexts co cx event_vendor event_name event_version
""")
_GROWN = f'{{"column_{len(COLUMNS) + 1}":true}}'
# What the enrichments IAB and YAUAA say of robots, in the data's or the warehouse's spelling.
_ROBOT = r'(?i)"spider_?or_?robot" ?: ?true|"agent_?class" ?: ?"robot'
_LINK_MINUTES = 30  # a link is decorated when it is clicked; one that is older was passed on
_NOTHING = ibis.null("string")


def fits(found: Mapping[str, Any]) -> bool:
    """Whether an object is an event of Snowplow, or a payload of its tracker protocol."""
    if "payload_data" in str(found.get("schema")):
        return True
    return "event_id" in found and "collector_tstamp" in found


def fits_text(line: str) -> bool:
    """Whether a line is a row of the enriched TSV."""
    cells = line.split("\t")
    return len(cells) >= len(COLUMNS) and cells[5] in _EVENTS and len(cells[6]) == 36


def _parsed(rows: Rows) -> Texts:
    """A row of the TSV as an object; a line of JSON stays what it is."""
    line = rows[LINE]
    cells = line.split("\t")
    named = {name: cells[place].nullif("") for place, name in enumerate(COLUMNS)}
    # What the format has grown by since is a field we do not know.
    grown = (cells.length() > len(COLUMNS)).ifelse(_GROWN, "{}")
    whole = cells.length() >= len(COLUMNS)
    made = whole.ifelse(json_merged(json_of(named), grown), _NOTHING)
    is_json = line.lstrip().startswith("{") | line.lstrip().startswith("[")
    return {
        "json": is_json.ifelse(line, made),
        "trouble": is_json.ifelse("invalid_json", "ragged"),
    }


def _unpacked(rows: Rows) -> Texts:
    """The event's own data and the entities beside it, however they are written."""
    packed = json_shaped(rows.line, dict.fromkeys(_PACKED, "VARCHAR"))
    event = first_text(packed["unstruct_event"], packed["ue_pr"], from_base64(packed["ue_px"]))
    contexts = first_text(packed["contexts"], packed["co"], from_base64(packed["cx"]))
    return {
        "_packed": packed,
        "_event": json_shaped(
            json_only(event, "{"), {"data": {"schema": "VARCHAR", "data": "JSON"}}
        ),
        "_entities": json_as(
            json_shaped(json_only(contexts, "{"), {"data": "JSON"})["data"].cast("string"),
            '[{"schema":"VARCHAR","data":"JSON"}]',
            "array<struct<schema: string, data: json>>",
        ),
        "_columns": json_shaped(rows.line, dict.fromkeys(_FLAT, "VARCHAR")),
    }


def _objects(rows: Rows) -> Texts:
    inside = rows["_event"]["data"]
    own = ibis.coalesce(inside["data"].cast("string"), _flat(rows.line, rows["_packed"]))
    return {
        "own": own,
        "described": inside["schema"],
        "products": _entities(rows, "ecommerce_product"),
        **{
            root: json_at(_entities(rows, name), "$[0]").cast("string")
            for root, name in _SINGLE.items()
        },
    }


def _flat(line: Any, packed: Any) -> Any:
    """The data of a self-describing event, whose column carries its vendor, name and version."""
    version = packed["event_version"].replace("-", "_")
    name = packed["event_name"].re_replace("([a-z0-9])([A-Z])", r"\1_\2").lower()
    base = packed["event_vendor"] + ibis.literal("_") + name + ibis.literal("_")
    found = []
    for end in (version.re_replace("_.*$", ""), version):
        column = (base + end).re_replace("[^A-Za-z0-9_]", "_")
        path = ibis.literal('$."unstruct_event_') + column + ibis.literal('"')
        found.append(json_at(line, path).cast("string"))
    return ibis.coalesce(*found)


def _entities(rows: Rows, name: str) -> Any:
    """The entities of a kind as a JSON list; null where there are none."""
    schema = f"/{name.removeprefix('ecommerce_')}/jsonschema/"
    mine = rows["_entities"].filter(lambda one: one["schema"].contains(schema))
    mine = mine.map(lambda one: one["data"].cast("string")).join(",").nullif("")
    packed = ibis.literal("[") + mine + ibis.literal("]")
    flat = [rows["_columns"][f"{_ENTITY}{name}{end}"] for end in _ENDS]
    return ibis.coalesce(*[json_only(column, "[") for column in flat], packed)


def _finished(rows: Rows, _table: Table, _salt: str) -> Texts:
    event = ibis.cases(*((rows.event == short, long) for short, long in _SHORT.items()),
                       else_=rows.event)  # fmt: skip
    named = ibis.coalesce(rows.event_name, rows.described.split("/")[1])
    action = (named == "snowplow_ecommerce_action").fill_null(False)
    legacy = event.isin(("transaction", "transaction_item")).fill_null(False)
    told = [rows[name] for name in ("derived", "iab", "yauaa")]
    robot = ibis.or_(*[one.re_search(_ROBOT).fill_null(False) for one in told])
    return {
        "nobody": robot | is_robot(rows.agent),
        "event": ibis.cases(
            (action, rows.action),
            (event == "struct", ibis.coalesce(rows.struct_action, "struct")),
            (event == "unstruct", named),
            else_=event,
        ),
        "id": rows.id + (ibis.literal("/") + rows.fingerprint).fill_null(""),
        "object": ibis.coalesce(rows.object, rows.url.re_extract(r"^[a-z]+://[^/?#]+([^?#]*)", 1)),
        "products": legacy.ifelse(_NOTHING, rows.products),
        "campaign_id": ibis.coalesce(rows.campaign_id, of_query(rows.url, "utm_campaign")),
        "consent": _consent(rows, named),
        "given:domain_userid.referrer": _fresh(rows).ifelse(
            rows["given:domain_userid.referrer"], _NOTHING
        ),
    }


def _fresh(rows: Rows) -> Any:
    """Whether a visitor came from our other domain just now: such links name the same browser."""
    at = ibis.coalesce(rows.time, rows.original).replace(" ", "T").try_cast("timestamp")
    linked = rows.linked.replace(" ", "T").try_cast("timestamp")
    passed = at.epoch_seconds() - linked.epoch_seconds()
    return passed.between(-60 * _LINK_MINUTES, 60 * _LINK_MINUTES).fill_null(False)


def _consent(rows: Rows, named: Any) -> Any:
    """Consent events as purpose -> granted; `all` stands for every purpose."""
    scopes = json_as(json_only(rows.scopes, "["), '["VARCHAR"]', "array<string>")
    scopes = scopes.filter(lambda scope: scope.notnull() & ~scope.contains('"'))
    listed = scopes.map(lambda scope: ibis.literal('"') + scope + ibis.literal('":true'))
    allowed = ibis.literal("{") + listed.join(",") + ibis.literal("}")
    denied, granted = '{"all":false}', '{"all":true}'
    said = rows.consent_event
    preferences = ibis.cases(
        (said.isin(("deny_all", "withdrawn", "expired")), denied),
        (said == "allow_all", granted),
        ((said == "allow_selected") & (scopes.length() > 0), allowed),
        else_=_NOTHING,
    )
    return ibis.cases(
        (named == "consent_preferences", preferences),
        (named == "consent_withdrawn", denied),
        (named == "consent_granted", granted),
        else_=_NOTHING,
    )


def _folded(rows: Rows) -> Rows:
    """Without the orders of which there are the items, too: these say what was bought, and for how
    much, one event each."""
    bought = (rows.verb == "bought") & rows.basket_id.notnull()
    of_items = rows.filter(bought & rows.item_id.notnull()).select(order="basket_id").distinct()
    whole = rows.filter(bought & rows.item_id.isnull())
    told = whole.semi_join(of_items, whole.basket_id == of_items.order)
    return rows.anti_join(told.select("record_key"), "record_key")


def _enriched(name: str) -> tuple[str, ...]:
    return tuple(f"contexts_{name}{end}" for end in _ENDS)


FORMAT = Format(
    fields=frozenset([*COLUMNS, *_PAYLOAD, "load_tstamp", "geo_location", "schema", "data",
                      "refr_dvce_tstamp", "event_quality"]),
    prefixes=("contexts_", "unstruct_event_"),
    places={
        "id": ("event_id", "eid"),
        "event": ("event", "e"),
        "time": ("true_tstamp", "ttm", "derived_tstamp"),
        "original": ("dvce_created_tstamp", "dtm"),
        "sent": ("dvce_sent_tstamp", "stm"),
        "received": ("collector_tstamp", "receivedAt"),
        "category": ("se_category", "se_ca"),
        "platform": ("platform", "p"),
        "campaign_id": ("mkt_campaign",),
        "products": ("products",),
        "item_id": ("ti_sku", "ti_sk"),
        "title": ("ti_name", "ti_nm", "ti_na"),
        "item_category": ("ti_category", "ti_ca"),
        "price": ("ti_price", "ti_pr"),
        "quantity": ("ti_quantity", "ti_qu"),
        "value": ("transaction.revenue", "refund.refund_amount", "tr_total", "tr_tt"),
        "basket": (
            "transaction.transaction_id", "refund.transaction_id", "cart.cart_id", "tr_orderid",
            "ti_orderid", "tr_id", "ti_id",
        ),
        "object": (
            "se_label", "se_la", "own.targetUrl", "own.name", "page_urlpath", "page_title", "page",
        ),
        "event_name": ("event_name",),
        "described": ("described",),
        "fingerprint": ("event_fingerprint",),
        "struct_action": ("se_action", "se_ac"),
        "action": ("own.type",),
        "url": ("page_url", "url"),
        "linked": ("refr_dvce_tstamp", "refr_device_tstamp"),
        "consent_event": ("own.eventType",),
        "scopes": ("own.consentScopes",),
        "agent": ("useragent", "ua"),
        "derived": ("derived_contexts",),
        "iab": _enriched("com_iab_snowplow_spiders_and_robots"),
        "yauaa": _enriched("nl_basjes_yauaa_context"),
    },
    identifiers={
        "user_id": ("user_id", "uid"),
        "domain_userid": ("domain_userid", "duid"),
        "network_userid": ("network_userid", "nuid", "tnuid"),
        "device_id": ("client.userId",),
        "device_id.idfv": ("mobile.appleIdfv",),
        "user_id.buyer": ("buyer.id",),
        "email": ("buyer.email",),
        "domain_userid.referrer": ("refr_domain_userid",),
    },
    times=iso_utc("time", "original", "sent", "received", formats=("iso", "epoch_ms")),
    left_out=frozenset({"page_ping"}),
    batch="data",
    envelope=("receivedAt",),
    product=Product(id=("id", "sku"), separator="/"),
    parsed=_parsed,
    unpacked=_unpacked,
    objects_of=_objects,
    finished=_finished,
    folded=_folded,
)  # fmt: skip

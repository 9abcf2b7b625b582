"""Exports of business systems, made up: help desk, messenger, catalogues, sends, consents."""

from typing import Any

ASKED_AT = "2026-01-05T10:00:00Z"
CHANGED_AT = "2026-01-06T10:00:00Z"
TICKET: dict[str, Any] = {
    "url": "https://x.zendesk.com/api/v2/tickets/7.json", "id": 7, "external_id": None,
    "via": {"channel": "email", "source": {"from": {"address": "Ann@x.org"}}},
    "created_at": ASKED_AT, "updated_at": CHANGED_AT, "generated_timestamp": 1767700000,
    "type": "problem", "subject": "Broken", "description": "Call 202-555-0143", "status": "open",
    "requester_id": 99, "submitter_id": 99, "organization_id": 5, "tags": [],
}  # fmt: skip
ASKER: dict[str, Any] = {
    "id": 99, "role": "end-user", "email": "ann@x.org", "name": "Ann Ay", "phone": None,
    "external_id": "u1", "created_at": ASKED_AT, "updated_at": CHANGED_AT, "active": True,
    "organization_id": 5, "locale": "en-GB", "shared_phone_number": None,
}  # fmt: skip
AGENT = {**ASKER, "id": 1, "role": "agent", "email": "agent@company.org", "external_id": None}
COMPANY = {
    "id": 5,
    "name": "Acme",
    "domain_names": [],
    "created_at": ASKED_AT,
    "updated_at": ASKED_AT,
}
RATING = {"id": 3, "ticket_id": 7, "requester_id": 99, "assignee_id": 1, "score": "good",
          "comment": "Quick", "created_at": ASKED_AT, "updated_at": CHANGED_AT}  # fmt: skip


FROM_S, UNTIL_S = 1767600000, 1767700000
CONTACT: dict[str, Any] = {
    "type": "contact", "id": "c1", "external_id": "u1", "role": "user", "email": "Ann@x.org",
    "phone": "+1 202 555 0143", "name": "Ann Ay", "created_at": FROM_S, "updated_at": FROM_S,
    "unsubscribed_from_emails": True, "location": {"type": "location", "country": "Ireland"},
    "companies": {"type": "list", "data": [{"type": "company", "id": "co1"}]},
}  # fmt: skip
LEAD = {**CONTACT, "id": "c2", "role": "lead", "external_id": "6b3a-made-up", "email": None,
        "phone": None, "unsubscribed_from_emails": False}  # fmt: skip
ACCOUNT = {"type": "company", "id": "co1", "company_id": "7", "name": "Acme", "created_at": FROM_S}
TALK: dict[str, Any] = {
    "type": "conversation", "id": "900", "created_at": FROM_S, "updated_at": UNTIL_S,
    "state": "closed",
    "source": {"type": "conversation", "delivered_as": "customer_initiated", "subject": "",
               "body": "<p>It&#39;s <b>broken</b>&nbsp;&amp; late<br>Mail a@b.org</p>",
               "author": {"type": "user", "id": "c1", "name": "Ann Ay", "email": "ann@x.org"}},
    "contacts": {"type": "contact.list", "contacts": [{"type": "contact", "id": "c1"}]},
    "conversation_rating": {"rating": 4, "remark": "Kind", "created_at": UNTIL_S},
    "conversation_parts": {"type": "conversation_part.list", "total_count": 3,
        "conversation_parts": [
            {"type": "conversation_part", "id": "1", "part_type": "comment", "body": "We look",
             "created_at": FROM_S + 60, "author": {"type": "admin", "id": "9"}},
            {"type": "conversation_part", "id": "2", "part_type": "comment", "body": "<p>Ta</p>",
             "created_at": FROM_S + 120, "author": {"type": "lead", "id": "c2"}},
            {"type": "conversation_part", "id": "3", "part_type": "close", "body": None,
             "created_at": FROM_S + 180, "author": {"type": "user", "id": "c1"}},
        ]},
}  # fmt: skip


COLUMNS = ("id", "title", "price", "availability", "product type", "google product category",
           "item group id", "brand")  # fmt: skip
ROWS = [
    ("d-1", "Floor, lamp", "15.00 USD", "in_stock", "Home > Light > Lamps", "594", "d", "Ay"),
    ("d-2", "Desk lamp", "1,015.50 USD", "in_stock", "", "Home & Garden > Lighting", "d", "Ay"),
    ("x", "Cup", "3 USD", "out_of_stock", "", "594", "", ""),
]
RSS = """<?xml version="1.0"?>
<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel>
<title>Shop</title><link>https://x.org</link><description>All</description>
{items}</channel></rss>"""
ATOM = """<?xml version="1.0" encoding="{encoding}"?>
<feed xmlns="http://www.w3.org/2005/Atom" xmlns:g="http://base.google.com/ns/1.0">
<title>Shop</title><link rel="self" href="https://x.org"/>{items}</feed>"""


def feed_text(separator: str) -> str:
    """The feed as text, what needs them in quotes."""
    rows = [COLUMNS, *ROWS]
    return "".join(separator.join(f'"{one}"' for one in row) + "\n" for row in rows)


def feed_elements(name: str) -> str:
    """The feed's products as elements."""
    told = ""
    for number, title, price, stock, kind, google, group, brand in ROWS:
        told += f"<{name}><title>{title}</title><g:id>{number}</g:id><g:price>{price}</g:price>"
        told += f"<g:availability>{stock}</g:availability><g:brand>{brand}</g:brand>"
        told += f"<g:item_group_id>{group}</g:item_group_id>"
        told += f"<g:product_type>{kind.replace('>', '&gt;')}</g:product_type>" if kind else ""
        told += "<g:product_type>Sale &gt; All</g:product_type>" if kind else ""
        google = google.replace("&", "&amp;").replace(">", "&gt;")
        told += f"<g:google_product_category>{google}</g:google_product_category>"
        told += "<g:shipping><g:country>US</g:country><g:price>5 USD</g:price></g:shipping>"
        told += f"</{name}>\n"
    return told


FEEDS = {
    "tsv": feed_text("\t").encode(),
    "csv": feed_text(",").encode(),
    "rss": RSS.format(items=feed_elements("item")).encode(),
    "atom": ATOM.format(items=feed_elements("entry"), encoding="utf-16").encode("utf-16"),
}


LAMP = {"@context": "https://schema.org/", "@type": "Product", "sku": "s1", "name": "Lamp",
        "category": "Home > Light", "brand": {"@type": "Brand", "name": "Ay"},
        "offers": {"@type": "Offer", "price": "15.00", "priceCurrency": "USD"}}  # fmt: skip
CUP = {"@type": ["http://schema.org/Product", "Thing"], "gtin13": "4000000000001", "name": "Cup",
       "category": [{"@type": "CategoryCode", "name": "Kitchen"}],
       "offers": [{"@type": "AggregateOffer", "lowPrice": 3, "highPrice": 5}]}  # fmt: skip
SHIRT = {"@type": "ProductGroup", "productGroupID": "g1", "name": "Shirt", "category": "Clothes",
         "hasVariant": [
             {"@type": "Product", "sku": "g1-s", "size": "S", "offers": {"price": 9}},
             {"@type": "Product", "sku": "g1-m", "name": "Shirt M", "offers": {"price": 9.5}},
         ]}  # fmt: skip

SENDS = (
    "email,campaign_id,arm,sent_at,assigned_at,opened_at,channel\n"
    "ann@x.org,spring,Treated,2026-02-01T10:00:00Z,,2026-02-01T11:00:00Z,email\n"
    "bob@x.org,spring,Holdout,,2026-02-01T09:00:00Z,,\n"
    "cem@x.org,spring,CONTROL,2026-02-01T10:00:00Z,,,\n"
)
CONSENTS = (
    "user_id,purpose,status,changed_at,source\n"
    "u1,profiling,Opted out,2026-01-01T00:00:00Z,web form\n"
    "u1,profiling,granted,2026-03-01T00:00:00Z,call\n"
    "u2,profiling,granted,2026-01-01 10:00,import\n"
    "u3,newsletter,withdrawn,2026-01-01,web form\n"
)

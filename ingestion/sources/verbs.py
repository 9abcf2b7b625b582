"""What people did, in our words: one table for the event names of all formats.

Names are compared in snake_case. Sources: the e-commerce events of the Segment spec (which PostHog,
RudderStack and many users of Amplitude and Mixpanel write, too), the recommended events of GA4 and
the e-commerce actions of Snowplow. A name that is not here is a verb of its own.
"""

from typing import Any

import ibis

from ingestion.columns import slug

VERBS = {
    "bought": (
        "order_completed", "purchase", "purchased", "in_app_purchase", "ecommerce_purchase",
        "transaction", "transaction_item", "revenue_amount", "purchase_completed",
        "purchase_complete", "purchase_made", "completed_purchase", "made_purchase",
        "order_complete", "completed_order", "order_placed", "placed_order",
        "transaction_completed",
    ),
    "returned": ("order_refunded", "refund", "refunded", "purchase_refunded", "refunded_order"),
    "cancelled": ("order_cancelled", "order_canceled", "cancelled_order", "canceled_order"),
    "viewed": (
        "product_viewed", "viewed_product", "view_item", "product_view", "page", "page_view",
        "pageview", "page_viewed", "mp_web_page_view", "mp_page_view", "screen", "screen_view",
        "screen_viewed", "document_load",
    ),
    "clicked": (
        "product_clicked", "select_item", "list_click", "promotion_clicked", "select_promotion",
        "promo_click", "email_link_clicked", "link_click", "click", "autocapture", "mp_click",
        "element_clicked", "button_click", "browser_click",
    ),
    "added": (
        "product_added", "add_to_cart", "added_to_cart", "wishlist_product_added_to_cart",
        "added_product", "product_added_to_cart", "item_added_to_cart",
    ),
    "removed": ("product_removed", "remove_from_cart", "removed_from_cart"),
    "wished": ("product_added_to_wishlist", "add_to_wishlist"),
    "unwished": ("product_removed_from_wishlist",),
    "shared": ("product_shared", "share"),
    "reviewed": ("product_reviewed",),
    "listed": ("product_list_viewed", "product_list_filtered", "view_item_list", "list_view"),
    "searched": ("products_searched", "search", "site_search", "view_search_results"),
    "viewed_cart": ("cart_viewed", "view_cart"),
    "checked_out": ("checkout_started", "begin_checkout", "checkout_step"),
    "redeemed": ("coupon_applied",),
    "received": ("email_delivered",),
    "opened": ("email_opened",),
}  # fmt: skip

PAID = ("bought", "returned")  # looking at a thing costs nothing

_BY_NAME = {name: verb for verb, names in VERBS.items() for name in names}


def snake_case(rows: Any, name: str) -> dict[str, Any]:
    """The column `_slug`: an event's name as it is compared; in a view of its own, or every use
    of it would compute it again."""
    return {"_slug": slug(rows[name])}


def verb(rows: Any) -> Any:
    """The verb of rows with `_slug`."""
    known = [(rows["_slug"] == name, word) for name, word in _BY_NAME.items()]
    return ibis.coalesce(ibis.cases(*known, else_=rows["_slug"]).nullif(""), "did_something")

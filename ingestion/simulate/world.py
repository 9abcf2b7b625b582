"""The planted facts: one company, its customers' personas, campaigns and reasons to leave.

Everything a generator may know stands here as tables, so that `docs/world.md` and the truth files
can say it and nothing is hidden in code. Fixed by `WORLD_VERSION`: change a number, change the
version.

The company is a made-up home and hobby shop with a web site, an app, stores and a paid membership.
Hours are UTC. Weekdays start on Monday, months in January.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime

WORLD_VERSION = "1"
STARTS_ON = date(2025, 8, 1)
ENDS_ON = date(2026, 6, 30)
START_MS = int(datetime(2025, 8, 1, tzinfo=UTC).timestamp() * 1000)
END_MS = int(datetime(2026, 7, 1, tzinfo=UTC).timestamp() * 1000)
DAY_MS = 86_400_000
DAYS = (END_MS - START_MS) // DAY_MS

CATALOGUE: dict[str, tuple[str, ...]] = {
    "Kitchen": ("Cookware", "Small Appliances"),
    "Home": ("Bedding", "Lighting", "Cleaning", "Storage"),
    "Garden": ("Plants", "Garden Tools", "Outdoor Living"),
    "Workshop": ("Power Tools", "Hand Tools", "Fixings"),
    "Electronics": ("Audio", "Smart Home", "Cables"),
    "Office": ("Paper", "Desk"),
    "Leisure": ("Toys", "Crafts", "Books"),
    "Pets": ("Pet Food", "Pet Care"),
}
CATEGORIES = tuple(category for group in CATALOGUE.values() for category in group)
PAGES = ("Deals", "Gift Finder", "Pricing", "Delivery and Returns", "Help Centre")
FEATURES = ("Project Planner", "Room Designer", "Price Alerts", "Shared Lists")
OTHER_TOPICS = ("Membership", "Survey", "Newsletter", "Delivery")
TOPICS = CATEGORIES + PAGES + FEATURES + OTHER_TOPICS

VERBS = (
    "browse", "read", "search", "compare", "save", "buy",
    "use", "redeem", "quote", "return", "ask", "answer", "respond", "wait",
)  # fmt: skip
TIERS = ("any", "budget", "standard", "premium")
CHANNELS = ("visit", "store", "support", "survey", "server")


@dataclass(frozen=True)
class Kind:
    """One kind of intent: what is wanted, about what, where, and at which price level.

    Args:
        weight: share of the persona's intents, sums to 1 over a persona.
        channel: `visit` is the web or the app, by the device of the visit.
        tier: price level within the category (thirds by price).
        step: place in the order of a visit, for personas whose order is fixed.
        size: mean number of items or lines beyond the first.
    """

    verb: str
    topic: str
    weight: float
    channel: str = "visit"
    tier: str = "any"
    step: int = 0
    size: float = 1.0


@dataclass(frozen=True)
class Persona:
    """A bundle of intent kinds that recurs in the same people.

    Args:
        share: relative frequency when a person's personas are drawn.
        hour, hour_spread: start of a visit, normal, UTC.
        weekdays, months: relative weights (7 from Monday, 12 from January).
        app_share: visits made in the app by people who have it.
        in_order: intents of a visit follow `Kind.step`; else their order is random.
    """

    name: str
    story: str
    share: float
    hour: float
    hour_spread: float
    app_share: float
    kinds: tuple[Kind, ...]
    weekdays: tuple[float, ...] = (1,) * 7
    months: tuple[float, ...] = (1,) * 12
    in_order: bool = False


_OFFICE_DAYS = (1, 1, 1, 1, 0.9, 0.1, 0.1)
_WEEKEND = (0.3, 0.3, 0.3, 0.4, 0.8, 3, 3)


def _makers(read: int, plan: int, buy: int) -> tuple[Kind, ...]:
    """The two maker personas do the same things; only hour and order tell them apart."""
    return (
        Kind("read", "Crafts", 0.14, step=read),
        Kind("read", "Power Tools", 0.12, step=read),
        Kind("use", "Project Planner", 0.14, step=plan),
        Kind("save", "Lighting", 0.12, tier="standard", step=plan),
        Kind("browse", "Fixings", 0.08, tier="standard", step=plan),
        Kind("buy", "Crafts", 0.14, tier="standard", step=buy),
        Kind("buy", "Power Tools", 0.14, tier="standard", step=buy),
        Kind("buy", "Lighting", 0.12, tier="standard", step=buy),
    )


# Four families of personas share their categories on purpose, so that what people look at and buy
# does not tell who they are: {bargain, bulk}, {fix-it, both makers}, {gift, returner, tester},
# {grower, trial}. Within a family price, place, verb, hour and order differ.
PERSONAS: tuple[Persona, ...] = (
    Persona(
        "bargain_restocker",
        "Restocks cheap staples from the deals page on weekday mornings; never calls support.",
        share=0.17, hour=8, hour_spread=1.2, app_share=0.5, weekdays=_OFFICE_DAYS,
        kinds=(
            Kind("browse", "Deals", 0.12),
            Kind("redeem", "Deals", 0.06),
            Kind("buy", "Cleaning", 0.20, tier="budget", size=2),
            Kind("buy", "Paper", 0.16, tier="budget"),
            Kind("search", "Paper", 0.06, tier="budget"),
            Kind("buy", "Storage", 0.14, tier="budget"),
            Kind("buy", "Cables", 0.10, tier="budget"),
            Kind("use", "Price Alerts", 0.10),
            Kind("answer", "Survey", 0.06, channel="survey"),
        ),
    ),
    Persona(
        "bulk_buyer",
        "Supplies an office: quotes, many pieces, invoices, in working hours.",
        share=0.10, hour=11, hour_spread=2, app_share=0.05, weekdays=_OFFICE_DAYS,
        kinds=(
            Kind("quote", "Paper", 0.10, tier="standard"),
            Kind("buy", "Cleaning", 0.20, tier="standard", size=4),
            Kind("buy", "Paper", 0.12, tier="standard", size=4),
            Kind("buy", "Storage", 0.14, tier="standard", size=3),
            Kind("buy", "Cables", 0.10, tier="standard", size=3),
            Kind("browse", "Deals", 0.08),
            Kind("redeem", "Deals", 0.04),
            Kind("use", "Shared Lists", 0.08),
            Kind("browse", "Delivery and Returns", 0.06),
            Kind("ask", "Paper", 0.08, channel="support"),
        ),
    ),
    Persona(
        "fixit_owner",
        "Repairs things at home: reads guides, buys parts in the store, asks about installation.",
        share=0.14, hour=14, hour_spread=4, app_share=0.2,
        kinds=(
            Kind("read", "Crafts", 0.12),
            Kind("read", "Power Tools", 0.10),
            Kind("read", "Lighting", 0.10),
            Kind("search", "Power Tools", 0.06, tier="standard"),
            Kind("search", "Fixings", 0.06, tier="standard"),
            Kind("browse", "Help Centre", 0.10),
            Kind("buy", "Crafts", 0.12, channel="store", tier="standard", size=2),
            Kind("buy", "Power Tools", 0.10, channel="store", tier="standard"),
            Kind("buy", "Lighting", 0.10, channel="store", tier="standard"),
            Kind("ask", "Lighting", 0.08, channel="support"),
            Kind("ask", "Power Tools", 0.06, channel="support"),
        ),
    ),
    Persona(
        "morning_maker",
        "Starts projects early in the day: reads, plans, then buys.",
        share=0.10, hour=7, hour_spread=1.3, app_share=0.3,
        kinds=_makers(read=1, plan=2, buy=3), in_order=True,
    ),
    Persona(
        "night_maker",
        "Does the same late in the evening and the other way round: buys, plans, then reads.",
        share=0.10, hour=21.5, hour_spread=1.3, app_share=0.3,
        kinds=_makers(read=3, plan=2, buy=1), in_order=True,
    ),
    Persona(
        "gift_planner",
        "Collects premium presents on lists in the evening, most of all before Christmas.",
        share=0.16, hour=19.5, hour_spread=1.8, app_share=0.6,
        weekdays=(1, 1, 1, 1, 1, 1.5, 1.8),
        months=(0.6, 0.8, 0.8, 1, 1.3, 1, 1, 0.8, 1, 1.3, 2.2, 2.8),
        kinds=(
            Kind("browse", "Gift Finder", 0.12),
            Kind("save", "Toys", 0.12, tier="premium"),
            Kind("save", "Audio", 0.08, tier="premium"),
            Kind("save", "Bedding", 0.08, tier="premium"),
            Kind("compare", "Audio", 0.08, tier="premium"),
            Kind("buy", "Toys", 0.12, tier="premium"),
            Kind("buy", "Small Appliances", 0.14, tier="premium"),
            Kind("buy", "Bedding", 0.10, tier="premium"),
            Kind("use", "Shared Lists", 0.06),
            Kind("browse", "Delivery and Returns", 0.06),
            Kind("answer", "Survey", 0.04, channel="survey"),
        ),
    ),
    Persona(
        "weekend_grower",
        "Plans and plants a garden on weekend mornings from March to June, buying in the store.",
        share=0.14, hour=10, hour_spread=2, app_share=0.4, weekdays=_WEEKEND,
        months=(0.5, 0.8, 1.8, 2.2, 2.2, 1.8, 1, 1, 1, 0.8, 0.5, 0.4),
        kinds=(
            Kind("browse", "Plants", 0.14, tier="standard"),
            Kind("read", "Plants", 0.10),
            Kind("read", "Garden Tools", 0.08),
            Kind("search", "Outdoor Living", 0.08, tier="standard"),
            Kind("use", "Project Planner", 0.10),
            Kind("use", "Room Designer", 0.04),
            Kind("browse", "Help Centre", 0.04),
            Kind("buy", "Plants", 0.16, channel="store", tier="standard", size=2),
            Kind("buy", "Garden Tools", 0.14, channel="store", tier="standard"),
            Kind("buy", "Outdoor Living", 0.12, channel="store", tier="standard"),
        ),
    ),
    Persona(
        "serial_returner",
        "Buys premium things, sends them back and argues about the refund.",
        share=0.09, hour=17, hour_spread=3.5, app_share=0.4,
        kinds=(
            Kind("buy", "Toys", 0.08, tier="premium"),
            Kind("buy", "Audio", 0.10, tier="premium"),
            Kind("buy", "Small Appliances", 0.10, tier="premium"),
            Kind("buy", "Bedding", 0.10, tier="premium"),
            Kind("return", "Toys", 0.10, tier="premium"),
            Kind("return", "Audio", 0.08, tier="premium"),
            Kind("return", "Small Appliances", 0.06, tier="premium"),
            Kind("return", "Bedding", 0.08, tier="premium"),
            Kind("browse", "Delivery and Returns", 0.10),
            Kind("browse", "Gift Finder", 0.08),
            Kind("ask", "Audio", 0.06, channel="support"),
            Kind("ask", "Bedding", 0.06, channel="support"),
        ),
    ),
    Persona(
        "trial_evaluator",
        "Tries the garden membership before paying: prices, planner, comparisons, questions.",
        share=0.10, hour=15, hour_spread=2.5, app_share=0.3, weekdays=_OFFICE_DAYS,
        kinds=(
            Kind("browse", "Pricing", 0.12),
            Kind("use", "Project Planner", 0.14),
            Kind("use", "Room Designer", 0.08),
            Kind("compare", "Plants", 0.12, tier="standard"),
            Kind("compare", "Garden Tools", 0.12, tier="standard"),
            Kind("compare", "Outdoor Living", 0.12, tier="standard"),
            Kind("save", "Plants", 0.08, tier="standard"),
            Kind("search", "Plants", 0.06, tier="standard"),
            Kind("browse", "Help Centre", 0.06),
            Kind("ask", "Membership", 0.06, channel="support"),
            Kind("answer", "Survey", 0.04, channel="survey"),
        ),
    ),
    Persona(
        "early_tester",
        "Rare: tests premium devices late at night, reports what fails, answers surveys.",
        share=0.0, hour=22.5, hour_spread=2, app_share=0.7,
        kinds=(
            Kind("compare", "Audio", 0.14, tier="premium"),
            Kind("compare", "Toys", 0.08, tier="premium"),
            Kind("compare", "Bedding", 0.06, tier="premium"),
            Kind("buy", "Audio", 0.10, tier="premium"),
            Kind("buy", "Small Appliances", 0.16, tier="premium"),
            Kind("search", "Small Appliances", 0.08, tier="premium"),
            Kind("use", "Room Designer", 0.10),
            Kind("use", "Price Alerts", 0.06),
            Kind("browse", "Gift Finder", 0.06),
            Kind("ask", "Small Appliances", 0.10, channel="support"),
            Kind("answer", "Survey", 0.06, channel="survey"),
        ),
    ),
)  # fmt: skip
PERSONA_NAMES = tuple(persona.name for persona in PERSONAS)
RARE = PERSONA_NAMES.index("early_tester")
RARE_SHARE = 0.02
"""Share of people who hold the rare persona."""
PAIR = (PERSONA_NAMES.index("morning_maker"), PERSONA_NAMES.index("night_maker"))
"""Told apart by hour and order only; nobody holds both."""

HELD_COUNT_SHARES = (0.45, 0.38, 0.17)
"""People who hold one, two and three personas."""
DIRICHLET_ALPHA = 2.0
NOISE_SHARE = 0.20
"""Intents of visits that belong to no persona: topic by popularity, verb and price at random."""
STRAY_SHARE = 0.15
"""Intents of a visit drawn from the person's whole mix instead of the visit's persona."""
INTENTS_PER_VISIT = (0.42, 0.30, 0.18, 0.10)
NOISE_VERBS = {"browse": 0.4, "search": 0.2, "read": 0.1, "save": 0.1, "buy": 0.2}
VISITS_MEDIAN = 9.0
VISITS_SIGMA = 0.85
"""Visits of a person present for the whole history: log-normal."""


@dataclass(frozen=True)
class Campaign:
    """Something sent to contacts, at random to a treated arm; effects are additive on response.

    Args:
        sent_day: days after the start of the history.
        eligible_share: of contacts present that day.
        treated_share: of the eligible.
        base_rate: response of the control arm within 14 days.
        effects: change of the response rate of a treated person with weight 1 on a persona.
    """

    id: str
    name: str
    offer: str
    sent_day: int
    eligible_share: float
    treated_share: float
    base_rate: float
    effects: dict[str, float]


CAMPAIGNS: tuple[Campaign, ...] = (
    Campaign("CMP-01", "Autumn price drop", "AUTUMN10", 45, 0.7, 0.5, 0.06,
             {"bargain_restocker": 0.24, "bulk_buyer": 0.08, "serial_returner": 0.06}),
    Campaign("CMP-02", "Gift guide", "GIFTBOX", 115, 0.7, 0.5, 0.08,
             {"gift_planner": 0.28, "serial_returner": 0.10, "weekend_grower": 0.04}),
    Campaign("CMP-03", "Membership month free", "PLUSMONTH", 172, 0.6, 0.6, 0.05,
             {"trial_evaluator": 0.30, "morning_maker": 0.08, "night_maker": 0.08,
              "early_tester": 0.15}),
    Campaign("CMP-04", "Spring planting days", "SPRING26", 228, 0.7, 0.5, 0.06,
             {"weekend_grower": 0.30, "gift_planner": 0.05, "morning_maker": 0.06,
              "night_maker": 0.06}),
    Campaign("CMP-05", "Weekly newsletter", "NEWS", 262, 0.6, 0.5, 0.10, {}),
    Campaign("CMP-06", "Restock reminder", "RESTOCK", 290, 0.6, 0.5, 0.15,
             {"bargain_restocker": 0.15, "bulk_buyer": -0.12, "trial_evaluator": -0.10}),
)  # fmt: skip
RESPONSE_DAYS = 14
OPEN_SHARE = 0.40
"""Of the treated, noted in the CRM; opening depends on nothing."""

CHURN_BASE_MONTHLY = 0.012
"""Hazard of leaving for no recorded cause, per 30 days."""


@dataclass(frozen=True)
class ChurnCause:
    """Something recorded that makes people leave.

    Args:
        rate: mean number of such troubles per person and history.
        leave_share: share of troubles after which the person leaves, 5 to 45 days later.
    """

    name: str
    rate: float
    leave_share: float


CHURN_CAUSES = (
    ChurnCause("unresolved_ticket", rate=0.25, leave_share=0.45),
    ChurnCause("delivery_problem", rate=0.30, leave_share=0.30),
)
LEAVE_AFTER_DAYS = (5, 45)

REGIONS = ("North", "East", "South", "West")
AGE_BANDS = ("18-29", "30-44", "45-59", "60+")
PLANS = ("free", "plus", "team")
PLAN_SHARES = (0.66, 0.27, 0.07)
TEAM_SHARE_OF_BULK_BUYERS = 0.65
"""Plan `team` of people whose heaviest persona is bulk_buyer. Region and age are pure noise."""


@dataclass(frozen=True)
class Coverage:
    """Who appears where, as shares of people (or of what is named)."""

    known: float = 0.92
    """Have an account and log in some day; the rest stay one anonymous device each."""
    in_crm: float = 0.94
    crm_has_user_id: float = 0.70
    has_phone: float = 0.75
    has_app: float = 0.75
    """Of people with two devices or more; the last device is the app's."""
    second_email: float = 0.12
    """Write tickets from another address, which the CRM lists as the secondary one."""
    duplicate_contact: float = 0.04
    """Second CRM row: same phone and name in another spelling, older e-mail, no user id."""
    device_never_logged_in: float = 0.03
    """Of second and further devices."""
    login_at_visit: float = 0.8
    """Chance of the first login at each visit on a device."""
    logged_in_visit: float = 0.85
    """Of visits after the first login on a device."""
    order_without_customer: float = 0.08
    """Of store baskets: no customer card shown."""
    survey_anonymous: float = 0.15
    consent_denied: float = 0.03
    consent_granted_row: float = 0.30


COVERAGE = Coverage()


@dataclass(frozen=True)
class Dirt:
    """How much is wrong, as shares of lines of the file (or of people where said)."""

    duplicate_line: float = 0.006
    reexported_days: tuple[int, int] = (220, 222)
    malformed_line: float = 0.0005
    missing_message_id: float = 0.001
    junk_user_id: float = 0.003
    bad_time: float = 0.0005
    no_identifier: float = 0.0005
    late_event: float = 0.007
    offset_time: float = 0.20
    """Times written with +02:00 instead of Z: not wrong, only unkind."""
    kiosk_people: float = 0.03
    """Of people: one of their visits was on a store's kiosk."""
    junk_phone: float = 0.01
    ragged_row: float = 0.002
    missing_contact_id: float = 0.001
    ticket_typo: float = 0.06
    """Of words."""
    ticket_personal_data: float = 0.15
    malformed_ticket: float = 0.003
    family_pairs: int = 3
    """Per 1,000 people: father and son, one name, address, telephone; two thirds one e-mail too."""
    recycled_numbers: int = 2
    """Per 1,000 people: customer number of someone who left, given to someone who came later."""
    resold_devices: int = 2
    recycled_phones: int = 3
    companies: int = 4
    """Per 1,000 people: five colleagues on one switchboard, three of them on one role mailbox."""


DIRT = Dirt()
KIOSKS = ("kiosk-store-01", "kiosk-store-02", "kiosk-store-03")
JUNK_IDS = ("null", "undefined", "0")
SURVEY_DAYS = (60, 200, 310)

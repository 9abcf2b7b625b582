"""The company's catalogue: items with two or three category levels, price levels and popularity."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingestion.simulate import world

ITEMS_PER_CATEGORY = 30
WITHOUT_CATEGORY = 0.03
_ADJECTIVES = (
    "Alder", "Basalt", "Cobalt", "Drift", "Ember", "Fjord", "Garnet", "Harbour", "Indigo",
    "Juniper", "Kestrel", "Linden", "Maple", "Nordic", "Ochre", "Pebble", "Quartz", "Rowan",
    "Saffron", "Tundra",
)  # fmt: skip
_NOUNS: dict[str, tuple[str, ...]] = {
    "Cookware": ("pan", "pot", "wok"), "Small Appliances": ("kettle", "toaster", "blender"),
    "Bedding": ("duvet", "pillow", "sheet"), "Lighting": ("lamp", "spotlight", "bulb"),
    "Cleaning": ("cleaner", "sponge", "mop"), "Storage": ("box", "shelf", "basket"),
    "Plants": ("fern", "bulbs", "seedling"), "Garden Tools": ("spade", "rake", "hose"),
    "Outdoor Living": ("bench", "parasol", "grill"), "Power Tools": ("drill", "sander", "saw"),
    "Hand Tools": ("hammer", "chisel", "pliers"), "Fixings": ("screws", "anchors", "hinge"),
    "Audio": ("speaker", "headphones", "radio"), "Smart Home": ("thermostat", "hub", "sensor"),
    "Cables": ("cable", "adapter", "socket"), "Paper": ("paper", "envelopes", "folder"),
    "Desk": ("desk", "chair", "stand"), "Toys": ("puzzle", "kite", "train"),
    "Crafts": ("yarn", "paint", "clay"), "Books": ("atlas", "novel", "cookbook"),
    "Pet Food": ("kibble", "treats", "seeds"), "Pet Care": ("brush", "leash", "bed"),
}  # fmt: skip


@dataclass(frozen=True)
class Catalogue:
    """Items, ordered by category and price within it.

    Shapes:
        all (items,); `tier_cdf` (categories, 4 tiers, ITEMS_PER_CATEGORY): cumulative popularity.
    """

    sku: list[str]
    name: list[str]
    noun: list[str]
    category: NDArray[np.int64]
    price: NDArray[np.float64]
    hidden: NDArray[np.bool_]
    tier_cdf: NDArray[np.float64]

    def pick(
        self,
        rng: np.random.Generator,
        category: NDArray[np.int64],
        tier: NDArray[np.int64],
    ) -> NDArray[np.int64]:
        """Items by popularity within category and price level (indexes into the catalogue)."""
        draw = rng.random(category.size)
        found = (self.tier_cdf[category, tier] < draw[:, None]).sum(axis=1)
        place = np.minimum(found, ITEMS_PER_CATEGORY - 1)
        item: NDArray[np.int64] = category * ITEMS_PER_CATEGORY + place
        return item


def make_catalogue(seed: int) -> Catalogue:
    """The items of one world; prices grow with the place within the category."""
    rng = np.random.default_rng([seed, 11])
    count = len(world.CATEGORIES) * ITEMS_PER_CATEGORY
    category = np.repeat(np.arange(len(world.CATEGORIES)), ITEMS_PER_CATEGORY)
    place = np.tile(np.arange(ITEMS_PER_CATEGORY), len(world.CATEGORIES))
    base = rng.uniform(3, 40, len(world.CATEGORIES))[category]
    price = np.round(base * np.exp(place / 9.0) * rng.uniform(0.95, 1.05, count), 2)
    nouns = [_NOUNS[world.CATEGORIES[c]][p % 3] for c, p in zip(category, place, strict=True)]
    names = [f"{_ADJECTIVES[p % 20]} {n} {p // 3 + 1}" for n, p in zip(nouns, place, strict=True)]
    return Catalogue(
        sku=[f"HB-{number + 1001}" for number in range(count)],
        name=names,
        noun=nouns,
        category=category,
        price=price,
        hidden=rng.random(count) < WITHOUT_CATEGORY,
        tier_cdf=_tier_cdf(rng),
    )


def _tier_cdf(rng: np.random.Generator) -> NDArray[np.float64]:
    shape = (len(world.CATEGORIES), ITEMS_PER_CATEGORY)
    popularity = rng.permuted(
        np.tile(1.0 / np.arange(1, ITEMS_PER_CATEGORY + 1) ** 0.8, (shape[0], 1)), axis=1
    )
    third = np.arange(ITEMS_PER_CATEGORY) * 3 // ITEMS_PER_CATEGORY
    masks = np.stack([np.ones(ITEMS_PER_CATEGORY), third == 0, third == 1, third == 2])
    weight = popularity[:, None, :] * masks[None, :, :]
    return np.cumsum(weight / weight.sum(axis=2, keepdims=True), axis=2)


def catalogue_rows(catalogue: Catalogue) -> list[tuple[str, ...]]:
    """Header and rows of `shop/catalogue.csv`; the third level is there for some categories."""
    parent = {c: group for group, categories in world.CATALOGUE.items() for c in categories}
    rows: list[tuple[str, ...]] = [
        ("sku", "name", "department", "category", "subcategory", "price")
    ]
    for at, sku in enumerate(catalogue.sku):
        category = world.CATEGORIES[catalogue.category[at]]
        levels = (parent[category], category, catalogue.noun[at] if len(category) % 2 else "")
        if catalogue.hidden[at]:
            levels = ("", "", "")
        rows.append((sku, catalogue.name[at], *levels, f"{catalogue.price[at]:.2f}"))
    return rows

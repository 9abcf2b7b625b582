"""What people write in tickets and surveys: phrases by topic, with typos and personal data."""

from collections.abc import Sequence

import numpy as np

_TICKETS: dict[str, tuple[str, ...]] = {
    "Small Appliances": (
        "Firmware update of the kettle stops at half way, it keeps blinking.",
        "The app of the blender crashes when I open the settings, is this known?",
        "The new toaster does not connect, I can send you the log.",
    ),
    "Power Tools": (
        "Which spare part do I need to mount the saw on the old bench?",
        "How do I install the new blade, the manual shows another model?",
        "The drill stops under load after I changed the brushes.",
    ),
    "Lighting": (
        "The lamp flickers after I installed it, is the dimmer the wrong type?",
        "Which anchor and cable fit this ceiling lamp?",
        "Installation manual is missing from the box of the spotlight.",
    ),
    "Paper": (
        "Please send the invoice for our last order with the purchase order number.",
        "We need forty boxes every month, can you quote a price and pay by invoice?",
        "The invoice shows the wrong company address.",
    ),
    "Audio": (
        "I sent the speaker back two weeks ago and still have no refund.",
        "The headphones sound thin, I want my money back.",
        "Refund is lower than what I paid for the speaker.",
    ),
    "Bedding": (
        "The duvet is not as described, please arrange the return and refund.",
        "Where is the refund for the pillow I returned?",
    ),
    "Membership": (
        "What happens to my projects when the trial ends?",
        "Can I change from the trial to the yearly membership later?",
        "Does the membership include the room designer for two people?",
    ),
    "Delivery": (
        "My parcel is late again and the tracking page says nothing.",
        "The driver left the parcel at the wrong address.",
    ),
}
_UNSOLVED = (
    "This is the third time I write, nobody answers. The item arrived broken.",
    "I was charged twice and support has not replied for days.",
    "My account shows the wrong orders and nobody can repair it.",
)
_REASONS = {
    "bargain_restocker": ("Prices", "The deals page saves me money every week."),
    "gift_planner": ("Ideas", "I find presents for the whole family and can keep lists."),
    "trial_evaluator": (
        "Tools",
        "The planner is useful, I am not sure about the price of membership.",
    ),
    "early_tester": ("New products", "The newest devices are here first, the app still has bugs."),
}
_OTHER = (("Range", "It is fine."), ("Stores", "There is a store near me."), ("Habit", ""))


def ticket(rng: np.random.Generator, topic: str, *, unsolved: bool) -> tuple[str, str]:
    """Subject and description of a ticket."""
    phrases: Sequence[str] = _UNSOLVED if unsolved else _TICKETS.get(topic, _TICKETS["Delivery"])
    text = phrases[int(rng.integers(len(phrases)))]
    return (f"Still waiting: {topic}" if unsolved else f"{topic}: question"), text


def answer(rng: np.random.Generator, persona: str | None) -> tuple[int, str, str]:
    """Recommendation 0 to 10, main reason, and words."""
    reason, words = _REASONS.get(persona or "", _OTHER[int(rng.integers(len(_OTHER)))])
    return int(np.clip(round(rng.normal(7.5, 2)), 0, 10)), reason, words


def mistyped(rng: np.random.Generator, text: str, share: float) -> str:
    """The text with two letters swapped in a share of its words."""
    words = text.split(" ")
    for at in np.flatnonzero(rng.random(len(words)) < share).tolist():
        word = words[at]
        if len(word) > 3:
            cut = int(rng.integers(1, len(word) - 2))
            words[at] = word[:cut] + word[cut + 1] + word[cut] + word[cut + 2 :]
    return " ".join(words)

"""What texts seem to be written in."""

import pytest

from gnn.languages import language, languages, small_words

ENGLISH = [
    "where is my parcel", "LUNCH BAG RED RETROSPOT", "Sony VCT-R100 tripod", "kung fu", "T-LIGHT",
    "Vitamin C 500 mg", "I cannot log in", "4802", "Los Angeles", "café au lait bowl", "wifi",
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("wo ist mein Paket", "German"),
        ("ich kann mich nicht anmelden", "German"),
        ("je ne peux plus me connecter à mon compte", "French"),
        ("no puedo entrar en mi cuenta desde hace tres días", "Spanish"),
        ("lütfen bana faturayı gönderin", "Turkish"),
        ("где моя посылка", "Cyrillic letters"),
        ("أين طردي", "Arabic letters"),
        ("मेरा पार्सल कहाँ है", "Devanagari letters"),
        ("荷物はどこですか", "Japanese"),
        ("订单在哪里", "Chinese letters"),
        ("where is my parcel", "English"),
        ("iPhone 15 Pro 手机壳", ""),
        ("GSR-12V 4802", ""),
        ("", ""),
    ],
)
def test_a_text_is_told_by_its_letters_and_small_words(text: str, told: str) -> None:
    assert language(text) == told


def test_shares_are_of_all_texts_and_english_ones_are_no_reason_to_warn() -> None:
    assert languages(ENGLISH).is_english
    found = languages([*ENGLISH, "wo ist mein Paket", "ist das so", "где посылка"])
    assert found.texts == len(ENGLISH) + 3
    of_each = {name: round(share * found.texts) for name, share in found.shares.items()}
    assert of_each == {"German": 2, "Cyrillic letters": 1, "Italian": 1}  # "fu": he was
    assert not found.is_english
    assert languages([]).is_english


def test_languages_without_blanks_between_words_are_told() -> None:
    found = languages(["订单在哪里", "我想买书", "где посылка", "靴を返品したい"]).said()
    assert found["undivided"] == ["Chinese letters", "Japanese"]
    assert languages(ENGLISH).said()["undivided"] == []


def test_two_texts_of_few_are_no_reason_to_warn() -> None:
    assert languages(["wo ist mein Paket", "где посылка", "mug", "bowl"]).is_english


def test_small_words_are_of_the_languages_that_were_found() -> None:
    assert "der" in small_words(["German"])
    assert "где" in small_words(["Cyrillic letters", "Runic letters"])
    assert not small_words([])

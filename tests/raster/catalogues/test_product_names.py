"""Sentinel-2 product names: whole or shortened, never malformed, and what a shortened one can mean."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.raster.catalogues.sentinel_2_products import ProductName

WHOLE = "S2B_MSIL2A_20250115T184929_N0511_R070_T10SEG_20250115T213616"
HEAD, OPTIONAL = "S2B_MSIL2A_20250115T184929", ("_N0511", "_R070", "_T10SEG", "_20250115T213616")


def parsed(text: str) -> ProductName:
    name = ProductName.parse(text)
    assert name is not None
    return name


@pytest.mark.parametrize("text", [WHOLE, f"{WHOLE}.SAFE"])
def test_whole_name_has_its_parts(text: str) -> None:
    assert parsed(text) == ProductName(
        satellite="S2B",
        datatake=datetime(2025, 1, 15, 18, 49, 29, tzinfo=UTC),
        baseline="0511",
        orbit="070",
        tile="10SEG",
        generated="20250115T213616",
    )


@pytest.mark.parametrize("length", range(5))
def test_name_may_be_shortened_from_the_right(length: int) -> None:
    name = parsed(HEAD + "".join(OPTIONAL[:length]))
    parts = (name.baseline, name.orbit, name.tile, name.generated)
    assert parts == ("0511", "070", "10SEG", "20250115T213616")[:length] + (None,) * (4 - length)
    assert (name.satellite, name.datatake) == ("S2B", datetime(2025, 1, 15, 18, 49, 29, tzinfo=UTC))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "S2B",
        "S2B_MSIL2A",
        "S2B_MSIL2A_20250115",
        "S2E_MSIL2A_20250115T184929",
        "S2B_MSIL1C_20250115T184929",
        "s2b_msil2a_20250115t184929",
        "S2B-MSIL2A-20250115T184929",
        "S2B_MSIL2A_20250115T184929_",
        "S2B_MSIL2A_20250115T184929_N511",
        "S2B_MSIL2A_20250115T184929_R070_N0511",
        "S2B_MSIL2A_20250115T184929_N0511_R70",
        "S2B_MSIL2A_20250115T184929_N0511_R070_10SEG",
        "S2B_MSIL2A_20250115T184929_N0511_R070_T1SEG",
        "S2B_MSIL2A_20250115T184929_N0511_R070_T10seg",
        f"{WHOLE}_0",
        f"{WHOLE}.safe",
        f"{WHOLE}.SAFE.SAFE",
        f"{WHOLE}\n",
        f" {WHOLE}",
        "S2B_10SEG_20250115_0_L2A",
        "LC08_L2SP_008059_20191201_20200825_02_T1",
    ],
)
def test_other_text_is_no_product_name(text: str) -> None:
    assert ProductName.parse(text) is None


@pytest.mark.parametrize(
    "time",
    ["20251315T184929", "20250230T184929", "20250100T184929", "20250115T244929", "20250115T186029"],
)
def test_impossible_time_is_no_product_name(time: str) -> None:
    assert ProductName.parse(f"S2B_MSIL2A_{time}_N0511") is None


def test_leap_day_is_possible() -> None:
    assert ProductName.parse("S2B_MSIL2A_20240229T184929") is not None
    assert ProductName.parse("S2B_MSIL2A_20250229T184929") is None


@given(st.sets(st.sampled_from(OPTIONAL)))
def test_shortened_name_means_the_product_it_was_cut_from(kept: set[str]) -> None:
    name = parsed(HEAD + "".join(part for part in OPTIONAL if part in kept))
    assert name.names(WHOLE)
    assert name.names(f"{WHOLE}.SAFE")


@pytest.mark.parametrize(
    ("part", "other", "position"),
    [
        ("S2B", "S2A", None),
        ("184929", "184930", None),
        ("_N0511", "_N0510", 0),
        ("_R070", "_R071", 1),
        ("_T10SEG", "_T10SEH", 2),
        ("_20250115T213616", "_20250116T213616", 3),
    ],
)
def test_every_part_of_the_name_must_agree(part: str, other: str, position: int | None) -> None:
    another = WHOLE.replace(part, other, 1)
    assert not parsed(WHOLE).names(another)
    if position is not None:
        silent = HEAD + "".join(OPTIONAL[:position] + OPTIONAL[position + 1 :])
        assert parsed(silent).names(another)


@pytest.mark.parametrize("product", ["", "S2B_10SEG_20250115_0_L2A", HEAD])
def test_whole_name_means_no_product_with_fewer_parts(product: str) -> None:
    assert not parsed(WHOLE).names(product)

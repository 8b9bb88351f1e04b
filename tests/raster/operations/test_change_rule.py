"""The rule of change detection: its truth table, and the properties that must hold for any reflectances."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from processing.raster.operations._change_classes import Change
from processing.raster.operations._change_rule import difference_or_0
from tests.raster.support.change_rule import ALL_BANDS, BAND_SETS, INDICES
from tests.raster.support.pairs import SPECTRA, SPECTRUM_COLUMN, Codes, Dense, Reflectances, classes_of

RED_NIR, WITH_SWIR = ("red", "nir"), ("red", "nir", "swir16")
EPSILON = 1e-6
NODATA = 255
NO_SWIR = [bands for bands in BAND_SETS if not {"swir16", "swir22"} & set(bands)]


def spectrum(ground: str, bands: Sequence[str]) -> Reflectances:
    return {band: np.array([[SPECTRA[ground][SPECTRUM_COLUMN[band]]]]) for band in bands}


@pytest.mark.parametrize(
    ("before", "after", "with_red_nir", "with_swir16"),
    [
        ("forest", "bare soil", (2, 1), (2, 1)),
        ("bare soil", "crop", (1, 2), (1, 2)),
        ("forest", "urban", (2, 1), (3, 1)),
        ("bare soil", "urban", (0, 0), (3, 0)),
        ("bare soil", "clear water", (4, 4), (4, 4)),
        ("clear water", "turbid water", (0, 0), (0, 0)),
        ("forest", "forest shadow", (0, 0), (0, 0)),
    ],
)
def test_truth_table(before: str, after: str, with_red_nir: tuple[int, int], with_swir16: tuple[int, int]) -> None:
    for bands, (forward, backward) in ((RED_NIR, with_red_nir), (WITH_SWIR, with_swir16)):
        first, second = spectrum(before, bands), spectrum(after, bands)
        assert classes_of(first, second).item() == forward, bands
        assert classes_of(second, first).item() == backward, bands


def pixel(**reflectance: float) -> Reflectances:
    return {band: np.array([[value]]) for band, value in reflectance.items()}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        # MNDWI comes before NDWI: green over swir16 says water, green over nir does not.
        (
            {"green": 0.05, "nir": 0.06, "swir16": 0.20},
            {"green": 0.05, "nir": 0.06, "swir16": 0.02},
            4,
        ),
        # If nir is requested, only dark nir is water.
        ({"green": 0.05, "nir": 0.20}, {"green": 0.30, "nir": 0.20}, 0),
        ({"green": 0.05, "swir16": 0.20}, {"green": 0.30, "swir16": 0.20}, 4),
        # With two bands, water is dark nir, or nir that is below red and rather dark.
        ({"red": 0.02, "nir": 0.30}, {"red": 0.02, "nir": 0.049}, 4),
        ({"red": 0.02, "nir": 0.30}, {"red": 0.11, "nir": 0.10}, 4),
        ({"red": 0.02, "nir": 0.30}, {"red": 0.12, "nir": 0.12}, 2),
        # Without swir16, built-up is found by swir22, which has another share of red.
        ({"red": 0.18, "nir": 0.26, "swir22": 0.30}, {"red": 0.16, "nir": 0.22, "swir22": 0.20}, 3),
        ({"red": 0.18, "nir": 0.26, "swir22": 0.45}, {"red": 0.16, "nir": 0.22, "swir22": 0.26}, 0),
        ({"red": 0.18, "nir": 0.26, "swir16": 0.45}, {"red": 0.16, "nir": 0.22, "swir16": 0.26}, 3),
        # With blue, bare ground is no built-up.
        ({"red": 0.02, "nir": 0.30, "swir16": 0.1}, {"red": 0.22, "nir": 0.26, "swir16": 0.30}, 3),
        (
            {"red": 0.02, "nir": 0.30, "swir16": 0.1, "blue": 0.02},
            {"red": 0.22, "nir": 0.26, "swir16": 0.30, "blue": 0.05},
            2,
        ),
        # Vegetation needs an NDVI of 0.2 at its better date.
        ({"red": 0.30, "nir": 0.30}, {"red": 0.21, "nir": 0.30}, 0),
        ({"red": 0.30, "nir": 0.30}, {"red": 0.19, "nir": 0.30}, 1),
        # A change in one band alone is a change, but none of these classes.
        ({"red": 0.20, "nir": 0.40}, {"red": 0.40, "nir": 0.80}, 0),
        # Without NDVI neither vegetation nor built-up is found.
        ({"nir": 0.40, "swir16": 0.20}, {"nir": 0.20, "swir16": 0.40}, 0),
    ],
)
def test_parts_of_the_rule(before: dict[str, float], after: dict[str, float], expected: int) -> None:
    assert classes_of(pixel(**before), pixel(**after)).item() == expected


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (0, 4)])
def test_difference_of_0_and_0_is_0(shape: tuple[int, int]) -> None:
    nothing = np.zeros(shape, np.float32)
    np.testing.assert_array_equal(difference_or_0(nothing, nothing), np.zeros(shape))


@pytest.mark.filterwarnings("error")
def test_0_and_0_among_other_pixels_does_not_change_them() -> None:
    a, b = np.array([[0, 0.3, 0, 0.2, 1e-30]], np.float32), np.array([[0, 0.1, 0.4, 0, 1e-30]], np.float32)
    before = a.tobytes(), b.tobytes()
    np.testing.assert_allclose(difference_or_0(a, b), [[0, 0.5, -1, 1, 0]], rtol=1e-6)
    np.testing.assert_allclose(difference_or_0(a[:, 1:], b[:, 1:]), [[0.5, -1, 1, 0]], rtol=1e-6)
    assert (a.tobytes(), b.tobytes()) == before


def test_nan_stays_nan_and_0_and_0_beside_it_is_0() -> None:
    """Pixels that are not valid may hold anything."""
    a, b = np.array([[np.nan, 0, 0.3]], np.float32), np.array([[0.1, 0, 0.1]], np.float32)
    np.testing.assert_allclose(difference_or_0(a, b), [[np.nan, 0, 0.5]], rtol=1e-6)


def test_narrow_near_infrared_replaces_the_wide_one() -> None:
    for first, second in (("forest", "bare soil"), ("bare soil", "urban"), ("forest", "clear water")):
        wide = classes_of(spectrum(first, WITH_SWIR), spectrum(second, WITH_SWIR))
        narrow = ("red", "nir08", "swir16")
        assert classes_of(spectrum(first, narrow), spectrum(second, narrow)) == wide


# Reflectance in ten-thousandths, one for each of ALL_BANDS.
Spectrum = tuple[int, ...]
reflectances = st.one_of(st.integers(0, 12_000), st.integers(0, 1_500), st.sampled_from([0, 500, 1100, 1500]))
steps = st.one_of(st.just(0), st.sampled_from([1000, -1000, 500, -500, 1, -1]), st.integers(-12_000, 12_000))


@st.composite
def one_pixel(draw: st.DrawFn) -> tuple[Spectrum, Spectrum]:
    """Both dates of a pixel."""
    before = draw(st.tuples(*[reflectances] * len(ALL_BANDS)))
    after = [min(max(value + draw(steps), 0), 12_000) for value in before]
    return before, tuple(after)


pixels = st.lists(one_pixel(), min_size=1, max_size=12)
thresholds = st.one_of(st.sampled_from([0.0, 0.05, 0.1, 0.15, 0.3, 1.0]), st.floats(0, 1))


def dates(drawn: Sequence[tuple[Spectrum, Spectrum]], bands: Sequence[str]) -> tuple[Reflectances, Reflectances]:
    table: Dense = np.array(drawn, np.float64) / 10_000
    before, after = ({band: table[None, :, date, ALL_BANDS.index(band)] for band in bands} for date in (0, 1))
    return before, after


@given(pixels, st.sampled_from(BAND_SETS), thresholds)
@example([((0,) * 7, (0,) * 7)], RED_NIR, 0.0)
def test_identical_dates_are_no_change(
    drawn: list[tuple[Spectrum, Spectrum]], bands: tuple[str, ...], threshold: float
) -> None:
    for date in dates(drawn, bands):
        assert not classes_of(date, date, threshold).any()


@pytest.mark.parametrize("bands", BAND_SETS, ids="-".join)
def test_identical_dates_are_no_change_with_every_band_set(bands: tuple[str, ...]) -> None:
    random = np.random.default_rng(1)
    date = {band: random.integers(0, 12_001, (40, 50)) / 10_000 for band in bands}
    assert not classes_of(date, date, 0.0).any()


@given(pixels, st.sampled_from(BAND_SETS), thresholds, thresholds)
def test_less_is_changed_as_the_threshold_grows(
    drawn: list[tuple[Spectrum, Spectrum]], bands: tuple[str, ...], one: float, other: float
) -> None:
    low, high = (classes_of(*dates(drawn, bands), threshold) for threshold in sorted((one, other)))
    still = high != Change.NO_CHANGE
    assert (high[still] == low[still]).all()


@given(pixels, st.sampled_from(NO_SWIR), thresholds)
def test_swapped_dates_mirror_the_classes(
    drawn: list[tuple[Spectrum, Spectrum]], bands: tuple[str, ...], threshold: float
) -> None:
    before, after = dates(drawn, bands)
    forward, backward = classes_of(before, after, threshold), classes_of(after, before, threshold)
    mirrored: Codes = np.array([0, 2, 1, 99, 4], np.uint8)
    assert (backward == mirrored[forward]).all()


@given(pixels, st.sampled_from(BAND_SETS), thresholds)
def test_only_detectable_classes_are_found(
    drawn: list[tuple[Spectrum, Spectrum]], bands: tuple[str, ...], threshold: float
) -> None:
    classes = classes_of(*dates(drawn, bands), threshold)
    roles = {"nir" if band == "nir08" else band for band in bands}
    ndvi = roles >= {"red", "nir"}
    water = ndvi or roles >= {"green", "nir"} or roles >= {"green", "swir16"}
    built = ndvi and bool(roles & {"swir16", "swir22"})
    possible = {0, *({1, 2} if ndvi else ()), *({3} if built else ()), *({4} if water else ())}
    assert set(classes.ravel().tolist()) <= possible


@given(pixels, st.sampled_from(BAND_SETS), thresholds, st.data())
def test_pixel_that_is_not_valid_at_either_date_is_nodata(
    drawn: list[tuple[Spectrum, Spectrum]], bands: tuple[str, ...], threshold: float, data: st.DataObject
) -> None:
    before, after = dates(drawn, bands)
    flags = st.lists(st.booleans(), min_size=len(drawn), max_size=len(drawn))
    valid = np.array([data.draw(flags)]), np.array([data.draw(flags)])
    # A pixel that is not valid may hold anything, NaN too.
    spoiled = [
        {band: np.where(known, values, np.nan) for band, values in date.items()}
        for date, known in zip((before, after), valid, strict=True)
    ]
    classes = classes_of(spoiled[0], spoiled[1], threshold, valid)
    both = valid[0] & valid[1]
    assert (classes[~both] == NODATA).all()
    assert (classes[both] == classes_of(before, after, threshold)[both]).all()


def exact_difference(before: Spectrum, after: Spectrum, bands: Sequence[str]) -> Fraction:
    """The spectral difference without any rounding."""
    features: list[list[Fraction]] = []
    for date in (before, after):
        values = {band: Fraction(date[ALL_BANDS.index(band)], 10_000) for band in bands}
        roles = {"nir": values["nir08"], **values} if "nir08" in values else values
        pairs = [(roles[a], roles[b]) for a, b in sorted(INDICES) if a in roles and b in roles]
        features.append([*values.values(), *((a - b) / (a + b) if a + b else Fraction(0) for a, b in pairs)])
    before_features, after_features = features
    return max((abs(new - old) for old, new in zip(before_features, after_features, strict=True)), default=Fraction(0))


@given(st.lists(one_pixel(), min_size=10, max_size=40), st.sampled_from(BAND_SETS))
@example([((0, 0, 300, 400, 0, 0, 0), (0, 0, 300, 1400, 0, 0, 0))], RED_NIR)
def test_a_difference_of_exactly_the_threshold_counts(
    drawn: list[tuple[Spectrum, Spectrum]], bands: tuple[str, ...]
) -> None:
    for both in drawn:
        before, after = dates([both], bands)
        expected = classes_of(before, after, 0.0).item()
        threshold = float(exact_difference(*both, bands))
        # These two classes need only a change; those of vegetation need a change of NDVI too.
        if expected in (Change.WATER_CHANGE, Change.BUILT_UP_GAIN) and threshold + 3 * EPSILON <= 1:
            assert classes_of(before, after, threshold).item() == expected
            assert classes_of(before, after, threshold + 3 * EPSILON).item() == Change.NO_CHANGE


def test_a_rise_of_ndvi_by_exactly_the_threshold_counts() -> None:
    before, after = pixel(red=0.1, nir=0.3), pixel(red=0.1, nir=0.4)  # NDVI 0.5 and 0.6
    assert classes_of(before, after, 0.1).item() == Change.VEGETATION_GAIN
    assert classes_of(after, before, 0.1).item() == Change.VEGETATION_LOSS
    assert classes_of(before, after, 0.1 + 3 * EPSILON).item() == Change.NO_CHANGE


def test_with_threshold_0_the_least_step_counts() -> None:
    before, after = pixel(red=0.1, nir=0.3), pixel(red=0.1, nir=0.3001)
    assert classes_of(before, after, 0.0).item() == Change.VEGETATION_GAIN
    assert classes_of(after, before, 0.0).item() == Change.VEGETATION_LOSS

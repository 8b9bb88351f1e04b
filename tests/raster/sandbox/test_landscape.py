"""The sandbox landscape: reproducible, plausible, and changed exactly as its truth map says."""

import hashlib
from functools import cache
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pytest

from processing.raster.sandbox.landscape import DATES, Landscape
from tests.raster.sandbox.native_bands import NATIVE_BANDS

Dense = npt.NDArray[np.float64]
Codes = npt.NDArray[np.uint8]
Scalar = TypeVar("Scalar", bound=np.generic)
Mask = npt.NDArray[np.bool_]

THRESHOLD, EPSILON = 0.15, 1e-6
UNSEEN_CLASSES = (0, 3, 8, 9, 10)
TRUTH_DIGEST = "16fcc1a1588c85fd"
SCENE_DIGEST = "f19570b2c9b85340"


@cache
def landscape(size: int) -> Landscape:
    return Landscape(size=size)


def digest(codes: Codes) -> str:
    return hashlib.sha256(codes.tobytes()).hexdigest()[:16]


def upsampled(field: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
    return field.repeat(2, axis=0).repeat(2, axis=1)


def index(a: Dense, b: Dense) -> Dense:
    total = a + b
    return np.where(total == 0, 0.0, (a - b) / np.where(total == 0, 1.0, total))


def dense_bands(scene: Landscape, date: str) -> tuple[Dense, Dense, Dense]:
    red, nir = (scene.reflectance(date, band).astype(np.float64) for band in ("red", "nir"))
    swir16 = upsampled(scene.reflectance(date, "swir16")).astype(np.float64)
    return red.clip(0), nir.clip(0), swir16.clip(0)


def water_and_built(red: Dense, nir: Dense, swir16: Dense) -> tuple[Mask, Mask]:
    ndvi = index(nir, red)
    water = (nir < 0.05) | ((ndvi < 0.01) & (nir < 0.11))
    bare_like = (ndvi < 0.30) & (index(swir16, nir) > -0.15) & (nir >= 0.11)
    return water, ~water & bare_like & (red > 0.55 * swir16)


def detected_change(scene: Landscape) -> Codes:
    before, after = (dense_bands(scene, date) for date in DATES)
    features = [(*bands, index(bands[1], bands[0]), index(bands[2], bands[1])) for bands in (before, after)]
    largest = np.max([np.abs(new - old) for old, new in zip(*features, strict=True)], axis=0)
    (water_before, built_before), (water_after, built_after) = (
        water_and_built(*before),
        water_and_built(*after),
    )
    ndvi_before, ndvi_after = features[0][3], features[1][3]
    least = THRESHOLD - EPSILON
    rules = [
        (np.isnan(largest), 255),
        ((largest < least) | (largest <= EPSILON), 0),
        (water_before ^ water_after, 4),
        (water_before & water_after, 0),
        (built_after & ~built_before, 3),
        ((ndvi_after - ndvi_before >= least) & (ndvi_after >= 0.2), 1),
        ((ndvi_before - ndvi_after >= least) & (ndvi_before >= 0.2), 2),
    ]
    return np.select([rule for rule, _ in rules], [code for _, code in rules], 0).astype(np.uint8)


def seen_at_both_dates(scene: Landscape) -> Mask:
    hidden = [np.isin(scene.scene_classification(date), UNSEEN_CLASSES) for date in DATES]
    return ~upsampled(hidden[0] | hidden[1])


def test_two_instances_draw_the_same_scene() -> None:
    one, other = Landscape(size=256), Landscape(size=256)
    for date in DATES:
        for band in ("red", "nir08"):
            np.testing.assert_array_equal(one.reflectance(date, band), other.reflectance(date, band))
    np.testing.assert_array_equal(one.truth(), other.truth())


def test_order_of_the_calls_does_not_matter() -> None:
    late = Landscape(size=256)
    late.scene_classification("after")
    late.reflectance("after", "swir22")
    np.testing.assert_array_equal(late.reflectance("before", "blue"), Landscape(size=256).reflectance("before", "blue"))


def test_callers_cannot_change_the_scene() -> None:
    scene = Landscape(size=256)
    truth, red = scene.truth().copy(), scene.reflectance("after", "red").copy()
    scene.truth()[:] = 0
    scene.reflectance("after", "red")[:] = 0
    scene.scene_classification("after")[:] = 0
    np.testing.assert_array_equal(scene.truth(), truth)
    np.testing.assert_array_equal(scene.reflectance("after", "red"), red)
    assert scene.scene_classification("after").any()


def test_small_scene_is_the_recorded_one() -> None:
    scene = landscape(256)
    assert digest(scene.truth()) == TRUTH_DIGEST
    assert digest(scene.scene_classification("before")) == SCENE_DIGEST


def test_another_seed_draws_another_scene() -> None:
    assert (Landscape(size=256, seed=1).truth() != landscape(256).truth()).mean() > 0.01


@pytest.mark.parametrize("size", [256, 320])
@pytest.mark.parametrize("date", DATES)
@pytest.mark.parametrize("band", NATIVE_BANDS)
def test_bands_have_their_native_resolution_and_plausible_values(size: int, date: str, band: str) -> None:
    field = landscape(size).reflectance(date, band)
    side = size * 10 // NATIVE_BANDS[band].metres
    assert field.shape == (side, side)
    assert field.dtype == np.float32
    valid = field[~np.isnan(field)]
    assert 0 <= valid.min() < 0.05
    assert 0.3 < valid.max() <= 1.2


def test_nir08_follows_nir() -> None:
    nir = landscape(512).reflectance("before", "nir")
    coarse = nir.reshape(256, 2, 256, 2).mean(axis=(1, 3))
    ratio = landscape(512).reflectance("before", "nir08") / coarse
    assert np.nanmedian(ratio) == pytest.approx(1.02, abs=0.003)


@pytest.mark.parametrize("date", DATES)
def test_nodata_is_a_wedge_shared_by_bands_and_classes(date: str) -> None:
    scene = landscape(512)
    nodata = np.isnan(scene.reflectance(date, "green"))
    assert 0.06 <= nodata.mean() <= 0.10
    widths = nodata.sum(axis=1)
    assert (np.diff(widths) >= 0).all()
    assert widths[0] < widths[-1]
    np.testing.assert_array_equal(nodata, upsampled(scene.scene_classification(date) == 0))
    np.testing.assert_array_equal(nodata, upsampled(np.isnan(scene.reflectance(date, "swir22"))))


def test_swaths_differ_and_truth_is_nodata_outside_of_either() -> None:
    scene = landscape(512)
    before, after = (np.isnan(scene.reflectance(date, "red")) for date in DATES)
    assert (before != after).any()
    np.testing.assert_array_equal(scene.truth() == 255, before | after)


@pytest.mark.parametrize("date", DATES)
def test_scene_classification_has_plausible_shares(date: str) -> None:
    classes = landscape(512).scene_classification(date)
    assert classes.shape == (256, 256)
    assert classes.dtype == np.uint8
    assert set(np.unique(classes)) <= {0, 2, 3, 4, 5, 6, 8, 9, 10}
    assert 0.01 < np.isin(classes, (8, 9, 10)).mean() < 0.04
    assert 0.005 < (classes == 3).mean() < 0.03
    assert (classes == 4).mean() > 0.4
    assert (classes == 5).mean() > 0.1
    assert (classes == 6).mean() > 0.01


@pytest.mark.parametrize("date", DATES)
def test_clouds_are_bright_and_shadows_dark(date: str) -> None:
    classes = upsampled(landscape(512).scene_classification(date))
    blue, nir = (landscape(512).reflectance(date, band) for band in ("blue", "nir"))
    assert np.median(blue[classes == 9]) > 0.4
    assert np.median(nir[classes == 3]) < 0.8 * np.median(nir[classes == 4])


def test_clouds_move_between_the_dates() -> None:
    before, after = (np.isin(landscape(512).scene_classification(date), (8, 9)) for date in DATES)
    assert (before & after).sum() < 0.5 * min(before.sum(), after.sum())


@pytest.mark.parametrize("size", [256, 512, 1024])
def test_truth_has_every_kind_of_change(size: int) -> None:
    truth = landscape(size).truth()
    assert truth.shape == (size, size)
    assert truth.dtype == np.uint8
    shares = {int(code): count / truth.size for code, count in zip(*np.unique(truth, return_counts=True), strict=True)}
    assert set(shares) == {0, 1, 2, 3, 4, 255}
    assert shares[0] > 0.75
    least = {1: 0.015, 2: 0.02, 3: 0.005, 4: 0.004}
    assert all(shares[code] > share for code, share in least.items()), shares


@pytest.mark.parametrize("size", [512, 1024])
def test_change_rule_finds_the_truth(size: int) -> None:
    scene = landscape(size)
    truth, detected, seen = scene.truth(), detected_change(scene), seen_at_both_dates(scene)
    assert seen.mean() > 0.8
    assert (detected == truth)[seen].mean() >= 0.99
    for code in range(5):
        assert (detected == truth)[seen & (truth == code)].mean() >= 0.97, code
        assert (detected[seen] == code).sum() == pytest.approx((truth[seen] == code).sum(), rel=0.02)


def test_unchanged_ground_stays_under_the_threshold() -> None:
    scene = landscape(512)
    unchanged = seen_at_both_dates(scene) & (scene.truth() == 0)
    (red, nir, swir16), (new_red, new_nir, new_swir16) = (dense_bands(scene, date) for date in DATES)
    land = unchanged & (nir > 0.11)
    for old, new in ((red, new_red), (nir, new_nir), (swir16, new_swir16)):
        assert (np.abs(new - old)[land] < 0.1).mean() > 0.99
    assert (np.abs(index(new_nir, new_red) - index(nir, red))[land] < 0.1).mean() > 0.99


@pytest.mark.parametrize("size", [0, 192, 300, 2112])
def test_unsupported_sizes_are_refused(size: int) -> None:
    with pytest.raises(ValueError, match="multiple of 64"):
        Landscape(size=size)


def test_unknown_dates_and_bands_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown band"):
        landscape(256).reflectance("before", "B04")
    with pytest.raises(ValueError, match="unknown date"):
        landscape(256).scene_classification("2024-07-15")

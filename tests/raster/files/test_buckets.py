"""Files in buckets: read with the operator's access alone, signed for the right region, and for no other host."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from processing.raster.catalogues.sources import sources_of
from processing.raster.errors import BandNotFound, SceneUnreadable
from processing.raster.files.ranges import Span
from processing.raster.radiometry.bands import resolve_band
from processing.raster.types import Config, S3Access, S3File, Scene, SceneId
from tests.raster.files.hosts import (
    BYTES,
    PIXELS,
    Host,
    config_of,
    part,
    read_pixels,
    read_span,
    reading,
    shown,
)
from tests.raster.support.misbehaving import content, owner_of, redirect, status
from tests.raster.support.rasters import write_tif
from tests.servers import HttpServer, RangeServer, _RangeHandler

pytestmark = pytest.mark.usefixtures("hurried")

ACCESS = S3Access(access_key="AKREADER", secret_key="of-the-reader", region="eu-central-1", requester_pays=True)
RED = S3File(bucket="scenes", key="red.tif")


def access_to(server: HttpServer, *, requester_pays: bool = False) -> S3Access:
    return S3Access(
        access_key="AKREADER",
        secret_key="of-the-reader",
        region="us-east-1",
        endpoint=server.url,
        requester_pays=requester_pays,
    )


# --- Hrefs in buckets -----------------------------------------------------------------------------------------------


def scene_at(href: str, config: Config, **alternate: str) -> Scene:
    others = {name: {"href": other} for name, other in alternate.items()}
    asset = {"href": href, "alternate": others}
    item = {"id": "LC08_X", "properties": {"platform": "landsat-8"}, "assets": {"red": asset}}
    sources = sources_of(item, config.network)
    return Scene(id=SceneId(provider="landsat", original_id="LC08_X"), item=item, sources=sources)


def test_band_in_a_bucket_is_not_found_without_access() -> None:
    scene = scene_at("s3://usgs-landsat/collection02/B4.TIF", config_of())
    assert scene.sources == {}
    with pytest.raises(BandNotFound):
        resolve_band(scene, "red")


@pytest.mark.parametrize("href", ["s3://usgs-landsat/collection02/B4.TIF", "https://landsatlook.usgs.gov/B4.TIF"])
def test_band_is_read_from_its_bucket_if_there_is_access(href: str) -> None:
    scene = scene_at(href, config_of(s3=ACCESS), s3="s3://usgs-landsat/collection02/B4.TIF")
    assert resolve_band(scene, "red").source == S3File(bucket="usgs-landsat", key="collection02/B4.TIF")


@pytest.mark.parametrize(
    "href",
    ["s3://usgs-landsat/../other/B4.TIF", "s3://usgs-landsat/a/../../B4.TIF", "s3://usgs-landsat/B4.TIF?x=y",
     "s3://usgs-landsat/%2e%2e/B4.TIF", "s3://usgs-landsat/", "s3:///B4.TIF", "s3://b/B4.TIF",
     "S3://usgs-landsat/B4.TIF",
     "s3://usgs_landsat/B4.TIF", "s3://usgs-landsat/B4.TIF\n", "s3://usgs-landsat/a b.TIF",
     "/vsis3/usgs-landsat/B4.TIF",
     "s3://usgs-landsat/|B4.TIF", "s3://user@usgs-landsat/B4.TIF"],
)  # fmt: skip
def test_other_forms_of_a_bucket_are_no_source(href: str) -> None:
    assert scene_at(href, config_of(s3=ACCESS)).sources == {}


# --- Credentials ----------------------------------------------------------------------------------------------------

RESULTS = {
    "AWS_ACCESS_KEY_ID": "AKRESULTS",
    "AWS_SECRET_ACCESS_KEY": "of-our-results",
    "AWS_SESSION_TOKEN": "session-of-our-results",
}


class Bucket(RangeServer):
    """A store that speaks enough of S3 to be read. `headers` holds those of each request."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.headers: list[dict[str, str]] = []
        self._server.RequestHandlerClass = _BucketHandler


class _BucketHandler(_RangeHandler):
    def _serve(self, *, with_body: bool) -> None:
        owner_of(self, Bucket).headers.append({name.lower(): value for name, value in self.headers.items()})
        super()._serve(with_body=with_body)


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """Holds scenes/red.tif. The process has credentials for its results, which are not for scenes."""
    for name, value in RESULTS.items():
        monkeypatch.setenv(name, value)
    with Bucket(tmp_path / "buckets") as server:
        (server.folder / "scenes").mkdir()
        write_tif(server.folder / "scenes" / "red.tif", PIXELS)
        yield server


def test_requests_bear_the_operators_credentials_and_pay_if_the_operator_says_so(bucket: Bucket) -> None:
    pixels = read_pixels(RED, config_of(s3=access_to(bucket, requester_pays=True)))
    np.testing.assert_array_equal(pixels, PIXELS)
    assert bucket.headers
    for headers in bucket.headers:
        assert "Credential=AKREADER/" in headers["authorization"]
        assert headers["x-amz-request-payer"] == "requester"


def test_reader_does_not_pay_unless_the_operator_says_so(bucket: Bucket) -> None:
    np.testing.assert_array_equal(read_pixels(RED, config_of(s3=access_to(bucket))), PIXELS)
    assert bucket.headers
    assert all("x-amz-request-payer" not in headers for headers in bucket.headers)


def test_credentials_for_results_are_not_sent_for_scenes(bucket: Bucket) -> None:
    read_pixels(RED, config_of(s3=access_to(bucket)))
    assert bucket.headers
    assert not [value for headers in bucket.headers for value in headers.values() if "results" in value.lower()]


def test_bucket_is_not_asked_without_access(bucket: Bucket) -> None:
    with pytest.raises(SceneUnreadable):
        read_pixels(RED, config_of())
    assert bucket.headers == []


def test_secret_is_in_no_repr_and_in_no_error(bucket: Bucket) -> None:
    config = config_of(s3=access_to(bucket))
    assert "of-the-reader" not in repr(config)
    with pytest.raises(SceneUnreadable) as error:
        read_pixels(S3File(bucket="scenes", key="absent.tif"), config)
    assert "of-the-reader" not in shown(error.value)


# --- Regions and other hosts ----------------------------------------------------------------------------------------


def signed_for(host: Host) -> list[str]:
    """The region in the scope of each request's signature."""
    return [headers["authorization"].partition("Credential=")[2].split("/")[2] for headers in host.headers]


@pytest.mark.parametrize("code", [301, 307, 400])
def test_bucket_of_another_region_is_asked_again_there(code: int) -> None:
    elsewhere = status(code, x_amz_bucket_region="us-west-2")
    with Host(elsewhere, part(BYTES)) as host, reading(host, RED, access_to(host)) as file:
        assert b"".join(read_span(file, span) for span in (Span(0, 400), Span(400, 1000))) == BYTES
    assert signed_for(host) == ["us-east-1", "us-west-2", "us-west-2"]


@pytest.mark.parametrize("region", ["us-east-1", "evil.example/", "EU", "x" * 33, ""])
def test_answer_that_names_no_other_region_is_refused(region: str) -> None:
    refused = pytest.raises(SceneUnreadable)
    with (
        Host(status(400, x_amz_bucket_region=region)) as host,
        reading(host, RED, access_to(host)) as file,
        refused,
    ):
        read_span(file)
    assert signed_for(host) == ["us-east-1"]


def test_bucket_that_is_always_in_another_region_is_given_up() -> None:
    answers = (status(301, x_amz_bucket_region=f"region-{number}") for number in range(20))
    with Host(*answers) as host, reading(host, RED, access_to(host)) as file, pytest.raises(SceneUnreadable):
        read_span(file)
    assert len(host.asked) < 8


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("with_region", [False, True])
def test_credentials_of_a_bucket_go_to_no_other_host(code: int, with_region: bool) -> None:
    with Host(part(BYTES)) as other:
        region = {"x-amz-bucket-region": "us-west-2"} if with_region else {}
        away = content(b"", code, {"Location": f"{other.url}/red.tif", **region})
        with Host(away) as host, reading(host, RED, access_to(host)) as file, pytest.raises(SceneUnreadable):
            read_span(file)
        assert other.asked == []


def test_other_files_bear_no_credentials() -> None:
    with Host(redirect("/other.tif"), part(BYTES)) as host, reading(host, s3=access_to(host)) as file:
        read_span(file)
    assert len(host.headers) == 2
    assert not [headers for headers in host.headers if "authorization" in headers]

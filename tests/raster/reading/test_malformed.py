"""Files and hrefs that want to do harm: every error has a name, no process dies, and no other host is asked."""

import json
import multiprocessing
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from tests.raster.reading import malformed
from tests.raster.support.misbehaving import AnyServer, as_json, content, owner_of
from tests.servers import RangeServer

NAMED = {
    "SCENE_UNREADABLE", "SCENE_TOO_LARGE", "BAND_NOT_FOUND", "PROVIDER_UNAVAILABLE", "NO_VALID_PIXELS",
    "SCENES_DO_NOT_OVERLAP", "AOI_OUTSIDE_SCENE",
}  # fmt: skip
MOST_SECONDS, MOST_MEGABYTES = 20, 1500
Outcome = dict[str, Any]


class Yard:
    """A store with the files of a batch, a catalogue that names them, and a server that must not be asked."""

    def __init__(self, folder: Path, store: RangeServer, secret: AnyServer) -> None:
        self.store, self.secret = store, secret
        self.secret_file = folder / "secret.tif"
        self.directory, self._report = folder / "directory", folder / "report"
        self.directory.mkdir()
        malformed.good(self.secret_file, 3)
        malformed.good(store.folder / "nir.tif", 2)
        self.content = malformed.good(folder / "good.tif").read_bytes()

    def serve(self, files: Mapping[str, bytes]) -> dict[str, str]:
        """Hrefs by the names of the files."""
        for name, text in files.items():
            (self.store.folder / f"{name}.tif").write_bytes(text)
        return {name: f"{self.store.url}/{name}.tif" for name in files}

    def outcomes(self, hrefs: Mapping[str, str]) -> dict[str, Outcome]:
        """The outcome of a job over each href as its red band, all in one process. Fails if the process dies."""
        products = {
            f"S2A_MSIL2A_20230602T100601_N0509_R022_T32TPS_20230602T{number:06}": name
            for number, name in enumerate(hrefs)
        }

        def catalogue(handler: BaseHTTPRequestHandler) -> None:
            body = owner_of(handler, AnyServer).asked[-1][2].decode()
            (product,) = (product for product in products if product in body)
            made = malformed.item(product, hrefs[products[product]], f"{self.store.url}/nir.tif")
            as_json({"features": [made], "links": []})(handler)

        with AnyServer(catalogue) as server:
            arguments = (list(products), self.directory, server.url, self.store.host, self._report)
            child = multiprocessing.get_context("spawn").Process(target=malformed.work_through, args=arguments)
            child.start()
            child.join(120)
            lines = [json.loads(line) for line in self._report.read_text().splitlines()]
            if child.is_alive():
                child.kill()
            reached = products[lines[-1]["name"]] if lines else "nothing"
            assert child.exitcode == 0, f"died or hung with {child.exitcode} after {reached}"
        found = {products[line["name"]]: line for line in lines}
        assert list(found) == list(hrefs)
        for name, outcome in found.items():
            assert outcome["left"] == [], name
            assert outcome["seconds"] < MOST_SECONDS, name
            assert outcome["megabytes"] < MOST_MEGABYTES, name
        return found

    def asked(self) -> set[str]:
        """The names of files that the store was asked for."""
        return {path.strip("/").partition("?")[0] for _, path, _ in self.store.requests}


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    with RangeServer(tmp_path / "store") as store, AnyServer(content(b"II*\0")) as secret:
        yield Yard(tmp_path, store, secret)
        assert secret.asked == []


def unnamed(outcomes: Mapping[str, Outcome], also: frozenset[str] = frozenset()) -> dict[str, str]:
    """The outcomes whose code is not that of an error of a scene."""
    return {
        name: f"{o['code']}: {o.get('message', '')[-200:]}"
        for name, o in outcomes.items()
        if o["code"] not in NAMED | also
    }


MAY_DO_NO_HARM = frozenset({"PRODUCT"})


@pytest.mark.parametrize(
    ("kind", "least"),
    [("header_flips", 80), ("data_flips", 40), ("truncations", 30), ("wrong_tags", 80), ("wrong_places", 5)],
)
def test_damaged_file_makes_a_product_or_a_named_error(yard: Yard, kind: str, least: int) -> None:
    files = dict(getattr(malformed, kind)(yard.content))
    outcomes = yard.outcomes(yard.serve(files))
    assert len(outcomes) >= least
    assert unnamed(outcomes, MAY_DO_NO_HARM) == {}
    assert yard.asked() <= {f"{name}.tif" for name in (*files, "nir")}


def test_whole_file_is_a_product_and_half_of_one_is_not(yard: Yard) -> None:
    """If every file were refused, the other tests would show nothing."""
    files = {"whole": yard.content, "half": yard.content[: len(yard.content) // 2]}
    outcomes = yard.outcomes(yard.serve(files))
    assert {name: outcome["code"] for name, outcome in outcomes.items()} == {
        "whole": "PRODUCT",
        "half": "SCENE_UNREADABLE",
    }


def test_file_whose_pixels_have_no_size_is_unreadable(yard: Yard) -> None:
    files = dict(malformed.wrong_places(yard.content))
    codes = {name: outcome["code"] for name, outcome in yard.outcomes(yard.serve(files)).items()}
    assert {codes[f"pixels-{size}"] for size in ("zero", "nan", "endless")} == {"SCENE_UNREADABLE"}


def test_file_that_no_reflectance_has_is_refused_before_a_pixel_is_read(yard: Yard) -> None:
    expected = malformed.shapes(yard.store.folder)
    outcomes = yard.outcomes({name: f"{yard.store.url}/{name}.tif" for name in expected})
    assert {name: outcome["code"] for name, outcome in outcomes.items()} == expected
    for name, outcome in outcomes.items():
        assert "red" in outcome["message"], name
        assert json.loads(outcome["details"])["asset"] == "red"


def test_tile_that_unpacks_to_100_megabytes_does_no_harm(yard: Yard) -> None:
    outcomes = yard.outcomes(yard.serve({"bomb": malformed.bomb(yard.content)}))
    assert outcomes["bomb"]["code"] in NAMED | MAY_DO_NO_HARM


def test_other_formats_under_the_name_of_a_tiff_are_not_opened(yard: Yard) -> None:
    files = malformed.disguises(yard.secret_file, yard.secret.url)
    outcomes = yard.outcomes(yard.serve(files))
    assert {name: outcome["code"] for name, outcome in outcomes.items()} == dict.fromkeys(files, "SCENE_UNREADABLE")
    assert yard.asked() <= {f"{name}.tif" for name in (*files, "nir")}


def test_no_href_leads_to_a_file_or_to_a_host_that_is_not_allowed(yard: Yard) -> None:
    """Each would make a product if it were opened, as the secret file is a good one."""
    hrefs = malformed.hrefs(yard.store.host, yard.secret_file, yard.secret.host.partition(":")[2])
    control = yard.serve({"control": yard.content})
    outcomes = yard.outcomes({f"href {number}: {href}": href for number, href in enumerate(hrefs)} | control)
    assert outcomes.pop("control")["code"] == "PRODUCT"
    assert len(outcomes) >= 75
    assert unnamed(outcomes) == {}
    for name, outcome in outcomes.items():
        assert str(yard.secret_file) not in outcome["message"] + outcome["details"], name
    assert yard.asked() <= {"nir.tif", "control.tif"}

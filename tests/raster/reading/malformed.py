"""Rasters and hrefs as no honest catalogue has them, and a process that runs a batch of them."""

import json
import resource
import struct
import time
import traceback
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.transform import Affine

from processing.raster.errors import RasterError
from processing.raster.pipeline import run
from tests.raster.support.configs import config_for
from tests.raster.support.rasters import grid, ndvi_job, write_tif

_SIDE = 128
_TAGS = {
    "width": 256, "height": 257, "bits": 258, "compression": 259, "photometric": 262, "samples": 277, "planes": 284,
    "predictor": 317, "tile width": 322, "tile height": 323, "tile offsets": 324, "tile sizes": 325, "format": 339,
    "pixel scale": 33550, "tie points": 33922, "geo keys": 34735,
}  # fmt: skip
_VALUES = (0, 1, 3, 0xFFFF, 0xFFFFFFFF)
_PIXEL_SCALE = 33550
_STRANGE_DTYPES = (
    "complex64", "complex128", "complex_int16", "float64", "int32", "uint32", "int64", "uint64", "int8",
)  # fmt: skip


def good(path: Path, seed: int = 1, **options: Any) -> Path:
    pixels = np.random.default_rng(seed).integers(1, 9000, (_SIDE, _SIDE), dtype=np.uint16)
    layout = {"tiled": True, "blockxsize": 64, "blockysize": 64, "compress": "deflate", "predictor": 2, "nodata": 0}
    return write_tif(path, pixels, **{**layout, **options})


def header_flips(content: bytes) -> Iterator[tuple[str, bytes]]:
    """One to four bits flipped in the header, in the directory and in its values."""
    random = np.random.default_rng(4)
    directory = struct.unpack_from("<I", content, 4)[0]
    places = [*range(8), *range(directory, min(directory + 400, len(content)))]
    for number in range(80):
        yield f"header-{number}", _flipped(content, random.choice(places, 1 + number % 4), random)


def data_flips(content: bytes) -> Iterator[tuple[str, bytes]]:
    random = np.random.default_rng(5)
    for number in range(40):
        yield f"data-{number}", _flipped(content, random.integers(8, len(content), 1 + number % 30), random)


def truncations(content: bytes) -> Iterator[tuple[str, bytes]]:
    lengths = {0, 1, 2, 3, 4, 7, 8, 9, 15, 16, 64, 100, 200, 300, 400, 500, len(content) - 1, len(content) - 100}
    for length in sorted(lengths | {len(content) * share // 16 for share in range(1, 16)}):
        yield f"truncated-{length}", content[:length]


def wrong_tags(content: bytes) -> Iterator[tuple[str, bytes]]:
    for name, tag in _TAGS.items():
        for value in _VALUES:
            yield f"{name.replace(' ', '-')}-{value}", _with_tag(content, tag, value)


def wrong_places(content: bytes) -> Iterator[tuple[str, bytes]]:
    """The size of a pixel on the ground: none, not a number, endless."""
    at = struct.unpack_from("<I", content, _entry(content, _PIXEL_SCALE) + 8)[0]
    for name, size in {"zero": 0.0, "nan": np.nan, "endless": np.inf, "huge": 1e308, "tiny": 5e-324}.items():
        yield f"pixels-{name}", content[:at] + struct.pack("<dd", size, size) + content[at + 16 :]


def bomb(content: bytes) -> bytes:
    """The first tile unpacks to a hundred megabytes."""
    packed = zlib.compress(b"\0" * (100 << 20), 9)
    offsets, sizes = (struct.unpack_from("<I", content, _entry(content, tag) + 8)[0] for tag in (324, 325))
    changed = bytearray(content + packed)
    struct.pack_into("<I", changed, offsets, len(content))
    struct.pack_into("<I", changed, sizes, len(packed))
    return bytes(changed)


def shapes(folder: Path) -> dict[str, str]:
    """Well-formed rasters that no reflectance has, and the code of the error of each."""
    empty = {"SPARSE_OK": "TRUE", "crs": "EPSG:32619", "transform": grid(1, 1).transform, "count": 1, "dtype": "uint16"}
    tiles = {"tiled": True, "blockxsize": 512, "blockysize": 512}
    made: dict[str, tuple[str, dict[str, Any]]] = {
        "sparse-100000": ("SCENE_TOO_LARGE", {"width": 100_000, "height": 100_000, "BIGTIFF": "YES", **tiles}),
        "sparse-40000": ("SCENE_TOO_LARGE", {"width": 40_000, "height": 40_000, **tiles}),
        "wide": ("SCENE_TOO_LARGE", {"width": 1_600_000_000, "height": 1, "blockysize": 1}),
        "block-8192": ("SCENE_TOO_LARGE", {"width": 8192, "height": 8192, **_tile(8192)}),
        "strip-40-million": ("SCENE_TOO_LARGE", {"width": 20_000, "height": 2000, "blockysize": 2000,
                                                 "compress": "deflate"}),
        # Blocks of 64 MB of 16 bands are unpacked together.
        "deep-block": ("SCENE_TOO_LARGE", {"width": 4096, "height": 4096, "count": 16, "dtype": "float32",
                                           "interleave": "pixel", **_tile(4096)}),
        "bands-65": ("SCENE_TOO_LARGE", {"width": 64, "height": 64, "count": 65}),
        "bands-2000": ("SCENE_TOO_LARGE", {"width": 64, "height": 64, "count": 2000}),
        **{
            dtype: ("SCENE_UNREADABLE", {"width": 64, "height": 64, "dtype": dtype})
            for dtype in _STRANGE_DTYPES
        },
        "no-crs": ("SCENE_UNREADABLE", {"width": 64, "height": 64, "crs": None}),
        "no-place": ("SCENE_UNREADABLE", {"width": 64, "height": 64, "transform": Affine.identity()}),
    }  # fmt: skip
    for name, (_, options) in made.items():
        with rasterio.open(folder / f"{name}.tif", "w", driver="GTiff", **{**empty, **options}):
            pass
    return {name: code for name, (code, _) in made.items()}


def _tile(side: int) -> dict[str, Any]:
    return {"tiled": True, "blockxsize": side, "blockysize": side}


def disguises(secret_file: Path, secret_url: str) -> dict[str, bytes]:
    """Files that other drivers of GDAL would open, under the name of a TIFF. All lead to a file that is readable."""
    rows = f'rasterXSize="{_SIDE}" rasterYSize="{_SIDE}"'
    places = "<SRS>EPSG:32619</SRS><GeoTransform>600000,10,0,4700000,0,-10</GeoTransform>"

    def vrt(source: str) -> bytes:
        band = f'<SimpleSource><SourceFilename relativeToVRT="0">{source}</SourceFilename></SimpleSource>'
        raster_band = f'<VRTRasterBand dataType="UInt16" band="1">{band}</VRTRasterBand>'
        return f"<VRTDataset {rows}>{places}{raster_band}</VRTDataset>".encode()

    tiled = f'<Service name="TMS"><ServerUrl>{secret_url}/${{z}}</ServerUrl></Service>'
    window = "<DataWindow><SizeX>128</SizeX><SizeY>128</SizeY><TileLevel>1</TileLevel></DataWindow>"
    return {
        "vrt-of-file": vrt(str(secret_file)),
        "vrt-of-url": vrt(f"/vsicurl/{secret_url}/secret.tif"),
        "vrt-of-zip": vrt(f"/vsizip//vsicurl/{secret_url}/secret.zip"),
        "vrt-after-spaces": b" \n" + vrt(str(secret_file)),
        "vrt-with-python": vrt(str(secret_file)).replace(
            b"VRTRasterBand ", b'VRTRasterBand subClass="VRTDerivedRasterBand" ', 1
        ),
        "gti": f"<GDALTileIndexDataset><IndexDataset>{secret_file}</IndexDataset></GDALTileIndexDataset>".encode(),
        "wms": f"<GDAL_WMS>{tiled}{window}</GDAL_WMS>".encode(),
        "wcs": f"<WCS_GDAL><ServiceURL>{secret_url}/?</ServiceURL><CoverageName>x</CoverageName></WCS_GDAL>".encode(),
        "wmts": f"<GDAL_WMTS><GetCapabilitiesUrl>{secret_url}/</GetCapabilitiesUrl></GDAL_WMTS>".encode(),
        "stacit": json.dumps({"type": "FeatureCollection", "features": [], "stac_version": "1.0.0"}).encode(),
        "stacta": json.dumps(
            {"stac_extensions": ["tiled-assets"], "asset_templates": {"x": {"href": f"{secret_url}/{{TileMatrix}}"}}}
        ).encode(),
        "path": str(secret_file).encode(),
        "zip": b"PK\x03\x04" + bytes(200),
        "gzip": b"\x1f\x8b\x08\x00" + bytes(200),
        "pdf": b"%PDF-1.7\n" + bytes(200),
        "png": b"\x89PNG\r\n\x1a\n" + bytes(200),
        "netcdf": b"CDF\x01" + bytes(200),
        "hdf5": b"\x89HDF\r\n\x1a\n" + bytes(200),
        "jpeg2000": b"\x00\x00\x00\x0cjP  \r\n\x87\n" + bytes(200),
        "html": b"<!doctype html><html><body>Sign in</body></html>",
        "bigtiff": b"II\x2b\x00\x08\x00\x00\x00" + b"\xff" * 200,
        "circle": b"II*\x00\x08\x00\x00\x00" + b"\x00\x00" + b"\x08\x00\x00\x00",
        "endless-directory": b"II*\x00\x08\x00\x00\x00" + b"\xff\xff" + bytes(range(256)) * 4,
    }


def hrefs(allowed: str, secret_file: Path, secret_port: str) -> list[str]:
    """Ways to a file or to a host that is not allowed. `allowed` is the host of the catalogue's own files."""
    secret = f"127.0.0.1:{secret_port}"
    inline = disguises(secret_file, f"http://{secret}")["vrt-of-file"].decode()
    return [
        str(secret_file), f"file://{secret_file}", f"FILE://{secret_file}", f"file:{secret_file}", "/etc/hostname",
        "file:///etc/hostname", f"../../../../../..{secret_file}", f"./..{secret_file}", "red.tif", "", " ", "\x00",
        f"/vsicurl/http://{secret}/secret.tif", f"/vsicurl?url=http%3A%2F%2F{secret}%2Fsecret.tif",
        f"/vsicurl_streaming/http://{secret}/secret.tif", f"/vsizip/{secret_file}",
        f"/vsizip//vsicurl/http://{secret}/a.zip",
        f"/vsigzip/{secret_file}", f"/vsitar/{secret_file}", f"/vsisubfile/0_1000,{secret_file}", "/vsistdin/",
        f"/vsicached?file={secret_file}", "/vsimem/x.tif", "/vsis3/bucket/red.tif", "/vsigs/bucket/red.tif",
        f"vsicurl/{secret}",
        f"GTIFF_DIR:1:{secret_file}", f"GTIFF_RAW:{secret_file}", f"VRT://{secret_file}",
        f"vrt://{secret_file}?bands=1",
        f"GTI:{secret_file}", f"WMS:http://{secret}/?", f"WMTS:http://{secret}/", f"ZARR:\"/vsicurl/http://{secret}/\"",
        f"DERIVED_SUBDATASET:AMPLITUDE:{secret_file}", inline, f"http://{allowed}/{inline}",
        f"<GDAL_WMS>{secret}</GDAL_WMS>",
        f"http://{secret}/secret.tif", f"https://{secret}/secret.tif", f"HTTP://{secret}/secret.tif",
        f"//{secret}/secret.tif",
        f"http://localhost:{secret_port}/secret.tif", f"http://[::1]:{secret_port}/secret.tif",
        f"https://[::1]:{secret_port}/secret.tif", f"https://[::ffff:127.0.0.1]:{secret_port}/secret.tif",
        f"https://0.0.0.0:{secret_port}/secret.tif", f"https://2130706433:{secret_port}/secret.tif",
        f"https://0x7f.1:{secret_port}/secret.tif", f"https://0177.0.0.1:{secret_port}/secret.tif",
        "http://169.254.169.254/latest/meta-data/secret.tif", "https://169.254.169.254/latest/meta-data/secret.tif",
        "https://[fe80::1]/secret.tif", "https://[fd00::1]/secret.tif", "https://[64:ff9b::7f00:1]/secret.tif",
        "https://10.0.0.1/secret.tif", "https://192.168.0.1/secret.tif", "https://100.64.0.1/secret.tif",
        f"http://{allowed}@{secret}/secret.tif", f"http://user:password@{allowed}/nir.tif",
        f"http://{secret}#@{allowed}/nir.tif",
        f"http://{secret}\\@{allowed}/nir.tif", f"http://{allowed}\\@{secret}/secret.tif",
        f"http://{allowed}:@{secret}/secret.tif",
        f"http://{allowed}/../nir.tif", f"http://{allowed}/nir.tif|{secret_file}", f"http://{allowed}/a\nb.tif",
        "http://[::1", "http://", "https://:443/red.tif", "http://127.0.0.1:99999/red.tif", "http:///etc/hostname",
        "s3://bucket/red.tif", "gs://bucket/red.tif", "az://container/red.tif", "ftp://127.0.0.1/red.tif",
        "data:image/tiff;base64,SUkq", "javascript:1", "gopher://127.0.0.1/red.tif",
    ]  # fmt: skip


def work_through(names: list[str], directory: Path, root: str, host: str, report: Path) -> None:
    """Run NDVI on each, with one line of JSON for each in `report`. Meant for a process of its own, which may die."""
    settings = config_for(roots={"sentinel-2": [root]}, private_hosts=frozenset({root[7:], host}))
    for name in names:
        began = time.monotonic()
        outcome: dict[str, Any] = {"name": name}
        try:
            product = run(ndvi_job(name), directory, lambda share: None, settings)
            for file in (product.path, *product.pictures.values()):
                file.unlink()
            json.dumps([product.gsd, product.proj_code, product.statistics], allow_nan=False)  # all that a caller sees
            outcome["code"] = "PRODUCT"
        except RasterError as error:
            outcome |= {"code": error.code, "message": error.message, "details": json.dumps(error.details)}
        except Exception:
            outcome |= {"code": "UNNAMED", "message": " ".join(traceback.format_exc().split()[-60:])}
        left = [path.name for path in directory.iterdir()]
        memory = _peak_kilobytes()
        seconds = time.monotonic() - began
        with report.open("a") as lines:
            lines.write(json.dumps({**outcome, "left": left, "seconds": seconds, "megabytes": memory / 1024}) + "\n")


def _peak_kilobytes() -> int:
    """Of this program. getrusage also counts what the process held of its parent's before it began this one."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1])


def item(name: str, red: str, nir: str) -> Mapping[str, Any]:
    properties = {
        "platform": "sentinel-2a",
        "datetime": "2023-06-02T10:18:03Z",
        "s2:processing_baseline": "05.09",
        "s2:product_uri": f"{name}.SAFE",
        "earthsearch:boa_offset_applied": True,
    }
    return {"id": name, "properties": properties, "assets": {"red": {"href": red}, "nir": {"href": nir}}}


def _flipped(content: bytes, places: Any, random: np.random.Generator) -> bytes:
    changed = bytearray(content)
    for place in places:
        changed[int(place)] ^= 1 << int(random.integers(8))
    return bytes(changed)


def _entry(content: bytes, tag: int) -> int:
    """The offset of the directory's entry of that tag."""
    directory: int = struct.unpack_from("<I", content, 4)[0]
    count = struct.unpack_from("<H", content, directory)[0]
    entries = [directory + 2 + 12 * number for number in range(count)]
    return next(at for at in entries if struct.unpack_from("<H", content, at) == (tag,))


def _with_tag(content: bytes, tag: int, value: int) -> bytes:
    at = _entry(content, tag) + 8
    return content[:at] + struct.pack("<I", value) + content[at + 4 :]

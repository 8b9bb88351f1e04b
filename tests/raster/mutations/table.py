"""Ways in which a real item, or the files behind it, can be wrong. Each is applied to a world before a job runs.

A mutation names the matter that a warning or an error must speak of if the result is not simply right.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from processing.raster.types import S3Access
from tests.raster.mutations.world import GROUND, World

Change = Callable[[World], None]


@dataclass(frozen=True)
class Mutation:
    """One way of being wrong, and what must be spoken of: a regular expression."""

    name: str
    kind: str
    change: Change
    matter: str

    @property
    def id(self) -> str:
        return f"{self.kind}: {self.name}"


def prop(name: str, value: Any) -> Change:
    """A property of the item; None removes it."""

    def change(world: World) -> None:
        world.item["properties"].pop(name, None)
        if value is not None:
            world.item["properties"][name] = value

    return change


def pixels(offset: float) -> Change:
    return lambda world: world.write_all(offset)


def both(*changes: Change) -> Change:
    def change(world: World) -> None:
        for each in changes:
            each(world)

    return change


def declare(field: str, value: Any, *bands: str) -> Change:
    """`scale`, `offset` or `nodata` of these bands, both by default, as the item's version of STAC writes it."""

    def change(world: World) -> None:
        for band in bands or ("red", "nir"):
            asset = world.asset(band)
            holders = [*asset.get("raster:bands", []), *asset.get("bands", []), asset]
            for holder in holders:
                holder.pop(field, None)
                holder.pop(f"raster:{field}", None)
            if value is not None:
                asset.setdefault("raster:bands", [{}])[0][field] = value

    return change


def scaled(factor: float, *bands: str) -> Change:
    return lambda world: declare("scale", world.kind.scale * factor, *bands)(world)


def swapped_files(world: World) -> None:
    red, nir = world.asset("red"), world.asset("nir")
    red["href"], nir["href"] = nir["href"], red["href"]


def files_named_by_band_and_swapped(world: World) -> None:
    for band, key in world.kind.keys.items():
        world.write(band, key, name=f"swapped/{band}.tif")
    swapped_files(world)


def without_nir(world: World) -> None:
    key = world.kind.keys["nir"]
    narrow = "B8A" if "B8A" in world.item["assets"] else "nir08"
    world.item["assets"][narrow]["href"] = world.item["assets"].pop(key)["href"]


def file_nodata(value: float) -> Change:
    """The file declares another nodata than the item, and has it in a corner."""

    def change(world: World) -> None:
        for band, key in world.kind.keys.items():
            dn = world.dn(band)
            dn[:15, :15] = int(value)
            world.write(band, key, dn, nodata=value)

    return change


def as_reflectance(world: World) -> None:
    """Floats that are reflectance already."""
    for band, key in world.kind.keys.items():
        world.write(band, key, GROUND[band].astype(np.float32))


def as_picture(world: World) -> None:
    """A picture of 8 bits under red."""
    red = (255 * GROUND["red"] / GROUND["red"].max()).astype(np.uint8)
    world.write("red", world.kind.keys["red"], red)


def as_composite(world: World) -> None:
    red = (255 * GROUND["red"] / GROUND["red"].max()).astype(np.uint8)
    world.write("red", world.kind.keys["red"], red, count=3, photometric="RGB")


def signed(world: World) -> None:
    for band, key in world.kind.keys.items():
        world.write(band, key, world.dn(band).astype(np.int16))


def role(*roles: str) -> Change:
    def change(world: World) -> None:
        world.asset("red")["roles"] = list(roles)

    return change


def jpeg_2000_in_a_bucket(world: World) -> None:
    """As 263,066 items of August 2026: plain keys, and files that are raw whatever the flag says."""
    world.s3 = S3Access(
        access_key="AKREADER", secret_key="of-the-reader", region="eu-central-1", endpoint=world.files.url
    )
    for band, key in world.kind.keys.items():
        name = f"tiles/R10m/{'B04' if band == 'red' else 'B08'}.jp2"
        world.write_jpeg_2000(band, key, f"sentinel-s2-l2a/{name}", -0.1)
        asset = world.item["assets"][key]
        asset |= {"href": f"s3://sentinel-s2-l2a/{name}", "type": "image/jp2"}


def jpeg_2000_by_url(media_type: str) -> Change:
    def change(world: World) -> None:
        for band, key in world.kind.keys.items():
            name = f"{'B04' if band == 'red' else 'B08'}.jp2"
            world.write_jpeg_2000(band, key, name, -0.1)
            world.item["assets"][key] |= {"href": f"{world.files.url}/{name}", "type": media_type}

    return change


def in_two_collections(readable: bool) -> Change:
    """The same product in the newer collection, whose files can be read or cannot."""

    def change(world: World) -> None:
        newer = world.copy_of_item()
        newer["id"] = "S2A_T32TPS_20230602T100553_L2A"
        if not readable:
            for asset in newer["assets"].values():
                asset["href"] = f"s3://nowhere/{asset['href'].rpartition('/')[2]}"
        world.others.append(("sentinel-2-c1-l2a", newer))

    return change


def only_the_newer_is_readable(world: World) -> None:
    in_two_collections(True)(world)
    for asset in world.item["assets"].values():
        asset["href"] = f"s3://nowhere/{asset['href'].rpartition('/')[2]}"


OFFSET = r"offset|OFFSET_UNKNOWN|baseline"
SCALE = r"scale|offset"
FLAG = "earthsearch:boa_offset_applied"
PROPERTY = "s2:processing_baseline"

FLAGS = [
    Mutation(name=name, kind=kind, change=both(prop(FLAG, value), pixels(offset)), matter=OFFSET)
    for kind in ("es-tps", "es-twl", "es-rwt")
    for name, value, offset in (
        ("the flag is true and right", True, 0.0),
        ("the flag is true and wrong", True, -0.1),
        ("the flag is false and right", False, -0.1),
        ("the flag is false and wrong", False, 0.0),
        ("no flag, plain pixels", None, 0.0),
        ("no flag, shifted pixels", None, -0.1),
        ("the flag is a string, plain pixels", "true", 0.0),
        ("the flag is a string, shifted pixels", "false", -0.1),
    )
]
BASELINES = [
    Mutation(
        name="the property says an older baseline than the name",
        kind=kind,
        change=prop(PROPERTY, "02.12"),
        matter=OFFSET,
    )
    for kind in ("es-c1", "stactools")
] + [
    Mutation("no baseline in the properties", "es-c1", prop(PROPERTY, None), OFFSET),
    Mutation("a baseline that is none", "es-c1", prop(PROPERTY, "five"), OFFSET),
    Mutation("a newer baseline than the name", "pc", prop(PROPERTY, "05.11"), OFFSET),
    Mutation(
        name="no baseline and no product",
        kind="pc",
        change=both(prop(PROPERTY, None), prop("s2:product_uri", None)),
        matter=OFFSET,
    ),
    Mutation(
        name="an older baseline by the version",
        kind="cdse-0512",
        change=prop("processing:version", "02.12"),
        matter=OFFSET,
    ),
    Mutation("no version", "cdse-0500", prop("processing:version", None), OFFSET),
    Mutation("plain pixels in the collection of shifted ones", "es-c1", pixels(0.0), OFFSET),
    Mutation("shifted pixels of an old baseline", "pc", pixels(-0.1), OFFSET),
    Mutation("shifted pixels of the first Earth Search", "es-v0", pixels(-0.1), OFFSET),
]
RADIOMETRY = [
    Mutation(name=name, kind=kind, change=change, matter=SCALE)
    for kind in ("es-c1", "cdse-0512", "look-oli", "pc-etm")
    for name, change in (
        ("no scale", declare("scale", None)),
        ("no offset", declare("offset", None)),
        ("the scale is doubled", scaled(2)),
        ("the scale of red is doubled", scaled(2, "red")),
        ("the offset of red is missing", declare("offset", None, "red")),
        ("the offset of red is doubled", lambda world: declare("offset", 2 * world.kind.offset, "red")(world)),
        ("an offset of 0 is declared", declare("offset", 0.0)),
    )
] + [
    Mutation(
        name="an offset that the baseline has not", kind="pc-raster", change=declare("offset", -0.1), matter=OFFSET
    ),
    Mutation(
        name="nothing is declared",
        kind="look-etm",
        change=both(declare("scale", None), declare("offset", None)),
        matter=SCALE,
    ),
]
FILES = [
    Mutation(name=name, kind=kind, change=change, matter=matter)
    for kind in ("es-tps", "es-c1", "pc-oli")
    for name, change, matter in (
        ("nodata of another type", declare("nodata", -9999), "nodata"),
        ("nodata that is no number", declare("nodata", "none"), "nodata"),
        ("another nodata in the file", file_nodata(77), "nodata"),
        ("floats of reflectance", as_reflectance, "scale|reflectance|float"),
        ("a picture under red", as_picture, "uint8|picture|8 bit"),
        ("three bands under red", as_composite, "bands|picture|uint8"),
        ("signed integers", signed, "int16|type"),
        ("the role of a picture", role("visual"), "red|band|picture"),
        ("red and nir are swapped", files_named_by_band_and_swapped, "red|nir"),
    )
] + [Mutation("no broad near infrared", kind, without_nir, "nir08|B8A|narrow") for kind in ("es-tps", "pc")]
CANDIDATES = [
    Mutation("JPEG 2000 in a bucket under plain keys", "es-tps", jpeg_2000_in_a_bucket, OFFSET),
    Mutation("JPEG 2000 by its media type", "es-rwt", jpeg_2000_by_url("image/jp2"), OFFSET),
    Mutation(
        name="JPEG 2000 without a media type", kind="es-twl", change=jpeg_2000_by_url("image/tiff"), matter=OFFSET
    ),
    Mutation("two collections", "es-tps", in_two_collections(True), "AMBIGUOUS"),
    Mutation(
        name="the newer collection cannot be read", kind="es-tps", change=in_two_collections(False), matter="AMBIGUOUS"
    ),
    Mutation(
        name="only the newer collection can be read",
        kind="es-tps",
        change=only_the_newer_is_readable,
        matter="AMBIGUOUS",
    ),
]
MUTATIONS = [*FLAGS, *BASELINES, *RADIOMETRY, *FILES, *CANDIDATES]

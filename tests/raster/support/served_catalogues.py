"""Real items in catalogues on this machine, and how a provider finds them there."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from processing.raster.catalogues.patience import FOR_A_JOB, Patience
from processing.raster.scenes import find_scene
from processing.raster.types import S3Access, Scene, SceneId
from tests.raster.support.configs import config_for
from tests.servers import StacServer, free_port

Item = dict[str, Any]
Held = tuple[str, Sequence[Item]]  # a collection and its items


def stored_item(shared_data: Path, name: str) -> Item:
    """A real item. Hrefs without a host get one."""
    content: Item = json.loads((shared_data / "stac_items" / f"{name}.json").read_text())
    if content["type"] == "FeatureCollection":
        (content,) = content["features"]
    for asset in content["assets"].values():
        if "://" not in asset["href"]:
            asset["href"] = f"https://files.example/{asset['href'].rpartition('/')[2]}"
    return {**content, "links": []}


def changed(item: Item, item_id: str, **properties: Any) -> Item:
    """The item with another id and properties. `__` in the name of a property stands for a colon."""
    named = {name.replace("__", ":"): value for name, value in properties.items()}
    return {**item, "id": item_id, "properties": {**item["properties"], **named}}


def in_pc_form(item: Item) -> Item:
    """The item of a Sentinel-2 product as Planetary Computer calls it, whose time is the start of the datatake."""
    product = str(item["properties"]["s2:product_uri"]).removesuffix(".SAFE")
    satellite, level, datatake, _baseline, *rest = product.split("_")
    start = datetime.strptime(datatake, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    return changed(item, "_".join([satellite, level, datatake, *rest]), datetime=start.isoformat())


def closed_root() -> str:
    """A root at which nobody listens."""
    return f"http://127.0.0.1:{free_port()}"


def find(
    provider: str,
    original_id: str,
    *roots: str,
    s3: S3Access | None = None,
    token_root: str = "",
    patience: Patience = FOR_A_JOB,
) -> Scene:
    """The scene that the provider finds in catalogues on this machine."""
    here = frozenset({"127.0.0.1"})
    config = config_for(roots={provider: roots}, private_hosts=here, s3=s3, token_root=token_root)
    scene_id = SceneId(provider=provider, original_id=original_id)
    return find_scene(scene_id, config.catalogues, config.network, patience=patience)


@contextmanager
def catalogues(folder: Path, *held: Held) -> Iterator[list[str]]:
    """Roots of real STAC APIs, one for each collection."""
    with ExitStack() as servers:
        started = [servers.enter_context(StacServer(folder / f"catalogue-{number}")) for number in range(len(held))]
        yield [server.serve(name, items) for server, (name, items) in zip(started, held, strict=True)]


def ask_no_real_host(item: Item, url: str) -> None:
    """Let all files that the item has by http be missing at this server: real hosts are not reached from here."""
    for asset in item["assets"].values():
        for place in (asset, *asset.get("alternate", {}).values()):
            if place["href"].startswith("http"):
                place["href"] = f"{url}/missing/{Path(place['href']).name}"


def hrefs_replaced(item: Item, old: str, new: str) -> Item:
    """The item with `old` in its hrefs replaced."""
    assets: Mapping[str, Any] = {
        key: {**asset, "href": asset["href"].replace(old, new)} for key, asset in item["assets"].items()
    }
    return {**item, "assets": assets}

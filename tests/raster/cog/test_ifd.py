"""Directories of a GeoTIFF as bytes: every place that they name is right, even and inside the file."""

import logging
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rasterio.io import MemoryFile
from tifffile import TiffFile

from processing.raster.cog import ifd
from processing.raster.cog.ifd import SHORT, Level, Tag, Tags, framed, header, tags_of
from tests.raster.support.rasters import grid
from tests.raster.support.tile_decoding import pages_of

DEFLATE, NO_PREDICTOR, HORIZONTAL = 8, 1, 2
TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 12: 8, 16: 8}
STRUCTURE_LINES = [
    "LAYOUT=IFDS_BEFORE_DATA",
    "BLOCK_ORDER=ROW_MAJOR",
    "BLOCK_LEADER=SIZE_AS_UINT4",
    "BLOCK_TRAILER=LAST_4_BYTES_REPEATED",
    "KNOWN_INCOMPATIBLE_EDITION=NO",
    " ",
]

ASCII = 2  # type of a tag


def written_by_gdal(description: str = "red") -> bytes:
    on = grid(1100, 900)
    shape = {"width": on.width, "height": on.height, "count": 1, "dtype": "uint8"}
    with MemoryFile() as memory:
        with memory.open(
            driver="GTiff", crs=on.crs, transform=on.transform, nodata=255, tiled=True, sparse_ok=True, **shape
        ) as file:
            file.set_band_description(1, description)
            file.write_colormap(1, {0: (1, 2, 3, 255), 1: (4, 5, 6, 255)})
        return bytes(memory.getbuffer())


@dataclass(frozen=True)
class Directory:
    """One directory of a file: where it begins and ends, its tags, and where their values are."""

    start: int
    end: int
    tags: Tags
    values: dict[int, int]  # places of the values that do not fit into it


def directories_in(file: bytes) -> Iterator[Directory]:
    """Reads classic and big TIFF by their specifications."""
    big = file[:4] == b"II+\0"
    assert big or file[:4] == b"II*\0"
    pointer, pointer_code, count_code = (8, "<Q", "<Q") if big else (4, "<I", "<H")
    at = struct.unpack_from(pointer_code, file, 8 if big else 4)[0]
    while at:
        (count,) = struct.unpack_from(count_code, file, at)
        entry = at + struct.calcsize(count_code)
        tags, values = {}, {}
        for _ in range(count):
            code, kind, length = struct.unpack_from("<HH" + pointer_code[1], file, entry)
            size, place = TYPE_BYTES[kind] * length, entry + 4 + pointer
            if size > pointer:
                place = values[code] = struct.unpack_from(pointer_code, file, place)[0]
            assert place + size <= len(file)
            tags[code] = Tag(kind=kind, count=length, data=file[place : place + size])
            entry += 4 + 2 * pointer
        yield Directory(start=at, end=entry + pointer, tags=tags, values=values)
        (at,) = struct.unpack_from(pointer_code, file, entry)


def values_of(tag: Tag) -> list[int]:
    return [int(value) for value in np.frombuffer(tag.data, {3: "<u2", 4: "<u4", 16: "<u8"}[tag.kind])]


def levels_for(counts: Sequence[int], seed: int) -> tuple[list[Level], list[list[bytes]]]:
    """Levels of one row of so many tiles of 16 pixels, and the tiles: random bytes of random lengths."""
    random = np.random.default_rng(seed)
    tiles = [[random.bytes(int(size)) for size in random.integers(4, 60, count)] for count in counts]
    levels = [
        Level(width=16 * len(of_level), height=16, block=16, sizes=[len(tile) for tile in of_level])
        for of_level in tiles
    ]
    return levels, tiles


def file_of(described: Tags, levels: Sequence[Level], tiles: Sequence[Sequence[bytes]], predictor: int = 1) -> bytes:
    body = b"".join(part for of_level in reversed(tiles) for tile in of_level for part in framed(tile))
    return header(described, levels, DEFLATE, predictor) + body


@pytest.fixture(params=["classic", "big"])
def form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "big":
        monkeypatch.setattr(ifd, "_CLASSIC_LIMIT", 0)
    return str(request.param)


def test_tags_of_a_file_are_those_that_tifffile_finds() -> None:
    content = written_by_gdal()
    tags = tags_of(content)
    with TiffFile(BytesIO(content)) as file:
        page = pages_of(file)[0]
        assert sorted(tags) == sorted(tag.code for tag in page.tags)
        for tag in page.tags:
            raw = content[tag.valueoffset : tag.valueoffset + tag.valuebytecount]
            assert tags[tag.code] == Tag(kind=int(tag.dtype), count=tag.count, data=raw)


def test_tags_of_a_header_are_the_described_ones() -> None:
    described = tags_of(written_by_gdal())
    levels, tiles = levels_for([5], seed=1)
    again = tags_of(file_of(described, levels, tiles))
    layout = {256, 257, 259, 322, 323, 324, 325}
    assert {code: tag for code, tag in again.items() if code not in layout} == {
        code: tag for code, tag in described.items() if code not in layout
    }
    assert {code: values_of(again[code]) for code in layout - {324}} == {
        256: [80],
        257: [16],
        259: [DEFLATE],
        322: [16],
        323: [16],
        325: levels[0].sizes,
    }


def test_ghost_area_declares_its_own_size_and_the_first_directory_follows(form: str) -> None:
    levels, tiles = levels_for([2, 1], seed=2)
    content = file_of(tags_of(written_by_gdal()), levels, tiles)
    start = 16 if form == "big" else 8
    first_line, _, rest = content[start:].partition(b"\n")
    name, _, size = first_line.partition(b"=")
    assert (name, len(size)) == (b"GDAL_STRUCTURAL_METADATA_SIZE", len("000140 bytes"))
    length = int(size.removesuffix(b" bytes"))
    assert rest[:length].decode().split("\n") == STRUCTURE_LINES
    end = start + len(first_line) + 1 + length
    assert next(directories_in(content)).start == end + end % 2


def test_gdal_reads_the_ghost_area_as_that_of_a_cog() -> None:
    levels, tiles = levels_for([2, 1], seed=2)
    with (
        MemoryFile(file_of(tags_of(written_by_gdal()), levels, tiles)) as memory,
        memory.open(driver="GTiff") as file,
    ):
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert file.get_tag_item("GDAL_STRUCTURAL_METADATA", "TIFF").split("\n")[1:] == STRUCTURE_LINES


@given(
    counts=st.lists(st.integers(1, 40), min_size=1, max_size=4),
    texts=st.dictionaries(st.integers(50_000, 65_000), st.binary(min_size=1, max_size=13), max_size=4),
    predictor=st.sampled_from([NO_PREDICTOR, HORIZONTAL]),
    is_big=st.booleans(),
    seed=st.integers(0, 9),
)
def test_every_place_is_even_and_holds_what_the_directory_says(
    counts: list[int], texts: dict[int, bytes], predictor: int, is_big: bool, seed: int
) -> None:
    described = {
        258: Tag(kind=SHORT, count=1, data=b"\x08\0"),
        **{code: Tag(kind=ASCII, count=len(text), data=text) for code, text in texts.items()},
    }
    levels, tiles = levels_for(counts, seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ifd, "_CLASSIC_LIMIT", 0 if is_big else 1 << 30)
        content = file_of(described, levels, tiles, predictor)
    found = list(directories_in(content))
    assert len(found) == len(levels)
    taken = []
    for index, (directory, level, of_level) in enumerate(zip(found, levels, tiles, strict=True)):
        codes = list(directory.tags)
        assert codes == sorted(codes)
        assert [values_of(directory.tags[code]) for code in (256, 257)] == [[level.width], [level.height]]
        assert values_of(directory.tags[325]) == level.sizes
        assert (317 in directory.tags) == (predictor != NO_PREDICTOR)
        assert directory.tags.get(254) == (Tag(kind=4, count=1, data=b"\1\0\0\0") if index else None)
        assert all(directory.tags.get(code) == (None if index else described[code]) for code in texts)
        places = [directory.start, *directory.values.values()]
        assert all(place % 2 == 0 for place in places)
        taken += [(directory.start, directory.end)]
        taken += [(place, place + len(directory.tags[code].data)) for code, place in directory.values.items()]
        for place, tile in zip(values_of(directory.tags[324]), of_level, strict=True):
            assert content[place - 4 : place + len(tile) + 4] == struct.pack("<I", len(tile)) + tile + tile[-4:]
            taken.append((place - 4, place + len(tile) + 4))
    taken.sort()
    assert all(end <= start for (_, end), (start, _) in pairwise(taken))
    assert taken[-1][1] == len(content)


def test_directories_stand_before_the_tiles_and_coarse_tiles_before_fine_ones(form: str) -> None:
    levels, tiles = levels_for([9, 4, 1], seed=3)
    found = list(directories_in(file_of(tags_of(written_by_gdal()), levels, tiles)))
    starts = [directory.start for directory in found]
    offsets = [values_of(directory.tags[324]) for directory in found]
    assert starts == sorted(starts)
    assert starts[-1] < offsets[2][0] <= offsets[2][-1] < offsets[1][0] <= offsets[1][-1] < offsets[0][0]
    assert all(places == sorted(places) for places in offsets)


@pytest.mark.parametrize("description", ["", "a", "ab", "abc", "abcd", "abcde", "NDVI å"])
def test_values_of_any_length_are_read_back_without_a_warning(
    form: str, description: str, caplog: pytest.LogCaptureFixture
) -> None:
    levels, tiles = levels_for([3, 2], seed=4)
    content = file_of(tags_of(written_by_gdal(description)), levels, tiles)
    with caplog.at_level(logging.WARNING), TiffFile(BytesIO(content)) as file:
        assert file.is_bigtiff == (form == "big")
        for page, level, of_level in zip(pages_of(file), levels, tiles, strict=True):
            assert (page.imagewidth, page.imagelength, page.tilewidth) == (level.width, level.height, 16)
            for place, size, tile in zip(page.dataoffsets, page.databytecounts, of_level, strict=True):
                assert content[place : place + size] == tile
    assert caplog.records == []
    with MemoryFile(content) as memory, memory.open(driver="GTiff") as dataset:
        assert dataset.descriptions == (description or None,)
        assert dataset.colormap(1)[1] == (4, 5, 6, 255)
        assert dataset.nodata == 255


# The tiles of 4286 bytes fit into the 4 GiB of a classic TIFF, but not together with the directory.
@pytest.mark.parametrize(("tile_bytes", "is_big"), [(3000, False), (4286, True), (4400, True)])
def test_big_tiff_is_chosen_if_the_file_exceeds_4_gib(tile_bytes: int, is_big: bool) -> None:
    levels = [Level(width=1_000_000 * 16, height=16, block=16, sizes=[tile_bytes] * 1_000_000)]
    content = header({}, levels, DEFLATE, NO_PREDICTOR)
    assert content.startswith(b"II+\0" if is_big else b"II*\0")
    offsets = values_of(next(directories_in(content)).tags[324])
    assert offsets[0] == len(content) + 4
    assert offsets[-1] == len(content) + 999_999 * (tile_bytes + 8) + 4

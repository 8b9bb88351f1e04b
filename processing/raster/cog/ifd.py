"""The image file directories (IFDs) of a GeoTIFF as bytes, laid out as GDAL's COG driver does.

Sources: TIFF 6.0; BigTIFF as in libtiff; GDAL, "COG - Cloud Optimized GeoTIFF generator", on the header's ghost area
and on the size before and the repeated last bytes after each tile.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

SHORT, LONG, LONG8 = 3, 4, 16
_TYPE_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}

NEW_SUBFILE_TYPE, WIDTH, LENGTH = 254, 256, 257
BITS_PER_SAMPLE, COMPRESSION, PHOTOMETRIC = 258, 259, 262
STRIP_OFFSETS, SAMPLES_PER_PIXEL, ROWS_PER_STRIP, STRIP_BYTE_COUNTS = 273, 277, 278, 279
PLANAR_CONFIGURATION, PREDICTOR, COLOR_MAP = 284, 317, 320
TILE_WIDTH, TILE_LENGTH, TILE_OFFSETS, TILE_BYTE_COUNTS = 322, 323, 324, 325
EXTRA_SAMPLES, SAMPLE_FORMAT, GDAL_NODATA = 338, 339, 42113

# Tags that an overview shares with the full resolution. All others (georeferencing, metadata) are written once.
_OF_OVERVIEWS = (
    BITS_PER_SAMPLE,
    PHOTOMETRIC,
    SAMPLES_PER_PIXEL,
    PLANAR_CONFIGURATION,
    COLOR_MAP,
    EXTRA_SAMPLES,
    SAMPLE_FORMAT,
    GDAL_NODATA,
)
_OF_THE_LAYOUT = (
    WIDTH,
    LENGTH,
    COMPRESSION,
    PREDICTOR,
    STRIP_OFFSETS,
    ROWS_PER_STRIP,
    STRIP_BYTE_COUNTS,
    TILE_WIDTH,
    TILE_LENGTH,
    TILE_OFFSETS,
    TILE_BYTE_COUNTS,
)
_STRUCTURE = (
    b"LAYOUT=IFDS_BEFORE_DATA\nBLOCK_ORDER=ROW_MAJOR\nBLOCK_LEADER=SIZE_AS_UINT4\n"
    b"BLOCK_TRAILER=LAST_4_BYTES_REPEATED\nKNOWN_INCOMPATIBLE_EDITION=NO\n "
)
# The byte at its end is not counted: it moves the first directory to an even offset.
GHOST_AREA = b"GDAL_STRUCTURAL_METADATA_SIZE=%06d bytes\n" % len(_STRUCTURE) + _STRUCTURE + b"\0"

# A classic TIFF addresses 4 GiB. The rest is room for everything but the tiles.
_CLASSIC_LIMIT = 4_000_000_000


@dataclass(frozen=True, kw_only=True)
class Tag:
    """The value of a TIFF tag: its type, the number of values, and their bytes."""

    kind: int
    count: int
    data: bytes


Tags = Mapping[int, Tag]


@dataclass(frozen=True, kw_only=True)
class Level:
    """One resolution of the file. `sizes` are the bytes of its tiles, row by row."""

    width: int
    height: int
    block: int
    sizes: Sequence[int]


def framed(tile: bytes) -> tuple[bytes, bytes, bytes]:
    """A tile as it stands in the file: after its size, and followed by its last four bytes again."""
    return struct.pack("<I", len(tile)), tile, tile[-4:]


FRAME_BYTES = 8


def tags_of(classic_tiff: bytes) -> Tags:
    """The tags of the first directory of a classic little-endian TIFF."""
    (directory,) = struct.unpack_from("<I", classic_tiff, 4)
    (count,) = struct.unpack_from("<H", classic_tiff, directory)
    tags = {}
    for entry in range(count):
        code, kind, length, value = struct.unpack_from("<HHI4s", classic_tiff, directory + 2 + 12 * entry)
        size = _TYPE_SIZES[kind] * length
        offset = struct.unpack("<I", value)[0]
        data = value[:size] if size <= 4 else classic_tiff[offset : offset + size]
        tags[code] = Tag(kind=kind, count=length, data=bytes(data))
    return tags


def header(described: Tags, levels: Sequence[Level], compression: int, predictor: int) -> bytes:
    """Everything before the first tile, for a file whose tiles follow from the coarsest level to the finest.

    `described` are the tags of the full resolution that describe its contents; `levels` begin with it.
    """
    data_bytes = sum(sum(level.sizes) + FRAME_BYTES * len(level.sizes) for level in levels)
    form = _BIG if data_bytes > _CLASSIC_LIMIT else _CLASSIC
    directories = [
        _directory(described, level, compression, predictor, form, index) for index, level in enumerate(levels)
    ]
    size = len(form.signature) + form.pointer + len(GHOST_AREA) + sum(form.size_of(tags) for tags in directories)
    return form.write(_with_offsets(directories, levels, size, form))


def _directory(
    described: Tags, level: Level, compression: int, predictor: int, form: "_Form", index: int
) -> dict[int, Tag]:
    kept = (code for code in described if (code in _OF_OVERVIEWS if index else code not in _OF_THE_LAYOUT))
    tags = {code: described[code] for code in kept}
    if index:
        tags[NEW_SUBFILE_TYPE] = _numbers(LONG, [1])
    if predictor != 1:
        tags[PREDICTOR] = _numbers(SHORT, [predictor])
    return tags | {
        WIDTH: _numbers(LONG, [level.width]),
        LENGTH: _numbers(LONG, [level.height]),
        COMPRESSION: _numbers(SHORT, [compression]),
        TILE_WIDTH: _numbers(SHORT, [level.block]),
        TILE_LENGTH: _numbers(SHORT, [level.block]),
        TILE_OFFSETS: _numbers(form.offset_kind, [0] * len(level.sizes)),
        TILE_BYTE_COUNTS: _numbers(LONG, level.sizes),
    }


def _with_offsets(
    directories: Sequence[dict[int, Tag]], levels: Sequence[Level], start: int, form: "_Form"
) -> list[dict[int, Tag]]:
    """The directories with the offsets of their tiles, which begin at `start` with the coarsest level."""
    placed = list(directories)
    for index in reversed(range(len(levels))):
        steps = np.array(levels[index].sizes, dtype=np.uint64) + FRAME_BYTES
        ends = start + np.cumsum(steps)
        offsets = ends - steps + 4  # after the tile's size
        placed[index] = directories[index] | {TILE_OFFSETS: _numbers(form.offset_kind, [int(at) for at in offsets])}
        start = int(ends[-1])
    return placed


def _numbers(kind: int, values: Sequence[int]) -> Tag:
    dtype = {SHORT: "<u2", LONG: "<u4", LONG8: "<u8"}[kind]
    return Tag(kind=kind, count=len(values), data=np.array(values, dtype=dtype).tobytes())


@dataclass(frozen=True, kw_only=True)
class _Form:
    """The differences between classic and big TIFF: widths of counts and pointers."""

    signature: bytes
    pointer: int  # bytes
    pointer_code: str
    count_code: str
    offset_kind: int

    @property
    def entry(self) -> int:
        return 4 + 2 * self.pointer

    def size_of(self, tags: Tags) -> int:
        """Bytes of a directory together with the values that do not fit into it."""
        fixed = struct.calcsize(self.count_code) + self.entry * len(tags) + self.pointer
        return fixed + fixed % 2 + sum(_padded(tag.data) for tag in tags.values() if len(tag.data) > self.pointer)

    def write(self, directories: Sequence[Tags]) -> bytes:
        first = len(self.signature) + self.pointer + len(GHOST_AREA)
        parts = [self.signature, struct.pack(self.pointer_code, first), GHOST_AREA]
        at = first
        for index, tags in enumerate(directories):
            following = at + self.size_of(tags) if index + 1 < len(directories) else 0
            parts.append(self._directory(tags, at, following))
            at += self.size_of(tags)
        return b"".join(parts)

    def _directory(self, tags: Tags, at: int, following: int) -> bytes:
        entries, values = [struct.pack(self.count_code, len(tags))], []
        fixed = struct.calcsize(self.count_code) + self.entry * len(tags) + self.pointer
        place = at + fixed + fixed % 2
        for code, tag in sorted(tags.items()):
            head = struct.pack("<HH", code, tag.kind) + struct.pack(self.pointer_code, tag.count)
            if len(tag.data) <= self.pointer:
                entries.append(head + tag.data.ljust(self.pointer, b"\0"))
            else:
                entries.append(head + struct.pack(self.pointer_code, place))
                values.append(tag.data.ljust(_padded(tag.data), b"\0"))
                place += _padded(tag.data)
        entries.append(struct.pack(self.pointer_code, following) + b"\0" * (fixed % 2))
        return b"".join((*entries, *values))


def _padded(data: bytes) -> int:
    """Values begin at even offsets."""
    return len(data) + len(data) % 2


_CLASSIC = _Form(signature=b"II*\0", pointer=4, pointer_code="<I", count_code="<H", offset_kind=LONG)
_BIG = _Form(signature=b"II+\0\x08\0\0\0", pointer=8, pointer_code="<Q", count_code="<Q", offset_kind=LONG8)

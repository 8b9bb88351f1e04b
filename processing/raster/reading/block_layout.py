"""Where the blocks of a TIFF's raster lie in its file."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Self

from rasterio.io import DatasetReader

from ..files import Span

_MOST_BLOCKS = 200_000
_SAMPLE_BLOCKS = (3, 9)  # at least, at most
# Steps by it spread evenly and never fall into one column.
_GOLDEN = 0.618


@dataclass(frozen=True, kw_only=True)
class BlockLayout:
    """Blocks of `block_shape` (rows, columns), row by row, `columns` of them in each row."""

    block_shape: tuple[int, int]
    columns: int
    spans: tuple[Span, ...]

    @classmethod
    def of(cls, dataset: DatasetReader) -> Self | None:
        """The layout of the first band. None if a block's place is unknown, or there are too many blocks.

        GDAL gives no offset for a sparse block, nor for one it cannot locate; both count as unknown.
        """
        block_shape = dataset.block_shapes[0]
        rows, columns = (-(-side // block) for side, block in zip(dataset.shape, block_shape, strict=True))
        if rows * columns > _MOST_BLOCKS:
            return None
        spans = []
        for row, column in product(range(rows), range(columns)):
            span = _span(dataset, row, column)
            if span is None:
                return None
            spans.append(span)
        return cls(block_shape=block_shape, columns=columns, spans=tuple(spans))

    @property
    def stored_bytes(self) -> int:
        """Of all blocks together. Some writers store equal blocks once."""
        return sum(span.stop - span.start for span in set(self.spans))

    def spans_of(self, rows: slice, columns: slice) -> Iterator[Span]:
        """The bytes of the blocks on which this part of the raster lies."""
        height, width = self.block_shape
        for row in range(rows.start // height, -(-rows.stop // height)):
            first = row * self.columns
            yield from self.spans[first + columns.start // width : first + -(-columns.stop // width)]


def spread_blocks(shape: tuple[int, int], block_shape: tuple[int, int], pixels: int) -> list[tuple[slice, slice]]:
    """Rows and columns of a few blocks, of about so many pixels, spread over a raster of that shape."""
    rows, columns = (-(-side // block) for side, block in zip(shape, block_shape, strict=True))
    least, most = _SAMPLE_BLOCKS
    count = min(most, max(least, pixels // (block_shape[0] * block_shape[1])))
    if rows * columns <= count:
        places = list(product(range(rows), range(columns)))
    else:
        places = [(int((i + 0.5) / count * rows), int(i * _GOLDEN % 1 * columns)) for i in range(count)]
    return [
        (_part(row, block_shape[0], shape[0]), _part(column, block_shape[1], shape[1]))
        for row, column in dict.fromkeys(places)
    ]


def _part(index: int, block: int, side: int) -> slice:
    return slice(index * block, min((index + 1) * block, side))


def _span(dataset: DatasetReader, row: int, column: int) -> Span | None:
    start = dataset.get_tag_item(f"BLOCK_OFFSET_{column}_{row}", "TIFF", bidx=1)
    size = dataset.get_tag_item(f"BLOCK_SIZE_{column}_{row}", "TIFF", bidx=1)
    return None if start is None or size is None else Span(int(start), int(start) + int(size))

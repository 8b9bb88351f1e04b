"""Decodes the tiles of a COG by the TIFF specification, in numpy, apart from the code that encodes them."""

import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import zstandard
from tifffile import TiffFile, TiffPage

NO_PREDICTOR, HORIZONTAL, FLOATING_POINT = 1, 2, 3
DEFLATE, ZSTD = 8, 50000


def decode_tile(data: bytes, compression: int, predictor: int, dtype: str, rows: int, columns: int) -> npt.NDArray[Any]:
    """(rows, columns) of a tile. `compression` and `predictor` are the values of the TIFF tags."""
    plain = zlib.decompress(data) if compression == DEFLATE else zstandard.ZstdDecompressor().decompress(data)
    if predictor != FLOATING_POINT:
        tile = np.frombuffer(plain, np.dtype(dtype).newbyteorder("<")).reshape(rows, columns)
        return np.cumsum(tile, axis=1, dtype=dtype) if predictor == HORIZONTAL else tile
    size = np.dtype(dtype).itemsize
    row_bytes = np.cumsum(np.frombuffer(plain, np.uint8).reshape(rows, size * columns), axis=1, dtype=np.uint8)
    big_endian = np.ascontiguousarray(row_bytes.reshape(rows, size, columns).transpose(0, 2, 1))
    return big_endian.view(np.dtype(dtype).newbyteorder(">"))[:, :, 0].astype(dtype)


def decode_pages(path: Path) -> list[npt.NDArray[Any]]:
    """Full resolution and overviews of a file, from the places that its directories name."""
    content = path.read_bytes()
    with TiffFile(path) as file:
        return [decode_tiles(page, content)[: page.imagelength, : page.imagewidth] for page in pages_of(file)]


def pages_of(file: TiffFile) -> list[TiffPage]:
    """The directories of a file, each with all of its tags."""
    pages = [page for page in file.pages if isinstance(page, TiffPage)]
    assert len(pages) == len(file.pages)
    return pages


def decode_tiles(page: TiffPage, file: bytes) -> npt.NDArray[Any]:
    """All tiles of a directory side by side, with their filling beyond the image."""
    block, across = page.tilewidth, -(-page.imagewidth // page.tilewidth)
    down = -(-page.imagelength // page.tilelength)
    assert len(page.dataoffsets) == len(page.databytecounts) == across * down
    image = np.empty((down * block, across * block), page.dtype)
    for index, (start, size) in enumerate(zip(page.dataoffsets, page.databytecounts, strict=True)):
        top, left = index // across * block, index % across * block
        tile = file[start : start + size]
        image[top : top + block, left : left + block] = decode_tile(
            tile, page.compression, page.predictor, str(page.dtype), block, block
        )
    return image

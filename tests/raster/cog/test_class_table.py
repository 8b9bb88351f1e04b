"""The names and colours of classes are a table inside the file, where a download keeps it."""

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
import rasterio
from tifffile import TiffFile

from processing.raster.types import PixelFormat
from tests.raster.support.cogs import CLASS_PALETTE, FORMATS, assert_gdal_reads, is_valid, pixels_for, write_cog
from tests.raster.support.rasters import grid

CLASSES = FORMATS["classes"]
ODD = replace(CLASSES, class_names=("a < b", 'more & "more"', "Gewässer"))
ON = grid(600, 520)
VALUE, NAME, RED, GREEN, BLUE = "5", "2", "6", "7", "8"  # uses of columns, as GDAL numbers them


def tables(path: Path) -> list[ElementTree.Element]:
    with TiffFile(path) as file:
        metadata = ElementTree.fromstring(str(file.pages.first.tags["GDAL_METADATA"].value))
    return metadata.findall("Item[@role='rat'][@sample='0']/GDALRasterAttributeTable[@tableType='thematic']")


@pytest.mark.parametrize("layout", [CLASSES, ODD], ids=["plain", "odd"])
def test_classes_are_a_table_of_the_file(tmp_path: Path, layout: PixelFormat) -> None:
    write_cog(tmp_path / "a.tif", ON, layout, pixels_for(layout, ON))
    (table,) = tables(tmp_path / "a.tif")
    uses = [column.findtext("Usage") for column in table.findall("FieldDefn")]
    rows = [dict(zip(uses, [cell.text for cell in row], strict=True)) for row in table.findall("Row")]
    assert [row[NAME] for row in rows] == list(layout.class_names)
    assert [row[VALUE] for row in rows] == [str(code) for code in range(len(layout.class_names))]
    colors = [tuple(int(row[use] or "") for use in (RED, GREEN, BLUE)) for row in rows]
    assert colors == [color[:3] for color in CLASS_PALETTE]


@pytest.mark.parametrize("layout", [CLASSES, ODD], ids=["plain", "odd"])
def test_file_with_a_table_is_read_as_before(tmp_path: Path, layout: PixelFormat) -> None:
    pixels = pixels_for(layout, ON)
    write_cog(tmp_path / "a.tif", ON, layout, pixels)
    assert is_valid(tmp_path / "a.tif")
    assert_gdal_reads(tmp_path / "a.tif", ON, layout, pixels)
    with rasterio.open(tmp_path / "a.tif") as file:
        assert set(file.tags(1)) == {f"CLASS_{code}" for code in range(len(layout.class_names))}


@pytest.mark.parametrize("kind", sorted(set(FORMATS) - {"classes"}))
def test_file_without_classes_has_no_table(tmp_path: Path, kind: str) -> None:
    write_cog(tmp_path / "a.tif", ON, FORMATS[kind], pixels_for(FORMATS[kind], ON))
    assert tables(tmp_path / "a.tif") == []

"""The classes of a raster as a raster attribute table inside its TIFF, by which GIS programs name them.

GDAL 3.12 and later read it, as an item of their metadata; earlier versions pass over it. Source: what GDAL 3.13 writes.
"""

from collections.abc import Mapping
from xml.etree.ElementTree import Element, SubElement, tostring

from ..types import PixelFormat
from .ifd import Tag, Tags

_GDAL_METADATA = 42112
_END = b"</GDALMetadata>"
# Columns by name, with GDAL's numbers of their type and of what they are for.
_INTEGER, _STRING = "0", "2"
_COLUMNS: Mapping[str, tuple[str, str]] = {
    "Value": (_INTEGER, "5"),
    "Class": (_STRING, "2"),
    "Red": (_INTEGER, "6"),
    "Green": (_INTEGER, "7"),
    "Blue": (_INTEGER, "8"),
}


def with_class_table(tags: Tags, pixel_format: PixelFormat) -> Tags:
    """The tags of a TIFF with the table of its classes, if it has any."""
    if not pixel_format.class_names:
        return tags
    metadata = tags[_GDAL_METADATA]
    item = tostring(_item(pixel_format), encoding="utf-8")
    data = metadata.data.replace(_END, item + b"\n" + _END)
    return {**tags, _GDAL_METADATA: Tag(kind=metadata.kind, count=len(data), data=data)}


def _item(pixel_format: PixelFormat) -> Element:
    item = Element("Item", name="DEFAULT_RASTER_ATTRIBUTE_TABLE", sample="0", role="rat")
    table = SubElement(item, "GDALRasterAttributeTable", tableType="thematic")
    for index, (name, (kind, usage)) in enumerate(_COLUMNS.items()):
        column = SubElement(table, "FieldDefn", index=str(index))
        for key, text in (("Name", name), ("Type", kind), ("Usage", usage)):
            SubElement(column, key).text = text
    for value, name in enumerate(pixel_format.class_names):
        row = SubElement(table, "Row", index=str(value))
        for cell in (value, name, *pixel_format.palette[value][:3]):
            SubElement(row, "F").text = str(cell)
    return item

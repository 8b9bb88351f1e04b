"""The only room that writes rasters: windows in, one verified COG out, in one pass and in bounded memory."""

from .writer import CogWriter, WrittenCog, is_cog, write_cog

__all__ = ["CogWriter", "WrittenCog", "is_cog", "write_cog"]

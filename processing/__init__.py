"""Jobs: Django on this level, rasters one level down.

Django loads this package before its models may be imported, so it exports nothing: import from its rooms.
"""

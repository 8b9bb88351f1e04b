"""From scene ids to one verified COG: numpy, rasterio and STAC, and nothing of Django, Celery or settings.

`pipeline.run` is the whole story. It is imported by workers alone, as it loads GDAL, which the web process never does;
so this package exports nothing by itself.
"""

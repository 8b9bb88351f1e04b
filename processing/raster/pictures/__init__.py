"""Pictures of a result, and of the scenes that it compares: what a browser can show.

All lie on one grid in web mercator, which covers the bbox of the result. A picture that fails is left out.
"""

from .album import need_overviews_only, no_pictures_of_failures, pictures_of_result, pictures_of_scenes

__all__ = ["need_overviews_only", "no_pictures_of_failures", "pictures_of_result", "pictures_of_scenes"]

"""The pages of documentation: `/docs/` and `/`.

Their text is Markdown, their tables are made from the code itself. They need no key and no JavaScript.
"""

from .contents import Page, all_pages

__all__ = ["Page", "all_pages"]

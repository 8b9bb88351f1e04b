"""Blocks of files that the threads of a job share: each is decoded once, and a mask's clarity is computed once.

`SharedBlocks` keeps the latest blocks of a raster; `ClarityBlocks` grows a mask's clouds on top of them.
"""

from .clarity_blocks import ClarityBlocks, clarity_file
from .shared_blocks import Blocks, SharedBlocks

__all__ = ["Blocks", "ClarityBlocks", "SharedBlocks", "clarity_file"]

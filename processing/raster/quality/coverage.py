"""What a caller should know about an area of interest that the scenes do not cover."""

from collections.abc import Iterator


def about_area(covered_percent: float) -> Iterator[str]:
    """Caveats if less than all of the area of interest lies in what all scenes show."""
    if covered_percent < 100:
        yield (
            f"The area of interest leaves the scenes, which cover {_percent(covered_percent)} % of it. The result and "
            "its numbers are of that part; take neighbouring scenes for the rest."
        )


def _percent(share: float) -> str:
    """With as many digits as show that it is neither 0 nor 100."""
    return f"{share:.0f}" if 1 <= share <= 99 else f"{share:.2g}" if share < 1 else f"{share:.2f}"

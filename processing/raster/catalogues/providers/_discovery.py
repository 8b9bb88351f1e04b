"""Finding the providers: by their being there."""

from collections.abc import Mapping

from ...errors import InvalidSceneId
from ...plugins import plugin_modules
from ._provider import Provider


def all_providers() -> Mapping[str, Provider]:
    """Every provider by its name."""
    return {module.PROVIDER.name: module.PROVIDER for module in plugin_modules(__package__).values()}


def get_provider(name: str) -> Provider:
    """The provider of that name. Raises InvalidSceneId if there is none."""
    try:
        return all_providers()[name]
    except KeyError as error:
        raise InvalidSceneId(
            f"There is no provider {name!r}; there are: {', '.join(sorted(all_providers()))}."
        ) from error

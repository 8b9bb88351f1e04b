"""The params that all operations share."""

from pydantic import BaseModel, ConfigDict, Field

from .aoi import AreaOfInterest


class Params(BaseModel):
    """Base of every operation's params: exact types, no unknown names, immutable."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    aoi: AreaOfInterest = Field(default=None)
    cloud_mask: bool = Field(
        default=False, description="Leave out clouds, their shadows and snow, as the scenes' own masks have them."
    )
    mask_dilation: float = Field(
        default=60.0,
        ge=0,
        le=1000,
        allow_inf_nan=False,
        description="Metres by which clouds, their shadows and snow grow on all sides before they are left out, "
        "rounded up to whole pixels of the mask. Without cloud_mask it changes nothing.",
    )


class InvalidParams(ValueError):
    """Params that are well formed but do not fit together, or do not fit the scenes. `parameter` names one of them."""

    def __init__(self, parameter: str, message: str) -> None:
        super().__init__(message)
        self.parameter, self.message = parameter, message

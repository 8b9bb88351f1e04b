"""A job and its result: the API's own objects, with names for what is asked most."""

from collections.abc import Mapping
from typing import Any, Literal, cast

from . import errors, rasters


class Result(dict[str, Any]):
    """The `result` of a completed job, as the API has it: `result["file:size"]`, `result["statistics"]`."""

    @property
    def href(self) -> str | None:
        """A signed link to the file, good for a while. None once the file is deleted."""
        return self.get("href")

    @property
    def statistics(self) -> dict[str, Any]:
        return self.get("statistics") or {}

    def open(self, kind: Literal["rasterio", "xarray"] = "rasterio") -> Any:
        """The file as a rasterio dataset, or as an xarray DataArray, read over HTTP without a download.

        Raises errors.NotInstalled without the library, and errors.ResultDeleted once the file is deleted.
        """
        return rasters.open_raster(self.href, kind)


class Job(dict[str, Any]):
    """A job as the API has it: `job["created_at"]`; `json.dumps(job)` is the API's JSON."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        super().__init__(body)
        if isinstance(body.get("result"), dict):
            self["result"] = Result(body["result"])

    @property
    def job_id(self) -> str:
        return cast(str, self["job_id"])

    @property
    def status(self) -> str:
        """queued, processing, completed or failed."""
        return cast(str, self["status"])

    @property
    def is_finished(self) -> bool:
        return self.status in ("completed", "failed")

    @property
    def progress(self) -> int:
        """Percent."""
        return int(self.get("progress") or 0)

    @property
    def result(self) -> Result | None:
        return self.get("result")

    @property
    def error(self) -> dict[str, Any] | None:
        return self.get("error")

    @property
    def warnings(self) -> list[Any]:
        return self.get("warnings") or []

    def open(self, kind: Literal["rasterio", "xarray"] = "rasterio") -> Any:
        """`job.result.open(kind)`. Raises errors.NoResult unless the job is completed."""
        if self.result is None:
            raise errors.NoResult(f"{self.job_id} is {self.status}, so it has no file to open.")
        return self.result.open(kind)

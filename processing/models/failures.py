"""The errors of failed jobs, as callers see them, that more than one part of the service raises."""

from typing import Any

from django.conf import settings


def error_body(code: str, message: str, details: dict[str, Any] | None = None, *, retryable: bool) -> dict[str, Any]:
    """The error of a failed job. `retryable` says if the same job may succeed later without any change."""
    return {"code": code, "message": message, "details": {**(details or {}), "retryable": retryable}}


def timed_out() -> dict[str, Any]:
    """From the worker itself, or from the sweep if the worker was killed for it."""
    message = f"The job took longer than {settings.JOB_TIME_LIMIT} seconds and was stopped."
    return error_body("TIMED_OUT", message, retryable=False)


def worker_lost(losses: int) -> dict[str, Any]:
    message = f"The workers that ran this job were lost {losses} times. Submit it again, or tell the operator."
    return error_body("WORKER_LOST", message, retryable=True)

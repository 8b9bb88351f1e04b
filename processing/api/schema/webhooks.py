"""What the service sends by itself: one POST when a job ends, and the ping that tries a receiver."""

from typing import Any

from .examples import COMPLETED, FAILED

_PING = {"event": "ping", "sent_at": "2025-01-15T19:00:12.345678+00:00"}
_HEADERS = {
    "webhook-id": "Of this webhook, the same at every attempt.",
    "webhook-timestamp": "Unix seconds of this attempt.",
    "webhook-signature": "One or more of `v1,` and a signature in base64, as Standard Webhooks has it.",
}
_RETRIED = "Any 2xx within 15 s is success; anything else, redirects included, is tried again for about three days."
_ANSWERS = {
    "2XX": {"description": "Delivered."},
    "410": {"description": "Never again for this job."},
    "default": {"description": "Not delivered: tried again later, after `Retry-After` if it is 429 or 503."},
}


def webhooks() -> dict[str, Any]:
    """By their names, as OpenAPI describes what a receiver gets."""
    return {
        "job.completed": _webhook(
            "on_job_completed", "A job is completed. The body is that of a poll.", "Job", COMPLETED
        ),
        "job.failed": _webhook("on_job_failed", "A job has failed. The body is that of a poll.", "Job", FAILED),
        "ping": _webhook("on_ping", "`send_test_webhook` was called. It is sent once.", "Ping", _PING),
    }


def _webhook(operation_id: str, summary: str, body: str, example: dict[str, Any]) -> dict[str, Any]:
    content = {"schema": {"$ref": f"#/components/schemas/{body}"}, "examples": {"example": {"value": example}}}
    described = {
        "operationId": operation_id,
        "summary": summary,
        "description": _RETRIED if body == "Job" else summary,
        "tags": ["Webhooks"],
        "parameters": [_header(*each) for each in _HEADERS.items()],
        "requestBody": {"content": {"application/json": content}, "required": True},
        "responses": _ANSWERS,
        "security": [],
    }
    return {"post": described}


def _header(name: str, description: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": True, "description": description, "schema": {"type": "string"}}

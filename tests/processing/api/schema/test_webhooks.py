"""The described webhooks are those that are sent."""

import json
from typing import Any

import pytest
from rest_framework.renderers import JSONRenderer

from accounts.models import ApiKey
from processing.bodies import job_body
from processing.models import Job
from processing.webhooks.signing import signed_headers
from tests.described import the_document, validator
from tests.processing.jobs import completed, failed


def described(name: str) -> dict[str, Any]:
    return dict(the_document()["webhooks"][name]["post"])


@pytest.mark.parametrize("name", ["job.completed", "job.failed", "ping"])
def test_headers_are_those_that_a_webhook_has(name: str, key: ApiKey) -> None:
    sent = signed_headers(key.account, "msg_1", b"{}")
    assert {each["name"] for each in described(name)["parameters"]} == set(sent) - {"Content-Type"}
    assert list(described(name)["requestBody"]["content"]) == [sent["Content-Type"]]


@pytest.mark.parametrize(("name", "make"), [("job.completed", completed), ("job.failed", failed)])
def test_body_fits_its_schema(name: str, make: Any, key: ApiKey) -> None:
    job = Job.objects.with_webhook().get(pk=make(key).pk)
    schema = described(name)["requestBody"]["content"]["application/json"]["schema"]
    validator(schema["$ref"]).validate(json.loads(JSONRenderer().render(job_body(job, "http://testserver"))))

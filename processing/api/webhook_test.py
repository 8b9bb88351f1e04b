"""`POST /api/v1/webhooks/test`: does my receiver work?"""

from typing import Any, cast

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import ApiKey
from accounts.sealing import CannotUnseal
from astra.exceptions import ApiError, Fault, InvalidRequest, Problem

from ..http import ForbiddenAddress
from ..webhooks import check_address, send_ping
from ..webhooks.pinging import TooManyPings

_LONGEST_URL = 2000


class WebhookTest(APIView):
    def post(self, request: Request) -> Response:
        """Send one signed ping to a URL, and say what came back."""
        try:
            ping = send_ping(cast(ApiKey, request.auth).account, _url_of(request.data))
        except TooManyPings:
            raise ApiError(Problem.RATE_LIMITED, "Other webhooks are being tested. Try again in a moment.") from None
        except CannotUnseal:
            message = "The account's webhook secret has been lost. Ask the operator for a new one."
            raise ApiError(Problem.CONFLICT, message) from None
        return Response(
            {
                "delivered": ping.delivered,
                "response_status": ping.answer.response_status,
                "milliseconds": ping.answer.milliseconds,
                "note": ping.answer.note,
                "headers": ping.headers,
            }
        )


def url_fault(url: Any) -> str:
    """What is wrong with the URL of a webhook, as a sentence; empty if nothing is. Looks up no name."""
    if not isinstance(url, str) or len(url) > _LONGEST_URL:
        return f"This field must be a URL of at most {_LONGEST_URL} characters."
    try:
        check_address(url)
    except ForbiddenAddress as error:
        return str(error)
    return ""


def _url_of(body: Any) -> str:
    """Raises InvalidRequest unless the body is {"url": ...} with a URL that a webhook may have."""
    if not isinstance(body, dict):
        raise InvalidRequest([Fault(parameter="", message='The body must be {"url": "https://..."}.', received=body)])
    faults = [
        Fault(parameter=name, message="There is no such field; there is: url.", received=value)
        for name, value in body.items()
        if name != "url"
    ]
    if sentence := url_fault(body.get("url")):
        faults.append(Fault(parameter="url", message=sentence, received=body.get("url")))
    if faults:
        raise InvalidRequest(faults)
    return str(body["url"])

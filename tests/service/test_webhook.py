"""Webhooks of a served instance, as a receiver sees them."""

import json
import threading
from http.server import ThreadingHTTPServer
from typing import Any

import requests
from standardwebhooks import Webhook

from accounts.sealing import unseal
from tests.servers import Receiver, free_port, wait_until

from .conftest import Service
from .instances import rows


class ReceiverOn(Receiver):
    """A receiver on a given port."""

    def __init__(self, port: int) -> None:
        super().__init__()
        handler = self._server.RequestHandlerClass
        self._server.server_close()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._server.daemon_threads = True
        self._server.owner = self  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)


def webhook_secret(service: Service) -> str:
    ((sealed,),) = rows(service, "SELECT webhook_secret FROM accounts_account WHERE name = 'first'")
    return unseal(sealed, pepper=(service.data / "secret_key").read_text().strip())


def same_job(sent: dict[str, Any], polled: dict[str, Any]) -> bool:
    """Whether two bodies differ in the signature of the link at most."""
    bodies = [
        {**body, "result": {**body["result"], "href": body["result"]["href"].split("?")[0]}} for body in (sent, polled)
    ]
    return bodies[0] == bodies[1]


def wait_until_delivered(service: Service, job_id: str) -> None:
    """Wait until the only delivery of the job has ended. Nothing is sent after that."""
    query = "SELECT status FROM processing_webhookdelivery WHERE job_id = ?"
    wait_until(lambda: rows(service, query, job_id) == [("delivered",)], 60, "the delivery")


def answers_to(service: Service, job_id: str) -> list[int | None]:
    """The status of every attempt; None if there was no answer."""
    query = (
        "SELECT response_status FROM processing_webhookattempt JOIN processing_webhookdelivery AS delivery "
        "ON delivery.id = delivery_id WHERE job_id = ? ORDER BY number"
    )
    return [status for (status,) in rows(service, query, job_id)]


def test_webhook_is_sent_once_with_the_body_of_a_poll_and_a_good_signature(service: Service) -> None:
    with Receiver() as receiver:
        job_id = service.submit(webhook_url=receiver.hook)["job_id"]
        wait_until_delivered(service, job_id)

        ((headers, body),) = receiver.received
    polled = requests.get(f"{service.url}/api/v1/process/{job_id}", headers=service.headers, timeout=10)
    shown = polled.json()
    assert shown["webhook"]["state"] == "delivered"
    at_the_end = {**shown["webhook"], "state": "pending", "attempts": 0, "last_status": None}
    assert same_job(json.loads(body), {**shown, "webhook": at_the_end})
    sent = Webhook(webhook_secret(service)).verify(body, headers)
    assert (sent["job_id"], sent["status"]) == (job_id, "completed")
    assert headers["content-type"] == "application/json"
    link = requests.head(sent["result"]["href"], timeout=10)
    assert link.status_code == 200


def test_webhook_of_a_failed_job_has_its_error(service: Service) -> None:
    with Receiver() as receiver:
        unknown = ["sentinel-2:S2A_MSIL2A_20200101T100000"]
        job_id = service.submit(scene_ids=unknown, webhook_url=receiver.hook)["job_id"]
        wait_until_delivered(service, job_id)

        ((headers, body),) = receiver.received
    sent = Webhook(webhook_secret(service)).verify(body, headers)
    assert (sent["status"], sent["error"]["code"]) == ("failed", "SCENE_NOT_FOUND")


def test_failing_receiver_gets_the_same_message_until_it_accepts(service: Service) -> None:
    with Receiver([500, 500, 204]) as receiver:
        job_id = service.submit(webhook_url=receiver.hook)["job_id"]
        wait_until_delivered(service, job_id)

    assert answers_to(service, job_id) == [500, 500, 204]
    assert len(receiver.received) == 3
    assert len({headers["webhook-id"] for headers, _ in receiver.received}) == 1
    for headers, body in receiver.received:
        Webhook(webhook_secret(service)).verify(body, headers)


def test_receiver_that_is_down_at_first_gets_the_message_once_it_is_up(service: Service) -> None:
    port = free_port()
    job_id = service.submit(webhook_url=f"http://127.0.0.1:{port}/hook")["job_id"]
    wait_until(lambda: len(answers_to(service, job_id)) >= 2, 60, "the second attempt")

    with ReceiverOn(port) as receiver:
        wait_until_delivered(service, job_id)

    assert len(receiver.received) == 1
    *refused, taken = answers_to(service, job_id)
    assert set(refused) == {None}
    assert taken == 204

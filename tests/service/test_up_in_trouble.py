"""What `manage.py up` does about processes that a killed one left, and about servers that it cannot start again."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from astra.embedded.broker import Broker, configure_broker
from tests.servers import wait_until

from .conftest import NewService, Service


def test_next_up_ends_what_a_killed_one_and_its_guard_left(new_service: NewService) -> None:
    service = new_service({}).start()
    assert service.process is not None
    (guard,) = [pid for pid, command in service.processes().items() if "astra.embedded.guard" in command]

    os.kill(service.process.pid, signal.SIGSTOP)  # so that it does not start another guard
    os.kill(guard, signal.SIGKILL)
    service.process.kill()
    service.process.wait(10)
    left = service.processes()
    assert len(left) >= 8, "broker, web server, three workers and beat, with children of theirs"

    service.start()

    assert not set(left) & set(service.processes())
    assert "that a killed `up` had left behind" in service.output
    assert service.wait_for(service.submit()["job_id"])["status"] == "completed"


def test_process_that_has_got_an_id_of_ours_is_left_alone(new_service: NewService) -> None:
    service = new_service({})
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as stranger:
        try:
            (service.data / "pids.json").write_text(f'{{"{stranger.pid}": "Tue Nov  3 10:00:00 2026"}}')
            service.start()
            assert stranger.poll() is None
        finally:
            stranger.kill()


@contextmanager
def running(broker: Broker) -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen(broker.command, stdout=subprocess.DEVNULL) as process:
        try:
            broker.wait_until_ready()
            yield process
        finally:
            process.kill()


def test_broker_of_the_operator_that_goes_is_named_and_jobs_wait(new_service: NewService, tmp_path: Path) -> None:
    broker = configure_broker(tmp_path)
    service = new_service({"REDIS_URL": broker.url, "ASTRA_SWEEP_SECONDS": "0.5"}).start()
    wait_until(lambda: said(service, "the broker at 127.0.0.1", "is away", "jobs wait"), 20, "the message")
    job_id = service.submit()["job_id"]

    with running(broker):
        wait_until(lambda: said(service, "the broker at 127.0.0.1", "is back"), 20, "the message")
        assert service.wait_for(job_id)["status"] == "completed"
        service.stop()
    assert broker.url not in service.output


def said(service: Service, *words: str) -> bool:
    return any(all(word in line for word in words) for line in service.output.splitlines())


def test_up_waits_for_a_database_that_is_away_until_it_is_stopped(new_service: NewService) -> None:
    production = {
        "DATABASE_URL": "postgres://astra:hunter2@127.0.0.1:1/astra",
        "SECRET_KEY": "correct-horse-battery-staple-" * 2,
        "ALLOWED_HOSTS": "127.0.0.1",
    }
    service = new_service(production)
    service.launch()
    wait_until(lambda: said(service, "the database at 127.0.0.1:1", "is away"), 20, "the message")

    assert service.stop() == 0
    assert "hunter2" not in service.output
    assert "Traceback" not in service.output

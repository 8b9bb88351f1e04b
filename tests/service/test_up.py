"""`manage.py up` from its start to every kind of end."""

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import redis
import requests
from redis.backoff import NoBackoff
from redis.retry import Retry

from astra.embedded.broker import configure_broker
from tests.servers import free_port, wait_until

from .conftest import ROOT, NewService, Service
from .instances import assert_whole_result

OLD = time.time() - 86_400


def refusal(service: Service, *arguments: str) -> str:
    """What `up` prints when it refuses to start on the instance's data."""
    with pytest.raises(subprocess.CalledProcessError) as refused:
        service.manage("up", *arguments)
    return str(refused.value.stderr)


def broker_password(service: Service) -> str:
    lines = (service.data / "broker" / "valkey.conf").read_text().splitlines()
    (password,) = [line.removeprefix("requirepass ") for line in lines if line.startswith("requirepass ")]
    return password


def client(port: int, password: str | None = None) -> redis.Redis:
    return redis.Redis(port=port, password=password, retry=Retry(NoBackoff(), 0))


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Service]:
    """An instance on an empty data folder, not started."""
    service = Service(tmp_path)
    yield service
    service.kill()


def test_restart_keeps_jobs_and_keys(new_service: NewService) -> None:
    service = new_service({}).start()
    (catalogue,) = (service.data / "sandbox").glob("*/catalog.json")
    os.utime(catalogue, (OLD, OLD))
    key, job = service.key, service.wait_for(service.submit()["job_id"])

    assert service.stop(signal.SIGINT) == 0
    assert service.processes() == {}
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{service.url}/healthz", timeout=2)

    service.start()
    assert service.key == key
    assert service.poll(job["job_id"]) == job
    assert requests.get(job["result"]["href"], timeout=10).status_code == 200
    assert_whole_result(service, job)
    assert catalogue.stat().st_mtime == pytest.approx(OLD, abs=1)
    assert service.wait_for(service.submit()["job_id"])["status"] == "completed"

    assert service.stop(signal.SIGTERM) == 0
    assert service.processes() == {}


def test_killed_up_leaves_no_process_running(new_service: NewService) -> None:
    service = new_service({}).start()
    assert len(service.processes()) >= 5
    assert service.process is not None

    service.process.kill()

    assert service.process.wait(10) == -signal.SIGKILL
    wait_until(lambda: not service.processes(), 30, "the end of all processes")


def test_ctrl_c_during_the_first_start_shows_no_traceback(empty: Service) -> None:
    """Ctrl-C reaches every process of the terminal's group, also the one that writes the sandbox."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "up", "--port", str(empty.port)],
        cwd=ROOT,
        env=empty.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,
    )
    wait_until(lambda: list(empty.data.glob("sandbox/.draft-*")), 30, "the sandbox's draft")

    os.killpg(process.pid, signal.SIGINT)
    said, _ = process.communicate(timeout=60)

    assert "Traceback" not in said
    assert process.returncode == 0
    assert not list(empty.data.glob("sandbox/.draft-*"))
    assert empty.processes() == {}


def test_second_up_on_the_same_data_is_refused(service: Service) -> None:
    said = refusal(service, "--port", str(free_port()))

    assert f"Another `manage.py up` is running on {service.data}." in said
    assert "Traceback" not in said
    assert service.wait_for(service.submit()["job_id"])["status"] == "completed"


def test_port_in_use_is_refused(service: Service, empty: Service) -> None:
    said = refusal(empty, "--port", str(service.port))

    assert f"Cannot listen on 127.0.0.1:{service.port}" in said
    assert "Choose another with --port." in said
    assert "Traceback" not in said


def test_broker_listens_on_loopback_only_and_wants_a_password(service: Service) -> None:
    (broker,) = [pid for pid, command in service.processes().items() if "valkey-server" in command]
    listening = [held.laddr for held in psutil.Process(broker).net_connections() if held.status == "LISTEN"]
    assert [address.ip for address in listening] == ["127.0.0.1"]
    port = listening[0].port

    with client(port) as stranger, pytest.raises(redis.AuthenticationError):
        stranger.ping()
    with client(port, broker_password(service)) as owner:
        assert owner.ping()


def test_broker_left_over_by_an_earlier_run_is_stopped(tmp_path: Path) -> None:
    """It is left if supervisor and guard are both killed. Two servers would write into one append-only file."""
    earlier = configure_broker(tmp_path)
    with subprocess.Popen(earlier.command, stdout=subprocess.DEVNULL) as process:
        try:
            earlier.wait_until_ready()
            wait_until((tmp_path / "valkey.pid").exists, 10, "the broker's pid file")

            configure_broker(tmp_path)

            wait_until(lambda: process.poll() is not None, 5, "the end of the earlier broker")
        finally:
            process.kill()


def test_everything_listens_on_loopback_only(service: Service) -> None:
    listening = {
        held.laddr.ip
        for pid in service.processes()
        for held in psutil.Process(pid).net_connections()
        if held.status == "LISTEN" and held.family in (socket.AF_INET, socket.AF_INET6)
    }

    assert listening == {"127.0.0.1"}


@pytest.mark.parametrize("name", ["secret_key", "admin_password", "test_key", "broker/valkey.conf"])
def test_secrets_can_be_read_by_their_owner_only(service: Service, name: str) -> None:
    assert stat.S_IMODE((service.data / name).stat().st_mode) == 0o600


def test_broker_password_is_not_shown_to_other_users(service: Service) -> None:
    password = broker_password(service)

    assert len(password) >= 20
    assert not [command for command in service.processes().values() if password in command]


def test_wrong_host_is_answered_in_json_without_a_password(service: Service) -> None:
    answer = requests.get(f"{service.url}/healthz", headers={"Host": "x"}, timeout=10)

    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/json")
    assert answer.json()["error"]["code"] == "VALIDATION_ERROR"
    assert broker_password(service) not in answer.text


@pytest.mark.parametrize("path", ["/static/admin/css/base.css", "/admin/login/"])
def test_admin_is_served_with_its_static_files(service: Service, path: str) -> None:
    assert requests.get(service.url + path, timeout=10).status_code == 200


def test_beyond_loopback_names_are_required(empty: Service) -> None:
    said = refusal(empty, "--host", "0.0.0.0")

    assert "ALLOWED_HOSTS" in said
    assert "Traceback" not in said


def test_beyond_loopback_debug_is_refused(empty: Service) -> None:
    empty.environment.update(DEBUG="1", ALLOWED_HOSTS="astra.example")
    said = refusal(empty, "--host", "0.0.0.0")

    assert "DEBUG" in said
    assert "Traceback" not in said

"""`manage.py up` from its start to its end, however that comes."""

import os
import signal
import socket
import stat
import subprocess
import time
from pathlib import Path

import psutil
import pytest
import redis
import requests

from tests.servers import free_port, wait_until

from .conftest import NewService, Service
from .instances import assert_whole_result

OLD = time.time() - 86_400


def refusal(service: Service, *arguments: str) -> str:
    """What `up` says as it refuses to start on the instance's data."""
    with pytest.raises(subprocess.CalledProcessError) as refused:
        service.manage("up", *arguments)
    return str(refused.value.stderr)


def broker_password(service: Service) -> str:
    lines = (service.data / "broker" / "valkey.conf").read_text().splitlines()
    (password,) = [line.removeprefix("requirepass ") for line in lines if line.startswith("requirepass ")]
    return password


def test_restart_goes_on_where_the_first_run_ended(new_service: NewService) -> None:
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


def test_nothing_is_left_running_where_up_is_killed(new_service: NewService) -> None:
    service = new_service({}).start()
    assert len(service.processes()) >= 5
    assert service.process is not None

    service.process.kill()

    assert service.process.wait(10) == -signal.SIGKILL
    wait_until(lambda: not service.processes(), 30, "the end of all processes")


def test_second_up_on_the_same_data_is_refused(service: Service) -> None:
    said = refusal(service, "--port", str(free_port()))

    assert f"Another `manage.py up` is running on {service.data}." in said
    assert "Traceback" not in said
    assert service.wait_for(service.submit()["job_id"])["status"] == "completed"


def test_port_in_use_is_refused(service: Service, tmp_path: Path) -> None:
    said = refusal(Service(tmp_path), "--port", str(service.port))

    assert f"Cannot listen on 127.0.0.1:{service.port}" in said
    assert "Choose another with --port." in said
    assert "Traceback" not in said


def test_broker_listens_on_loopback_only_and_wants_a_password(service: Service) -> None:
    (broker,) = [pid for pid, command in service.processes().items() if "valkey-server" in command]
    listening = [held.laddr for held in psutil.Process(broker).net_connections() if held.status == "LISTEN"]
    assert [address.ip for address in listening] == ["127.0.0.1"]
    port = listening[0].port

    with redis.Redis(port=port) as stranger, pytest.raises(redis.AuthenticationError):
        stranger.ping()
    with redis.Redis(port=port, password=broker_password(service)) as owner:
        assert owner.ping()


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

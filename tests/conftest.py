"""Fixtures for all tests: accounts with keys, a client that sends one, the sandbox, real data, real servers."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest
from rest_framework.test import APIClient

from accounts.models import Account, ApiKey
from tests.answers import client_with
from tests.counts import forget_counts
from tests.servers import RangeServer, StacServer
from tests.summary import pytest_terminal_summary as pytest_terminal_summary

if TYPE_CHECKING:
    from tests.service.conftest import Service

# How long an example takes says more about the machine than about the code.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
SHARED_SPEC = SHARED_DATA.parent / "spec"


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """No workers for tests that are named: few run faster without, and can be debugged. Else one for each core."""
    are_named = config.args_source is pytest.Config.ArgsSource.ARGS
    return 0 if are_named else None


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real scenes and STAC items, which lie beside the project where it is developed."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the real scenes (../shared/data) are not on this machine")
    return SHARED_DATA


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a sandbox catalogue, written once for all tests at its full size."""
    from processing.raster.sandbox.catalogue import sandbox_catalogue

    if written := os.environ.get("ASTRA_TEST_SANDBOX"):  # by the tests that started these
        return Path(written)
    directory = tmp_path_factory.mktemp("sandbox")
    sandbox_catalogue(directory)
    return directory


@pytest.fixture(autouse=True)
def nothing_counted() -> None:
    """No test is limited by what another has sent: keys of both may have one number, and all have one address."""
    forget_counts()


@pytest.fixture
def account(db: None) -> Account:
    return Account.objects.create(name="Agronomics", plan=Account.Plan.SCALE)


@pytest.fixture
def test_key(account: Account) -> str:
    """The text of a test key of `account`."""
    return ApiKey.objects.issue(account, "test")[1]


@pytest.fixture
def live_key(account: Account) -> str:
    return ApiKey.objects.issue(account, "live")[1]


@pytest.fixture
def api(test_key: str) -> APIClient:
    """A client that sends the test key of `account`."""
    return client_with(test_key)


@pytest.fixture
def range_server(tmp_path: Path) -> Iterator[RangeServer]:
    """Serves the files below `range_server.folder` with byte ranges, and remembers what was asked."""
    with RangeServer(tmp_path / "files") as server:
        yield server


@pytest.fixture
def stac_server(tmp_path: Path) -> Iterator[StacServer]:
    """A real STAC API (rustac); `serve(collections, items)` starts it."""
    with StacServer(tmp_path / "stac") as server:
        yield server


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Service"]:
    """One instance for all tests that only use the API. It may reach 127.0.0.1, sweeps often, and retries soon."""
    from tests.service.conftest import Service

    environment = {
        "ASTRA_WEBHOOK_PRIVATE_HOSTS": "127.0.0.1",
        "ASTRA_SWEEP_SECONDS": "0.5",
        "ASTRA_WEBHOOK_DELAYS": "0.2,0.4,0.8,1,1",
    }
    running = Service(tmp_path_factory.mktemp("service"), environment).start()
    yield running
    running.stop()

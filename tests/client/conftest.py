"""What tests of the client share: the client of a served instance, its command line, and a proxy in between."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from astra_client import Astra, Job
from tests.client.proxy import Proxy
from tests.service.conftest import ROOT, Service

SCENE = "sentinel-2:S2B_MSIL2A_20250115T184929"
EARLIER_SCENE = "sentinel-2:S2B_MSIL2A_20240715T184929"


class CommandLine:
    """`astra` with the key of a served instance, in a folder of its own."""

    def __init__(self, folder: Path, url: str, key: str) -> None:
        self.folder = folder
        self.environment = {**os.environ, "PYTHONPATH": str(ROOT / "client")}
        self.environment |= {"ASTRA_API_URL": url, "ASTRA_API_KEY": key}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "astra_client", *arguments],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # Tests that run in the background ignore Ctrl-C, and so would what they start.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*arguments)
        output, errors = process.communicate(timeout=90)
        return subprocess.CompletedProcess(arguments, process.returncode, output, errors)

    @property
    def files(self) -> set[str]:
        """The names of all files in its folder, hidden ones too."""
        return {path.name for path in self.folder.iterdir()}


NewCommandLine = Callable[[str], CommandLine]


@pytest.fixture
def proxy(service: Service) -> Iterator[Proxy]:
    with Proxy(service.port) as before:
        yield before


@pytest.fixture
def astra(service: Service, proxy: Proxy) -> Iterator[Astra]:
    """The client, which reaches the instance through the proxy."""
    with Astra(service.key, proxy.url) as client:
        yield client


@pytest.fixture
def command(service: Service, proxy: Proxy, tmp_path: Path) -> CommandLine:
    """The command line, which reaches the instance through the proxy."""
    folder = tmp_path / "here"
    folder.mkdir()
    return CommandLine(folder, proxy.url, service.key)


@pytest.fixture(scope="session")
def completed(service: Service) -> Job:
    """An NDVI job that is completed; its file has some megabytes."""
    with Astra(service.key, service.url) as client:
        return client.run("ndvi", SCENE)

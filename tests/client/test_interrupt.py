"""A command that is interrupted: it ends at once, leaves no file, and says how to go on."""

import signal
import threading

import pytest

from tests.client.conftest import SCENE, CommandLine
from tests.client.proxy import Answer, Proxy, Trouble
from tests.servers import wait_until

SLOW = ("ndvi", "sentinel-2:TEST_SLOW", "-o", "out.tif")
INTERRUPTS = [(signal.SIGINT, 130), (signal.SIGTERM, 143)]


@pytest.mark.parametrize(("number", "code"), INTERRUPTS)
def test_while_the_job_runs(command: CommandLine, proxy: Proxy, number: signal.Signals, code: int) -> None:
    process = command.start(*SLOW)
    wait_until(lambda: proxy.requests("GET", "/process/"), what="a poll")
    process.send_signal(number)
    _, errors = process.communicate(timeout=10)

    assert process.returncode == code
    assert command.files == set()
    job_id = proxy.requests("GET", "/process/")[0].path.rpartition("/")[2]
    assert number != signal.SIGINT or f"astra get {job_id}" in errors
    assert command("cancel", job_id).returncode == 0, "the job went on"


@pytest.mark.parametrize(("number", "code"), INTERRUPTS)
def test_in_mid_download(command: CommandLine, proxy: Proxy, number: signal.Signals, code: int) -> None:
    ended = threading.Event()
    proxy.on("GET", "/files/", stalls(100_000, ended))
    process = command.start("ndvi", SCENE, "-o", "out.tif")
    wait_until(lambda: command.files, what="a partial file")
    process.send_signal(number)
    process.communicate(timeout=10)
    ended.set()

    assert process.returncode == code
    assert command.files == set()


def stalls(after: int, ended: threading.Event) -> Trouble:
    """Nothing comes after so many bytes until the event."""

    def do(answer: Answer) -> Answer:
        answer.cut_after, answer.before_the_cut = after, lambda: ended.wait(60)
        return answer

    return do

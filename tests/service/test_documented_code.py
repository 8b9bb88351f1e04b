"""Every code block of the documentation, taken from the served pages and run as its reader would."""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from processing.documentation import all_pages
from tests.documented_code import (
    KEY,
    LANGUAGES,
    RECEIVER,
    answer_faults,
    programs,
    run,
    run_shell,
    served_blocks,
)
from tests.servers import Receiver, free_port, wait_until

from .conftest import Service
from .test_webhook import webhook_secret

HAS_NODE = shutil.which("node") is not None
TUTORIAL = "/docs/tutorial/"  # has a test of its own, on real scenes
PATHS = ["/", *(page.url for page in all_pages() if page.url != TUTORIAL)]
ROLES_THAT_ARE_NOT_RUN = {"output", "file"}


@pytest.mark.parametrize("path", PATHS)
def test_code_runs(service: Service, path: str, tmp_path: Path) -> None:
    blocks = served_blocks(f"{service.url}{path}")
    with Receiver() as receiver, ThreadPoolExecutor() as readers:
        values = {KEY: service.key, RECEIVER: receiver.hook}
        reading = [
            readers.submit(run, language, programs(blocks, language, values), folder_in(tmp_path, language))
            for language in LANGUAGES[1 : 3 if HAS_NODE else 2]
        ]
        answers = run_shell(blocks, values, folder_in(tmp_path, "bash"))
        for each in reading:
            each.result()
    assert [fault for printed, shown in answers for fault in answer_faults(printed, shown)] == []


def folder_in(folder: Path, language: str) -> Path:
    """Each language saves files of the same names."""
    path = folder / language
    path.mkdir()
    return path


def test_only_answers_and_files_are_not_run(service: Service) -> None:
    """All else is a program in a language that the tests run, or a server, which has a test of its own."""
    for path in [*PATHS, TUTORIAL]:
        for block in served_blocks(f"{service.url}{path}"):
            is_program = block.language in LANGUAGES
            assert is_program == (block.role not in ROLES_THAT_ARE_NOT_RUN), (path, block)


@pytest.mark.parametrize(
    ("language", "command"),
    [
        ("python", [sys.executable, "-c"]),
        pytest.param(
            "javascript",
            ["node", "--input-type=module", "-e"],
            marks=pytest.mark.skipif(not HAS_NODE, reason="node is not installed"),
        ),
    ],
)
def test_documented_receiver_takes_ours_and_refuses_forged_webhooks(
    service: Service, language: str, command: list[str], tmp_path: Path
) -> None:
    (code,) = [
        block.code
        for block in served_blocks(f"{service.url}/docs/webhooks/")
        if (block.language, block.role) == (language, "server")
    ]
    port, printed = free_port(), tmp_path / "printed"
    url = f"http://127.0.0.1:{port}/hooks/astra"
    environment = {**os.environ, "PORT": str(port), "ASTRA_WEBHOOK_SECRET": webhook_secret(service)}
    with printed.open("w") as output:
        process = subprocess.Popen([*command, code], env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        wait_until(lambda: _forged(url) == 401, what="the receiver")
        job = service.submit(webhook_url=url)
        wait_until(lambda: "genuine" in printed.read_text(), 60, "the webhook")
    finally:
        process.terminate()
        process.wait(10)
    assert f"genuine: {job['job_id']} completed" in printed.read_text()


def _forged(url: str) -> int:
    """The receiver's answer to a webhook of somebody else; 0 if there is none."""
    headers = {"webhook-id": "msg_1", "webhook-timestamp": "1736967612", "webhook-signature": "v1,Zm9yZ2Vk"}
    try:
        return requests.post(url, json={}, headers=headers, timeout=5).status_code
    except requests.ConnectionError:
        return 0

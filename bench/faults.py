"""Kills at random while jobs run: `python -m bench.faults [--jobs N] [--kills N] [--backlog N] [--seed N]`.

Starts an embedded set of its own, keeps a backlog of jobs of the sandbox waiting, and ends its processes by SIGKILL:
raster workers and their pool processes, webhooks, control, beat, web, broker. Prints what became of the jobs, how long
those that were at work at a kill took from there to their end, and how long webhooks took.
"""

import argparse
import json
import os
import random
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import requests

ROOT = Path(__file__).resolve().parents[1]
JOB = {"operation": "ndvi", "scene_ids": ["sentinel-2:S2B_MSIL2A_20250115T184929"]}
# What is killed, by a part of its command.
KINDS = {
    "raster worker or its child": "-Q rasters",
    "webhooks": "-Q webhooks",
    "control": "-Q control",
    "beat": "celery -A astra beat",
    "web": "gunicorn astra.wsgi",
    "broker": "valkey-server",
}
_LONGEST = 900.0  # seconds that the end may take


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--backlog", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, receiver() as port, service(Path(folder), port) as up:
        kills = run(up, f"http://127.0.0.1:{port}/hook", options)
        report(up, kills)


class Hook(BaseHTTPRequestHandler):
    """Remembers when each webhook came, and how often."""

    came: ClassVar[dict[str, list[float]]] = {}

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.came.setdefault(body["job_id"], []).append(time.time())
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def receiver() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Hook) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


class Service:
    """An embedded set, as its callers and its operator see it."""

    def __init__(self, data: Path, port: int) -> None:
        self.data, self.url = data, f"http://127.0.0.1:{port}"

    def call(self, method: str, path: str, **options: Any) -> Any:
        """The answer, asked for until there is one: the web server is killed, too."""
        headers = {"Authorization": f"Bearer {(self.data / 'test_key').read_text()}", **options.pop("headers", {})}
        ends = time.monotonic() + 60
        while True:
            with suppress(requests.RequestException):
                answer = requests.request(method, f"{self.url}{path}", headers=headers, timeout=10, **options)
                if answer.status_code < 500:
                    answer.raise_for_status()
                    return answer.json()
            if time.monotonic() > ends:
                raise SystemExit(f"{path} was not answered for a minute")
            time.sleep(0.1)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.data / "astra.sqlite3", timeout=20)) as database:
            return database.execute(sql).fetchall()

    def processes(self, part: str) -> list[int]:
        """Ids of this set's processes whose command has this part."""
        found = []
        for place in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                command = (place / "cmdline").read_text().replace("\0", " ")
                if part in command and self._is_ours(place):
                    found.append(int(place.name))
        return found

    def _is_ours(self, place: Path) -> bool:
        """By its environment, or by its folder, as the broker overwrites its environment."""
        environment = (place / "environ").read_bytes().split(b"\0")
        ours = f"ASTRA_DATA_DIR={self.data}".encode()
        return ours in environment or (place / "cwd").readlink().is_relative_to(self.data)


@contextmanager
def service(data: Path, hook_port: int) -> Iterator[Service]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {**os.environ, "ASTRA_DATA_DIR": str(data), "ASTRA_PRIVATE_HOSTS": f"127.0.0.1:{hook_port}"}
    command = [sys.executable, "manage.py", "up", "--port", str(port), "--workers", "2"]
    with (data / "up.out").open("w") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
    try:
        while "ASTRA is up" not in (data / "up.out").read_text():
            if process.poll() is not None:
                raise SystemExit((data / "up.out").read_text())
            time.sleep(0.2)
        yield Service(data, port)
    finally:
        process.terminate()
        process.wait(60)
        print("processes left:", len(Service(data, port).processes("")))


def run(up: Service, hook: str, options: argparse.Namespace) -> list[tuple[str, float, list[str]]]:
    """Submit and kill until all jobs have ended. Returns of each kill what was killed, when, and the jobs at work."""
    kills: list[tuple[str, float, list[str]]] = []
    chance, submitted, begun = random.Random(options.seed), 0, time.monotonic()
    while True:
        unfinished = up.rows("SELECT count(*) FROM processing_job WHERE status IN ('queued', 'processing')")[0][0]
        for _ in range(min(options.backlog - unfinished, options.jobs - submitted)):
            key = f"fault-{submitted}"
            up.call("POST", "/api/v1/process", json={**JOB, "webhook_url": hook}, headers={"Idempotency-Key": key})
            submitted += 1
        if len(kills) < options.kills and submitted > len(kills) * options.jobs / options.kills:
            kills.append(kill_one(up, chance))
        if submitted == options.jobs and not unfinished:
            return kills
        if time.monotonic() - begun > _LONGEST:
            raise SystemExit(f"{unfinished} jobs had not ended after {_LONGEST:.0f} s")
        time.sleep(0.5)


def kill_one(up: Service, chance: random.Random) -> tuple[str, float, list[str]]:
    kind = chance.choice(list(KINDS))
    at_work = [job for (job,) in up.rows("SELECT id FROM processing_job WHERE status = 'processing'")]
    for pid in chance.sample(victims, 1) if (victims := up.processes(KINDS[kind])) else []:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return kind, time.time(), at_work


def report(up: Service, kills: Sequence[tuple[str, float, list[str]]]) -> None:
    jobs = {
        job: (status, attempt, losses, _seconds(ended), key)
        for job, status, attempt, losses, ended, key in up.rows(
            "SELECT id, status, attempt, losses, completed_at, result_key FROM processing_job"
        )
    }
    completed = "SELECT job_id FROM processing_jobevent WHERE verb = 'complete'"
    twice = up.rows(completed + " GROUP BY job_id HAVING count(*) > 1")
    results = {up.data / "results" / key for *_, key in jobs.values() if key}
    files = {path for path in (up.data / "results").rglob("*") if path.is_file()}
    print(f"{len(jobs)} jobs, {len(kills)} kills: {', '.join(f'{name} {_count(kills, name)}' for name in KINDS)}")
    print("ended:", {status: sum(job[0] == status for job in jobs.values()) for status in ("completed", "failed")})
    print("completed twice:", len(twice), "| more than one attempt charged:", sum(job[1] > 1 for job in jobs.values()))
    print("workers lost:", sum(job[2] for job in jobs.values()), "| files without a result:", len(files - results))
    _print_seconds("kill to end", [jobs[job][3] - at for _, at, at_work in kills for job in at_work])
    came = Hook.came
    _print_seconds("end to webhook", [min(came[job]) - jobs[job][3] for job in jobs if job in came])
    print("without a webhook:", len(jobs.keys() - came.keys()))


def _count(kills: Sequence[tuple[str, float, list[str]]], name: str) -> int:
    return sum(kind == name for kind, _, _ in kills)


def _seconds(text: str) -> float:
    return datetime.fromisoformat(f"{text}+00:00").timestamp()


def _print_seconds(what: str, seconds: list[float]) -> None:
    if len(seconds) < 2:
        return
    at = statistics.quantiles(seconds, n=20)
    print(f"{what}: p50 {statistics.median(seconds):.1f} s, p95 {at[18]:.1f} s, most {max(seconds):.1f} s")


if __name__ == "__main__":
    main()

"""A TCP gate before a server: `python -m bench.outages.gate PORT SERVER_PORT`.

Passes everything on. After SIGUSR1 it answers each connection with an HTTP 503 instead, after SIGUSR2 it passes again.
Stopped by SIGSTOP it takes connections and says nothing, as a network does that drops what it is sent.
"""

import asyncio
import signal
import sys
from contextlib import suppress

_UNAVAILABLE = b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_HOST = "127.0.0.1"


class Gate:
    def __init__(self, server_port: int) -> None:
        self._server_port, self.is_open = server_port, True

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            if self.is_open:
                await self._pass_on(reader, writer)
            else:
                await reader.read(1 << 16)
                writer.write(_UNAVAILABLE)
                await writer.drain()
        writer.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection(_HOST, self._server_port)
        ways = [
            asyncio.create_task(self._copy(reader, there_writer)),
            asyncio.create_task(self._copy(there_reader, writer)),
        ]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        there_writer.close()

    async def _copy(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while self.is_open and (part := await source.read(1 << 16)):
                target.write(part)
                await target.drain()


async def _serve(port: int, server_port: int) -> None:
    gate = Gate(server_port)
    loop = asyncio.get_running_loop()
    for number, is_open in ((signal.SIGUSR1, False), (signal.SIGUSR2, True)):
        loop.add_signal_handler(number, setattr, gate, "is_open", is_open)
    async with await asyncio.start_server(gate.take, _HOST, port, backlog=512) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), int(sys.argv[2])))

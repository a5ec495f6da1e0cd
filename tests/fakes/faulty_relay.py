"""A TCP relay that does to its connections what a bad network does (RULINGS 25: the kernel here has no sch_netem).

TCP hides a lost segment from both ends but for the time that its repetition takes; so `loss` lets a share of the pieces
come late by `repeat_after`, with all that follows them. Runs on a thread of its own; settings may change at any time.
"""

import asyncio
import concurrent.futures
import random
import socket
import struct
import threading


class FaultyRelay:
    """`with FaultyRelay(port) as relay:` relays 127.0.0.1:relay.port to 127.0.0.1:port."""

    def __init__(self, port, seed=1):
        self.to = port
        self._random = random.Random(seed)
        self.mend()

    def mend(self):
        self.delay = 0.0  # of each piece, both ways
        self.loss = 0.0  # share of the pieces
        self.repeat_after = 0.2
        self.piece = 1400  # bytes
        self.black_hole_after = None  # bytes of answers on one connection; nothing comes after them, nobody is told
        self.reset_after = None  # likewise, but a reset comes
        self.lost = 0  # pieces so far

    def __enter__(self):
        started = concurrent.futures.Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run(started)), daemon=True)
        self._thread.start()
        self.port = started.result(60)
        self.base_url = f"http://127.0.0.1:{self.port}/v1"
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    async def _run(self, started):
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self._tasks = set()
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        started.set_result(server.sockets[0].getsockname()[1])
        await self._stop.wait()
        server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader, writer):
        self._tasks.add(asyncio.current_task())
        far_writer = None
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.to)
            up = asyncio.ensure_future(self._pump(reader, far_writer, answers=False))
            down = asyncio.ensure_future(self._pump(far_reader, writer, answers=True))
            await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED if self.reset_after else asyncio.ALL_COMPLETED)
            up.cancel()
            down.cancel()
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            if far_writer is not None:
                far_writer.close()
            self._tasks.discard(asyncio.current_task())

    async def _pump(self, reader, writer, answers):
        passed = 0
        try:
            while data := await reader.read(self.piece):
                if answers and self.black_hole_after is not None:
                    data = data[: max(0, self.black_hole_after - passed)]
                late = self.delay
                if self._random.random() < self.loss:
                    self.lost += 1
                    late += self.repeat_after
                if late:
                    await asyncio.sleep(late)
                if answers and self.reset_after is not None and passed + len(data) >= self.reset_after:
                    writer.write(data[: self.reset_after - passed])
                    await writer.drain()
                    sock = writer.get_extra_info("socket")
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    writer.transport.abort()
                    return
                passed += len(data)
                writer.write(data)
                await writer.drain()
            if not answers or self.black_hole_after is None:
                writer.write_eof()
        except (OSError, RuntimeError):
            writer.close()

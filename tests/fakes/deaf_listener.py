"""A listening socket that never answers."""

import socket
from pathlib import Path

from fakes.raw_http import wait_until

SYN_SENT = "02"


class DeafListener:
    """Its queue is full: a further connection attempt gets no answer at all."""

    def __enter__(self):
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(0)
        self.port = self._listener.getsockname()[1]
        self._fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(self._listener.getsockname())
            self._fillers.append(filler)
        return self

    def __exit__(self, *_):
        for one in [self._listener, *self._fillers]:
            one.close()

    def wait_for_attempt(self):
        """Until somebody else is connecting (the kernel's table tells: a listener never hears of it)."""
        own = {filler.getsockname()[1] for filler in self._fillers}

        def others():
            for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
                _, local, remote, state, *_ = line.split()
                if state == SYN_SENT and int(remote.split(":")[1], 16) == self.port:
                    if int(local.split(":")[1], 16) not in own:
                        return True
            return False

        wait_until(others, "an attempt to connect")

"""A listening socket that never answers."""

import socket


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

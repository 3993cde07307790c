"""Ports of this machine that are kept for processes started later."""
import socket


class HeldPorts:
    """A port is held by a socket that is bound to it and never listens: the kernel gives it to nobody who asks for any free
    port, and who asks for this one may listen on it as long as it sets SO_REUSEADDR, as servers do. Not thread safe."""

    def __init__(self):
        self._sockets = []

    def hold(self, port: int = 0) -> int:
        """Holds this port of 127.0.0.1, or any free one, and returns it; OSError where somebody has it who lets no other in."""
        held = socket.socket()
        try:
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            held.bind(("127.0.0.1", port))
        except OSError:
            held.close()
            raise
        self._sockets.append(held)
        return held.getsockname()[1]

    def let_go(self) -> None:
        for held in self._sockets:
            held.close()
        self._sockets.clear()

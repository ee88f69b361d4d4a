"""proton's socket handling, with every outgoing frame written out in full, and the way in that .NET's clients take."""

from contextlib import suppress

from proton import Event, Transport
from proton._handlers import IOHandler
from proton._selectable import Selectable

from tests.parts.hub.encoding import Padder
from tests.parts.hub.sasl import Greeting, with_tokens

__all__ = ["PaddedIO"]


class PaddedIO(IOHandler):
    """The reactor's global handler."""

    def __init__(self) -> None:
        """Begin without connections."""
        super().__init__()
        self._padders: dict[Selectable, Padder] = {}
        self._greetings: dict[Selectable, Greeting] = {}

    def on_selectable_writable(self, event: Event) -> None:
        """Send what the connection has to say."""
        selectable = event.selectable
        transport = selectable._transport
        if not transport:
            return
        padder = self._padders.setdefault(selectable, Padder(with_tokens))
        pending = transport.pending()
        if pending > 0:
            padder.feed(transport.peek(pending))
            transport.pop(pending)
        try:
            with suppress(BlockingIOError):
                while padder.ready:
                    del padder.ready[: selectable.send(padder.ready)]
        except OSError:
            padder.ready.clear()
            transport.close_head()
        self._renew(transport, selectable)

    def on_transport(self, event: Event) -> None:
        """Ask to be called as soon as the socket takes something."""
        transport = event.transport
        selectable = transport._selectable
        if selectable and not selectable.is_terminal:
            self._renew(transport, selectable)

    def on_selectable_readable(self, event: Event) -> None:
        """Read; then see to it that what waits is still sent."""
        selectable = event.selectable
        transport = selectable._transport
        if not transport:
            return
        capacity = transport.capacity()
        if capacity > 0:
            try:
                data = selectable.recv(capacity)
            except OSError:
                transport.close_tail()
            else:
                self._push(event, data)
        if not selectable.is_terminal:
            self._renew(transport, selectable)

    def _push(self, event: Event, data: bytes) -> None:
        selectable = event.selectable
        if not data:
            self.on_selectable_error(event)
            return
        passed = self._greetings.setdefault(selectable, Greeting()).feed(data)
        if passed:
            selectable._transport.push(passed)

    def on_selectable_final(self, event: Event) -> None:
        """Forget the connection."""
        self._padders.pop(event.selectable, None)
        self._greetings.pop(event.selectable, None)
        super().on_selectable_final(event)

    def _renew(self, transport: Transport, selectable: Selectable) -> None:
        self.update(transport, selectable, selectable._reactor.now)
        padder = self._padders.get(selectable)
        if padder is not None and padder.ready and not selectable.is_terminal:
            selectable.writing = True
            selectable.update()

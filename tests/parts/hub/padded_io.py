"""proton's socket handling, with every outgoing frame written out in full."""

from contextlib import suppress

from proton import Event, Transport
from proton._handlers import IOHandler
from proton._selectable import Selectable

from tests.parts.hub.encoding import Padder

__all__ = ["PaddedIO"]


class PaddedIO(IOHandler):
    """The reactor's global handler."""

    def __init__(self) -> None:
        """Begin without connections."""
        super().__init__()
        self._padders: dict[Selectable, Padder] = {}

    def on_selectable_writable(self, event: Event) -> None:
        """Send what the connection has to say."""
        selectable = event.selectable
        transport = selectable._transport
        if not transport:
            return
        padder = self._padders.setdefault(selectable, Padder())
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
        super().on_selectable_readable(event)
        selectable = event.selectable
        if selectable._transport and not selectable.is_terminal:
            self._renew(selectable._transport, selectable)

    def on_selectable_final(self, event: Event) -> None:
        """Forget the connection."""
        self._padders.pop(event.selectable, None)
        super().on_selectable_final(event)

    def _renew(self, transport: Transport, selectable: Selectable) -> None:
        self.update(transport, selectable, selectable._reactor.now)
        padder = self._padders.get(selectable)
        if padder is not None and padder.ready and not selectable.is_terminal:
            selectable.writing = True
            selectable.update()

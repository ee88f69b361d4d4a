"""Host processes on one event log and one ledger, as `localhost start` runs them."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

__all__ = ["Host"]

ROOT: Final = Path(__file__).parents[2]
_SECONDS: Final = 120


class Host:
    """One host, started and ended many times; it belongs to whoever made it."""

    def __init__(self, folder: Path, name: str, database: str) -> None:
        """Prepare a host that works in `folder`."""
        self.log = folder / f"{name}.log"
        self._folder = folder
        self._command = [sys.executable, "-m", "localhost", "start", "--port", "0", "--database", database]
        self._process: subprocess.Popen[bytes] | None = None
        self._begin = 0

    @property
    def pid(self) -> int:
        """The process id; 0 when it does not run."""
        return 0 if self._process is None else self._process.pid

    def start(self) -> None:
        """Start it; it begins to consume after a second or two."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PROMPTLEDGER")}
        with self.log.open("ab") as log:
            self._begin = log.tell()
            self._process = subprocess.Popen(
                self._command,
                cwd=self._folder,
                env={**environment, "PYTHONPATH": str(ROOT)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )

    def kill(self) -> None:
        """End it without a word, wherever it is."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(_SECONDS)
            self._process = None

    def stop(self) -> None:
        """Ask it to end, and see that it does so as promised."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        code = self._process.wait(_SECONDS)
        self._process = None
        with self.log.open("rb") as log:
            log.seek(self._begin)
            had_begun = b"listening on" in log.read()
        # Before it listens to signals it has nothing to end in order.
        if code != 0 and (had_begun or code != -signal.SIGTERM):
            raise AssertionError(f"a host that was asked to stop ended with {code}: {self.log.read_text()[-2000:]}")

    def freeze(self) -> None:
        """Take its time away: to all others it looks as if it were gone, and it does not know."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on where it was, with what it believed then."""
        os.kill(self.pid, signal.SIGCONT)

    def check(self) -> None:
        """Say so if it ended on its own."""
        if self._process is not None and self._process.poll() is not None:
            raise AssertionError(f"a host ended on its own: {self.log.read_text()[-2000:]}")

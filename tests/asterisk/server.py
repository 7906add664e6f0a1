"""A real Asterisk of our own: private folder, private port on loopback, ended by its id."""

from pathlib import Path
import signal
import socket
import subprocess
import time

UNPACKED = Path(__file__).parents[2] / ".tools" / "asterisk"
CONFIGURATION = Path(__file__).parent / "etc"
PASSWORD = "hunter2-é"

_BOOT_TIME = 20.0  # seconds that it may take; it takes less than one
_FOLDERS = """\
[directories]
astetcdir = {folder}
astmoddir = {modules}
astdatadir = {unpacked}/usr/share/asterisk
astvarlibdir = {folder}
astdbdir = {folder}
astkeydir = {folder}
astagidir = {folder}
astspooldir = {folder}
astrundir = {folder}
astlogdir = {folder}/log
astsbindir = {folder}
[options]
nocolor = yes
"""


class Asterisk:
    """An Asterisk that can be started, stopped, held and started again."""

    host = "127.0.0.1"

    def __init__(self, folder: Path) -> None:
        """Configure it in an empty folder; it does not run yet."""
        self._folder = folder
        self._program = UNPACKED / "usr" / "sbin" / "asterisk"
        if not self._program.exists():
            raise FileNotFoundError(
                f"There is no Asterisk in {UNPACKED}: script/asterisk fetches it"
            )
        (modules,) = UNPACKED.glob("usr/lib/*/asterisk/modules")
        (folder / "log").mkdir()
        for file in CONFIGURATION.iterdir():
            (folder / file.name).write_bytes(file.read_bytes())
        self._main_file = folder / "asterisk.conf"
        self._main_file.write_text(
            _FOLDERS.format(folder=folder, modules=modules, unpacked=UNPACKED), "utf-8"
        )
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def is_running(self) -> bool:
        """Whether its process is there."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it and wait until it has booted; the port stays the same.

        Only in the main thread: where that ends, Asterisk does.
        """
        if not self.port:
            with socket.create_server((self.host, 0)) as free:
                self.port = free.getsockname()[1]
            (self._folder / "manager-port.conf").write_text(f"port = {self.port}\n")
        with (self._folder / "output").open("wb") as output:
            self._process = subprocess.Popen(
                # It goes with the thread that starts it, even where the tests are killed.
                ["setpriv", "--pdeathsig", "KILL", self._program, "-f", "-C",
                 self._main_file],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            )  # fmt: skip
        deadline = time.monotonic() + _BOOT_TIME
        while self.cli("core waitfullybooted") != "Asterisk has fully booted.":
            if not self.is_running or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"Asterisk did not start: {self._words()}")
            time.sleep(0.05)
        try:
            with socket.create_connection((self.host, self.port)):
                pass
        except ConnectionRefusedError as err:
            self.kill()
            raise RuntimeError(
                f"Asterisk's manager does not listen: {self._words()}"
            ) from err

    def cli(self, command: str) -> str:
        """Run a command on its own console; empty where it does not run."""
        done = subprocess.run(
            [self._program, "-C", self._main_file, "-rx", command],
            capture_output=True, check=False, stdin=subprocess.DEVNULL, timeout=10,
        )  # fmt: skip
        return done.stdout.decode("utf-8", "replace").strip()

    def stop(self) -> None:
        """Ask it to end, as a shutdown of the machine does."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once, as a power cut does."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Tell it to restart; it comes back by itself, with the same id."""
        self.cli("core restart now")

    def hold(self) -> None:
        """Let it do nothing until `go_on`; its connections stay open."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it go on after `hold`."""
        assert self._process
        self._process.send_signal(signal.SIGCONT)

    def _words(self) -> str:
        """Return what it has told of itself."""
        return "\n".join(
            file.read_text("utf-8", "replace")
            for file in (self._folder / "output", self._folder / "log" / "messages")
            if file.exists()
        )

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(signal.SIGCONT)
        self._process.send_signal(how)
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

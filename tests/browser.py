"""Chromium without a window, driven through its debugging pipe: no driver, no network, no further package."""

import base64
import contextlib
import json
import os
import select
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage", "--hide-scrollbars",
    "--remote-debugging-pipe",
)  # fmt: skip
PATIENCE = 60  # seconds that the browser may take for one answer


def executable() -> str | None:
    """Where a browser is, if there is one."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """One tab; `send` is a command of the DevTools protocol, the other methods are the few that tests need."""

    def __init__(self, path: str, folder: Path) -> None:
        (below, self._write), (self._read, above) = os.pipe(), os.pipe()
        # The protocol wants the file descriptors 3 and 4, which a shell can give it.
        inner = shlex.join([path, *FLAGS, f"--user-data-dir={folder}", "about:blank"])
        self.process = subprocess.Popen(
            ["bash", "-c", f"exec 3<&{below} 4>&{above}; exec {inner}"],
            pass_fds=(below, above), start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(below)
        os.close(above)
        self._number, self._buffer, self._session = 0, b"", None
        self.messages: list[dict[str, Any]] = []  # events, such as what the page printed or asked of the network
        targets = self.send("Target.getTargets")["targetInfos"]
        page = next(target["targetId"] for target in targets if target["type"] == "page")
        self._session = self.send("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Ask the browser for something and wait for its answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next(method)
            if answer.get("id") != self._number:
                self.messages.append(answer)
            elif "error" in answer:
                raise RuntimeError(f"{method}: {answer['error']['message']}")
            else:
                return answer["result"]

    def _next(self, method: str) -> dict[str, Any]:
        """The next message that comes out of the pipe."""
        end = time.monotonic() + PATIENCE
        while b"\0" not in self._buffer:
            if not select.select([self._read], [], [], max(0.0, end - time.monotonic()))[0]:
                raise TimeoutError(f"the browser does not answer {method}")
            part = os.read(self._read, 1 << 20)
            if not part:
                raise RuntimeError(f"the browser ended at {method}")
            self._buffer += part
        line, self._buffer = self._buffer.split(b"\0", 1)
        return json.loads(line)

    def open(self, file: Path, width: int = 1280, height: int = 900, scheme: str = "light") -> None:
        """Show a local file in a window of so many pixels, in the system's light or dark."""
        self.resize(width, height)
        self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.send("Page.navigate", url=file.resolve().as_uri())
        end = time.monotonic() + PATIENCE
        while self.run("document.readyState") != "complete" or not str(self.run("location.href")).startswith("file:"):
            if time.monotonic() > end:
                raise TimeoutError(f"{file} does not load")
            time.sleep(0.02)

    def resize(self, width: int, height: int) -> None:
        """Another window."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def run(self, script: str) -> Any:
        """The value of an expression on the page."""
        answer = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{script}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def place(self, selector: str) -> tuple[float, float]:
        """The middle of the first element that a selector finds, scrolled into view."""
        script = f"""(() => {{ const found = document.querySelector({json.dumps(selector)});
            found.scrollIntoView({{block: "center", inline: "center", behavior: "instant"}});
            const box = found.getBoundingClientRect();
            return [box.left + box.width / 2, box.top + box.height / 2]; }})()"""
        x, y = self.run(script)
        return x, y

    def point(self, selector: str) -> None:
        """Move the pointer onto an element."""
        x, y = self.place(selector)
        self.run("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        self.send("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def click(self, selector: str) -> None:
        """Click on an element, as a person does."""
        self.point(selector)
        x, y = self.place(selector)
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def picture(self, file: Path, whole: bool = False) -> Path:
        """A screenshot of the window, or of the whole page."""
        data = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=whole, **self._clip(whole))
        file.write_bytes(base64.b64decode(data["data"]))
        return file

    def _clip(self, whole: bool) -> dict[str, Any]:
        if not whole:
            return {}
        size = self.send("Page.getLayoutMetrics")["cssContentSize"]
        return {"clip": {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}}

    def paper(self, file: Path) -> Path:
        """The page as a printer gets it."""
        data = self.send("Page.printToPDF", preferCSSPageSize=True, printBackground=False)
        file.write_bytes(base64.b64decode(data["data"]))
        return file

    def close(self) -> None:
        """End it, and all its processes."""
        with contextlib.suppress(OSError, RuntimeError, TimeoutError):
            self._session = None
            self.send("Browser.close")
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self._write)
        os.close(self._read)


@contextlib.contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """A browser with an empty profile in `folder`, gone afterwards."""
    path = executable()
    assert path is not None
    tab = Browser(path, folder)
    try:
        yield tab
    finally:
        tab.close()

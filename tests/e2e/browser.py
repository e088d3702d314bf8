"""browser - headless Chromium through chromedriver, in the words of W3C's WebDriver."""

import base64
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request

GIVE_UP_S = 120
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the key of an element's reference, by the standard


def is_there():
    return bool(shutil.which("chromium") and shutil.which("chromedriver"))


class Browser:
    """One window; as a context it is closed, whatever happened."""

    def __init__(self, width=1280, height=1000):
        self.folder = tempfile.TemporaryDirectory()
        self.driver, self.url, self.session = None, None, None
        self._start(width, height)

    def _start(self, width, height):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        home = {"HOME": self.folder.name, "XDG_CONFIG_HOME": self.folder.name}
        self.driver = subprocess.Popen(["chromedriver", f"--port={port}"], env=os.environ | home,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.url = f"http://127.0.0.1:{port}"
        options = {"args": ["--headless=new", "--no-sandbox", "--disable-gpu",
                            "--disable-dev-shm-usage", f"--window-size={width},{height}",
                            f"--user-data-dir={self.folder.name}/profile"]}
        wanted = {"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}}}
        end = time.monotonic() + GIVE_UP_S
        while not self.session:
            try:
                self.session = self._ask("POST", "/session", wanted)["sessionId"]
            except OSError:  # it does not listen yet
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)

    def _ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"},
                                         method=method)
        try:
            with urllib.request.urlopen(request, timeout=GIVE_UP_S) as reply:
                return json.loads(reply.read())["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(json.loads(error.read())["value"]["message"]) from error

    def _in(self, method, path, body=None):
        return self._ask(method, f"/session/{self.session}{path}", body)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.session:
            self._in("DELETE", "")
        self.driver.terminate()
        self.driver.wait(GIVE_UP_S)
        self.folder.cleanup()

    def go(self, url):
        self._in("POST", "/url", {"url": url})

    def run(self, script, *args):
        """What a function's body returns in the page."""
        return self._in("POST", "/execute/sync", {"script": script, "args": list(args)})

    def find(self, css):
        return self._in("POST", "/element", {"using": "css selector", "value": css})[ELEMENT]

    def click(self, css):
        self._in("POST", f"/element/{self.find(css)}/click", {})

    def type(self, css, text):
        self._in("POST", f"/element/{self.find(css)}/value", {"text": text})

    def text(self, css):
        return self._in("GET", f"/element/{self.find(css)}/text")

    def wait(self, script):
        """Until the function's body returns something true."""
        end = time.monotonic() + GIVE_UP_S
        while not self.run(script):
            assert time.monotonic() < end, f"never: {script}"
            time.sleep(0.1)

    def size(self, width, height):
        """What the page sees of a screen, also narrower than a window can be."""
        self._in("POST", "/goog/cdp/execute", {
            "cmd": "Emulation.setDeviceMetricsOverride",
            "params": {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}})

    def picture(self, path):
        pathlib.Path(path).write_bytes(base64.b64decode(self._in("GET", "/screenshot")))

    def complaints(self):
        """What the console says of errors: refused styles and scripts, exceptions."""
        return [entry["message"] for entry in self._in("POST", "/se/log", {"type": "browser"})
                if entry["level"] == "SEVERE"]

"""serving - `cohort serve` as a child of a test, and requests to it by hand."""

import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import time

import gguf_template
import serve_openai_template

CACHE = os.environ.get("COHORT_CACHE") or os.path.expanduser("~/.cache/cohort")
LIGHT = os.environ.get("COHORT_TEST_LIGHT") == "1"  # under a sanitizer
DATA = pathlib.Path(os.environ.get("COHORT_TEST_DATA") or "../shared/data")
MODEL = pathlib.Path(CACHE, "models/SmolLM2-135M-Instruct.Q4_1.gguf")
TINY = DATA / "models/stories260K/stories260K.gguf"
TINY_TEMPLATE = "{% for m in messages %}{{ m.content }}\n{% endfor %}"
GIVE_UP_S = 120

ANY_MODEL = MODEL
if LIGHT and TINY.exists():  # what is watched is the server, whoever writes its words
    OWN = tempfile.TemporaryDirectory()
    ANY_MODEL = pathlib.Path(OWN.name, "tiny.gguf")
    gguf_template.copy(TINY, ANY_MODEL, TINY_TEMPLATE)
CALLS_BY_ITSELF = ANY_MODEL == MODEL  # the small one calls a function where it must


def small_model(folder):
    """The smallest model at hand, for tests of what is around it: a copy in folder, with a
    template that takes tools. None where there is none."""
    model = TINY if TINY.exists() else MODEL
    if not model.exists():
        return None
    copy = pathlib.Path(folder, "small.gguf")
    gguf_template.copy(model, copy, serve_openai_template.TEMPLATE)
    return copy


def tools_model(folder):
    """A copy, in folder, of ANY_MODEL with a template that takes tools."""
    copy = pathlib.Path(folder, "tools.gguf")
    gguf_template.copy(ANY_MODEL, copy, serve_openai_template.TEMPLATE)
    return copy


class Server:
    """A server on a free port; as a context, ended by SIGTERM and demanded to end well."""

    def __init__(self, binary, *options, model=ANY_MODEL):
        self.process = subprocess.Popen(
            [binary, "serve", "-p", "0", "-m", str(model), "--precision", "int8", *options],
            stderr=subprocess.PIPE, text=True)
        self.lines = []
        self.port = self._wait_for_port()

    def _wait_for_port(self):
        for line in self.process.stderr:
            self.lines.append(line)
            found = re.search(r"http://\S*:(\d+)$", line.strip())
            if found:
                return int(found[1])
        raise AssertionError(f"the server ended: {''.join(self.lines)}")

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.process.send_signal(signal.SIGTERM)
        try:
            rest = self.process.communicate(timeout=GIVE_UP_S)[1]
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        code = self.process.returncode
        if kind is None:
            assert code == 0, f"exit code {code}: {''.join(self.lines)}{rest}"

    def ask(self, method, path, body=None, headers=None):
        """Status, headers and body (parsed where it is JSON) of one request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=GIVE_UP_S)
        sent = body if isinstance(body, (bytes, str, type(None))) else json.dumps(body)
        connection.request(method, path, sent, headers or {})
        reply = connection.getresponse()
        got = reply.read()
        connection.close()
        kind = reply.getheader("Content-Type", "")
        return reply.status, reply.headers, json.loads(got) if got and "/json" in kind else got

    def post(self, path, body, headers=None):
        return self.ask("POST", path, body, headers)

    def events(self, path, body, headers=None):
        """The data of each server-sent event of a stream."""
        status, _, got = self.post(path, body, headers)
        assert status == 200, got
        return [line[6:] for line in got.decode().split("\n") if line.startswith("data: ")]

    def cut(self, path, body, after=0):
        """Sends a request, reads `after` bytes of its reply and hangs up."""
        sent = json.dumps(body).encode()
        with socket.create_connection(("127.0.0.1", self.port), GIVE_UP_S) as connection:
            connection.sendall(f"POST {path} HTTP/1.1\r\nHost: localhost\r\n"
                               f"Content-Length: {len(sent)}\r\n\r\n".encode() + sent)
            read = 0
            while read < after:
                piece = connection.recv(after - read)
                assert piece, "the stream ended"
                read += len(piece)

    def hold(self, path, body, headers=None):
        """A request whose reply has begun, and is not read: its connection, to be closed."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=GIVE_UP_S)
        connection.request("POST", path, json.dumps(body), headers or {})
        reply = connection.getresponse()
        assert reply.status == 200, reply.read()
        return reply

    def talk(self, sent, shuts=False, wait_s=GIVE_UP_S):
        """Sends bytes as they are, reads until the server closes: what came."""
        with socket.create_connection(("127.0.0.1", self.port), wait_s) as connection:
            got = b""
            try:
                connection.sendall(sent)
                if shuts:
                    connection.shutdown(socket.SHUT_WR)
                while piece := connection.recv(65536):
                    got += piece
            except (ConnectionResetError, BrokenPipeError):
                pass  # closed on what was not read: an answer before it counts
        return got

    def metrics(self):
        text = self.ask("GET", "/metrics")[2].decode()
        return {name: float(value) for name, value in
                re.findall(r"^([a-z_:]+)\{model_name=\"[^\"]*\"\} (\S+)$", text, re.M)}

    def finished(self, reason):
        """How many answers ended for it."""
        text = self.ask("GET", "/metrics")[2].decode()
        return int(re.search(rf'request_success_total\{{.*finished_reason="{reason}"\}} (\d+)', text)[1])

    def resident_kib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1])

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def processor_s(self):
        """Of all its threads, to the nanosecond."""
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task")
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()) * 1e-9

    def threads(self):
        return len(os.listdir(f"/proc/{self.process.pid}/task"))


def wait_for(what):
    end = time.monotonic() + GIVE_UP_S
    while not what():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.02)


def user(text, **fields):
    return {"model": "m", "messages": [{"role": "user", "content": text}], "max_tokens": 8,
            "temperature": 0} | fields

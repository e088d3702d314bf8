"""servers - what tests of the binary share: documents about ships, a supervisor's program that asks
about them, and workers elsewhere that behave well or badly."""

import http.server
import json
import re
import socket
import threading
import time

GIVE_UP_S = 120
USAGE = {"prompt_tokens": 100, "completion_tokens": 20, "prompt_tokens_details": {"cached_tokens": 60}}


def ships(count):
    return "".join(f"Ship {n} left at {n} o'clock with {n * 7} barrels of oil.\n\n"
                   for n in range(count))


def program(task):
    """A reply with a program that asks the task of every section."""
    return f"""```python
def prepare_jobs(context, prev_job_manifests=None, prev_job_outputs=None):
    return [JobManifest(chunk=c, task={task!r}, advice="")
            for c in chunk_by_section(context[0], 1500, 0)]

def transform_outputs(jobs):
    return "; ".join([j.output.answer for j in jobs if j.output.answer])
```"""


def private_address():
    """One of this machine's own that is not loopback and to which plain http is allowed, or None."""
    with open("/proc/net/if_inet6", encoding="ascii") as table:
        for line in table:
            address = bytes.fromhex(line.split()[0])
            if address[0] & 0xfe == 0xfc:
                return socket.inet_ntop(socket.AF_INET6, address)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("10.255.255.255", 9))  # sends nothing
        except OSError:
            return None
        address = probe.getsockname()[0]
    return address if re.match(r"10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.", address) else None


class HTTPServer6(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6


class Server:
    """A worker elsewhere that behaves in one way, and what it saw."""

    def __init__(self, behaviour, after=0, pause_s=0.0, host="127.0.0.1"):
        self.behaviour, self.after, self.pause_s = behaviour, after, pause_s
        self.lock = threading.Lock()
        self.seen, self.answered, self.formats = 0, [], 0
        self.format = None  # the last response_format
        self.chunks = []  # what citations are to be copied from, with the prompt
        self.asked = []  # the prompts, answered or not
        self.heads, self.sizes = [], []  # of the requests for completions
        self.running = self.most = 0
        self.over = threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.heads.append(self.headers)
                if outer.behaviour == "401":
                    return outer.reply(self, 401, {"error": {"message": "who are you?"}})
                second = "the-model:joboutput" if outer.behaviour == "ours" else "another"
                outer.reply(self, 200, {"data": [{"id": "the-model"}, {"id": second}]})

            def do_POST(self):
                data = self.rfile.read(int(self.headers["Content-Length"]))
                with outer.lock:
                    outer.heads.append(self.headers)
                    outer.sizes.append(len(data))
                outer.serve(self, json.loads(data))

            def log_message(self, *_):
                pass

        self.http = (HTTPServer6 if ":" in host else http.server.ThreadingHTTPServer)(
            (host, 0), Handler)
        self.http.daemon_threads = True
        self.http.handle_error = lambda *_: None  # a client that hangs up is meant to
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.02},
                         daemon=True).start()

    def reply(self, handler, status, value, header=None):
        data = value if isinstance(value, bytes) else json.dumps(value, indent=1).encode()
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(data)))
        if header:
            handler.send_header(*header)
        handler.end_headers()
        handler.wfile.write(data)

    def serve(self, handler, body):
        with self.lock:
            self.seen += 1
            number = self.seen
            self.running += 1
            self.most = max(self.most, self.running)
            self.formats += "response_format" in body
            self.format = body.get("response_format", self.format)
            if "chunk" in body:
                self.chunks.append((body["chunk"], body["messages"][-1]["content"]))
            self.asked.append(body["messages"][-1]["content"])
        try:
            self.behave(handler, body, number)
        except OSError:
            pass
        finally:
            with self.lock:
                self.running -= 1

    def behave(self, handler, body, number):
        if self.behaviour == "dies" and number > self.after:
            handler.close_connection = True
            return
        if self.behaviour == "500":
            return self.reply(handler, 500, {"error": {"message": "out of order"}})
        if self.behaviour == "401":
            return self.reply(handler, 401, {"error": {"message": "who are you?"}})
        if self.behaviour == "busy" and number <= self.after:
            return self.reply(handler, 429, {"error": {"message": "slowly"}}, ("Retry-After", "1"))
        if self.behaviour == "400":
            return self.reply(handler, 400, {"error": {"message": "too\nlong for 2560"}})
        if self.behaviour == "endless":
            return self.reply(handler, 200, b" " * ((16 << 20) + 1))
        if self.behaviour == "nonsense":
            return self.reply(handler, 200, b'{"choices": [{"message": {"conte')
        if self.behaviour == "hangs":
            self.over.wait(GIVE_UP_S)
            handler.close_connection = True
            return
        if self.behaviour == "schemaless" and "response_format" in body:
            return self.reply(handler, 400, {"error": {"message": "response_format: unknown"}})
        time.sleep(self.pause_s)
        prompt = body["messages"][-1]["content"]
        if "the-words-are-wrong" in prompt:
            return self.reply(handler, 400, {"error": {"message": "no"}})
        found = re.search(r"Ship 111 left at 111 o'clock with 777 barrels of oil\.", prompt)
        content = json.dumps({"explanation": "It says so.", "citation": found and found[0],
                              "answer": "777 barrels" if found else None})
        if "response_format" not in body and self.behaviour != "schemaless":
            content = "Ship 111 left with 777 barrels of oil."
        if self.behaviour == "cut":
            content = content[:-9]
        if self.behaviour == "wrong":
            content = json.dumps(["777 barrels", {"answer": 777}])
        with self.lock:
            self.answered.append((body.get("model"), prompt, body.get("seed")))
        self.reply(handler, 200, {"object": "chat.completion", "usage": USAGE, "choices": [
            {"index": 0, "finish_reason": "length" if self.behaviour == "cut" else "stop",
             "message": {"role": "assistant", "content": content}}]})

    def close(self):
        self.over.set()
        self.http.shutdown()
        self.http.server_close()

#!/usr/bin/env python3
"""kill_test BINARY [POINTS] - kill -9 anywhere in a run with a paid supervisor (default 10 points).

A server on loopback plays the supervisor, word by word, over two rounds. After each kill the
journal is read: what it knows must still be there at the end, no call that it has answered may
reach the server again, and the answer, the ledger and the egress log must agree with the server.
"""

import collections
import http.server
import json
import os
import pathlib
import random
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

from servers import program, ships

MODEL = pathlib.Path("../shared/data/models/stories260K/stories260K.gguf")
SKIPPED, CALLS = 77, 5  # advice, then program and decision, twice
TEXT = ships(300)
PROGRAM = program("How many barrels had ship 111?")
ANSWER = "777 barrels"


class Supervisor(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen = collections.Counter()  # by the call's key
    received = sent = 0
    lock = threading.Lock()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        key = self.headers["Idempotency-Key"]
        messages = json.loads(body)["messages"]
        text = self.decide(messages)
        with self.lock:
            Supervisor.seen[key] += 1
            Supervisor.received += len(body)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        step = max(1, len(text) // 4)
        pieces = [{"choices": [{"delta": {"content": text[at:at + step]}}]}
                  for at in range(0, len(text), step)]
        pieces.append({"choices": [{"delta": {}, "finish_reason": "stop"}],
                       "usage": {"prompt_tokens": len(body) // 4, "completion_tokens": len(text)}})
        try:
            for piece in pieces:
                self.wfile.write(f"data: {json.dumps(piece)}\n\n".encode())
                self.wfile.flush()
                time.sleep(0.004)
            self.wfile.write(b"data: [DONE]\n\n")
        except OSError:
            pass  # the client is gone
        self.close_connection = True

    @staticmethod
    def decide(messages):
        last = messages[-1]["content"]
        if "Write the program" in last:
            return PROGRAM
        if "<findings>" not in last:
            return "Look for the ship's number."
        # The prompt says when it is the last round, where there must be an answer.
        decision = "provide_final_answer" if "last round" in last.split("</findings>")[1] else \
            "request_additional_info"
        return json.dumps({"decision": decision, "answer": ANSWER, "feedback": "more"})

    def log_message(self, *_):
        pass


class Bench:
    def __init__(self, binary, folder, port):
        self.binary, self.folder = binary, folder
        self.paper = folder / "ships.txt"
        self.paper.write_text(TEXT)
        self.words = ["-m", str(MODEL), "--worker", "extract", "--json", "--rounds", "2",
                      "--remote", f"http://127.0.0.1:{port}/v1", "--remote-model", "big",
                      "-f", str(self.paper), "How many barrels had ship 111?"]

    def start(self, state, *words):
        env = dict(os.environ, COHORT_STATE=str(state), COHORT_API_KEY="canary")
        return subprocess.Popen([self.binary, "ask", *words], env=env, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def finish(self, child):
        out, err = child.communicate(timeout=120)
        assert child.returncode == 0, err
        return json.loads(out)

    def known(self, state):
        """Answered calls, and jobs, that the journal holds; None when there is no run yet."""
        path = state / "runs.db"
        if not path.exists():
            return None
        with sqlite3.connect(path) as db:
            try:
                row = db.execute("SELECT id, state FROM run ORDER BY id DESC").fetchone()
            except sqlite3.OperationalError:
                return None  # the tables are not there yet
            if row is None:
                return None
            run, is_over = row
            calls = {row[0]: row[1] for row in db.execute(
                "SELECT number, reply FROM call WHERE run = ? AND is_answered", (run,))}
            jobs = {row[0]: row[1:] for row in db.execute(
                "SELECT hash, reply, score FROM job WHERE run = ?", (run,))}
        return run, is_over, calls, jobs


def one_point(bench, whole, seconds, number):
    state = bench.folder / f"state{number}"
    Supervisor.seen.clear()
    Supervisor.received = 0
    child = bench.start(state, *bench.words)
    time.sleep(random.uniform(0, seconds))
    child.kill()
    child.communicate()
    time.sleep(0.05)  # what was on its way to the server is there
    before = bench.known(state)
    if before is None:
        return "nothing yet"
    run, is_over, calls, jobs = before
    keys = dict(Supervisor.seen)
    if is_over:
        return "over"
    result = bench.finish(bench.start(state, "--resume", str(run)))
    assert result["answer"] == ANSWER and result["citations"] == whole["citations"], result
    _, _, calls_after, jobs_after = bench.known(state)
    assert len(calls_after) == CALLS, f"{len(calls_after)} calls are answered in the journal"
    assert all(calls_after.get(n) == reply for n, reply in calls.items()), "a reply was lost"
    assert all(jobs_after.get(h) == row for h, row in jobs.items()), "a job's result was lost"
    for key in Supervisor.seen:
        call = int(key.split("-")[1]) - 1
        if call in calls:
            assert Supervisor.seen[key] == keys[key], f"answered call {call} was sent again"
    # Killed between the intent and the first byte, a call is in the ledger and not at the server.
    ledger, seen = result["ledger"], sum(Supervisor.seen.values())
    with open(state / "egress.jsonl", encoding="utf-8") as log:
        lines = [json.loads(line) for line in log]
    assert seen <= len(lines) <= ledger["calls"] <= seen + 1, (ledger, seen, len(lines))
    assert sum(line["bytes"] for line in lines) >= Supervisor.received
    assert ledger["sent_bytes"] <= Supervisor.received
    return "resumed"


def main():
    if not MODEL.exists():
        print(f"skipped: needs {MODEL}")
        return SKIPPED
    points = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Supervisor)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    random.seed(points)
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(sys.argv[1], pathlib.Path(name), server.server_port)
        start = time.monotonic()
        whole = bench.finish(bench.start(bench.folder / "whole", *bench.words))
        seconds = time.monotonic() - start
        assert whole["answer"] == ANSWER and whole["rounds"] == 2, whole
        ends = collections.Counter(one_point(bench, whole, seconds, n) for n in range(points))
        print(f"{points} kills within {seconds:.2f} s: {dict(ends)}; nothing lost, nothing paid "
              "twice")
    server.shutdown()
    return 0


sys.exit(main())

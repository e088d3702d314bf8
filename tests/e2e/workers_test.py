#!/usr/bin/env python3
"""workers_test BINARY - ask and batch with --workers, against servers on loopback that answer, die
in the middle, dawdle, fail, talk nonsense, hang, and know no schema: every job is answered once,
a chunk's jobs meet one server, and after kill -9 nothing that has an answer is asked again."""

import collections
import json
import os
import pathlib
import sqlite3
import subprocess
import sys
import tempfile
import time

from servers import GIVE_UP_S, Server, ships

BINARY = str(pathlib.Path(sys.argv[1]).resolve())
SAMPLES = 4


def urls(servers):
    return ",".join(server.url for server in servers)


def answers(servers):
    return collections.Counter(answer for server in servers for answer in server.answered)


def ask_command(folder, servers, *more, journal="runs.db"):
    return [BINARY, "ask", "--workers", urls(servers), "--worker-rest", "0.01",
            "--samples", str(SAMPLES), "--journal", str(folder / journal), "--json", *more,
            "-f", str(folder / "ships.txt"), "How many barrels had ship 111?"]


def ask(folder, servers, *more):
    done = subprocess.run(ask_command(folder, servers, *more), capture_output=True, text=True,
                          timeout=GIVE_UP_S, check=False)
    assert done.returncode == 0, (done.returncode, done.stderr)
    return json.loads(done.stdout)


def check_answer(told, servers):
    ledger, counts = told["ledger"], answers(servers)
    assert "777 barrels" in told["answer"], told["answer"]
    assert "Ship 111" in told["citations"][0]["text"], told["citations"]
    assert sum(ledger["outcomes"].values()) == ledger["jobs"] - 1, ledger
    assert ledger["outcomes"]["grounded"] in (SAMPLES, 2 * SAMPLES), ledger["outcomes"]
    assert ledger["outcomes"]["unreadable"] == 0, ledger["outcomes"]
    assert len(counts) == ledger["jobs"], (len(counts), ledger["jobs"])
    assert set(counts.values()) == {1}, counts.most_common(3)
    assert ledger["local_prompt_tokens"] == 100 * ledger["jobs"], ledger
    assert ledger["worker_sent_bytes"] == 0 and ledger["worker_hosts"] == "", ledger


def test_affinity(folder):
    """Two that answer: a chunk's jobs are on one of them, and both have work."""
    servers = [Server("answers", pause_s=0.002), Server("answers", pause_s=0.002)]
    told = ask(folder, servers, "--in-flight", "3")
    check_answer(told, servers)
    places = collections.defaultdict(collections.Counter)
    for i, server in enumerate(servers):
        assert 1 < server.most <= 3, server.most
        assert {model for model, _, _ in server.answered} == {"the-model"}
        for _, prompt, seed in server.answered:
            places[prompt][i] += 1
    places = {prompt: where for prompt, where in places.items() if sum(where.values()) == SAMPLES}
    together = sum(max(where.values()) for where in places.values())
    assert together >= 0.95 * SAMPLES * len(places), (together, len(places))
    strings = json.dumps(servers[0].format["json_schema"]["schema"]).split('"type": "string"')[1:]
    assert len(strings) == 3 and all(text.startswith(', "maxLength": ') for text in strings), strings
    shares = [len(server.answered) for server in servers]
    assert min(shares) > 0.2 * sum(shares), shares
    close(servers)


def test_ours(folder):
    """One of our own is sent the chunk, and a schema whose citation is copied from it."""
    servers = [Server("ours", pause_s=0.002), Server("answers", pause_s=0.002)]
    check_answer(ask(folder, servers), servers)
    ours, other = servers
    assert ours.chunks and all(chunk in prompt for chunk, prompt in ours.chunks)
    assert ours.formats == len(ours.chunks)
    citation = ours.format["json_schema"]["schema"]["properties"]["citation"]
    assert citation["x-copied-from"] == "chunk", citation
    assert other.formats and not other.chunks and "x-copied" not in json.dumps(other.format)
    close(servers)


def test_failures(folder):
    """One that answers and one of each kind that does not, or not always."""
    servers = [Server("answers"), Server("dies", after=9), Server("answers", pause_s=0.1),
               Server("500"), Server("nonsense"), Server("schemaless")]
    check_answer(ask(folder, servers, "--in-flight", "2"), servers)
    assert all(server.seen for server in servers), [server.seen for server in servers]
    assert len(servers[1].answered) <= 9
    assert servers[5].formats <= 3, servers[5].formats  # it was learned
    assert len(servers[2].answered) < len(servers[0].answered)
    close(servers)


def test_hang(folder):
    """What one never answers is given to another; who had it first does not matter."""
    servers = [Server("hangs"), Server("answers")]
    told = ask(folder, servers, "--worker-timeout", "0.3", "--in-flight", "2")
    assert servers[0].seen and "777 barrels" in told["answer"], told["answer"]
    assert sum(told["ledger"]["outcomes"].values()) == told["ledger"]["jobs"] - 1, told["ledger"]
    close(servers)


def test_all_dead(folder):
    """A sentence with their names, and none of the jobs done."""
    servers = [Server("500"), Server("nonsense")]
    done = subprocess.run(ask_command(folder, servers), capture_output=True, text=True,
                          timeout=GIVE_UP_S, check=False)
    assert done.returncode != 0 and done.stdout == "", done
    for server, why in zip(servers, ("HTTP 500", "no completion")):
        assert f"{server.url}/v1 ({why}" in done.stderr.replace("its reply is ", ""), done.stderr
    close(servers)


def test_refusals(folder):
    """Addresses that are not one's own machines, and a kind that cannot be had."""
    for url, why in (("http://example.com:8000", "refused"), ("http://8.8.8.8", "refused"),
                     ("http://172.32.0.1", "refused"), ("ftp://127.0.0.1", "refused"),
                     ("http://[2001:db8::1]:1", "refused"), ("http://a:b@127.0.0.1", "user name"),
                     ("http://127.0.0.1:9,", "empty")):
        done = subprocess.run([BINARY, "ask", "--workers", url, "--dry-run", "-f",
                               str(folder / "ships.txt"), "?"], capture_output=True, text=True,
                              timeout=GIVE_UP_S, check=False)
        assert done.returncode != 0 and why in done.stderr, (url, done)
    for url in ("http://192.168.1.2:8000", "http://10.0.0.1", "http://172.31.255.1/v1",
                "http://[fd00::1]:80", "https://gpu.example.com"):
        done = subprocess.run([BINARY, "ask", "--workers", url, "--dry-run", "-f",
                               str(folder / "ships.txt"), "?"], capture_output=True, text=True,
                              timeout=GIVE_UP_S, check=False)
        host = url.split("://")[1].split("/")[0]
        assert done.returncode == 0 and host in done.stderr, (url, done)
    done = subprocess.run([BINARY, "ask", "--workers", "http://127.0.0.1:9", "--worker", "extract",
                           "-f", str(folder / "ships.txt"), "?"], capture_output=True, text=True,
                          timeout=GIVE_UP_S, check=False)
    assert done.returncode == 64 and "scores" in done.stderr, done


def kill_after(command, servers, count):
    """Kills it when the first of its servers has answered so often."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while len(servers[0].answered) < count and process.poll() is None:
        time.sleep(0.002)
    assert process.poll() is None, "it ended before the kill"
    process.kill()
    process.wait(timeout=GIVE_UP_S)
    while any(server.running for server in servers):  # what they had in hand
        time.sleep(0.002)


def test_resume(folder):
    server = Server("answers", pause_s=0.03)
    whole = ask(folder, [server])["ledger"]["jobs"]
    for count in (1, whole // 2, whole - 12):
        name = f"killed-{count}.db"
        server.answered.clear()
        kill_after(ask_command(folder, [server], "--in-flight", "4", journal=name), [server], count)
        with sqlite3.connect(folder / name) as journal:
            kept = journal.execute("SELECT count(*) FROM job").fetchone()[0]
        server.answered.clear()
        done = subprocess.run([BINARY, "ask", "--resume", "1", "--journal",
                               str(folder / name), "--json"], capture_output=True, text=True,
                              timeout=GIVE_UP_S, check=False)
        assert done.returncode == 0, done.stderr
        assert "777 barrels" in json.loads(done.stdout)["answer"]
        assert kept + 4 + 1 >= count, (kept, count)
        assert len(server.answered) == whole - kept, (len(server.answered), whole, kept)
    close([server])


def request(i):
    content = "the-words-are-wrong" if i == 5 else f"Chunk {i // 4}. " + "x" * 3000 + f" Task {i}."
    body = {"model": "mine", "messages": [{"role": "user", "content": content}], "seed": i,
            "temperature": 0.30000000000000004, "odd": {"kept": [1, None]}}
    if i == 6:
        body["stream"] = True
    url = "/v1/completions" if i == 7 else "/v1/chat/completions"
    return {"custom_id": f"r{i}", "method": "POST", "url": url, "body": body}


def test_batch(folder):
    requests, out = 60, folder / "out.jsonl"
    (folder / "in.jsonl").write_text("".join(json.dumps(request(i)) + "\n" for i in range(requests)))
    servers = [Server("answers", pause_s=0.01), Server("500"), Server("answers", pause_s=0.01)]
    command = [BINARY, "batch", "--workers", urls(servers), "--in-flight", "2",
               "--worker-rest", "0.01", str(folder / "in.jsonl"), str(out)]
    kill_after(command, servers, 10)
    kept = sum(line.endswith("\n") for line in out.read_text().splitlines(keepends=True))
    servers[0].answered.clear()
    servers[2].answered.clear()
    servers[1].asked.clear()
    done = subprocess.run(command, capture_output=True, text=True, timeout=GIVE_UP_S, check=False)
    assert done.returncode == 0, done.stderr
    told = {}
    for line in out.read_text().splitlines():
        result = json.loads(line)
        assert result["custom_id"] not in told, result["custom_id"]
        told[result["custom_id"]] = result["response"]["status_code"]
    assert len(told) == requests, len(told)
    assert {name for name, code in told.items() if code == 400} == {"r5", "r6", "r7"}, told
    counts = answers(servers)
    assert set(counts.values()) == {1}, counts
    assert requests - 3 - kept <= len(counts) <= requests - kept, (len(counts), kept)
    assert {model for model, _, _ in counts} == {"mine"}, counts
    where = collections.defaultdict(set)
    for i, server in enumerate(servers):
        for _, prompt, _ in server.answered:
            where[prompt.split(".")[0]].add(i)
    # What the failing server was given went on elsewhere; every other chunk has one place.
    moved = {prompt.split(".")[0] for prompt in servers[1].asked}
    whole = [places for chunk, places in where.items() if chunk not in moved]
    assert len(whole) >= len(where) // 2 and all(len(places) == 1 for places in whole), where
    close(servers)


def close(servers):
    for server in servers:
        server.close()


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        os.environ["COHORT_STATE"] = name
        (folder / "ships.txt").write_text(ships(900))
        for test in (test_refusals, test_affinity, test_ours, test_failures, test_hang, test_all_dead,
                     test_resume, test_batch):
            began = time.monotonic()
            test(folder)
            print(f"{test.__name__}: {time.monotonic() - began:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())

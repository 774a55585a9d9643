"""Load on the server: 1,000 jobs waiting, 200 clients, 10,000 requests of each kind; then everything is run to its end.

    apt-get install hey
    cargo build --release --workspace --bins && python3 tests/benchmark/server.py

Prints a table of answering times as `hey` measures them, how long the submissions took, and whether every accepted job
ended finished. Nothing is kept.
"""

import argparse
import concurrent.futures
import csv
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "target/release/kfold-studio"
DATA = ROOT / "inference/tests/data"


def query(name):
    return json.dumps({
        "name": name,
        "sequences": [{"ligand": {"id": ["L"], "sdf": "benzene.sdf"}}],
        "structure": "tripeptide.pdb",
        "pocket": {"center": [4.0, 20.0, 0.0], "size": [15.0, 15.0, 15.0]},
        "engine": {"name": "docking", "docking": {"exhaustiveness": 1}},
    })


def form(name):
    body = b""
    parts = [("query", None, query(name).encode())]
    parts += [("file", file, (DATA / file).read_bytes()) for file in ("tripeptide.pdb", "benzene.sdf")]
    for part, file, content in parts:
        file = f'; filename="{file}"' if file else ""
        body += f'--b\r\nContent-Disposition: form-data; name="{part}"{file}\r\n\r\n'.encode() + content + b"\r\n"
    return body + b"--b--\r\n"


class Server:
    def __init__(self, folder):
        (folder / "server.toml").write_text(
            'data = "data"\nlisten.address = "127.0.0.1:0"\n'
            "[limits]\nrequests_per_minute = 1000000\nuploads_at_once = 64\nqueued_jobs_per_user = 5000\n"
            "connections_per_address = 1000\n"
            "[workers]\nslots = 1\n")
        config = ["--config", str(folder / "server.toml")]
        self.token = subprocess.run([PROGRAM, "serve", "token", "create", "--user", "load", *config],
                                    capture_output=True, text=True, check=True).stdout.strip()
        self.log = open(folder / "log", "w+")
        self.process = subprocess.Popen([PROGRAM, "serve", *config], stderr=self.log)
        while not (found := re.search(r'"address":"([^"]+)"', (folder / "log").read_text())):
            time.sleep(0.05)
        self.url = f"http://{found[1]}"

    def ask(self, path, data=None, headers=None):
        headers = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        request = urllib.request.Request(self.url + path, data=data, headers=headers)
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.load(answer)

    def submit(self, number):
        headers = {"Content-Type": "multipart/form-data; boundary=b", "Idempotency-Key": f"load-{number}"}
        return self.ask("/v1/jobs", form(f"job{number}"), headers)["id"]


def hey(server, path, requests, clients):
    command = ["hey", "-n", str(requests), "-c", str(clients), "-o", "csv", "-H", f"Authorization: Bearer {server.token}",
               server.url + path]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = list(csv.DictReader(output.splitlines()))
    times = sorted(1000 * float(row["response-time"]) for row in rows)
    wrong = sum(row["status-code"] != "200" for row in rows)
    at = lambda share: times[min(len(times) - 1, int(share * len(times)))]
    return len(rows), wrong, at(0.5), at(0.95), at(0.99), times[-1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=1_000)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--clients", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = Server(pathlib.Path(folder))
        try:
            begun = time.time()
            with concurrent.futures.ThreadPoolExecutor(16) as pool:
                ids = list(pool.map(server.submit, range(options.jobs)))
            print(f"{len(set(ids))} jobs accepted in {time.time() - begun:.1f} s", flush=True)
            print("| request | answered | refused or broken | ms, median | p95 | p99 | longest |\n|---|---|---|---|---|---|---|")
            paths = [("a job", f"/v1/jobs/{ids[-1]}"), ("50 jobs", "/v1/jobs"), ("capabilities", "/v1/capabilities"),
                     ("outputs of a job", f"/v1/jobs/{ids[0]}/outputs")]
            for name, path in paths:
                count, wrong, *times = hey(server, path, options.requests, options.clients)
                print(f"| {name} | {count} | {wrong} | " + " | ".join(f"{time:.1f}" for time in times) + " |", flush=True)
            while (queue := server.ask("/v1/capabilities")["queue"])["queued"] + queue["running"] > 0:
                time.sleep(1)
            states = {id: server.ask(f"/v1/jobs/{id}")["state"] for id in ids}
            finished = sum(state == "finished" for state in states.values())
            print(f"{finished} of {len(states)} finished, {time.time() - begun:.0f} s after the first was sent")
            return 0 if finished == len(states) == options.jobs else 1
        finally:
            server.process.terminate()
            server.process.wait()


if __name__ == "__main__":
    sys.exit(main())

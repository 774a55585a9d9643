"""Faults on the server, at random and for as long as asked: what was accepted must end, once.

    cargo build --release --workspace --bins && python3 tests/benchmark/server_faults.py --minutes 5

Clients submit all the while, each submission under a key of its own and again until it is answered, as our client does.
Meanwhile the server is killed (-9) and started again, workers are killed, the disk (a small file system, where this user may
mount one) is filled to the last byte and freed, connections are cut in the middle of a request and of an answer, and clients
send and read slowly. At the end the faults stop, and every accepted job must be there, finished or failed with a reason,
with one end in its events and no output written twice. Prints what was done and found; the exit code is 0 when all is well.
"""

import argparse
import collections
import http.client
import json
import os
import pathlib
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "target/release/kfold-studio"
DATA = ROOT / "inference/tests/data"


def query(name, effort):
    return json.dumps({
        "name": name,
        "sequences": [],
        "structure": "tripeptide.pdb",
        "series": [{"id": f"l{number}", "smiles": smiles} for number, smiles in enumerate(["CCO", "CCN", "CCCl", "CCC"])],
        "pocket": {"center": [4.0, 20.0, 0.0], "size": [15.0, 15.0, 15.0]},
        "engine": {"name": "docking", "docking": {"exhaustiveness": effort}},
    })


def form(name, effort):
    parts = [("query", None, query(name, effort).encode()), ("file", "tripeptide.pdb", (DATA / "tripeptide.pdb").read_bytes())]
    body = b""
    for part, file, content in parts:
        file = f'; filename="{file}"' if file else ""
        body += f'--b\r\nContent-Disposition: form-data; name="{part}"{file}\r\n\r\n'.encode() + content + b"\r\n"
    return body + b"--b--\r\n"


class Run:
    def __init__(self, folder, seed, disk):
        self.folder, self.random, self.disk = folder, random.Random(seed), disk
        self.counts = collections.Counter()
        self.accepted, self.lock, self.is_over = {}, threading.Lock(), False
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        (folder / "server.toml").write_text(
            f'data = "data"\nlisten.address = "127.0.0.1:{self.port}"\n'
            "[limits]\nrequests_per_minute = 1000000\nrefused_tokens_per_minute = 1000000\nqueued_jobs_per_user = 5000\n"
            "free_disk_bytes = 0\n[workers]\nslots = 2\nattempts = 100\nligands_per_piece = 2\n")
        config = ["--config", str(folder / "server.toml")]
        self.token = subprocess.run([PROGRAM, "serve", "token", "create", "--user", "faults", *config],
                                    capture_output=True, text=True, check=True).stdout.strip()
        self.serve = [PROGRAM, "serve", *config]
        self.log = open(folder / "log", "a")
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.serve, stderr=self.log)

    def ask(self, method, path, body=None, headers=None, timeout=20):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body, {"Authorization": f"Bearer {self.token}", **(headers or {})})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def patiently(self, *request, **more):
        """Until there is an answer that is none of the faults'."""
        while True:
            try:
                status, body = self.ask(*request, **more)
                if status not in (429, 500, 502, 503, 507):
                    return status, body
                self.counts[f"answers {status}"] += 1
            except (OSError, http.client.HTTPException):
                self.counts["connections that broke"] += 1
            time.sleep(0.2)

    def submitter(self, number):
        made = random.Random(number)
        for count in range(10_000):
            if self.is_over:
                return
            name, key = f"job-{number}-{count}", str(uuid.uuid4())
            headers = {"Content-Type": "multipart/form-data; boundary=b", "Idempotency-Key": key}
            status, body = self.patiently("POST", "/v1/jobs", form(name, made.choice([1, 4, 12])), headers)
            if status not in (200, 201):
                self.counts[f"refused with {status}"] += 1
                continue
            with self.lock:
                self.accepted[json.loads(body)["id"]] = name
            time.sleep(made.uniform(1.0, 6.0))

    def raw(self):
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=5)
        return connection

    def cut(self):
        """A request that is cut in the middle, or an answer that nobody takes."""
        body = form("cut", 1)
        head = (f"POST /v1/jobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.token}\r\nIdempotency-Key: {uuid.uuid4()}\r\n"
                f"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body
        with self.raw() as connection:
            if self.random.random() < 0.5:
                connection.sendall(head[:self.random.randrange(len(head) - 3)])
            else:
                connection.sendall(f"GET /v1/jobs?limit=1000 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.token}\r\n\r\n".encode())
                connection.recv(100)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    def slow(self):
        """A client that sends a byte now and then, and one that reads so."""
        def crawl():
            try:
                with self.raw() as connection:
                    for byte in f"GET /v1/jobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.token}\r\n\r\n".encode():
                        if self.is_over:
                            return
                        connection.sendall(bytes([byte]))
                        time.sleep(0.2)
            except OSError:
                pass
        threading.Thread(target=crawl, daemon=True).start()

    def kill_server(self):
        self.process.kill()
        self.process.wait()
        time.sleep(self.random.uniform(0, 1))
        self.start()

    def kill_worker(self):
        locks = list((self.folder / "data/jobs").glob("**/worker.lock"))
        self.random.shuffle(locks)
        for lock in locks:
            try:
                process = int(lock.read_text())
                if str(lock.parent).encode() in pathlib.Path(f"/proc/{process}/cmdline").read_bytes():
                    os.kill(process, signal.SIGKILL)
                    return
            except (OSError, ValueError):
                continue

    def fill_disk(self):
        filling = self.folder / "data/filling"
        try:
            with open(filling, "wb", buffering=0) as file:
                for block in (1 << 16, 1 << 10, 1):
                    try:
                        while True:
                            file.write(bytes(block))
                    except OSError:
                        pass
            time.sleep(self.random.uniform(1, 4))
        finally:
            filling.unlink(missing_ok=True)

    def faults(self, until):
        kinds = [("server killed", self.kill_server, 2), ("worker killed", self.kill_worker, 6), ("connection cut", self.cut, 6),
                 ("slow client", self.slow, 3)]
        if self.disk:
            kinds.append(("disk filled", self.fill_disk, 2))
        weights = [weight for _, _, weight in kinds]
        while time.time() < until:
            time.sleep(self.random.uniform(0.1, 1.5))
            name, fault, _ = self.random.choices(kinds, weights)[0]
            try:
                fault()
                self.counts[name] += 1
            except OSError:
                pass
            if self.process.poll() is not None:
                self.counts["server ended by itself"] += 1
                self.start()

    def check(self):
        """What is wrong with the jobs, once all have ended."""
        problems, states, told = [], collections.Counter(), time.time()
        for id, name in self.accepted.items():
            if time.time() - told > 30:
                told = time.time()
                print(f"{sum(states.values())} of {len(self.accepted)} jobs have ended", file=sys.stderr)
            while True:
                status, body = self.patiently("GET", f"/v1/jobs/{id}")
                job = json.loads(body)
                if status != 200:
                    problems.append(f"{name}: accepted and answered with {status}")
                    break
                if job["state"] in ("finished", "failed", "cancelled"):
                    break
                time.sleep(0.5)
            if status != 200:
                continue
            states[job["state"]] += 1
            folder = self.folder / "data/jobs" / id
            events = (folder / "events.jsonl").read_text(errors="replace") if (folder / "events.jsonl").exists() else ""
            if job["state"] == "failed":
                self.counts["failed: " + re.sub(r"[0-9]+", "N", job["reason"] or "")[:90]] += 1
                if not job["reason"]:
                    problems.append(f"{name}: failed without a reason")
                continue
            ends = events.count('"event":"finished"')
            if ends > 1:
                problems.append(f"{name}: {ends} ends")
            records = json.loads((folder / f"{name}_docking.json").read_text())
            ligands = sorted({record["ligand_name"] for record in records})
            ranks = [(record["ligand_name"], record["rank"]) for record in records]
            if ligands != ["l0", "l1", "l2", "l3"] or len(set(ranks)) != len(ranks):
                problems.append(f"{name}: outputs {ranks}")
        return problems, states


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--disk", default="48m", help="size of the file system to mount")
    options = parser.parse_args()
    # What is mounted in it may be busy for a moment after the end.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        data = pathlib.Path(folder) / "data"
        data.mkdir(mode=0o700)
        mount = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={options.disk},mode=700", "tmpfs", data], capture_output=True)
        has_disk = mount.returncode == 0
        if not has_disk:
            print("no disk is filled: this user may not mount one")
        run = None
        try:
            run = Run(pathlib.Path(folder), options.seed, has_disk)
            clients = [threading.Thread(target=run.submitter, args=(number,)) for number in range(options.clients)]
            for client in clients:
                client.start()
            run.faults(time.time() + 60 * options.minutes)
            run.is_over = True
            for client in clients:
                client.join()
            problems, states = run.check()
            listed = json.loads(run.patiently("GET", "/v1/jobs?limit=1000")[1])["jobs"]
            panics = (pathlib.Path(folder) / "log").read_text().count("panicked")
            for name, count in sorted(run.counts.items()):
                print(f"{count:6} {name}")
            print(f"{len(run.accepted)} jobs accepted: {dict(states)}; {len(listed)} on the server; {panics} panics")
            for problem in problems:
                print(f"PROBLEM {problem}")
            return 1 if problems or panics or run.counts["server ended by itself"] else 0
        finally:
            if run:
                run.is_over = True
                run.process.kill()
                run.process.wait()
            if has_disk:
                subprocess.run(["umount", "--lazy", data])


if __name__ == "__main__":
    sys.exit(main())

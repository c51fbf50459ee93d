"""What process groups cost, and what CPU workers keep in memory.

group_bench.py broadcast --bench build/dev/bin/group_bench [--bytes 3400000000] [--bucket 268435456] [--processes 2] [--rounds 5] [--file FILE]
group_bench.py rendezvous --bench build/dev/bin/group_bench [--processes 2,8,32] [--rounds 5]
group_bench.py memory --cli build/dev/bin/polyptych-cli --model MODEL [--workers 4] [--side 256] [--dtype fp32]

broadcast: weights of that size from one process to the others over Gloo's loopback, in buckets, against the same processes reading the same bytes
from the page cache, all at once. Interleaved; medians; the ratio is broadcast / read, so below 1 broadcasting is faster.
rendezvous: from the word "join" to the end of the first barrier, the slowest process; they run already.
memory: PSS (pages that processes share are counted once) of all workers in the middle of a picture, against weights once + 10 % + what one worker's picture
needs besides its weights, for each.
"""
import argparse
import json
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile
import time


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Group:
    """Processes that run and wait for commands."""

    def __init__(self, bench, size):
        common = os.environ | {"WORLD_SIZE": str(size), "LOCAL_WORLD_SIZE": str(size), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()),
                               "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        self.processes = [subprocess.Popen([bench], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                           env=common | {"RANK": str(rank), "LOCAL_RANK": str(rank)}) for rank in range(size)]
        for process in self.processes:
            assert process.stdout.readline() == "up\n"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.kill()
            process.wait()

    def do(self, command):
        """@return the slowest process's seconds"""
        for process in self.processes:
            process.stdin.write(command + "\n")
            process.stdin.flush()
        return max(float(process.stdout.readline()) for process in self.processes)


def broadcast(options):
    with tempfile.TemporaryDirectory() as folder:
        path = options.file
        if path is None:
            path = os.path.join(folder, "weights")
            block = os.urandom(1 << 24)
            with open(path, "wb") as file:
                for _ in range(0, options.bytes, len(block)):
                    file.write(block)
        size = min(options.bytes, os.path.getsize(path))
        sent, read = [], []
        with Group(options.bench, options.processes) as group:
            group.do("join bench")
            group.do(f"read {path} {size} {options.bucket}")  # into the page cache
            for _ in range(options.rounds):
                read.append(group.do(f"read {path} {size} {options.bucket}"))
                sent.append(group.do(f"broadcast {size} {options.bucket}"))
        a, b = statistics.median(sent), statistics.median(read)
        print(f"{size / 1e9:.2f} GB, {options.processes} processes, buckets of {options.bucket / 2**20:.0f} MiB: broadcast {a:.2f} s "
              f"({size / a / 1e9:.2f} GB/s), page cache {b:.2f} s ({size / b / 1e9:.2f} GB/s each), ratio {a / b:.2f}")


def rendezvous(options):
    for size in (int(word) for word in options.processes.split(",")):
        times = []
        for _ in range(options.rounds):
            with Group(options.bench, size) as group:
                times.append(group.do("join first"))
        print(f"{size} processes: {statistics.median(times) * 1000:.0f} ms (median of {options.rounds}; {min(times) * 1000:.0f} to {max(times) * 1000:.0f})")


def weight_bytes(model):
    """Bytes of the weights that a worker keeps: all but those of the VAE's encoder."""
    kept = 0
    for path in pathlib.Path(model).glob("*/*.safetensors"):
        with open(path, "rb") as file:
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        for name, tensor in header.items():
            if name != "__metadata__" and not (path.parent.name == "vae" and name.startswith(("encoder.", "quant_conv."))):
                kept += tensor["data_offsets"][1] - tensor["data_offsets"][0]
    return kept


def pss(pid):
    """Bytes: all, private, of files that are shared with others."""
    fields = {}
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        for line in file.readlines()[1:]:
            name, value, _ = line.split()
            fields[name[:-1]] = int(value) * 1024
    return fields["Pss"], fields["Private_Clean"] + fields["Private_Dirty"]


def workers_below(folder):
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
            if pathlib.Path(os.fsdecode(words[0])).name == "polyptych-worker":
                parent = (entry / "stat").read_text().rsplit(")", 1)[1].split()[1]
                if folder.encode() in pathlib.Path(f"/proc/{parent}/cmdline").read_bytes():
                    found.append(int(entry.name))
        except (OSError, IndexError):
            continue
    return found


def peak(options, workers):
    """The most that so many workers had together while each made its second picture: the first one sets the weights up."""
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out")
        run = subprocess.Popen([options.cli, "generate", "--json", "--model", options.model, "--out", out, "--devices", f"cpu:{workers}",
                                "--dtype", options.dtype, "--steps", "2", "--width", str(options.side), "--height", str(options.side), "--threads", "1",
                                *[f"picture {i}" for i in range(2 * workers)]], stdout=subprocess.DEVNULL)
        most, private = 0, 0
        while run.poll() is None:
            try:
                found = [pss(pid) for pid in workers_below(out)]
            except (OSError, ValueError):
                found = []
            if len(found) == workers:
                total = sum(one for one, _ in found)
                if total > most:
                    most, private = total, sum(one for _, one in found)
            time.sleep(0.2)
        assert run.returncode == 0, f"polyptych-cli ended with {run.returncode}"
        return most, private


def memory(options):
    weights = weight_bytes(options.model)
    one, _ = peak(options, 1)
    besides = max(0, one - weights)
    many, private = peak(options, options.workers)
    limit = 1.1 * weights + options.workers * besides
    print(f"weights {weights / 1e9:.2f} GB; one worker {one / 1e9:.2f} GB, so {besides / 1e9:.2f} GB besides them; {options.workers} workers "
          f"{many / 1e9:.2f} GB ({private / 1e9:.2f} GB of it private); limit {limit / 1e9:.2f} GB: {'kept' if many <= limit else 'NOT KEPT'}")
    return 0 if many <= limit else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = parser.add_subparsers(dest="part", required=True)
    one = parts.add_parser("broadcast")
    one.add_argument("--bytes", type=int, default=3_400_000_000)
    one.add_argument("--bucket", type=int, default=1 << 28)
    one.add_argument("--processes", type=int, default=2)
    one.add_argument("--file")
    two = parts.add_parser("rendezvous")
    two.add_argument("--processes", default="2,8,32")
    for part in (one, two):
        part.add_argument("--bench", required=True)
        part.add_argument("--rounds", type=int, default=5)
    three = parts.add_parser("memory")
    three.add_argument("--cli", required=True)
    three.add_argument("--model", required=True)
    three.add_argument("--workers", type=int, default=4)
    three.add_argument("--side", type=int, default=256)
    three.add_argument("--dtype", default="fp32")
    options = parser.parse_args()
    sys.exit({"broadcast": broadcast, "rendezvous": rendezvous, "memory": memory}[options.part](options))


if __name__ == "__main__":
    main()

"""Groups over NCCL, with the group probe of each rank on a GPU of its own.

nccl_test.py PART PROBE POLYPTYCH_CLI DEMO_MODEL
    without_driver   no GPU in sight: a plain message
    built_without    a program without CUDA: a plain message
    one_gpu          a group of one
    two_gpus         all collectives, two ranks
    killed_rank      the other one ends within the time, and says who is missing
    hung_rank        the same for a rank that stands still
    pair             polyptych-cli makes the same picture on cuda:0+cuda:1 as on cuda:0

Ends with 77 (a named skip) where the GPUs are not there.
"""
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path

part, probe, cli, model = sys.argv[1:5]
PATIENCE = 120
ACTIONS = ["barrier", "broadcast", "all-gather", "objects", "count", "barrier"]


def gpus():
    """UUIDs of this machine's GPUs."""
    try:
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=PATIENCE, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return []
    return re.findall(r"UUID: (GPU-[0-9a-f-]+)", listed)


def need(count):
    found = gpus()
    if len(found) < count:
        print(f"skipped: this needs {count} GPU{'s' if count > 1 else ''}, and this machine has {len(found) or 'none'}")
        sys.exit(77)
    return found[:count]


def start(uuids, actions, patient=True):
    """A probe for each; actions: a list for each rank."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    size = len(uuids)
    common = os.environ | {"WORLD_SIZE": str(size), "LOCAL_WORLD_SIZE": str(size), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port),
                           "NCCL_SOCKET_IFNAME": "lo", "GROUP_PROBE_DEVICE": "cuda"}
    if patient:  # NCCL's own start takes seconds
        common["GROUP_PROBE_PATIENT"] = "1"
    return [subprocess.Popen([probe, "1", *actions[rank]], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                             env=common | {"RANK": str(rank), "LOCAL_RANK": str(rank), "CUDA_VISIBLE_DEVICES": uuid})
            for rank, uuid in enumerate(uuids)]


def ended(processes):
    try:
        return [process.communicate(timeout=PATIENCE) for process in processes]
    finally:
        for process in processes:
            process.kill()


def refused(sentence, code):
    began = time.monotonic()
    (output, errors), = ended(start([""], [["barrier"]]))
    assert time.monotonic() - began < 30, "that took long"
    line = output.splitlines()[-1]
    assert line.startswith(f"error {code} ") and sentence in line, output + errors
    assert "what():" not in line and "frame #" not in line, f"not a plain message: {line}"
    print(line)


def collectives(size):
    outputs = ended(start(need(size), [ACTIONS] * size))
    gathered = "all-gather " + " ".join(str(2 * (rank + 1)) for rank in range(size))
    objects = "objects " + " ".join("[" + "x" * rank + "]" for rank in range(size))
    for output, errors in outputs:
        for line in ("joined", "broadcast 549755289600.000000", gathered, objects, "done"):
            assert line in output.splitlines(), f"{line!r} is missing:\n{output}{errors}"


def lost(with_signal):
    """Rank 1 is ended or stopped while both are in broadcasts."""
    processes = start(need(2), [["barrier", "broadcasts"]] * 2)
    for line in processes[1].stdout:
        if line == "broadcasts\n":
            break
    processes[1].send_signal(with_signal)
    began = time.monotonic()
    output, errors = processes[0].communicate(timeout=PATIENCE)
    took = time.monotonic() - began
    processes[1].kill()
    assert processes[0].returncode == 1 and "error " in output and "rank 1 (" in output, f"{processes[0].returncode}: {output}{errors}"
    # The patient limit of a call is 30 s.
    assert took < 30 + 15, f"after {took:.0f} s"
    print(output.splitlines()[-1])


def pixels(path):
    """The values of an 8-bit RGB PNG."""
    data, at, packed, width = path.read_bytes(), 8, b"", 0
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + length]
        if kind == b"IHDR":
            width, = struct.unpack(">I", body[:4])
        elif kind == b"IDAT":
            packed += body
        at += 12 + length
    raw, stride = zlib.decompress(packed), 3 * width
    rows, before = [], bytearray(stride)
    for row in range(len(raw) // (stride + 1)):
        mode, line = raw[row * (stride + 1)], bytearray(raw[row * (stride + 1) + 1:(row + 1) * (stride + 1)])
        for i in range(stride):
            left, up, corner = (line[i - 3] if i >= 3 else 0), before[i], (before[i - 3] if i >= 3 else 0)
            guess = left + up - corner
            paeth = min((abs(guess - left), 0, left), (abs(guess - up), 1, up), (abs(guess - corner), 2, corner))[2]
            line[i] = (line[i] + (0, left, up, (left + up) // 2, paeth)[mode]) & 255
        rows.append(bytes(line))
        before = line
    return b"".join(rows)


def pair():
    need(2)
    with tempfile.TemporaryDirectory() as folder:
        pictures = []
        for devices in ("cuda:0", "cuda:0+cuda:1"):
            out = Path(folder) / devices.replace(":", "")
            run = subprocess.run([cli, "generate", "--json", "--model", model, "--out", str(out), "--devices", devices, "--dtype", "fp32", "--seed", "7",
                                  "--width", "128", "--height", "128", "a red boat at sunset"], capture_output=True, text=True, timeout=PATIENCE, check=False)
            assert run.returncode == 0 and not run.stderr, run.stdout + run.stderr
            event = [json.loads(line) for line in run.stdout.splitlines() if '"picture"' in line][-1]
            assert event["device"] == devices, event
            pictures.append(pixels(next(out.glob("*.png"))))
        far = sum(abs(a - b) > 1 for a, b in zip(*pictures))
        assert len(pictures[0]) == len(pictures[1]) and far <= 0.001 * len(pictures[0]), f"{far} of {len(pictures[0])} values differ"


if part == "without_driver":
    refused("NCCL or the GPU's driver failed. Check the GPU and its driver on every machine.", "device_lost")
elif part == "built_without":
    refused("the program was built without CUDA.", "unsupported")
elif part == "one_gpu":
    collectives(1)
elif part == "two_gpus":
    collectives(2)
elif part == "killed_rank":
    lost(signal.SIGKILL)
elif part == "hung_rank":
    lost(signal.SIGSTOP)
else:
    {"pair": pair}[part]()

#!/usr/bin/env python3
"""Starts the group probe through torchrun: on one machine, and on two machines that are network namespaces joined by a cable.

torchrun_test.py PROBE standalone|machines
Ends with 77 (a named skip) where torchrun or the means to make namespaces are not there.
"""
import os
import subprocess
import sys
from pathlib import Path

ACTIONS = ["1", "barrier", "broadcast", "all-gather", "objects", "barrier"]
TORCHRUN = Path(sys.executable).parent / "torchrun"
PATIENCE = 120


def environment():
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RANK", "LOCAL_", "WORLD_", "MASTER_", "SLURM_", "OMPI_"))}
    return kept | {"GROUP_PROBE_PATIENT": "1", "OMP_NUM_THREADS": "1"}


def expect(output, size):
    """Every process has said every line that it must say."""
    gathered = "all-gather " + " ".join(str(2 * (rank + 1)) for rank in range(size))
    objects = "objects " + " ".join("[" + "x" * rank + "]" for rank in range(size))
    for line in ("joined", "broadcast 549755289600.000000", gathered, objects, "done"):
        found = output.splitlines().count(line)
        assert found == size, f"{found} of {size} said {line!r}:\n{output}"


def standalone(probe):
    for size in (1, 2, 4):
        run = subprocess.run([str(TORCHRUN), "--standalone", "--no-python", f"--nproc-per-node={size}", probe, *ACTIONS],
                             capture_output=True, text=True, env=environment(), timeout=PATIENCE)
        assert run.returncode == 0, run.stdout + run.stderr
        expect(run.stdout, size)
        print(f"torchrun, {size} processes: passed")


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


def machines(probe):
    """Two machines with two processes each."""
    names = [f"polyptych-{os.getpid()}-{side}" for side in "ab"]
    try:
        for name in names:
            ip("netns", "add", name)
    except (OSError, subprocess.CalledProcessError) as problem:
        print(f"skipped: network namespaces cannot be made here ({problem})")
        remove(names)
        sys.exit(77)
    try:
        cables = [f"pt{os.getpid() % 100000}{side}" for side in "ab"]
        ip("link", "add", cables[0], "type", "veth", "peer", "name", cables[1])
        for name, cable, address in zip(names, cables, ("10.97.0.1/24", "10.97.0.2/24")):
            ip("link", "set", cable, "netns", name)
            ip("-n", name, "addr", "add", address, "dev", cable)
            ip("-n", name, "link", "set", cable, "up")
            ip("-n", name, "link", "set", "lo", "up")
        agents = [subprocess.Popen(["ip", "netns", "exec", name, str(TORCHRUN), "--no-python", "--nnodes=2", f"--node-rank={rank}",
                                    "--nproc-per-node=2", "--master-addr=10.97.0.1", "--master-port=29441", probe, *ACTIONS],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment())
                  for rank, name in enumerate(names)]
        ended = [agent.communicate(timeout=PATIENCE) for agent in agents]
        assert all(agent.returncode == 0 for agent in agents), ended
        expect("".join(output for output, _ in ended), 4)
        print("torchrun, 2 machines of 2 processes: passed")
    finally:
        remove(names)


def remove(names):
    for name in names:
        subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)


def main():
    probe, part = sys.argv[1:]
    if not TORCHRUN.exists():
        print("skipped: torchrun is not in this Python environment")
        sys.exit(77)
    {"standalone": standalone, "machines": machines}[part](probe)


if __name__ == "__main__":
    main()

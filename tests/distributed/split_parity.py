#!/usr/bin/env python3
"""Holds core/cluster's split against accelerate's PartialState.split_between_processes, live: lengths 0 to 40 over 1 to 9 processes,
with and without padding; lists, dictionaries of lists, tensors.

Tensors are padded by a collective in accelerate, so each world of them is a real Gloo group of processes.
"""
import os
import subprocess
import sys

try:
    import torch
    import torch.distributed as dist
    import torch.multiprocessing as multiprocessing
    from accelerate import PartialState
    from accelerate.utils import DistributedType
except ImportError as missing:
    print(f"skipped: {missing} (accelerate is not in this Python environment)")
    sys.exit(77)

LENGTHS = range(41)
WORLDS = range(1, 10)


def ours(probe):
    shares = {}
    for line in subprocess.run([probe], capture_output=True, text=True, check=True).stdout.splitlines():
        key, elements = line.split(":")
        shares[tuple(int(word) for word in key.split())] = elements.split()
    return shares


def split(state, values, padded):
    with state.split_between_processes(values, apply_padding=padded) as part:
        return part


def compare_lists(shares):
    state = PartialState(cpu=True)
    compared = 0
    for length in LENGTHS:
        for world in WORLDS:
            for rank in range(world):
                state.num_processes, state.process_index = world, rank
                for padded in (0, 1):
                    found = shares[length, world, rank, padded]
                    if length == 0 and padded and world > 1:
                        # accelerate takes the last element of nothing: IndexError.
                        assert found == ["refused"], (length, world, rank, found)
                        continue
                    values = list(range(length))
                    expected = [str(value) for value in split(state, values, bool(padded))]
                    assert found == expected, (length, world, rank, padded, found, expected)
                    both = split(state, {"a": list(values), "b": list(values)}, bool(padded))
                    assert [str(value) for value in both["a"]] == found and both["a"] == both["b"], (length, world, rank, padded)
                    compared += 2
    print(f"{compared} lists and dictionaries are split alike")


def compare_tensors(rank, world, port, shares):
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "RANK": str(rank), "LOCAL_RANK": str(rank),
                   "WORLD_SIZE": str(world), "LOCAL_WORLD_SIZE": str(world)}
    torch.set_num_threads(1)
    PartialState._reset_state()  # shared by all objects of a process, and inherited from the parent
    state = PartialState(cpu=True)
    assert state.distributed_type != DistributedType.NO and state.num_processes == world
    for length in LENGTHS:
        for padded in (0, 1):
            found = shares[length, world, rank, padded]
            if found == ["refused"]:
                continue
            part = split(state, torch.arange(length), bool(padded))
            expected = [str(value) for value in part.tolist()]
            assert found == expected, (length, world, rank, padded, found, expected)
    dist.destroy_process_group()


def main():
    shares = ours(sys.argv[1])
    assert len(shares) == 2 * len(LENGTHS) * sum(WORLDS)
    compare_lists(shares)
    for world in WORLDS[1:]:
        with subprocess.Popen([sys.executable, "-c", "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); print(s.getsockname()[1])"],
                              stdout=subprocess.PIPE, text=True) as asked:
            port = int(asked.communicate()[0])
        multiprocessing.start_processes(compare_tensors, args=(world, port, shares), nprocs=world, start_method="fork")
        print(f"tensors over {world} processes are split alike")


if __name__ == "__main__":
    main()

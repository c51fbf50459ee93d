"""Writes reference_bytes.inc: a small file as the reference library writes it. Needs safetensors and numpy."""

import pathlib

import numpy
import safetensors.numpy

tensors = {"w": numpy.arange(3, dtype=numpy.int16), "x": numpy.array([[1.5]])}
data = safetensors.numpy.save(tensors, metadata={"k": "v"})
lines = [", ".join(f"0x{byte:02x}" for byte in data[at : at + 16]) for at in range(0, len(data), 16)]
pathlib.Path(__file__).with_name("reference_bytes.inc").write_text(",\n".join(lines) + "\n")

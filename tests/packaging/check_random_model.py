"""Checks packaging/demo_model/random_model.py: sound files, the same bytes every time, nothing left half made.

check_random_model.py SCRIPT                 standard library only
check_random_model.py SCRIPT --diffusers     also opens the model with diffusers and makes a picture
"""
import filecmp
import json
import os
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

script = sys.argv[1]


def make(folder):
    return subprocess.run([sys.executable, "-B", script, folder], capture_output=True, text=True)


def check_safetensors(path):
    data = path.read_bytes()
    length, = struct.unpack_from("<Q", data)
    header = json.loads(data[8:8 + length])
    assert length % 8 == 0, path
    header.pop("__metadata__")
    end = 0
    for name, tensor in header.items():
        count = 1
        for side in tensor["shape"]:
            count *= side
        assert tensor["dtype"] == "F32" and tensor["data_offsets"] == [end, end + 4 * count], name
        end += 4 * count
    assert len(data) == 8 + length + end, path


with tempfile.TemporaryDirectory() as name:
    place = Path(name) / "빈 칸"
    done = make(place / "one")
    assert done.returncode == 0, done.stderr
    done = make(place / "two")
    assert done.returncode == 0, done.stderr
    files = sorted(path.relative_to(place / "one") for path in (place / "one").rglob("*") if path.is_file())
    assert len(files) == 12, files
    for file in files:
        assert filecmp.cmp(place / "one" / file, place / "two" / file, shallow=False), file
        if file.suffix == ".safetensors":
            check_safetensors(place / "one" / file)
        if file.suffix == ".json":
            json.loads((place / "one" / file).read_text(encoding="utf-8"))
    assert sorted(os.listdir(place)) == ["one", "two"], os.listdir(place)

    before = (place / "one" / "model_index.json").stat().st_mtime_ns
    assert make(place / "one").returncode == 0
    assert (place / "one" / "model_index.json").stat().st_mtime_ns == before, "a finished model was made again"

    (place / "file").write_text("", encoding="utf-8")
    assert make(place / "file" / "below").returncode != 0

    if "--diffusers" in sys.argv:
        import numpy
        import torch
        from diffusers import StableDiffusionPipeline

        pipeline = StableDiffusionPipeline.from_pretrained(place / "one", local_files_only=True)
        pipeline.set_progress_bar_config(disable=True)
        picture = pipeline("the moon", num_inference_steps=4, generator=torch.Generator().manual_seed(1)).images[0]
        values = numpy.asarray(picture, dtype=float)
        assert picture.size == (128, 128), picture.size
        assert 20 < values.std() and 60 < values.mean() < 200, (values.mean(), values.std())
print("the random model is sound")

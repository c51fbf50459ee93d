"""Shows that polyptych_check_layers() finds what it is for: configures small projects, each with one planted breach.

check_planted_links.py CMAKE GENERATOR REPOSITORY_ROOT
"""
import subprocess
import sys
import tempfile
from pathlib import Path

cmake, generator, root = sys.argv[1], sys.argv[2], Path(sys.argv[3])

HEAD = """cmake_minimum_required(VERSION 3.25)
project(Planted LANGUAGES NONE)
include("{module}")
add_library(polyptych_flags INTERFACE)
add_library(torchwheel_cpu INTERFACE)
add_library(torchwheel::cpu ALIAS torchwheel_cpu)
add_library(Qt6::Core INTERFACE IMPORTED GLOBAL)
add_library(Qt6::Sql INTERFACE IMPORTED GLOBAL)
add_library(Qt6::Widgets INTERFACE IMPORTED GLOBAL)
{subdirectories}
polyptych_check_layers()
"""

# name: ({folder: lines}, text expected in the error, or None where the check has to pass)
CASES = {
    "clean": ({
        "core/base": "add_library(polyptych_base INTERFACE)\ntarget_link_libraries(polyptych_base INTERFACE polyptych_flags)",
        "core/domain": "add_library(polyptych_domain INTERFACE)\ntarget_link_libraries(polyptych_domain INTERFACE polyptych_base)",
        "core/diffusion": "add_library(polyptych_diffusion INTERFACE)\n"
                          "target_link_libraries(polyptych_diffusion INTERFACE polyptych_domain torchwheel::cpu)",
        "core/library": "add_library(polyptych_library INTERFACE)\n"
                        "target_link_libraries(polyptych_library INTERFACE polyptych_domain Qt6::Sql)",
        "ui": "add_library(polyptych_ui INTERFACE)\ntarget_link_libraries(polyptych_ui INTERFACE polyptych_domain Qt6::Widgets)",
    }, None),
    "upwards": ({
        "core/pool": "add_library(polyptych_pool INTERFACE)",
        "core/protocol": "add_library(polyptych_protocol INTERFACE)\ntarget_link_libraries(polyptych_protocol INTERFACE polyptych_pool)",
    }, "polyptych_protocol links polyptych_pool"),
    "qt in the worker": ({
        "core/worker": "add_library(polyptych_worker INTERFACE)\ntarget_link_libraries(polyptych_worker INTERFACE Qt6::Core)",
    }, "polyptych_worker reaches Qt6::Core"),
    "torch through another": ({
        "core/pool": "add_library(polyptych_pool INTERFACE)\ntarget_link_libraries(polyptych_pool INTERFACE torchwheel::cpu)",
        "core/backend": "add_library(polyptych_backend INTERFACE)\ntarget_link_libraries(polyptych_backend INTERFACE polyptych_pool)",
    }, "polyptych_backend reaches torchwheel::cpu"),
    "private link": ({
        "core/domain": "add_library(polyptych_domain INTERFACE)\n"
                       "target_link_libraries(polyptych_domain INTERFACE $<LINK_ONLY:torchwheel::cpu>)",
    }, "polyptych_domain reaches torchwheel::cpu"),
    "widgets below core": ({
        "core/backend": "add_library(polyptych_backend INTERFACE)\ntarget_link_libraries(polyptych_backend INTERFACE Qt6::Widgets)",
    }, "polyptych_backend reaches Qt6::Widgets"),
    "SQL": ({
        "core/pool": "add_library(polyptych_pool INTERFACE)\ntarget_link_libraries(polyptych_pool INTERFACE Qt6::Sql)",
    }, "polyptych_pool reaches Qt6::Sql"),
    "bare file": ({
        "core/devices": "add_library(polyptych_devices INTERFACE)\n"
                        "target_link_libraries(polyptych_devices INTERFACE /usr/lib/libtorch_cpu.so)",
    }, "polyptych_devices reaches /usr/lib/libtorch_cpu.so"),
    "misnamed": ({"core/pool": "add_library(helpers INTERFACE)"}, "helpers: a target of the folder pool"),
    "folder without a rule": ({"core/newcomer": "add_library(polyptych_newcomer INTERFACE)"}, "the folder newcomer has no rule"),
    "program with torch": ({
        "app/polyptych-cli": "add_library(polyptych-cli INTERFACE)\ntarget_link_libraries(polyptych-cli INTERFACE torchwheel::cpu)",
    }, "polyptych-cli reaches torchwheel::cpu"),
    "worker with Qt": ({
        "app/polyptych-worker": "add_library(polyptych-worker INTERFACE)\ntarget_link_libraries(polyptych-worker INTERFACE Qt6::Core)",
    }, "polyptych-worker reaches Qt6::Core"),
}

failed = 0
with tempfile.TemporaryDirectory() as name:
    for case, (folders, expected) in CASES.items():
        place = Path(name) / case
        for folder, lines in folders.items():
            (place / folder).mkdir(parents=True)
            (place / folder / "CMakeLists.txt").write_text(lines + "\n", encoding="utf-8")
        (place / "CMakeLists.txt").write_text(HEAD.format(
            module=root / "packaging/cmake/PolyptychLayers.cmake",
            subdirectories="\n".join(f"add_subdirectory({folder})" for folder in folders)), encoding="utf-8")
        run = subprocess.run([cmake, "-G", generator, "-S", place, "-B", place / "build"], capture_output=True, text=True)
        said = " ".join(run.stderr.split())
        good = run.returncode == 0 if expected is None else run.returncode != 0 and expected in said
        if not good:
            failed += 1
            print(f"{case}: expected {expected or 'no complaint'}, got exit status {run.returncode}:\n{run.stderr}")
print(f"{len(CASES) - failed} of {len(CASES)} projects judged as they should be")
sys.exit(1 if failed else 0)

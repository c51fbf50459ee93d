"""Checks every #include of core/, ui/ and app/ against the dependency rule of core/README.md.

lint_includes.py ROOT               exit status 1 and a line for each breach
lint_includes.py --self-test        plants one breach of each kind in a temporary tree and expects each to be found
"""
import re
import sys
import tempfile
from pathlib import Path

STD_FOLDERS = {"prompt", "tokenizer", "protocol", "checkpoint", "picture", "devices", "cluster"}
MAY_NAME = {folder: {"base", "domain"} for folder in STD_FOLDERS}
MAY_NAME |= {
    "base": set(),
    "domain": {"base"},
    "worker": {"base", "domain", "protocol", "picture"},
    "diffusion": {"base", "domain", "checkpoint", "tokenizer"},
    "distributed": {"base", "domain", "diffusion"},
    "pool": {"base", "domain", "protocol"},
    "library": {"base", "domain"},
    "queue": {"base", "domain", "library"},
    "gallery": {"base", "domain", "picture", "library"},
    "models": {"base", "domain", "checkpoint"},
    "backend": {"base", "domain", "protocol", "pool", "devices", "library", "queue", "gallery", "models"},
    "ui": {"base", "domain", "backend", "gallery", "models", "prompt", "queue", "tokenizer"},
}
QT_FOLDERS = {"devices", "library", "queue", "pool", "gallery", "models", "backend", "ui"}
GUI_FOLDERS = {"gallery", "backend", "ui"}
SQL_FOLDERS = {"library", "queue", "gallery"}
TORCH_FOLDERS = {"diffusion", "distributed"}
JSON_FOLDERS = {"prompt", "tokenizer", "protocol", "checkpoint", "picture", "diffusion", "distributed", "app"}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)
TORCH = re.compile(r"^(ATen|c10|c10d|torch|caffe2)/")
CUDA = re.compile(r"^(cuda|cublas|cudnn|nccl|nvrtc|curand)[A-Za-z0-9_]*\.(h|cuh)$")
QT = re.compile(r"^(Qt[A-Z0-9]|Q[A-Z]|q[a-z0-9]+\.h$)")
QT_CORE_OR_NETWORK = re.compile(r"^(QtCore|QtNetwork)(/|$)")
QT_WIDGETS = re.compile(
    r"^(QtWidgets|QtSvgWidgets|QtOpenGLWidgets)(/|$)|"
    r"^Q(Application|\w*Widget|MainWindow|\w*Dialog|\w*Layout|\w*Button|Label|\w*Edit|\w*ComboBox|\w*SpinBox|\w*Slider|\w*Bar|"
    r"\w*View|\w*Delegate|Menu|Action|\w*ScrollArea|Splitter|\w*Box|Frame|ToolTip|SystemTrayIcon|Shortcut|Style\w*|Undo\w*|"
    r"GraphicsScene|GraphicsItem|SplashScreen|Completer)$")
QT_GUI = re.compile(r"^QtGui(/|$)|^Q(Image\w*|Pixmap|Icon|Painter\w*|Color|Font\w*|GuiApplication|Palette|Clipboard|Screen|Window|"
                    r"Cursor|Pen|Brush|Region|Bitmap|KeySequence|StandardItemModel|TextDocument|DesktopServices|Validator)$")
SQL = re.compile(r"^QtSql(/|$)|^QSql")
CBOR = re.compile(r"^QCbor")
TORCH_NAME = re.compile(r"\b(at|c10|torch)::[A-Za-z_]")
JSON_NAME = re.compile(r"\bnlohmann::")


def without_comments(text):
    return re.sub(r"//[^\n]*|/\*.*?\*/", lambda match: "\n" * match.group().count("\n"), text, flags=re.DOTALL)


def breaches(root):
    """A sentence for each breach under root; also how many files were read."""
    found = []
    count = 0
    jsonHeaders = set()
    files = [path for top in ("core", "ui", "app") for path in sorted((root / top).rglob("*"))
             if path.suffix in {".h", ".cpp", ".cu", ".cuh"}]
    # A header that names JSON types is its folder's own affair: no other folder may include it.
    for path in files:
        place = path.relative_to(root)
        if path.suffix == ".h" and len(place.parts) > 2 and place.parts[1] in JSON_FOLDERS and "<nlohmann/" in path.read_text(encoding="utf-8"):
            jsonHeaders.add(str(place))
    for path in files:
        count += 1
        place = path.relative_to(root)
        top = place.parts[0]
        folder = place.parts[1] if top == "core" and len(place.parts) > 2 else top
        text = path.read_text(encoding="utf-8")
        bare = without_comments(text)
        isHeader = path.suffix in {".h", ".cuh"}

        def breach(offset, reason):
            found.append(f"{place}:{text.count(chr(10), 0, offset) + 1}: {reason}")

        if top == "core" and folder not in MAY_NAME:
            breach(0, f"core/{folder} has no rule in tests/layers/lint_includes.py")
            continue
        for match in INCLUDE.finditer(text):
            name = match.group(2)
            offset = match.start(2)
            if match.group(1) == '"':
                parts = name.split("/")
                if name.endswith(".moc") or name.startswith(("moc_", "ui_", "qrc_")):
                    continue
                if parts[0] not in {"core", "ui", "app"} or ".." in parts or not (root / name).is_file():
                    breach(offset, f'"{name}" is not a file named from the repository root')
                    continue
                named = parts[1] if parts[0] == "core" else parts[0]
                if folder in {"app", named}:
                    continue
                if name in jsonHeaders:
                    breach(offset, f'"{name}" names JSON types and is for {named} alone')
                if named not in MAY_NAME[folder]:
                    breach(offset, f"{folder} names {named}; it may name {', '.join(sorted(MAY_NAME[folder])) or 'nothing'}")
                continue
            if TORCH.match(name) and folder not in TORCH_FOLDERS:
                breach(offset, f"<{name}>: only core/diffusion and core/distributed see LibTorch")
            elif CUDA.match(name) and folder not in TORCH_FOLDERS:
                breach(offset, f"<{name}>: only core/diffusion and core/distributed see CUDA")
            elif name.startswith("nlohmann/"):
                if folder not in JSON_FOLDERS:
                    breach(offset, f"<{name}>: {folder} reads no JSON by itself")
            elif name.startswith("unicode/") and folder != "tokenizer":
                breach(offset, f"<{name}>: only core/tokenizer uses ICU")
            elif name == "png.h" and folder not in {"picture", "gallery"}:
                breach(offset, f"<{name}>: only core/picture and core/gallery use libpng")
            elif QT.match(name) and not TORCH.match(name):
                if top == "app":
                    if "polyptych-worker" in place.parts:
                        breach(offset, f"<{name}>: the workers never see Qt")
                elif folder not in QT_FOLDERS:
                    breach(offset, f"<{name}>: {folder} never sees Qt")
                elif top == "core" and QT_WIDGETS.match(name):
                    breach(offset, f"<{name}>: no Widgets below core/")
                elif folder not in GUI_FOLDERS and QT_GUI.match(name):
                    breach(offset, f"<{name}>: {folder} uses Qt Core and Network alone")
                elif SQL.match(name) and folder not in SQL_FOLDERS:
                    breach(offset, f"<{name}>: only {', '.join(sorted(SQL_FOLDERS))} use SQL")
                elif CBOR.match(name) and isHeader:
                    breach(offset, f"<{name}>: no header names CBOR types")
        if isHeader and folder not in TORCH_FOLDERS:
            match = TORCH_NAME.search(bare)
            if match:
                line = bare.count("\n", 0, match.start()) + 1
                found.append(f"{place}:{line}: a header outside core/diffusion and core/distributed names {match.group()}...")
        if isHeader and str(place) not in jsonHeaders:
            match = JSON_NAME.search(bare)
            if match:
                found.append(f"{place}:{bare.count(chr(10), 0, match.start()) + 1}: a header names a type of nlohmann")
    return found, count


PLANTED = {
    "core/base/a.cpp": ('#include "core/domain/d.h"\n', "base names domain"),
    "core/domain/d.h": ("#include <QString>\n", "domain never sees Qt"),
    "core/worker/j.cpp": ('#include "core/protocol/json.h"\n', "is for protocol alone"),
    "core/protocol/p.cpp": ('#include "core/pool/q.h"\n', "protocol names pool"),
    "core/pool/q.h": ("#include <nlohmann/json.hpp>\n", "pool reads no JSON"),
    "core/pool/r.cpp": ("#include <nlohmann/json.hpp>\n", "pool reads no JSON"),
    "core/worker/w.cpp": ("#  include  <ATen/core/Tensor.h>\n", "see LibTorch"),
    "core/worker/w.h": ("namespace at { class Tensor; }\nvoid f(const at::Tensor&);\n", "names at::T"),
    "core/checkpoint/c.h": ("nlohmann::json f();\n", "a type of nlohmann"),
    "core/diffusion/e.cpp": ('#include "core/worker/w.h"\n', "diffusion names worker"),
    "core/devices/n.cpp": ("#include <QImage>\n", "Qt Core and Network alone"),
    "core/backend/b.cpp": ("#include <QMessageBox>\n", "no Widgets below core/"),
    "core/gallery/g.cpp": ("#include <cuda_runtime.h>\n", "see CUDA"),
    "core/models/m.cpp": ('#include "../base/a.h"\n', "not a file named from the repository root"),
    "core/prompt/t.cpp": ("#include <unicode/uchar.h>\n", "uses ICU"),
    "core/tokenizer/z.cpp": ("#include <png.h>\n", "use libpng"),
    "core/models/s.cpp": ("#include <QSqlQuery>\n", "use SQL"),
    "core/backend/c.h": ("#include <QCborMap>\n", "no header names CBOR"),
    "core/newcomer/x.cpp": ("\n", "core/newcomer has no rule"),
    "ui/window.cpp": ('#include "core/pool/q.h"\n', "ui names pool"),
    "app/polyptych-worker/main.cpp": ("#include <QObject>\n", "the workers never see Qt"),
}
CLEAN = {
    "core/base/ok.h": "#include <string>\n// #include text in a comment: at::Tensor\n",
    "core/domain/ok.h": '#include "core/base/ok.h"\n',
    "core/diffusion/ok.h": '#include <ATen/core/Tensor.h>\n#include "core/checkpoint/ok.h"\n',
    "core/checkpoint/ok.h": '#include "core/domain/ok.h"\n',
    "core/checkpoint/ok.cpp": '#include "core/checkpoint/ok.h"\n\n#include <nlohmann/json.hpp>\n',
    "core/protocol/json.h": "#include <nlohmann/json_fwd.hpp>\nvoid f(const nlohmann::json&);\n",
    "core/library/ok.cpp": "#include <QSqlQuery>\n",
    "ui/ok.cpp": "#include <QLabel>\n",
    "app/polyptych-cli/main.cpp": '#include <QCoreApplication>\n#include "core/diffusion/ok.h"\n#include "main.moc"\n',
}


def self_test():
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for place, text in CLEAN.items():
            (root / place).parent.mkdir(parents=True, exist_ok=True)
            (root / place).write_text(text, encoding="utf-8")
        found, count = breaches(root)
        assert not found and count == len(CLEAN), (found, count)
        for place, (text, _) in PLANTED.items():
            (root / place).parent.mkdir(parents=True, exist_ok=True)
            (root / place).write_text(text, encoding="utf-8")
        found, _ = breaches(root)
        for place, (_, reason) in PLANTED.items():
            assert any(line.startswith(place + ":") and reason in line for line in found), f"not found: {place}: {reason}"
        assert len(found) == len(PLANTED), [line for line in found if line.split(":")[0] not in PLANTED]
    print(f"every one of {len(PLANTED)} planted breaches was found")


if __name__ == "__main__":
    if sys.argv[1:] == ["--self-test"]:
        self_test()
    else:
        lines, files = breaches(Path(sys.argv[1]).resolve())
        print("\n".join(lines) if lines else f"{files} files keep the rule")
        sys.exit(1 if lines or files == 0 else 0)

"""The Python that has the other frameworks."""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def peers_python():
    """Made in build/peers from requirements.txt, unless RATNET_PEERS_PYTHON names one."""
    named = os.environ.get("RATNET_PEERS_PYTHON")
    if named:
        return named
    folder = ROOT / "build" / "peers"
    done = folder / "requirements.txt"
    wanted = (HERE / "requirements.txt").read_text()
    if not done.exists() or done.read_text() != wanted:
        print(f"installing {' '.join(wanted.split())} into {folder.relative_to(ROOT)}")
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = [folder / "bin" / "python", "-m", "pip", "install", "-q", "-r"]
        subprocess.run([*pip, HERE / "requirements.txt"], check=True)
        done.write_text(wanted)
    return str(folder / "bin" / "python")

"""The Pythons that have the other frameworks."""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def made_here(requirements):
    """A Python in build/, made from a file of requirements."""
    folder = ROOT / "build" / requirements.replace("requirements", "peers").removesuffix(".txt")
    done = folder / requirements
    wanted = (HERE / requirements).read_text()
    if not done.exists() or done.read_text() != wanted:
        print(f"installing {' '.join(wanted.split())} into {folder.relative_to(ROOT)}")
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = [folder / "bin" / "python", "-m", "pip", "install", "-q", "-r"]
        subprocess.run([*pip, HERE / requirements], check=True)
        done.write_text(wanted)
    return str(folder / "bin" / "python")


def peers_python():
    """Made in build/peers from requirements.txt, unless RATNET_PEERS_PYTHON names one."""
    return os.environ.get("RATNET_PEERS_PYTHON") or made_here("requirements.txt")


def tensorflow_python():
    """TensorFlow wants other versions of what the rest needs, hence a Python of its own, which
    RATNET_PEERS_TENSORFLOW names. Where only the other one is named, there is none: None."""
    named = os.environ.get("RATNET_PEERS_TENSORFLOW")
    if named or os.environ.get("RATNET_PEERS_PYTHON"):
        return named
    return made_here("requirements_tensorflow.txt")

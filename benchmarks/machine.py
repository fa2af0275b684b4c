"""What seconds depend on: processor, threads, versions, commit."""

import json
import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = [
    "sklinear",
    "numpy",
    "scipy",
    "scikit-learn",
    "scikit-learn-intelex",
    "cyanure",
    "python-glmnet",
    "adelie",
    "skglm",
    "snapml",
    "liblinear-official",
    "benchopt",
]


def processor():
    """The processor's name where the system tells it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(": ")[1] for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def versions():
    """Those of the packages that are installed."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found


def commit():
    """The commit that is checked out, with a plus where files differ from it."""
    command = ["git", "describe", "--always", "--abbrev=7", "--exclude=*", "--dirty=+"]
    done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True)
    return done.stdout.strip()


def facts(**more):
    """All of them, in one dict."""
    return more | {
        "processor": processor(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "commit": commit(),
        "versions": versions(),
    }


def record(path, threads, limit):
    """Write them beside the results."""
    path.write_text(json.dumps(facts(threads=threads, limit=limit), indent=2) + "\n")

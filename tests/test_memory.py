"""What is freed stays for the next arrays."""

import os
import platform
import subprocess
import sys

import pytest

# Six arrays are 6,000 pages; kept, they are cleared once.
ROUNDS = """
import resource
import numpy as np
{first}

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def touched():
    before = faults()
    arrays = [np.ones(500_000) for _ in range(6)]
    del arrays
    return faults() - before

for _ in range(3):
    touched()
print(touched())
"""


def faults_of_a_round(first):
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MALLOC_", "GLIBC_"))}
    command = [sys.executable, "-c", ROUNDS.format(first=first)]
    return int(subprocess.run(command, capture_output=True, env=environment, check=True).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="of the allocator of glibc")
def test_freed_arrays_are_not_cleared_again():
    assert faults_of_a_round("import sklinear") < 0.1 * faults_of_a_round("")

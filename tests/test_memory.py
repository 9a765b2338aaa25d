"""Freed memory that is kept: what is taken again costs no page fault."""

import json
import platform
import subprocess
import sys

import pytest

PROBE = """
import json, resource, sys
import torch
from photochrom.memory import keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        torch.empty(2**26, dtype=torch.uint8).fill_(1)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

torch.set_num_threads(1)
first, kept = faults(), keep_freed_memory()
faults()
print(json.dumps([first, kept, faults()]))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told to")
def test_memory_that_is_freed_is_taken_again_without_page_faults() -> None:
    """In a process of its own: what glibc is told cannot be taken back."""
    done = subprocess.run([sys.executable, "-c", PROBE], check=True, capture_output=True, text=True)
    before, kept, after = json.loads(done.stdout)
    assert kept
    # A page has 4 KiB, 64 or, where the system joins them, 2 MiB; the block has 64 MiB.
    assert before >= 10 * 32
    assert after < before / 10

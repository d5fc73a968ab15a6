"""What exists when a server starts does not put off the collection of what comes later."""

import subprocess
import sys

PROGRAM = """
import gc, sys
from services.node.engine.collector import set_apart

exists = [[] for _ in range(400_000)]
if sys.argv[1] == "apart":
    set_apart()
else:
    gc.collect()
before = gc.get_stats()[2]["collections"]
for _ in range(300):
    wave = [[] for _ in range(1_000)]
print(gc.get_stats()[2]["collections"] - before)
"""


def full_collections(kind):
    command = [sys.executable, "-c", PROGRAM, kind]
    return int(subprocess.run(command, capture_output=True, check=True, text=True).stdout)


def test_full_collections_come_though_little_is_added_to_what_exists():
    assert full_collections("as it is") == 0
    assert full_collections("apart") >= 1

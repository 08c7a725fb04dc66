import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]

SCRIPT = """
import sys

class Wall:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "exporters"):
            raise ImportError(f"{name} is walled off")

sys.meta_path.insert(0, Wall())
for name in ("torch", "exporters"):
    try:
        __import__(name)
    except ImportError as error:
        print(error)
import server.cli
print(sorted(name for name in sys.modules if name.partition(".")[0] in ("torch", "exporters")))
print(callable(server.cli.main))
"""


def test_the_command_starts_where_torch_and_the_exporters_cannot_be_imported() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["torch is walled off", "exporters is walled off", "[]", "True"]

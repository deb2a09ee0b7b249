"""A review as JSON without its tentative findings: what `make corpus` scores.

python ecosystem/firm.py PATH
"""

from __future__ import annotations

import json
import subprocess
import sys


def main(path: str) -> int:
    """Print the report; the exit code is the review's own where that is an error."""
    command = [sys.executable, "-m", "fastapi_architect", "review", path, "--format", "json", "--no-cache"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    if done.returncode > 1:
        return done.returncode
    report = json.loads(done.stdout)
    report["findings"] = [each for each in report["findings"] if each["confidence"] != "tentative"]
    json.dump(report, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

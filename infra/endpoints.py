"""Writes the part of botocore's endpoints file that the functions need: `python -m infra.endpoints`.

botocore (Apache-2.0) reads the endpoints of every service of AWS, 1.25 MB of JSON, whenever it makes a client.
That is more than a tenth of a cold start. The functions carry the entries of the services that they use.
"""

import json
from pathlib import Path

import botocore

SERVICES = ("application-autoscaling", "dynamodb", "ecs", "elasticloadbalancing", "events", "sns")
WITHOUT = ("aidevops", "ec2", "logs", "secretsmanager", "sqs", "tagging")
"""Used as well, rarely; botocore makes the same clients of them without an entry, so a cold start reads none."""
TARGET = Path(__file__).parent.parent / "lambdas" / "loopbreaker" / "aws" / "data" / "endpoints.json"


def trimmed() -> str:
    """The file's text, from the installed botocore."""
    source = Path(botocore.__file__).parent / "data" / "endpoints.json"
    endpoints = json.loads(source.read_text(encoding="utf-8"))
    for partition in endpoints["partitions"]:
        partition["services"] = {
            name: partition["services"][name] for name in SERVICES if name in partition["services"]
        }
    return json.dumps(endpoints, separators=(",", ":"), sort_keys=True) + "\n"


if __name__ == "__main__":
    TARGET.write_text(trimmed(), encoding="utf-8")

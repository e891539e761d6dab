"""The hub's table: one item per incident, and the hub's topic.

pk = cluster ARN # service name, or the alarm's place and name   sk = INCIDENT#<name of the incident>
`open` = OPEN and `at` are the key of the sparse index `open`: the loops that go on.
"""

import json
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from loopbreaker.aws.pages import items
from loopbreaker.hub.letters import write
from loopbreaker.hub.news import News

INDEX = "open"
_OPEN = "OPEN"
_KEEP = 400 * 86_400


class HubTable:
    """The ledger of `gather`, on DynamoDB."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name

    def newest(self, news: News) -> tuple[float, int] | None:
        found = self._client.get_item(TableName=self._name, Key=_key(news), ConsistentRead=True).get("Item")
        return (float(found["at"]["N"]), int(found["number"]["N"])) if found else None

    def keep(self, news: News) -> None:
        try:
            self._client.put_item(
                TableName=self._name,
                Item=_item(news),
                ConditionExpression="attribute_not_exists(pk) OR #at < :at OR (#at = :at AND #number < :number)",
                ExpressionAttributeNames={"#at": "at", "#number": "number"},
                ExpressionAttributeValues={":at": {"N": _number(news.at)}, ":number": {"N": str(news.number)}},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise

    def open(self) -> Iterator[dict[str, Any]]:
        """What loops or is held now, the longest without news first: plain values by their names."""
        found = items(
            self._client.query,
            TableName=self._name,
            IndexName=INDEX,
            KeyConditionExpression="#open = :open",
            ExpressionAttributeNames={"#open": "open"},
            ExpressionAttributeValues={":open": {"S": _OPEN}},
        )
        for item in found:
            yield json.loads(item["body"]["S"])


class HubTopic:
    """The people of `gather`, who read the hub's topic."""

    def __init__(self, client: Any, topic: str) -> None:
        self._client = client
        self._topic = topic

    def tell(self, news: News) -> None:
        letter = write(news)
        self._client.publish(
            TopicArn=self._topic,
            Subject=letter.subject,
            Message=letter.text,
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value} for name, value in letter.attributes.items()
            },
        )


def _item(news: News) -> dict[str, Any]:
    body = {
        "account": news.account,
        "region": news.region,
        "name": news.name,
        "transition": news.transition,
        "state": news.state,
        "reason": news.reason,
        "category": news.category,
        "failed_tasks": news.failed_tasks,
        "began_at": news.began_at,
        "at": news.at,
        "dollars_per_day": news.dollars_per_day,
    }
    return {
        **_key(news),
        "at": {"N": _number(news.at)},
        "number": {"N": str(news.number)},
        "body": {"S": json.dumps(body)},
        "expires_at": {"N": str(int(news.at + _KEEP))},
        **({"open": {"S": _OPEN}} if news.open else {}),
    }


def _key(news: News) -> dict[str, Any]:
    return {"pk": {"S": news.key}, "sk": {"S": f"INCIDENT#{news.incident}"}}


def _number(value: float) -> str:
    return f"{value:.6f}"

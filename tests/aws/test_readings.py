"""What no event tells of is read: restarts inside tasks, services that run nothing, tags. Whole pages, and no more."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from loopbreaker.aws.empty import empty_services
from loopbreaker.aws.pages import items
from loopbreaker.aws.restarts import restarts
from loopbreaker.aws.tagging import tagged_services
from loopbreaker.model import ServiceRef
from tests.aws.fake_clients import FakeClient, refusal

HERE = "arn:aws:ecs:eu-west-1:123456789012"
NOW = 1_767_225_600.0 + 420
QUARTER = 900.0


# -- restarts inside tasks ----------------------------------------------------------------------------------


def metric(cluster: str, service: str, **more: str) -> dict[str, Any]:
    named = {"ServiceName": service, "ClusterName": cluster} | more
    return {"Dimensions": [{"Name": name, "Value": value} for name, value in named.items()]}


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(NOW - 420 + seconds, UTC)


def read_restarts(metrics: list[list[Any]], values: list[list[Any]]) -> tuple[Any, FakeClient]:
    """What is found where both calls answer in these pages."""

    def page_of(pages: list[list[Any]], name: str, token: str) -> dict[str, Any]:
        number = int(token)
        return {name: pages[number]} | ({"NextToken": str(number + 1)} if number + 1 < len(pages) else {})

    client = FakeClient(
        "cloudwatch",
        list_metrics=lambda **asked: page_of(metrics, "Metrics", asked.get("NextToken", "0")),
        get_metric_data=lambda **asked: page_of(values, "MetricDataResults", asked.get("NextToken", "0")),
    )
    found = restarts(client, clusters=f"{HERE}:cluster/", now=NOW)
    return {service: times for some in found for service, times in some}, client


def test_each_restart_of_the_last_hour_has_a_time_of_its_own() -> None:
    """Those of one period a second apart, so that whoever reads again finds the same ones; in order, over pages."""
    first = [{"Id": "r0", "Timestamps": [at(300), at(0)], "Values": [2.0, 3.0]}]
    more = [{"Id": "r0", "Timestamps": [at(-300)], "Values": [1.0]}, {"Id": "r2", "Timestamps": [], "Values": []}]
    found, client = read_restarts(
        [[metric("prod", "web")], [metric("prod", "api"), metric("dev", "web")]], [first, more]
    )
    times = [time - (NOW - 420) for time in found.pop(ServiceRef(f"{HERE}:cluster/prod", "web"))]
    assert times == [-300, 0, 1, 2, 300, 301]
    assert found == {}, "of whom nothing restarted there is nothing to say"
    asked = [parameters for name, parameters in client.calls if name == "get_metric_data"]
    assert [(one["StartTime"], one["EndTime"]) for one in asked] == [(NOW - 420 + 600 - 3600, NOW - 420 + 600)] * 2
    stats = [query["MetricStat"] for query in asked[0]["MetricDataQueries"]]
    assert {(stat["Metric"]["MetricName"], stat["Period"], stat["Stat"]) for stat in stats} == {
        ("RestartCount", 300, "Sum")
    }
    names = [{one["Name"]: one["Value"] for one in stat["Metric"]["Dimensions"]} for stat in stats]
    assert [(one["ClusterName"], one["ServiceName"]) for one in names] == [
        ("prod", "web"),
        ("prod", "api"),
        ("dev", "web"),
    ]


def test_a_period_full_of_restarts_counts_as_many_as_are_remembered() -> None:
    """More than 96 are as good as those."""
    found, _ = read_restarts(
        [[metric("prod", "web")]], [[{"Id": "r0", "Timestamps": [at(0)], "Values": [5_000_000.0]}]]
    )
    assert [len(times) for times in found.values()] == [96]


def test_restarts_are_counted_of_services_alone() -> None:
    """The same metric is there by task definition, and by container: each restart counts once."""
    metrics = [
        metric("prod", "web", TaskDefinitionFamily="web"),
        {"Dimensions": [{"Name": "ClusterName", "Value": "x"}]},
    ]
    found, client = read_restarts([metrics], [[]])
    assert found == {}
    [(name, asked)] = client.calls
    assert (name, asked["Namespace"], asked["MetricName"]) == ("list_metrics", "ECS/ContainerInsights", "RestartCount")
    assert {one["Name"] for one in asked["Dimensions"]} == {"ClusterName", "ServiceName"}
    assert asked["RecentlyActive"] == "PT3H", "what once had a policy is not asked about for two weeks"


def test_five_hundred_services_are_asked_about_at_once() -> None:
    """As many as GetMetricData takes; what restarted is told of the right one."""
    metrics = [[metric("prod", f"s{n}") for n in range(501)]]
    last = [{"Id": "r0", "Timestamps": [at(0)], "Values": [1.0]}]
    found, client = read_restarts(metrics, [last])
    sizes = [len(asked["MetricDataQueries"]) for name, asked in client.calls if name == "get_metric_data"]
    assert sizes == [500, 1]
    assert {service.name for service in found} == {"s0", "s500"}


# -- services that run nothing ------------------------------------------------------------------------------


def described(name: str, **fields: Any) -> dict[str, Any]:
    known = {"schedulingStrategy": "REPLICA", "status": "ACTIVE", "desiredCount": 1, "runningCount": 0}
    return {"serviceName": name} | known | fields


class Clusters:
    """An account with so many services of a kind in each of its clusters, in pages of 25."""

    def __init__(self, services: dict[str, list[dict[str, Any]]], *, gone: str = "") -> None:
        self.services, self.gone = services, gone
        self.client = FakeClient(
            "ecs", list_clusters=self._clusters, list_services=self._listed, describe_services=self._described
        )

    def asked_about(self) -> list[list[str]]:
        return [asked["services"] for name, asked in self.client.calls if name == "describe_services"]

    def _clusters(self, **asked: str) -> dict[str, Any]:
        arns = [f"{HERE}:cluster/{name}" for name in self.services]
        number = int(asked.get("nextToken", "0"))
        more = {"nextToken": str(number + 1)} if number + 1 < len(arns) else {}
        return {"clusterArns": arns[number : number + 1]} | more

    def _listed(self, cluster: str, **asked: Any) -> dict[str, Any]:
        name = cluster.rsplit("/", 1)[-1]
        if name == self.gone:
            raise refusal("ClusterNotFoundException", "ListServices")
        assert asked["maxResults"] == 100
        arns = [f"{HERE}:service/{name}/{one['serviceName']}" for one in self.services[name]]
        start = int(asked.get("nextToken", "0"))
        return {"serviceArns": arns[start : start + 25]} | (
            {"nextToken": str(start + 25)} if start + 25 < len(arns) else {}
        )

    def _described(self, cluster: str, services: list[str]) -> dict[str, Any]:
        assert len(services) <= 10, "DescribeServices refuses more"
        names = {arn.rsplit("/", 1)[-1] for arn in services}
        return {"services": [one for one in self.services[cluster.rsplit("/", 1)[-1]] if one["serviceName"] in names]}


@pytest.mark.parametrize(
    ("fields", "is_empty"),
    [
        ({}, True),
        ({"desiredCount": 2, "pendingCount": 2}, True),
        ({"runningCount": 1}, False),
        ({"desiredCount": 0}, False),
        ({"status": "DRAINING"}, False),
        ({"schedulingStrategy": "DAEMON"}, False),
    ],
)
def test_which_services_are_empty(fields: dict[str, Any], is_empty: bool) -> None:
    """Those that shall run tasks and run none; a daemon runs where there are instances, and may run nowhere."""
    found = [
        one for some in empty_services(Clusters({"prod": [described("web", **fields)]}).client, now=NOW) for one in some
    ]
    assert found == ([ServiceRef(f"{HERE}:cluster/prod", "web")] if is_empty else [])


def test_an_answer_that_says_little_is_no_empty_service() -> None:
    """Neither one without counts nor one without a status; without a kind it is a plain one."""
    plain = described("plain")
    del plain["schedulingStrategy"]
    little = [{"serviceName": "one"}, {"serviceName": "two", "status": "ACTIVE"}, plain]
    uncounted = {"serviceName": "three", "status": "ACTIVE", "desiredCount": 1}
    found = [
        one.name for some in empty_services(Clusters({"prod": [*little, uncounted]}).client, now=NOW) for one in some
    ]
    assert found == ["plain", "three"]


def test_every_service_of_every_cluster_is_asked_about_once() -> None:
    """Ten at a time, wherever the reading begins, however many pages there are; a cluster that is gone has none."""
    services = {
        name: [described(f"{name}-{n}") for n in range(number)] for name, number in (("a", 62), ("b", 0), ("c", 3))
    }
    account = Clusters(services | {"gone": [described("x")]}, gone="gone")
    found = Counter(one.name for some in empty_services(account.client, now=NOW) for one in some)
    assert found == {one["serviceName"]: 1 for name in services for one in services[name]}
    assert len(account.asked_about()) == 3 + 3 + 2 + 1


def test_whoever_has_time_for_a_tenth_has_asked_about_all_of_them_within_hours() -> None:
    """Each reading begins elsewhere, and readings within one quarter of an hour at the same place."""
    account = Clusters({"prod": [described(f"s{n:03d}") for n in range(200)]})

    def some(now: float) -> list[str]:
        account.client.calls.clear()
        reading = empty_services(account.client, now=now)
        while len(account.asked_about()) < 2:
            next(reading)
        return [arn for asked in account.asked_about() for arn in asked]

    assert some(NOW) == some(NOW + QUARTER - 421) != some(NOW + QUARTER)
    assert len({arn for n in range(24) for arn in some(NOW + n * QUARTER)}) == 200


def test_whoever_runs_out_of_time_while_clusters_are_listed_can_stop() -> None:
    """After each of them, before any service is asked about."""
    account = Clusters({name: [described(name)] for name in "abc"})
    reading = empty_services(account.client, now=NOW)
    assert [next(reading) for _ in range(3)] == [(), (), ()]
    assert account.asked_about() == []


@pytest.mark.parametrize("call", ["list_services", "describe_services"])
def test_only_a_deleted_cluster_is_passed_over(call: str) -> None:
    """Every other refusal is a fault, and said."""
    for code, is_fault in (("ClusterNotFoundException", False), ("AccessDeniedException", True)):
        account = Clusters({"prod": [described("web")]})
        account.client._answers[call] = refusal(code)
        if is_fault:
            with pytest.raises(ClientError, match=code):
                list(empty_services(account.client, now=NOW))
        else:
            assert not any(empty_services(account.client, now=NOW))


# -- tags ---------------------------------------------------------------------------------------------------


def test_the_tags_of_every_service_are_read() -> None:
    """Page by page, a hundred at once; what is no service is passed over."""
    arns = [f"{HERE}:service/prod/web", f"{HERE}:service/old", f"{HERE}:service/prod/api"]
    tags = [{"Key": "loopbreaker:action", "Value": "stop"}]

    def answer(**asked: Any) -> dict[str, Any]:
        number = int(asked.pop("PaginationToken", "0"))
        assert asked == {"ResourceTypeFilters": ["ecs:service"], "ResourcesPerPage": 100}
        of = [{"ResourceARN": arns[number]} | ({"Tags": tags} if number == 0 else {})]
        return {"ResourceTagMappingList": of, "PaginationToken": str(number + 1) if number < 2 else ""}

    found = dict(tagged_services(FakeClient("resourcegroupstaggingapi", get_resources=answer)))
    prod = f"{HERE}:cluster/prod"
    assert found == {ServiceRef(prod, "web"): {"loopbreaker:action": "stop"}, ServiceRef(prod, "api"): {}}


def test_a_query_goes_on_where_its_page_ended() -> None:
    """The key at which DynamoDB stopped is where it begins again."""
    pages: list[dict[str, Any]] = [
        {"Items": [{"pk": {"S": "1"}}], "LastEvaluatedKey": {"pk": {"S": "1"}}},
        {"Items": [{"pk": {"S": "2"}}]},
    ]
    client = FakeClient("dynamodb", scan=lambda **asked: pages["ExclusiveStartKey" in asked])
    assert [item["pk"]["S"] for item in items(client.scan, TableName="records")] == ["1", "2"]
    assert client.calls[1][1]["ExclusiveStartKey"] == {"pk": {"S": "1"}}

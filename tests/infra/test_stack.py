"""What the template says about code, environment, storage and encryption."""

import json
from base64 import b64encode
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from moto.events.models import EventPattern

from handlers.settings import Settings
from infra.asset import LAMBDAS
from loopbreaker import VERSION
from loopbreaker.aws.store import to_item
from loopbreaker.model import ServiceRef
from loopbreaker.remembering.notice import NoticeKind
from loopbreaker.remembering.owed import tell
from loopbreaker.remembering.record import Record
from tests.infra.resources import function_ids, functions, of_type, referenced

Json = dict[str, Any]

NEEDS = {
    "detect": ("TABLE_NAME", "POLICY"),
    "respond": ("TABLE_NAME", "INDEX_NAME", "POLICY", "ACTION"),
    "sweep": ("TABLE_NAME", "INDEX_NAME", "POLICY"),
    "draw": ("TABLE_NAME", "INDEX_NAME"),
    "notify": ("TOPIC_ARN", "EVENT_BUS_NAME", "TABLE_NAME", "POLICY"),
}


def environment(template: Json, function: str) -> dict[str, str]:
    """Variables of a function, tokens replaced by text."""
    variables = functions(template)[function]["Environment"]["Variables"]
    return {name: value if isinstance(value, str) else "token" for name, value in variables.items()}


@pytest.mark.parametrize("function", NEEDS)
@pytest.mark.parametrize("mode", ["alert", "stop"])
def test_the_environment_is_what_the_settings_read(templates: dict[str, Json], mode: str, function: str) -> None:
    """Each function's variables make valid settings, with the mode and the policy that were deployed."""
    settings = Settings.from_env(environment(templates[mode], function), needs=NEEDS[function])
    assert settings.mode.value == (mode if function == "respond" else "alert")
    assert settings.policy.fast.depth == 4


def test_every_function_logs_under_one_name(template: Json) -> None:
    """Logs and metrics of all functions carry the same service and namespace."""
    for function in NEEDS:
        variables = environment(template, function)
        assert variables["POWERTOOLS_SERVICE_NAME"] == "loopbreaker"
        assert variables["POWERTOOLS_METRICS_NAMESPACE"] == "Loopbreaker"
        assert variables["POWERTOOLS_LOG_LEVEL"] == "INFO"


def test_every_handler_is_a_function_that_ships(template: Json) -> None:
    """Each handler string names a file under lambdas/ that defines `handler`."""
    for function in functions(template).values():
        *module, name = function["Handler"].split(".")
        source = Path(LAMBDAS, *module).with_suffix(".py")
        assert f"def {name}(" in source.read_text()


def test_all_functions_ship_one_package(template: Json) -> None:
    """One upload: every function's code is the same object."""
    codes = {json.dumps(function["Code"], sort_keys=True) for function in functions(template).values()}
    assert len(codes) == 1


def test_all_functions_run_python_3_13_on_arm(template: Json) -> None:
    """The runtime is the one the package's bytecode is for."""
    for function in functions(template).values():
        assert (function["Runtime"], function["Architectures"]) == ("python3.13", ["arm64"])
        assert 256 <= function["MemorySize"] <= 512


def test_the_queue_waits_longer_than_detect_may_take(template: Json) -> None:
    """AWS docs, "Using Lambda with Amazon SQS": the visibility timeout is at least six timeouts and the window."""
    (mapping,) = [m for m in of_type(template, "AWS::Lambda::EventSourceMapping").values() if "ScalingConfig" in m]
    (queue,) = referenced(mapping["EventSourceArn"])
    visible_after = template["Resources"][queue]["Properties"]["VisibilityTimeout"]
    timeout = functions(template)["detect"]["Timeout"]
    assert visible_after >= 6 * timeout + mapping["MaximumBatchingWindowInSeconds"]
    assert (mapping["BatchSize"], mapping["ScalingConfig"]) == (100, {"MaximumConcurrency": 5})


def stream_filters(template: Json) -> dict[str, str]:
    """The pattern by which each function on the stream chooses its records."""
    names = function_ids(template)
    return {
        names[next(iter(referenced(mapping["FunctionName"])))]: mapping["FilterCriteria"]["Filters"][0]["Pattern"]
        for mapping in of_type(template, "AWS::Lambda::EventSourceMapping").values()
        if "FilterCriteria" in mapping
    }


def test_respond_and_notify_follow_the_record_alone(template: Json) -> None:
    """Evidence does not invoke anybody: both see saved SERVICE records, by an attribute that is a leaf."""
    record = {"sk": {"S": ["SERVICE"]}}
    exists = {"N": [{"exists": True}]}
    assert {name: json.loads(pattern) for name, pattern in stream_filters(template).items()} == {
        "respond": {"dynamodb": {"Keys": record, "NewImage": {"asked_at": exists}}},
        "notify": {"dynamodb": {"Keys": record, "NewImage": {"notice_number": exists}}},
    }


IDLE = Record(service=ServiceRef(cluster_arn="arn:aws:ecs:eu-west-1:123456789012:cluster/prod", name="web"))
STEPS: dict[str, tuple[Record, set[str]]] = {
    "nothing to do": (IDLE, set()),
    "respond is to look": (replace(IDLE, asked_at=1.0), {"respond"}),
    "a message is owed": (tell(IDLE, NoticeKind.LOOPING, at=1.0, reason="three in a row"), {"notify"}),
}


@pytest.mark.parametrize("name", STEPS)
def test_a_saved_record_invokes_whom_it_concerns(template: Json, name: str) -> None:
    """What the store writes and what the filters look for are the same attributes."""
    record, invoked = STEPS[name]
    item = to_item(record)
    # The event of a stream has bytes as text.
    item["body"] = {"B": b64encode(item["body"]["B"]).decode()}
    seen: Any = {"dynamodb": {"Keys": {"pk": item["pk"], "sk": item["sk"]}, "NewImage": item}}
    filters = stream_filters(template)
    assert {who for who, pattern in filters.items() if EventPattern.load(pattern).matches_event(seen)} == invoked


def test_the_table_is_what_the_functions_expect(template: Json) -> None:
    """Keys, sparse index, stream and expiry have the names the store uses; the data survives the stack."""
    (resource,) = [item for item in template["Resources"].values() if item["Type"] == "AWS::DynamoDB::Table"]
    table = resource["Properties"]
    assert table["KeySchema"] == [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ]
    (index,) = table["GlobalSecondaryIndexes"]
    assert index["IndexName"] == "due"
    assert [key["AttributeName"] for key in index["KeySchema"]] == ["due_shard", "due_at"]
    assert index["Projection"] == {"ProjectionType": "KEYS_ONLY"}
    assert table["AttributeDefinitions"][-1] == {"AttributeName": "due_at", "AttributeType": "N"}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert (resource["DeletionPolicy"], table["DeletionProtectionEnabled"]) == ("Retain", True)


def test_every_log_group_is_kept_for_the_time_chosen(template: Json) -> None:
    """Each function writes to a log group of its own, and none keeps its logs for ever."""
    groups = of_type(template, "AWS::Logs::LogGroup")
    used = {id_ for function in functions(template).values() for id_ in referenced(function["LoggingConfig"])}
    assert used == set(groups)
    assert len(groups) == len(functions(template))
    assert {group["RetentionInDays"] for group in groups.values()} == {14}


def test_every_queue_is_encrypted_and_tls_only(template: Json) -> None:
    """No message lies or travels in the clear."""
    queues = of_type(template, "AWS::SQS::Queue")
    assert all(queue["SqsManagedSseEnabled"] is True for queue in queues.values())
    policies = of_type(template, "AWS::SQS::QueuePolicy").values()
    guarded = {id_ for policy in policies if refuses_plain(policy) for id_ in referenced(policy["Queues"])}
    assert guarded == set(queues)


def test_the_topic_is_encrypted_and_tls_only(template: Json) -> None:
    """The topic is under a key of the stack that rotates and that alarms of this account may use."""
    (topic,) = of_type(template, "AWS::SNS::Topic").values()
    ((id_, key),) = of_type(template, "AWS::KMS::Key").items()
    assert list(referenced(topic["KmsMasterKeyId"])) == [id_]
    assert key["EnableKeyRotation"] is True
    (policy,) = of_type(template, "AWS::SNS::TopicPolicy").values()
    assert refuses_plain(policy)
    for statements in (policy["PolicyDocument"]["Statement"], key["KeyPolicy"]["Statement"]):
        (alarms,) = [s for s in statements if s["Principal"] == {"Service": "cloudwatch.amazonaws.com"}]
        assert alarms["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_people_are_subscribed(template: Json) -> None:
    """Mail addresses and https endpoints of the configuration are subscribers of the topic."""
    found = {(item["Protocol"], item["Endpoint"]) for item in of_type(template, "AWS::SNS::Subscription").values()}
    assert found == {("email", "ops@example.com"), ("https", "https://example.com/hook")}


def test_the_outputs_say_what_tools_need(templates: dict[str, Json]) -> None:
    """The command line finds table, topic, queues and mode in the outputs."""
    for mode, template in templates.items():
        names = {"TopicArn", "TableName", "EventQueueUrl", "EventDeadLetterQueueUrl", "Mode", "Version", "Recipients"}
        assert set(template["Outputs"]) == names
        assert template["Outputs"]["Mode"]["Value"] == mode
        assert template["Outputs"]["Version"]["Value"] == VERSION
        assert template["Outputs"]["Recipients"]["Value"] == "mail ops@example.com, https https://example.com/hook"
        assert VERSION in template["Description"]


def refuses_plain(policy: Json) -> bool:
    """Whether a resource policy denies everybody everything that comes without TLS."""
    return any(
        statement["Effect"] == "Deny" and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        for statement in policy["PolicyDocument"]["Statement"]
    )

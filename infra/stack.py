"""The stack, in the order an event takes.

ECS ─ rules ─ queue ─▶ detect ─▶ table ─ stream ─▶ respond ─▶ table ─ stream ─▶ notify ─▶ topic, event bus
                                   ▲                                              └─ queue ─▶ chat, webhook ─▶ Slack
              clock (each minute) ─ sweep
"""

from collections.abc import Iterator
from pathlib import Path

from aws_cdk import Annotations, Aws, CfnOutput, Duration, Stack
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from loopbreaker import VERSION
from loopbreaker.policy import Mode

from .alarms import Alarms
from .channels import TRIES, AmazonQ, Investigations, Outlet
from .clock import Clock
from .config import StackConfig
from .dashboard import Dashboard
from .events import TaskEvents
from .functions import Worker
from .notifications import Notifications
from .organisation import Forwarding
from .package import shipped_package
from .permissions import diagnose, read_ecs, read_untold, roll_back_deployments, stop_services
from .table import DUE_INDEX, ServiceTable

ASKED = {"asked_at": "N"}
"""On the record while `respond` is to look at the service."""
OWED = {"notice_number": "N"}
"""On the record while there is a message that `notify` may owe: the number of the newest."""


class Loopbreaker(Construct):
    """Everything that watches the ECS services of one account and Region: at most once in a stack.

    The outputs of the stack that holds it are named `Loopbreaker…`; `loopctl` looks for them by `--stack`.
    """

    def __init__(
        self, scope: Construct, id_: str, *, config: StackConfig | None = None, code: lambda_.Code | None = None
    ) -> None:
        """`code` is what every function ships; where it is left out, the package that came with this library.

        Raises ShippedError where this library came without one.
        """
        super().__init__(scope, id_)
        config = config or StackConfig()
        self._config = config
        self._code = code or lambda_.Code.from_asset(str(shipped_package()))
        self.table = ServiceTable(self, "Table", keep_data=config.keep_data)
        self.notifications = Notifications(self, "Notifications", mail=config.mail, https=config.https)
        # Six times the timeout of detect, and its batching window (AWS docs: "Using Lambda with Amazon SQS").
        self.events = TaskEvents(
            self, "Events", sources=config.event_source, visible_after=Duration.seconds(6 * 60 + 30)
        )

        self.detect = self._worker("Detect", seconds=60, environment=self._store)
        self.respond = self._worker("Respond", seconds=120, environment=self._limits)
        quiet = {} if config.digest else {"DIGEST": "off"}
        self.sweep = self._worker("Sweep", seconds=60, environment=self._store | quiet)
        self.outlets = list(self._open_outlets())
        self.investigations = self._open_investigations()
        self.amazon_q = self._open_amazon_q()
        self.notify = self._worker("Notify", seconds=30, environment=self._places)
        # Nothing hangs on it: it runs while somebody looks at the dashboard, who sees where it fails.
        self.draw = self._worker("Draw", seconds=15, environment=self._store)

        self.detect.consume(self.events.queue)
        self.unanswered = self.respond.follow(self.table, attribute=ASKED, give_up_after=Duration.hours(1))
        self.forwarding = Forwarding(self, "Forwarding", hub=config.hub) if config.hub else None
        self.clock = Clock(self, "Clock", worker=self.sweep)
        # Until then what cannot be told waits for the topic to be there again.
        self.untold = self.notify.follow(self.table, attribute=OWED, give_up_after=Duration.hours(24), tries=None)

        self._permit()
        self._watch()
        self._tell()

    @property
    def _store(self) -> dict[str, str]:
        return {"TABLE_NAME": self.table.name, "INDEX_NAME": DUE_INDEX, "POLICY": self._config.policy_json}

    @property
    def _limits(self) -> dict[str, str]:
        scope = {"ACT_ON": ",".join(self._config.act_on), "NEVER_ACT_ON": ",".join(self._config.never_act_on)}
        return {
            **self._store,
            "ACTION": self._config.action.value,
            "LOG_LINES": self._config.log_lines,
            **{name: value for name, value in scope.items() if value},
        }

    @property
    def _places(self) -> dict[str, str]:
        chat = self.notifications.chat
        given = {
            "CHAT_TOPIC_ARN": chat.topic_arn if chat else "",
            "OUTLET_QUEUES": ",".join(outlet.queue.queue_url for outlet in self.outlets),
            "RUNBOOK_URL": self._config.runbook,
        }
        known = {name: value for name, value in given.items() if value}
        told = {"TOPIC_ARN": self.notifications.topic.topic_arn, "EVENT_BUS_NAME": "default", **known}
        told["STACK_NAME"] = Aws.STACK_NAME
        return {**self._store, **told}

    def _open_outlets(self) -> Iterator[Outlet]:
        """Where the configuration asks for them: the bot, the webhook."""
        config = self._config
        if config.slack_token:
            channels = ",".join(dict.fromkeys((config.slack_channel, *config.slack_channels)))
            environment = {"SLACK_CHANNELS": channels, "TABLE_NAME": self.table.name}
            bot = self._outlet("ChatOutlet", worker="Chat", secret=config.slack_token, environment=environment)
            bot.worker.use(self.table, "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem")
            yield bot
        if config.slack_webhook:
            environment = {"TABLE_NAME": self.table.name}
            hook = self._outlet("WebhookOutlet", worker="Webhook", secret=config.slack_webhook, environment=environment)
            hook.worker.use(self.table, "dynamodb:GetItem", "dynamodb:UpdateItem")
            yield hook

    def _open_investigations(self) -> Investigations | None:
        """After the bot, which says in a thread when one has ended; a queue like the others."""
        if not self._config.devops_agent:
            return None
        opened = Investigations(self, "Investigations", code=self._code, config=self._config, table=self.table)
        if self._config.slack_token:
            opened.reply_by(self.outlets[0])
        self.outlets.append(opened.outlet)
        return opened

    def _outlet(self, id_: str, *, worker: str, secret: str, environment: dict[str, str]) -> Outlet:
        return Outlet(
            self, id_, worker=worker, code=self._code, config=self._config, secret=secret, environment=environment
        )

    def _open_amazon_q(self) -> AmazonQ | None:
        if not self._config.slack_workspace:
            return None
        return AmazonQ(self, "AmazonQ", config=self._config, topic=self.notifications.open_chat_topic())

    def _worker(self, name: str, *, seconds: int, environment: dict[str, str]) -> Worker:
        return Worker(
            self,
            name,
            code=self._code,
            config=self._config,
            timeout=Duration.seconds(seconds),
            environment=environment,
        )

    def _permit(self) -> None:
        """Beyond their own logs, queues and streams. In mode `alert` nothing may change anything outside the stack."""
        self.detect.use(self.table, "dynamodb:GetItem", "dynamodb:PutItem")
        self.respond.use(self.table, "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem", "dynamodb:Query")
        self.sweep.use(self.table, "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Scan", index=True)
        read_untold(self.sweep)
        self.draw.use(self.table, "dynamodb:GetItem", index=True)
        self.notify.use(self.table, "dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem")
        read_ecs(self.respond)
        diagnose(self.respond, log_lines=self._config.log_lines != "off")
        if self._config.action is not Mode.ALERT:
            roll_back_deployments(self.respond)
        if self._config.action is Mode.STOP:
            stop_services(self.respond)
        bus = Stack.of(self).format_arn(service="events", resource="event-bus", resource_name="default")
        chat = self.notifications.chat
        self.notify.allow("sns:Publish", on=[self.notifications.topic.topic_arn, *([chat.topic_arn] if chat else [])])
        if self.outlets:
            self.notify.allow("sqs:SendMessage", on=[outlet.queue.queue_arn for outlet in self.outlets])
        self.notify.accept("Action::kms:GenerateDataKey*", reason="As SNS asks of publishers; on one key.")
        self.notify.allow("kms:Decrypt", "kms:GenerateDataKey*", on=[self.notifications.key.key_arn])
        self.notify.allow("events:PutEvents", on=[bus])

    def _watch(self) -> None:
        """An alarm for each path on which something could be lost."""
        alarms = Alarms(self, "Alarms", notifications=self.notifications)
        alarms.not_empty(
            "Undelivered",
            self.events.undelivered,
            meaning="EventBridge could not put events into the event queue: stops of tasks were not counted.",
            remedy="The attribute ERROR_MESSAGE of each message says why; mend that, then send the bodies there.",
        )
        alarms.not_empty(
            "Poison",
            self.events.poison,
            meaning="detect failed again and again on these events: stops of tasks were not counted.",
            remedy="Find the error in the logs of detect, mend it, then start a DLQ redrive in the SQS console.",
        )
        alarms.not_empty(
            "RespondFailed",
            self.unanswered,
            meaning="respond gave up on a record: a service that may loop was not looked at.",
            remedy="Find the error in the logs of respond and mend it; sweep asks again. Then purge the queue.",
        )
        alarms.not_empty(
            "NotifyFailed",
            self.untold,
            meaning="notify gave up on a record: people were not told about a change.",
            remedy="Find the error in the logs of notify and mend it; see what is open now. Then purge the queue.",
        )
        alarms.late(
            "EventsLate",
            self.events.queue,
            meaning="Events from ECS have waited for more than 15 minutes: loops are found late.",
            remedy="Look for errors and throttles of detect, and for throttled writes of the table.",
        )
        self._watch_channels(alarms)
        if self.forwarding:
            self.forwarding.watch(alarms)
        alarms.lost("EventsLost", self.events.rules)
        alarms.unticked("EachMinuteFailed", self.clock.rule)
        alarms.unreadable("RecordsUnreadable")
        for worker in (self.detect, self.respond, self.notify):
            alarms.function(worker)
        # Each minute's run does the work of the one before.
        alarms.function(self.sweep, tolerated=3, periods=1)
        for worker in (self.respond, self.notify):
            alarms.behind(worker)

        workers = [
            self.detect,
            self.respond,
            self.sweep,
            self.notify,
            self.draw,
            *(outlet.worker for outlet in self.outlets),
        ]
        Dashboard(
            self,
            "Dashboard",
            workers=workers,
            respond=self.respond,
            draw=self.draw,
            table=self.table,
            queue=self.events.queue,
        )

    @property
    def _prefix(self) -> str:
        return "" if isinstance(self.node.scope, LoopbreakerStack) else "Loopbreaker"

    def _watch_channels(self, alarms: Alarms) -> None:
        for outlet in self.outlets:
            name = outlet.worker.node.id
            alarms.not_empty(
                f"{name}Undelivered",
                outlet.failed,
                meaning=f"{name} gave up on a message after {TRIES} tries: its channel was not told of a change.",
                remedy="Find 'not delivered' in its logs, mend what it names, then start a DLQ redrive.",
            )
            alarms.late(
                f"{name}Late",
                outlet.queue,
                meaning=f"Messages have waited for {name} for more than 15 minutes; mail is not affected.",
                remedy="Find 'not delivered' in its logs: the channel is down, or refuses what it is given.",
            )
            alarms.function(outlet.worker)
        if self.investigations:
            alarms.not_empty(
                "Unlinked",
                self.investigations.unlinked,
                meaning="The end of an investigation of AWS DevOps Agent could not be said in its thread.",
                remedy="Find the error in the logs of Investigate and mend it. Then purge the queue.",
            )
        if self.amazon_q:
            alarms.dropped("ChatDropped", self.amazon_q.unsupported)

    def _tell(self) -> None:
        if not self._config.recipients:
            Annotations.of(self).add_warning_v2(
                "loopbreaker:nobody-is-told",
                "nobody would be told of a loop: give mail=, https= or one of slack_workspace=, slack_token=, "
                "slack_webhook=, unless you subscribe to the topic yourself",
            )
        outputs = {
            "TopicArn": self.notifications.topic.topic_arn,
            "TableName": self.table.name,
            "EventQueueUrl": self.events.queue.queue_url,
            "EventDeadLetterQueueUrl": self.events.poison.queue_url,
            "Mode": self._config.action.value,
            "Version": VERSION,
            "Recipients": ", ".join(self._config.recipients) or "nobody",
        }
        for name, value in outputs.items():
            CfnOutput(self, name, value=value).override_logical_id(f"{self._prefix}{name}")


class LoopbreakerStack(Stack):
    """A stack of nothing else: its outputs are named without a prefix."""

    def __init__(self, scope: Construct, id_: str, *, config: StackConfig, package: Path) -> None:
        """`package` is the folder that every function ships."""
        super().__init__(scope, id_, description=f"Loopbreaker {VERSION}: finds ECS services in a restart loop")
        # CDK leaves "Default" out of the names of resources: they are those of a stack without a construct in it.
        self.installed = Loopbreaker(self, "Default", config=config, code=lambda_.Code.from_asset(str(package)))

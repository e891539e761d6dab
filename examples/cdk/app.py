"""A CDK app of somebody else, with Loopbreaker in one of its stacks."""

import aws_cdk as cdk
from constructs import Construct

from loopbreaker.cdk import Loopbreaker, Mode, Policy, StackConfig, override


class Observability(cdk.Stack):
    """What watches over the services of this account."""

    def __init__(self, scope: Construct, id_: str) -> None:
        super().__init__(scope, id_)
        self.loops = Loopbreaker(
            self,
            "Loops",
            config=StackConfig(
                mail=("ops@example.com",),
                action=Mode.ROLLBACK,
                never_act_on=("prod/payments",),
                policy=override(Policy(), {"fast.depth": 4}),
            ),
        )


app = cdk.App()
Observability(app, "Observability")
app.synth()

"""Kinds of which nobody may be served for hours without an end being put to it, and why that is so."""

_ASKED = "its owner does not want it stopped, or not always"
_WAITED_FOR = "somebody may wait for its deployment, which would count as successful at 0"
_SHARED = "more than five began to loop together: the cause is a shared one"
_START = "without a sign of health a start of minutes cannot be told from service: tag `serving-after`"

UNSERVED = {
    "gives up after minutes, never ready": _START,
    "gives up after minutes, for a while": _START,
    "a bad roll-out that gives up after minutes": _START,
    "the same revision deployed again and again": _WAITED_FOR,
    "deleted and made again": _WAITED_FOR,
    "a first deployment that never ends": _WAITED_FOR,
    "both revisions loop": _WAITED_FOR,
    "turned off and on again": _WAITED_FOR,
    "a new service that somebody waits for": _WAITED_FOR,
    "a pipeline that never rests": _WAITED_FOR,
    "operators who never rest": "people are at work on it, and each of their restarts is a deployment",
    "a crowd comes back to one database": _SHARED,
    "20 services, one shared cause": _SHARED,
    "refused for good": "AWS refuses it",
    "the owner changes the tag meanwhile": _ASKED,
    "opt-in removed while held": _ASKED,
    "the opt-in comes and goes": _ASKED,
    "dead behind a long drain": "its failures are told later than they may be acted on",
    "a command that ends well at once": "exit code 0 after ten seconds is taken for work that is done",
    "no task ever starts": "ECS itself starts them only once in half an hour by then",
    "well to its check, ill to its load balancer": "its container health check says that it serves",
}

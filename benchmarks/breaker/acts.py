"""What was done at AWS, to which service, and whether its owner allowed it at that moment."""


def service_of(params: dict[str, object]) -> str:
    """The service that a call names."""
    for key in ("service", "ResourceId"):
        if key in params:
            return str(params[key]).rsplit("/", 1)[-1]
    return str(params["serviceDeploymentArn"]).split("/")[-2]


def asked_for(tags: dict[str, str], now: str) -> bool:
    """Whether the owner allows to act, by the tags of that moment; those that we hold may be held on."""
    opted_in = tags.get("loopbreaker:action", "").strip() in ("rollback", "stop") or "loopbreaker:held" in tags
    return opted_in and not is_muted(tags, now)


def is_muted(tags: dict[str, str], now: str) -> bool:
    return tags.get("loopbreaker:mute-until", "") > now or tags.get("loopbreaker:action") == "ignore"

"""How people name a service and one of its loops. Pure."""


def named(text: str) -> tuple[str, str, str]:
    """Cluster, service and number of an incident in `prod/web` or `prod/web@1790000000`. Raises ValueError."""
    name, _, number = text.partition("@")
    cluster, slash, service = name.partition("/")
    if not (slash and cluster and service) or "/" in service or (number and not number.isdigit()):
        raise ValueError(f"not CLUSTER/SERVICE: {text!r}")
    return cluster, service, number

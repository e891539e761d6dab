"""How people name a service and one of its loops. Pure."""


def named(text: str) -> tuple[str, str, str]:
    """Cluster, service and number of an incident in `prod/web` or `prod/web@1790000000`. Raises ValueError."""
    name, _, number = text.partition("@")
    cluster, slash, service = name.partition("/")
    wrong = not (slash and cluster and service) or "/" in service or (number and not number.isdigit())
    if wrong or not text.isprintable():
        raise ValueError(f"not CLUSTER/SERVICE, such as prod/web: {text!r}")
    return cluster, service, number

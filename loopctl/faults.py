"""Why AWS did not answer, in words: what was asked, what it said, and what to do next. Pure."""

from enum import Enum, auto

from botocore import exceptions as sdk
from botocore.exceptions import BotoCoreError, ClientError

Fault = ClientError | BotoCoreError


class Kind(Enum):
    """What kind of fault it is, where that matters to whoever goes on with another Region."""

    SIGN_IN = auto()
    """It is the same in every Region."""
    NOT_TAKEN = auto()
    """The credentials are not taken: they are wrong, or the Region is not enabled for the account."""
    NO_STACK = auto()
    OTHER = auto()


_EXPIRED = ("ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired")
_NOT_TAKEN = (
    "UnrecognizedClientException",
    "InvalidClientTokenId",
    "InvalidAccessKeyId",
    "AuthFailure",
    "OptInRequired",
    "SignatureDoesNotMatch",
    "InvalidSignatureException",
    "IncompleteSignature",
)
_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError")
_THROTTLED = (
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "ProvisionedThroughputExceededException",
    "SlowDown",
)
_SIGN_IN = "`aws sso login`, `aws configure`, or another --profile"


def kind(error: Fault) -> Kind:
    """What kind of fault it is."""
    if isinstance(error, ClientError):
        code = _code(error)
        if code in _EXPIRED:
            return Kind.SIGN_IN
        if code in _NOT_TAKEN:
            return Kind.NOT_TAKEN
        return Kind.NO_STACK if code == "ValidationError" and "does not exist" in _words(error) else Kind.OTHER
    return Kind.SIGN_IN if _of_credentials(error) else Kind.OTHER


def said(error: Fault) -> str:
    """The fault in one line, with what to do about it where that is known."""
    if isinstance(error, ClientError):
        return _answered(error)
    if isinstance(error, sdk.ProfileNotFound):
        return f"{_plain(error)}: `aws configure list-profiles` names those that are there"
    if _of_credentials(error):
        return f"no credentials that can be used ({_plain(error)}): {_SIGN_IN}"
    if isinstance(error, sdk.NoRegionError):
        return "no Region is set: use --region, or AWS_REGION"
    if isinstance(error, sdk.InvalidRegionError):
        return f"{_plain(error)}: a Region is named like eu-west-1"
    if isinstance(error, sdk.HTTPClientError | sdk.ConnectionError):
        return f"{_plain(error)}: is the Region right, and does the network reach it?"
    return _plain(error)


def _answered(error: ClientError) -> str:
    code, asked = _code(error), error.operation_name
    if code in _EXPIRED:
        return f"{asked}: the credentials have expired: {_SIGN_IN}"
    if code in _NOT_TAKEN:
        return f"{asked}: {code}: the credentials are not taken, or this Region is not enabled for the account"
    if code in _DENIED:
        return f"{asked}: {code}: {_words(error)}: it takes the permission for that, or another --profile"
    if code in _THROTTLED:
        return f"{asked}: {code}: AWS asks to slow down: try again in a minute"
    if kind(error) is Kind.NO_STACK:
        return "there is no such stack in this Region: --region and --stack say which; `loopctl scan` needs none"
    return f"{asked}: {code}: {_words(error)}"


def _of_credentials(error: Fault) -> bool:
    return isinstance(
        error,
        sdk.NoCredentialsError
        | sdk.PartialCredentialsError
        | sdk.CredentialRetrievalError
        | sdk.ProfileNotFound
        | sdk.SSOError
        | sdk.TokenRetrievalError
        | sdk.NoAuthTokenError,
    )


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "unknown"))


def _words(error: ClientError) -> str:
    return " ".join(str(error.response.get("Error", {}).get("Message", "")).split()).rstrip(".:")


def _plain(error: Fault) -> str:
    """The SDK's own words in one line."""
    return " ".join(str(error).split()).rstrip(".:")

"""What git, SSH, curl and Go's client say, as words that several readers share (flat: see `reading.Text`)."""

import re
from typing import Final

_LOST_BY_ANY: Final = (
    r"\bfailed timeout after\b|\bcontext deadline exceeded\b"
    r"|\bconnection reset\b|\bbroken pipe\b|\bnetwork is unreachable\b|\bno route to host\b"
    r"|\b(?:kex|ssh)_exchange_identification\b|\bunexpected eof while reading\b|\bearly eof\b"
    # 4xx are answers; these two say: later.
    r"|\b(?:returned error|status code): +(?:408|429|5\d\d)\b|\b429 too many requests\b"
    r"|\b50[0234] (?:internal server error|bad gateway|service (?:temporarily )?unavailable)\b"
    r"|\b504 gateway time-?out\b"
)
# As git, curl, OpenSSL, GnuTLS and OpenSSH put it.
LOST_BY_GIT: Final = (
    rf"{_LOST_BY_ANY}"
    r"|\b(?:could not resolve|couldn t resolve) host(?:name)?\b|\btemporary failure in name resolution\b"
    r"|\bname or service not known\b"
    r"|\b(?:connection|operation) timed out\b|(?<!connect: )\bconnection refused\b"
    r"|\bfailed to connect to \S+ port\b|\brecv failure\b|\bconnection closed by remote host\b"
    r"|\bgnutls_handshake\(\) failed\b|\bgnutls recv error\b|\bssl_error_syscall\b|\bssl_(?:read|connect): "
    r"|\bunexpected disconnect\b|\bempty reply from server\b|\btransfer closed with\b"
    r"|\bhttp/2 stream \S+ was not closed\b|\binvalid index-pack output\b|\bindex-pack failed\b"
    r"|\brpc failed\b(?!; +(?:result=\S+ +)?http +(?:code += +)?4(?!08|29))"
)
LOST_BY_GO: Final = (
    rf"{_LOST_BY_ANY}"
    r"|\bno such host\b|\bserver misbehaving\b|\bconnect: connection (?:refused|timed out)\b|\bi/o timeout\b"
    r"|\btls handshake timeout\b|: +(?:unexpected )?eof\b|\bclient\.timeout exceeded\b"
)
"""The far side was not reached, or lost midway."""

HUNG_UP: Final = r"\bthe remote end hung up\b|\bconnection (?:to \S+ )?closed by\b"
"""Follows a lost connection, and just as well a refusal."""

REFUSED: Final = (
    r"\bcould not read (?:username|password)\b|\bterminal prompts disabled\b|\bauthentication failed for\b"
    r"|\bpermission denied \([\w,-]{1,80}\)|\bauthentication required\b"
    r"|\bpassword authentication is not supported\b|\bsupport for password authentication was removed\b"
    r"|\bunable to authenticate, attempted methods\b|\binvalid username or (?:password|token)\b"
    r"|\bhttp basic: access denied\b|\bpermission to \S+ denied to\b|\bcannot prompt because\b"
    r"|\b(?:returned error|status code): +40[13]\b"
)
"""Credentials are missing, or were not accepted."""

NOT_BY_CREDENTIALS: Final = (
    r"\bip allow list\b|\baccount (?:is|was|has been) (?:suspended|blocked)\b|\brate limit\b"
    r"|\brepository access blocked\b|\brepository (?:is|was|has been) (?:disabled|locked)\b"
)
"""A refusal, often a 403, that other credentials of the same account do not change."""

HOST_UNTRUSTED: Final = (
    r"\bhost key verification failed\b|\bknownhosts: key (?:is unknown|mismatch)"
    r"|\bremote host identification has changed\b"
)

NOT_FOUND: Final = (
    r"\brepository +(?:\S+ +)?not found\b|\b(?:returned error|status code): +404\b"
    r"|\btf401019: |\byou don t have permission to view it\b|\bdoes not appear to be a git repository\b"
)
"""For a private repository GitHub says so too to those who may not see it."""

REFUSAL: Final = re.compile(f"{REFUSED}|{NOT_BY_CREDENTIALS}|{HOST_UNTRUSTED}|{NOT_FOUND}")
LOST: Final = re.compile(f"{LOST_BY_GIT}|{LOST_BY_GO}")
ANY_LOSS: Final = re.compile(f"{LOST.pattern}|{HUNG_UP}")

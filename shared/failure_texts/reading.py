"""A text made ready to be read: bounded, without credentials, and with its wrapping taken off.

Promises: linear time. Every expression here and in the other modules of this package begins at a word of its
own and stays within bounds, or within characters that cannot begin another match.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from typing import Final

EACH_END: Final = 64 * 1024
"""Characters that are looked at, from either end: what failed is named first, what went wrong last stands at
the end. An Application as a whole has no more than 1.5 MB, the limit of a request to etcd."""

SEAM: Final = "\0"
"""Stands for what was left out. No expression crosses it."""

HIDDEN: Final = "***"


class Tool(Enum):
    """Whose output a part of a text is."""

    GIT = "git"
    SUBMODULE = "git submodule"
    GO_GIT = "the git that Argo CD asks for refs with"
    REPO_SERVER = "a call of the repo-server"
    HELM_DEPENDENCY = "helm dependency"
    HELM = "helm"
    KUSTOMIZE = "kustomize"
    REMOTE_BASE = "the git that kustomize calls for a base elsewhere"
    OF_PLUGIN = "the git that a plugin beside the repo-server calls"
    UNNAMED = "nobody's, as far as the text says"


@dataclass(frozen=True, slots=True)
class Part:
    """From the mention of one command to that of the next: what stands there is its own."""

    tool: Tool
    start: int
    end: int
    command: bool
    """It begins with a command: whatever that said, this is all of it."""


@dataclass(frozen=True, slots=True)
class Text:
    shown: str
    """What may be repeated."""
    flat: str
    """The same, character for character: in small letters, with blanks for quotes, line ends and escapes."""
    parts: tuple[Part, ...]

    def of(self, part: Part) -> str:
        """What a part says, flat."""
        return self.flat[part.start : part.end]


def read(text: str) -> Text:
    shown = redact(_bounded(text))
    flat = _flat(shown)
    return Text(shown, flat, tuple(_parts(flat)))


def _bounded(text: str) -> str:
    if len(text) <= 2 * EACH_END:
        return text
    return text[:EACH_END] + SEAM + text[-EACH_END:]


# -- credentials

_UNBROKEN: Final = re.compile(r"[^\s'\"<>`]+")
_TOKEN: Final = re.compile(
    # Each may begin only where no other character of such a word precedes it, so none is scanned twice.
    r"(?<![\w-])(?:gh[a-z]_\w{16,}|github_pat_\w{16,}|glpat-[\w-]{16,}|hv[a-z]\.[\w-]{16,}"
    r"|eyJ[\w-]{10,}\.[\w.-]{10,})"
)
_NAMED: Final = re.compile(
    r"(?P<name>(?:passw(?:or)?d|pwd|secret|token|credentials?|(?:api|access|account)[-_]?key|\bsig)"
    r"(?:=|[\"']{1,2} {0,3}: {0,3}[\"'])"
    # In prose `token:` and `secret:` precede reasons and names.
    r"|(?:passw(?:or)?d|pwd|client_secret|private-token|api[-_]?key|access[-_]?key) {0,3}: {0,3})[^\s&\"']+"
    r"|(?P<scheme>authorization\W{1,4}\w{1,10} |\bbearer )(?=\S{8})\S+",
    re.IGNORECASE,
)
_WORD: Final = r"(?:\\?\"[^\"\n]{1,400}\"|'[^'\n]{1,400}'|[^\s`]+)"
"""As a shell takes it."""
# An option whose next word is the credential. Helm's --pass-credentials has none.
_OPTION: Final = re.compile(
    r"(?P<option>(?<![\w-])--(?!pass-cred)(?:\w{1,20}-){0,3}(?:pass(?:wd|word|phrase|code)?|pwd|token|secret"
    r"|credentials?|(?:api|access|account|secret|private)-?key)(?:\s{1,8}|=))"
    # Another option is no credential.
    r"(?!--[a-z][a-z-]{1,40}(?![^\s=`]))" + _WORD,
    re.IGNORECASE,
)
# One letter means a credential only where the command, or the shape of the word, says so.
_SHORT: Final = re.compile(
    r"(?P<option>(?<![\w-])-u[ =]{0,2}(?=[\"']?[^\s:/`\"'=]{1,80}:\S)|\blogin\b[^\n`]{0,200}?\s-p[ =]{1,2}"
    r"|\bmysql(?:dump|admin)?\b[^\n`]{0,200}?\s-p(?=\S))" + _WORD
)
# Argo CD puts no quotes around blanks and line ends: a value goes on to the next option or the command's end,
# and without an end that can be seen, to that of its line.
_VALUE_ENDS: Final = r"\s--?[A-Za-z]|\s(?:failed|exit status)\b|\n(?:[Ee]rror: |time=|[+$] )"
_SET: Final = re.compile(
    r"(?P<option>(?<![\w-])--(?:set(?:-string|-json|-literal)?|from-literal)(?:\s{1,8}|=))"
    rf"(?:(?:(?!{_VALUE_ENDS})[^`\0]){{1,16384}}+(?=[`\s])|[^\n`\0]+)"
)


def redact(text: str) -> str:
    """The text without what looks like a credential: by place in a URL, shape, or the name before it."""
    text = _UNBROKEN.sub(_without_login, text)
    for option in (_SET, _OPTION, _SHORT):
        text = option.sub(lambda found: found["option"] + HIDDEN, text)
    text = _TOKEN.sub(HIDDEN, text)
    return _NAMED.sub(lambda found: (found["name"] or found["scheme"]) + HIDDEN, text)


def _without_login(found: re.Match[str]) -> str:
    """Up to the last @: a password that was not escaped may hold one itself."""
    scheme, is_url, rest = found[0].partition("://")
    _, has_login, rest = rest.rpartition("@")
    return f"{scheme}://{HIDDEN}@{rest}" if is_url and has_login else found[0]


# -- wrapping

# Escapes of terminals, of JSON and of Go's %q, and what logs, tables and shells put around or between words.
_WRAPPING: Final = re.compile(r"\x1b\[[\d;]{0,12}[A-Za-z]|\\+(?:u00[0-9a-f]{2}|[nrt])?|[\s\"'`‘’“”|│┃]")
_SMALL: Final = {capital: capital + 32 for capital in range(ord("A"), ord("Z") + 1)}
"""str.lower() makes two characters of some letters."""


def _flat(text: str) -> str:
    return _WRAPPING.sub(lambda found: " " * len(found[0]), text).translate(_SMALL)


# -- parts

_MENTIONS: Final = (
    (
        Tool.SUBMODULE,
        r"\bsubmodule +(?:update|sync|init)\b|\bfailed to (?:update|sync|init)\w* +submodules?\b",
    ),
    # kustomize names the program by its whole path; Argo CD does not.
    (Tool.REMOTE_BASE, r"/git +(?:fetch|clone|checkout|ls-remote)\b"),
    (
        Tool.GIT,
        (
            r"\bgit +(?:-\S{1,80} +){0,6}(?:fetch|clone|checkout|ls-remote|pull)\b"
            # Who fetches tokens and archives is Helm, or a node.
            r"|\bfailed to (?:fetch(?! +(?:\w+ token\b|https?://))|checkout)\b"
        ),
    ),
    (
        Tool.GO_GIT,
        (
            r"\bfailed to list refs\b|\bservice=git-upload-pack\b|\bssh: handshake failed\b"
            r"|\berror testing repository connectivity\b|\brepository not accessible\b"
        ),
    ),
    (
        Tool.REPO_SERVER,
        r"\bcode = +unavailable +desc =|\bdesc = +(?:transport is closing|error reading from server)",
    ),
    (Tool.HELM_DEPENDENCY, r"\bhelm[23]? +dep(?:endency)? +(?:build|update|up)\b"),
    (Tool.HELM, r"\bhelm[23]? +(?:template|pull)\b"),
    (Tool.KUSTOMIZE, r"\bkustomize +build\b"),
    # The next record of a log has nothing to do with the command in the one before.
    (Tool.UNNAMED, r"\blevel {0,2}[=:] {0,2}(?:debug|info|warn(?:ing)?|error|fatal)\b"),
)
_MENTION: Final = re.compile("|".join(f"(?P<{tool.name}>{words})" for tool, words in _MENTIONS))
_OF_SUBMODULES: Final = re.compile(
    r"\bsubmodule path\b|\bregistered for path\b|\brecurse into submodule\b|\bduring submodule fetch\b"
    r"|\bcould not access submodule\b|\bfetching submodule\b"
    r"|\bfailed to clone +\S+ +(?:\. +)?(?:retry scheduled|a second time)"
)
_OF_GIT: Final = re.compile(
    r"\bfatal: +(?:unable to access|could not read|authentication failed for|repository +\S+ +not found"
    r"|remote error|the remote end|early eof|fetch-pack|index-pack|protocol error|clone of|unable to look up"
    r"|couldn t find remote ref|reference is not a tree|expected )"
    r"|\brpc failed; |\bcould not read from remote repository\b|\bkex_exchange_identification\b"
    r"|\bssh_exchange_identification\b"
)


_PLUGIN: Final = re.compile(r"\bplugin sidecar\b|\bin cmp\b")
_GITS: Final = frozenset({Tool.GIT, Tool.SUBMODULE})


def _parts(flat: str) -> Iterator[Part]:
    mentions = [(Tool.UNNAMED, 0)]
    mentions += [(Tool[found.lastgroup or ""], found.start()) for found in _MENTION.finditer(flat)]
    in_plugin = False
    for (tool, start), (_, end) in pairwise([*mentions, (Tool.UNNAMED, len(flat))]):
        # What a plugin clones is none of the Application's repositories. A record of a log ends it.
        in_plugin = (in_plugin and tool is not Tool.UNNAMED) or bool(_PLUGIN.search(flat, start, end))
        owner = _owner(tool, flat, start, end)
        owner = Tool.OF_PLUGIN if in_plugin and owner in _GITS else owner
        yield Part(owner, start, end, command=tool is not Tool.UNNAMED)


def _owner(tool: Tool, flat: str, start: int, end: int) -> Tool:
    """A git command that goes into submodules speaks of them; git's words tell of git without a command."""
    if tool in {Tool.UNNAMED, Tool.GIT} and _OF_SUBMODULES.search(flat, start, end):
        return Tool.SUBMODULE
    if tool is Tool.UNNAMED and _OF_GIT.search(flat, start, end):
        return Tool.GIT
    return tool

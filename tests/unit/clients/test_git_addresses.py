"""What an address of a submodule means: as git resolves it, or nothing that could be asked."""

import pytest

from shared.clients.git_remotes import resolve

PARENT = "https://github.com/ameideio/ameide-gitops.git"

RESOLVED: dict[str, tuple[str, str, str | None]] = {
    "an address of its own": (PARENT, "https://git.example.com/a/b.git", "https://git.example.com/a/b.git"),
    "a sibling": (PARENT, "../ameide-backlog.git", "https://github.com/ameideio/ameide-backlog.git"),
    "a sibling of a parent without .git": (
        "https://github.com/ameideio/ameide-gitops",
        "../ameide-backlog",
        "https://github.com/ameideio/ameide-backlog",
    ),
    "a sibling of a parent with a slash": (PARENT + "/", "../b.git", "https://github.com/ameideio/b.git"),
    "another owner's": (PARENT, "../../other/b.git", "https://github.com/other/b.git"),
    "a child": (PARENT, "./b", "https://github.com/ameideio/ameide-gitops.git/b"),
    "here and up": (PARENT, "./.././../o/b.git", "https://github.com/o/b.git"),
    "with a slash at its end": (PARENT, "../b.git/", "https://github.com/ameideio/b.git"),
    "a group's, deep down": ("https://g.io/a/b/c/d.git", "../../x/y.git", "https://g.io/a/b/x/y.git"),
    "at a port": ("https://g.io:8443/a/b.git", "../c.git", "https://g.io:8443/a/c.git"),
    "at the usual port": (PARENT, "https://g.io:443/a/c.git", "https://g.io/a/c.git"),
    "of a host in capitals": (PARENT, "https://GitHub.com/A/b.git", "https://github.com/A/b.git"),
    "with a password": (PARENT, "https://me:hunter2@g.io/a.git", "https://g.io/a.git"),
    "of a parent with a password": ("https://me:hunter2@g.io/a/b.git", "../c.git", "https://g.io/a/c.git"),
    "by scp": (PARENT, "git@github.com:ameideio/b.git", None),
    "by ssh": (PARENT, "ssh://git@github.com/ameideio/b.git", None),
    "by git's own protocol": (PARENT, "git://github.com/ameideio/b.git", None),
    "by plain http": (PARENT, "http://github.com/ameideio/b.git", None),
    "of a helper": (PARENT, "ext::sh -c evil", None),
    "a file": (PARENT, "file:///srv/b.git", None),
    "a folder": (PARENT, "/srv/b.git", None),
    "a folder beside": (PARENT, "b.git", None),
    "of a parent by scp": ("git@github.com:ameideio/a.git", "../b.git", None),
    "above the host": (PARENT, "../../../b.git", None),
    "far above the host": (PARENT, "../../../../../../evil.example/b.git", None),
    "which climbs in the middle": (PARENT, "../x/../../b.git", None),
    "which climbs in disguise": (PARENT, "https://g.io/a/%2E%2e/b.git", None),
    "without a host": (PARENT, "https:///b.git", None),
    "without a path": (PARENT, "https://g.io", None),
    "of a port that is none": (PARENT, "https://g.io:x/b.git", None),
    "with a query": (PARENT, "https://g.io/b.git?x=y", None),
    "with an empty query": (PARENT, "https://g.io/b.git?", None),
    "with a fragment": (PARENT, "https://g.io/b.git#x", None),
    "of two lines": (PARENT, "https://g.io/b.git\nHost: evil", None),
    "with a backslash": (PARENT, "https://g.io\\@evil.example/b.git", None),
    "of brackets": (PARENT, "https://[::1", None),
    "without end": (PARENT, f"https://g.io/{'a' * 3000}", None),
    "which is empty": (PARENT, "", None),
}


@pytest.mark.parametrize(("parent", "url", "means"), RESOLVED.values(), ids=RESOLVED)
def test_an_address_means_what_git_makes_of_it(parent: str, url: str, means: str | None) -> None:
    assert resolve(parent, url) == means

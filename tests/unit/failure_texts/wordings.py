"""Failures as the tools word them, by label: other texts than the samples, older and newer ones."""
# ruff: noqa: E501, S108 (foreign texts, and as few breaks in them as can be)

from typing import Final

X: Final = "1f0e3dad99908345f7439f8ffabdffc4a9c2a7f1"
Y: Final = "9b4c2d7e5a6f8091a2b3c4d5e6f708192a3b4c5d"
SHA256: Final = "4f2a" * 16

TARGET: Final = "Failed to load target state: failed to generate manifest for source 1 of 1: "
UNKNOWN_CODE: Final = "rpc error: code = Unknown desc = "
INTERNAL: Final = "rpc error: code = Internal desc = "
CHECKOUT: Final = (
    f"{TARGET}{UNKNOWN_CODE}failed to initialize repository resources: {INTERNAL}Failed to checkout "
)
UPDATE: Final = "`git submodule update --init --recursive` failed exit status 128: "
FETCH: Final = "Failed to fetch default: `git fetch origin --tags --force --prune` failed exit status 128: "
ACCESS_RIGHTS: Final = (
    "fatal: Could not read from remote repository.\n\n"
    "Please make sure you have the correct access rights\nand the repository exists."
)

PARENT: Final[dict[str, str]] = {
    "the wrapped form": f"{CHECKOUT}revision {X}: `git fetch origin {X} --tags --force --prune` failed exit "
    f"status 128: fatal: remote error: upload-pack: not our ref {X}",
    "with a lost line after the answer": f"`git fetch origin {X} --tags --force` failed exit status 128: fatal: remote "
    f"error: upload-pack: not our ref {X}\nfatal: the remote end hung up unexpectedly",
    "an abbreviated commit": "Failed to checkout revision 9845bc5: \n`git fetch origin 9845bc5 --tags --force --prune` "
    "\nfailed exit status 128: fatal: remote error: upload-pack: not our ref 9845bc5",
    "an older Argo CD": f"{INTERNAL}Failed to checkout {X}: `git checkout --force {X}` failed exit status 128: fatal: "
    f"reference is not a tree: {X}",
    "a server of protocol v0": f"`git fetch origin {X} --tags --force` failed exit status 128: fatal: couldn't find "
    f"remote ref {X}",
    "after another record, of a plugin": f'level=error msg="plugin sidecar failed. error generating manifests in cmp"\n'
    f'level=error msg="`git fetch origin {X} --tags --force --prune` failed exit status 128: fatal: remote error: upload-pack: '
    f'not our ref {X}"',
    "SHA-256": f"`git fetch origin {SHA256} --tags` failed exit status 128: fatal: remote error: upload-pack: not our "
    f"ref {SHA256}",
    "a fetch that went into submodules first": f"`git fetch origin {X} --tags` failed exit status 128: Fetching "
    f"submodule backlog\nfatal: remote error: upload-pack: not our ref {X}",
    "a log line": f'time="2026-01-20T08:00:00Z" level=error msg="`git fetch origin {X} --tags --force --prune` failed '
    f'exit status 128: fatal: remote error: upload-pack: not our ref {X}" execID=5a2e1',
}

SUBMODULE: Final[dict[str, str]] = {
    "under FETCH_HEAD": f"{CHECKOUT}FETCH_HEAD: {UPDATE}fatal: remote error: upload-pack: not our ref {Y}\nfatal: Fetched "
    f"in submodule path 'backlog', but it did not contain {Y}. Direct fetching of that commit failed.",
    "under the parent's revision": f"{CHECKOUT}revision {X}: {UPDATE}fatal: remote error: upload-pack: not our ref {Y}",
    "an older git, exit status 1": f"Failed to checkout {X}: `git submodule update --init --recursive` failed exit "
    f"status 1: error: no such remote ref {Y}\nFetched in submodule path 'charts', but it did not contain {Y}. "
    "Direct fetching of that commit failed.",
    "the wording of a recent Argo CD": f"failed to update submodules: fatal: remote error: upload-pack: not our ref {Y}",
    "after the parent was fetched": f"`git fetch origin {X} --tags --force --prune` failed exit status 128: Fetching "
    f"submodule backlog\nfatal: remote error: upload-pack: not our ref {Y}\nErrors during submodule fetch:\n\tbacklog",
    "nested": f"Submodule path 'modules/a': checked out '{X}'\nfatal: remote error: upload-pack: not our ref {Y}\n"
    f"fatal: Fetched in submodule path 'modules/a/ext/b', but it did not contain {Y}. Direct fetching of that commit "
    "failed.\nfatal: Failed to recurse into submodule path 'modules/a'",
    "a server that offers tips only": f"error: Server does not allow request for unadvertised object {Y}\nFetched in "
    f"submodule path 'a', but it did not contain {Y}. Direct fetching of that commit failed.",
    "an old git": f"fatal: reference is not a tree: {Y}\nUnable to checkout '{Y}' in submodule path 'a'",
    "a clone of both": f"$ git clone --recursive https://github.com/o/r.git\nCloning into 'r'...\nfatal: remote error: "
    f"upload-pack: not our ref {Y}\nfatal: Fetched in submodule path 'a', but it did not contain {Y}. Direct fetching "
    "of that commit failed.",
    "quoted by a table": f"│ failed to update submodules: `git submodule update` │\n│ fatal: remote error: upload-pack: "
    f"not our ref {Y} │",
    "a path with blanks": f"fatal: Fetched in submodule path 'my docs/and more', but it did not contain {Y}. Direct "
    "fetching of that commit failed.",
}

AUTH: Final[dict[str, str]] = {
    "no user name": f"Failed to checkout {X}: `git submodule update --init --recursive` failed exit status 1: Cloning "
    "into '/tmp/git@example.com_o_r/templates'...\nfatal: could not read Username for 'https://github.com': No such "
    "device or address\nfatal: clone of 'https://github.com/o/s.git' into submodule path '/tmp/x/templates' failed",
    "no prompts": f"{CHECKOUT}FETCH_HEAD: {UPDATE}fatal: could not read Username for 'https://github.com': terminal "
    "prompts disabled",
    "no key": f"{CHECKOUT}FETCH_HEAD: {UPDATE}git@github.com: Permission denied (publickey).\n{ACCESS_RIGHTS}\nfatal: "
    "clone of 'git@github.com:o/s.git' into submodule path '/tmp/s' failed",
    "no known host": f"{CHECKOUT}FETCH_HEAD: {UPDATE}Host key verification failed.\n{ACCESS_RIGHTS}",
    "refused": f"{UPDATE}remote: Invalid username or password.\nfatal: Authentication failed for 'https://github.com/o/s/'",
    "GitLab": f"{UPDATE}remote: HTTP Basic: Access denied\nfatal: Authentication failed for 'https://gitlab.com/o/s.git/'",
    "forbidden": f"{UPDATE}fatal: unable to access 'https://git.example.com/o/s.git/': The requested URL returned error: "
    "403",
    "git alone": "Submodule 'ui' (git@github.com:o/ui.git) registered for path 'ui'\ngit@github.com: Permission denied "
    f"(publickey).\n{ACCESS_RIGHTS}",
    "refused, as if it did not exist": f"{UPDATE}remote: Repository not found.\nfatal: Authentication failed for "
    "'https://github.com/o/s/'",
    "then no commit either": f"{UPDATE}git@github.com: Permission denied (publickey).\n{ACCESS_RIGHTS}\nfatal: Fetched "
    f"in submodule path 's', but it did not contain {Y}. Direct fetching of that commit failed.",
    "nothing said": f"{CHECKOUT}FETCH_HEAD: `git submodule update --init --recursive` failed exit status 1: ",
}

TRANSIENT: Final[dict[str, str]] = {
    "time-out": f"{TARGET}{UNKNOWN_CODE}Failed to fetch git repo: `git fetch origin --tags --force` failed timeout after "
    "1m30s",
    "time-out of the submodules": f"{CHECKOUT}FETCH_HEAD: `git submodule update --init --recursive` failed timeout after "
    "1m30s",
    "name": f"{FETCH}fatal: unable to access 'https://github.com/o/r/': Could not resolve host: github.com",
    "name over SSH": f"{FETCH}ssh: Could not resolve hostname github.com: Temporary failure in name resolution\r\n"
    f"{ACCESS_RIGHTS}",
    "SSH refused": f"{FETCH}ssh: connect to host github.com port 22: Connection refused\r\n{ACCESS_RIGHTS}",
    "SSH timed out": f"{FETCH}ssh: connect to host github.com port 22: Connection timed out\n{ACCESS_RIGHTS}",
    "reset": f"{FETCH}kex_exchange_identification: read: Connection reset by peer\n{ACCESS_RIGHTS}",
    "closed": f"{FETCH}Connection closed by 140.82.121.4 port 22\n{ACCESS_RIGHTS}",
    "TLS": f"{FETCH}fatal: unable to access 'https://github.com/o/r/': gnutls_handshake() failed: The TLS connection was "
    "non-properly terminated.",
    "OpenSSL": f"{FETCH}fatal: unable to access 'https://github.com/o/r/': OpenSSL SSL_connect: SSL_ERROR_SYSCALL in "
    "connection to github.com:443",
    "pack": f"{FETCH}error: RPC failed; curl 56 GnuTLS recv error (-9): Error decoding the received TLS packet.\nfatal: "
    "the remote end hung up unexpectedly\nfatal: early EOF\nfatal: index-pack failed",
    "sideband": f"{FETCH}error: RPC failed; HTTP 504 curl 22 The requested URL returned error: 504\nfatal: expected "
    "'packfile'",
    "index": f"{TARGET}{FETCH}fatal: fetch-pack: invalid index-pack output",
    "503": f"{FETCH}fatal: unable to access 'https://github.com/o/r/': The requested URL returned error: 503",
    "429": f"{FETCH}fatal: unable to access 'https://github.com/o/r/': The requested URL returned error: 429",
    "Go's client": f'{UNKNOWN_CODE}Get "https://github.com/o/r/info/refs?service=git-upload-pack": dial tcp '
    "140.82.113.3:443: i/o timeout (Client.Timeout exceeded while awaiting headers)",
    "Go's TLS": f'{TARGET}{UNKNOWN_CODE}failed to list refs: Get "https://g.example.com/o/r.git/info/refs?service='
    'git-upload-pack": net/http: TLS handshake timeout',
    "Go's deadline": f'{TARGET}{UNKNOWN_CODE}failed to list refs: Get "https://g.example.com/o/r.git/info/refs?service='
    'git-upload-pack": context deadline exceeded (Client.Timeout exceeded while awaiting headers)',
    "Go's EOF": f'{UNKNOWN_CODE}failed to list refs: Get "https://g.example.com/o/r.git/info/refs?service=git-upload-pack'
    '": EOF',
    "Go's 502": f'{UNKNOWN_CODE}unexpected client error: unexpected requesting "https://g.example.com/o/r.git/info/refs'
    '?service=git-upload-pack" status code: 502',
    "a submodule's pack": "fatal: clone of 'https://github.com/o/s' into submodule path 'C:/s' failed\nFailed to clone 's'."
    " Retry scheduled\nerror: RPC failed; curl 18 transfer closed with outstanding read data remaining\nfetch-pack: "
    "unexpected disconnect while reading sideband packet\nfatal: early EOF",
    "a commit that only seems to be missing": f"{UPDATE}fatal: unable to access 'https://github.com/o/s/': Failed to "
    f"connect to github.com port 443 after 130301 ms: Connection timed out\nfatal: Fetched in submodule path 's', but it "
    f"did not contain {Y}. Direct fetching of that commit failed.",
    "a base of kustomize": f"{UNKNOWN_CODE}`kustomize build /tmp/x` failed exit status 1: Error: accumulating resources: "
    "accumulation err='accumulating resources from 'https://github.com/o/b//m?ref=v1': URL is a git repository': failed "
    "to run '/usr/bin/git fetch --depth=1 https://github.com/o/b v1': fatal: unable to access "
    "'https://github.com/o/b/': Could not resolve host: github.com",
    "a base of kustomize, timed out": "Error: accumulating resources: accumulation err='accumulating resources from "
    "'github.com/o/b/manifests?ref=v2': evalsymlink failure on '/tmp/r/github.com' : lstat /tmp/r/github.com: no such file "
    "or directory': hit 27s timeout running '/usr/bin/git fetch --depth=1 origin v2'",
    "a plugin's own clone": "plugin sidecar failed. error generating manifests in cmp: `git clone https://g/r` failed exit status "
    "128: fatal: unable to access 'https://g/r/': Could not resolve host: g",
    "connectivity": f"{UNKNOWN_CODE}error testing repository connectivity: dial tcp: lookup github.com: i/o timeout",
    "a handshake": f"{UNKNOWN_CODE}ssh: handshake failed: read tcp 10.0.0.1:4->1.2.3.4:22: read: connection reset by peer",
    "a revision that could not be asked for": f"{TARGET}{UNKNOWN_CODE}Unable to resolve 'main' to a commit SHA: failed to "
    'list refs: Get "https://github.com/o/r/info/refs?service=git-upload-pack": net/http: TLS handshake timeout',
}

REPO_SERVER: Final[dict[str, str]] = {
    "refused": f'{TARGET}rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: '
    'dial tcp 10.0.253.32:8081: connect: connection refused"',
    "refused, wrapped": 'rpc error: code = Unavailable desc = connection error: desc =\n  "transport: Error while dialing '
    'dial tcp 10.11.169.93:8081: connect: connection refused"',
    "name": 'rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial tcp: lookup '
    'argocd-repo-server: i/o timeout"',
    "name without code": "dial tcp: lookup argocd-repo-server on 10.96.0.10:53: no such host",
    "closing": "ComparisonError: rpc error: code = Unavailable desc = transport is closing",
    "on creation, lost": "Unable to generate manifests in apps/x: rpc error: code = Unavailable desc = transport is closing",
    "subconns": "ComparisonError rpc error: code = Unavailable desc = all SubConns are in TransientFailure, latest "
    'connection error: connection error: desc = "transport: Error while dialing dial tcp 172.20.3.4:8081: i/o timeout"',
    "reset": f"{TARGET}rpc error: code = Unavailable desc = error reading from server: read tcp 10.1.0.9:51234->"
    "10.0.12.7:8081: read: connection reset by peer",
    "TLS": f"{TARGET}rpc error: code = Unavailable desc = all SubConns are in TransientFailure, latest connection error: "
    'connection error: desc = "transport: authentication handshake failed: tls: first record does not look like a TLS '
    'handshake"',
    "on creation": "InvalidSpecError: repository not accessible: rpc error: code = Unavailable desc = connection error: desc "
    '= "transport: Error while dialing dial tcp 172.20.86.254:8081: i/o timeout"',
    "of an app that is called after Vault": f"application=dev-foundation-vault-core-dev {TARGET}rpc error: code = Unavailable "
    'desc = connection error: desc = "transport: Error while dialing: dial tcp 10.0.0.3:8081: connect: connection refused"',
    "of an app that is called after another server": 'level=error msg="rpc error: code = Unavailable desc = error reading '
    'from server: EOF" application=argocd/dev-foundation-vault-core',
    "escaped": 'msg="Normalized app spec: {\\"status\\":{\\"conditions\\":[{\\"message\\":\\"Failed to load target state: '
    'rpc error: code = Unavailable desc = connection error: desc = \\\\\\"transport: Error while dialing: dial tcp '
    '10.0.253.32:8081: connect: connection refused\\\\\\"\\"}]}}"',
}

REVISION: Final[dict[str, str]] = {
    "today's": f"{TARGET}{UNKNOWN_CODE}unable to resolve 'release-1.2' to a commit SHA",
    "a tag's full name": "Unable to resolve 'refs/tags/1.0.0' to a commit SHA",
    "on creation": "application spec is invalid: InvalidSpecError: Unable to get app details: rpc error: code = Unknown "
    "desc = Unable to resolve 'test_branch' to a commit SHA",
    "escaped": 'error="rpc error: code = Unknown desc = Unable to resolve \\"featu\\" to a commit SHA"',
    "empty": "Unable to resolve '' to a commit SHA",
}

HELM: Final[dict[str, str]] = {
    "no repository": f"{UNKNOWN_CODE}`helm dependency build` failed exit status 1: Error: no repository definition for "
    "https://charts.example.com. Please add the missing repos via 'helm repo add'",
    "not in charts": "`helm template . --name-template x` failed exit status 1: Error: found in Chart.yaml, but missing in "
    "charts/ directory: redis, postgresql",
    "Helm 2": f"{UNKNOWN_CODE}`helm2 dependency build` failed exit status 1: Error: open /tmp/helm2/repository/cache/"
    "stable-index.yaml: no such file or directory",
    "stale lock": "`helm dependency build` failed exit status 1: Error: the lock file (Chart.lock) is out of sync with the "
    "dependencies file (Chart.yaml). Please update the dependencies",
    "an empty index": "Manifest generation error (cached): `helm dependency build` failed exit status 1: Error: no cached "
    "repository for https:--charts.bitnami.com-bitnami found. (try 'helm repo update'): error loading /x/y-index.yaml: "
    "empty index.yaml file",
    "requirements.yaml": "exit status 1: Error: found in requirements.yaml, but missing in charts/ directory: j/artifactory",
    "a registry that refuses a token": "`helm dependency build` failed exit status 1: Error: failed to authorize: failed to fetch "
    "oauth token: unexpected status from GET request to https://ghcr.io/token?scope=x&service=ghcr.io: 401 Unauthorized",
    "a registry that refuses its list": f"{UNKNOWN_CODE}Manifest generation error (cached): `helm dependency build` failed exit "
    "status 1: Error: could not retrieve list of tags for repository oci://ghcr.io/o: unexpected status from GET request to "
    "https://ghcr.io/v2/o/c/tags/list: 403 Forbidden",
    "time-out": f"{TARGET}{UNKNOWN_CODE}`helm dependency build` failed timeout after 1m30s",
    "killed": f"{UNKNOWN_CODE}`helm dependency build` failed signal: killed",
    "an archive that is refused": "`helm dependency build` failed exit status 1: Error: could not download "
    "https://c.example.com/a-1.tgz: failed to fetch https://c.example.com/a-1.tgz : 401 Unauthorized",
    "an archive that is unreached": "`helm dependency build` failed exit status 1: Error: could not download "
    "https://c.example.com/a-1.tgz: failed to fetch https://c.example.com/a-1.tgz : 503 Service Unavailable",
    "unreached": "`helm dependency build` failed exit status 1: Error: could not retrieve list of tags for repository "
    'oci://r.example.com/c: Get "https://r.example.com/v2/": dial tcp 10.0.0.1:443: i/o timeout',
}

KUSTOMIZE: Final[dict[str, str]] = {
    "no file": f"{TARGET}{UNKNOWN_CODE}`kustomize build /tmp/r/overlays/dev` failed exit status 1: Error: accumulating "
    "resources: accumulation err='accumulating resources from '../../base': evalsymlink failure on '/tmp/r/base' : lstat "
    "/tmp/r/base: no such file or directory'",
    "no target": "Manifest generation error (cached): `kustomize build /tmp/r` failed exit status 1: Error: no matches for "
    "Id ~G_v1_ConfigMap|~X|w; failed to find unique target for patch ~G_v1_ConfigMap|w",
    "warnings first": f"{UNKNOWN_CODE}`kustomize build <path to cached source>/o` failed exit status 1: # Warning: "
    "'patchesStrategicMerge' is deprecated. Please use 'patches' instead. Error: no matches for Id "
    "Deployment.v1.apps/w.[noNs]; failed to find unique target for patch Deployment.v1.apps/w.[noNs]",
    "unknown field": '`kustomize build /tmp/r` failed exit status 1: Error: invalid Kustomization: json: unknown field "foo"',
    "no kustomization": "Error: unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in "
    "directory '/tmp/r'",
    "an old Argo CD": "`kustomize build /tmp/r/production` failed: Error: AccumulateTarget: evalsymlink failure on "
    "'/tmp/r/t.yaml' : lstat /tmp/r/t.yaml: no such file or directory\\n\\n",
    "a plugin": "`kustomize build /tmp/r --enable_alpha_plugins` failed exit status 1: Error: failure in plugin configured "
    "via /tmp/kust-plugin-config-9; exit status 1: exit status 1",
    "a base's ref": "`kustomize build /tmp/r` failed exit status 1: Error: accumulating resources: accumulation err="
    "'accumulating resources from 'https://github.com/o/b//m?ref=v9': URL is a git repository': failed to run "
    "'/usr/bin/git fetch --depth=1 https://github.com/o/b v9': fatal: couldn't find remote ref v9",
}

JOB: Final[dict[str, str]] = {
    "of a resource": 'Job.batch "migrate" is invalid: spec.template: Invalid value: core.PodTemplateSpec{}: field is '
    "immutable",
    "kubectl": 'The Job "migrate" is invalid: spec.template: Invalid value: core.PodTemplateSpec{…}: field is immutable',
    "replaced": "one or more synchronization tasks completed unsuccessfully, reason: error when replacing "
    '"/dev/shm/7": Job.batch "dbmigrate-0-1" is invalid: [spec.selector: Required value, spec.template.metadata.labels: '
    'Invalid value: map[string]string{"a":"b"}: `selector` does not match template `labels`, spec.selector: Invalid '
    'value: "null": field is immutable]',
    "another field": 'Job.batch "migrate" is invalid: spec.completions: Invalid value: 2: field is immutable',
    "escaped": '{"error": "Job.batch \\"dst\\" is invalid: spec.template: Invalid value: core.PodTemplateSpec{Labels:'
    'map[string]string{\\"a\\":\\"b\\"}}: field is immutable"}',
    "reported again": "Failed last sync attempt to 1f0e3da: one or more objects failed to apply, reason: Job.batch "
    '"migrate" is invalid: spec.template: Invalid value: core.PodTemplateSpec{}: field is immutable',
    "a template that was cut off": 'Job.batch "migrate" is invalid: spec.template: Invalid value: core.PodTemplateSpec{'
    'ObjectMeta:v1.ObjectMeta{Name:"", GenerateName:""',
    "a huge template": 'Job.batch "migrate" is invalid: spec.template: Invalid value: core.PodTemplateSpec{'
    + "Env:[]core.EnvVar(nil), " * 3000
    + "}: field is immutable",
}

BY_LABEL: Final[dict[str, dict[str, str]]] = {
    "parent_ref_missing": PARENT,
    "submodule_ref_missing": SUBMODULE,
    "submodule_auth": AUTH,
    "git_transient": TRANSIENT,
    "repo_server_unavailable": REPO_SERVER,
    "revision_unresolvable": REVISION,
    "manifest_helm_dependency": HELM,
    "manifest_kustomize": KUSTOMIZE,
    "apply_immutable_job": JOB,
}

"""Texts that seem to tell of a failure which has a label, and do not."""
# ruff: noqa: E501 (foreign texts, and as few breaks in them as can be)

from typing import Final

from tests.unit.failure_texts.wordings import (
    ACCESS_RIGHTS,
    CHECKOUT,
    FETCH,
    TARGET,
    UNKNOWN_CODE,
    UPDATE,
    X,
    Y,
)

DECOYS: Final[dict[str, str]] = {
    "nothing": "",
    "blanks": " \n\t ",
    "no failure": "successfully synced (all tasks run)",
    "a missing commit, nobody says whose": f"fatal: remote error: upload-pack: not our ref {Y}",
    "another commit than the one that was fetched, and no submodule": f"`git fetch origin {X} --tags --force --prune` "
    f"failed exit status 128: fatal: remote error: upload-pack: not our ref {Y}",
    "a tip that moved while all were fetched": f"`git fetch origin --tags --force --prune` failed exit status 128: fatal: "
    f"remote error: upload-pack: not our ref {Y}",
    "checkout wording, no command": f"Failed to checkout FETCH_HEAD: fatal: remote error: upload-pack: not our ref {Y}",
    "parent and submodule": f"`git fetch origin {X} --tags` failed exit status 128: fatal: remote error: upload-pack: not "
    f"our ref {X}; {UPDATE}fatal: remote error: upload-pack: not our ref {Y}",
    "a fetch from another repository than the parent": f"git fetch --depth=1 https://github.com/o/b {X}: fatal: remote error: "
    f"upload-pack: not our ref {X}",
    "a plugin's own clone": f"{UNKNOWN_CODE}plugin sidecar failed. error generating manifests in cmp: {UNKNOWN_CODE}error generating "
    f'manifests: `bash -c "git clone https://g/r && cd r && git checkout {X}"` failed exit status 128: fatal: reference is not '
    f"a tree: {X}",
    "a plugin's own fetch": f"plugin sidecar failed. error generating manifests in cmp: `git fetch origin {X}` failed exit status "
    f"128: fatal: remote error: upload-pack: not our ref {X}",
    "a plugin's own submodules": f"plugin sidecar failed. error generating manifests in cmp: {UPDATE}fatal: remote error: "
    f"upload-pack: not our ref {Y}",
    "a plugin's own credentials": f"plugin sidecar failed. error generating manifests in cmp: {UPDATE}fatal: could not read Username "
    "for 'https://github.com': terminal prompts disabled",
    "jsonnet's bundler": f"`jb install` failed exit status 1: git fetch --tags --depth 1 origin {X}: fatal: remote error: "
    f"upload-pack: not our ref {X}",
    "a program that fetches as Argo CD does": f"`make vendor` failed exit status 2: git fetch origin {X}: fatal: remote error: "
    f"upload-pack: not our ref {X}",
    "a script's checkout": f"+ git clone https://g/r && git checkout --force {X}\nfatal: reference is not a tree: {X}",
    "a shell's checkout": f"`bash -euxc 'git checkout --force {X}'` failed exit status 128: fatal: reference is not a tree: {X}",
    "Flux": f"failed to checkout and determine revision: unable to clone 'https://g/r': reference is not a tree: {X}",
    "a far side that hung up, nobody says on what": "fatal: the remote end hung up unexpectedly",
    "no commit, and perhaps no connection": f"{UPDATE}fatal: the remote end hung up unexpectedly\nfatal: Fetched in submodule "
    f"path 's', but it did not contain {Y}. Direct fetching of that commit failed.",
    "an answer and a lost connection": f"{UPDATE}fatal: remote error: upload-pack: not our ref {Y}\nerror: RPC failed; curl "
    "56 Recv failure: Connection reset by peer",
    "an obstructed checkout": f"{CHECKOUT}FETCH_HEAD: `git submodule update --init --recursive` failed exit status 1: error: "
    "Your local changes to the following files would be overwritten by checkout: kustomization.yaml Please commit your "
    f"changes or stash them before you switch branches. Aborting fatal: Unable to checkout '{Y}' in submodule path 'a'",
    "cut off after the command": f"{CHECKOUT}FETCH_HEAD: `git submodule update --init --recursive` failed exit status 128:",
    "cut off within the command": f"{CHECKOUT}FETCH_HEAD: `git submodule update --init --recursive` failed exit",
    "cut off before the error": f"{CHECKOUT}FETCH_HEAD: `git submodule update --init --recursive` failed exit status 1: Cloning "
    "into '/tmp/x",
    "an obstacle that was cut off": f"Unable to checkout '{Y}' in submodule path 'a'",
    "kustomize, cut off on its way": "`kustomize build /tmp/r` failed exit status 1: Error: accumulating resources: accumulation "
    "err='accumulating resources from '../base': '/tmp/r/base' must resolve to a file': recursed accumulation of path",
    "a policy": f"`git fetch origin {X}` failed exit status 128: error: Server does not allow request for unadvertised object "
    f"{X}",
    "only the generic words": f"{UPDATE}{ACCESS_RIGHTS}",
    "the generic words of a refusal": f"{FETCH}remote: GitLab: You are not allowed to download code from this project.\nfatal: "
    "the remote end hung up unexpectedly",
    "credentials of the parent": f"{FETCH}git@gitserver: Permission denied (publickey).\n{ACCESS_RIGHTS}",
    "user name of the parent": f"{FETCH}fatal: could not read Username for 'https://github.com': terminal prompts disabled",
    "the parent's host key": f"{FETCH}Host key verification failed.\n{ACCESS_RIGHTS}",
    "the parent is refused after a submodule was well": f"Submodule path 'a': checked out '{X}'\n`git fetch origin --tags` "
    "failed exit status 128: fatal: Authentication failed for 'https://github.com/o/r/'",
    "authentication of something else": 'pq: password authentication failed for user "coder"',
    "a submodule that is not found": f"{UPDATE}remote: Repository not found.\nfatal: repository 'https://github.com/o/s/' not "
    "found",
    "another record of the same log": 'level=info msg="git fetch origin --tags --force --prune" dir=/tmp/x execID=1\n'
    'time="2026-01-20T08:00:00Z" level=error msg="cache: connection reset by peer"',
    "another record of the same log, as JSON": '{"level":"info","msg":"git fetch origin --tags"}\n'
    '{"level":"error","msg":"read: connection reset by peer"}',
    "another program's output after git's": "$ git fetch origin --tags\nFrom https://github.com/o/r\n$ ./app\n"
    "dial tcp 10.0.0.7:5432: connect: connection refused",
    "a lost connection of something else": "dial tcp 10.0.0.7:5432: connect: connection refused",
    "a database that is away": "FATAL: could not connect: Connection timed out",
    "a database that Ruby does not reach": "PG::ConnectionBad: could not connect to server: Connection reset by peer",
    "EOF of a parser": "error parsing values.yaml: unexpected EOF",
    "a web page": "HTTP/1.1 503 Service Unavailable",
    "TLS of something else": 'Get "https://vault:8200/v1/sys/health": net/http: TLS handshake timeout',
    "a certificate": f"{FETCH}fatal: unable to access 'https://g.example.com/': SSL certificate problem: self signed "
    "certificate",
    "a full disk": f"{FETCH}fatal: write error: No space left on device\nfatal: index-pack failed",
    "etcd": "rpc error: code = Unavailable desc = etcdserver: leader changed",
    "containerd": 'Failed to pull image "x": rpc error: code = Unavailable desc = error reading from server: EOF',
    "Redis": 'rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial tcp '
    '10.0.0.9:6379: connect: connection refused"',
    "a plugin's socket": 'rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial '
    'unix /home/argocd/cmp-server/plugins/x.sock: connect: connection refused"',
    "Argo CD's API": 'rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial tcp: '
    'lookup argocd-server: no such host"',
    "a call of somebody": 'rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: '
    'dial tcp 10.0.0.9:9000: connect: connection refused"',
    "a git server, as the repo-server's pod logs it": "argocd-repo-server-0 ssh: connect to host g port 22: no key",
    "a call that was lost, nobody says whose": "rpc error: code = Unavailable desc = transport is closing",
    "a volume": 'MountVolume.SetUp failed for volume "secrets-store" : rpc error: code = Unavailable desc = error reading from '
    "server: EOF",
    "a volume of the repo-server's own": 'Unable to mount volumes for pod "argocd-repo-server-0": MountVolume.MountDevice failed '
    'for volume "pvc-7" : rpc error: code = Unavailable desc = error reading from server: EOF',
    "a disk": 'AttachVolume.Attach failed for volume "pvc-1" : rpc error: code = Unavailable desc = transport is closing',
    "traces": "traces export: rpc error: code = Unavailable desc = transport is closing",
    "traces, after another record of the same log": 'level=error msg="Failed to load target state: no such revision"\n'
    'level=warn msg="traces export: rpc error: code = Unavailable desc = transport is closing"',
    "Temporal": '{"level":"error","msg":"worker failed","error":"rpc error: code = Unavailable desc = error reading from server: '
    'EOF","service":"temporal"}',
    "SpiceDB": "migrate job: failed to read schema: rpc error: code = Unavailable desc = error reading from server: read tcp "
    "10.0.0.4:50051: connection reset by peer",
    "a registry's manifests": "failed to copy: GET https://r.example.com/v2/o/c/manifests/1.2.3: rpc error: code = Unavailable desc "
    "= transport is closing",
    "an image's manifest": "error: failed to receive status: rpc error: code = Unavailable desc = error reading from server: EOF "
    "(getting manifest)",
    "a plugin that went away": f"{TARGET}{UNKNOWN_CODE}Manifest generation error (cached): plugin sidecar failed. error generating "
    "manifests in cmp: rpc error: code = Unavailable desc = error reading from server: EOF",
    "unavailable, nobody says why": "rpc error: code = Unavailable desc = the service is currently unavailable",
    "a deadline": "rpc error: code = DeadlineExceeded desc = context deadline exceeded",
    "talk of a revision": "targetRevision main resolved to a commit SHA",
    "a host name": "unable to resolve 'github.com' to an address",
    "a chart's template": f"{UNKNOWN_CODE}`helm template . --name-template x` failed exit status 1: Error: template: c/templates/d"
    '.yaml:3:9: executing "d" at <.Values.a.b>: nil pointer evaluating interface {}.b',
    "a hint": "Run `helm dependency build` before you package the chart.",
    "kustomize, timed out": f"{TARGET}{UNKNOWN_CODE}`kustomize build /tmp/r` failed timeout after 1m30s",
    "kustomize, killed": f"{UNKNOWN_CODE}`kustomize build /tmp/r` failed signal: killed",
    "kustomize, cut off": f"{UNKNOWN_CODE}`kustomize build /tmp/r` failed exit status 1:",
    "kustomize in a pipe": f'{UNKNOWN_CODE}plugin sidecar failed. error generating manifests in cmp: `sh -c "kustomize build . | '
    'argocd-vault-plugin generate -"` failed exit status 1: Error: Error making API request. URL: GET http://vault:8200/v1/x',
    "a base elsewhere, nobody says why": "`kustomize build /tmp/r` failed exit status 1: Error: accumulating resources: "
    "accumulation err='accumulating resources from 'https://github.com/o/b?ref=v1': yaml: line 175: mapping values are not "
    "allowed in this context': git cmd = '/usr/bin/git fetch --depth=1 origin v1': exit status 128",
    "a base's commit": f"`kustomize build /tmp/r` failed exit status 1: Error: accumulating resources: accumulation err="
    f"'accumulating resources from 'https://github.com/o/b?ref={X}': URL is a git repository': failed to run '/usr/bin/git fetch "
    f"--depth=1 https://github.com/o/b {X}': fatal: remote error: upload-pack: not our ref {X}",
    "a Deployment's selector": 'Deployment.apps "w" is invalid: spec.selector: Invalid value: v1.LabelSelector{}: field is '
    "immutable",
    "a StatefulSet": 'StatefulSet.apps "job" is invalid: spec: Forbidden: updates to statefulset spec for fields other than '
    "'replicas' are forbidden",
    "a Service": 'Service "job" is invalid: spec.clusterIP: Invalid value: "": field is immutable',
    "a CronJob": 'CronJob.batch "c" is invalid: spec.jobTemplate: Invalid value: core.PodTemplateSpec{}: field is immutable',
    "another group's Job": 'Job.batch.volcano.sh "j" is invalid: spec.tasks: Invalid value: 1: field is immutable',
    "a Job that is wrong, and a Deployment that is not": 'Job.batch "j" is invalid: spec.template.spec.restartPolicy: Required '
    'value, Deployment.apps "w" is invalid: spec.selector: Invalid value: v1.LabelSelector{}: field is immutable',
    "a Job and a Service": 'Job.batch "j" is invalid: spec.template: Invalid value: {}: field is immutable\n'
    'Service "s" is invalid: spec.clusterIP: Invalid value: "": field is immutable',
    "a Job that was wrong from the start": 'Job.batch "j" is invalid: spec.template.spec.containers: Required value',
    "a revision and a chart": "Unable to resolve 'main' to a commit SHA; `helm dependency build` failed exit status 1: Error: no "
    "repository definition for https://c",
    "a repo-server and a git server": f"{TARGET}rpc error: code = Unavailable desc = transport is closing; {FETCH}fatal: early EOF",
}
"""None has a label. Some have a code of ours: test_platform.py."""

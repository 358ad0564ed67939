"""Rows for what goes wrong from a checked-out repository to applied objects."""

import re
from typing import Final

from shared.failure_texts.git_words import LOST, REFUSAL
from shared.failure_texts.model import Area, FailureText, Span
from shared.failure_texts.reading import Text, Tool
from shared.failure_texts.signs import REGISTRY_REFUSED, either, says, with_command, within

_CONDITION: Final = "ComparisonError of an Application, log of the repo-server"
_OPERATION: Final = "operationState.message, syncResult.resources[].message"

# -- the repo-server

_CALL: Final = 500
"""Characters in which a failed call says of what it failed."""
_LOST_CALL: Final = re.compile(
    r"\berror reading from server\b|\btransport is closing\b|\bclosing transport\b"
    r"|\bconnection is (?:closing|draining)\b|\ball subconns are in transientfailure\b"
    r"|\bconnection error\b|\berror while dialing\b|\bname resolver error\b|\bupstream connect error\b"
)
# Whoever speaks gRPC fails in these same words.
_FOR_MANIFESTS: Final = re.compile(
    r":8081\b|\brepo-server\b|\btarget state\b|\b(?:generate manifests?|get manifests)\b"
    r"|\bmanifest generation\b|\bcomparisonerror\b|\binvalidspecerror\b|\brepository not accessible\b"
    r"|\bapplication=argocd/"
)
# Others answer by gRPC too: etcd, containerd, drivers of volumes, plugins beside the repo-server, Argo CD's
# own API.
_OTHER_SERVER: Final = re.compile(
    r"\betcdserver\b|:2379\b|:6379\b|\bcontainerd\b|\bdial unix\b|\.sock\b|\bdial tcp +\S{0,80}:443\b"
    r"|\blookup +(?!\S{0,80}repo-server)\S|\bpull(?:ing)?(?: and unpack)? image\b|\bkubelet\b|\bpodsandbox\b"
    # Not where a name has the word: an Application may be called after what it installs.
    r"|(?<![/-])volumes?\b(?![/-])|\battach(?:ing)?\b|\bplugin sidecar\b|\bin cmp\b"
    r"|(?<![\w/-])images?\b(?![/-])|\berrimagepull\b"
)
_LATE_CALL: Final = re.compile(r"\bcode = +deadlineexceeded +desc = +context deadline exceeded\b")
_ALONE: Final = re.compile(r"\s{0,9}rpc error: +\Z")
"""Argo CD's condition may be no more than the failed call."""
_BY_NAME: Final = re.compile(
    r"\b(?:lookup|dial tcp|dialing) +\S{0,80}repo-server\b.{0,120}?"
    r"\b(?:no such host|connection refused|i/o timeout|server misbehaving|connection reset)\b"
)


def _repo_server(text: Text) -> Span | None:
    record = 0
    for part in text.parts:
        if part.tool is Tool.UNNAMED:
            record = part.start
        elif part.tool is Tool.REPO_SERVER:
            end = min(part.end, part.start + _CALL)
            lost = _LOST_CALL.search(text.flat, part.start, end)
            if lost and _of_repo_server(text, max(record, part.start - _CALL), end):
                return Span(part.start, lost.end())
    named = _BY_NAME.search(text.flat)
    return Span(*named.span()) if named else None


def _of_repo_server(text: Text, start: int, end: int, *, alone: bool = False) -> bool:
    ours = alone or _FOR_MANIFESTS.search(text.flat, start, end) is not None
    return ours and _OTHER_SERVER.search(text.flat, start, end) is None


def _too_slow(text: Text) -> Span | None:
    for late in _LATE_CALL.finditer(text.flat):
        start, end = max(0, late.start() - _CALL), late.end() + _CALL
        alone = _ALONE.match(text.flat, 0, late.start())
        if _of_repo_server(text, start, end, alone=alone is not None):
            return Span(*late.span())
    return None


# -- kustomize

_KUSTOMIZE_SAYS: Final = re.compile(
    r"\bkustomize +build\b[^;]{0,400}?\bfailed(?: exit status \d+)?(?= *: *(?!grpc\.)[a-z0-9#].{30})"
    r"|\baccumulating resources: |\binvalid kustomization: |\bunable to find one of +kustomization\.ya?ml\b"
    r"|\bfailed to find unique target for patch\b"
)
# A base elsewhere that was not fetched is no fault of the kustomization, unless its ref is what is wrong.
_FETCHED: Final = re.compile(
    r"\bgit cmd =|\bfailed to run\b.{0,40}\bgit\b|\btimeout running\b|\bhelm pull\b"
    r"|\baccumulating resources from +(?:https?://|ssh://|git@|git::|[\w-]+\.(?:com|org|io|net)[/:])"
)
# kustomize tells of each level that it went down before it comes to what is wrong.
_DESCENDS: Final = re.compile(r"\baccumulating resources\b|\brecursed accumulation\b")
_ARRIVED: Final = re.compile(
    r"\bno such file or directory\b|\binvalid kustomization\b|\bunknown field\b|\bjson: |\byaml: "
    r"|\bno matches for\b|\bfailed to find\b|\bunable to find\b|\bnot in or below\b|\bconflict\b"
    r"|\bmay not add\b|\balready registered\b"
    r"|\bis a directory\b|\bnot a valid directory\b|\bis missing in\b|\bwrong node kind\b|\byaml to json\b"
    r"|\bmissing metadata\b|\bmalformed\b|\bcycle\b|\bmerging from generator\b|\btrouble configuring\b"
)
_KILLED: Final = re.compile(r"\bsignal: killed\b|\bno space left on device\b|\bout of memory\b")
_WRONG_REF: Final = re.compile(r"\bcouldn t find remote ref +\S+")
_OF_KUSTOMIZE: Final = frozenset({Tool.KUSTOMIZE, Tool.REMOTE_BASE, Tool.HELM, Tool.UNNAMED})


def _kustomize(text: Text) -> Span | None:
    said = _KUSTOMIZE_SAYS.search(text.flat)
    # Who of a pipe failed the text does not tell.
    if said is None or "|" in text.shown[said.start() : said.end()]:
        return None
    about = " ".join(text.of(part) for part in text.parts if part.tool in _OF_KUSTOMIZE)
    if _WRONG_REF.search(about):
        return Span(*said.span())
    excused = any(one.search(about) for one in (_FETCHED, _KILLED, LOST, REFUSAL))
    on_its_way = _DESCENDS.search(about) and not _ARRIVED.search(about)
    return None if excused or on_its_way else Span(*said.span())


# -- helm

_DEPENDENCY: Final = (
    r"\bno cached repository for \S+ found\b|\bno repository definition for \S+"
    r"|\bfound in (?:chart|requirements)\.yaml, but missing in charts/ directory\b"
)
_HELM_FAILED: Final = re.compile(r"\bfailed (?:exit status \d+|timeout after|signal: killed)")


def _helm_dependency_unreached(text: Text) -> Span | None:
    for part in text.parts:
        if part.tool is Tool.HELM_DEPENDENCY and _HELM_FAILED.search(text.flat, part.start, part.end):
            where = (text.flat, part.start, part.end)
            if found := LOST.search(*where) or _KILLED.search(*where):
                return with_command(part, found)
    return None


# -- objects that do not change

_IS_IMMUTABLE: Final = (
    r" +\S{1,260} +is invalid:(?:(?! is invalid:)[^\0])*?"
    r"\b(?:field is immutable|updates to statefulset spec for fields other than)\b"
)
_IS_TEMPLATE: Final = r" +\S{1,260} +is invalid: +spec\.template: +invalid value: +core\.podtemplatespec\{"
_JOB: Final = r"jobs?(?:\.batch)?"

ROWS: Final = (
    FailureText(
        code="RepoServerUnavailable",
        label="repo_server_unavailable",
        responder=None,
        area=Area.REPO_SERVER,
        cause="Argo CD's controller lost or never got the connection to its repo-server, which is being "
        "restarted, was killed, or is out of reach.",
        remedy="Nothing at first: the next refresh asks again. If it stays, see the pods of "
        "argocd-repo-server: memory, probes, and the network policy of the namespace.",
        passes=True,
        where="ComparisonError of an Application",
        words=(
            "Failed to load target state: … code = Unavailable desc = error reading from server: EOF",
            "code = Unavailable desc = connection error: … dial tcp …:8081: connect: connection refused",
            "ComparisonError: rpc error: code = Unavailable desc = transport is closing",
            "dial tcp: lookup argocd-repo-server: …",
        ),
        reads=_repo_server,
    ),
    FailureText(
        code="RepoServerTooSlow",
        label=None,
        responder=None,
        area=Area.ARGO_CD,
        cause="A call within Argo CD took longer than its limit. What it waited for the text does not say.",
        remedy="Refresh. If it stays, see the repo-server's load and controller.repo.server.timeout.seconds.",
        passes=True,
        where="ComparisonError of an Application",
        words=("rpc error: code = DeadlineExceeded desc = context deadline exceeded",),
        reads=_too_slow,
    ),
    FailureText(
        code="RevisionUnresolvable",
        label="revision_unresolvable",
        responder=None,
        area=Area.MANIFESTS,
        cause="The repository has no branch, tag or commit of the name in targetRevision, or Argo CD has "
        "not seen it yet.",
        remedy="Correct targetRevision, or push the branch; then hard refresh.",
        passes=False,
        where="ComparisonError, InvalidSpecError",
        words=("unable to resolve '…' to a commit SHA",),
        reads=says(r"\bunable to resolve +(?:\S+ +){0,4}?to a commit sha\b"),
    ),
    FailureText(
        code="HelmDependencyMissing",
        label="manifest_helm_dependency",
        responder=None,
        area=Area.MANIFESTS,
        cause="A chart that Chart.yaml depends on could not be had: its repository is not known to Argo CD,"
        " does not let it in or holds no such version, or the lock file is stale.",
        remedy="Add the chart's repository to Argo CD, run `helm dependency update` and commit the lock "
        "file, or commit the chart under charts/.",
        passes=False,
        where=_CONDITION,
        words=(
            "`helm dependency build` failed exit status 1: …",
            "Error: no cached repository for … found. (try 'helm repo update')",
            "Error: found in Chart.yaml, but missing in charts/ directory: …",
            "Error: no repository definition for …",
        ),
        reads=either(
            within(
                {Tool.HELM_DEPENDENCY},
                r"\bdep(?:endency)? +(?:build|update|up)\b[^;]{0,300}?\bfailed exit status \d+",
                unless=f"{LOST.pattern}|{_KILLED.pattern}",
            ),
            says(_DEPENDENCY, unless=LOST.pattern),
        ),
    ),
    FailureText(
        code="HelmDependencyUnreached",
        label="manifest_helm_dependency",
        responder=None,
        area=Area.MANIFESTS,
        cause="`helm dependency build` did not get to its end: a chart repository was not reached, or the "
        "time or memory of the repo-server did not suffice.",
        remedy="Refresh. If it stays, see the chart repository, the cluster's way out, and the repo-server's"
        " limits.",
        passes=True,
        where=_CONDITION,
        words=(
            "`helm dependency build` failed timeout after 1m30s",
            "`helm dependency build` failed signal: killed",
        ),
        reads=_helm_dependency_unreached,
    ),
    FailureText(
        code="HelmTemplateFailed",
        label=None,
        responder=None,
        area=Area.MANIFESTS,
        cause="Helm could not render the chart: a template or a value is wrong.",
        remedy="Run `helm template` with the Application's values; the error names template and line.",
        passes=False,
        where=_CONDITION,
        words=("`helm template …` failed exit status 1: Error: …",),
        reads=within(
            {Tool.HELM},
            r"\bhelm[23]? +template\b[^;]{0,2000}?\bfailed exit status \d+(?= *: *[a-z0-9])",
            unless=rf"{LOST.pattern}|{_KILLED.pattern}|{_DEPENDENCY}|{REGISTRY_REFUSED}",
        ),
    ),
    FailureText(
        code="KustomizeBuildFailed",
        label="manifest_kustomize",
        responder=None,
        area=Area.MANIFESTS,
        cause="The kustomization is wrong: a path, a patch's target or a field that this kustomize does not"
        " know.",
        remedy="Run `kustomize build` on the path with the version that Argo CD has; the innermost error "
        "counts.",
        passes=False,
        where=_CONDITION,
        words=(
            "`kustomize build …` failed exit status 1: Error: accumulating resources: …",
            "Error: unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in …",
            "Error: invalid Kustomization: …",
        ),
        reads=_kustomize,
    ),
    FailureText(
        code="AppPathMissing",
        label=None,
        responder=None,
        area=Area.MANIFESTS,
        cause="The repository has no such folder at this revision.",
        remedy="Correct path or targetRevision of the Application.",
        passes=False,
        where=_CONDITION,
        words=("…: app path does not exist",),
        reads=says(r"\bapp path does not exist\b"),
    ),
    FailureText(
        code="JobImmutable",
        label="apply_immutable_job",
        responder=None,
        area=Area.APPLYING,
        cause="A Job of this name exists, and Git has another template for it. A Job's template never "
        "changes.",
        remedy="Give the Job a name that changes with its content, make it a hook with BeforeHookCreation, "
        "or set Force=true,Replace=true on it. For GitLab's migrations a change of the chart's values"
        " renames it.",
        passes=False,
        where=_OPERATION,
        words=('Job.batch "…" is invalid: spec.template: Invalid value: …: field is immutable',),
        reads=says(
            rf"(?<![\w./-]){_JOB}{_IS_IMMUTABLE}",
            # A template is printed whole for no other reason, and may be longer than what was kept of a text.
            rf"(?<![\w./-]){_JOB}{_IS_TEMPLATE}",
        ),
    ),
    FailureText(
        code="FieldImmutable",
        label=None,
        responder=None,
        area=Area.APPLYING,
        cause="Git changes a field that this kind of object keeps as it was created.",
        remedy="Let the object be created anew where that loses nothing, or take the change back.",
        passes=False,
        where=_OPERATION,
        words=(
            'Deployment.apps "…" is invalid: spec.selector: Invalid value: …: field is immutable',
            "updates to statefulset spec for fields other than …",
        ),
        reads=says(rf"(?<![\w./-])(?!{_JOB} )[a-z][\w.-]{{1,100}}{_IS_IMMUTABLE}"),
    ),
    FailureText(
        code="KindNotServed",
        label=None,
        responder=None,
        area=Area.APPLYING,
        cause="The cluster serves no such kind: its CRD is not installed yet, or not in this version.",
        remedy="Sync the Application that installs the CRDs first; an early phase of the rollout holds this "
        "one.",
        passes=True,
        where=_OPERATION,
        words=(
            'no matches for kind "…" in version "…"',
            "The Kubernetes API could not find …/… for requested resource",
        ),
        reads=says(
            r"\bno matches for kind +\S+ +in version\b",
            r"\bthe kubernetes api could not find \S+ for requested resource\b",
        ),
    ),
    FailureText(
        code="AdmissionUnreachable",
        label=None,
        responder=None,
        area=Area.APPLYING,
        cause="An admission webhook does not answer, so the API server takes no object that it must see.",
        remedy="Bring its operator back (pods, Service, CA bundle), then sync again.",
        passes=True,
        where=_OPERATION,
        words=('failed calling webhook "…": failed to call webhook: Post "…"',),
        reads=says(r"\bfailed calling webhook +\S+"),
    ),
    FailureText(
        code="KubernetesForbidden",
        label=None,
        responder=None,
        area=Area.APPLYING,
        cause="Kubernetes' RBAC does not let this account do that.",
        remedy="Give its Role the verb and resource that the text names, in Git.",
        passes=False,
        where=f"{_OPERATION}, a Job's log",
        words=('… is forbidden: User "…" cannot … resource "…"',),
        reads=says(r"\bis forbidden: user +\S+ +cannot +\S+ +resource\b"),
    ),
    FailureText(
        code="AnnotationTooLong",
        label=None,
        responder=None,
        area=Area.APPLYING,
        cause="The object is too large for the annotation that client-side apply keeps of it.",
        remedy="Set the sync option ServerSideApply=true.",
        passes=False,
        where=_OPERATION,
        words=("metadata.annotations: Too long: must have at most 262144 bytes",),
        reads=says(r"\bmetadata\.annotations: +too long: "),
    ),
    FailureText(
        code="JobGaveUp",
        label=None,
        responder=None,
        area=Area.JOBS,
        cause="A Job, often a hook, failed as often as it may. Why, only its pods' logs say.",
        remedy="Read the log of its last pod, and give that text to `reconverge explain`.",
        passes=False,
        where=f"{_OPERATION}, condition Failed of a Job",
        words=("Job has reached the specified backoff limit", "BackoffLimitExceeded"),
        reads=says(r"\bjob has reached the specified backoff limit\b|\bbackofflimitexceeded\b"),
    ),
    FailureText(
        code="JobTookTooLong",
        label=None,
        responder=None,
        area=Area.JOBS,
        cause="A Job, often a hook, did not end in the time that it has. Its pod may never have started.",
        remedy="See its pod: an image that is not pulled and a node that does not take it are the usual "
        "reasons.",
        passes=False,
        where=f"{_OPERATION}, condition Failed of a Job",
        words=("Job was active longer than specified deadline", "DeadlineExceeded"),
        # The reason says so of calls and of pods too: it counts as all that is said, and as a Job's.
        reads=says(
            r"\bjob was active longer than specified deadline\b",
            r"\A\W{0,9}(?:failed\W{1,9})?deadlineexceeded\W{0,9}\Z",
            r"\b(?:jobs?\.batch\b|batch/job\b|kind\W{1,4}job\b)[^\0]{0,200}?\breason\W{1,5}deadlineexceeded\b",
        ),
    ),
    FailureText(
        code="SyncFailedBefore",
        label=None,
        responder=None,
        area=Area.ARGO_CD,
        cause="A sync of this revision failed already, and Argo CD does not start another by itself.",
        remedy="Find out why it failed (operationState). When that is mended: hard refresh, then sync.",
        passes=False,
        where="SyncError of an Application",
        words=("Failed last sync attempt to […]: …", "Failed sync attempt to …: …"),
        # Argo CD 2 puts it without `last`.
        reads=says(r"\bfailed last sync attempt to\b", r"\bfailed sync attempt to +[\w.+-]{5,64} *:"),
    ),
    FailureText(
        code="SyncWindowClosed",
        label=None,
        responder=None,
        area=Area.ARGO_CD,
        cause="A sync window of the project does not allow a sync now.",
        remedy="Nothing: it goes on when the window opens.",
        passes=True,
        where=_OPERATION,
        words=("Sync operation blocked by sync window",),
        reads=says(r"\b(?:blocked by|cannot sync: blocked by) sync window\b"),
    ),
    FailureText(
        code="ObjectOfTwoApplications",
        label=None,
        responder=None,
        area=Area.ARGO_CD,
        cause="Two Applications have the same object, and each undoes what the other does.",
        remedy="Take it out of one of them, in Git.",
        passes=False,
        where="SharedResourceWarning of an Application",
        words=("…/… is part of applications … and …",),
        reads=says(r"\bis part of applications \S+ and \S+"),
    ),
    FailureText(
        code="PruneOfEverything",
        label=None,
        responder=None,
        area=Area.ARGO_CD,
        cause="Git renders nothing for an Application that has objects, so Argo CD does not sync it by "
        "itself.",
        remedy="See why nothing is rendered: path, values files, generators. Never sync with prune before "
        "that.",
        passes=False,
        where="SyncError of an Application",
        words=("Skipping sync attempt to …: auto-sync will wipe out all resources",),
        reads=says(r"\bauto-sync will wipe out all resources\b"),
    ),
)

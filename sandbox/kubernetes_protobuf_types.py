"""The messages that kubectl sends as protobuf, as far as they are read: field number, JSON name and type.

The numbers are those of the generated.proto files below https://github.com/kubernetes/api and
https://github.com/kubernetes/apimachinery. A type is a message of this table or

    text, int, bool          a value; `int?` and `bool?` are left out when they are nothing
    bytes                    a value that JSON holds in base64
    Quantity                 an amount, which JSON holds as text
    -                        what only a server says: not read

with `*` for a list, `{}` for a map from text, and the name `.` where a message's fields are the outer one's.
"""

from collections.abc import Iterator
from dataclasses import dataclass

_MESSAGES = """
ObjectMeta: 1 name text, 2 generateName text, 3 namespace text, 4 selfLink -, 5 uid text,
    6 resourceVersion text, 7 generation -, 8 creationTimestamp -, 9 deletionTimestamp -,
    10 deletionGracePeriodSeconds -, 11 labels text{}, 12 annotations text{},
    13 ownerReferences OwnerReference*, 14 finalizers text*, 17 managedFields -
OwnerReference: 1 kind text, 3 name text, 4 uid text, 5 apiVersion text, 6 controller bool,
    7 blockOwnerDeletion bool
LabelSelector: 1 matchLabels text{}, 2 matchExpressions LabelSelectorRequirement*
LabelSelectorRequirement: 1 key text, 2 operator text, 3 values text*
DeleteOptions: 1 gracePeriodSeconds int, 2 preconditions Preconditions, 3 orphanDependents bool,
    4 propagationPolicy text, 5 dryRun text*
Preconditions: 1 uid text, 2 resourceVersion text
LocalObjectReference: 1 name text
ObjectReference: 1 kind text, 2 namespace text, 3 name text, 4 uid text, 5 apiVersion text,
    6 resourceVersion text, 7 fieldPath text

Namespace: 1 metadata ObjectMeta, 2 spec NamespaceSpec, 3 status -
NamespaceSpec: 1 finalizers text*
ServiceAccount: 1 metadata ObjectMeta, 2 secrets ObjectReference*,
    3 imagePullSecrets LocalObjectReference*, 4 automountServiceAccountToken bool
ConfigMap: 1 metadata ObjectMeta, 2 data text{}, 3 binaryData bytes{}, 4 immutable bool
Secret: 1 metadata ObjectMeta, 2 data bytes{}, 3 type text, 4 stringData text{}, 5 immutable bool

CronJob: 1 metadata ObjectMeta, 2 spec CronJobSpec, 3 status -
CronJobSpec: 1 schedule text, 2 startingDeadlineSeconds int, 3 concurrencyPolicy text, 4 suspend bool,
    5 jobTemplate JobTemplateSpec, 6 successfulJobsHistoryLimit int, 7 failedJobsHistoryLimit int,
    8 timeZone text
JobTemplateSpec: 1 metadata ObjectMeta, 2 spec JobSpec
Job: 1 metadata ObjectMeta, 2 spec JobSpec, 3 status -
JobSpec: 1 parallelism int, 2 completions int, 3 activeDeadlineSeconds int, 4 selector LabelSelector,
    5 manualSelector bool, 6 template PodTemplateSpec, 7 backoffLimit int, 8 ttlSecondsAfterFinished int,
    9 completionMode text, 10 suspend bool, 14 podReplacementPolicy text
Deployment: 1 metadata ObjectMeta, 2 spec DeploymentSpec, 3 status -
DeploymentSpec: 1 replicas int, 2 selector LabelSelector, 3 template PodTemplateSpec,
    4 strategy DeploymentStrategy, 5 minReadySeconds int?, 6 revisionHistoryLimit int, 7 paused bool?,
    9 progressDeadlineSeconds int
DeploymentStrategy: 1 type text
PodTemplateSpec: 1 metadata ObjectMeta, 2 spec PodSpec
PodSpec: 1 volumes Volume*, 2 containers Container*, 3 restartPolicy text,
    4 terminationGracePeriodSeconds int, 5 activeDeadlineSeconds int, 6 dnsPolicy text,
    7 nodeSelector text{}, 8 serviceAccountName text, 9 serviceAccount text, 10 nodeName text,
    11 hostNetwork bool?, 12 hostPID bool?, 13 hostIPC bool?, 14 securityContext PodSecurityContext,
    15 imagePullSecrets LocalObjectReference*, 16 hostname text, 17 subdomain text, 19 schedulerName text,
    20 initContainers Container*, 21 automountServiceAccountToken bool, 22 tolerations Toleration*,
    24 priorityClassName text, 29 runtimeClassName text, 30 enableServiceLinks bool
PodSecurityContext: 2 runAsUser int, 3 runAsNonRoot bool, 5 fsGroup int, 6 runAsGroup int,
    9 fsGroupChangePolicy text, 10 seccompProfile SeccompProfile
SeccompProfile: 1 type text, 2 localhostProfile text
Toleration: 1 key text, 2 operator text, 3 value text, 4 effect text, 5 tolerationSeconds int
Container: 1 name text, 2 image text, 3 command text*, 4 args text*, 5 workingDir text,
    6 ports ContainerPort*, 7 env EnvVar*, 8 resources ResourceRequirements, 9 volumeMounts VolumeMount*,
    13 terminationMessagePath text, 14 imagePullPolicy text, 15 securityContext SecurityContext,
    16 stdin bool?, 17 stdinOnce bool?, 18 tty bool?, 19 envFrom EnvFromSource*,
    20 terminationMessagePolicy text, 24 restartPolicy text
ContainerPort: 1 name text, 2 hostPort int?, 3 containerPort int?, 4 protocol text, 5 hostIP text
EnvVar: 1 name text, 2 value text, 3 valueFrom EnvVarSource
EnvVarSource: 1 fieldRef ObjectFieldSelector, 3 configMapKeyRef KeySelector, 4 secretKeyRef KeySelector
ObjectFieldSelector: 1 apiVersion text, 2 fieldPath text
KeySelector: 1 . LocalObjectReference, 2 key text, 3 optional bool
EnvFromSource: 1 prefix text, 2 configMapRef EnvSource, 3 secretRef EnvSource
EnvSource: 1 . LocalObjectReference, 2 optional bool
ResourceRequirements: 1 limits Quantity{}, 2 requests Quantity{}
SecurityContext: 1 capabilities Capabilities, 2 privileged bool, 4 runAsUser int, 5 runAsNonRoot bool,
    6 readOnlyRootFilesystem bool, 7 allowPrivilegeEscalation bool, 8 runAsGroup int,
    11 seccompProfile SeccompProfile
Capabilities: 1 add text*, 2 drop text*
VolumeMount: 1 name text, 2 readOnly bool?, 3 mountPath text, 4 subPath text, 6 subPathExpr text
Volume: 1 name text, 2 . VolumeSource
VolumeSource: 2 emptyDir EmptyDirVolumeSource, 6 secret SecretVolumeSource,
    10 persistentVolumeClaim PersistentVolumeClaimVolumeSource, 19 configMap ConfigMapVolumeSource,
    26 projected ProjectedVolumeSource
EmptyDirVolumeSource: 1 medium text, 2 sizeLimit Quantity
SecretVolumeSource: 1 secretName text, 2 items KeyToPath*, 3 defaultMode int, 4 optional bool
ConfigMapVolumeSource: 1 . LocalObjectReference, 2 items KeyToPath*, 3 defaultMode int, 4 optional bool
KeyToPath: 1 key text, 2 path text, 3 mode int
PersistentVolumeClaimVolumeSource: 1 claimName text, 2 readOnly bool?
ProjectedVolumeSource: 1 sources VolumeProjection*, 2 defaultMode int
VolumeProjection: 1 secret Projection, 3 configMap Projection,
    4 serviceAccountToken ServiceAccountTokenProjection
Projection: 1 . LocalObjectReference, 2 items KeyToPath*, 4 optional bool
ServiceAccountTokenProjection: 1 audience text, 2 expirationSeconds int, 3 path text

Role: 1 metadata ObjectMeta, 2 rules PolicyRule*
ClusterRole: 1 metadata ObjectMeta, 2 rules PolicyRule*
PolicyRule: 1 verbs text*, 2 apiGroups text*, 3 resources text*, 4 resourceNames text*,
    5 nonResourceURLs text*
RoleBinding: 1 metadata ObjectMeta, 2 subjects Subject*, 3 roleRef RoleRef
ClusterRoleBinding: 1 metadata ObjectMeta, 2 subjects Subject*, 3 roleRef RoleRef
Subject: 1 kind text, 2 apiGroup text, 3 name text, 4 namespace text
RoleRef: 1 apiGroup text, 2 kind text, 3 name text

TokenRequest: 1 metadata ObjectMeta, 2 spec TokenRequestSpec, 3 status -
TokenRequestSpec: 1 audiences text*, 3 boundObjectRef BoundObjectReference, 4 expirationSeconds int
BoundObjectReference: 1 kind text, 2 apiVersion text, 3 name text, 4 uid text
SelfSubjectReview: 1 metadata ObjectMeta, 2 status -
SelfSubjectAccessReview: 1 metadata ObjectMeta, 2 spec SelfSubjectAccessReviewSpec, 3 status -
SelfSubjectAccessReviewSpec: 1 resourceAttributes ResourceAttributes,
    2 nonResourceAttributes NonResourceAttributes
ResourceAttributes: 1 namespace text, 2 verb text, 3 group text, 4 version text, 5 resource text,
    6 subresource text, 7 name text
NonResourceAttributes: 1 path text, 2 verb text
SelfSubjectRulesReview: 1 metadata ObjectMeta, 2 spec SelfSubjectRulesReviewSpec, 3 status -
SelfSubjectRulesReviewSpec: 1 namespace text
"""


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    type: str
    many: str
    """`*` for a list, `{}` for a map, or nothing."""


def _read(table: str) -> Iterator[tuple[str, dict[int, Field]]]:
    for line in table.replace("\n    ", " ").split("\n"):
        message, _, rest = line.partition(": ")
        fields = [one.split() for one in rest.split(", ")] if rest else []
        if fields:
            yield message, {int(number): _field(name, type_) for number, name, type_ in fields}


def _field(name: str, type_: str) -> Field:
    many = next((mark for mark in ("*", "{}") if type_.endswith(mark)), "")
    return Field(name, type_.removesuffix(many), many)


MESSAGES = dict(_read(_MESSAGES))

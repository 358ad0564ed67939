"""The kinds of objects that a cluster serves, as discovery names them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    plural: str
    singular: str
    kind: str
    group: str = ""
    """Empty for the core."""
    version: str = "v1"
    short_names: tuple[str, ...] = ()
    namespaced: bool = True
    has_status: bool = False
    """The kind has the subresource `status`: writes to the object leave its status alone, and the reverse."""
    custom: bool = False
    """Of a CustomResourceDefinition: no strategic merge patch."""

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version


NAMESPACES = Resource(
    plural="namespaces",
    singular="namespace",
    kind="Namespace",
    short_names=("ns",),
    namespaced=False,
    has_status=True,
)
SERVICE_ACCOUNTS = Resource(
    plural="serviceaccounts", singular="serviceaccount", kind="ServiceAccount", short_names=("sa",)
)
PODS = Resource(plural="pods", singular="pod", kind="Pod", short_names=("po",), has_status=True)
CONFIG_MAPS = Resource(plural="configmaps", singular="configmap", kind="ConfigMap", short_names=("cm",))
SECRETS = Resource(plural="secrets", singular="secret", kind="Secret")
EVENTS = Resource(plural="events", singular="event", kind="Event", short_names=("ev",))
JOBS = Resource(plural="jobs", singular="job", kind="Job", group="batch", has_status=True)
CRON_JOBS = Resource(
    plural="cronjobs", singular="cronjob", kind="CronJob", group="batch", short_names=("cj",), has_status=True
)
DEPLOYMENTS = Resource(
    plural="deployments",
    singular="deployment",
    kind="Deployment",
    group="apps",
    short_names=("deploy",),
    has_status=True,
)
ROLES = Resource(plural="roles", singular="role", kind="Role", group="rbac.authorization.k8s.io")
ROLE_BINDINGS = Resource(
    plural="rolebindings", singular="rolebinding", kind="RoleBinding", group="rbac.authorization.k8s.io"
)
CLUSTER_ROLES = Resource(
    plural="clusterroles",
    singular="clusterrole",
    kind="ClusterRole",
    group="rbac.authorization.k8s.io",
    namespaced=False,
)
CLUSTER_ROLE_BINDINGS = Resource(
    plural="clusterrolebindings",
    singular="clusterrolebinding",
    kind="ClusterRoleBinding",
    group="rbac.authorization.k8s.io",
    namespaced=False,
)
STORES = Resource(
    plural="secretstores",
    singular="secretstore",
    kind="SecretStore",
    group="external-secrets.io",
    short_names=("ss",),
    has_status=True,
    custom=True,
)
EXTERNAL_SECRETS = Resource(
    plural="externalsecrets",
    singular="externalsecret",
    kind="ExternalSecret",
    group="external-secrets.io",
    short_names=("es",),
    has_status=True,
    custom=True,
)
REALM_IMPORTS = Resource(
    plural="keycloakrealmimports",
    singular="keycloakrealmimport",
    kind="KeycloakRealmImport",
    group="k8s.keycloak.org",
    version="v2alpha1",
    has_status=True,
    custom=True,
)
# Its definition serves no subresource, so whoever may patch an Application may patch its status as well.
# https://github.com/argoproj/argo-cd/blob/master/manifests/crds/application-crd.yaml
APPLICATIONS = Resource(
    plural="applications",
    singular="application",
    kind="Application",
    group="argoproj.io",
    version="v1alpha1",
    short_names=("app", "apps"),
    custom=True,
)
RESOURCES = (
    NAMESPACES,
    SERVICE_ACCOUNTS,
    PODS,
    CONFIG_MAPS,
    SECRETS,
    EVENTS,
    JOBS,
    CRON_JOBS,
    DEPLOYMENTS,
    ROLES,
    ROLE_BINDINGS,
    CLUSTER_ROLES,
    CLUSTER_ROLE_BINDINGS,
    STORES,
    EXTERNAL_SECRETS,
    REALM_IMPORTS,
    APPLICATIONS,
)

TOKEN_REVIEWS = Resource(
    plural="tokenreviews",
    singular="tokenreview",
    kind="TokenReview",
    group="authentication.k8s.io",
    namespaced=False,
)
SELF_SUBJECT_REVIEWS = Resource(
    plural="selfsubjectreviews",
    singular="selfsubjectreview",
    kind="SelfSubjectReview",
    group="authentication.k8s.io",
    namespaced=False,
)
ACCESS_REVIEWS = Resource(
    plural="subjectaccessreviews",
    singular="subjectaccessreview",
    kind="SubjectAccessReview",
    group="authorization.k8s.io",
    namespaced=False,
)
SELF_ACCESS_REVIEWS = Resource(
    plural="selfsubjectaccessreviews",
    singular="selfsubjectaccessreview",
    kind="SelfSubjectAccessReview",
    group="authorization.k8s.io",
    namespaced=False,
)
SELF_RULES_REVIEWS = Resource(
    plural="selfsubjectrulesreviews",
    singular="selfsubjectrulesreview",
    kind="SelfSubjectRulesReview",
    group="authorization.k8s.io",
    namespaced=False,
)
REVIEWS = (
    TOKEN_REVIEWS,
    SELF_SUBJECT_REVIEWS,
    ACCESS_REVIEWS,
    SELF_ACCESS_REVIEWS,
    SELF_RULES_REVIEWS,
)
"""Questions: they are created and answered, and never kept."""

_BY_PATH = {(one.group, one.version, one.plural): one for one in (*RESOURCES, *REVIEWS)}


def resource_of(group: str, version: str, plural: str) -> Resource | None:
    """The kind that a path names."""
    return _BY_PATH.get((group, version, plural))

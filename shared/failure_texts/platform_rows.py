"""Rows for the platform below and beside Argo CD: identities, Key Vault, Vault, and what rests on them.

The codes of a responder's reasons stand here as words, as this package may not import one. A test compares.
"""

from typing import Final

from shared.failure_texts.model import Area, FailureText
from shared.failure_texts.reading import Tool
from shared.failure_texts.signs import REGISTRY_REFUSED, in_log, says, within

_POD_LOG: Final = "log of the workload that could not get a token"
_BOOTSTRAP_LOG: Final = "log of the vault-bootstrap CronJob"
_STORE_NOT_READY: Final = r"\b(?:cluster)?secretstore +\S+ +is not ready\b"
_NO_MATCH: Final = r"\bno matching federated identity record found for presented assertion"


def _code(*codes: str) -> str:
    """A code of Entra as a word of its own: AADSTS70021 begins AADSTS700211."""
    return rf"(?<![a-z0-9])(?:{'|'.join(codes).lower()})(?![0-9])"


# https://learn.microsoft.com/entra/identity-platform/reference-error-codes
_ENTRA: Final = (
    FailureText(
        code="CredentialMissing",
        label=None,
        responder="federated_credentials",
        area=Area.ENTRA,
        cause="No federated credential of the identity matches the token that was presented.",
        remedy="Let federated_credentials compare the declared credentials with what the identity holds. A "
        "new one takes minutes to be seen everywhere.",
        passes=True,
        where=_POD_LOG,
        words=("AADSTS70021: No matching federated identity record found for presented assertion. …",),
        their_codes=("AADSTS70021",),
        reads=says(_code("AADSTS70021"), rf"{_NO_MATCH}\. "),
    ),
    FailureText(
        code="IssuerStale",
        label=None,
        responder="federated_credentials",
        area=Area.ENTRA,
        cause="The identity trusts another issuer than the one that signed the token: its credential still "
        "names a cluster that is gone, or the workload uses another identity than it should.",
        remedy="Let federated_credentials and runtime_facts tell which: a stale credential is brought to the"
        " live issuer, a stale client id is published anew.",
        passes=False,
        where=_POD_LOG,
        words=(
            "AADSTS700211: No matching federated identity record found for presented assertion issuer '…'",
        ),
        their_codes=("AADSTS700211",),
        reads=says(_code("AADSTS700211"), rf"{_NO_MATCH} issuer\b"),
    ),
    FailureText(
        code="AudienceDiffers",
        label=None,
        responder="federated_credentials",
        area=Area.ENTRA,
        cause="The token was made for another audience than the federated credential names.",
        remedy="Let federated_credentials bring the credential right, or correct the audience of the token.",
        passes=False,
        where=_POD_LOG,
        words=(
            "AADSTS700212: No matching federated identity record found for presented assertion audience '…'",
        ),
        their_codes=("AADSTS700212",),
        reads=says(_code("AADSTS700212"), rf"{_NO_MATCH} audience\b"),
    ),
    FailureText(
        code="SubjectDiffers",
        label=None,
        responder="federated_credentials",
        area=Area.ENTRA,
        cause="The identity trusts the issuer, but not this service account: namespace, name or letter case"
        " differ.",
        remedy="Let federated_credentials bring the credential right, or correct the service account. A new "
        "credential takes minutes to be seen everywhere.",
        passes=True,
        where=_POD_LOG,
        words=(
            "AADSTS700213: No matching federated identity record found for presented assertion subject '…'",
        ),
        their_codes=("AADSTS700213", "AADSTS7002138"),
        reads=says(_code("AADSTS700213", "AADSTS7002138"), rf"{_NO_MATCH} subject\b"),
    ),
    FailureText(
        code="IssuerUnreachable",
        label=None,
        responder="federated_credentials",
        area=Area.ENTRA,
        cause="Entra could not read the issuer's published keys. A deleted cluster's issuer answers no more.",
        remedy="Let federated_credentials compare the issuer with the live cluster's.",
        passes=True,
        where=_POD_LOG,
        words=("AADSTS50166: Request to External OIDC endpoint failed.",),
        their_codes=("AADSTS50166", "AADSTS501661", "AADSTS90061"),
        reads=says(
            _code("AADSTS50166", "AADSTS501661", "AADSTS90061"),
            r"\brequest to external oidc endpoint failed\b",
        ),
    ),
    FailureText(
        code="FactDiffers",
        label=None,
        responder="runtime_facts",
        area=Area.ENTRA,
        cause="Entra knows no application of this client id in this tenant: the published id is stale.",
        remedy="Let runtime_facts publish the identity's true client id; then restart the pods, since a "
        "changed annotation does not.",
        passes=False,
        where=_POD_LOG,
        words=("AADSTS700016: Application with identifier '…' was not found in the directory '…'",),
        their_codes=("AADSTS700016",),
        reads=says(
            _code("AADSTS700016"), r"\bapplication with identifier +\S+ +was not found in the directory\b"
        ),
    ),
    FailureText(
        code="TenantUnknown",
        label=None,
        responder=None,
        area=Area.ENTRA,
        cause="Entra knows no such tenant: the tenant id is wrong, or of another cloud.",
        remedy="Correct the tenant id in the chart's values and in the landscape.",
        passes=False,
        where=_POD_LOG,
        words=("AADSTS90002: Tenant '…' not found.",),
        their_codes=("AADSTS90002",),
        reads=says(_code("AADSTS90002")),
    ),
    FailureText(
        code="AssertionExpired",
        label=None,
        responder=None,
        area=Area.ENTRA,
        cause="The projected token was too old, or a clock is wrong.",
        remedy="Nothing at first: the kubelet renews the token. If it stays, see the pod's token file and "
        "the node's clock.",
        passes=True,
        where=_POD_LOG,
        words=("AADSTS700024: Client assertion is not within its valid time range.",),
        their_codes=("AADSTS700024",),
        reads=says(_code("AADSTS700024")),
    ),
    FailureText(
        code="AzureRoleMissing",
        label=None,
        responder=None,
        area=Area.ENTRA,
        cause="Azure knows the identity, but it has no role for this action, or not for long enough to be "
        "seen.",
        remedy="Let CI (Terraform) assign the role. An assignment takes up to ten minutes to be seen.",
        passes=True,
        where="log of cert-manager, Events of a Service, answers of ARM",
        words=("AuthorizationFailed: The client '…' … does not have authorization to perform action '…'",),
        reads=says(r"\bdoes not have authorization to perform action\b"),
    ),
)

_SEEDING: Final = (
    FailureText(
        code="BootstrapRoleMissing",
        label=None,
        responder="vault_seeding",
        area=Area.KEY_VAULT,
        cause="The identity may not read this Key Vault: its role is missing, or not yet seen everywhere.",
        remedy="Let CI (Terraform) assign Key Vault Secrets User on this Key Vault.",
        passes=True,
        where=_BOOTSTRAP_LOG,
        words=("ForbiddenByRbac",),
        reads=says(r"\bforbiddenbyrbac\b"),
        in_log=in_log(r"\bForbiddenByRbac\b"),
    ),
    FailureText(
        code="BootstrapTokenFileMissing",
        label=None,
        responder="vault_seeding",
        area=Area.ENTRA,
        cause="The workload identity webhook did not give the pod its token.",
        remedy="See azure-wi-webhook in kube-system, the pod's label and its service account's annotation. "
        "Pods that are older than the webhook need a restart.",
        passes=False,
        where=_BOOTSTRAP_LOG,
        words=("missing AZURE_FEDERATED_TOKEN_FILE",),
        reads=says(
            r"\b(?:missing|no) azure_federated_token_file\b",
            r"\bazure_federated_token_file\W{0,3}(?: \w+){0,3}\W{0,2}"
            r"(?:not set|unset|missing|required|unbound|empty)\b",
        ),
        # The variable alone is no sign: a shell that traces its commands names it every time.
        in_log=in_log(
            r"(?:missing|no) AZURE_FEDERATED_TOKEN_FILE"
            r"|AZURE_FEDERATED_TOKEN_FILE\W{0,3}(?: \w+){0,3}\W{0,2}"
            r"(?:not set|unset|missing|required|unbound|empty)"
        ),
    ),
    FailureText(
        code="BootstrapLacksSecret",
        label=None,
        responder="vault_seeding",
        area=Area.KEY_VAULT,
        cause="A secret that seeding needs was not found in Key Vault. When the identity was refused "
        "before, that comes first.",
        remedy="Put a usable version into Key Vault, or let its pipeline do it.",
        passes=False,
        where=_BOOTSTRAP_LOG,
        words=("missing required Key Vault secret: …",),
        reads=says(r"\bmissing required key vault secret\b"),
        # The group is the secret's name.
        in_log=in_log(r"missing required key vault secret:?\s+[\"']?([0-9A-Za-z-]{1,127})(?![0-9A-Za-z-])"),
    ),
    FailureText(
        code="VaultSealed",
        label=None,
        responder="vault_seeding",
        area=Area.VAULT,
        cause="Vault is sealed, whatever its pod's readiness says.",
        remedy="Unseal it, or see why the bootstrap or auto-unseal did not.",
        passes=False,
        where="condition of a SecretStore, log of the bootstrap",
        words=("Code: 503. Errors: * Vault is sealed",),
        reads=says(r"\bvault is sealed\b"),
        in_log=in_log(r"\bVault is sealed\b"),
    ),
    FailureText(
        code="BootstrapAudienceRefused",
        label=None,
        responder="vault_seeding",
        area=Area.VAULT,
        cause="Vault does not take the audience of the token: the role of its auth method binds another.",
        remedy="Leave the audience of the Vault role unset in the chart's values.",
        passes=False,
        where="condition of a SecretStore, log of the bootstrap",
        words=("invalid audience (aud) claim: …",),
        reads=says(r"\binvalid audience \(aud\) claim\b"),
        in_log=in_log(r"\binvalid audience\b"),
    ),
    FailureText(
        code="BootstrapDeniedByVault",
        label=None,
        responder="vault_seeding",
        area=Area.VAULT,
        cause="Vault denies what was asked of it: by its policy, or because it does not take the caller's "
        "login. A client patcher that may not write a key is told the same.",
        remedy="See policy and role in the chart's values; reviewer token and audience of the auth method "
        "stay unset.",
        passes=False,
        where="condition of a SecretStore, log of the bootstrap or of Keycloak's client patcher",
        words=("Code: 403. Errors: * permission denied",),
        reads=says(
            # By its policy Vault denies with a list, even of one.
            r"\bcode: +403\. +errors: +\* +(?:\d{1,3} errors? occurred: +\* +)?permission denied\b",
            unless=r"\bvault is sealed\b|\binvalid audience \(aud\) claim\b",
        ),
        in_log=in_log(r"\bpermission denied\b"),
    ),
    FailureText(
        code="BootstrapUnreachable",
        label=None,
        responder="vault_seeding",
        area=Area.MACHINE,
        cause="The bootstrap could not connect to Vault, Entra or Key Vault.",
        remedy="Nothing at first: it runs again. If it stays, see the Service of Vault and the cluster's "
        "DNS.",
        passes=True,
        where=_BOOTSTRAP_LOG,
        words=(
            "lookup vault-core-…: no such host",
            'Put "http://vault-core-…:8200/…": … connection refused',
        ),
        reads=says(
            r"(?<![\w-])vault-core-[a-z]{1,20}\b.{0,200}?\b(?:no such host|connection refused|i/o timeout)\b"
        ),
        in_log=in_log(r"\bconnection refused\b|\bno such host\b|\bcould not resolve host\b|\bi/o timeout\b"),
    ),
    FailureText(
        code="StoreNotReady",
        label=None,
        responder="vault_seeding",
        area=Area.SECRETS,
        cause="A SecretStore cannot reach its Vault, or is not let in. Its Events name the reason.",
        remedy="Let vault_seeding look: what keeps Vault from answering is mended first.",
        passes=False,
        where="condition of a SecretStore or ExternalSecret",
        words=(
            'SecretStore "…" is not ready',
            'ClusterSecretStore "…" is not ready',
            "InvalidProviderConfig",
        ),
        reads=says(_STORE_NOT_READY, r"\binvalidproviderconfig\b"),
    ),
    FailureText(
        code="ExternalSecretNotReady",
        label=None,
        responder="vault_seeding",
        area=Area.SECRETS,
        cause="The External Secrets Operator did not get a value. Its Events name the reason.",
        remedy="Let vault_seeding look: a seed that is missing in Vault is written first.",
        passes=False,
        where="condition of an ExternalSecret",
        words=(
            "SecretSyncedError",
            "could not get secret data from provider",
            "cannot find secret data for key: …",
        ),
        reads=says(
            r"\bsecretsyncederror\b",
            r"\bcould not get secret data from provider\b",
            r"\bcannot find secret data for key\b",
            unless=_STORE_NOT_READY,
        ),
    ),
)

_SERVICES: Final = (
    FailureText(
        code="CertificateUntrusted",
        label=None,
        responder=None,
        area=Area.CERTIFICATES,
        cause="A server's certificate is not trusted, has expired, or is another host's.",
        remedy="See which host the text names: its certificate, the CA that the caller knows, and whether "
        "DNS leads to another host.",
        passes=False,
        where="log of whoever called, ComparisonError",
        words=("x509: certificate signed by unknown authority", "SSL certificate problem: …"),
        reads=says(
            r"\bx509: (?:certificate|cannot validate certificate)\b",
            r"\bssl certificate problem: ",
            r"\bserver certificate verification failed\b",
        ),
    ),
    FailureText(
        code="DiskFull",
        label=None,
        responder=None,
        area=Area.MACHINE,
        cause="A volume or a node's disk is full.",
        remedy="See the volume of the pod that the text comes from; for the repo-server, its emptyDir.",
        passes=False,
        where="log of the pod, ComparisonError",
        words=("No space left on device",),
        reads=says(r"\bno space left on device\b"),
    ),
    FailureText(
        code="ImagePullRefused",
        label=None,
        responder="vault_seeding",
        area=Area.IMAGES,
        cause="The registry does not let the node pull: ghcr-pull is missing or holds a placeholder.",
        remedy="Let vault_seeding look at ghcr-pull-sync and at what it rests on.",
        passes=False,
        where="Events of a pod, state of a container",
        words=("failed to authorize: … 401 Unauthorized", "403 Forbidden from https://ghcr.io/token"),
        # Helm speaks to registries in the same words: a chart is no image.
        reads=within(
            frozenset(Tool) - {Tool.HELM, Tool.HELM_DEPENDENCY},
            REGISTRY_REFUSED,
            unless=r"\boci://|(?<![\w./-])helm[23]? +[a-z]",
        ),
    ),
    FailureText(
        code="ImageNotPulled",
        label=None,
        responder=None,
        area=Area.JOBS,
        cause="A node could not pull an image. Why, the pod's Events say.",
        remedy="Read the Events (`kubectl describe pod`), and give that text to `reconverge explain`.",
        passes=True,
        where="state of a container, message of a hook",
        words=("ImagePullBackOff", "ErrImagePull", 'Back-off pulling image "…"'),
        reads=says(r"\bimagepullbackoff\b|\berrimagepull\b|\bback-off pulling image\b"),
    ),
    FailureText(
        code="ImageOfOtherArchitecture",
        label=None,
        responder=None,
        area=Area.JOBS,
        cause="A container's program was built for another processor than the node has.",
        remedy="Use an image with a build for the node's architecture, in Git.",
        passes=False,
        where="log of the container",
        words=("exec format error",),
        reads=says(r"\bexec format error\b"),
    ),
    FailureText(
        code="NodesTainted",
        label=None,
        responder=None,
        area=Area.JOBS,
        cause="No node takes the pod: each has a taint that the pod does not tolerate.",
        remedy="Correct tolerations or node pool in Git. A hook that waits keeps its sync running.",
        passes=False,
        where="Events of a pod",
        words=("0/… nodes are available: … node(s) had untolerated taint …",),
        reads=says(r"\bhad untolerated taint\b"),
    ),
    FailureText(
        code="TerraformStateLocked",
        label=None,
        responder=None,
        area=Area.SERVICES,
        cause="Another run of Terraform holds the state's lock, or one that was cancelled left it behind.",
        remedy="Wait for the run that holds it. Only its own workflow may take a left lock away.",
        passes=True,
        where="log of a workflow",
        words=("Error acquiring the state lock",),
        reads=says(r"\berror acquiring the state lock\b"),
    ),
    FailureText(
        code="DexPathMissing",
        label=None,
        responder=None,
        area=Area.SERVICES,
        cause="Dex answers, but not at the path that Argo CD asks: its base path and its issuer's differ.",
        remedy="Give server.dex.server the path /api/dex in configs.params, by the bootstrap.",
        passes=False,
        where="log of argocd-server",
        words=('failed to query provider "…/api/dex": 404 Not Found',),
        reads=says(r"\bfailed to query provider +\S{1,200} *: *404 not found\b"),
    ),
)

ROWS: Final = (*_ENTRA, *_SEEDING, *_SERVICES)

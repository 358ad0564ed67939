"""The platform's own failures: no label, and a code of ours."""
# ruff: noqa: E501, ISC004 (foreign texts, and as few breaks in them as can be)

from typing import Final

import pytest

from shared.failure_texts import classify
from tests.unit.failure_texts.decoys import DECOYS
from tests.unit.failure_texts.wordings import FETCH, TARGET, UPDATE

NO_MATCH: Final = "No matching federated identity record found for presented assertion"

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "a dead issuer": (f"AADSTS700211: {NO_MATCH} issuer 'https://o/'. Please check", "IssuerStale"),
    "the same without its code": (f"{NO_MATCH} issuer 'https://o/'", "IssuerStale"),
    "a wrong subject": (f"AADSTS700213: {NO_MATCH} subject 'system:serviceaccount:a:b'.", "SubjectDiffers"),
    "letter case": ("AADSTS7002138: …", "SubjectDiffers"),
    "a wrong audience": (f"AADSTS700212: {NO_MATCH} audience 'a'.", "AudienceDiffers"),
    "the older code": (f"AADSTS70021: {NO_MATCH}. Assertion Issuer: 'https://o/'.", "CredentialMissing"),
    "a stale client id": (
        "AADSTS700016: Application with identifier '0' was not found in the directory '1'.",
        "FactDiffers",
    ),
    "an issuer that is gone": ("AADSTS50166: Request to External OIDC endpoint failed.", "IssuerUnreachable"),
    "a wrong tenant": ("AADSTS90002: Tenant 't' not found.", "TenantUnknown"),
    "an old token": (
        "AADSTS700024: Client assertion is not within its valid time range.",
        "AssertionExpired",
    ),
    "in JSON": ('{"error":"invalid_client","error_description":"AADSTS700211: No matching"}', "IssuerStale"),
    "a role in ARM": (
        "AuthorizationFailed: The client 'c' with object id 'o' does not have authorization to perform action "
        "'Microsoft.Network/dnsZones/TXT/write' over scope '/s'",
        "AzureRoleMissing",
    ),
    "a role in Key Vault": ('{"innererror":{"code":"ForbiddenByRbac"}}', "BootstrapRoleMissing"),
    "a secret": ("missing required Key Vault secret: ghcr-username", "BootstrapLacksSecret"),
    "root and symptom of one run": (
        "AADSTS700211: …\nmissing required Key Vault secret: ghcr-username",
        "IssuerStale",
    ),
    "a pod without its token": ("missing AZURE_FEDERATED_TOKEN_FILE", "BootstrapTokenFileMissing"),
    "a sealed Vault": ("Error making API request. Code: 503. Errors:\n\n* Vault is sealed", "VaultSealed"),
    "a denied login": (
        "URL: PUT http://vault-core-dev:8200/v1/auth/kubernetes/login\nCode: 403. Errors:\n\n* permission denied",
        "BootstrapDeniedByVault",
    ),
    "a denied read": (
        "URL: GET http://vault:8200/v1/secret/data/x\nCode: 403. Errors:\n\n* 1 error occurred:\n\t* permission denied\n\n",
        "BootstrapDeniedByVault",
    ),
    "a denied token": (
        "Code: 403. Errors:\n\n* 2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n",
        "BootstrapDeniedByVault",
    ),
    "a denied read, as an ExternalSecret tells it": (
        "could not get secret data from provider: error processing spec.data[0] (key: keycloak/admin), err: cannot read secret "
        "data from Vault: Error making API request.\\n\\nURL: GET http://vault:8200/v1/secret/data/keycloak/admin\\nCode: 403. "
        "Errors:\\n\\n* 1 error occurred:\\n\\t* permission denied",
        "BootstrapDeniedByVault",
    ),
    "an audience": (
        "Code: 403. Errors:\n\n* permission denied: invalid audience (aud) claim: audience claim does not match",
        "BootstrapAudienceRefused",
    ),
    "a Vault without a name": (
        "dial tcp: lookup vault-core-dev.ameide-dev.svc on 10.0.0.10:53: no such host",
        "BootstrapUnreachable",
    ),
    "a store": ('SecretStore "ameide-vault" is not ready', "StoreNotReady"),
    "a store of the cluster": ('ClusterSecretStore "azure-kv" is not ready', "StoreNotReady"),
    "a store of the cluster, as an ExternalSecret tells it": (
        'SecretSyncedError: ClusterSecretStore "azure-kv" is not ready',
        "StoreNotReady",
    ),
    "an ExternalSecret": (
        "SecretSyncedError: could not get secret data from provider",
        "ExternalSecretNotReady",
    ),
    "a store and its root": (
        'SecretStore "ameide-vault" is not ready: Code: 503. Errors: * Vault is sealed',
        "VaultSealed",
    ),
    "the parent's credentials": (
        "rpc error: code = Unknown desc = failed to list refs: authentication required: Repository not found.",
        "RepositoryCredentialsRefused",
    ),
    "the same without its beginning": (
        "authentication required: Repository not found.",
        "RepositoryCredentialsRefused",
    ),
    "a token of the wrong kind": (
        "remote: Password authentication is not supported for Git operations.\nfatal: Authentication failed for "
        "'https://github.com/o/r.git/'",
        "RepositoryCredentialsRefused",
    ),
    "a repository that is not found": (
        f"{FETCH}remote: Repository not found.\nfatal: repository 'https://github.com/o/r/' not found",
        "RepositoryNotFound",
    ),
    "a host": (f"{FETCH}Host key verification failed.", "RepositoryHostUntrusted"),
    "a branch": (
        "`git fetch origin release --tags` failed exit status 128: fatal: couldn't find remote ref release",
        "ParentBranchMissing",
    ),
    "a submodule's repository": (
        f"{UPDATE}ERROR: Repository not found.\nfatal: Could not read from remote repository.",
        "SubmoduleRepositoryNotFound",
    ),
    "a submodule without entry": (
        f"{UPDATE}fatal: No url found for submodule path 'backlog' in .gitmodules",
        "SubmoduleUndeclared",
    ),
    "a changed working copy": (DECOYS["an obstructed checkout"], "CheckoutObstructed"),
    "a certificate": (
        'failed to query provider: Get "https://d": x509: certificate signed by unknown authority',
        "CertificateUntrusted",
    ),
    "a certificate of a Git server": (DECOYS["a certificate"], "CertificateUntrusted"),
    "a full disk": (DECOYS["a full disk"], "DiskFull"),
    "a deadline": (DECOYS["a deadline"], "RepoServerTooSlow"),
    "a deadline of manifests": (
        f"{TARGET}rpc error: code = DeadlineExceeded desc = context deadline exceeded",
        "RepoServerTooSlow",
    ),
    "a deadline in Argo CD's log": (
        'level=error msg="rpc error: code = DeadlineExceeded desc = context deadline exceeded" application=argocd/dev-volume-'
        "snapshots",
        "RepoServerTooSlow",
    ),
    "a template": (DECOYS["a chart's template"], "HelmTemplateFailed"),
    "a folder": ("rpc error: code = Unknown desc = apps/x: app path does not exist", "AppPathMissing"),
    "a selector": (DECOYS["a Deployment's selector"], "FieldImmutable"),
    "a selector beside a Job that is wrong": (
        DECOYS["a Job that is wrong, and a Deployment that is not"],
        "FieldImmutable",
    ),
    "credentials in the midst of a fetch": (
        f"{FETCH}error: RPC failed; HTTP 403 curl 22 The requested URL returned error: 403",
        "RepositoryCredentialsRefused",
    ),
    "a CRD": ('no matches for kind "Keycloak" in version "k8s.keycloak.org/v2"', "KindNotServed"),
    "an admission webhook": (
        'Internal error occurred: failed calling webhook "w.example.com": failed to call webhook: Post "https://w": '
        "no endpoints available",
        "AdmissionUnreachable",
    ),
    "RBAC": (
        'pods is forbidden: User "system:serviceaccount:a:b" cannot list resource "pods" in API group ""',
        "KubernetesForbidden",
    ),
    "a large CRD": ("metadata.annotations: Too long: must have at most 262144 bytes", "AnnotationTooLong"),
    "a Job that gave up": ("Job has reached the specified backoff limit", "JobGaveUp"),
    "a Job that took too long": ("Job was active longer than specified deadline", "JobTookTooLong"),
    "a Job that gave up, and why": (
        "Job has reached the specified backoff limit\nmissing required Key Vault secret: ghcr-token",
        "BootstrapLacksSecret",
    ),
    "a sync that failed before": ("Failed last sync attempt to [1f0e3da]: one or more", "SyncFailedBefore"),
    "a sync that failed before, by an older Argo CD": (
        "Failed sync attempt to 1f0e3dad99908345f7439f8ffabdffc4a9c2a7f1: one or more synchronization tasks completed "
        "unsuccessfully (retried 5 times).",
        "SyncFailedBefore",
    ),
    "a sync that failed before, and why": (
        'Failed sync attempt to 1f0e3da: Deployment.apps "w" is invalid: spec.selector: Invalid value: v1.LabelSelector{}: field '
        "is immutable",
        "FieldImmutable",
    ),
    "a sync window": ("Sync operation blocked by sync window", "SyncWindowClosed"),
    "nothing rendered": (
        "Skipping sync attempt to 1f0e3da: auto-sync will wipe out all resources",
        "PruneOfEverything",
    ),
    "an image": ('Back-off pulling image "ghcr.io/a/b:1"', "ImageNotPulled"),
    "an image without credentials": (
        "failed to authorize: failed to fetch anonymous token: unexpected status from GET request to "
        "https://ghcr.io/token?scope=x: 401 Unauthorized",
        "ImagePullRefused",
    ),
    "an image of Helm": (
        'Failed to pull image "docker.io/alpine/helm:3": failed to authorize: failed to fetch oauth token: 403 Forbidden',
        "ImagePullRefused",
    ),
    "an image, its state and its cause": (
        "ImagePullBackOff: failed to authorize: failed to fetch oauth token: 403 Forbidden",
        "ImagePullRefused",
    ),
    "a processor": ("exec /bin/sh: exec format error", "ImageOfOtherArchitecture"),
    "a taint": ("0/3 nodes are available: 3 node(s) had untolerated taint {gpu: true}.", "NodesTainted"),
    "a lock": ("Error: Error acquiring the state lock", "TerraformStateLocked"),
    "a path of Dex": (
        'failed to query provider "https://argocd.ameide.io/api/dex": 404 Not Found: page',
        "DexPathMissing",
    ),
    "a scope": ("error=invalid_scope&error_description=Invalid+scopes", "ScopeUnknown"),
    "a schema": ('PG::UndefinedTable: ERROR:  relation "users" does not exist', "DatabaseSchemaMissing"),
    "an object of two": (
        "ConfigMap/coredns-custom is part of applications argocd/a and argocd/b",
        "ObjectOfTwoApplications",
    ),
    "a redirect": ("We are sorry... Invalid parameter: redirect_uri", "RedirectUriUnknown"),
    "a client's secret": (
        'oauth2: "unauthorized_client" "Invalid client or Invalid client credentials"',
        "ClientSecretRefused",
    ),
    "Keycloak's administration": (
        "GET http://keycloak:8080/admin/realms/ameide/clients -> HTTP 403",
        "KeycloakForbidden",
    ),
    "GitLab's databases": ("Database config validation failure:\n* ci", "GitLabDatabaseConfigRefused"),
    "GitLab's databases, by what is wrong with main": (
        "- The 'main' is required to use 'database_tasks: true'",
        "GitLabDatabaseConfigRefused",
    ),
    "GitLab's databases, by what both have": (
        "rake aborted!\nDatabase config validation failure:\n- Many configurations (main, ci) share the same database "
        "(gitlabhq_production). This will result in failures provisioning or migrating this database. Ensure that "
        "additional databases are configured with 'database_tasks: false' or are pointing to a dedicated database host.",
        "GitLabDatabaseConfigRefused",
    ),
    "GitLab's databases, by what ci lacks": (
        "- The 'ci' is expecting to share configuration with 'main', but no such is to be found.",
        "GitLabDatabaseConfigRefused",
    ),
    "GitLab's databases, by what ci is not": (
        "- The 'ci' since it is using 'database_tasks: false' should share database with 'main:'.",
        "GitLabDatabaseConfigRefused",
    ),
    "a check of databases, of which one is away": (
        'WARNING: Could not establish database connection for ci: could not translate host name "postgres-ci-rw" to '
        "address: Name or service not known\nrake aborted!\nDatabase config validation failure:\n- The 'main' is "
        "required to use 'database_tasks: true'",
        "GitLabDatabaseConfigRefused",
    ),
    "Keycloak's administration, as the patcher prints it": (
        "Token taken\nERROR: GET /admin/realms/ameide/clients: 403 Forbidden",
        "KeycloakForbidden",
    ),
    "an administrator's password": (
        'Login as admin-cli refused {"error":"invalid_grant","error_description":"Invalid user credentials"}',
        "BootstrapAdminRefused",
    ),
    "a patcher without a token": ("Token not available yet\nToken not available yet", "PatcherWithoutToken"),
    "a patcher that finds no client": ("Client 'gitlab' not found - skipping", "PatcherSkippedClient"),
    "a patcher whom Vault denies a key": (
        "ERROR: PUT http://vault-core-dev:8200/v1/secret/data/gitlab-oidc-client-secret: Code: 403. Errors: * permission "
        "denied",
        "BootstrapDeniedByVault",
    ),
    "a database's name": (
        'PG::ConnectionBad: could not translate host name "postgres-ameide-rw" to address: Name or service not known',
        "DatabaseUnreachable",
    ),
    "a database that nobody listens for": (
        'ActiveRecord::ConnectionNotEstablished: connection to server at "10.0.0.7", port 5432 failed: Connection refused\n'
        "\tIs the server running on that host and accepting TCP/IP connections?",
        "DatabaseUnreachable",
    ),
    "a database server of the older words": (
        "could not connect to server: Connection refused",
        "DatabaseUnreachable",
    ),
    "an identity that is refused beside a database that is away": (
        "AADSTS700211: No matching federated identity record found for presented assertion issuer 'https://x'\n"
        'connection to server at "postgres-ameide-rw", port 5432 failed: Connection refused',
        "IssuerStale",
    ),
    "a database that begins": ("FATAL:  the database system is starting up", "DatabaseUnreachable"),
    "a password, behind a connection": (
        'PG::ConnectionBad: connection to server at "10.0.0.7", port 5432 failed: FATAL:  password authentication failed '
        'for user "gitlab"',
        "DatabasePasswordRefused",
    ),
    "a database, behind a connection": (
        'connection to server at "10.0.0.7", port 5432 failed: FATAL:  database "gitlabhq_production" does not exist',
        "DatabaseMissing",
    ),
    "an extension": (
        'PG::FeatureNotSupported: ERROR:  extension "btree_gist" is not available\nDETAIL:  Could not open extension '
        'control file "/usr/share/postgresql/16/extension/btree_gist.control": No such file or directory.',
        "DatabaseExtensionMissing",
    ),
    "an extension that the role may not create": (
        'PG::InsufficientPrivilege: ERROR:  permission denied to create extension "btree_gist"\nHINT:  Must be superuser '
        "to create this extension.",
        "DatabaseExtensionMissing",
    ),
    "a lock in a database": (
        "ActiveRecord::LockWaitTimeout: PG::LockNotAvailable: ERROR:  canceling statement due to lock timeout",
        "DatabaseLocked",
    ),
    "two migrations at once": ("ActiveRecord::ConcurrentMigrationError:", "DatabaseLocked"),
    "a slow statement": (
        "PG::QueryCanceled: ERROR:  canceling statement due to statement timeout",
        "DatabaseTooSlow",
    ),
    "a Job's reason for its end": ("Failed: DeadlineExceeded", "JobTookTooLong"),
    "a Job's reason alone": ("DeadlineExceeded", "JobTookTooLong"),
    "a Job by name and its reason": (
        "job.batch/migrate: condition Failed, reason: DeadlineExceeded",
        "JobTookTooLong",
    ),
    "a role's password": (DECOYS["authentication of something else"], "DatabasePasswordRefused"),
    "a MinIO user": ("Aws::S3::Errors::InvalidAccessKeyId", "ObjectStorageKeyUnknown"),
}


@pytest.mark.parametrize(("text", "code"), TEXTS.values(), ids=TEXTS)
def test_a_text_of_the_platform_has_its_code(text: str, code: str) -> None:
    found = classify(text)
    assert found.failure is not None
    assert (found.failure.code, found.failure.label) == (code, None)


NOT_SPECIFIC: Final = {
    "a code of Entra with another at its beginning": "AADSTS7002119: …",
    "a trace that names the variable": '+ cat "$AZURE_FEDERATED_TOKEN_FILE"',
    "a file's mode": "open /x: permission denied",
    "a healthy Vault": "vault is unsealed",
    "a client of somebody else": "Client 10.0.0.7 not found in cache",
    "a grant that is refused for another reason": '{"error":"invalid_grant","error_description":"Code not valid"}',
    "a database of another kind": "could not connect: Connection timed out",
    "a role that may not create a table": "ERROR:  permission denied for schema public",
    "an admin page": "GET /admin/realms/ameide/clients 200",
    "an image that came too late": 'Failed to pull image "x": rpc error: code = DeadlineExceeded desc = context deadline exceeded',
    "a disk that came too late": 'AttachVolume.Attach failed for volume "pvc-x" : rpc error: code = DeadlineExceeded desc = '
    "context deadline exceeded",
    "a probe that came too late": "Readiness probe errored: rpc error: code = DeadlineExceeded desc = context deadline exceeded",
    "a plugin that came too late": "plugin sidecar failed. error generating manifests in cmp: rpc error: code = "
    "DeadlineExceeded desc = context deadline exceeded",
    "a chart that a registry refuses": "`helm pull oci://ghcr.io/o/charts/a --version 1.2.3` failed exit status 1: Error: failed to "
    "authorize: failed to fetch oauth token: unexpected status from GET request to https://ghcr.io/token?scope=x: 401 Unauthorized",
    "a chart that a registry does not show": "helm pull oci://ghcr.io/o/charts/a --version 1.2.3 failed exit status 1: Error: "
    "unexpected status from HEAD request to https://ghcr.io/v2/o/charts/a/manifests/1.2.3: 403 Forbidden",
    "a chart that is installed from a registry": "+ helm upgrade --install a oci://ghcr.io/o/charts/a\nError: failed to authorize: "
    "failed to fetch anonymous token: 401 Unauthorized",
    "a registry's login": "$ helm registry login ghcr.io\nError: failed to authorize: failed to fetch oauth token: 403 Forbidden",
    "a chart that is rendered from a registry": "`helm template oci://ghcr.io/o/charts/a` failed exit status 1: Error: failed to "
    "authorize: failed to fetch oauth token: 401 Unauthorized",
    "a chart of a kustomization": "`kustomize build /tmp/r --enable-helm` failed exit status 1: Error: unable to run: 'helm pull "
    "--untar oci://ghcr.io/o/charts/a' with env=[] (is 'helm' installed?): exit status 1: Error: failed to authorize: failed to "
    "fetch oauth token: 401 Unauthorized",
    "a scope that Entra does not know": "invalid_scope: AADSTS70011: The provided request must include a 'scope' input parameter.",
    "a scope of an application of Entra": '{"error":"invalid_scope","error_description":"AADSTS1002012: The provided value for '
    'scope api://x is not valid."}',
    "a scope that Google does not know": 'oauth2: "invalid_scope" https://www.googleapis.com/auth/x',
    "an answer that came too late": '{"code":"DeadlineExceeded","message":"The operation timed out"}',
    "a stream that came too late": 'level=error msg="rpc error: code=DeadlineExceeded desc=stream timeout"',
    "a Job's call that came too late": 'job/sync-users failed: {"code":"DeadlineExceeded","message":"stream timeout"}',
    "a Job's upload that came too late": "backup job: upload failed: DeadlineExceeded",
    "a Job's query that came too late": "backup job: googleapi: Error 504, reason: deadlineExceeded",
    "a pod that took too long": "Pod was active on the node longer than the specified deadline (DeadlineExceeded)",
    "an address that may not read a submodule": f"{UPDATE}remote: The repository owner has an IP allow list enabled, and 20.1.2.3 is "
    "not permitted to access this repository.\nfatal: unable to access 'https://g/s.git/': The requested URL returned error: 403",
    "an account that may not read a submodule": f"{UPDATE}remote: Your account is suspended. Please visit https://support.github.com "
    "for more information.\nfatal: unable to access 'https://g/s.git/': The requested URL returned error: 403",
    "an address that may not read the parent": f"{FETCH}remote: The 'o' organization has an IP allow list enabled, and your IP address"
    " is not permitted to access this resource.\nfatal: unable to access 'https://g/r/': The requested URL returned error: 403",
    "a repository that was closed": f"{FETCH}remote: Repository access blocked: unavailable due to DMCA takedown.\nfatal: unable to "
    "access 'https://g/r/': The requested URL returned error: 403",
    "a caller who asks too often": f"{UPDATE}remote: API rate limit exceeded for installation.\nfatal: unable to access "
    "'https://g/s.git/': The requested URL returned error: 403",
    "a list of Vault's other errors": "Code: 403. Errors:\n\n* 1 error occurred:\n\t* namespace not authorized",
    "talk of a sync": "the failed sync attempt to production was repeated: all is well",
    "two identities at once": "AADSTS700211: …\nAADSTS700213: …",
}


@pytest.mark.parametrize("text", NOT_SPECIFIC.values(), ids=NOT_SPECIFIC)
def test_a_text_that_is_not_specific_is_unknown(text: str) -> None:
    assert classify(text).failure is None

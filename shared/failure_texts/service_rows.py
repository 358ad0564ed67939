"""Rows for the services of the platform that people use: Keycloak, databases, GitLab.

The codes of a responder's reasons stand here as words, as this package may not import one. A test compares.
"""

from typing import Final

from shared.failure_texts.model import Area, FailureText
from shared.failure_texts.signs import in_log, says

_PATCHER_LOG: Final = "log of the client patcher"
_DATABASE_LOG: Final = "log of the application, or of the Job that migrates its database"

# What a server says to somebody who has reached it. https://www.postgresql.org/docs/current/errcodes-appendix.html
_REFUSED: Final = r"\bpassword authentication failed for user\b"
_NO_DATABASE: Final = r"\bdatabase +\S{1,80} +does not exist\b"
_NO_ENTRY: Final = r"\bno pg_hba\.conf entry for\b"

_KEYCLOAK: Final = (
    FailureText(
        code="ScopeUnknown",
        label=None,
        responder=None,
        area=Area.SERVICES,
        cause="Keycloak's client does not have a scope that was asked for.",
        remedy="Add the client scope in Git and raise clientPatcher.runId, so that the patcher runs again. "
        "Reconverge judges no scopes.",
        passes=False,
        where="Keycloak's answer to a sign-in",
        words=("invalid_scope",),
        # Any server of OAuth answers so; these name themselves.
        reads=says(r"\binvalid_scope\b", unless=r"\baadsts\d|\bmicrosoftonline\b|\bgoogle(?:apis)?\b"),
    ),
    FailureText(
        code="RedirectUriUnknown",
        label=None,
        responder="keycloak_bootstrap",
        area=Area.SERVICES,
        cause="Keycloak's client does not list the address to which the sign-in should lead back.",
        remedy="Let keycloak_bootstrap look: it adds a redirect URI that the landscape declares, where the "
        "contract lets it (keycloak.redirect). One that is not declared is corrected in Git; then raise "
        "clientPatcher.runId, so that the patcher runs again.",
        passes=False,
        where="Keycloak's error page and log",
        words=("Invalid parameter: redirect_uri",),
        reads=says(r"\binvalid parameter: redirect_uri\b"),
    ),
    FailureText(
        code="ClientSecretRefused",
        label=None,
        responder="keycloak_bootstrap",
        area=Area.SERVICES,
        cause="Keycloak does not take a client's secret: it is a placeholder or an older one, or the client"
        " is missing.",
        remedy="Let keycloak_bootstrap look: it compares the Secrets with the digests that the patcher "
        "published, and proposes another clientPatcher.runId where they differ. Whoever reads a Secret "
        "at its start must be restarted afterwards.",
        passes=False,
        where="log of Dex or of an application",
        words=("unauthorized_client … Invalid client or Invalid client credentials",),
        reads=says(r"\binvalid client or invalid client credentials\b"),
    ),
    FailureText(
        code="KeycloakForbidden",
        label=None,
        responder="keycloak_bootstrap",
        area=Area.SERVICES,
        cause="Whoever administers Keycloak lacks the role: the master bootstrap has not run, or ran after "
        "the patcher.",
        remedy="Let keycloak_bootstrap look: it proposes the order in which the master bootstrap completes "
        "before the patcher begins, or another run of both.",
        passes=False,
        where=_PATCHER_LOG,
        words=("403 Forbidden on /admin/realms/…",),
        reads=says(
            r"/admin/realms/\S{0,200} .{0,80}?\b(?:http )?403\b",
            r"\b403 forbidden\b.{0,80}?/admin/realms/",
            r"\bkeycloak\b.{0,80}?\bhttp 403 forbidden\b",
        ),
        # Vault's refusals have a code, and no word for it.
        in_log=in_log(r"/admin/realms/\S{0,200} .{0,80}?\b403\b", r"\b403 forbidden\b"),
    ),
    FailureText(
        code="BootstrapAdminRefused",
        label=None,
        responder="keycloak_bootstrap",
        area=Area.SERVICES,
        cause="Keycloak does not take a password. That of the bootstrap administrator counts only when the "
        "master realm is first made: a Secret that is changed later changes nothing.",
        remedy="Let keycloak_bootstrap look. Where the Secret is newer than the realm, somebody gives the "
        "administrator that password in Keycloak.",
        passes=False,
        where="log of the master bootstrap or of the client patcher",
        words=("invalid_grant: Invalid user credentials",),
        reads=says(r"\binvalid_grant\b.{0,80}?\binvalid user credentials\b"),
        in_log=in_log(r"\binvalid_grant\b", r"\binvalid user credentials\b"),
    ),
    FailureText(
        code="PatcherWithoutToken",
        label=None,
        responder="keycloak_bootstrap",
        area=Area.SERVICES,
        cause="Keycloak gave the client patcher no token: it is not up yet, or the patcher's client is not "
        "there.",
        remedy="Let keycloak_bootstrap look: it sees whether Keycloak answers, and whether the master "
        "bootstrap, which makes the patcher's client, was complete before.",
        passes=True,
        where=_PATCHER_LOG,
        words=("Token not available yet",),
        reads=says(r"\btoken not available yet\b"),
        in_log=in_log(r"\btoken not available yet\b"),
    ),
    FailureText(
        code="PatcherSkippedClient",
        label=None,
        responder="keycloak_bootstrap",
        area=Area.SERVICES,
        cause="The client patcher was to extract the secret of a client that the realm does not have. An "
        "import only creates a realm: clients that are declared later never come by it.",
        remedy="Let keycloak_bootstrap look: it names the declared clients that are missing. Declare them "
        "under clientPatcher.clientReconciliation.clients in Git as well, so that the patcher makes them.",
        passes=False,
        where=_PATCHER_LOG,
        words=("Client '…' not found - skipping",),
        reads=says(r"\bclient +\S{1,255} +not found\W{1,5}skipping\b"),
        # The group is the client's id.
        in_log=in_log(r"\bclient ['\"]?([^'\"\s]{1,255})['\"]? not found\W{1,5}skipping\b"),
    ),
)

_DATABASES: Final = (
    FailureText(
        code="DatabaseSchemaMissing",
        label=None,
        responder=None,
        area=Area.SERVICES,
        cause="The database has no such table: its migrations have not run, or the database was made anew.",
        remedy="See the Job or hook that migrates it. A hook alone does not run again before a sync. "
        "GitLab's are looked after by gitlab_migrations.",
        passes=False,
        where="log of the application",
        words=('relation "…" does not exist',),
        reads=says(r"\brelation +\S{1,200} +does not exist\b"),
    ),
    FailureText(
        code="DatabaseUnreachable",
        label=None,
        responder=None,
        area=Area.SERVICES,
        cause="A PostgreSQL server could not be reached: its name is unknown, nobody listens, or it is just "
        "starting.",
        remedy="Nothing at first: a cluster of databases takes minutes. If it stays, see that cluster and "
        "its Service. Where it keeps GitLab's migrations from running, gitlab_migrations says so, and "
        "runs none in vain.",
        passes=True,
        where=_DATABASE_LOG,
        words=(
            "PG::ConnectionBad: …",
            "could not connect to server: …",
            'could not translate host name "…" to address: …',
            'connection to server at "…", port … failed: …',
        ),
        reads=says(
            r"\bpg::connectionbad\b",
            r"\bcould not (?:connect to server|translate host name)\b",
            r"\bconnection to server (?:at|on) .{1,200}? failed\b",
            r"\bthe database system is (?:starting up|shutting down|in recovery mode)\b",
            # GitLab's check of its databases only warns of one that it cannot reach.
            unless=rf"{_REFUSED}|{_NO_DATABASE}|{_NO_ENTRY}|\brole +\S{{1,80}} +does not exist\b"
            r"|\bdatabase config validation failure\b",
        ),
        in_log=in_log(
            r"\bPG::ConnectionBad\b",
            r"\bActiveRecord::(?:ConnectionNotEstablished|DatabaseConnectionError)\b",
            r"\bcould not (?:connect to server|translate host name)\b",
            r"\bconnection to server (?:at|on) .{0,200}? failed\b",
            r"\bcould not establish database connection\b",
            r"\bthe database system is (?:starting up|shutting down|in recovery mode)\b",
            r"\bserver closed the connection unexpectedly\b",
        ),
    ),
    FailureText(
        code="DatabasePasswordRefused",
        label=None,
        responder=None,
        area=Area.SERVICES,
        cause="A PostgreSQL role has another password than the one that was presented.",
        remedy="Compare the digests of both Secrets; let the password's reconciler run.",
        passes=False,
        where=_DATABASE_LOG,
        words=('pq: password authentication failed for user "…"',),
        reads=says(_REFUSED),
        in_log=in_log(_REFUSED, r"\bno password supplied\b", _NO_ENTRY, r"\brole \S{1,80} does not exist\b"),
    ),
    FailureText(
        code="DatabaseMissing",
        label=None,
        responder=None,
        area=Area.SERVICES,
        cause="The PostgreSQL server has no database of this name.",
        remedy="See what makes it (the database's cluster, or its own resource) and the name that was asked "
        "for.",
        passes=False,
        where=_DATABASE_LOG,
        words=('FATAL: database "…" does not exist', "ActiveRecord::NoDatabaseError"),
        reads=says(rf"\bfatal: +{_NO_DATABASE[2:]}", r"\bactiverecord::nodatabaseerror\b"),
        in_log=in_log(r"\bdatabase \"[^\"\n]{1,80}\" does not exist\b", r"\bActiveRecord::NoDatabaseError\b"),
    ),
    FailureText(
        code="DatabaseExtensionMissing",
        label=None,
        responder=None,
        area=Area.SERVICES,
        cause="A PostgreSQL server lacks an extension that the tables need, or the role may not create it.",
        remedy="Have an administrator of the database create the extension, or use an image that has it.",
        passes=False,
        where=_DATABASE_LOG,
        words=(
            'extension "…" is not available',
            'permission denied to create extension "…"',
            "could not open extension control file",
        ),
        reads=says(
            r"\bextension +\S{1,80} +is not available\b",
            r"\bpermission denied to create extension\b",
            r"\bcould not open extension control file\b",
        ),
        in_log=in_log(
            r"\bpermission denied to create extension\b",
            r"\bcould not open extension control file\b",
            r"\bextension \"[^\"\n]{1,80}\" (?:is not available|does not exist)\b",
            r"\brequired extension \S{1,80} is not (?:installed|enabled)\b",
            r"\bmust be (?:superuser|owner of database \S{1,80}) to create (?:this )?extension\b",
        ),
    ),
    FailureText(
        code="DatabaseLocked",
        label=None,
        responder=None,
        area=Area.SERVICES,
        cause="Somebody else held a lock in the database for longer than was waited.",
        remedy="Nothing at first: what failed is tried again. If it stays, see who is connected to the "
        "database, and whether another migration is running.",
        passes=True,
        where=_DATABASE_LOG,
        words=(
            "canceling statement due to lock timeout",
            "PG::LockNotAvailable",
            "ActiveRecord::ConcurrentMigrationError",
        ),
        reads=says(
            r"\bcanceling statement due to lock timeout\b",
            r"\bpg::locknotavailable\b",
            r"\bactiverecord::concurrentmigrationerror\b",
        ),
        in_log=in_log(
            r"\bActiveRecord::ConcurrentMigrationError\b",
            r"\banother migration process is currently running\b",
            r"\bPG::LockNotAvailable\b",
            r"\bcanceling statement due to lock timeout\b",
            r"\bdeadlock detected\b",
        ),
    ),
    FailureText(
        code="DatabaseTooSlow",
        label=None,
        responder=None,
        area=Area.SERVICES,
        cause="A statement took longer than the database allows.",
        remedy="Nothing at first: what failed is tried again. If it stays, see the load of the database.",
        passes=True,
        where=_DATABASE_LOG,
        words=("canceling statement due to statement timeout",),
        reads=says(r"\bcanceling statement due to statement timeout\b"),
        in_log=in_log(r"\bcanceling statement due to statement timeout\b"),
    ),
)

_GITLAB: Final = (
    FailureText(
        code="GitLabDatabaseConfigRefused",
        label=None,
        responder="gitlab_migrations",
        area=Area.SERVICES,
        cause="GitLab's check of its databases rejects how `main` and `ci` are set up, so nothing is "
        "migrated.",
        remedy="Let gitlab_migrations look: it proposes to map global.psql.ci to main's database in the "
        "chart's values, where the contract lets it (gitlab.map). The change gives the migrations Job "
        "another name, so that it runs.",
        passes=False,
        where="log of the migrations Job",
        # https://gitlab.com/gitlab-org/gitlab/-/blob/master/lib/tasks/gitlab/db/validate_config.rake
        words=(
            "Database config validation failure:",
            "- The 'main' is required to use 'database_tasks: true'",
            "- Many configurations (main, ci) share the same database (…). …",
            "- The 'ci' is expecting to share configuration with 'main', but no such is to be found.",
            "- The 'ci' since it is using 'database_tasks: false' should share database with 'main:'.",
        ),
        reads=says(
            r"\bdatabase config validation failure\b",
            r"\bis required to use +database_tasks: true\b",
            r"\bmany configurations \([\w, ]{1,80}\) share the same database\b",
            r"\bexpecting to share configuration with +\w{1,40} ?, +but no such is to be found\b",
            r"\bit is using +database_tasks: false +should share database with\b",
        ),
        in_log=in_log(r"\bDatabase config validation failure:"),
    ),
    FailureText(
        code="ObjectStorageKeyUnknown",
        label=None,
        responder=None,
        area=Area.SERVICES,
        cause="The object storage knows no such user: its users were lost with its volume.",
        remedy="See the CronJob data-minio-users-reconciler. GitLab fails with 500 then although it is "
        "migrated: gitlab_migrations says so, and changes nothing.",
        passes=False,
        where="log of GitLab",
        words=("InvalidAccessKeyId",),
        reads=says(r"\binvalidaccesskeyid\b"),
        in_log=in_log(r"\bInvalidAccessKeyId\b"),
    ),
)

ROWS: Final = (*_KEYCLOAK, *_DATABASES, *_GITLAB)

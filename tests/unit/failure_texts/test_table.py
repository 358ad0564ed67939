"""What each row of the table must have, whatever it tells of."""

import re
from typing import Final

import pytest

from responders import REGISTRY, load
from responders.vault_seeding.log_reasons import MEANS
from shared.failure_texts import TABLE, FailureText
from shared.failure_texts.classifier import FOLLOWS
from shared.failure_texts.model import Area
from tests.unit.failure_texts.test_platform import TEXTS
from tests.unit.failure_texts.wordings import BY_LABEL

ROWS: Final = pytest.mark.parametrize("row", TABLE, ids=[row.code for row in TABLE])
OWNERS: Final = {code: name for name in REGISTRY for code in load(name).reasons}


def test_no_code_stands_twice() -> None:
    codes = [row.code for row in TABLE]
    assert len(set(codes)) == len(codes)


@ROWS
def test_a_row_says_what_it_is_in_whole_sentences(row: FailureText) -> None:
    assert re.fullmatch(r"(?:[A-Z][a-z]+)+|GitLab\w+|KubernetesForbidden", row.code)
    assert row.words
    for text in (row.cause, row.remedy):
        assert text[0].isupper() or text.startswith("`")
        assert text.endswith(".")
        assert "  " not in text


@ROWS
def test_a_code_that_is_a_reason_belongs_to_the_responder_of_that_reason(row: FailureText) -> None:
    # What nobody looks after is told by whoever finds the text.
    assert row.code not in OWNERS or OWNERS[row.code] == (row.responder or "applications")


@ROWS
def test_a_label_is_of_the_vocabulary(row: FailureText) -> None:
    assert row.label is None or row.label in BY_LABEL


def test_every_code_without_a_label_is_tried_with_a_text() -> None:
    assert {row.code for row in TABLE if row.label is None} == {code for _, code in TEXTS.values()}


def test_what_the_bootstraps_log_is_read_with_are_rows_of_this_table() -> None:
    assert set(MEANS) <= {row.code for row in TABLE}
    assert {row.code for row in TABLE if row.in_log and row.responder == "vault_seeding"} <= set(MEANS)


READ_IN_LOGS: Final[dict[str, set[str]]] = {
    "ERROR: GET /admin/realms/ameide/clients: 403 Forbidden": {"KeycloakForbidden"},
    "ERROR: PUT http://v:8200/v1/secret/data/k: Code: 403. Errors: * permission denied": {
        "BootstrapDeniedByVault"
    },
    "Token not available yet": {"PatcherWithoutToken"},
    "Client 'gitlab' not found - skipping": {"PatcherSkippedClient"},
    "Login as admin-cli refused (invalid_grant)": {"BootstrapAdminRefused"},
    "Secret written successfully: secret/gitlab-oidc-client-secret": set(),
    "client-patcher: done": set(),
    "rake aborted!\nDatabase config validation failure:": {"GitLabDatabaseConfigRefused"},
    'PG::ConnectionBad: could not translate host name "postgres-ameide-rw"': {"DatabaseUnreachable"},
    "could not connect to server: Connection refused": {"BootstrapUnreachable", "DatabaseUnreachable"},
    'FATAL:  password authentication failed for user "gitlab"': {"DatabasePasswordRefused"},
    'FATAL:  database "gitlabhq_production" does not exist': {"DatabaseMissing"},
    'extension "btree_gist" is not available': {"DatabaseExtensionMissing"},
    "PG::LockNotAvailable: ERROR:  canceling statement due to lock timeout": {"DatabaseLocked"},
    "canceling statement due to statement timeout": {"DatabaseTooSlow"},
    "Aws::S3::Errors::InvalidAccessKeyId": {"ObjectStorageKeyUnknown"},
    "Migrations complete": set(),
}


@pytest.mark.parametrize("text", READ_IN_LOGS)
def test_a_line_of_a_jobs_log_is_found_by_the_rows_that_are_meant(text: str) -> None:
    assert {row.code for row in TABLE if row.in_log and row.in_log.search(text)} == READ_IN_LOGS[text]


def test_a_client_that_was_skipped_can_be_named() -> None:
    (row,) = [row for row in TABLE if row.code == "PatcherSkippedClient"]
    assert row.in_log is not None
    assert row.in_log.findall("Client 'gitlab' not found - skipping\nClient coder not found -- skipping") == [
        "gitlab",
        "coder",
    ]


def test_no_area_follows_itself_or_one_that_follows_it() -> None:
    assert set(FOLLOWS) == set(Area)
    for area, roots in FOLLOWS.items():
        assert area not in roots
        assert not any(area in FOLLOWS[root] for root in roots)

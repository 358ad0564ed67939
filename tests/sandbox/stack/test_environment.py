"""The landscape that a sandbox writes for its app."""

from pathlib import Path

from sandbox.environment import VAULT_STAND_INS, WEB_STAND_INS, Channel, write_landscape


def test_every_stand_in_of_an_address_is_replaced_wherever_it_stands(tmp_path: Path) -> None:
    """A contract names what a section names. A port that only begins like another stays."""
    template = tmp_path / "template.yaml"
    stand_ins = [*WEB_STAND_INS.values(), *VAULT_STAND_INS.values()]
    template.write_text("\n".join([*stand_ins, *stand_ins, "https://127.0.0.1:84430"]))
    web: dict[str, dict[str, str]] = {}
    for environment, service in WEB_STAND_INS:
        web.setdefault(environment, {})[service] = f"https://{service}.{environment}"
    vaults = {name: f"http://vault.{name}" for name in VAULT_STAND_INS}
    write_landscape(tmp_path / "landscape.yaml", template, vaults, web, Channel.WORKFLOW)
    wanted = [f"https://{service}.{environment}" for environment, service in WEB_STAND_INS]
    wanted += vaults.values()
    written = (tmp_path / "landscape.yaml").read_text().splitlines()
    assert written == [*wanted, *wanted, "https://127.0.0.1:84430"]

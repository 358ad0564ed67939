"""What the Jobs of the platform's hooks do: say one thing, and end well or not, as their environment asks."""

from sandbox.kubelet import Container


async def run(container: Container) -> int:
    """Variables: MESSAGE, and EXIT_CODE where it is not to be 0."""
    container.print(container.env.get("MESSAGE", ""))
    return int(container.env.get("EXIT_CODE", "0"))

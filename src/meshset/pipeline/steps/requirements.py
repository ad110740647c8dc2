"""What a task needs from this machine, asked before hours of work depend on it."""

from __future__ import annotations

from importlib.util import find_spec

from meshset.errors import MeshsetError, MissingExtraError


def require_modules(feature: str, extra: str, modules: tuple[str, ...]) -> None:
    """Raise MissingExtraError unless all `modules` are installed; none of them is imported."""
    if any(find_spec(module) is None for module in modules):
        raise MissingExtraError(feature, extra)


def resolve_device(choice: str) -> str:
    """Return the torch device for "auto" (a CUDA GPU where torch sees one), or check the one named.

    Raises:
        MeshsetError: torch knows no such device, or a CUDA device was asked for and torch sees none.
        MissingExtraError: torch is not installed.
    """
    if choice == "cpu":
        return choice
    try:
        import torch
    except ImportError as error:
        raise MissingExtraError("compression", "compress") from error
    sees_gpu = torch.cuda.is_available()
    if choice == "auto":
        return "cuda" if sees_gpu else "cpu"
    try:
        torch.device(choice)
    except RuntimeError:
        raise MeshsetError(f"device {choice!r} is not auto, cpu, cuda or another torch device") from None
    if choice.startswith("cuda") and not sees_gpu:
        raise MeshsetError(f"device {choice}: torch sees no CUDA GPU on this machine")
    return choice

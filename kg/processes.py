"""Processes that others have noted down: are they still there?"""


def began_at(pid: int) -> float | None:
    """When a process began, in seconds since 1970; None: there is none, or only its remains."""
    import psutil  # type: ignore[import-untyped]

    try:
        process = psutil.Process(pid)
        began: float = process.create_time()
        return None if process.status() == psutil.STATUS_ZOMBIE else began
    except (psutil.Error, ValueError):  # ValueError: no number of a process
        return None

"""Where tensors live: CUDA when there is a device, the CPU otherwise; the same code for both."""

import functools

import torch


@functools.cache
def device() -> torch.device:
    """The device that training and embedding use."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def describe() -> tuple[str, bool]:
    """What was found, in words, and whether it is a GPU."""
    if not torch.cuda.is_available():
        return (
            f"none; torch {torch.__version__} runs on {torch.get_num_threads()} CPU threads",
            False,
        )
    name = torch.cuda.get_device_name(0)
    memory_gib = torch.cuda.get_device_properties(0).total_memory / 2**30
    return f"{name} with {memory_gib:.0f} GiB, torch {torch.__version__}", True

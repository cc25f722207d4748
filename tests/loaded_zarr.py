"""zarr as the package loads it, for tests that use it and processes that are to have it."""

from __future__ import annotations

from deeplift_engine.util.zarr_library import zarr_module

zarr = zarr_module()

__all__ = ["zarr"]

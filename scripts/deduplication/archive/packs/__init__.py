"""The pack format: segments, frames, recipes. It knows no project and no purge."""

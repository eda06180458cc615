"""What a wheel has besides the package: what an installation copies into projects, and the samples of the demonstration.

They lie where a checkout and the plugin of Claude Code need them, and become parts of the package: ``deduplication/shipped``.
Everything else that setuptools must know stands in pyproject.toml.
"""

from __future__ import annotations

from setuptools import find_packages, setup

SHIPPED = {
    "deduplication.shipped.scripts": "scripts",
    "deduplication.shipped.scripts.database": "scripts/database",
    "deduplication.shipped.commands": "commands",
    "deduplication.shipped.skills.recall": "skills/recall",
    "deduplication.shipped.hooks": "hooks",
    "deduplication.shipped.coditect": ".coditect",
    "deduplication.shipped.coditect.demo": ".coditect/demo",
}
"""The folder of each, below the root; its modules and the files of ``DATA`` are taken, not those of folders in it."""
DATA = ["*.sql", "*.md", "*.json", "*.sh", "*.cmd", "*.txt"]

setup(
    include_package_data=False,
    packages=[*find_packages("scripts", include=["deduplication*"]), *SHIPPED],
    package_dir={"": "scripts", **SHIPPED},
    package_data={
        "deduplication": ["SHA256SUMS"],  # where a release is built
        "deduplication.storage.database": ["migrations/*.sql"],
        "deduplication.dashboard": ["static/*", "templates/*.html", "templates/panels/*.html"],
        **dict.fromkeys(SHIPPED, DATA),
    },
)

"""What runs before anything of the package is imported."""

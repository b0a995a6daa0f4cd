"""Our measurements against others."""

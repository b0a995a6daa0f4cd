"""Several pipelines as one."""

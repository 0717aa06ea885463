"""All Qt, nothing else."""

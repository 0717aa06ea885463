"""What a page or a command can ask for, one file per noun: permission check, transaction, what changed."""

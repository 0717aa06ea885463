"""One module or package per page, found through the registry."""

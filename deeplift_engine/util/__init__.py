"""Small tools that know nothing of networks: options, files, tables, warnings."""

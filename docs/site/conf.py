"""How Sphinx builds the site from the pages that `docs.generate.site` gathers."""

import re

from deeplift_engine import __version__

project = "deeplift_engine"
author = "The deeplift_engine authors"
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_heading_anchors = 3
myst_enable_extensions = ["fieldlist"]
suppress_warnings = ["myst.header"]  # a page may begin with a table of its own

autodoc_typehints = "none"  # docstrings say types in words
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True}
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True
default_role = "code"
python_use_unqualified_type_names = True

html_theme = "furo"
html_title = "deeplift_engine"
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False


def setup(app):
    """Shapes such as (n, *shape) are no emphasis."""
    app.connect("autodoc-process-docstring", escape_stars, priority=900)


def escape_stars(app, what, name, obj, options, lines):
    """Escape the stars in front of names, in place, but for those in literals."""
    for number, line in enumerate(lines):
        pieces = re.split(r"(`+[^`]*`+)", line)
        pieces[::2] = [re.sub(r"(?<=[(, ])\*(?=\w+[),])", r"\\*", piece) for piece in pieces[::2]]
        lines[number] = "".join(pieces)

"""The site: `make docs` builds it. Pages of ids, their pictures and tables are written when the build starts."""

import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent / "agents")]
os.environ.setdefault("HF_HUB_OFFLINE", "1")  # a named task's data are shown where they lie on this machine already
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import commands  # noqa: E402  found through the lines above

import nlp_gym_envs  # noqa: E402

project = "nlp_gym_envs"
author = "the nlp_gym_envs authors"
version = release = nlp_gym_envs.__version__
html_show_copyright = False

extensions = ["myst_parser", "sphinx.ext.autodoc", "id_pages", "result_pages"]
exclude_patterns = ["_build", "examples"]
myst_enable_extensions = ["colon_fence", "deflist", "substitution"]
myst_substitutions = {"commands": commands.table()}
myst_heading_anchors = 3
autodoc_typehints = "signature"
autodoc_member_order = "bysource"

html_theme = "furo"
html_title = "nlp_gym_envs"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#005b8e", "color-brand-content": "#005b8e"},
    "dark_css_variables": {"color-brand-primary": "#6cb8e6", "color-brand-content": "#6cb8e6"},
}

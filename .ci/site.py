"""What the site has beyond docs/: pages that lie elsewhere in the repository, under names of their own.

Pages link to files of the repository, as a code host shows them. Where the site has the file, the link leads there;
where it has not, the text of the link stays.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
ELSEWHERE = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "benchmarks/README.md": "benchmark-commands.md",
    "robustness/README.md": "robustness.md",
}
LINK = re.compile(r"(?P<image>!?)\[(?P<text>[^]]*)\]\((?P<path>[\w./-]+)(?P<anchor>#[\w-]+)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages from elsewhere."""
    for source, page in ELSEWHERE.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point the links of a page to where the site has what they name."""
    folder = posixpath.dirname(_in_repository(page.file.src_uri))

    def moved(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(folder, link["path"]))
        name = ELSEWHERE.get(target, target.removeprefix("docs/"))
        if files.get_file_from_path(name):
            return f"{link['image']}[{link['text']}]({name}{link['anchor'] or ''})"
        # what does not exist anywhere is left for the check of links
        return link["text"] if (ROOT / target).exists() else link[0]

    return LINK.sub(moved, markdown)


def _in_repository(page: str) -> str:
    return next((source for source, name in ELSEWHERE.items() if name == page), f"docs/{page}")

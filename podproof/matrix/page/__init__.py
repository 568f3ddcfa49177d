"""The matrix as one HTML file that needs nothing else: no server, no network, not even its directory.

Where things are: `whole` puts the page together; `headline`, `changes`, `grid`, `times` and `targets` are its
sections; `details` is what opens from a cell; `plots`, `words` and `markup` are what all of them are made of.
What matters stands in the HTML itself; the script adds filters, the keyboard's ways and what opens.
"""

from podproof.matrix.page.whole import render, write

__all__ = ["render", "write"]

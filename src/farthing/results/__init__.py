"""Numbers as charts and as one self-contained web page."""

"""One file per kind of action; each ends in `DYNAMICS`."""

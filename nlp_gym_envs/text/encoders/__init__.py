"""One file per way of turning texts into fixed-length vectors; each ends in `ENCODER`."""

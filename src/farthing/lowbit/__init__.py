"""The low-bit core: quantizers and layers to train with, packed layers to run, and the file they are kept in."""

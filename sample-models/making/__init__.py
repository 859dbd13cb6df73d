"""The parts of `make.py`: one module per family of samples, and what they share in `sample`."""
